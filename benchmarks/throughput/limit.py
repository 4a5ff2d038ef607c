"""The limit: how many rows a second 1,000 waiters make durable when nothing but the insert is done."""

from __future__ import annotations

import asyncio
import json
import sqlite3

from benchmarks.throughput import closed_loop
from benchmarks.throughput.group_commit import GroupCommit, row

_ROWS = 40  # a waiter's; 10 would be over in a fifth of a second


async def _main(sizes: closed_loop.Sizes) -> None:
    async with GroupCommit(sizes.dir / "limit.db") as log:

        async def perform(run: int) -> None:
            for seq in range(_ROWS):
                await log.append(row(run, seq))

        wall_s = await closed_loop.measure(sizes, perform)
    rows = sizes.runs * _ROWS
    print(
        json.dumps(
            {
                "rows_per_s": rows / wall_s,
                "rows": rows,
                "wall_s": wall_s,
                "waiters": sizes.concurrent,
                "rows_per_commit": rows / log.commits,
                "versions": {"sqlite": sqlite3.sqlite_version},
            }
        )
    )


if __name__ == "__main__":
    asyncio.run(_main(closed_loop.sizes(__doc__)))
