"""One life of a process: its tasks, the boundaries that it crosses, and its death at one of them."""

import asyncio
import contextvars
from collections import Counter
from collections.abc import Callable, Coroutine
from typing import Any, cast

_current: contextvars.ContextVar["Life | None"] = contextvars.ContextVar("interlock_life", default=None)


STUBBORN = 0.05
"""After how many real seconds a killed task that still runs is cancelled once more."""


class Life:
    """A process as far as a test needs one: when it is killed, what runs in it ends without cleaning up.

    A boundary is named by what is about to happen or has just happened ("before:done", "after:intended",
    "sending"), from its second crossing on with a number ("after:done#2").

    The mutable state: the boundaries crossed so far, the one to die at, the tasks, and whether it is dead
    (nothing that still runs reaches journal or world any more) or even buried (its tasks have ended).
    """

    def __init__(self) -> None:
        self.crossed: list[str] = []
        self.die_at = ""
        self.dead = False
        self.buried = False
        self._killed = False
        self._counts: Counter[str] = Counter()
        self._tasks: set[asyncio.Task[Any]] = set()
        self._body: asyncio.Task[Any] | None = None
        self._previous: Life | None = None
        self._loop = asyncio.get_running_loop()

    def begin(self) -> None:
        """Make everything that the caller starts from now on part of this life."""
        self._previous = _current.get()
        _current.set(self)
        _Tracking.install(self._loop)

    def end(self) -> None:
        """Undo `begin`."""
        _current.set(self._previous)
        _Tracking.remove(self._loop)

    def adopt(self, task: "asyncio.Task[Any]") -> None:
        """Count *task* as part of this life."""
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        if self.dead:
            self._cancel(task)

    def die_in(self, at: str) -> None:
        """Die at the boundary *at*, counted from now on, and take the calling task along."""
        self.die_at = at
        self.crossed.clear()
        self._counts.clear()
        self._body = asyncio.current_task()

    def live_on(self) -> None:
        """Don't die after all."""
        self.die_at = ""
        self._body = None

    async def cross(self, *names: str) -> None:
        """Cross boundaries that are one and the same moment; doesn't return if this life ends here."""
        for name in names:
            if self._is_last(name):
                self.kill()
                await self._loop.create_future()

    def cross_in_thread(self, name: str) -> None:
        """Cross a boundary in a thread other than the loop's."""
        if self._is_last(name):
            self.dead = True
            self._loop.call_soon_threadsafe(self.kill)

    def _is_last(self, name: str) -> bool:
        if self.dead:
            return False
        self._counts[name] += 1
        number = self._counts[name]
        label = name if number == 1 else f"{name}#{number}"
        self.crossed.append(label)
        return label == self.die_at

    def kill(self, sparing: "asyncio.Task[Any] | None" = None) -> None:
        """End this life now; the second time does nothing."""
        self.dead = True
        if self._killed:
            return
        self._killed = True
        if self._body is not None and self._body is not sparing:
            self._body.cancel()
        for task in self._tasks - {self._body, sparing}:
            self._cancel(task)

    def _cancel(self, task: "asyncio.Task[Any]") -> None:
        # Soon, not now: a task that has not begun yet begins first: nothing is left that nobody awaited.
        self._loop.call_soon(task.cancel)

    async def bury(self) -> None:
        """Return when nothing of a dead life runs any more."""
        me = asyncio.current_task()
        while tasks := [task for task in self._tasks if task is not me]:
            _, stubborn = await asyncio.wait(tasks, timeout=STUBBORN)
            for task in stubborn:
                task.cancel()
            for task in set(tasks) - stubborn:
                if not task.cancelled():
                    task.exception()  # Nobody is left who could hear of it.
        self.buried = True


class _Tracking:
    """A task factory that tells each life of its tasks; installed while any life is being tracked."""

    def __init__(self, before: Any) -> None:
        self.before = before
        self.users = 0

    @classmethod
    def install(cls, loop: asyncio.AbstractEventLoop) -> None:
        factory = loop.get_task_factory()
        if not isinstance(factory, cls):
            factory = cls(factory)
            loop.set_task_factory(cast("Any", factory))
        factory.users += 1

    @classmethod
    def remove(cls, loop: asyncio.AbstractEventLoop) -> None:
        factory = loop.get_task_factory()
        if isinstance(factory, cls):
            factory.users -= 1
            if not factory.users:
                loop.set_task_factory(factory.before)

    def __call__(
        self, loop: asyncio.AbstractEventLoop, coroutine: Coroutine[Any, Any, Any], **options: Any
    ) -> "asyncio.Task[Any]":
        make: Callable[..., asyncio.Task[Any]] = self.before or _task
        task = make(loop, coroutine, **options)
        context: contextvars.Context | None = options.get("context")
        life = _current.get() if context is None else context.get(_current)
        if life is not None:
            life.adopt(task)
        return task


def _task(loop: asyncio.AbstractEventLoop, coroutine: Coroutine[Any, Any, Any], **options: Any) -> "asyncio.Task[Any]":
    return asyncio.Task(coroutine, loop=loop, **options)
