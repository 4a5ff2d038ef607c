"""A call while it is being performed: a task that no caller can cancel, and those who wait for its outcome."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any


class Flight:
    """One performance of one call.

    The mutable state: the registry that it stands in (by key, until it has landed), the futures of those who wait.
    """

    __slots__ = ("_key", "_registry", "_task", "_waiting")

    def __init__(self, registry: dict[str, "Flight"], key: str, walk: Coroutine[Any, Any, Any]) -> None:
        loop = asyncio.get_running_loop()
        self._registry = registry
        self._key = key
        self._waiting: list[asyncio.Future[Any]] = []
        registry[key] = self
        self._task = loop.create_task(self._fly(walk))

    @classmethod
    def instead_of(cls, stuck: "Flight", walk: Coroutine[Any, Any, Any]) -> "Flight":
        """Return a flight in the place of one that does not land, with those who wait for it."""
        flight = cls(stuck._registry, stuck._key, walk)  # noqa: SLF001 - it is one of its own kind
        flight._waiting = stuck._waiting  # noqa: SLF001 - the same
        return flight

    async def _fly(self, walk: Coroutine[Any, Any, Any]) -> None:
        try:
            outcome = await walk
        except asyncio.CancelledError:
            self.land(RuntimeError("the performance was cancelled; the journal says how far it came"))
            raise
        except BaseException as error:  # noqa: BLE001 - it is raised again where somebody waits
            self.land(error)
        else:
            self.land(outcome)

    def join(self) -> asyncio.Future[Any]:
        """Return a future for the outcome; cancelling it cancels nothing else."""
        future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._waiting.append(future)
        return future

    def land(self, outcome: Any) -> None:
        """Give *outcome* (or raise it, if it is an exception) to all who wait; only the first landing counts."""
        if self._registry.get(self._key) is not self:
            return
        del self._registry[self._key]
        for future in self._waiting:
            if future.done():
                continue
            if isinstance(outcome, BaseException):
                future.set_exception(outcome)
            else:
                future.set_result(outcome)

    def cancel(self) -> None:
        """Stop performing; whoever still waits is told."""
        self._task.cancel()

    def when_ended(self, callback: Callable[["Flight"], object]) -> None:
        """Have *callback* called when the performance has ended, landed or not."""
        self._task.add_done_callback(lambda _: callback(self))

    async def landed(self) -> None:
        """Wait until the flight has landed, whatever its outcome."""
        future = self.join()
        # An error is raised where the outcome is awaited, not here.
        future.add_done_callback(lambda done: done.exception())
        await asyncio.wait((future,))

    def __repr__(self) -> str:
        return f"<Flight {self._key} [{len(self._waiting)} waiting]>"
