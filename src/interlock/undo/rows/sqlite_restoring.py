"""SQLite as restoring sees it: foreign keys are off while rows are put back, and are looked at in the end."""

import sqlite3
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from interlock.actions.way import Change, ConflictError
from interlock.undo.rows.log import RowChange, parents_first
from interlock.undo.rows.restoring import RefusedError
from interlock.undo.rows.sqlite_capture import located, net, read_row
from interlock.undo.rows.sqlite_handle import Handle
from interlock.undo.rows.sqlite_schema import Reference, Schema, quoted
from interlock.undo.rows.sqlite_values import decode, plain, rowid_of, slot, values_of


class SqliteDatabase:
    """The `Database` of one transaction that takes back `rows`.

    With foreign keys off nothing cascades, and the order does not matter; `settle` asks what SQLite would have asked.
    """

    def __init__(self, handle: Handle, schema: Schema, rows: Sequence[RowChange]) -> None:
        self._handle = handle
        self._schema = schema
        self._planned = rows

    def parents_first(self, tables: Sequence[str]) -> Sequence[str]:
        """Return the tables so that each stands after those that it refers to."""
        parents = {name: [one.parent for one in table.references] for name, table in self._schema.tables.items()}
        return parents_first(tables, parents)

    def read(self, rows: Sequence[RowChange]) -> Sequence[str | None]:
        """Return the images of the rows as they are now; the database is locked."""
        tables = self._schema.tables
        return [read_row(self._handle.rows, tables[row.table], row.key) for row in rows]

    def put(self, row: RowChange, image: str | None) -> None:
        """Make the row be as in the image.

        Raises:
            RefusedError: a constraint stands against it.
        """
        try:
            if image is None:
                self._delete(row)
            elif not self._update(row, image):
                self._insert(row, image)
        except sqlite3.IntegrityError as error:
            raise RefusedError(f"{self.name(row)}: {error}") from error

    def _delete(self, row: RowChange) -> None:
        where, values = located(self._schema.tables[row.table], row.key)
        self._handle.own(f"DELETE FROM main.{quoted(row.table)} WHERE {where}", *values)  # noqa: S608 - quoted names

    def _update(self, row: RowChange, image: str) -> bool:
        values = decode(image)
        where, key = located(self._schema.tables[row.table], row.key)
        sets = ", ".join(f"{quoted(column)} = {slot(value)}" for column, value in values.items())
        sql = f"UPDATE main.{quoted(row.table)} SET {sets} WHERE {where}"  # noqa: S608 - quoted names
        return self._handle.own(sql, *values.values(), *key).rowcount > 0

    def _insert(self, row: RowChange, image: str) -> None:
        table = self._schema.tables[row.table]
        values = decode(image)
        _, key = located(table, row.key)
        columns = [quoted(column) for column in values]
        slots = [slot(value) for value in values.values()]
        bound = list(values.values())
        if rowid_of(row.key) is not None:  # the rowid is what identifies it
            columns, slots, bound = [table.rowid, *columns], ["?", *slots], [*key, *bound]
        into = f"main.{quoted(row.table)} ({', '.join(columns)})"
        self._handle.own(f"INSERT INTO {into} VALUES ({', '.join(slots)})", *bound)  # noqa: S608 - quoted names

    def settle(self) -> None:
        """Look whether every foreign key of what was put back, and to what went, still holds.

        Raises:
            ConflictError: one does not.
        """
        for row in self._planned:
            before, after = (decode(image) if image else {} for image in (row.before, row.after))
            for reference in self._schema.tables[row.table].references:
                self._refuse_orphan(row, reference, before, after)
            for reference in self._schema.referring.get(row.table, ()):
                self._refuse_left(row, reference, before, after)

    def _refuse_orphan(self, row: RowChange, reference: Reference, before: Any, after: Any) -> None:
        """Raise where a row as it was refers to one that is not there any more."""
        values = [before.get(column) for column in reference.columns]
        same = bool(after) and values == [after.get(column) for column in reference.columns]
        if not before or same or None in values or self._parents(reference, values):
            return
        pairs = ", ".join(f"{column}={value!r}" for column, value in zip(reference.parent_columns, values, strict=True))
        raise ConflictError(
            f"{self.name(row)} referred to {reference.parent} {pairs}, which is gone; nothing was taken back",
            (Change(self.name(row), self.plain(row, row.before), self.plain(row, row.after), None),),
        )

    def _refuse_left(self, row: RowChange, reference: Reference, before: Any, after: Any) -> None:
        """Raise where another row refers to one that goes, or to what it was called."""
        columns = reference.parent_columns
        values = [after.get(column) for column in columns]
        same = bool(before) and values == [before.get(column) for column in columns]
        if not after or same or None in values or self._parents(reference, values):
            return
        changes = tuple(self._children(reference, values))
        if changes:
            names = ", ".join(change.object for change in changes)
            raise ConflictError(f"{names} refers to {self.name(row)}, which would go; nothing was taken back", changes)

    def _parents(self, reference: Reference, values: Sequence[Any]) -> bool:
        terms = (f"{quoted(one)} = {slot(value)}" for one, value in zip(reference.parent_columns, values, strict=True))
        ask = f"SELECT 1 FROM main.{quoted(reference.parent)} WHERE {' AND '.join(terms)} LIMIT 1"  # noqa: S608 - quoted
        return bool(self._handle.rows(ask, *values))

    def _children(self, reference: Reference, values: Sequence[Any]) -> Iterator[Change]:
        table = self._schema.tables[reference.table]
        terms = (
            f"{quoted(one)} = {slot(value)} COLLATE {quoted(collation)}"
            for one, value, collation in zip(reference.columns, values, reference.collations, strict=True)
        )
        columns = ", ".join(map(quoted, table.columns))
        ask = f"SELECT {columns} FROM main.{quoted(table.name)} WHERE {' AND '.join(terms)}"  # noqa: S608 - quoted names
        for found in self._handle.rows(ask, *values):
            row = dict(zip(table.columns, found, strict=True))
            key = " ".join(f"{column}={row[column]!r}" for column in table.key)
            yield Change(f"{table.name} {key}".strip(), now=plain(row))

    def captured(self) -> Sequence[RowChange]:
        """Return the net of all that this transaction has changed."""
        return net(self._handle.rows, self._schema)

    def name(self, row: RowChange) -> str:
        """Return the row's name for people."""
        rowid = rowid_of(row.key)
        if rowid is not None:
            return f"{row.table} rowid={rowid}"
        key = zip(self._schema.tables[row.table].key, values_of(row.key), strict=True)
        return f"{row.table} {' '.join(f'{column}={value!r}' for column, value in key)}"

    def plain(self, row: RowChange, image: str | None) -> Any:
        """Return an image as plain data."""
        return None if image is None else plain(decode(image))


@contextmanager
def without_triggers(handle: Handle, rows: Sequence[RowChange]) -> Generator[None]:
    """Take the application's triggers on the tables of the rows away for a block, in the transaction that is on.

    They come back in their order, in which SQLite fires them.
    """
    tables = {row.table.lower() for row in rows}
    ask = "SELECT name, tbl_name, sql FROM main.sqlite_master WHERE type = 'trigger' ORDER BY rowid"
    triggers = [(name, sql) for name, table, sql in handle.rows(ask) if table.lower() in tables]
    for name, _ in triggers:
        handle.own(f"DROP TRIGGER main.{quoted(name)}")
    yield
    for _, sql in triggers:
        handle.own(sql)
