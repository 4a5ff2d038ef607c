"""What a step costs when its run is old, beside the same step of a young run: processor time, not waiting.

Groups of runs take their steps together, one group after the other: first a young group around its step 100,
then an old one around its last step, then the next young group, and so on. The figure is the median of the
ratios of neighbours, so that what else the machine does meets both. Then the runtime is closed and opened on
the same journal, and the same is measured of runs that this process has not seen from their start.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import json
import statistics
import time
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.scale.workload import desk, take_steps
from interlock import Runtime

if TYPE_CHECKING:
    from interlock import Session

WINDOW = 50
"""Steps that each run of a group takes while it is measured."""

YOUNG = 100


@dataclass
class Group:
    """Runs that take their steps together, and the step that they are at."""

    runs: list[str]
    at: int = 0

    async def go_on(self, rt: Runtime, steps: int) -> float:
        """Take all runs so many steps on; return the processor time of one step, in microseconds."""
        async with AsyncExitStack() as stack:
            sessions = [await stack.enter_async_context(rt.session(run)) for run in self.runs]
            return await self._measured(sessions, steps)

    async def _measured(self, sessions: list[Session], steps: int) -> float:
        gc.collect()
        before = time.process_time()
        await asyncio.gather(*(take_steps(session, self.at, steps) for session in sessions))
        self.at += steps
        return (time.process_time() - before) * 1e6 / (len(sessions) * steps)


async def group(rt: Runtime, runs: int, at: int = YOUNG - WINDOW // 2) -> Group:
    """Start a group and take it to a step; so many runs that commits are shared, as they are under load."""
    made = Group([(await rt.start("desk")).id for _ in range(runs)])
    await made.go_on(rt, at)
    return made


async def measure(path: Path, runs: int, at: int, rounds: int) -> dict[str, float]:
    """Measure old runs beside young ones, then both after a restart."""
    async with Runtime(path, desk()) as rt:
        old = await group(rt, runs, at - rounds * WINDOW)
        young = [await group(rt, runs) for _ in range(rounds)]
        seen = [await _beside(rt, await group(rt, runs), old) for _ in range(rounds)]
    async with Runtime(path, desk()) as rt:
        resumed = [await _beside(rt, each, old) for each in young]
    return {
        "young_us": statistics.median(one for one, _ in seen),
        "old_us": statistics.median(other for _, other in seen),
        "ratio": statistics.median(other / one for one, other in seen),
        "resumed_young_us": statistics.median(one for one, _ in resumed),
        "resumed_old_us": statistics.median(other for _, other in resumed),
        "resumed_ratio": statistics.median(other / one for one, other in resumed),
    }


async def _beside(rt: Runtime, young: Group, old: Group) -> tuple[float, float]:
    return await young.go_on(rt, WINDOW), await old.go_on(rt, WINDOW)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--dir", type=Path, required=True)
    parser.add_argument("--group", type=int, required=True)
    parser.add_argument("--old", type=int, required=True)
    parser.add_argument("--rounds", type=int, required=True)
    options = parser.parse_args()
    figures = measure(options.dir / "steps.db", options.group, options.old, options.rounds)
    print(json.dumps(asyncio.run(figures)))


if __name__ == "__main__":
    main()
