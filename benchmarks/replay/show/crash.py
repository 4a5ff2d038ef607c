"""Kills the runtime's process in the middle of its work, starts it again, and finds out what became of it."""

import asyncio
import contextlib
import sys
import time
from collections.abc import AsyncGenerator
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from benchmarks import _convention as convention
from benchmarks.replay.show.client import WorldClient
from interlock import Redactor, SqliteStore, export_head
from interlock.journal.heads import Head
from interlock.journal.journal import Journal
from interlock.kernel import events as ev

ENOUGH = 5
"""How many effects should be under way when the kill comes."""

LOOKS = 100
"""How often to look whether there are so many; then the kill comes anyway."""


class WorkerError(Exception):
    """The runtime's process ended by itself; what it said stands above."""


class Open(NamedTuple):
    """An effect whose intent is in the journal and whose outcome is not."""

    run: str
    seq: int
    call: str
    action: str
    key: str


@dataclass(slots=True)
class Crash:
    """What was seen of a kill from outside; `in_world` says for each open intent what the world knew then."""

    played: int = 0
    events: int = 0
    head: Head | None = None
    open: list[Open] = field(default_factory=list)
    in_world: dict[Open, str] = field(default_factory=dict)
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Worker:
    """The runtime's process, and where it works."""

    socket: Path
    journal: Path
    runs: Path

    async def killed(self, after: int, world: WorldClient) -> Crash:
        """Start it, and kill it when *after* runs have been played and effects are under way.

        The head of the chain is exported right after the kill: this process keeps it, outside of the file.
        """
        crash = Crash()
        async with self._started() as process:
            began = time.perf_counter()
            await _played(process, crash, after)
            async with opened(self.journal) as journal:
                await _enough(journal)
                with contextlib.suppress(ProcessLookupError):  # so few runs that it has ended before
                    process.kill()
                await process.wait()
                crash.seconds = time.perf_counter() - began
                await _played(process, crash, None)
                crash.open = await open_intents(journal)
                crash.head = await export_head(journal.store, time.time_ns() // 1000)
        crash.events = crash.head.position
        crash.in_world = {one: (await world.lookup(one.run, one.key)).state for one in crash.open}
        return crash

    async def finished(self) -> float:
        """Start it, let it come to its end, and return how many seconds it played."""
        async with self._started() as process:
            began = time.perf_counter()
            await _played(process, Crash(), None)
            if await process.wait():
                raise WorkerError
            return time.perf_counter() - began

    @contextlib.asynccontextmanager
    async def _started(self) -> AsyncGenerator[asyncio.subprocess.Process, None]:
        """Start the process; it is at work when this yields, and gone when the block ends."""
        process = await asyncio.create_subprocess_exec(
            *(
                sys.executable,
                "-m",
                "benchmarks.replay.show.worker",
                str(self.socket),
                str(self.journal),
                str(self.runs),
            ),
            stdout=asyncio.subprocess.PIPE,
            cwd=convention.ROOT,
            start_new_session=True,  # control-C is for its parent, which ends it
        )
        try:
            assert process.stdout is not None
            if not await process.stdout.readline():
                raise WorkerError
            yield process
        finally:
            if process.returncode is None:
                process.kill()
            await process.wait()


async def _played(process: asyncio.subprocess.Process, crash: Crash, until: int | None) -> None:
    """Count the runs that the process says it has played, until there are so many or it ends."""
    assert process.stdout is not None
    while until is None or crash.played < until:
        if not await process.stdout.readline():
            if until is not None:
                raise WorkerError
            return
        crash.played += 1


async def _enough(journal: Journal) -> None:
    """Wait until enough effects are under way."""
    for _ in range(LOOKS):
        if len(await open_intents(journal)) >= ENOUGH:
            return
        await asyncio.sleep(0.01)


@contextlib.asynccontextmanager
async def opened(path: Path) -> AsyncGenerator[Journal, None]:
    """Open a journal to read it, beside whoever drives it."""
    store = SqliteStore(str(path))
    try:
        yield Journal(store, Redactor())
    finally:
        await store.close()


async def open_intents(journal: Journal) -> list[Open]:
    """Return every effect that has an intent and no outcome."""
    found: list[Open] = []
    after = ""
    while rows := await journal.store.rows(statuses=("running", "waiting"), after=after):
        for row in rows:
            calls = (await journal.state(row.id)).calls.values()
            sent = [call for call in calls if call.phase in ("intended", "unknown")]
            found += [Open(row.id, call.at, call.key, call.action, call.idempotency_key) for call in sent]
        after = rows[-1].id
    return found


async def became(journal: Journal, one: Open) -> str:
    """Return in words what became of an effect that was open at the kill."""
    words = "still open"
    for recorded in await journal.history(one.run, one.seq):
        match recorded.event:
            case ev.Retried(call=one.call):
                words = "sent again under its key"
            case ev.Probed(call=one.call, answer="never"):
                words = "proved never to have happened, judged again and done"
            case ev.Done(call=one.call, via="probe"):
                return "found done by its probe"
            case ev.Done(call=one.call):
                return words
            case ev.Failed(call=one.call):
                return "refused by the function"
            case _:
                pass
    return "still open"
