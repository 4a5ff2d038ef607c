"""The bare loop under every figure: rows of the journal's shape, committed in groups by one writer thread.

It does what a durable system can't do without and nothing else: no validation, no encoding, no chain, no
reading.
"""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import closing
from functools import cache
from itertools import chain
from queue import SimpleQueue
from threading import Thread
from typing import TYPE_CHECKING, Self

from benchmarks._convention import ROOT
from benchmarks.throughput import workload

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

Row = tuple[int, int, str, int, int, str | None, bytes, bytes, bytes, bytes]
_Batch = list[tuple[Row, asyncio.Future[None]]]

_SCHEMA = ROOT / "src" / "interlock" / "journal" / "schema.sql"
_PRAGMAS = (
    "page_size = 8192",
    "journal_mode = WAL",
    "synchronous = FULL",
    "cache_size = -65536",
    "temp_store = MEMORY",
)
_COLUMNS = "run, seq, type, version, at, key, payload, salt, digest, link"
# Rows in a statement: each statement gives up the interpreter's lock and must win it back.
_CHUNKS = (512, 64, 8, 1)

_PAYLOAD = workload.answer(0, 0).encode()
_SALT, _HASH = bytes(16), bytes(32)


def row(run: int, seq: int) -> Row:
    """Return an event's row with a payload of 600 bytes; salt and hashes are as long as real ones."""
    return run, seq, "performed", 1, 1_764_000_000_000_000, None, _PAYLOAD, _SALT, _HASH, _HASH


class GroupCommit:
    """Makes rows durable for any number of waiting coroutines; all rows of a commit share one sync.

    Rows gather during one turn of the event loop and are handed over together; what arrives during a commit
    forms the next one. Waiters are released by one call into the loop for each commit.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._loop = asyncio.get_running_loop()
        self._gathered: _Batch = []  # touched by the loop alone
        self._batches: SimpleQueue[_Batch] = SimpleQueue()  # from the loop to the writer; an empty batch ends it
        self._writer = Thread(target=self._write, name="group-commit")
        self.commits = 0  # counted by the writer alone

    async def __aenter__(self) -> Self:
        self._writer.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        self._batches.put([])
        await asyncio.to_thread(self._writer.join)

    def append(self, row: Row) -> asyncio.Future[None]:
        """Return a future that is done when the row is durable."""
        durable = self._loop.create_future()
        if not self._gathered:
            self._loop.call_soon(self._hand_over)
        self._gathered.append((row, durable))
        return durable

    def _hand_over(self) -> None:
        self._batches.put(self._gathered)
        self._gathered = []

    def _write(self) -> None:
        with closing(_open(self._path)) as database:
            while batch := self._next():
                error = _commit(database, batch)
                self.commits += 1
                self._loop.call_soon_threadsafe(_release, batch, error)

    def _next(self) -> _Batch:
        batch = self._batches.get()
        while batch and not self._batches.empty():
            batch += self._batches.get()
        return batch


def _open(path: Path) -> sqlite3.Connection:
    """Open a file with the journal's tables and the PRAGMAs that the journal sets."""
    database = sqlite3.connect(path, isolation_level=None)
    for pragma in _PRAGMAS:
        database.execute(f"PRAGMA {pragma}")
    database.executescript(_SCHEMA.read_text())
    return database


def _chunks(rows: list[Row]) -> Iterator[list[Row]]:
    start = 0
    for size in _CHUNKS:
        while len(rows) - start >= size:
            yield rows[start : start + size]
            start += size


@cache
def _insert(rows: int) -> str:
    places = ", ".join("?" * (_COLUMNS.count(",") + 1))
    return f"INSERT INTO events ({_COLUMNS}) VALUES {', '.join([f'({places})'] * rows)}"


def _commit(database: sqlite3.Connection, batch: _Batch) -> sqlite3.Error | None:
    try:
        database.execute("BEGIN IMMEDIATE")
        for rows in _chunks([row for row, _ in batch]):
            database.execute(_insert(len(rows)), [*chain.from_iterable(rows)])
        database.execute("COMMIT")
    except sqlite3.Error as error:
        return error
    return None


def _release(batch: _Batch, error: sqlite3.Error | None) -> None:
    for _, durable in batch:
        if error:
            durable.set_exception(error)
        else:
            durable.set_result(None)
