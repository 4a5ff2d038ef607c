"""`interlock undo --ahead`: what an agent could do that could not be taken back, before it has done anything."""

from collections.abc import Iterator, Sequence
from typing import Any

from msgspec import Struct
from rich.text import Text

from interlock.actions.action import Action
from interlock.agents import Agent
from interlock.cli import text
from interlock.cli.errors import WELL
from interlock.cli.project import agent_named, agents
from interlock.cli.screen import Screen
from interlock.durations import written
from interlock.guardian import Opaque
from interlock.guardian.english import english
from interlock.guardian.rules import Clause
from interlock.lab.explain import concerning

_RANKS = {"cannot": 0, "compensate": 1, "restore": 2}
_COLOURS = {"cannot": "red", "compensate": "yellow", "restore": "green"}


class Delay(Struct, frozen=True):
    """For how long an effect waits and can be recalled, in microseconds, and when (empty: always)."""

    time: int
    when: str = ""


class Reach(Struct, frozen=True):
    """The way back of one action.

    `way` and `by` are as in a plan, `why` says why there is none, `stays` what stays; `permitted` is whether its
    agent's policy could ever permit it.
    """

    agent: str
    action: str
    effect: str
    way: str
    by: str
    why: str
    stays: str
    delays: tuple[Delay, ...]
    permitted: bool


def show_ahead(named: Sequence[str], written_at: Sequence[str], *, json: bool) -> int:
    """Print the way back of every action with an effect, of the agents named or of all: those first that have none."""
    known = agents(written_at)
    chosen = [agent_named(known, name) for name in dict.fromkeys(named)] or list(known.values())
    found = sorted(_reach(chosen), key=lambda one: (not one.permitted, _RANKS[one.way]))
    screen = Screen()
    if json:
        screen.json(found)
        return WELL
    _put(screen, found)
    return WELL


def _reach(chosen: Sequence[Agent]) -> Iterator[Reach]:
    everyone = {one.name: one for agent in chosen for one in agent.everyone()}
    for agent in everyone.values():
        for action in agent.actions.values():
            if action.effect != "read" or action.egress:
                yield _of(agent, action)


def _of(agent: Agent, action: Action[Any, Any, Any]) -> Reach:
    permitted = agent.policy.could_permit(action.name)
    delays = tuple(_delays(agent, action.name)) if permitted else ()
    way, by, why = _way(action)
    return Reach(agent.name, action.name, action.effect, way, by, why, action.stays, delays, permitted)


def _way(action: Action[Any, Any, Any]) -> tuple[str, str, str]:
    """Return what becomes of an action's effects in an undo, by what, and why nothing does."""
    if action.undo_function is None:
        why = "its arguments leave" if action.effect == "read" else "it is irreversible"
        return "cannot", "", why
    if action.effect == "compensable":
        return "compensate", "undo", ""
    if action.way is not None:
        return "restore", action.way.name, ""
    return "restore", "undo" if action.snapshot_function is None else "snapshot", ""


def _delays(agent: Agent, action: str) -> Iterator[Delay]:
    for _, rule in concerning(agent.policy, action):
        if rule.clause.kind == "delay" and not rule.clause.shadow:
            yield Delay(round(rule.clause.seconds * 1_000_000), _when(rule.clause))


def _when(clause: Clause) -> str:
    if clause.when is None:
        return ""
    return f"{clause.when.name} says so" if isinstance(clause.when, Opaque) else english(clause.when)


def _put(screen: Screen, found: Sequence[Reach]) -> None:
    able = [one for one in found if one.permitted]
    lost = sum(one.way == "cannot" for one in able)
    if not found:
        screen.line("nothing that has an effect")
        return
    screen.line((f"{lost} of {text.counted(len(able), 'permitted action')} can't be taken back", "red" if lost else ""))
    header = ("ACTION", "WAY BACK", "WHAT STAYS", "PERMITTED", "AGENT")
    several = len({one.agent for one in found}) > 1
    screen.table(header, [_cells(one, several=several) for one in found])


def _cells(one: Reach, *, several: bool) -> tuple[str | Text, ...]:
    colour = _COLOURS[one.way] if one.permitted else "dim"
    return (
        Text(text.visible(one.action), style=colour),
        Text(text.visible(_words(one)), style=colour),
        text.visible(one.stays),
        Text("could be" if one.permitted else "never", style="" if one.permitted else "dim"),
        text.visible(one.agent) if several else "",
    )


def _words(one: Reach) -> str:
    back = {"cannot": f"none: {one.why}", "compensate": "compensated", "restore": f"restored by {one.by}"}[one.way]
    recalls = [f"recallable for {written(it.time)}{f' when {it.when}' if it.when else ''}" for it in one.delays]
    return "; ".join((back, *recalls))
