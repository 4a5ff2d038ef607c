"""The bank in a SQLite file."""

import sqlite3
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path
from typing import Any

from benchmarks.undo.histories import triggers
from benchmarks.undo.histories.bank import Bank, Dump, RefusedByDatabaseError, Statement
from benchmarks.undo.histories.schema import SQLITE_TYPES, TABLES, ddl
from benchmarks.undo.histories.start import START
from interlock import Ctx
from interlock.undo import SqliteRows
from interlock.undo.rows.sqlite_restoring import SqliteDatabase


def _path(deps: "SqliteBank") -> str:
    return deps.path


WAY = SqliteRows(_path, name="bank")

ASK = {
    table.name: (
        f"SELECT {', '.join(f'quote({column})' for column in table.names)} FROM {table.name}",
        [table.names.index(column) for column in table.key],
    )
    for table in TABLES
}


class SqliteBank(Bank):
    """A bank in one file below a folder, which exists.

    `made` says that the file is there with what it holds: it is gone on with.
    """

    name = "sqlite"
    way = WAY
    restoring = SqliteDatabase

    def __init__(self, folder: Path, *, made: bool = False) -> None:
        self.path = str(folder / "bank.db")
        self._empty = None if made else _begun()
        self._others = sqlite3.connect(self.path, isolation_level=None)
        self._others.execute("PRAGMA foreign_keys = ON")

    def begin(self) -> None:
        assert self._empty is not None
        self._empty.backup(self._others)

    def dump(self) -> Dump:
        found: Dump = {}
        for table, (ask, key) in ASK.items():
            for texts in self._others.execute(ask):
                row = tuple(None if text == "NULL" else text for text in texts)
                found[table, tuple(row[place] for place in key)] = row
        return found

    def edit(self, statements: Iterable[Statement]) -> None:
        self._others.execute("BEGIN IMMEDIATE")
        try:
            for sql, values in statements:
                self._others.execute(sql, values)
            self._others.execute("COMMIT")
        except sqlite3.IntegrityError as error:
            self._others.execute("ROLLBACK")
            raise RefusedByDatabaseError(str(error)) from error

    def work(self, ctx: Ctx[Any], sql: str, *values: Any) -> list[tuple[Any, ...]]:
        return WAY.connection(ctx).execute(sql, values).fetchall()

    def close(self) -> None:
        self._others.close()


def make(path: str) -> None:
    """Make a new bank's file."""
    with closing(_begun()) as empty, closing(sqlite3.connect(path)) as database:
        empty.backup(database)


def _begun() -> sqlite3.Connection:
    empty = sqlite3.connect(":memory:")
    empty.executescript(ddl(SQLITE_TYPES))
    with empty:
        for table, rows in START.items():
            empty.executemany(f"INSERT INTO {table} VALUES ({', '.join('?' * len(rows[0]))})", rows)
    empty.executescript(triggers.SQLITE)
    return empty
