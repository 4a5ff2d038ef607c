"""A connection of Interlock's own to a SQLite database; functions work on it through `sqlite_connection.py`."""

import sqlite3
from collections.abc import Iterable, Sequence
from pathlib import Path
from secrets import token_hex
from typing import Any

from interlock.undo.rows.sqlite_guard import Guard
from interlock.undo.rows.sqlite_values import text


class Handle(sqlite3.Connection):
    """A connection whose statements of Interlock's own are told from those of functions.

    The mutable state: the guard, and the texts of Interlock's statements.
    """

    guard: Guard

    def prepare(self, timeout: float, *, foreign_keys: bool) -> None:
        """Make it ready for use, once; *timeout* in seconds says how long it waits for a lock."""
        self.guard = Guard()
        self._token = token_hex(8)
        self._texts: dict[str, str] = {}
        self._raw = self.cursor()
        self.set_authorizer(self.guard)
        self.own(f"PRAGMA foreign_keys = {'ON' if foreign_keys else 'OFF'}")
        self.own("PRAGMA temp_store = MEMORY")
        self.own(f"PRAGMA busy_timeout = {int(timeout * 1000)}")

    def own(self, sql: str, *parameters: Any) -> sqlite3.Cursor:
        """Execute a statement of Interlock's; those of functions are never taken for one."""
        self.guard.own = True
        try:
            return self._raw.execute(self._marked(sql), parameters)
        finally:
            self.guard.own = False

    def own_many(self, sql: str, parameters: Iterable[Sequence[Any]]) -> None:
        """Execute a statement of Interlock's with each of the parameters."""
        self.guard.own = True
        try:
            self._raw.executemany(self._marked(sql), parameters)
        finally:
            self.guard.own = False

    def _marked(self, sql: str) -> str:
        """Return a statement with a mark that only Interlock knows.

        SQLite's question is asked when a statement is prepared, and a prepared one is found again by its text.
        """
        return self._texts.get(sql) or self._texts.setdefault(sql, f"{sql} /*{self._token}*/")

    def rows(self, sql: str, *parameters: Any) -> list[Any]:
        """Return what a query of Interlock's finds, texts that are no UTF-8 as `BadText`."""
        factory, self.text_factory = self.text_factory, text
        try:
            return self.own(sql, *parameters).fetchall()
        finally:
            self.text_factory = factory

    def reset(self) -> None:
        """Let no function write any more, and forget what one has set."""
        self.guard.schema = None
        self.row_factory = None
        self.text_factory = str


def open_handle(path: str, timeout: float, *, foreign_keys: bool) -> Handle:
    """Return a new connection to the database file, which has to exist; say whether foreign keys are enforced.

    Raises:
        sqlite3.OperationalError: it can't be opened.
    """
    uri = f"{Path(path).absolute().as_uri()}?mode=rw"
    handle = sqlite3.connect(
        uri, uri=True, isolation_level=None, check_same_thread=False, cached_statements=256, factory=Handle
    )
    handle.prepare(timeout, foreign_keys=foreign_keys)
    return handle
