"""Threads for sync actions: a bounded pool that survives functions which never return."""

import asyncio
import queue
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from interlock.errors import OverloadedError

SIZE = 64
"""How many sync actions run at once."""


class _Job:
    """One function on its way through a thread."""

    __slots__ = ("function", "future", "late", "loop", "started")

    def __init__(
        self, function: Callable[[], Any], loop: asyncio.AbstractEventLoop, future: asyncio.Future[Any]
    ) -> None:
        self.function = function
        self.loop = loop
        self.future = future
        self.started = False
        self.late = False


class ThreadPool:
    """Up to `size` threads for sync functions, and up to as many again in place of those that are past their deadline.

    Python can't stop a thread. One whose action has run past its deadline is counted as late and gets a substitute;
    when as many are late as the pool is large, further sync actions are refused until some return.

    The mutable state, guarded by one lock: how many threads live, how many of them are late, how many are free (idle
    and not spoken for) and how many jobs wait for a thread (backlog).
    """

    def __init__(self, size: int = SIZE) -> None:
        self._size = size
        self._jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._threads = 0
        self._late = 0
        self._free = 0
        self._backlog = 0

    @property
    def late(self) -> int:
        """How many threads are past their deadline now."""
        return self._late

    def admit(self) -> None:
        """Refuse now, before an intent is written, if a job could not be run.

        Raises:
            OverloadedError: as many threads are late as the pool is large.
        """
        if self._late >= self._size:
            raise OverloadedError(
                f"{self._late} sync actions are past their deadline and still run; no further one is started. "
                "Give what they call a timeout of its own, or make them async"
            )

    def submit(self, function: Callable[[], Any]) -> tuple[asyncio.Future[Any], Callable[[], bool]]:
        """Run *function* in a thread; return a future for its result, and what to call when its deadline passes.

        That call says whether the function had been started; if not, it never will be.
        """
        loop = asyncio.get_running_loop()
        job = _Job(function, loop, loop.create_future())
        with self._lock:
            grow = self._take()
        self._jobs.put(job)
        if grow:
            self._grow()
        return job.future, lambda: self._expire(job)

    def _take(self) -> bool:
        """Find a thread for one more job; say whether a new one is needed."""
        if self._free:
            self._free -= 1
            return False
        if self._threads - self._late < self._size:
            self._threads += 1
            return True
        self._backlog += 1
        return False

    def _grow(self) -> None:
        threading.Thread(target=self._work, name="interlock-action", daemon=True).start()

    def _expire(self, job: _Job) -> bool:
        with self._lock:
            job.late = True
            if not job.started:
                return False
            self._late += 1
            grow = self._backlog > 0
            if grow:
                self._backlog -= 1
                self._threads += 1
        if grow:
            self._grow()
        return True

    def _work(self) -> None:
        while (job := self._jobs.get()) is not None:
            if self._begin(job):
                self._run(job)
            if self._finish(job):
                break

    def _begin(self, job: _Job) -> bool:
        with self._lock:
            job.started = not job.late
            return job.started

    def _finish(self, job: _Job) -> bool:
        """Make this thread free again; say whether it has been substituted meanwhile and must go."""
        with self._lock:
            if job.late and job.started:
                self._late -= 1
                self._threads -= 1
                return True
            if self._backlog:
                self._backlog -= 1
            else:
                self._free += 1
            return False

    def _run(self, job: _Job) -> None:
        try:
            result, error = job.function(), None
        except BaseException as caught:  # noqa: BLE001 - a thread has nobody above it to tell
            result, error = None, caught
        # A closed loop means that the runtime is gone; the journal will find an intent without outcome.
        with suppress(RuntimeError):
            job.loop.call_soon_threadsafe(_resolve, job.future, result, error)

    def close(self) -> None:
        """Let idle threads end; busy ones are daemons and end with the process."""
        with self._lock:
            threads = self._threads
        for _ in range(threads):
            self._jobs.put(None)


def _resolve(future: asyncio.Future[Any], result: Any, error: BaseException | None) -> None:
    if future.done():
        return
    if error is None:
        future.set_result(result)
    elif isinstance(error, Exception) and not isinstance(error, StopIteration):
        future.set_exception(error)
    else:
        future.set_exception(RuntimeError(repr(error)))  # A future refuses StopIteration, and the rest is not for it.
