"""Lives of a process, each killed at the first boundary at which none was killed before."""

import asyncio
from collections.abc import Awaitable, Callable, Generator
from contextlib import contextmanager
from functools import partial
from typing import Any

from interlock.testing.memory import CrashAt, MemoryRuntime

Boundary = tuple[str, int]
"""What is about to happen or has just happened, and how many events the journal holds then, without new attempts."""

AT_MOST = 5_000
"""So many lives are never needed: progress is lost somewhere."""

DEADLY = "\0"
"""A label that no boundary of the kit has."""


class KilledError(BaseException):
    """Unwinds a thread whose process has just been killed."""


class Lives:
    """Runs a program to its end through a crash at every boundary, and at every one of each recovery.

    A boundary is one of the testing kit's (before and after each event, signal and claim, and between an undo and its
    outcome), or a step of a way (`at_step`). It is known by its name and by how far the journal is.

    The mutable state: the boundaries at which a life has ended.
    """

    def __init__(self, rt: MemoryRuntime) -> None:
        self.ended: dict[Boundary, None] = {}
        self._rt = rt

    async def run(self, program: Callable[[MemoryRuntime], Awaitable[Any]], crashed: Callable[[], None]) -> None:
        """Run a program again and again until it gets to its end; after each crash *crashed* is called."""
        asyncio.get_running_loop().set_exception_handler(_but_killed)
        for _ in range(AT_MOST):
            async with CrashAt(self._rt, DEADLY, must=False) as life:
                self._watch()
                await self._rt.clock.run(program(self._rt))
            if not life.happened:
                return
            crashed()
        raise AssertionError(f"after {AT_MOST} lives it is not done; the last ended at {list(self.ended)[-5:]}")

    def at_step(self, name: str) -> None:
        """Cross a boundary within a way, in its thread.

        Raises:
            KilledError: this life ends here.
        """
        life = self._life()
        if not life.dead:
            life.cross_in_thread(name)
        if life.dead:
            raise KilledError(name)

    def _watch(self) -> None:
        life = self._life()
        life._is_last = partial(self._is_last, life)  # noqa: SLF001 - the kit kills at boundaries known beforehand only

    def _is_last(self, life: Any, name: str) -> bool:
        # A claim is no event: one crash before it and one after it tell what the next ones would.
        boundary = (name, 0 if name.endswith(":claim") else self._events())
        if life.dead or boundary in self.ended:
            return False
        self.ended[boundary] = None
        return True

    def _life(self) -> Any:
        return self._rt._watch.life  # noqa: SLF001  # pyright: ignore[reportPrivateUsage] - it has no public name

    def _events(self) -> int:
        """How far the journal is; that something was tried again is no progress."""
        kept = self._rt.store._events  # noqa: SLF001  # pyright: ignore[reportPrivateUsage] - read without waiting
        return sum(row.type != "retried" for row, _ in kept)


def _but_killed(loop: asyncio.AbstractEventLoop, what: dict[str, Any]) -> None:
    """Say what went wrong in the loop, but not that nobody awaits the threads of processes that were killed."""
    if "KilledError" not in str(what.get("exception")):
        loop.default_exception_handler(what)


@contextmanager
def steps_of(database: type[Any], at_step: Callable[[str], None]) -> Generator[None]:
    """Have the steps of restoring cross boundaries: around the first row that is put back, and what comes after all."""
    methods = {name: getattr(database, name) for name in ("put", "settle", "captured")}
    for name, method in methods.items():
        setattr(database, name, _crossing(name, method, at_step))
    try:
        yield
    finally:
        for name, method in methods.items():
            setattr(database, name, method)


def _crossing(name: str, method: Callable[..., Any], at_step: Callable[[str], None]) -> Callable[..., Any]:
    def crossing(self: Any, *args: Any) -> Any:
        at_step(f"before:{name}")
        result = method(self, *args)
        at_step(f"after:{name}")
        return result

    return crossing
