"""Showing an undo's plan, and what became of it."""

from collections.abc import Iterator
from typing import Any

import msgspec
from rich.text import Text

from interlock.cli import changes, text
from interlock.cli.changes import Line
from interlock.cli.screen import Screen
from interlock.cli.undo_apply import Left, Planned, Undone
from interlock.undo import Dependant, Item, UndoPlan

COLOURS = {"restore": "green", "compensate": "yellow", "recall": "cyan", "cannot": "red"}

MOST = 20
"""How many effects that rest on those of a plan are shown; `--json` has them all."""

_WIDTH = 14  # of what stands before an effect


def put(screen: Screen, found: Planned) -> None:
    """Print a plan."""
    made = found.made
    what = text.visible(made.what)
    if not made.items and not made.open:
        screen.line(f"{what} has nothing to take back")
        return
    of = f"{made.able} of {text.counted(len(made.items), 'effect')}"
    troubled = sum(bool(item.trouble) for item in made.items)
    but = f", {troubled} of them not as things are now" if troubled else ""
    screen.line((f"undo of {what}", "bold"), f": {of} can be taken back", (but, "red"))
    run = made.items[0].run if len(made.runs) == 1 else ""
    for item in made.items:
        if item.run != run:
            run = item.run
            screen.line((f"run {text.visible(run)}", "dim"))
        _put(screen, item)
    for name in made.open:
        _beside(screen, "unknown", "red", f"{text.visible(name)}: its outcome is not known yet")
    _put_dependants(screen, made)
    if found.unseen:
        _beside(screen, "not seen", "yellow", text.visible(found.unseen))


def _beside(screen: Screen, word: str, colour: str, about: str) -> None:
    screen.hang(Text(f"  {word:<10}  ", style=colour), Text(about))


def _put(screen: Screen, item: Item) -> None:
    by = f", by {text.visible(item.by)}" if item.way in ("restore", "compensate") else ""
    why = f": {text.visible(item.why)}" if item.why else ""
    call = text.call(item.action, msgspec.Raw(msgspec.json.encode(item.args)))
    _beside(screen, item.way, COLOURS[item.way], f"{call}, event {item.seq}{by}{why}")
    put_lines(screen, _details(item))


def put_lines(screen: Screen, lines: Iterator[Line]) -> None:
    """Print lines beneath an effect."""
    for line in lines:
        indent = len(line.text) - len(line.text.lstrip())
        screen.hang(Text(" " * (_WIDTH + 2 + indent)), Text(line.text.lstrip(), style=line.colour))


def _details(item: Item) -> Iterator[Line]:
    if item.trouble and not any(map(changes.changed_since, item.changes)):
        yield Line(text.visible(text.cut(item.trouble, 600)), "red")
    if item.changes:
        yield from changes.lines(item.changes) if item.trouble else changes.steps(item.changes)
    elif item.objects:
        named = ", ".join(map(text.visible, item.objects[: changes.MOST]))
        more = f" and {len(item.objects) - changes.MOST:,} more" if len(item.objects) > changes.MOST else ""
        yield Line(f"changed {named}{more}")
    if item.stays:
        yield Line(f"what stays: {text.visible(item.stays)}", "yellow")


def _put_dependants(screen: Screen, made: UndoPlan) -> None:
    for one in made.dependants[:MOST]:
        _beside(screen, "later", "red" if one.bound else "yellow", dependant(one))
    if len(made.dependants) > MOST:
        _beside(screen, "", "", f"and {len(made.dependants) - MOST:,} more; --json has all")


def dependant(one: Dependant) -> str:
    """Return which later effect rests on which one of the plan, and why."""
    on = f"event {one.on}" + ("" if one.on_run == one.run else f" of run {text.visible(one.on_run)}")
    who = f"{text.visible(one.action)}, {text.visible(one.run)}:{one.seq}"
    return f"{who}, rests on {on}: {text.visible(text.cut(one.why))}"


def put_undone(screen: Screen, made: UndoPlan, undone: Undone) -> None:
    """Print what became of an undo."""
    if undone.asks:
        screen.line(("the undo waits for a person", "yellow"), f": {', '.join(undone.asks)}; see `interlock inbox`")
        return
    taken = made.able - len(undone.left)
    if not undone.left:
        screen.line(("taken back", "green"), f": {text.counted(taken, 'effect')}")
        return
    screen.line(("not all could be taken back", "red"), f": {taken} of {text.counted(made.able, 'effect')}")
    for one in undone.left:
        _beside(screen, "left", "red", f"{text.visible(one.action)}, {text.visible(one.id)}: {_why(one)}")
        put_lines(screen, changes.lines(one.changes))


def _why(one: Left) -> str:
    return text.visible(text.cut(one.reason, 600))


def as_json(found: Planned, undone: Undone | None) -> dict[str, Any]:
    """Return a plan, and what became of it where it was applied, as it is printed in JSON."""
    made = found.made
    left = undone.left if undone is not None else ()
    return {
        "run": made.run,
        "what": made.what,
        "items": made.items,
        "open": made.open,
        "dependants": made.dependants,
        "unseen": found.unseen,
        "applied": undone is not None,
        "failed": [one.seq for one in left],
        "left": left,
        "asks": undone.asks if undone is not None else (),
    }
