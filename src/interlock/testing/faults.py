"""Things that go wrong: what authors' services, networks and disks do to a runtime, on purpose and on time.

Give them to `runtime(…, faults=[…])` or to `MemoryRuntime.inject`. Each strikes `times` times and is over
then.
"""

import asyncio
import contextvars
import threading
from collections.abc import Awaitable, Callable
from typing import Any

from interlock.durations import microseconds
from interlock.testing.clock import FakeClock

Go = Callable[[], Awaitable[Any]]


class Fault:
    """What happens instead of, or besides, one call of an action's function.

    Attributes:
        action: The name of the action that it strikes.
        part: Which of its functions: perform, undo, probe, verify, or "fact NAME".
        times: How often it still strikes.
    """

    def __init__(self, action: Any, *, times: int = 1, part: str = "perform") -> None:
        self.action: str = getattr(action, "name", action)
        self.part = part
        self.times = times

    async def strike(self, go: Go, clock: FakeClock) -> Any:
        """Do what goes wrong; `go` calls the real function."""
        raise NotImplementedError

    def strike_in_thread(self, go: Callable[[], Any], clock: FakeClock, loop: asyncio.AbstractEventLoop) -> Any:
        """Do the same in a thread, for a sync function."""
        raise NotImplementedError

    def __repr__(self) -> str:
        return f"<{type(self).__name__.strip('_')} {self.action} {self.part} [{self.times} left]>"


class _Raises(Fault):
    def __init__(self, action: Any, error: Exception, *, after: bool, times: int, part: str) -> None:
        super().__init__(action, times=times, part=part)
        self._error = error
        self._after = after

    async def strike(self, go: Go, clock: FakeClock) -> Any:
        if self._after:
            await go()
        raise self._error

    def strike_in_thread(self, go: Callable[[], Any], clock: FakeClock, loop: asyncio.AbstractEventLoop) -> Any:
        if self._after:
            go()
        raise self._error


class _Hangs(Fault):
    _by: int | None = None

    async def strike(self, go: Go, clock: FakeClock) -> Any:
        if self._by is not None:
            _deliver(go, clock, self._by)
        await asyncio.get_running_loop().create_future()

    def strike_in_thread(self, go: Callable[[], Any], clock: FakeClock, loop: asyncio.AbstractEventLoop) -> Any:
        async def went() -> Any:
            return go()

        if self._by is not None:
            loop.call_soon_threadsafe(_deliver, went, clock, self._by)
        threading.Event().wait()


class _Late(_Hangs):
    def __init__(self, action: Any, by: str, *, times: int, part: str) -> None:
        super().__init__(action, times=times, part=part)
        self._by = microseconds(by)


_under_way: set[asyncio.Task[Any]] = set()
"""Effects on their way, held so that they are not collected."""


def _deliver(go: Go, clock: FakeClock, by: int) -> None:
    """Have the effect arrive later: it has left this process, whose end no longer stops it."""

    async def arrive() -> None:
        await clock.sleep(by / 1_000_000)
        await go()

    task = asyncio.get_running_loop().create_task(arrive(), context=contextvars.Context())
    _under_way.add(task)
    task.add_done_callback(_under_way.discard)


def raises(action: Any, error: Exception | None = None, *, times: int = 1, part: str = "perform") -> Fault:
    """The function is not reached and raises *error*, by default a `ConnectionError`.

    For the runtime that is an unknown outcome, unless the action counts the error's type among those that
    refuse.
    """
    lost = error if error is not None else ConnectionError("the connection was refused")
    return _Raises(action, lost, after=False, times=times, part=part)


def lost_answer(action: Any, error: Exception | None = None, *, times: int = 1, part: str = "perform") -> Fault:
    """The effect happens, then its answer is lost: *error* is raised, by default a `ConnectionError`."""
    lost = error if error is not None else ConnectionError("the connection broke before the answer came")
    return _Raises(action, lost, after=True, times=times, part=part)


def hangs(action: Any, *, times: int = 1, part: str = "perform") -> Fault:
    """The function is not reached and never returns; it ends when the action's timeout cancels it."""
    return _Hangs(action, times=times, part=part)


def late(action: Any, by: str, *, times: int = 1, part: str = "perform") -> Fault:
    """The call never returns, and the effect happens *by* ("5s") later, whatever became of the caller.

    That is what makes "not found" mean "still on its way": compare the action's `settle`.
    """
    return _Late(action, by, times=times, part=part)


class JournalFault:
    """The journal can't be written: a full disk, a locked file.

    Attributes:
        times: How many more writes it refuses.
        after: How many writes it lets through before that.
    """

    def __init__(self, times: int, after: int) -> None:
        self.times = times
        self.after = after

    def strikes(self) -> bool:
        """Count one write, and say whether it is refused."""
        if self.after:
            self.after -= 1
            return False
        self.times -= 1
        return self.times >= 0

    def __repr__(self) -> str:
        return f"<JournalFault [{self.times} left]>"


def journal_unavailable(times: int = 1, *, after: int = 0) -> JournalFault:
    """The journal can't be written *times* times, once *after* writes have gone well.

    Each such write fails with `JournalUnavailableError`, and nothing of it is kept.
    """
    return JournalFault(times, after)
