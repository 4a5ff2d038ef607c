"""Interlock under the benchmark's work: `closed` and `open`, as README.md says; everything on, nothing tuned."""

from __future__ import annotations

import asyncio
import sys
from contextlib import AsyncExitStack
from decimal import Decimal
from typing import TYPE_CHECKING

from benchmarks.throughput import closed_loop, open_loop, workload
from interlock import (
    Agent,
    Ctx,
    Done,
    Policy,
    Proposal,
    Runtime,
    Turn,
    action,
    arg,
    forbid,
    need,
    permit,
    user,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from interlock import Session
    from interlock.journal import Entry, Store

_COUNTED_RUNS = 20


@action.compensable(idempotent=True)
async def refund(ctx: Ctx[None], ref: str, amount: Decimal, note: str) -> str:
    """Refund a part of the fare."""
    return note


@refund.undo
async def _(ctx: Ctx[None], done: str, ref: str, amount: Decimal, note: str) -> None: ...


@action.read
async def booking(ctx: Ctx[None], ref: str) -> str:
    """Look a booking up."""
    return ref


def _policy() -> Policy:
    """Twenty rules, twelve of which concern the refund and are evaluated for each."""
    return Policy(
        permit(booking),
        permit(refund, when=(arg.amount > 0) & (arg.amount <= 400)),
        *(
            forbid(refund, when=user.id == f"blocked-{number}", because="this customer is blocked")
            for number in range(7)
        ),
        forbid(refund, when=arg.ref.matches("X.*"), because="refunds of test bookings are not made"),
        need.approval("finance", refund, when=arg.amount > 100, because="over 100 EUR"),
        need.confirmation(refund, when=arg.amount > 50, because="over 50 EUR"),
        *(forbid(booking, when=arg.ref == f"secret-{number}") for number in range(8)),
    )


def _runtime(sizes: closed_loop.Sizes | open_loop.Load) -> Runtime:
    return Runtime(sizes.dir / "ours.db", Agent("desk", [refund, booking], policy=_policy()))


async def _perform(rt: Runtime, number: int) -> None:
    run = await rt.start("desk", user=f"u{number}")
    async with rt.session(run.id) as session:
        for turn in range(workload.TURNS):
            await _turn(session, number, turn)
            await _act(session, number, turn)
        await session.finish()


async def _turn(session: Session, run: int, turn: int) -> None:
    await session.record(Turn(model="instant", response=workload.answer(run, turn), key=f"t{turn}"))


async def _act(session: Session, run: int, turn: int) -> None:
    outcome = await session.perform(Proposal("refund", workload.arguments(run, turn), key=f"a{turn}"))
    if not isinstance(outcome, Done):
        raise TypeError(f"the action was not done: {outcome}")


class _Counter:
    """Counts what a store is asked to write, and the appends that belong to actions."""

    def __init__(self, store: Store) -> None:
        self.rows = self.waits = self.action_waits = 0
        self._append = store.append
        store.append = self.append  # counted beside the clock, on the store itself

    async def append(self, entry: Entry) -> int:
        self.waits += 1
        self.rows += len(entry.drafts) + (entry.row is not None) + len(entry.blobs)
        self.action_waits += any(draft.type in {"intended", "done"} for draft in entry.drafts)
        return await self._append(entry)


async def _closed(sizes: closed_loop.Sizes) -> None:
    async with _runtime(sizes) as rt:
        wall_s = await closed_loop.measure(sizes, lambda number: _perform(rt, number))
        counter = _Counter(rt.journal.store)
        for number in range(_COUNTED_RUNS):
            await _perform(rt, number)
    counts = closed_loop.Counts(_COUNTED_RUNS, counter.rows, counter.waits, counter.action_waits)
    closed_loop.report(sizes, wall_s, counts, ("interlock", "msgspec", "pydantic"))


async def _open(load: open_loop.Load) -> None:
    async with _runtime(load) as rt, AsyncExitStack() as sessions:
        runs = await asyncio.gather(*(rt.start("desk", user=f"u{number}") for number in range(load.runs)))
        held = [await sessions.enter_async_context(rt.session(run.id)) for run in runs]
        waits = await open_loop.drive(
            load,
            turn=lambda run, turn: _turn(held[run], run, turn),
            act=lambda run, turn: _act(held[run], run, turn),
        )
    open_loop.report(waits)


def _main(mode: str, words: Sequence[str]) -> None:
    if mode == "closed":
        asyncio.run(_closed(closed_loop.sizes(__doc__, words)))
    else:
        asyncio.run(_open(open_loop.load(__doc__, words)))


if __name__ == "__main__":
    _main(sys.argv[1], sys.argv[2:])
