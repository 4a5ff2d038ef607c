"""The store in one SQLite file: any number of processes may open it, each writes through one thread."""

# ruff: noqa: D102  # what the methods do is said once, in the contract (store.py)

import asyncio
import os
import sqlite3
from collections.abc import AsyncIterator, Callable, Sequence
from threading import Thread
from typing import TypeVar

from interlock.errors import DriverConflictError
from interlock.journal.connection import Connect, connect, explain, open_reader, open_writer, refuse_odd
from interlock.journal.driver import DriverLock
from interlock.journal.migrations import migrate
from interlock.journal.reader import Reader
from interlock.journal.store import Batch, Entry, Row, RunRow, Seal, Signal, Snapshot
from interlock.journal.transaction import Claim, Look, Own, Post
from interlock.journal.writer import Writer, closed

SLICE = 256
"""How many rows a scan reads before the event loop may do something else: well under a millisecond."""

_T = TypeVar("_T")


class SqliteStore:
    """A `Store` in the SQLite file at *path*, which is created where it does not exist.

    Reads run where they are called, on a connection of their own: they take microseconds, and a second thread
    that reads would fight the event loop for the interpreter's lock at every row. Long ones pause between
    slices.

    *connect* opens a connection to a path, for a SQLite of your own (one that encrypts, or one that fails on
    purpose).

    Raises:
        JournalUnavailableError: the file can't be opened, or another process keeps it locked.
        JournalCorruptError: the file is damaged or is not a journal.
        JournalVersionError: a newer Interlock wrote the file.
    """

    def __init__(self, path: str | os.PathLike[str], *, connect: Connect = connect) -> None:
        self.path = os.fspath(path)
        refuse_odd(self.path)
        self._connect = connect
        self._lock: DriverLock | None = None
        self._closed = False
        try:
            self._open()
        except sqlite3.Error as error:
            raise explain(error, self.path) from error

    def _open(self) -> None:
        writing = open_writer(self.path, self._connect)
        try:
            migrate(writing, self.path)
            self._reader = Reader(open_reader(self.path, self._connect))
            self._seen = self._reader.version()  # at the last `moved`
        except BaseException:
            writing.close()
            raise
        self._writer = Writer(writing, self.path)

    def __repr__(self) -> str:
        return f"<SqliteStore {self.path!r} [{'closed' if self._closed else 'open'}]>"

    async def drive(self, owner: str) -> None:
        self._check_open()
        lock = self._look(DriverLock, self.path, self._connect)
        if not lock.taken:
            lock.close()
            other = self._look(self._reader.driver)
            raise DriverConflictError(
                f"{other!r} drives the runs of {self.path}; append signals from here, or stop that process first"
            )
        self._lock = lock
        await self._writer.ask(Own(owner))

    async def claim(self, run: str) -> int:
        self._check_open()
        return await self._writer.ask(Claim(run))

    async def append(self, entry: Entry) -> int:
        self._check_open()
        size = 0
        for draft in entry.drafts:
            size += len(draft.payload)
        for _, data in entry.blobs:
            size += len(data)
        return await self._writer.ask(entry, size)

    async def signal(self, run: str, kind: str, payload: bytes, at: int, token: str | None = None) -> int:
        self._check_open()
        return await self._writer.ask(Post(run, kind, payload, at, token), len(payload))

    async def moved(self) -> bool:
        version = self._look(self._reader.version)
        if version == self._seen:
            return False
        self._seen = version
        # Somebody committed; the writer knows whether it was only itself.
        return bool(await self._writer.ask(Look()))

    async def row(self, run: str) -> RunRow | None:
        return self._look(self._reader.row, run)

    async def rows(
        self,
        *,
        statuses: Sequence[str] = (),
        tenant: str | None = None,
        conversation: str | None = None,
        user: str | None = None,
        after: str = "",
        limit: int = 1000,
    ) -> list[RunRow]:
        def fetch(after: str, limit: int) -> list[RunRow]:
            return self._look(self._reader.rows, after, limit, statuses, tenant, conversation, user)

        return await _sliced(fetch, after, limit, lambda row: row.id)

    async def due(self, now: int, limit: int, after: tuple[int, str] = (-1, "")) -> list[RunRow]:
        return self._look(self._reader.due, now, limit, after)

    async def next_wake(self, after: int = -1) -> int | None:
        return self._look(self._reader.next_wake, after)

    async def read(self, run: str, after: int = 0, limit: int = 1000, types: Sequence[str] = ()) -> list[Row]:
        def fetch(after: int, limit: int) -> list[Row]:
            return self._look(self._reader.read, run, after, limit, types)

        return await _sliced(fetch, after, limit, lambda row: row.seq)

    async def find(self, run: str, key: str) -> Row | None:
        return self._look(self._reader.find, run, key)

    async def last_seq(self, run: str) -> int:
        return self._look(self._reader.last_seq, run)

    async def feed(self, after: int = 0, limit: int = 1000, types: Sequence[str] = ()) -> list[Row]:
        def fetch(after: int, limit: int) -> list[Row]:
            return self._look(self._reader.feed, after, limit, types)

        return await _sliced(fetch, after, limit, lambda row: row.position)

    async def signals(self, *, run: str | None = None, after: int = 0, limit: int = 1000) -> list[Signal]:
        def fetch(after: int, limit: int) -> list[Signal]:
            return self._look(self._reader.signals, after, limit, run)

        return await _sliced(fetch, after, limit, lambda signal: signal.id)

    async def blob(self, address: str) -> bytes | None:
        return self._look(self._reader.blob, address)

    async def snapshot(self, run: str) -> Snapshot | None:
        return self._look(self._reader.snapshot, run)

    async def sealed(self, after: int = 0) -> AsyncIterator[tuple[Row, Seal]]:
        while page := self._look(self._reader.sealed, after, SLICE):
            for event in page:
                yield event
            after = page[-1][0].position
            await asyncio.sleep(0)

    async def batches(self, after: int = 0, limit: int = 1000) -> list[Batch]:
        def fetch(after: int, limit: int) -> list[Batch]:
            return self._look(self._reader.batches, after, limit)

        return await _sliced(fetch, after, limit, lambda batch: batch.number)

    async def last_batch(self) -> Batch | None:
        return self._look(self._reader.last_batch)

    async def blobs(self, after: str = "") -> AsyncIterator[tuple[str, bytes]]:
        while blob := self._look(self._reader.next_blob, after):
            yield blob
            after, _ = blob
            await asyncio.sleep(0)

    async def identity(self) -> str:
        return self._look(self._reader.identity)

    async def close(self) -> None:
        if self._closed:
            return
        self._closed = True
        # A thread of its own: asyncio's pool is gone by the time a process closes what it left open at its exit.
        shut: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        Thread(target=self._shut_and_tell, args=(shut,), name=f"closing {self.path}").start()
        await shut

    def _shut_and_tell(self, shut: "asyncio.Future[None]") -> None:
        tell = shut.get_loop().call_soon_threadsafe
        try:
            self._shut()
        except BaseException as error:  # noqa: BLE001 - it is raised where the closing is awaited
            tell(shut.set_exception, error)
        else:
            tell(shut.set_result, None)

    def _shut(self) -> None:
        self._reader.close()
        self._writer.close()  # last, so that SQLite tidies its log away
        if self._lock is not None:
            self._lock.close()

    def _check_open(self) -> None:
        if self._closed:
            raise closed(self.path)

    def _look(self, query: Callable[..., _T], *values: object) -> _T:
        self._check_open()
        try:
            return query(*values)
        except sqlite3.Error as error:
            raise explain(error, self.path) from error


_K = TypeVar("_K", int, str)


async def _sliced(fetch: Callable[[_K, int], list[_T]], after: _K, limit: int, key: Callable[[_T], _K]) -> list[_T]:
    """Gather up to *limit* rows in slices; *fetch* takes the key to start after and a limit."""
    found: list[_T] = []
    while len(found) < limit:
        wanted = min(SLICE, limit - len(found))
        page = fetch(after, wanted)
        found += page
        if len(page) < wanted:
            break
        after = key(page[-1])
        await asyncio.sleep(0)
    return found
