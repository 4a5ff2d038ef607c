"""`interlock policy diff`: what a new policy allows, denies and needs otherwise than the old one, each with a call."""

import typer
from rich.text import Text

from interlock.cli import text
from interlock.cli.errors import NO
from interlock.cli.policies import policy_from
from interlock.cli.policy_check import print_example
from interlock.cli.project import agent_named, agents
from interlock.cli.screen import Screen

_STYLES = {"newly allowed": "bold red", "newly denied": "yellow", "newly needs": "yellow", "no longer needs": "red"}


def diff(old: str, new: str, agent: str | None) -> None:
    """Compare two policies and print every action on which they differ.

    Args:
        old: `FILE.py`, `FILE.py:NAME` or `FILE.json`.
        new: Likewise.
        agent: The agent whose actions the rules are about; without it nothing is known of arguments.

    Raises:
        UsageError: there is no such policy or agent.
        DeclarationError: z3 is not installed.
        typer.Exit: with code 1 where they differ.
    """
    from interlock.cli.policy_shapes import shapes_of  # noqa: PLC0415 - z3 is an extra, and slow to import
    from interlock.guardian import proofs  # noqa: PLC0415

    known = shapes_of(agent_named(agents(), agent)) if agent is not None else None
    found = proofs.diff(policy_from(old), policy_from(new), known)
    screen = Screen()
    for change in found.changes:
        head = Text(f"{change.kind:<15}  ", style=_STYLES[change.kind])
        need = "" if change.need is None else f": {change.need}"
        rules = change.new.rules or change.old.rules
        by = f" ({', '.join(rules)})" if rules else ""
        screen.hang(head, Text(text.visible(f"{change.action}{need}{by}")))
        print_example(screen, change.example)
    for one in found.undecided:
        screen.hang(Text(f"{'undecided':<15}  ", style="bold magenta"), Text(text.visible(f"{one.what}: {one.why}")))
    _close(screen, len(found.changes), len(found.undecided), found.actions)
    if found.changes:
        raise typer.Exit(NO)


def _close(screen: Screen, changes: int, undecided: int, actions: int) -> None:
    looked = f"{text.counted(actions, 'action')}: "
    if changes:
        told = (text.counted(changes, "difference"), "bold")
    else:
        told = ("no difference was found", "yellow") if undecided else ("no difference, proved", "bold green")
    rest = [(f", {undecided:,} undecided", "bold magenta")] if undecided else []
    screen.line(looked, told, *rest)
