"""`interlock labels check`: an agent's labels beside its actions, and what each argument and field is taken for."""

from itertools import groupby

from interlock.agents import Agent
from interlock.cli import text
from interlock.cli.errors import NO, WELL
from interlock.cli.policy_subject import agent_of
from interlock.cli.screen import Screen
from interlock.lab.declared import Part, parts, problems

OFF = "it has no labels=, so nothing is traced; by default it would be so"


def check(agent: str | None, *, json: bool) -> int:
    """Print what the labels name that is not there, and what all else is taken for."""
    chosen = agent_of(agent)
    wrong, found = problems(chosen), list(parts(chosen))
    screen = Screen()
    if json:
        screen.json({"agent": chosen.name, "traced": chosen.labels is not None, "problems": wrong, "parts": found})
    else:
        _print(screen, chosen, wrong, found)
    return NO if wrong else WELL


def _print(screen: Screen, agent: Agent, wrong: list[str], found: list[Part]) -> None:
    screen.line((text.visible(agent.name), "bold"), f": {OFF}" if agent.labels is None else ": its labels")
    for one in wrong:
        screen.line(("  wrong  ", "red"), text.visible(one))
    for action, of_action in groupby(found, key=lambda one: one.action):
        effect = agent.actions[action].effect
        screen.line()
        screen.line((text.visible(action), "bold"), f"  {effect}")
        rows = [(one.part, text.visible(one.name), _taken(one), one.by) for one in of_action]
        screen.table(("  part", "name", "taken for", "by"), [(f"  {part}", *rest) for part, *rest in rows])


def _taken(one: Part) -> str:
    least = f", at least {one.least}" if one.least else ""
    return f"{one.taken}{least}{', may not leave' if one.secret else ''}"
