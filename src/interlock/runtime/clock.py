"""Time, as the runtime sees it."""

import asyncio
import time
from collections.abc import Callable
from functools import partial
from typing import Any, Protocol


class Alarm(Protocol):
    """Something that will be called at its time, unless it is cancelled before."""

    def cancel(self) -> None:
        """Take it back; does nothing once it was called."""
        ...


class Clock(Protocol):
    """Where the runtime takes the time from."""

    def now(self) -> int:
        """Return the time in microseconds since the Unix epoch, UTC; it never goes back."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Wait."""
        ...

    def call_later(self, seconds: float, callback: Callable[[], Any]) -> Alarm:
        """Have the running event loop call *callback* after *seconds*; every timer of the runtime is this."""
        ...


# A clock that nobody sets and that (where the system has one) counts the time a suspended machine sleeps, too.
_has_boottime = hasattr(time, "CLOCK_BOOTTIME")
_steady = partial(time.clock_gettime_ns, time.CLOCK_BOOTTIME) if _has_boottime else time.monotonic_ns


class SystemClock:
    """The system's time when the process began to use it, carried on by a clock that nobody sets.

    A wall clock that is put forward or back while the process lives therefore makes no timer fire early, no approval
    expire and no settle time shrink.
    """

    def __init__(self) -> None:
        self._offset = time.time_ns() - _steady()

    def now(self) -> int:
        """Return the time in microseconds since the Unix epoch, UTC."""
        return (_steady() + self._offset) // 1000

    async def sleep(self, seconds: float) -> None:
        """Wait."""
        await asyncio.sleep(seconds)

    def call_later(self, seconds: float, callback: Callable[[], Any]) -> Alarm:
        """Have the running event loop call *callback* after *seconds*."""
        return asyncio.get_running_loop().call_later(seconds, callback)


async def within(clock: Clock, future: asyncio.Future[Any], seconds: float) -> bool:
    """Wait for *future*, but no longer than *seconds* of the clock's time, and return whether it is done."""
    if future.done():
        return True
    woken: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def wake(_: object = None) -> None:
        if not woken.done():
            woken.set_result(None)

    alarm = clock.call_later(seconds, wake)
    future.add_done_callback(wake)
    try:
        await woken
    finally:
        alarm.cancel()
        future.remove_done_callback(wake)
    return future.done()
