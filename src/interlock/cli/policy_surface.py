"""`interlock policy surface`: what an agent could do at most, for whoever has to answer for it."""

from rich.text import Text

from interlock.cli import text
from interlock.cli.errors import WELL
from interlock.cli.policy_subject import agent_of, policy_of
from interlock.cli.screen import NARROW, Screen
from interlock.lab.surface import IN_WORDS, Condition, Reach, Situation, Surface, surface

_COLOURS = {"read": "", "reversible": "green", "compensable": "yellow", "irreversible": "red"}
_WIDTH = 10


def show_surface(agent: str | None, file: str | None, *, json: bool) -> int:
    """Print what the agent, and each that it can hand tasks on to, could do at most."""
    chosen = agent_of(agent)
    found = surface(chosen, None if file is None else policy_of(chosen, file))
    screen = Screen()
    if json:
        screen.json(found)
        return WELL
    for number, one in enumerate(found):
        if number:
            screen.line()
        _print(screen, one)
    return WELL


def _print(screen: Screen, one: Surface) -> None:
    screen.line((text.visible(one.agent), "bold"), f" could do at most, under policy {one.policy[:12]}")
    for situation in one.situations:
        _put_situation(screen, situation)


def _put_situation(screen: Screen, situation: Situation) -> None:
    screen.line()
    where = f"in the state {' or '.join(situation.states)}" if situation.states else "in any state"
    screen.line((text.visible(where), "bold"))
    for reach in situation.reach:
        if reach.possible:
            _put_reach(screen, reach)
    for reach in situation.reach:
        if not reach.possible:
            screen.hang(Text("  "), Text.assemble(("never ", "dim"), text.visible(f"{reach.action}: {reach.why}")))
    if not situation.reach:
        screen.line("  nothing: it has no action there")


def _put_reach(screen: Screen, reach: Reach) -> None:
    egress = ", but its arguments leave the trust boundary" if reach.egress else ""
    screen.hang(
        Text("  "),
        Text.assemble(
            (text.visible(reach.action), "bold"), "  ", (IN_WORDS[reach.effect], _COLOURS[reach.effect]), egress
        ),
    )
    for one in reach.permits:
        _put(screen, "permitted", _when(one) or "always", one.rule)
    for one in reach.forbids:
        _put(screen, "but not", _when(one), one.rule)
    for one in reach.needs:
        _put(screen, "needs", f"{one.need} {_when(one)}".rstrip(), one.rule)
    for why in dict.fromkeys(why for _, why in reach.unlimited):
        names = ", ".join(name for name, same in reach.unlimited if same == why)
        _put(screen, "unlimited", f"{names}: {why}", "")


def _when(one: Condition) -> str:
    return f"when {one.when}" if one.when else ""


def _put(screen: Screen, title: str, said: str, rule: str) -> None:
    head = Text("    " if screen.width < NARROW else "      ")
    head.append(f"{title:<{_WIDTH}}", style="yellow" if title == "unlimited" else "dim")
    screen.hang(head, Text.assemble(text.visible(said), (f" ({rule})" if rule else "", "dim")))
