"""Fills a journal with parked runs, through the public API, and ends.

Most sleep for a month, one in ten waits for an approval. The last ones sleep for seconds only: they are due at
random moments while the next process has the journal, so many a second on average.
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


def _due(count: int, per_s: float, lead_s: float) -> Iterator[dict[str, Any]]:
    """Spread the ends of the sleeps at random over as many seconds as their rate makes of them."""
    draw = random.Random(count)
    for _ in range(count):
        yield {"sleep": f"{lead_s + draw.uniform(0, count / per_s):.3f}s", "amount": 40}


async def _start(rt: Runtime, prefix: str, inputs: Iterable[dict[str, Any]]) -> None:
    room = asyncio.Semaphore(AT_ONCE)

    async def one(number: int, given: dict[str, Any]) -> None:
        async with room:
            await rt.start("waiter", given, run=f"{prefix}-{number:06}")

    async with asyncio.TaskGroup() as group:
        for number, given in enumerate(inputs):
            group.create_task(one(number, given))
    await rt.settled()


async def fill(path: Path, parked: int, due: int, per_s: float, lead_s: float) -> dict[str, Any]:
    began = time.perf_counter()
    async with Runtime(path, Waiter().agent()) as rt:
        await _start(rt, "parked", _parked(parked))
        await _start(rt, "due", _due(due, per_s, lead_s))
        statuses = Counter[str]()
        after = ""
        while rows := await rt.journal.store.rows(after=after):
            statuses.update(row.status for row in rows)
            after = rows[-1].id
    return {"seconds": time.perf_counter() - began, "statuses": statuses}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--dir", type=Path, required=True)
    parser.add_argument("--parked", type=int, required=True)
    parser.add_argument("--due", type=int, required=True)
    parser.add_argument("--per-s", type=float, required=True)
    parser.add_argument("--lead-s", type=float, required=True)
    options = parser.parse_args()
    path = options.dir / "parked.db"
    print(json.dumps(asyncio.run(fill(path, options.parked, options.due, options.per_s, options.lead_s))))


if __name__ == "__main__":
    main()
