"""Kill -9 in the middle of an undo, and in the middle of its recovery: real processes, a journal on disk.

This process has no threads and opens nothing; each life is forked from it, so that its modules are already there.
"""

import asyncio
import os
import pickle
import signal
import time
import traceback
from collections.abc import Callable
from functools import partial
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

from benchmarks.undo.histories.actions import desk
from benchmarks.undo.histories.bank import Bank
from benchmarks.undo.histories.crashing import steps_of
from benchmarks.undo.histories.history import drawn
from benchmarks.undo.histories.judging import judged
from benchmarks.undo.histories.oracle import predicted
from benchmarks.undo.histories.play import Played, play
from benchmarks.undo.histories.scene import Scene, summed
from benchmarks.undo.histories.undoing import Chosen, chosen, take_back, told
from interlock import Runtime, SqliteStore
from interlock.journal.store import Entry

OpenBank = Callable[[bool], Bank]
"""Opens the bank; true: it is begun anew."""

LAST = 10**9
"""A boundary that no life reaches."""


class Death(NamedTuple):
    """When a life ends: at a boundary, counted from 1, or so many seconds after it began."""

    at: int = LAST
    after: float = 0.0


class _Counted(SqliteStore):
    """A journal that dies at a boundary."""

    def __init__(self, path: Path, cross: Callable[[str], None]) -> None:
        super().__init__(path)
        self._cross = cross

    async def append(self, entry: Entry) -> int:
        self._cross("before")
        position = await super().append(entry)
        self._cross("after")
        return position

    async def signal(self, run: str, kind: str, payload: bytes, at: int, token: str | None = None) -> int:
        self._cross("before")
        number = await super().signal(run, kind, payload, at, token)
        self._cross("after")
        return number


class Case:
    """One history, its undo killed twice. The mutable state: how often it was killed."""

    def __init__(self, folder: Path, open_bank: OpenBank, seed: int) -> None:
        self.kills = 0
        self._folder = folder
        self._open_bank = open_bank
        self._name = f"k{seed}"
        self._random = Random(f"kills {seed}")
        self._history = drawn(Random(seed))

    def run(self) -> Scene:
        """Play it, kill its undo and its recovery, let it come to its end, and judge."""
        must(forked(self._play))
        for _ in range(2):
            death = self._death()
            self.kills += forked(partial(self._live, death.at), death.after) == -signal.SIGKILL
        must(forked(partial(self._live, LAST)))
        must(forked(self._judge))
        return pickle.loads((self._folder / "scene").read_bytes())

    def _death(self) -> Death:
        """Draw an instant: one of the first boundaries, where most lives still are, or any time."""
        if self._random.random() < 0.6:
            return Death(at=self._random.randint(1, 30))
        return Death(after=self._random.uniform(0.0, 0.15))

    def _play(self) -> None:
        bank = self._open_bank(True)

        async def run() -> tuple[Played, list[Chosen]]:
            async with self._runtime(bank) as rt:
                played = await play(rt, bank, self._history, self._name)
                return played, await chosen(rt, self._history, played, self._name)

        (self._folder / "played").write_bytes(pickle.dumps(asyncio.run(run())))

    def _live(self, at: int) -> None:
        bank = self._open_bank(False)
        _, plans = self._played()
        crossed = _Crossed(at)

        async def run() -> None:
            async with Runtime(_Counted(self._folder / "journal.db", crossed), self._agent(bank)) as rt:
                await take_back(rt, self._history, plans, self._name, asyncio.sleep)

        with steps_of(bank.restoring, crossed):
            asyncio.run(run())

    def _judge(self) -> None:
        bank = self._open_bank(False)
        played, plans = self._played()

        async def said() -> Any:
            async with self._runtime(bank) as rt:
                return await told(rt, self._history, self._name)

        expected = predicted(played.now, [plan.effects for plan in plans], self._history.undo.otherwise)
        found = judged(played, expected, bank.dump(), asyncio.run(said()))
        scene = summed(self._name, played, expected, found)._replace(crashes=self.kills)
        (self._folder / "scene").write_bytes(pickle.dumps(scene))

    def _played(self) -> tuple[Played, list[Chosen]]:
        return pickle.loads((self._folder / "played").read_bytes())

    def _runtime(self, bank: Bank) -> Runtime:
        return Runtime(self._folder / "journal.db", self._agent(bank))

    def _agent(self, bank: Bank) -> Any:
        return desk(bank, self._history.actions)


class _Crossed:
    """Counts the boundaries that a life crosses, and ends it at one."""

    def __init__(self, at: int) -> None:
        self._at = at
        self._count = 0

    def __call__(self, name: str) -> None:
        self._count += 1
        if self._count == self._at:
            os.kill(os.getpid(), signal.SIGKILL)


def forked(life: Callable[[], object], after: float = 0.0) -> int:
    """Run a life in a child, killed *after* so many seconds; return its exit code, or minus its signal."""
    child = os.fork()
    if child == 0:
        os._exit(_guarded(life))
    if after:
        time.sleep(after)
        os.kill(child, signal.SIGKILL)  # it is not waited for yet, so nobody else has its number
    _, status = os.waitpid(child, 0)
    return os.waitstatus_to_exitcode(status)


def _guarded(life: Callable[[], object]) -> int:
    try:
        life()
    except BaseException:  # noqa: BLE001 - a child must never return into what its parent does
        traceback.print_exc()
        return 1
    return 0


def must(code: int) -> None:
    """Raise RuntimeError where a life that nobody killed did not end well."""
    if code:
        raise RuntimeError(f"a life that nobody killed ended with {code}; what it printed is above")
