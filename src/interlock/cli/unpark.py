"""`interlock unpark`: a parked run may go on; posted durably into its inbox."""

import asyncio
import shlex
from pathlib import Path

from interlock.cli import text
from interlock.cli.answers import myself, taken_in
from interlock.cli.errors import WELL, AnswerError
from interlock.cli.project import journal_path
from interlock.cli.reading import opened, row_of
from interlock.cli.screen import Screen
from interlock.journal.journal import Journal
from interlock.kernel import events as ev
from interlock.runtime.clock import SystemClock
from interlock.runtime.mailbox import Mailbox

LATER = "the run goes on when its runtime is up (`interlock run --resume`)"


def unpark_run(given: Path | None, run: str, *, by: str | None, json: bool) -> int:
    """Post that a parked run may go on."""
    whose = by or myself()
    run, taken = asyncio.run(_post(journal_path(given), run, whose))
    screen = Screen()
    if json:
        screen.json({"run": run, "by": whose, "taken_in": taken})
    else:
        after = "the run goes on" if taken else LATER
        screen.line(f"posted: run {text.visible(run)} let go by {text.visible(whose)}; {after}")
    return WELL


def let_go(run: str, journal: Path | None) -> str:
    """Return what lets a parked run of this *journal* (None: the project's) go on, in words."""
    where = f" --journal {shlex.quote(str(journal))}" if journal is not None else ""
    return f"`interlock unpark {text.visible(shlex.quote(run))}{where}` lets it go on"


async def parked_one(journal: Journal, run: str) -> str | None:
    """Return which run is parked: this one, or one that it handed a task on to; None where none is."""
    row = await journal.store.row(run)
    if row is None or row.status == "parked":
        return row and row.id
    children = [call.child for call in (await journal.state(run)).calls.values() if call.child]
    for child in children:
        if (found := await parked_one(journal, child)) is not None:
            return found
    return None


async def _post(path: Path, given: str, by: str) -> tuple[str, bool]:
    """Post it, and return which run that was and whether a runtime has taken it in.

    Raises:
        AnswerError: the run is not parked, or is let go already.
    """
    async with opened(path) as journal:
        row = await row_of(journal, given)
        if row.status != "parked":
            raise AnswerError(f"run {row.id} is {row.status}, not parked")
        if await _posted(journal, row.id):
            raise AnswerError(f"run {row.id} is let go already; {LATER}")
        await Mailbox(journal, SystemClock()).post(row.id, "unpark", ev.Unparked(by=by))
        return row.id, await taken_in(lambda: _posted(journal, row.id))


async def _posted(journal: Journal, run: str) -> bool:
    """Return whether it lies in the run's inbox, not taken in yet."""
    return any(one.kind == "unpark" for one in await journal.store.signals(run=run))
