"""`interlock undo`: what an undo would do, and doing it."""

import asyncio
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import typer
from msgspec import Struct

from interlock.agents import Agent
from interlock.cli import inbox, text, undo_plan
from interlock.cli.answers import myself
from interlock.cli.errors import NO, WELL, AnswerError, UsageError
from interlock.cli.project import agent_named, agents, journal_path
from interlock.cli.reading import opened, row_of
from interlock.cli.screen import Screen
from interlock.cli.undo_apply import Choice, Planned, Undone, begun, check, driven, planned
from interlock.cli.undo_scope import Target
from interlock.runtime.clock import SystemClock
from interlock.runtime.mailbox import Mailbox
from interlock.runtime.questions import parse
from interlock.runtime.runtime import Runtime
from interlock.undo import Otherwise, UndoPlan

ANSWERS = ("again", "leave", "stop")
"""What a person may say where an effect can't be taken back as things are."""


class Manner(Struct, frozen=True):
    """How a plan is applied.

    In whose name, what becomes of effects that can't be taken back and of those that rest on others, whether it is only
    shown, done without asking, printed as JSON.
    """

    by: str | None
    otherwise: Otherwise
    choice: Choice
    only_plan: bool
    yes: bool
    json: bool


def undo(given: Path | None, target: Target, named: Sequence[str], manner: Manner) -> int:
    """Print an undo's plan; unless it is only the plan that is wanted, confirm it and apply it."""
    target.check()
    path, known = journal_path(given), agents(named)
    if target.agent:
        agent_named(known, target.agent)
    found = asyncio.run(planned(path, target, known, manner.choice))
    made, screen = found.made, Screen()
    if not manner.json:
        undo_plan.put(screen, found)
    if manner.only_plan or not made.batches:
        if manner.json:
            screen.json(undo_plan.as_json(found, None))
        return WELL
    check_dependants(made, manner.choice)
    asyncio.run(check(path, made))
    if not manner.yes and not confirmed(made, json=manner.json):
        raise AnswerError("nothing was undone")
    undone = _apply(path, given, found, known, manner)
    if manner.json:
        screen.json(undo_plan.as_json(found, undone))
    else:
        undo_plan.put_undone(screen, made, undone)
    return NO if undone.left or undone.asks else WELL


def check_dependants(made: UndoPlan, choice: Choice) -> None:
    """See to it that somebody has said what becomes of effects that rest on those of the plan.

    Raises:
        AnswerError: nobody has, or one of them changed the same again and was to be left.
    """
    if not made.dependants or (choice == "without" and not any(one.bound for one in made.dependants)):
        return
    named = "; ".join(map(undo_plan.dependant, made.dependants[: undo_plan.MOST]))
    bound = [one for one in made.dependants if one.bound]
    if bound:
        which = ", ".join(f"{one.run}:{one.seq}" for one in bound[: undo_plan.MOST])
        instead = f"{which} changed the same again, so that it can't go back without: give --with-dependants"
    else:
        instead = "give --with-dependants to take these back too, or --without-dependants to leave them"
    raise AnswerError(f"later effects rest on what would be taken back ({named}); {instead}")


def confirmed(made: UndoPlan, *, json: bool = False) -> bool:
    """Ask whether to take back what a plan says.

    Raises:
        UsageError: nobody can be asked.
    """
    if json or not sys.stdin.isatty():
        raise UsageError("nobody can be asked here; give --yes to take back what the plan says, or --plan to look only")
    return typer.confirm(f"take back {text.counted(made.able, 'effect')}?", err=True)


def _apply(path: Path, given: Path | None, found: Planned, known: dict[str, Agent], manner: Manner) -> Undone:
    """Apply a plan, and put to whoever sits at the terminal what only a person can decide."""
    made, by = found.made, manner.by or myself()
    request = asyncio.run(begun(path, made, by, manner.otherwise))
    while True:
        try:
            undone = asyncio.run(driven(lambda: Runtime(path, *known.values()), path, made, request))
        except KeyboardInterrupt:
            sys.stderr.write("interlock: stopped; the undo goes on with `interlock run --resume`\n")
            raise
        if not undone.asks or manner.json or not sys.stdin.isatty():
            return undone
        if not all(_decided(path, given, question, by) for question in undone.asks):
            return undone


def _decided(path: Path, given: Path | None, question: str, by: str) -> bool:
    """Show a question and post the answer that is typed; False where it is another's to answer."""
    item = asyncio.run(_item(path, question))
    own = item.asked.kind == "undo"
    inbox.put(Screen(), item, time.time_ns() // 1000, given, own=own)
    if not own:
        return False
    while (word := typer.prompt("again, leave or stop?", err=True).strip().lower()) not in ANSWERS:
        pass
    asyncio.run(_answer(path, question, word, by))
    return True


async def _item(path: Path, question: str) -> inbox.Item:
    run, seq = parse(question)
    async with opened(path) as journal:
        return await inbox.item(journal, await row_of(journal, run), seq)


async def _answer(path: Path, question: str, word: str, by: str) -> None:
    async with opened(path) as journal:
        asked = await Mailbox(journal, SystemClock()).question(*parse(question))
        await {"again": asked.again, "leave": asked.leave, "stop": asked.stop}[word](by)
