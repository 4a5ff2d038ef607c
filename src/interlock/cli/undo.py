"""`interlock undo`: what an undo of a run would do, and doing it."""

import asyncio
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
import typer
from msgspec import Struct
from rich.text import Text

from interlock.agents import Agent
from interlock.cli import text
from interlock.cli.answers import myself
from interlock.cli.errors import NO, WELL, AnswerError, UsageError
from interlock.cli.inbox import open_questions
from interlock.cli.notes import logged
from interlock.cli.project import agent_named, agents, journal_path
from interlock.cli.reading import opened, row_of
from interlock.cli.screen import Screen
from interlock.errors import DriverConflictError
from interlock.journal.journal import Journal
from interlock.kernel import events as ev
from interlock.kernel.state import unsettled
from interlock.runtime.clock import SystemClock
from interlock.runtime.mailbox import Mailbox
from interlock.runtime.runtime import Runtime
from interlock.undo import READ, Item, UndoPlan, plan

LOOK = 0.05
"""How often it is looked whether the undo has ended, in seconds."""

COLOURS = {"restore": "green", "compensate": "yellow", "cannot": "red"}


class Undone(Struct, frozen=True):
    """What became of an undo: outcomes (their seqs) that could not be taken back, questions that it waits for."""

    failed: tuple[int, ...] = ()
    asks: tuple[str, ...] = ()


def undo(
    given: Path | None, run: str, named: Sequence[str], by: str | None, *, only_plan: bool, yes: bool, json: bool
) -> int:
    """Print the undo plan of a run; unless it is *only* the *plan* that is wanted, confirm it and apply it."""
    path, known = journal_path(given), agents(named)
    made, doing = asyncio.run(planned(path, run, known))
    screen = Screen()
    if not json:
        put(screen, made)
    if only_plan or not made.targets:
        if json:
            screen.json(as_json(made, None))
        return WELL
    check(made, doing)
    if not yes and not _confirmed(made, json=json):
        raise AnswerError("nothing was undone")
    undone = asyncio.run(_apply(path, made, list(known.values()), by or myself()))
    if json:
        screen.json(as_json(made, undone))
    else:
        put_undone(screen, made, undone)
    return NO if undone.failed or undone.asks else WELL


async def planned(path: Path, run: str, known: dict[str, Agent]) -> tuple[UndoPlan, str]:
    """Return the plan for a run, and what the run is doing.

    Raises:
        UsageError: there is no such run, or its agent is not known.
    """
    async with opened(path) as journal:
        row = await row_of(journal, run)
        agent = agent_named(known, row.agent)
        history = await journal.history(row.id, 0, READ)
        calls = (await journal.state(row.id)).calls.values()
        unclear = [f"{one.action} ({one.key})" for one in calls if unsettled(one)]
        return plan(row.id, history, agent.actions, unclear), row.status


def check(made: UndoPlan, doing: str) -> None:
    """Refuse the undo of a run that is still at work.

    Raises:
        AnswerError: it is.
    """
    if doing in ("running", "sleeping"):
        raise AnswerError(f"run {made.run} is {doing}; let it end before its effects are taken back")


def _confirmed(made: UndoPlan, *, json: bool) -> bool:
    if json or not sys.stdin.isatty():
        raise UsageError("nobody can be asked here; give --yes to take back what the plan says, or --plan to look only")
    return typer.confirm(f"take back {text.counted(len(made.targets), 'effect')}?", err=True)


async def _apply(path: Path, made: UndoPlan, known: list[Agent], by: str) -> Undone:
    """Apply a plan; drive the journal meanwhile, unless another process does."""
    try:
        with logged(noted=False):
            async with Runtime(path, *known):
                return await applied(path, made, by)
    except DriverConflictError:
        return await applied(path, made, by)


async def applied(path: Path, made: UndoPlan, by: str) -> Undone:
    """Post the undo to its run, wait until whoever drives the journal has done it, and return what became of it."""
    async with opened(path) as journal:
        before = await _ends(journal, made.run)
        undo = ev.UndoStarted(by=by, targets=made.targets)
        await Mailbox(journal, SystemClock()).post(made.run, "undo", undo)
        return await _over(journal, made.run, len(before))


async def _over(journal: Journal, run: str, before: int) -> Undone:
    while True:
        ends = await _ends(journal, run)
        if len(ends) > before:
            return Undone(ends[-1].failed)
        state = await journal.state(run)
        if state.undo is not None and (asks := open_questions(state)):
            return Undone(asks=tuple(f"{run}:{seq}" for seq in asks))
        await asyncio.sleep(LOOK)


async def _ends(journal: Journal, run: str) -> list[ev.UndoEnded]:
    return [one.event for one in await journal.history(run, 0, (ev.UndoEnded,)) if isinstance(one.event, ev.UndoEnded)]


def put(screen: Screen, made: UndoPlan) -> None:
    """Print a plan."""
    if not made.items and not made.open:
        screen.line(f"run {text.visible(made.run)} has nothing to take back")
        _put_elsewhere(screen, made)
        return
    of = f"{len(made.targets)} of {text.counted(len(made.items), 'effect')}"
    screen.line((f"undo of run {text.visible(made.run)}", "bold"), f": {of} can be taken back")
    for item in made.items:
        _put(screen, item)
    for name in made.open:
        screen.hang(Text("  unknown     ", style="red"), Text(f"{text.visible(name)}: its outcome is not known yet"))
    _put_elsewhere(screen, made)


def _put_elsewhere(screen: Screen, made: UndoPlan) -> None:
    for run in made.elsewhere:
        told = f"what run {text.visible(run)} did, which a task was handed on to; undo that run too"
        screen.hang(Text("  elsewhere   ", style="yellow"), Text(told))


def _put(screen: Screen, item: Item) -> None:
    why = f": {text.visible(item.why)}" if item.why else ""
    head = Text(f"  {item.way:<10}  ", style=COLOURS[item.way])
    args = msgspec.Raw(msgspec.json.encode(item.args))
    screen.hang(head, Text(f"{text.call(item.action, args)}, event {item.seq}{why}"))


def put_undone(screen: Screen, made: UndoPlan, undone: Undone) -> None:
    """Print what became of an undo."""
    if undone.asks:
        screen.line(("the undo waits for a person", "yellow"), f": {', '.join(undone.asks)}; see `interlock inbox`")
    elif undone.failed:
        failed = ", ".join(map(str, undone.failed))
        screen.line(("not all could be taken back", "red"), f": events {failed}; see `interlock show {made.run}`")
    else:
        screen.line(("taken back", "green"), f": {text.counted(len(made.targets), 'effect')}")


def as_json(made: UndoPlan, undone: Undone | None) -> dict[str, Any]:
    """Return a plan, and what became of it where it was applied, as it is printed in JSON."""
    return {
        "run": made.run,
        "items": made.items,
        "open": made.open,
        "elsewhere": made.elsewhere,
        "applied": undone is not None,
        "failed": undone.failed if undone is not None else (),
        "asks": undone.asks if undone is not None else (),
    }
