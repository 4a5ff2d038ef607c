"""Deadlines of actions: thousands at once, almost all of which never pass."""

import asyncio
from collections.abc import Callable

from interlock.runtime.clock import Clock

GRACE = 1.0
"""How long a cancelled action may take to end before it is given up, in seconds."""


class Deadline:
    """The deadline of what the current task is doing: when it passes, the task is cancelled; then it is given up."""

    __slots__ = ("abandon", "at", "has_ended", "has_passed", "task", "timeout")

    def __init__(self, timeout: int, at: int, abandon: Callable[[], None]) -> None:
        task = asyncio.current_task()
        assert task is not None
        self.task = task
        self.timeout = timeout
        self.at = at
        self.abandon = abandon
        self.has_passed = False
        self.has_ended = False

    def passed(self) -> bool:
        """Whether the cancellation that arrived is this deadline's; it is then over and done with."""
        if self.has_passed:
            self.task.uncancel()
        return self.has_passed

    def is_interrupted(self) -> bool:
        """Whether the cancellation that arrived came from outside the action."""
        return self.task.cancelling() > 0


class Deadlines:
    """Watches deadlines with one alarm for each length of time, instead of one for each action.

    Those of one length pass in the order in which they began, so a dictionary in that order is all there is to keep:
    beginning and ending cost a dictionary entry, where a timer each would cost a place in the event loop's heap.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._running: dict[int, dict[Deadline, None]] = {}

    def begin(self, timeout: int, abandon: Callable[[], None]) -> Deadline:
        """Give the current task *timeout* microseconds; *abandon* is called if it ignores its cancellation."""
        deadline = Deadline(timeout, self._clock.now() + timeout, abandon)
        running = self._running.get(timeout)
        if running is None:
            running = self._running[timeout] = {}
            self._watch(timeout, timeout)
        running[deadline] = None
        return deadline

    def end(self, deadline: Deadline) -> None:
        """Say that what the deadline was for has ended."""
        deadline.has_ended = True
        running = self._running.get(deadline.timeout)
        if running is not None:
            running.pop(deadline, None)

    def _watch(self, timeout: int, wait: int) -> None:
        self._clock.call_later(wait / 1_000_000, lambda: self._look(timeout))

    def _look(self, timeout: int) -> None:
        """Let pass what has passed, and come again when the next one does; with none left there is nothing to watch."""
        running, now = self._running[timeout], self._clock.now()
        while running:
            first = next(iter(running))
            if first.at > now:
                self._watch(timeout, first.at - now)
                return
            del running[first]
            self._pass(first)
        del self._running[timeout]

    def _pass(self, deadline: Deadline) -> None:
        deadline.has_passed = True
        deadline.task.cancel()
        self._clock.call_later(GRACE, lambda: None if deadline.has_ended else deadline.abandon())
