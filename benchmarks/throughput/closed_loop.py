"""Closed loop: every run starts its next step as soon as the last is done; the figure is steps per second."""

from __future__ import annotations

import argparse
import asyncio
import json
import platform
import time
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.throughput import workload

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence


@dataclass(frozen=True)
class Counts:
    """What a system did for a few runs, counted beside the clock.

    `rows` are those of its tables, `waits` the times that a run waits for a commit (its start and end
    included), `action_waits` those of them that belong to actions, where that can be told.
    """

    runs: int
    rows: int
    waits: int
    action_waits: int | None = None

    def ratios(self) -> dict[str, float | None]:
        """Return the counts per step, and per action where they can be told."""
        steps, actions = self.runs * workload.STEPS, self.runs * workload.TURNS
        return {
            "rows_per_step": self.rows / steps,
            "durable_waits_per_step": self.waits / steps,
            "durable_waits_per_action": None if self.action_waits is None else self.action_waits / actions,
        }


@dataclass(frozen=True)
class Sizes:
    """How many runs a script does, how many of them at a time, and where its files go."""

    dir: Path
    runs: int
    concurrent: int


def sizes(purpose: str | None, words: Sequence[str] | None = None) -> Sizes:
    """Read the arguments that every closed-loop script takes, from the command line or from `words`."""
    parser = argparse.ArgumentParser(description=purpose)
    parser.add_argument("--dir", type=Path, required=True, help="a fresh directory on the disk to measure")
    parser.add_argument("--runs", type=int, default=1000)
    parser.add_argument("--concurrent", type=int, default=1000, help="runs under way at a time")
    return Sizes(**vars(parser.parse_args(words)))


async def measure(sizes: Sizes, perform: Callable[[int], Awaitable[object]]) -> float:
    """Perform all runs, so many at a time, and return the seconds that it took."""
    room = asyncio.Semaphore(sizes.concurrent)

    async def one(run: int) -> None:
        async with room:
            await perform(run)

    started = time.perf_counter()
    await asyncio.gather(*(one(run) for run in range(sizes.runs)))
    return time.perf_counter() - started


def report(sizes: Sizes, wall_s: float, counts: Counts, packages: Sequence[str]) -> None:
    """Print the one JSON line that every closed-loop script owes."""
    steps = sizes.runs * workload.STEPS
    line = {
        "steps_per_s": steps / wall_s,
        "steps": steps,
        "wall_s": wall_s,
        "runs": sizes.runs,
        "concurrent": sizes.concurrent,
        **counts.ratios(),
        "versions": {
            "python": platform.python_version(),
            **{name: metadata.version(name) for name in packages},
        },
    }
    print(json.dumps(line))
