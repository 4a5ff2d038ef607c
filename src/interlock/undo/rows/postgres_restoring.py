"""What restoring needs of a PostgreSQL database."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

import psycopg

from interlock.actions.way import Change, ConflictError
from interlock.undo.rows import postgres_effects as effects
from interlock.undo.rows.log import RowChange, parents_first
from interlock.undo.rows.postgres_connections import Connection, asked
from interlock.undo.rows.postgres_forms import Form
from interlock.undo.rows.postgres_parking import park
from interlock.undo.rows.postgres_referring import Referring, referring
from interlock.undo.rows.restoring import RefusedError


class PostgresDatabase:
    """A `Database` over one transaction, in which the effect `key` is under way (empty: rows are only looked at).

    `rows` are those that are to be restored, `forms` those of their tables. The mutable state: forms of more tables,
    which rows were put so far, and whether one was taken away that is to come back.
    """

    def __init__(
        self, connection: Connection, forms: Mapping[str, Form], rows: Sequence[RowChange], key: str = ""
    ) -> None:
        self._connection = connection
        self._forms = dict(forms)
        self._planned = {(row.table, row.key) for row in rows}
        self._key = key
        self._placed: set[tuple[str, str]] = set()
        self._cleared = False

    def parents_first(self, tables: Sequence[str]) -> Sequence[str]:
        """Return the tables so that each stands after those that it refers to, as far as that goes."""
        parents = {table: [one.table for one in self._form(table).references] for table in tables}
        return parents_first(tables, parents)

    def read(self, rows: Sequence[RowChange]) -> Sequence[str | None]:
        """Return the images of the rows as they are now, in order; where an effect is under way they are locked."""
        places: dict[str, list[int]] = {}
        for place, row in sorted(enumerate(rows), key=lambda at: (at[1].table, at[1].key)):
            places.setdefault(row.table, []).append(place)
        images: list[str | None] = [None] * len(rows)
        with self._connection.pipeline():  # one answer is waited for, not one for each table
            asked = [
                (table, some, self._ask(table, [rows[place].key for place in some])) for table, some in places.items()
            ]
        for table, some, answer in asked:
            for at, text in answer:
                images[some[at - 1]] = self._form(table).image(text)
        return images

    def _ask(self, table: str, keys: Sequence[str]) -> psycopg.Cursor[tuple[Any, ...]]:
        form = self._form(table)
        columns = [list(column) for column in zip(*map(form.key_fields, keys), strict=True)]
        lock = " FOR UPDATE OF t" if self._key else ""
        return self._connection.execute(f"{form.find(table)}{lock}".encode(), columns)

    def put(self, row: RowChange, image: str | None) -> None:
        """Make the row be as in the image, whether it is there or not; None: make it not be there."""
        if image is None and row.after is None:
            return  # it wasn't there, and so is in nobody's way; what `_loosen` has put there is needed
        try:
            if image is not None:
                self._set(row, image)
            elif row.before is None or not self._parked(row):
                self._cleared = self._cleared or row.before is not None
                self._delete(row)
        except (psycopg.IntegrityError, psycopg.DataError) as error:
            if row.before is None and image is None:
                self._blame(referring(self._connection, error, self._form(row.table).values(row.after or "")))
            if isinstance(error, psycopg.errors.ForeignKeyViolation):
                self._loosen(row, image)
            raise RefusedError(str(error).strip().replace("\n", "; ")) from error

    def settle(self) -> None:
        """Check what was deferred to the end of the transaction."""
        if self._cleared:
            self._mend()
        try:
            self._tried("SET CONSTRAINTS ALL IMMEDIATE")
        except psycopg.IntegrityError as error:
            self._blame(referring(self._connection, error))
            raise RefusedError(str(error).strip().replace("\n", "; ")) from error

    def captured(self) -> Sequence[RowChange]:
        """Return the net of all that this transaction has changed."""
        logged = effects.logged(self._connection, self._key)
        for table in {table for table, _, _ in logged}:
            self._form(table)
        return effects.folded(logged, self._forms)

    def name(self, row: RowChange) -> str:
        """Return the row's name for people: `bookings ref='AB12'`."""
        return self._form(row.table).name(row.table, row.key)

    def plain(self, row: RowChange, image: str | None) -> Any:
        """Return an image of the row as plain data for people: column to value; None where there is no row."""
        return None if image is None else self._form(row.table).plain(image)

    def _blame(self, found: Referring | None) -> None:
        """Raise ConflictError where rows that are not to be restored refer to one that would go."""
        if found is None:
            return
        form = self._form(found.table)
        images = [form.image(text) or "" for text in found.texts]
        others = {form.key_of(image): image for image in images}
        foreign = {key: image for key, image in others.items() if (found.table, key) not in self._planned}
        if foreign:
            changes = tuple(Change(form.name(found.table, key), now=form.plain(one)) for key, one in foreign.items())
            names = ", ".join(change.object for change in changes)
            raise ConflictError(f"somebody else's {names} refers to what would go; nothing was taken back", changes)

    def _form(self, table: str) -> Form:
        """Return the form of a table, which may be one that the effect did not write but a cascade has now."""
        if table not in self._forms:
            self._forms |= effects.forms_now(self._connection, [table])
        return self._forms[table]

    def _tried(self, statement: str, args: Sequence[Any] = ()) -> int:
        """Run a statement, as if it had not been where it is refused; return how many rows it was about."""
        try:
            done = asked(self._connection, f"SAVEPOINT tried; {statement}; RELEASE tried", args)
        except psycopg.Error:
            asked(self._connection, "ROLLBACK TO tried; RELEASE tried")
            raise
        done.nextset()
        return done.rowcount

    def _parked(self, row: RowChange) -> bool:
        try:
            with self._connection.transaction():
                return park(self._connection, row, self._form(row.table))
        except (psycopg.IntegrityError, psycopg.DataError):
            return False  # a check, or a domain, leaves no value that is out of the way

    def _set(self, row: RowChange, image: str) -> None:
        form = self._form(row.table)
        texts = form.values(image)
        if row.after is not None and any(texts[name] != form.values(row.after)[name] for name in form.fixed):
            self._delete(row)  # only as another row can it have another number
        if row.after is not None or (row.table, row.key) in self._placed:
            settable = [texts[column.name] for column in form.kept if column.name not in form.fixed]
            if self._tried(form.update(row.table), [*settable, *self._where(row)]):
                return
        self._tried(form.insert(row.table), [texts[column.name] for column in form.kept])
        self._placed.add((row.table, row.key))

    def _mend(self) -> None:
        """Put back what a cascade did to others' rows when rows were taken away that now are there again.

        What can't be put back stays a conflict.
        """
        others = [row for row in self.captured() if (row.table, row.key) not in self._planned]
        rank = {table: n for n, table in enumerate(self.parents_first([row.table for row in others]))}
        others.sort(key=lambda row: rank[row.table])
        left = len(others) + 1
        while len(others) < left:
            left = len(others)
            others = [row for row in others if not self._mended(row)]

    def _mended(self, row: RowChange) -> bool:
        try:
            self.put(row, row.before)
        except RefusedError:
            return False
        return True

    def _loosen(self, row: RowChange, image: str | None) -> None:
        """Let a refused row refer to nothing for now, where it may: rows that refer to each other can't move else."""
        form = self._form(row.table)
        columns = {name for reference in form.references for name in reference.columns} - {*form.key, *form.fixed}
        if not columns:
            return
        with suppress(psycopg.IntegrityError):
            if image is not None:
                self._set(row, form.with_nulls(image, columns))
            elif row.before is None and row.after is not None:
                self._set(row, form.with_nulls(row.after, columns))

    def _delete(self, row: RowChange) -> None:
        self._tried(self._form(row.table).delete(row.table), self._where(row))

    def _where(self, row: RowChange) -> list[Any]:
        return self._form(row.table).where_args(row.key)
