"""A fresh process on a journal of parked runs: its memory once it has started, and how late it wakes who is due.

How late: from the moment that a run's sleep was to end to the first line of its code behind the sleep. What the
run then does (an action and its end, all durable) goes on beside the others' waking.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import statistics
from pathlib import Path
from typing import Any

from benchmarks import _convention as convention
from benchmarks.scale.workload import Waiter
from interlock import Finished, Runtime
from interlock.kernel.events import Slept

PATIENCE = 120.0


async def wake(path: Path, due: int) -> dict[str, Any]:
    waiter = Waiter()
    async with Runtime(path, waiter.agent()) as rt:
        await rt.settled()
        rss_mb, early = convention.peak_rss_mb(), len(waiter.went_on)
        runs = [rt.run(f"due-{number:06}") for number in range(due)]
        async with asyncio.timeout(PATIENCE):
            ends = await asyncio.gather(*(run.result() for run in runs))
        if not all(isinstance(end, Finished) for end in ends):
            raise RuntimeError("a run that was due has not finished")
        until = {}
        for run in runs:
            slept = (await rt.journal.history(run.id, 0, (Slept,)))[0].event
            assert isinstance(slept, Slept)
            until[run.id] = slept.until
    late = sorted((waiter.went_on[run] - at) / 1000 for run, at in until.items())
    return {
        "rss_mb": rss_mb,
        "resume_p50_ms": statistics.median(late),
        "resume_p99_ms": late[len(late) * 99 // 100],
        "resume_worst_ms": late[-1],
        "woken": len(late),
        "woken_too_soon": sum(one < 0 for one in late),
        "due_before_start": early,
        "per_s": (len(until) - 1) * 1e6 / (max(until.values()) - min(until.values())),
        "rss_mb_after": convention.peak_rss_mb(),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--dir", type=Path, required=True)
    parser.add_argument("--due", type=int, required=True)
    options = parser.parse_args()
    print(json.dumps(asyncio.run(wake(options.dir / "parked.db", options.due))))


if __name__ == "__main__":
    main()
