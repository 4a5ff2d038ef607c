"""Fills a journal with parked runs, through the public API, and ends.

Most sleep for a month, one in ten waits for an approval. The last ones sleep for seconds only: they are due
at random moments while the next process has the journal, so many a second on average.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import time
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.scale.workload import Waiter
from interlock import Runtime

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

AT_ONCE = 1000
LONG = {"sleep": "30d", "amount": 40}
ASKING = {"sleep": "", "amount": 400}


def _parked(count: int) -> Iterator[dict[str, Any]]:
    for number in range(count):
        yield ASKING if number % 10 == 0 else LONG


def _due(count: int, seconds: float, lead_s: float) -> Iterator[dict[str, Any]]:
    """Spread the ends of the sleeps at random over so many seconds."""
    draw = random.Random(count)
    for _ in range(count):
        yield {"sleep": f"{lead_s + draw.uniform(0, seconds):.3f}s", "amount": 40}


async def _start(rt: Runtime, prefix: str, inputs: Iterable[dict[str, Any]]) -> None:
    room = asyncio.Semaphore(AT_ONCE)

    async def one(number: int, given: dict[str, Any]) -> None:
        async with room:
            await rt.start("waiter", given, run=f"{prefix}-{number:06}")

    async with asyncio.TaskGroup() as group:
        for number, given in enumerate(inputs):
            group.create_task(one(number, given))
    await rt.settled()


async def fill(options: argparse.Namespace) -> dict[str, Any]:
    began = time.perf_counter()
    async with Runtime(options.dir / "parked.db", Waiter().agent()) as rt:
        await _start(rt, "parked", _parked(options.parked))
        statuses = await _statuses(rt)
        await _start(rt, "due", _due(options.due, options.seconds, options.lead_s))
    return {"wall_s": time.perf_counter() - began, "statuses": statuses}


async def _statuses(rt: Runtime) -> Counter[str]:
    """Count what the runs' rows say, a page at a time."""
    statuses, after = Counter[str](), ""
    while rows := await rt.journal.store.rows(after=after):
        statuses.update(row.status for row in rows)
        after = rows[-1].id
    return statuses


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--dir", type=Path, required=True)
    parser.add_argument("--parked", type=int, required=True)
    parser.add_argument("--due", type=int, required=True)
    parser.add_argument("--seconds", type=float, required=True)
    parser.add_argument("--lead-s", type=float, required=True)
    print(json.dumps(asyncio.run(fill(parser.parse_args()))))


if __name__ == "__main__":
    main()
