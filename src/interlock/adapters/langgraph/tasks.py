"""Calls that one task of a graph performs at once: they leave it together, and are asked about one by one."""

import asyncio
import threading
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager, contextmanager


class Task:
    """One task of a graph, while calls are performed in it: all those of a message in a tool node, or one of an agent.

    The mutable state: how many calls are in it (the lock of `Tasks` guards it), and which of them are at work.

    Attributes:
        one_by_one: Held by the call that is asked about. The answers that LangGraph hands a task are for all its calls,
            so each looks what became of its own question when it is its turn.
        one_by_one_async: The same in an event loop.
    """

    def __init__(self) -> None:
        self.calls = 0
        self.one_by_one = threading.Lock()
        self.one_by_one_async = asyncio.Lock()
        self._at_work: set[asyncio.Future[None]] = set()

    @asynccontextmanager
    async def leaving_together(self) -> AsyncGenerator[None]:
        """Let no call leave by an exception, which a pause is too, while others are at work.

        In an event loop LangGraph ends a task at the first one, and would stop an effect beside it in its middle.
        """
        left = asyncio.get_running_loop().create_future()
        self._at_work.add(left)
        try:
            yield
        except Exception:
            left.set_result(None)
            await asyncio.wait(self._at_work)
            raise
        finally:
            self._at_work.discard(left)
            if not left.done():
                left.set_result(None)


class Tasks:
    """The tasks in which calls are performed now, by their ids; threads may share it, each loop has ids of its own."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._tasks: dict[str, Task] = {}

    @contextmanager
    def joined(self, identifier: str) -> Generator[Task]:
        """Perform a call in the task with this id."""
        with self._lock:
            task = self._tasks.setdefault(identifier, Task())
            task.calls += 1
        try:
            yield task
        finally:
            with self._lock:
                task.calls -= 1
                if not task.calls:
                    del self._tasks[identifier]
