"""What goes on beside the runs: resuming them after a start, waking them in time, taking in what reaches them."""

import asyncio
import logging
from collections.abc import Callable, Coroutine, Mapping
from contextlib import AbstractAsyncContextManager, suppress
from typing import Any

from interlock.agents import Agent
from interlock.errors import (
    DeclarationError,
    DependenciesError,
    JournalError,
    JournalUnavailableError,
    OtherCodeError,
    StaleWriterError,
)
from interlock.kernel.decide import NEVER
from interlock.runtime.clock import Alarm
from interlock.runtime.live import LiveRun
from interlock.runtime.mailbox import Mailbox
from interlock.runtime.tending import Tender

PAGE = 500
"""How many runs are looked up at a time."""

CROWD = 10_000
"""How many runs are tended at a time; the others wait their turn on disk."""

LOOK = 0.05
"""How often the inbox is looked at for what other processes posted, in seconds."""

AGAIN = 2.0
"""After how many seconds a run is tended again whose dependencies or journal were not to be had."""

LONGEST_SLEEP = 60.0
"""The longest the timer sleeps, in seconds; so often it also looks at all that is due, not only at what is new."""

BEGINNING = (-1, "")
"""Before every run, in the order in which they are due."""

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
    that are tried again later, those that this process can't drive (they wait for another one), up to which run (by
    time, then id) what is due has been seen, and the loops' own tasks.
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
        self._seen = BEGINNING
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
        mail = self._mail
        if mail.earlier.is_set() or await mail.journal.store.due(mail.clock.now(), 1, self._seen):
            mail.earlier.set()
            return True
        # What was posted to a run that this process can't drive waits for one that can.
        return any(one.run not in self._left for one in await self._mail.journal.store.signals(limit=PAGE))

    async def room(self, runs: int) -> None:
        """Wait until fewer than *runs* runs are being tended, or are in line for it."""
        while self.full(runs):
            await asyncio.wait(list(self._tending.values()), return_when=asyncio.FIRST_COMPLETED)

    def full(self, runs: int) -> bool:
        """Whether *runs* runs, or more, are being tended or in line for it."""
        return len(self._tending) >= runs

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
                ended, parent = live.state.ended, live.state.parent
            if ended and parent:
                self.tend(parent)
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
        """Run a loop, and again after a pause if it fails: no error may leave runs without anybody who wakes them."""
        while True:
            try:
                await loop()
            except JournalError as error:
                log.warning("the journal refused and is tried again: %s", error)
            except Exception:
                log.exception("a loop of the runtime failed and is tried again; this is a fault of Interlock")
            else:
                break
            await self._mail.clock.sleep(AGAIN)

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
        swept = mail.clock.now()
        while True:
            now = mail.clock.now()
            mail.earlier.clear()
            mail.alarm = 0
            if now - swept >= LONGEST_SLEEP * 1_000_000:
                self._seen, swept = BEGINNING, now
            elif mail.soonest <= self._seen[0]:
                self._seen = (mail.soonest, "")
            mail.soonest = NEVER
            seconds = await self._until_next(now) if await self._tend_due(now) else LOOK
            alarm = mail.clock.call_later(seconds, mail.earlier.set)
            try:
                await mail.earlier.wait()
            finally:
                alarm.cancel()

    async def _tend_due(self, now: int) -> bool:
        """Tend what has become due since the last look, and return whether there was room for all of it."""
        while rows := await self._mail.journal.store.due(now, PAGE, self._seen):
            for row in rows:
                if len(self._tending) >= CROWD:
                    return False
                assert row.wake_at is not None
                self._seen = (row.wake_at, row.id)
                if row.agent in self._agents and row.id not in self._left and row.id not in self._later:
                    self.tend(row.id)
        return True

    async def _until_next(self, now: int) -> float:
        """Set the alarm for the first run that is due after *now*, and return how many seconds that is."""
        next_wake = await self._mail.journal.store.next_wake(now)
        if next_wake is None:
            return LONGEST_SLEEP
        self._mail.alarm = next_wake
        return min(max((next_wake - self._mail.clock.now()) / 1_000_000, 0.001), LONGEST_SLEEP)

    async def _take_in(self) -> None:
        """Tend each run that something was posted to, here or by another process."""
        mail, after = self._mail, 0
        while True:
            mail.posted.clear()
            while signals := await mail.journal.store.signals(after=after, limit=PAGE):
                for run in dict.fromkeys(signal.run for signal in signals):
                    # A run whose code is at work hears of it now, not when the code comes to rest.
                    live = self._live.get(run)
                    if live is not None and live.broken is None and run in self._tending:
                        await live.take_in()
                    self.tend(run)
                after = signals[-1].id
            while not mail.posted.is_set() and not await mail.journal.store.moved():
                with suppress(TimeoutError):
                    # Not wait_for: before Python 3.12 it can swallow the cancellation that ends this loop.
                    async with asyncio.timeout(LOOK):
                        await mail.posted.wait()
