"""What an agent could do at most, state by state: an upper bound that holds whatever arguments and facts will be.

A rule's condition is folded as far as agent and state tell it, and no further: what is listed as possible may still be
denied in every case, what is listed as impossible never happens.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import msgspec

from interlock.actions.action import Action
from interlock.agents import Agent
from interlock.guardian import Case, Opaque, Policy
from interlock.guardian.english import english
from interlock.guardian.rules import Clause
from interlock.guardian.verdict import Need
from interlock.lab.explain import layers
from interlock.lab.folding import Root, folded
from interlock.lab.unlimited import unlimited
from interlock.machines import State

_KNOWN: frozenset[Root] = frozenset({"agent", "state"})
_Left = dict[str, Clause]

IN_WORDS = {
    "read": "changes nothing",
    "reversible": "can be taken back exactly",
    "compensable": "can be made good",
    "irreversible": "can't be taken back",
}
"""What an effect means to whoever has to live with it."""


class Condition(msgspec.Struct, frozen=True):
    """A rule that may have its say: its id, and when it does in English (empty: always)."""

    rule: str
    when: str
    need: str = ""


class Reach(msgspec.Struct, frozen=True):
    """What an agent could do with one action at most.

    `possible` is False where no case can be permitted; `why` says then which rule (or that none permits it).
    `permits` are alternatives, of each policy around the agent's own at least one; `forbids` and `needs` are added.
    `unlimited` are the arguments that no rule limits, and what is said of each.
    """

    action: str
    effect: str
    egress: bool
    possible: bool
    why: str = ""
    permits: tuple[Condition, ...] = ()
    forbids: tuple[Condition, ...] = ()
    needs: tuple[Condition, ...] = ()
    unlimited: tuple[tuple[str, str], ...] = ()


class Situation(msgspec.Struct, frozen=True):
    """The states in which an agent could do the same; none are named where that is so in any state."""

    states: tuple[str, ...]
    reach: tuple[Reach, ...]


class Surface(msgspec.Struct, frozen=True):
    """What one agent could do at most, in each of its situations."""

    agent: str
    policy: str
    situations: tuple[Situation, ...]


def surface(agent: Agent, policy: Policy | None = None) -> list[Surface]:
    """Return what the agent could do at most, and each agent that it can hand tasks on to.

    Args:
        agent: The agent.
        policy: Another policy than its own, within which its delegates then are.
    """
    judged = agent if policy is None else agent.judged_by(policy)
    return [_of_one(one) for one in judged.everyone()]


def _of_one(agent: Agent) -> Surface:
    states = [state for state in _states(agent) if isinstance(state, State)]
    by_reach: dict[tuple[Reach, ...], list[str]] = {}
    for state in states:
        offered = [name for name in agent.actions if state.offers is None or name in state.offers]
        by_reach.setdefault(_reach(agent, offered, state.name), []).append(state.name)
    if not states:
        by_reach = {_reach(agent, list(agent.actions), None): []}
    everywhere = len(by_reach) == 1
    situations = [Situation(() if everywhere else tuple(names), reach) for reach, names in by_reach.items()]
    return Surface(agent.name, agent.policy.hash, tuple(situations))


def _states(agent: Agent) -> Iterator[object]:
    if agent.machine is not None:
        yield from agent.machine.states.values()


def _reach(agent: Agent, actions: Sequence[str], state: str | None) -> tuple[Reach, ...]:
    return tuple(_at_most(agent, name, state) for name in actions)


def _at_most(agent: Agent, name: str, state: str | None) -> Reach:
    case = Case(name, {}, agent=agent.name, state=state or "")
    around = [(before, _left_of(policy, case)) for before, policy in layers(agent.policy)]
    why = next((said for before, rules in around if (said := _impossible(before, rules))), "")
    if why:
        return Reach(name, agent.actions[name].effect, agent.actions[name].egress, possible=False, why=why)
    return _possible(agent.actions[name], around)


def _left_of(policy: Policy, case: Case) -> _Left:
    """Return the rules that may apply to such a case, each with what is left of its condition, under their ids."""
    found = _Left()
    for number, rule in enumerate(policy.rules, 1):
        clause = rule.clause
        if rule.concerns(case.action) and clause.kind != "must" and not clause.shadow:
            left = _folded(clause, case)
            if left is not None:
                found[f"r{number}"] = left
    return found


def _folded(clause: Clause, case: Case) -> Clause | None:
    if clause.when is None or isinstance(clause.when, Opaque):
        return clause
    left = folded(clause.when, case, _KNOWN)
    if left is False:
        return None
    return msgspec.structs.replace(clause, when=None if left is True else left)


def _impossible(before: str, rules: _Left) -> str:
    """Return why these rules permit nothing, whatever the case is; nothing where they might."""
    for name, clause in rules.items():
        if clause.kind == "forbid" and clause.when is None:
            return f"{before}{name} forbids it{f': {clause.because}' if clause.because else ''}"
    if any(clause.kind == "permit" for clause in rules.values()):
        return ""
    whose = "of the policy around it " if before else ""
    return f"no rule {whose}permits it"


def _possible(action: Action[Any, Any, Any], around: list[tuple[str, _Left]]) -> Reach:
    found = [
        (clause.kind, _condition(f"{before}{name}", clause))
        for before, rules in around
        for name, clause in rules.items()
    ]
    return Reach(
        action=action.name,
        effect=action.effect,
        egress=action.egress,
        possible=True,
        permits=tuple(one for kind, one in found if kind == "permit"),
        forbids=tuple(one for kind, one in found if kind == "forbid"),
        needs=tuple(one for kind, one in found if kind not in ("permit", "forbid")),
        unlimited=tuple(unlimited(action, [tuple(rules.values()) for _, rules in around])),
    )


def _condition(name: str, clause: Clause) -> Condition:
    match clause.kind:
        case "permit" | "forbid" | "must":
            need = ""
        case kind:
            need = str(Need(kind, clause.level, clause.seconds))
    match clause.when:
        case None:
            return Condition(name, "", need)
        case Opaque(code):
            return Condition(name, f"{code} says so", need)
        case tree:
            return Condition(name, english(tree), need)
