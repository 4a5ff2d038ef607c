"""An agent: its actions, the policy that they are judged by, the dependencies that they are given."""

from collections.abc import Callable, Iterable
from hashlib import sha256
from typing import Any

from interlock.actions.action import Action
from interlock.canonical import canonical
from interlock.errors import DeclarationError
from interlock.guardian import Known, Policy
from interlock.machines import Machine, State


class Agent:
    """What a runtime runs under one name.

    Args:
        name: How runs name it.
        actions: What it can do at most.
        policy: What it may do; without one, nothing (the default is to deny).
        deps: What makes the dependencies that actions find in `ctx.deps`: a function (sync or async) or a
            context manager factory, called without arguments once per runtime, when they are first needed.
        machine: The states that its runs move through; None where a foreign loop drives them in a session.

    Raises:
        DeclarationError: an action can't keep its word, two share a name, the machine offers an unknown one.
        PolicyError: the policy names an unknown action, argument or fact.
    """

    def __init__(
        self,
        name: str,
        actions: Iterable[Action[Any, Any, Any]],
        *,
        policy: Policy | None = None,
        deps: Callable[[], Any] | None = None,
        machine: Machine | None = None,
    ) -> None:
        self.name = name
        self.actions: dict[str, Action[Any, Any, Any]] = {}
        if deps is not None and not callable(deps):
            raise DeclarationError(
                f"agent {name!r}: deps={deps!r} is not a factory; give a function or class that makes it, "
                "so that a resumed run gets live ones"
            )
        for one in actions:
            if not isinstance(one, Action):  # pyright: ignore[reportUnnecessaryIsInstance]
                raise DeclarationError(
                    f"agent {name!r}: {one!r} is not an action; declare it with @action.read or its like"
                )
            if one.name in self.actions:
                raise DeclarationError(f"agent {name!r} has two actions called {one.name!r}; rename one")
            one.check()
            self.actions[one.name] = one
        self.policy = policy if policy is not None else Policy()
        self.policy.check({one.name: _known(one) for one in self.actions.values()})
        self.facts_needed = {
            one.name: tuple(sorted(self.policy.facts_needed(one.name, declared=one.facts)))
            for one in self.actions.values()
        }
        self.deps = deps
        self.machine = machine
        self._check_offers()
        machine_data = b"" if machine is None else canonical(machine.data())
        self.machine_hash = "" if machine is None else sha256(machine_data).hexdigest()
        self.definitions = tuple(one for one in (self.policy.to_json(), machine_data) if one)
        """Policy and machine as the journal stores them: by content, under their hashes."""

    def _check_offers(self) -> None:
        for state in self.machine.states.values() if self.machine is not None else ():
            unknown = (state.offers or frozenset()) - self.actions.keys() if isinstance(state, State) else ()
            if unknown:
                raise DeclarationError(
                    f"agent {self.name!r}: state {state.name!r} offers {', '.join(sorted(unknown))}, "
                    "which the agent does not have; add them to actions=[…]"
                )

    def __repr__(self) -> str:
        return f"<Agent {self.name}: {', '.join(self.actions)}>"


def _known(action: Action[Any, Any, Any]) -> Known:
    return Known(arguments=frozenset(action.signature.names), facts=frozenset(action.facts))
