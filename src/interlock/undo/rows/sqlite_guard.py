"""What a function may do on the connection of its effect: read anything, and write what is captured."""

import sqlite3
from typing import Final

from interlock.undo.rows.sqlite_capture import LOG
from interlock.undo.rows.sqlite_schema import Schema

_READING: Final = frozenset(
    {sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ, sqlite3.SQLITE_FUNCTION, sqlite3.SQLITE_RECURSIVE}
)
_WRITING: Final = frozenset({sqlite3.SQLITE_INSERT, sqlite3.SQLITE_UPDATE, sqlite3.SQLITE_DELETE})
_PRAGMAS: Final = frozenset(
    [
        "application_id",
        "collation_list",
        "compile_options",
        "data_version",
        "database_list",
        "defer_foreign_keys",
        "encoding",
        "foreign_key_list",
        "foreign_keys",
        "function_list",
        "index_info",
        "index_list",
        "index_xinfo",
        "journal_mode",
        "page_count",
        "page_size",
        "pragma_list",
        "read_uncommitted",
        "recursive_triggers",
        "schema_version",
        "synchronous",
        "table_info",
        "table_list",
        "table_xinfo",
        "user_version",
    ]
)
_WITH_VALUE: Final = frozenset(
    [
        "defer_foreign_keys",
        "foreign_key_list",
        "index_info",
        "index_list",
        "index_xinfo",
        "table_info",
        "table_list",
        "table_xinfo",
    ]
)
_ONLY_ROWS: Final = (
    "refused in an effect: only reading and changes of rows can be taken back, not changes of the schema, ATTACH or the"
    " like; do that in a migration"
)


class NotCoveredError(sqlite3.NotSupportedError):
    """A statement that could not be taken back, or would end the effect's transaction; it was not carried out."""


class Guard:
    """The authorizer of one connection: SQLite asks it about every statement that is prepared.

    The mutable state: the schema that is captured, whether Interlock itself is at work, and why it said no last.
    """

    def __init__(self) -> None:
        self.schema: Schema | None = None
        self.own = False
        self.why = ""

    def __call__(self, action: int, first: str | None, second: str | None, base: str | None, by: str | None) -> int:
        """Answer SQLite: what is asked for, two details, in which database, and on behalf of which trigger."""
        if self.own or action in _READING:
            return sqlite3.SQLITE_OK
        self.why = self._against(action, first or "", second, base, by or "")
        return sqlite3.SQLITE_DENY if self.why else sqlite3.SQLITE_OK

    def _against(self, action: int, first: str, second: str | None, base: str | None, by: str) -> str:
        if action in _WRITING:
            return self._against_writing(first, base, by)
        if action == sqlite3.SQLITE_PRAGMA:
            name = first.lower()
            if name in _PRAGMAS and (second is None or name in _WITH_VALUE):
                return ""
            return f"PRAGMA {first} is refused in an effect: it could not be taken back"
        if action == sqlite3.SQLITE_SAVEPOINT:
            ours = (second or "").lower().startswith("interlock_")
            return "the savepoints interlock_… are not an action's to use" if ours else ""
        if action == sqlite3.SQLITE_TRANSACTION:
            return (
                f"{first} is refused in an effect: Interlock begins and ends its transaction;"
                " leave it out, or use the connection's commit() and rollback()"
            )
        return _ONLY_ROWS

    def _against_writing(self, table: str, base: str | None, by: str) -> str:
        schema = self.schema
        if schema is None:
            return "the effect of this connection is over; ask for the connection of the one under way"
        if base == "temp" and table == LOG and by.startswith("interlock_"):
            return ""
        if base == "main" and (table in schema.tables or table in schema.views):
            return ""
        if table.startswith("sqlite_"):
            return _ONLY_ROWS
        why = schema.uncovered.get(table, "it is not the application's to write")
        return (
            f"table {table!r} can't be written in an effect that is taken back from its rows ({why});"
            " declare the action irreversible, or with an undo of its own"
        )
