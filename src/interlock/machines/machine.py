"""The state machine that a run moves through, as its author writes it and as data."""

import difflib
import inspect
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from interlock.errors import DeclarationError


class State:
    """A state whose work is deterministic code.

    Args:
        name: What the state is called.
        run: An async function of one argument, the run's `Flow`; it returns the name of the next state (or
            None where only one is possible). It runs again from its start after a crash or a wait and finds
            what it has already performed, so it must propose the same things in the same order: no clock, no
            randomness, no I/O of its own.
        offers: The actions that may be proposed here; None means all of the agent's.
        to: The states that may come next.
        version: Raise it when `run` changes what it proposes; a run inside keeps to the version it entered.
    """

    def __init__(
        self,
        name: str,
        run: Callable[[Any], Any],
        *,
        offers: Iterable[Any] | None = None,
        to: Sequence[str] = (),
        version: int = 1,
    ) -> None:
        if not inspect.iscoroutinefunction(run):
            raise DeclarationError(f"state {name!r}: {run!r} is not an async function; write async def …(flow)")
        for keyword, value in (("to", to), ("offers", offers)):
            if isinstance(value, str):
                raise DeclarationError(f"state {name!r}: {keyword}= lists names; write {keyword}=[{value!r}]")
        if not to:
            raise DeclarationError(f"state {name!r} leads nowhere: name the states that come next with to=[…]")
        self.name = name
        self.run = run
        self.offers = None if offers is None else frozenset(str(getattr(one, "name", one)) for one in offers)
        self.to = tuple(to)
        self.version = version

    @property
    def code(self) -> str:
        """The name and version of the function behind this state, as the journal names it."""
        return f"{self.run.__module__}.{self.run.__qualname__}@{self.version}"

    def next(self, answer: str | None) -> str:
        """Return the state that *answer*, what `run` returned, leads to.

        Raises:
            DeclarationError: the answer is not one of `to`, or there is none and more than one is possible.
        """
        if answer is None and len(self.to) == 1:
            return self.to[0]
        if answer not in self.to:
            raise DeclarationError(
                f"state {self.name!r} returned {answer!r}; it must return one of {', '.join(self.to)}"
            )
        return answer

    def __repr__(self) -> str:
        return f"<State {self.name} → {', '.join(self.to)}>"


class Final:
    """A state in which the run has ended well."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __repr__(self) -> str:
        return f"<Final {self.name}>"


class Machine:
    """States and the ways between them; the first one given is where a run begins.

    Raises:
        DeclarationError: two states share a name, a way leads to no state, a state is out of reach, or from
            one no final state can be reached.
    """

    def __init__(self, *states: State | Final) -> None:
        self.states = {state.name: state for state in states}
        if len(self.states) != len(states):
            raise DeclarationError(f"two states share a name: {', '.join(state.name for state in states)}")
        if not states or isinstance(states[0], Final):
            raise DeclarationError("a machine begins with a state that does something: put a State(…) first")
        self.initial = states[0].name
        for state in states:
            self._check_ways(state)
        if not any(isinstance(state, Final) for state in states):
            raise DeclarationError("the machine has no final state: add Final('done') and a way to it")
        self._check_reach()

    def _check_reach(self) -> None:
        """Refuse states that no way leads to, and states from which no way leads to the end."""
        ways = {name: state.to if isinstance(state, State) else () for name, state in self.states.items()}
        out_of_reach = self.states.keys() - _reached({self.initial}, ways)
        if out_of_reach:
            raise DeclarationError(
                f"no way from {self.initial!r} leads to {_listed(out_of_reach)}: "
                "name it in the to=[…] of another state, or drop it"
            )
        back = {name: tuple(one for one in ways if name in ways[one]) for name in ways}
        finals = {name for name, state in self.states.items() if isinstance(state, Final)}
        trapped = self.states.keys() - _reached(finals, back)
        if trapped:
            raise DeclarationError(
                f"no way from {_listed(trapped)} leads to a final state: a run would never end; add a way out"
            )

    def _check_ways(self, state: State | Final) -> None:
        for name in state.to if isinstance(state, State) else ():
            if name not in self.states:
                near = difflib.get_close_matches(name, self.states, 1)
                hint = f"did you mean {near[0]!r}?" if near else f"there are {', '.join(self.states)}"
                raise DeclarationError(f"state {state.name!r} leads to {name!r}, which does not exist; {hint}")

    def data(self) -> dict[str, Any]:
        """Return the machine as plain data: what the journal stores by its content."""
        return {
            "initial": self.initial,
            "states": [
                {
                    "name": state.name,
                    "code": state.code,
                    "offers": None if state.offers is None else sorted(state.offers),
                    "to": list(state.to),
                }
                if isinstance(state, State)
                else {"name": state.name, "final": True}
                for state in self.states.values()
            ],
        }

    def __repr__(self) -> str:
        return f"<Machine {' '.join(self.states)}>"


def _reached(start: set[str], ways: Mapping[str, Sequence[str]]) -> set[str]:
    """Return all that can be reached from *start*, itself included."""
    reached, left = set(start), list(start)
    while left:
        fresh = [name for name in ways[left.pop()] if name not in reached]
        reached.update(fresh)
        left += fresh
    return reached


def _listed(names: Iterable[str]) -> str:
    return ", ".join(repr(name) for name in sorted(names))
