"""The ledger in SQLite (WAL, as services have it) and in PostgreSQL; both wait for the disk at every commit."""

# The packages of PostgreSQL live in an environment of their own, where the type check does not look.
# pyright: reportMissingImports=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false

import sqlite3
from pathlib import Path
from typing import Any

from benchmarks.undo.speed.ledger import ACCOUNTS, TABLES, Statement
from interlock import Ctx
from interlock.undo.rows.sqlite import SqliteRows

FILL = [(n, f"Owner {n}", 1_000_000) for n in range(1, ACCOUNTS + 1)]


class SqliteLedger:
    """A ledger in a new file."""

    name = "sqlite"

    def __init__(self, folder: Path) -> None:
        path = str(folder / "ledger.db")
        self._plain = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self._plain.execute("PRAGMA journal_mode = WAL")
        self._plain.execute("PRAGMA foreign_keys = ON")
        self._plain.executescript(TABLES)
        self._plain.executemany("INSERT INTO accounts VALUES (?, ?, ?)", FILL)
        self.way = SqliteRows(path, name="ledger")

    def captured(self, ctx: Ctx[Any]) -> Any:
        return self.way.connection(ctx)

    def plain(self, statements: list[Statement]) -> None:
        self._plain.execute("BEGIN IMMEDIATE")
        for sql, values in statements:
            self._plain.execute(sql, values)
        self._plain.execute("COMMIT")

    def sql(self, text: str) -> str:
        return text


class PostgresLedger:
    """A ledger in a new database of a server."""

    name = "postgres"

    def __init__(self, uri: str) -> None:
        import psycopg  # noqa: PLC0415 - it may be missing

        from interlock.undo.rows.postgres import PostgresRows  # noqa: PLC0415 - the same

        self._plain = psycopg.connect(uri, autocommit=True)
        self._plain.execute(TABLES.encode())
        with self._plain.transaction():
            self._plain.cursor().executemany("INSERT INTO accounts VALUES (%s, %s, %s)", FILL)
        self.way = PostgresRows(uri, name="ledger")
        self.way.install(uri)

    def captured(self, ctx: Ctx[Any]) -> Any:
        return self.way.connection(ctx)

    def plain(self, statements: list[Statement]) -> None:
        with self._plain.transaction():
            for sql, values in statements:
                self._plain.execute(self.sql(sql).encode(), values)

    def sql(self, text: str) -> str:
        return text.replace("?", "%s")
