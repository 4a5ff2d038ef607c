"""A clock that a test moves."""

import asyncio
import heapq
import threading
import time
from collections.abc import Awaitable, Callable, Generator
from contextlib import contextmanager
from datetime import UTC, datetime
from itertools import count
from typing import Any, TypeVar

from interlock.durations import microseconds

T = TypeVar("T")

START = datetime(2026, 1, 1, 9, 0, tzinfo=UTC)
"""When a fake clock begins, unless it is told otherwise."""

PATIENCE = 1.0
"""For how many real seconds the time does not jump because a function of the agent is still at work."""

QUIET_ROUNDS = 3
"""After how many rounds of the event loop in which nothing else was ready everything counts as waiting."""

BLIND_ROUNDS = 100
"""The same for an event loop that doesn't let one see what is ready."""


class _Alarm:
    """A callback in the loop that asked for it, at a time of the fake clock."""

    __slots__ = ("callback", "cancelled", "loop")

    def __init__(self, loop: asyncio.AbstractEventLoop, callback: Callable[[], Any]) -> None:
        self.loop = loop
        self.callback = callback
        self.cancelled = False

    def cancel(self) -> None:
        """Take it back."""
        self.cancelled = True

    def ring(self) -> None:
        """Have the loop call it soon, in the order in which alarms ring."""
        if not self.loop.is_closed():
            self.loop.call_soon(lambda: None if self.cancelled else self.callback())


class FakeClock:
    """A `Clock` whose time stands still until it is moved: by `advance`, `elapse` or `run`.

    Every timer of the runtime goes by it: delays, deadlines, expiries, pauses between probes, sleeping runs.

    The mutable state: the time, the alarms that wait for it (earliest first), what holds it back (functions
    of the agent at work), and who moves it now (the innermost of nested `elapse` and `run` calls does).
    """

    def __init__(self, start: datetime = START) -> None:
        self._now = int(start.timestamp() * 1_000_000)
        self._alarms: list[tuple[int, int, _Alarm]] = []
        self._number = count()
        self._holds: dict[int, float] = {}
        self._lock = threading.Lock()
        self._movers: list[asyncio.Event] = []

    # the protocol

    def now(self) -> int:
        """Return the time in microseconds since the Unix epoch, UTC."""
        return self._now

    async def sleep(self, seconds: float) -> None:
        """Wait until the clock has been moved on by *seconds*."""
        woken: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        alarm = self.call_later(seconds, lambda: None if woken.done() else woken.set_result(None))
        try:
            await woken
        finally:
            alarm.cancel()

    def call_later(self, seconds: float, callback: Callable[[], Any]) -> _Alarm:
        """Have *callback* called once the clock has been moved on by *seconds*."""
        alarm = _Alarm(asyncio.get_running_loop(), callback)
        due = self._now + max(0, round(seconds * 1_000_000))
        heapq.heappush(self._alarms, (due, next(self._number), alarm))
        return alarm

    # moving it

    def advance(self, duration: str) -> None:
        """Move the time on by *duration* ("10m") in one leap, as a suspended machine sees it.

        What waited for any moment in between is woken, in the order of those moments, when the caller next
        awaits.

        Raises:
            DeclarationError: it is not a duration.
        """
        self._now += microseconds(duration)
        while self._alarms and self._alarms[0][0] <= self._now:
            heapq.heappop(self._alarms)[2].ring()

    async def elapse(self, duration: str) -> None:
        """Let *duration* ("10m") go by; what waits for a moment on the way happens before time goes on.

        Raises:
            DeclarationError: it is not a duration.
        """
        until = self._now + microseconds(duration)
        with self._moving() as turn:
            await self._rest(turn)
            while self._hop(until):
                await self._rest(turn)
            self._now = until

    async def run(self, work: Awaitable[T], *, at_most: str = "2d") -> T:
        """Return what *work* returns; when everything waits, time jumps to the next moment that is awaited.

        Time does not jump while a function of the agent is at work (for up to a second of real time). Meant
        for a `MemoryStore`: a store on disk looks like waiting, too.

        Raises:
            AssertionError: it is still not done after *at_most* of the clock's time.
        """
        until = self._now + microseconds(at_most)
        task = asyncio.ensure_future(work)
        try:
            with self._moving() as turn:
                while not task.done():
                    await self._rest(turn, task)
                    if not task.done() and not self._hop(until):
                        raise AssertionError(f"after {at_most} of the fake clock's time this is not done: {task!r}")
            return await task
        finally:
            task.cancel()

    @contextmanager
    def hold(self) -> Generator[None]:
        """Keep the time from jumping meanwhile: something is at work that the clock can't see."""
        release = self.held()
        try:
            yield
        finally:
            release()

    def held(self) -> Callable[[], None]:
        """Keep the time from jumping until the function that this returns is called; from any thread."""
        with self._lock:
            number = next(self._number)
            self._holds[number] = time.monotonic()

        def release() -> None:
            with self._lock:
                self._holds.pop(number, None)

        return release

    # how

    @contextmanager
    def _moving(self) -> Generator[asyncio.Event]:
        """Be the one who moves the time; whoever moved it before waits."""
        turn = asyncio.Event()
        if self._movers:
            self._movers[-1].clear()
        self._movers.append(turn)
        turn.set()
        try:
            yield turn
        finally:
            self._movers.remove(turn)
            if self._movers:
                self._movers[-1].set()

    async def _rest(self, turn: asyncio.Event, work: "asyncio.Future[Any] | None" = None) -> None:
        """Return when nothing is left that could happen without time going on, or when *work* is done."""
        ready = getattr(asyncio.get_running_loop(), "_ready", None)
        rounds = 0
        while rounds < (BLIND_ROUNDS if ready is None else QUIET_ROUNDS):
            await asyncio.sleep(0)
            if work is not None and work.done():
                return
            if not turn.is_set():
                await turn.wait()
                rounds = 0
            elif self._is_held():
                await asyncio.sleep(0.0002)
                rounds = 0
            else:
                rounds = 0 if ready else rounds + 1

    def _is_held(self) -> bool:
        if not self._holds:
            return False
        since = time.monotonic() - PATIENCE
        with self._lock:
            return any(began > since for began in self._holds.values())

    def _hop(self, until: int) -> bool:
        """Move to the next moment that is awaited, unless it is after *until*; say whether there was one."""
        while self._alarms and self._alarms[0][2].cancelled:
            heapq.heappop(self._alarms)
        if not self._alarms or self._alarms[0][0] > until:
            return False
        due, _, alarm = heapq.heappop(self._alarms)
        self._now = max(self._now, due)
        alarm.ring()
        return True

    def __repr__(self) -> str:
        shown = datetime.fromtimestamp(self._now / 1_000_000, UTC).isoformat(sep=" ", timespec="milliseconds")
        return f"<FakeClock {shown} [{sum(not one.cancelled for *_, one in self._alarms)} waiting]>"
