"""The connection that a function is given for its effect."""

import sqlite3
from collections.abc import Callable, Iterable, Iterator
from types import TracebackType
from typing import Any, Literal, Self

from interlock.undo.rows.sqlite_guard import NotCoveredError
from interlock.undo.rows.sqlite_handle import Handle
from interlock.undo.rows.sqlite_schema import Schema

_START = "interlock_start"


class Connection(sqlite3.Connection):
    """A connection in a transaction that Interlock begins and ends, for one effect.

    `commit` keeps what was done so far for the end of the action, where it becomes durable or, if the action raises, is
    taken back; `rollback` goes back to the last `commit`, or to the start. `close` does nothing.

    It has no database of its own (sqlite3's constructor never runs): everything goes to a handle that later effects use
    as well, and once the effect is over, nothing does. A client that lets go of a connection late, as pools do when
    they are collected, can't roll back the work of another effect.

    The mutable state: whether the effect is over.
    """

    def __init__(self, handle: Handle, schema: Schema) -> None:
        self._handle = handle
        self._over = False
        handle.own(f"SAVEPOINT {_START}")
        handle.guard.schema = schema

    def end(self) -> None:
        """Let nothing through any more."""
        self._over = True
        self._handle.reset()

    def admit(self) -> Handle:
        """Let a function at the handle.

        Raises:
            NotCoveredError: the effect is over.
        """
        if self._over:
            raise NotCoveredError("the effect of this connection is over; ask for the connection of the one under way")
        return self._handle

    def explain(self, error: sqlite3.DatabaseError) -> sqlite3.DatabaseError:
        """Return what says why a statement failed: SQLite's own error, or why the guard refused."""
        refused = getattr(error, "sqlite_errorcode", 0) == sqlite3.SQLITE_AUTH
        return NotCoveredError(self._handle.guard.why) if refused else error

    def commit(self) -> None:
        """Keep what was done so far; it becomes durable with the end of the action."""
        if not self._over:
            self._handle.own(f"RELEASE {_START}")
            self._handle.own(f"SAVEPOINT {_START}")

    def rollback(self) -> None:
        """Go back to the last `commit`, or to the start of the action."""
        if not self._over:
            self._handle.own(f"ROLLBACK TO {_START}")

    def close(self) -> None:
        """Do nothing: the connection is not the function's."""

    def cursor(self, factory: Any = None) -> Any:
        """Return a cursor; always one of Interlock's."""
        return Cursor(self.admit(), self)

    def execute(self, sql: str, parameters: Any = (), /) -> "Cursor":
        """Execute a statement."""
        return self.cursor().execute(sql, parameters)

    def executemany(self, sql: str, parameters: Iterable[Any], /) -> "Cursor":
        """Execute a statement with each of the parameters."""
        return self.cursor().executemany(sql, parameters)

    def executescript(self, sql_script: str, /) -> "Cursor":
        """Execute several statements."""
        return self.cursor().executescript(sql_script)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> Literal[False]:
        if error is None:
            self.commit()
        else:
            self.rollback()
        return False

    def interrupt(self) -> None:
        """Abort the statement that runs."""
        if not self._over:
            self._handle.interrupt()

    def create_function(self, *args: Any, **options: Any) -> None:
        """Define a function for SQL."""
        self.admit().create_function(*args, **options)

    def create_aggregate(self, *args: Any, **options: Any) -> None:
        """Define an aggregate for SQL."""
        self.admit().create_aggregate(*args, **options)

    def create_collation(self, *args: Any, **options: Any) -> None:
        """Define a collation."""
        self.admit().create_collation(*args, **options)

    @property
    def in_transaction(self) -> bool:
        """Whether the effect is under way."""
        return not self._over

    @property
    def total_changes(self) -> int:
        """How many rows changed since the handle was opened."""
        return self._handle.total_changes

    @property
    def isolation_level(self) -> None:
        """None: no transaction is begun on its own."""
        return

    @isolation_level.setter
    def isolation_level(self, level: str | None) -> None:  # pyright: ignore[reportIncompatibleVariableOverride] - delegated
        """Do nothing: the transaction has begun."""

    @property
    def row_factory(self) -> Callable[..., Any] | None:
        """What makes rows of cursors that come after it was set."""
        return self._handle.row_factory

    @row_factory.setter
    def row_factory(self, factory: Callable[..., Any] | None) -> None:  # pyright: ignore[reportIncompatibleVariableOverride] - delegated
        self.admit().row_factory = factory

    @property
    def text_factory(self) -> Callable[[bytes], Any]:
        """What makes texts of bytes."""
        return self._handle.text_factory

    @text_factory.setter
    def text_factory(self, factory: Callable[[bytes], Any]) -> None:
        self.admit().text_factory = factory


class Cursor(sqlite3.Cursor):
    """A cursor of the connection of an effect."""

    def __init__(self, handle: Handle, connection: Connection) -> None:
        super().__init__(handle)
        self._connection = connection

    @property
    def connection(self) -> Connection:
        """The connection that it is of."""
        return self._connection

    def execute(self, sql: str, parameters: Any = (), /) -> Self:
        """Execute a statement."""
        self._connection.admit()
        try:
            return super().execute(sql, parameters)
        except sqlite3.DatabaseError as error:
            raise self._connection.explain(error) from error

    def executemany(self, sql: str, parameters: Iterable[Any], /) -> Self:
        """Execute a statement with each of the parameters."""
        self._connection.admit()
        try:
            return super().executemany(sql, parameters)
        except sqlite3.DatabaseError as error:
            raise self._connection.explain(error) from error

    def executescript(self, sql_script: str, /) -> Self:
        """Execute several statements, without the COMMIT that sqlite3 puts before them."""
        for statement in _split(sql_script):
            self.execute(statement)
        return self


def _split(script: str) -> Iterator[str]:
    """Yield the statements of a script."""
    begun = ""
    for piece in script.split(";"):
        begun += piece + ";"
        if sqlite3.complete_statement(begun):
            yield begun
            begun = ""
    if begun.strip("; \n\t\r"):
        yield begun.removesuffix(";")
