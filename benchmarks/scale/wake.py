"""A fresh process on a journal of parked runs: its memory once started, and how late it wakes who is due.

How late: from the moment that a run's sleep was to end to the first line of its code behind the sleep. What
the run then does (an action and its end, all durable) goes on beside the others' waking. A bare timer on the
same event loop is measured at the same time: how late the loop itself is.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import statistics
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks import _convention as convention
from benchmarks.scale.workload import Waiter
from interlock import Finished, Runtime
from interlock.kernel.events import Slept

if TYPE_CHECKING:
    from collections.abc import Sequence

    from interlock import Run

PATIENCE = 300.0
TICK = 0.01


class Ticker:
    """How late a bare timer is, in milliseconds."""

    def __init__(self) -> None:
        self.late: list[float] = []

    async def tick(self) -> None:
        while True:
            due = time.perf_counter() + TICK
            await asyncio.sleep(TICK)
            self.late.append((time.perf_counter() - due) * 1000)


async def wake(path: Path, due: int) -> dict[str, Any]:
    waiter, ticker = Waiter(), Ticker()
    async with Runtime(path, waiter.agent()) as rt:
        await rt.settled()
        began, rss_mb = time.time_ns() // 1000, convention.peak_rss_mb()
        ticking = asyncio.create_task(ticker.tick())
        runs = [rt.run(f"due-{number:06}") for number in range(due)]
        await _finished(runs)
        ticking.cancel()
        until = {run.id: await _until(run) for run in runs}
    until = {run: at for run, at in until.items() if at > began}
    late = [(waiter.went_on[run] - at) / 1000 for run, at in until.items()]
    return {
        "rss_mb": rss_mb,
        "rss_mb_after": convention.peak_rss_mb(),
        "woken": len(late),
        "due_before_start": due - len(late),
        "woken_per_s": len(late) * 1e6 / (max(until.values()) - min(until.values())),
        "woken_too_soon": sum(one < 0 for one in late),
        "resume_p50_ms": statistics.median(late),
        "resume_p99_ms": p99(late),
        "resume_worst_ms": max(late),
        "timer_p99_ms": p99(ticker.late),
    }


async def _finished(runs: Sequence[Run]) -> None:
    async with asyncio.timeout(PATIENCE):
        ends = await asyncio.gather(*(run.result() for run in runs))
    if not all(isinstance(end, Finished) for end in ends):
        raise RuntimeError("a run that was due has not finished")


async def _until(run: Run) -> int:
    return next(one.event.until for one in await run.history() if isinstance(one.event, Slept))


def p99(values: Sequence[float]) -> float:
    return sorted(values)[len(values) * 99 // 100]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--dir", type=Path, required=True)
    parser.add_argument("--due", type=int, required=True)
    options = parser.parse_args()
    print(json.dumps(asyncio.run(wake(options.dir / "parked.db", options.due))))


if __name__ == "__main__":
    main()
