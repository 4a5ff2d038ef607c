"""The floor under an action's latency: an append before and one after it, through the bare group commit."""

from __future__ import annotations

import asyncio

from benchmarks.throughput import open_loop
from benchmarks.throughput.group_commit import GroupCommit, row

_ROWS = 3  # of one turn with its action: the answer, the intent, the outcome


async def _main(load: open_loop.Load) -> None:
    async with GroupCommit(load.dir / "floor.db") as log:

        async def turn(run: int, number: int) -> None:
            await log.append(row(run, number * _ROWS))

        async def act(run: int, number: int) -> None:
            await log.append(row(run, number * _ROWS + 1))
            await log.append(row(run, number * _ROWS + 2))

        waits = await open_loop.drive(load, turn=turn, act=act)
    open_loop.report(waits)


if __name__ == "__main__":
    asyncio.run(_main(open_loop.load(__doc__)))
