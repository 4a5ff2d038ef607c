"""Connections that are ready for the next effect: their triggers are in place."""

import os
import sqlite3
from collections.abc import Callable, Generator
from contextlib import contextmanager
from functools import partial

from interlock.errors import InterlockError
from interlock.undo.rows.sqlite_capture import statements
from interlock.undo.rows.sqlite_handle import Handle, open_handle
from interlock.undo.rows.sqlite_schema import Schema, fingerprint, read_schema

LAYOUT = 1
"""The form of what is kept; it is with every effect."""

_TABLES = (
    """
    CREATE TABLE IF NOT EXISTS interlock_effects (
        key TEXT PRIMARY KEY NOT NULL, run TEXT NOT NULL, action TEXT NOT NULL, at INTEGER NOT NULL,
        layout INTEGER NOT NULL, result BLOB NOT NULL, touched BLOB NOT NULL, undoes TEXT NOT NULL,
        kept_until INTEGER NOT NULL, purged INTEGER NOT NULL DEFAULT 0, undone_by TEXT NOT NULL DEFAULT ''
    ) WITHOUT ROWID
    """,
    """
    CREATE TABLE IF NOT EXISTS interlock_rows (
        effect TEXT NOT NULL, n INTEGER NOT NULL, "table" TEXT NOT NULL, "key" TEXT NOT NULL, before TEXT, after TEXT,
        PRIMARY KEY (effect, n)
    ) WITHOUT ROWID
    """,
)
_IDLE = 4
"""How many connections to one database wait for use at most."""

_ATTEMPTS = 20
"""How often the schema may change just while a transaction is begun."""


class Ready:
    """A connection, and the schema that its triggers were made for.

    The mutable state: the connection, the schema and SQLite's number of its version, made anew where that has changed.
    """

    def __init__(self, opened: Callable[[], Handle], file: tuple[int, int]) -> None:
        self._opened = opened
        self.handle = opened()
        self.file = file
        self.version = -1
        self.schema: Schema | None = None

    def begin(self) -> Schema:
        """Begin to write, with triggers on all tables there are; return the schema.

        Raises:
            sqlite3.Error: the database can't be written.
        """
        for _ in range(_ATTEMPTS):
            self.handle.own("BEGIN IMMEDIATE")
            if self.schema is not None and self.version == self._now():
                return self.schema
            self.handle.own("ROLLBACK")
            self._adapt()
        raise sqlite3.OperationalError("the schema of the database changes all the time; try again")

    def _now(self) -> int:
        ((version,),) = self.handle.own("PRAGMA main.schema_version").fetchall()
        return version

    def _adapt(self) -> None:
        """Have triggers on the tables as they are now."""
        if self.schema is not None and fingerprint(self.handle.rows) != self.schema.fingerprint:
            self.handle.close()  # triggers on tables that are gone can't be dropped, and would come back with them
            self.handle, self.schema = self._opened(), None
        own = self.handle.own
        own("BEGIN IMMEDIATE")
        try:
            version = self._install()
            own("COMMIT")
        except BaseException:
            own("ROLLBACK")
            self.schema = None
            raise
        self.version = version

    def _install(self) -> int:
        """Make Interlock's tables and triggers where they are missing; return the version of the schema then."""
        own = self.handle.own
        if self.schema is None:
            for sql in _TABLES:
                own(sql)
            schema = read_schema(self.handle.rows)
            for sql in statements(schema):
                own(sql)
            self.schema = schema
        elif fingerprint(self.handle.rows) != self.schema.fingerprint:
            return -1  # it changed once more just now
        return self._now()


class Pool:
    """The idle connections of this process, by database. A connection is used by one thread at a time.

    The mutable state: those connections, and those of the process that this one was forked from, which must never be
    closed here.
    """

    def __init__(self, timeout: float, *, foreign_keys: bool) -> None:
        self._timeout = timeout
        self._foreign_keys = foreign_keys
        self._process = os.getpid()
        self._idle: dict[str, list[Ready]] = {}
        self._inherited: list[dict[str, list[Ready]]] = []

    @contextmanager
    def lent(self, path: str) -> Generator[Ready]:
        """Lend a connection to the database for a block.

        Raises:
            InterlockError: there is no such database.
        """
        ready = self._take(path)
        try:
            yield ready
        finally:
            self._give_back(path, ready)

    def close(self) -> None:
        """Close the idle connections; those of the process that this one was forked from are not ours to close."""
        if self._process != os.getpid():
            return
        for idle in self._idle.values():
            while idle:
                idle.pop().handle.close()

    def _take(self, path: str) -> Ready:
        if self._process != os.getpid():
            self._inherited.append(self._idle)
            self._idle, self._process = {}, os.getpid()
        file = _file(path)
        idle = self._idle.setdefault(path, [])
        while idle:
            ready = idle.pop()
            if ready.file == file:
                return ready
            ready.handle.close()  # another file has this name now
        return Ready(partial(open_handle, path, self._timeout, foreign_keys=self._foreign_keys), file)

    def _give_back(self, path: str, ready: Ready) -> None:
        idle = self._idle.setdefault(path, [])
        try:
            if ready.handle.in_transaction:
                ready.handle.own("ROLLBACK")
            ready.handle.reset()
        except sqlite3.Error:
            ready.handle.close()
            return
        if len(idle) < _IDLE:
            idle.append(ready)
        else:
            ready.handle.close()


def _file(path: str) -> tuple[int, int]:
    try:
        found = os.stat(path)  # noqa: PTH116 - the path is a string all the way to SQLite, and this is done per effect
    except OSError as error:
        raise InterlockError(
            f"{path}: no database that effects could be captured in ({error.strerror}); create it, or correct the path"
        ) from error
    return found.st_dev, found.st_ino
