"""An agent: what it can do, by which policy it is judged, and what it thinks with."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from copy import copy
from hashlib import sha256
from inspect import iscoroutinefunction
from typing import Any, Literal, NamedTuple, get_args

from interlock.actions.action import Action
from interlock.actions.asking import handing_on
from interlock.agents.loop import ANSWER, Loop
from interlock.canonical import canonical
from interlock.context import Head
from interlock.errors import DeclarationError
from interlock.guardian import Authority, Known, Policy
from interlock.guardian.tree import Window
from interlock.guardian.undoing import about
from interlock.machines import Machine, State
from interlock.models import Example, Model, opened
from interlock.provenance import Labels

Ending = Literal["failed", "cancelled", "rejected"]
"""What may have a run's effects taken back without being asked."""

Check = Callable[[str], str | None]
"""A look at a sentence before the user reads it: what is wrong with it, or None."""


class Needed(NamedTuple):
    """What a judgement of an action has to be given: facts by name, and windows over what was done."""

    facts: tuple[str, ...]
    windows: tuple[Window, ...]


class Agent:
    """What a runtime runs under one name.

    Args:
        name: How runs name it.
        actions: What it can do at most; an agent among them is one that it can hand a task on to. What that agent then
            does is judged by its own policy and by this one: authority only narrows on the way down.
        instructions: What its model is told that it is, and how to go about its work.
        model: What it thinks with: a model, or the name of one such as "openai:gpt-5"; without one, a foreign loop or
            a machine makes its proposals.
        output: The type of its answer (plain data, a dataclass, a pydantic model); None for words.
        examples: Few-shot examples; the model is told that they are invented, and the journal keeps them apart.
        checks: Looks at each sentence before it is released to the user: each returns what is wrong with it, or None.
            One that raises has found something wrong.
        max_turns: After how many turns of its model without an answer a run is parked, for a person to look at.
        policy: What it may do; without one, nothing (the default is to deny).
        deps: What makes the dependencies that actions find in `ctx.deps`: a function (sync or async) or a
            context manager factory, called without arguments once per runtime, when they are first needed.
        machine: The states that its runs move through; None where a model or a foreign loop drives them.
        undo_on: When all that a run did is taken back without being asked: where it failed, was cancelled, or a person
            rejected something that it proposed (the run is cancelled then).
        labels: By what its proposals are traced to where their values came from; None where they are not.

    Raises:
        DeclarationError: an action can't keep its word, two share a name, the machine offers an unknown one, there
            are a model and a machine, or what only a model can use is given without one.
        PolicyError: the policy names an unknown action, argument or fact.
    """

    def __init__(
        self,
        name: str,
        actions: "Iterable[Action[Any, Any, Any] | Agent]" = (),
        *,
        instructions: str = "",
        model: str | Model | None = None,
        output: Any = None,
        examples: Sequence[Example] = (),
        checks: Sequence[Check] = (),
        max_turns: int = 50,
        policy: Policy | None = None,
        deps: Callable[[], Any] | None = None,
        machine: Machine | None = None,
        labels: Labels | None = None,
        undo_on: Collection[Ending] = (),
    ) -> None:
        self.name = name
        self.undo_on = frozenset(undo_on)
        if unknown := self.undo_on - set(get_args(Ending)):
            raise DeclarationError(
                f"agent {name!r}: undo_on= takes {', '.join(get_args(Ending))}, not {', '.join(map(repr, unknown))}"
            )
        self.labels = labels
        self.actions: dict[str, Action[Any, Any, Any]] = {}
        if deps is not None and not callable(deps):
            raise DeclarationError(
                f"agent {name!r}: deps={deps!r} is not a factory; give a function or class that makes it, "
                "so that a resumed run gets live ones"
            )
        self._given = tuple(actions)
        subs = {one.name: one for one in self._given if isinstance(one, Agent)}
        for given in self._given:
            one = handing_on(given.name, self._told_of(given)) if isinstance(given, Agent) else given
            if not isinstance(one, Action):  # pyright: ignore[reportUnnecessaryIsInstance]
                raise DeclarationError(
                    f"agent {name!r}: {one!r} is not an action; declare it with @action.read or its like"
                )
            if one.name in self.actions:
                raise DeclarationError(f"agent {name!r} has two actions called {one.name!r}; rename one")
            one.check()
            self.actions[one.name] = one
        self._subs = tuple(subs.values())
        self.reach = _reach(name, self.actions, self._subs)
        self.policy = policy if policy is not None else Policy()
        self.policy.check(self.known())
        self.deps = deps
        self.output = output
        self.examples = tuple(examples)
        self.instructions = instructions
        self.checks = tuple(checks)
        self.max_turns = max_turns
        self._model = model
        self.loop = None if model is None else Loop(self.actions, output)
        self._check_thinking(instructions, output, examples, machine)
        self.machine = machine if self.loop is None else self.loop.machine()
        self._check_offers()
        self._derive()

    def _derive(self) -> None:
        """Work out all that follows from the policy."""
        self._needed: dict[str, tuple[Action[Any, Any, Any], Needed]] = {}
        self._authority = {name: Authority(self.policy, name) for name in self.actions}
        self.delegates = {one.name: one.under(self) for one in self._subs}
        """The agents that it can hand a task on to, each with its authority narrowed to this one's."""
        machine_data = b"" if self.machine is None else canonical(self.machine.data())
        self.head = None if self.loop is None else self._head(self.loop)
        """What the model is told at every turn; None where there is no model."""
        head_data = b"" if self.head is None else self.head.data()
        self.machine_hash = sha256(machine_data).hexdigest() if machine_data else ""
        self.head_hash = sha256(head_data).hexdigest() if head_data else ""
        self.definitions = tuple(one for one in (self.policy.to_json(), machine_data, head_data) if one)
        """Policy, machine and head as the journal stores them: by content, under their hashes."""
        self.version = (self.policy.hash, self.machine_hash, self.head_hash)
        """What tells it from the same agent under another policy."""

    def judged_by(self, policy: Policy) -> "Agent":
        """Return this agent under another policy.

        Raises:
            PolicyError: the policy names an unknown action, argument or fact.
        """
        policy.check(self.known())
        return self._under_policy(policy)

    def restricted(self, *by: Policy) -> "Agent":
        """Return this agent with the rules of permit-free policies added, as far as they concern its actions.

        Raises:
            PolicyError: one of the policies permits something, or names an argument or fact that an action hasn't.
        """
        concerning = [policy.concerning(self.known()) for policy in by]
        for policy in concerning:
            policy.check_arguments(self.known())
        return self._under_policy(self.policy.restricted(*concerning)) if any(concerning) else self

    def _under_policy(self, policy: Policy) -> "Agent":
        other = copy(self)
        other.policy = policy
        other._derive()  # noqa: SLF001 - it is one of us, not finished yet
        return other

    def known(self) -> dict[str, Known]:
        """Return what rules may name: of its own actions, and of those of agents that it hands on to."""
        known = {one.name: self._known(one) for one in self.reach.values()}
        return known | _undone(self.reach.values())

    def _known(self, action: Action[Any, Any, Any]) -> Known:
        return Known(action.argument_names, frozenset(action.facts), traced=self.labels is not None)

    def needed(self, action: Action[Any, Any, Any]) -> Needed:
        """Return what its policy needs for a judgement of *action*."""
        found = self._needed.get(action.name)
        if found is None or found[0] is not action:
            facts = tuple(sorted(self.policy.facts_needed(action.name, declared=action.facts)))
            found = self._needed[action.name] = (action, Needed(facts, self.policy.windows_needed(action.name)))
        return found[1]

    def authority(self, action: str) -> Authority:
        """Return by what it is judged who may take an action back."""
        found = self._authority.get(action)
        if found is None:
            found = self._authority[action] = Authority(self.policy, action)
        return found

    @property
    def speaks_in_structure(self) -> bool:
        """Whether its answer is typed: then its words beside that are not released to the user."""
        return self.loop is not None and self.loop.answer is not None

    @property
    def model(self) -> Model | None:
        """What it thinks with; one given by its name is opened when it is first needed.

        Raises:
            DeclarationError: the name is not understood, or its package or key is missing.
        """
        if isinstance(self._model, str):
            self._model = opened(self._model)
        return self._model

    def everyone(self) -> "Iterator[Agent]":
        """Yield this agent, those that it can hand tasks on to, those that these can, and so on."""
        yield self
        for one in self.delegates.values():
            yield from one.everyone()

    def under(self, outer: "Agent") -> "Agent":
        """Return this agent as one that *outer* hands tasks on to."""
        return Agent(
            f"{outer.name}/{self.name}",
            self._given,
            instructions=self.instructions,
            model=self._model,
            output=self.output,
            examples=self.examples,
            checks=self.checks,
            max_turns=self.max_turns,
            policy=self.policy.within(outer.policy),
            labels=self.labels if self.labels is not None else outer.labels,
            deps=self.deps if self.deps is not None else outer.deps,
            undo_on=self.undo_on,
        )

    def add(self, action: Action[Any, Any, Any]) -> None:
        """Add an action that became known late, or look anew at one whose arguments did.

        Raises:
            DeclarationError: it can't keep its word.
            PolicyError: a rule names an argument or a fact that it does not have.
        """
        action.check()
        reach = {**self.reach, action.name: action}
        self.policy.check({one.name: self._known(one) for one in reach.values()} | _undone(reach.values()))
        self.reach = reach
        self.actions[action.name] = action

    def _told_of(self, sub: "Agent") -> str:
        if sub.loop is None:
            raise DeclarationError(f"agent {self.name!r} can't hand on to {sub.name!r}, which has no model of its own")
        return sub.instructions.strip().partition("\n\n")[0]

    def _head(self, loop: Loop) -> Head:
        """Return what the model is told: of the actions, only those that the policy could ever permit."""
        definitions = loop.definitions(self.policy.could_permit)
        return Head(self.instructions, self.examples, definitions, must_propose=loop.answer is not None)

    def _check_thinking(self, instructions: str, output: Any, examples: object, machine: object) -> None:
        if self.loop is None:
            given = {"instructions": instructions, "output": output, "examples": examples, "checks": self.checks}
            unused = [name for name, value in given.items() if value]
            if unused:
                raise DeclarationError(f"agent {self.name!r}: {unused[0]}= is for a model; give it model=… too")
            return
        if machine is not None:
            raise DeclarationError(f"agent {self.name!r} has a model and a machine; leave one of them out")
        if self.loop.answer is not None and ANSWER in self.actions:
            raise DeclarationError(
                f"agent {self.name!r}: {ANSWER!r} is how its model gives the answer of type output=; rename the action"
            )
        if self.checks and self.loop.answer is not None:
            raise DeclarationError(
                f"agent {self.name!r}: checks= look at words, but with output= its answer is typed; check that type"
            )
        if any(iscoroutinefunction(check) for check in self.checks):
            raise DeclarationError(f"agent {self.name!r}: checks look at each sentence at once; none may be async")
        if self.max_turns < 1:
            raise DeclarationError(f"agent {self.name!r}: max_turns={self.max_turns} leaves it no turn; give 1 or more")

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


def _undone(actions: Iterable[Action[Any, Any, Any]]) -> dict[str, Known]:
    undone = (one for one in actions if one.undo_function is not None)
    return {about(one.name): Known(one.argument_names, frozenset(one.facts)) for one in undone}


def _reach(
    name: str, actions: Mapping[str, Action[Any, Any, Any]], subs: Iterable[Agent]
) -> dict[str, Action[Any, Any, Any]]:
    """Return all actions that can come of the agent's proposals: its own, and those of agents that it hands on to."""
    reach = dict(actions)
    for sub in subs:
        for one in sub.reach.values():
            if reach.setdefault(one.name, one) is not one:
                raise DeclarationError(
                    f"agents {name!r} and {sub.name!r} have different actions called {one.name!r}, and one policy "
                    "judges both; rename one"
                )
    return reach
