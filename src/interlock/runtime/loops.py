"""What goes on beside the runs: resuming them after a start, waking them in time, taking in what reaches them."""

import asyncio
import logging
from collections.abc import Callable, Coroutine, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, suppress
from typing import Any

from interlock.agents import Agent
from interlock.errors import (
    DeclarationError,
    DependenciesError,
    JournalUnavailableError,
    OtherCodeError,
    StaleWriterError,
)
from interlock.runtime.clock import Alarm
from interlock.runtime.live import LiveRun
from interlock.runtime.mailbox import Mailbox
from interlock.runtime.tending import Tender

PAGE = 500
"""How many runs are looked up at a time."""

CROWD = 10_000
"""How many runs are tended at a time; the others wait their turn on disk."""

LOOK = 0.05
"""How often is looked for what other processes posted, and for what stays due while it is tended; in seconds."""

AGAIN = 2.0
"""After how many seconds a run is tended again whose dependencies or journal were not to be had."""

LONGEST_SLEEP = 60.0
"""The longest the timer sleeps, in seconds."""

DRAIN = 10.0
"""How long closing waits for code that ignores its cancellation, and for effects under way, in seconds.

What is still open then is found again by the next start.
"""

UNFINISHED = ("running", "undoing")
"""The statuses in which a run has something to do now, whatever the clock says."""

log = logging.getLogger("interlock")


class Loops:
    """Decides when each run is tended; the work itself is `Tender`'s.

    The mutable state: the tasks that tend a run now (one a run), the runs that must be tended again right after, those
    that are tried again later, those that this process can't drive (they wait for another one), and the loops' own
    tasks.
    """

    def __init__(
        self,
        mail: Mailbox,
        tender: Tender,
        held: Callable[[str], AbstractAsyncContextManager[LiveRun]],
        live: Mapping[str, LiveRun],
        agents: Mapping[str, Agent],
    ) -> None:
        self._mail = mail
        self._tender = tender
        self._held = held
        self._live = live
        self._agents = agents
        self._tending: dict[str, asyncio.Task[None]] = {}
        self._again: set[str] = set()
        self._later: dict[str, Alarm] = {}
        self._left: set[str] = set()
        self._tasks: list[asyncio.Task[None]] = []
        self._resumed = asyncio.Event()
        self._stopping = False

    async def start(self) -> None:
        """Begin to resume, to wake and to take in."""
        for loop in (self._resume, self._wake, self._take_in):
            self._tasks.append(asyncio.create_task(self._kept_up(loop)))

    async def stop(self) -> None:
        """Stop all of it; code that is running is left where it stands, its run goes on at the next start."""
        self._stopping = True
        for alarm in self._later.values():
            alarm.cancel()
        tasks = [*self._tasks, *self._tending.values()]
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks, timeout=DRAIN)

    async def settled(self) -> None:
        """Wait until every run that can do something now has done it."""
        await self._resumed.wait()
        while self._tending or self._mail.posted.is_set() or await self._more():
            if self._tending:
                await asyncio.wait(list(self._tending.values()))
            await asyncio.sleep(0.001)

    async def _more(self) -> bool:
        if await self._due(self._mail.clock.now()):
            self._mail.earlier.set()
            return True
        return bool(await self._mail.journal.store.signals(limit=1))

    async def room(self, runs: int) -> None:
        """Wait until fewer than *runs* runs are being tended, or are in line for it."""
        while len(self._tending) >= runs:
            await asyncio.wait(list(self._tending.values()), return_when=asyncio.FIRST_COMPLETED)

    def tend(self, run: str) -> None:
        """Have the run tended soon; if it is being tended now, once more after that."""
        if self._stopping:
            return
        if run in self._tending:
            self._again.add(run)
            return
        task = asyncio.get_running_loop().create_task(self._tend(run))
        self._tending[run] = task
        task.add_done_callback(lambda _: self._tended(run))

    async def tend_now(self, live: LiveRun) -> None:
        """Tend a run that the caller holds, and return when that is done."""
        if live.id in self._tending:
            await asyncio.wait((self._tending[live.id],))
        else:
            await self._tender.tend(live)

    def _tended(self, run: str) -> None:
        self._tending.pop(run, None)
        if run in self._again:
            self._again.discard(run)
            self.tend(run)

    async def _tend(self, run: str) -> None:
        try:
            async with self._held(run) as live:
                await self._tender.tend(live)
        except (DependenciesError, JournalUnavailableError, StaleWriterError) as error:
            log.warning("run %s can't go on now and is tried again: %s", run, error)
            self._tend_later(run)
        except (OtherCodeError, DeclarationError) as error:
            log.warning("run %s is left alone: %s", run, error)
            self._left.add(run)
        except Exception:
            log.exception("run %s can't go on; this is a fault of Interlock or of its journal", run)
            self._tend_later(run)
        else:
            self._left.discard(run)

    def _tend_later(self, run: str) -> None:
        if self._stopping or run in self._later:
            return
        self._later[run] = self._mail.clock.call_later(AGAIN, lambda: self._tend_again(run))

    def _tend_again(self, run: str) -> None:
        self._later.pop(run, None)
        self.tend(run)

    async def _kept_up(self, loop: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Run a loop, and run it again after a pause if the journal was not to be had."""
        while True:
            try:
                await loop()
            except JournalUnavailableError as error:
                log.warning("the journal is not available and is tried again: %s", error)
                await self._mail.clock.sleep(AGAIN)
            else:
                break

    async def _resume(self) -> None:
        """Tend every run that was doing something when the process before this one ended."""
        store = self._mail.journal.store
        after = ""
        while rows := await store.rows(statuses=UNFINISHED, after=after, limit=PAGE):
            for row in rows:
                if row.agent in self._agents:
                    self.tend(row.id)
            after = rows[-1].id
            while len(self._tending) >= CROWD:
                await asyncio.wait(list(self._tending.values()), return_when=asyncio.FIRST_COMPLETED)
        self._resumed.set()

    async def _wake(self) -> None:
        """Tend each run when it is due."""
        mail = self._mail
        while True:
            mail.earlier.clear()
            now = mail.clock.now()
            due = await self._due(now)
            for run in due:
                if len(self._tending) >= CROWD:
                    break
                if run not in self._tending:
                    self.tend(run)
            seconds = await self._until_next(now, due)
            alarm = mail.clock.call_later(seconds, mail.earlier.set)
            try:
                await mail.earlier.wait()
            finally:
                alarm.cancel()

    async def _due(self, now: int) -> list[str]:
        """Return the runs that are due and can be tended here: those in hand, and up to a page of others."""
        aside = self._left.union(self._later)
        rows = await self._mail.journal.store.due(now, PAGE + len(self._tending) + len(aside))
        self._left.update(row.id for row in rows if row.agent not in self._agents)
        return [row.id for row in rows if row.id not in aside and row.agent in self._agents]

    async def _until_next(self, now: int, due: Sequence[str]) -> float:
        """Set the alarm for the first run that is due after *now*, and return how many seconds that is.

        What is *due* already is being tended: it is looked at again soon, not in a hot loop.
        """
        next_wake = await self._mail.journal.store.next_wake(now)
        self._mail.alarm = next_wake if next_wake is not None else 0
        longest = LOOK if due else LONGEST_SLEEP
        if next_wake is None:
            return longest
        return min(max((next_wake - self._mail.clock.now()) / 1_000_000, 0.001), longest)

    async def _take_in(self) -> None:
        """Tend each run that something was posted to, here or by another process."""
        mail, after = self._mail, 0
        while True:
            mail.posted.clear()
            while signals := await mail.journal.store.signals(after=after, limit=PAGE):
                for run in dict.fromkeys(signal.run for signal in signals):
                    # A run whose code is at work hears of it now, not when the code comes to rest.
                    if run in self._live and run in self._tending:
                        await self._live[run].take_in()
                    self.tend(run)
                after = signals[-1].id
            while not mail.posted.is_set() and not await mail.journal.store.moved():
                with suppress(TimeoutError):
                    await asyncio.wait_for(mail.posted.wait(), LOOK)
