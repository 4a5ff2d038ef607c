"""DBOS: one workflow a run, each model turn and each action a step, on SQLite.

Configured in its favour: its own SQLite engine keeps the rollback journal, so it is given one with WAL
(still `synchronous=FULL`, so durable) and a single pooled connection, which spares its threads the wait for
SQLite's lock.
"""

from __future__ import annotations

import asyncio
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import sqlalchemy
from dbos import DBOS
from pydantic import BaseModel
from sqlalchemy import event

from benchmarks.throughput import closed_loop, workload

if TYPE_CHECKING:
    from pathlib import Path

_COUNTED = 20
_PRAGMAS = ("journal_mode = WAL", "synchronous = FULL", "busy_timeout = 30000", "foreign_keys = ON")


class Refund(BaseModel):
    """The action's arguments, validated."""

    ref: str
    amount: Decimal
    note: str


@DBOS.step()
async def model(run: int, turn: int) -> dict[str, Any]:
    return {"text": workload.answer(run, turn), "action": workload.arguments(run, turn)}


@DBOS.step()
async def action(arguments: dict[str, str]) -> str:
    return f"refunded {Refund.model_validate(arguments).ref}"


@DBOS.workflow()
async def agent(run: int) -> None:
    for turn in range(workload.TURNS):
        proposed = await model(run, turn)
        await action(proposed["action"])


def _engine(path: Path) -> sqlalchemy.Engine:
    engine = sqlalchemy.create_engine(f"sqlite:///{path}", pool_size=1, max_overflow=0, pool_timeout=600)

    def prepare(connection: Any, _record: object) -> None:
        connection.isolation_level = "IMMEDIATE"  # as in the engine that DBOS makes itself
        for pragma in _PRAGMAS:
            connection.execute(f"PRAGMA {pragma}")

    event.listen(engine, "connect", prepare)
    return engine


async def _count(engine: sqlalchemy.Engine) -> closed_loop.Counts:
    """Count rows and commits of a few more runs, after the clock has stopped."""
    before, commits = _rows(engine), 0

    def traced(statement: str) -> None:
        nonlocal commits
        commits += statement.startswith("COMMIT")

    with engine.connect() as connection:
        driver: Any = connection.connection.driver_connection
    driver.set_trace_callback(traced)
    await asyncio.gather(*(agent(-1 - run) for run in range(_COUNTED)))
    return closed_loop.Counts(_COUNTED, _rows(engine) - before, commits)


def _rows(engine: sqlalchemy.Engine) -> int:
    query = "SELECT (SELECT count(*) FROM workflow_status) + (SELECT count(*) FROM operation_outputs)"
    with engine.connect() as connection:
        return int(connection.execute(sqlalchemy.text(query)).scalar_one())


async def _main(sizes: closed_loop.Sizes) -> None:
    engine = _engine(sizes.dir / "dbos.db")
    DBOS(config={"name": "throughput", "system_database_engine": engine, "log_level": "ERROR"})
    DBOS.launch()
    wall_s = await closed_loop.measure(sizes, agent)
    counts = await _count(engine)
    DBOS.destroy()
    closed_loop.report(sizes, wall_s, counts, ["dbos", "sqlalchemy"])


if __name__ == "__main__":
    asyncio.run(_main(closed_loop.sizes(__doc__)))
