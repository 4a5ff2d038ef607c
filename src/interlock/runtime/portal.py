"""The way into an event loop that runs in a thread of its own, from any other thread or loop."""

import asyncio
import threading
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


class Portal:
    """An event loop in a daemon thread; the caller's own loop, if it has one, is left alone.

    The mutable state: what was begun and has not ended (it belongs to the loop).
    """

    def __init__(self) -> None:
        self._begun: set[asyncio.Task[Any]] = set()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="interlock-loop", daemon=True)
        self._thread.start()

    def run(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """Run a coroutine on the loop, wait in this thread until it ends, and return what it returns."""
        running = asyncio.run_coroutine_threadsafe(coroutine, self._loop)
        try:
            return running.result()
        except BaseException:
            running.cancel()  # ^C reaches this thread: what it waits for on the loop is to end too.
            raise

    async def wait_for(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """Run a coroutine on the loop and wait for it in another loop; cancelling the one cancels the other."""
        return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(coroutine, self._loop))

    def begin(self, coroutine: Coroutine[Any, Any, Any]) -> None:
        """Run a coroutine on the loop, and wait for nothing; it says itself how it ended."""
        self._loop.call_soon_threadsafe(self._begin, coroutine)

    def _begin(self, coroutine: Coroutine[Any, Any, Any]) -> None:
        task = self._loop.create_task(coroutine)
        self._begun.add(task)
        task.add_done_callback(self._begun.discard)

    async def settled(self, seconds: float) -> None:
        """Wait on the loop until what was begun has ended, and no longer than this."""
        if self._begun:
            await asyncio.wait(self._begun, timeout=seconds)

    def call_soon(self, function: Callable[..., object], *args: Any) -> None:
        """Have a function called on the loop soon.

        Raises:
            RuntimeError: the loop has ended.
        """
        self._loop.call_soon_threadsafe(function, *args)

    def close(self) -> None:
        """End the loop and its thread."""
        self.run(self._loop.shutdown_asyncgens())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()
