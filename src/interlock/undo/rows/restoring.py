"""Taking the changes of an effect back in one transaction: all of them, or none."""

from collections.abc import Sequence
from contextlib import suppress
from typing import Any, Protocol

from interlock.actions.way import Change, ConflictError
from interlock.undo.rows.log import RowChange

SHOWN = 5
"""How many rows a sentence names; a conflict has them all."""


class RefusedError(Exception):
    """The database refused one statement (a constraint), and is as if it had not been tried."""


class Database(Protocol):
    """What restoring needs of a database, inside a transaction that the caller begins and ends.

    The application's own triggers don't fire in it, and what changes is captured. A *row* is a `RowChange` whose table
    and key say which one is meant.
    """

    def parents_first(self, tables: Sequence[str]) -> Sequence[str]:
        """Return the tables so that each stands after those that it refers to, as far as that goes."""
        ...

    def read(self, rows: Sequence[RowChange]) -> Sequence[str | None]:
        """Return the images of the rows as they are now, in order; nobody else may change them from here on."""
        ...

    def put(self, row: RowChange, image: str | None) -> None:
        """Make the row be as in the image, whether it is there or not; None: make it not be there.

        Raises:
            RefusedError: a constraint stands against it, which may not be so once other rows are in place.
            ConflictError: a constraint stands against it, and it is known whose row that can't be moved.
        """
        ...

    def settle(self) -> None:
        """Enforce every constraint that the database would enforce at the end of the transaction.

        Raises:
            RefusedError: one is violated.
            ConflictError: one is violated, and it is known by whose row.
        """
        ...

    def captured(self) -> Sequence[RowChange]:
        """Return the net of all that this transaction has changed."""
        ...

    def name(self, row: RowChange) -> str:
        """Return the row's name for people: `bookings ref='AB12'`."""
        ...

    def plain(self, row: RowChange, image: str | None) -> Any:
        """Return an image of the row as plain data for people: column to value; None where there is no row."""
        ...


def restore(database: Database, rows: Sequence[RowChange]) -> None:
    """Make every row be as it was before the effect; the caller commits, or rolls back where this raises.

    `rows` are the net changes of the effect.

    Raises:
        ConflictError: a row is not as the effect left it, or restoring would change or break what others made.
    """
    _refuse_changed(database, rows)
    _put_all(database, _ordered(database, rows))
    _repair(database, rows)
    try:
        database.settle()
    except RefusedError as refused:
        raise _conflict(database, rows, f"the database refuses the rows as they were: {refused}") from refused
    _refuse_trampled(database, rows)


def shown(database: Database, rows: Sequence[RowChange]) -> tuple[Change, ...]:
    """Return the changes as people see them, with the rows as they are now."""
    return tuple(_shown(database, row, now) for row, now in zip(rows, database.read(rows), strict=True))


def _shown(database: Database, row: RowChange, now: str | None) -> Change:
    before, after = database.plain(row, row.before), database.plain(row, row.after)
    return Change(database.name(row), before, after, database.plain(row, now))


def _conflict(database: Database, rows: Sequence[RowChange], why: str) -> ConflictError:
    return ConflictError(f"{why}; nothing was taken back", shown(database, rows))


def _refuse_changed(database: Database, rows: Sequence[RowChange]) -> None:
    """Raise ConflictError where somebody changed a row since the effect."""
    read = zip(rows, database.read(rows), strict=True)
    changes = tuple(_shown(database, row, now) for row, now in read if now != row.after)
    if changes:
        names = _listed([change.object for change in changes])
        raise ConflictError(f"changed by somebody else since: {names}; nothing was taken back", changes)


def _ordered(database: Database, rows: Sequence[RowChange]) -> list[RowChange]:
    """Return rows that come (parents first), then those that change, then those that go (children first).

    What refers to a row that goes has then been turned to its former parent, so that no cascade finds it.
    """
    rank = {table: n for n, table in enumerate(database.parents_first([row.table for row in rows]))}
    come = [row for row in rows if row.after is None]
    go = [row for row in rows if row.before is None]
    change = [row for row in rows if row.after is not None and row.before is not None]
    for some in (come, change):
        some.sort(key=lambda row: rank[row.table])
    go.sort(key=lambda row: -rank[row.table])
    return [*come, *change, *go]


def _put_all(database: Database, rows: Sequence[RowChange]) -> None:
    """Put the rows; what is refused is tried again once the others are in place, until nothing moves."""
    cleared = False
    while rows:
        refused = _tried(database, rows)
        if len(refused) == len(rows):
            if cleared:
                reason = next(iter(refused.values()))
                raise _conflict(database, list(refused), f"the database refuses to restore: {reason}")
            _clear(database, rows)
            cleared = True
        rows = list(refused)


def _tried(database: Database, rows: Sequence[RowChange]) -> dict[RowChange, RefusedError]:
    refused: dict[RowChange, RefusedError] = {}
    for row in rows:
        try:
            database.put(row, row.before)
        except RefusedError as error:
            refused[row] = error
    return refused


def _clear(database: Database, rows: Sequence[RowChange]) -> None:
    """Take away rows that stand in each other's way (two that swapped a unique value); they come back at once."""
    for row in rows:
        with suppress(RefusedError):
            database.put(row, None)


def _repair(database: Database, rows: Sequence[RowChange]) -> None:
    """Put again what a cascade of the database has changed after it was in place, as long as that gets fewer."""
    off = _off(database, rows)
    while off:
        _put_all(database, off)
        left = _off(database, rows)
        if len(left) >= len(off):
            names = _listed([database.name(row) for row in left])
            raise _conflict(database, left, f"not as before after restoring: {names}")
        off = left


def _off(database: Database, rows: Sequence[RowChange]) -> list[RowChange]:
    return [row for row, now in zip(rows, database.read(rows), strict=True) if now != row.before]


def _refuse_trampled(database: Database, rows: Sequence[RowChange]) -> None:
    """Raise ConflictError where restoring changed more than the rows of the effect, or less."""
    planned = {(row.table, row.key): (row.after, row.before) for row in rows}
    done = {(row.table, row.key): row for row in database.captured()}
    foreign = tuple(row for at, row in done.items() if at not in planned)
    if foreign:
        names = _listed([database.name(row) for row in foreign])
        raise _conflict(database, foreign, f"restoring would change what somebody else made: {names}")
    off = [row for row in rows if (row.table, row.key) not in done]
    off += [row for at, row in done.items() if planned[at] != (row.before, row.after)]
    if off:
        names = _listed([database.name(row) for row in off])
        raise _conflict(database, off, f"not as before after restoring: {names}")


def _listed(names: Sequence[str]) -> str:
    """Return some names for a sentence."""
    more = len(names) - SHOWN
    return ", ".join(names[:SHOWN]) + (f" and {more} more" if more > 0 else "")
