"""Small things that the journal's tests share."""

import sqlite3
from collections.abc import Iterable
from pathlib import Path

from interlock.journal.store import Draft, Entry, Row, RunRow, Store

NOW = 1_700_000_000_000_000


def draft(payload: bytes = b"{}", *, type_: str = "noted", at: int = NOW, key: str | None = None) -> Draft:
    return Draft(type_, 1, at, payload, key)


def run_row(run: str, *, status: str = "acting", tenant: str = "t1", wake_at: int | None = None) -> RunRow:
    return RunRow(run, tenant, "desk", status, wake_at, conversation="c1", user="u1")


def start(run: str, *drafts: Draft, **row) -> Entry:
    """Return the first entry of a run."""
    return Entry(run, 1, 0, drafts or (draft(),), run_row(run, **row))


def more(run: str, expected: int, *drafts: Draft, epoch: int = 1, **sides) -> Entry:
    """Return a later entry of a run."""
    return Entry(run, epoch, expected, drafts or (draft(),), **sides)


async def write(store: Store, runs: Iterable[str] = ("r1", "r2"), events: int = 4) -> None:
    """Fill *store* with a few runs whose events take turns, each in a commit of its own."""
    for run in runs:
        await store.append(start(run, draft(f'"{run} 1"'.encode(), key="k1")))
    for seq in range(1, events):
        for run in runs:
            await store.append(more(run, seq, draft(f'"{run} {seq + 1}"'.encode(), key=f"k{seq + 1}")))


async def everything(store: Store) -> list[Row]:
    return await store.feed(0, 1_000_000)


def edit(path: Path | str, *statements: str) -> None:
    """Do to a journal's file what its keeper could: run *statements* over it, past the store."""
    connection = sqlite3.connect(path, isolation_level=None)
    for statement in statements:
        connection.execute(statement)
    connection.close()
