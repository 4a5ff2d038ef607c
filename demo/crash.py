"""Kills the desk's process in the middle of its work, starts it again, and finds out what became of it."""

import asyncio
import contextlib
import math
import signal
import sqlite3
import sys
import time
from collections import Counter
from collections.abc import AsyncGenerator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

from demo.desk import Place
from demo.journaled import OpenEffect, open_effects
from interlock import Redactor, SqliteStore, export_head
from interlock.journal.heads import Head
from interlock.journal.journal import Journal
from interlock.kernel import events as ev
from interlock.kernel.events import Recorded

ROOT = Path(__file__).resolve().parent.parent

SHARE = 12
"""Of how many conversations one should have an effect under way when the kill comes."""

PATIENCE = 1.5
"""How long to look for such a moment once there is a run, in seconds; then the kill comes anyway."""

KEYED = ("payments", "outbox", "interlock_effects")
"""The tables of the airline's database that name the key of a request; the last one is Interlock's."""

Histories = dict[str, list[Recorded]]


class WorkerError(Exception):
    """The desk's process ended by itself; what it said stands above."""


@dataclass(slots=True)
class Crash:
    """What was seen of a kill from outside; `arrived` are the open effects that the airline had carried out."""

    over: int = 0
    events: int = 0
    asking: int = 0
    head: Head | None = None
    open: list[OpenEffect] = field(default_factory=list)
    arrived: set[OpenEffect] = field(default_factory=set)


async def killed(place: Place, conversations: int) -> Crash:
    """Start the desk, and kill it when half of the conversations are over and effects are under way.

    The head of the chain is exported right after the kill: this process keeps it, outside of the file.

    Raises:
        WorkerError: it had ended before.
    """
    crash = Crash()
    async with _started(place, conversations) as process, opened(place.journal) as journal:
        await _over(process, crash, conversations // 2)
        await _midst(process, journal, place, max(1, conversations // SHARE))
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        if await process.wait() != -signal.SIGKILL:
            raise WorkerError
        await _over(process, crash, conversations)
        found = await histories(journal)
        crash.head = await export_head(journal.store, time.time_ns() // 1000)
    crash.events = crash.head.position
    crash.open = open_effects(found.values())
    crash.arrived = _arrived(crash.open, place.airline)
    crash.asking = sum(_questions(history) for history in found.values())
    return crash


async def finished(place: Place, conversations: int) -> None:
    """Start the desk and let it come to its end.

    Raises:
        WorkerError: it did not.
    """
    async with _started(place, conversations) as process:
        await _over(process, Crash(), conversations)
        if await process.wait():
            raise WorkerError


@contextlib.asynccontextmanager
async def _started(place: Place, conversations: int) -> AsyncGenerator[asyncio.subprocess.Process]:
    """Start the process; it is gone when the block ends."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "demo.worker", str(place.journal), str(place.airline), str(conversations)),
        stdout=asyncio.subprocess.PIPE,
        cwd=ROOT,
        start_new_session=True,  # control-C is for the demo, which ends it
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def _over(process: asyncio.subprocess.Process, crash: Crash, until: int) -> None:
    """Count the conversations that are over, until there are so many or the process ends."""
    assert process.stdout is not None
    while crash.over < until and await process.stdout.readline():
        crash.over += 1


async def _midst(process: asyncio.subprocess.Process, journal: Journal, place: Place, enough: int) -> None:
    """Wait until enough effects are under way, of several some carried out and some not."""
    end = math.inf
    while time.monotonic() < end and process.returncode is None:
        going = await histories(journal, ("running", "waiting"))
        end = min(end, time.monotonic() + PATIENCE) if going else end
        found = open_effects(going.values())
        if len(found) >= enough and (enough == 1 or 0 < len(_arrived(found, place.airline)) < len(found)):
            return
        await asyncio.sleep(0.01)


@contextlib.asynccontextmanager
async def opened(path: Path) -> AsyncGenerator[Journal]:
    """Open a journal to read it, beside whoever drives it."""
    store = SqliteStore(path)
    try:
        yield Journal(store, Redactor())
    finally:
        await store.close()


async def histories(journal: Journal, statuses: tuple[str, ...] = ()) -> Histories:
    """Return the events of all runs, or of those with one of these statuses."""
    found: Histories = {}
    after = ""
    while rows := await journal.store.rows(statuses=statuses, after=after):
        for row in rows:
            found[row.id] = await journal.history(row.id)
        after = rows[-1].id
    return found


def _arrived(effects: list[OpenEffect], airline: Path) -> set[OpenEffect]:
    """Ask the airline's database which of these requests it has carried out."""
    with closing(sqlite3.connect(f"{airline.resolve().as_uri()}?mode=ro", uri=True)) as db:
        there = {name for (name,) in db.execute("SELECT name FROM sqlite_master")}  # ours comes with the first effect
        keys = {key for table in KEYED if table in there for (key,) in db.execute(f"SELECT key FROM {table}")}
    return {one for one in effects if one.key in keys}


def _questions(history: list[Recorded]) -> int:
    """Count what a run has asked people and got no answer to."""
    answered = {one.event.question for one in history if isinstance(one.event, ev.Answered)}
    return sum(isinstance(one.event, ev.Asked) and one.seq not in answered for one in history)


def became(crash: Crash, found: Histories) -> Counter[tuple[str, str]]:
    """Say of each effect that was open at the kill how it stood then, and what became of it."""
    return Counter(
        ("carried out" if one in crash.arrived else "not arrived", _became(one, found[one.run])) for one in crash.open
    )


def _became(one: OpenEffect, history: list[Recorded]) -> str:
    words = "still open"
    for recorded in history:
        match recorded.event:
            case ev.Retried(call=one.call):
                words = "sent again under the same key, which the airline honours"
            case ev.Probed(call=one.call, answer="never"):
                words = "looked for until its time to be sent was over, then judged again and done"
            case ev.Done(call=one.call, via="probe"):
                return "looked for and found; not sent again"
            case ev.Done(call=one.call):
                return words
            case ev.Failed(call=one.call) | ev.Denied(call=one.call):
                return "turned down"
            case _:
                pass
    return "still open"
