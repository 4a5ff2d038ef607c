"""What is kept of effects, in the database itself: `interlock_effects` and `interlock_rows`."""

import time
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec
from msgspec import Struct

from interlock.actions.context import Ctx
from interlock.actions.way import Found, LostError, Touched
from interlock.undo.rows.log import RowChange, named
from interlock.undo.rows.sqlite_capture import row_key
from interlock.undo.rows.sqlite_handle import Handle
from interlock.undo.rows.sqlite_pool import LAYOUT
from interlock.undo.rows.sqlite_schema import Reference, Schema, quoted
from interlock.undo.rows.sqlite_values import decode, key_of, slot

_touched = msgspec.json.Decoder(Touched)


class Effect(Struct, frozen=True):
    """The effect that is written down."""

    ctx: Ctx[Any]
    action: str
    result: bytes
    touched: Touched
    kept_until: int


def now() -> int:
    """Return the time in microseconds since the epoch."""
    return time.time_ns() // 1000


def found(handle: Handle, key: str) -> Found | None:
    """Return what is known of an effect."""
    rows = handle.rows("SELECT result, touched FROM main.interlock_effects WHERE key = ?", key)
    return Found(rows[0][0], _touched.decode(rows[0][1])) if rows else None


def write(handle: Handle, effect: Effect, rows: Sequence[RowChange]) -> None:
    """Write an effect down, with the rows that it changed."""
    ctx = effect.ctx
    handle.own(
        "INSERT INTO main.interlock_effects (key, run, action, at, layout, result, touched, undoes, kept_until)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        *(ctx.key, ctx.run, effect.action, now(), LAYOUT, effect.result),
        *(msgspec.json.encode(effect.touched), ctx.undoes, effect.kept_until),
    )
    handle.own_many(
        "INSERT INTO main.interlock_rows VALUES (?, ?, ?, ?, ?, ?)",
        ((ctx.key, n, row.table, row.key, row.before, row.after) for n, row in enumerate(rows)),
    )


def kept(handle: Handle, schema: Schema, key: str) -> tuple[RowChange, ...]:
    """Return the rows that an effect changed.

    Raises:
        LostError: they are gone, have been taken back, or belong to tables of another form.
    """
    ask = "SELECT layout, purged, undone_by, kept_until FROM main.interlock_effects WHERE key = ?"
    effects = handle.rows(ask, key)
    if not effects:
        raise LostError(f"nothing is kept of an effect {key!r}; it was carried out elsewhere, or not at all")
    ((layout, purged, undone_by, until),) = effects
    if layout > LAYOUT:
        raise LostError(f"a newer Interlock kept what effect {key!r} changed; take it back with that one")
    if undone_by:
        raise LostError(f"effect {key!r} was taken back already, under the key {undone_by!r}")
    if purged:
        when = datetime.fromtimestamp(until / 1_000_000, UTC).isoformat(sep=" ", timespec="seconds")
        raise LostError(f"its before-images were kept until {when}; it can't be taken back exactly any more")
    rows = handle.rows('SELECT "table", "key", before, after FROM main.interlock_rows WHERE effect = ? ORDER BY n', key)
    changes = tuple(RowChange(*row) for row in rows)
    _refuse_altered(schema, changes)
    return changes


def _refuse_altered(schema: Schema, rows: Sequence[RowChange]) -> None:
    for row in rows:
        table = schema.tables.get(row.table)
        if table is None:
            raise LostError(f"table {row.table!r} is gone; what was changed in it can't be taken back exactly")
        columns = tuple(decode(row.before or row.after or "{}"))
        if columns != table.columns:
            raise LostError(
                f"table {row.table!r} was altered since: it had the columns {', '.join(columns)} and now has"
                f" {', '.join(table.columns)}; what was changed in it can't be taken back exactly"
            )


def purge(handle: Handle) -> int:
    """Delete the rows of effects whose time has come; return of how many effects."""
    which = "kept_until < ? AND NOT purged"
    at = now()
    handle.own(
        f"DELETE FROM main.interlock_rows WHERE effect IN (SELECT key FROM main.interlock_effects WHERE {which})",  # noqa: S608 - quoted names
        at,
    )
    return handle.own(f"UPDATE main.interlock_effects SET purged = 1 WHERE {which}", at).rowcount  # noqa: S608 - a constant


def touched(handle: Handle, schema: Schema, way: str, rows: Sequence[RowChange]) -> Touched:
    """Return the names of the rows that were written, and of those that they refer to."""
    wrote = {(row.table, row.key): None for row in rows}
    pointers: dict[tuple[Any, ...], Reference] = {}
    for row in rows:
        references = schema.tables[row.table].references
        for image in (row.before, row.after) if references else ():
            values = decode(image) if image else {}
            for reference in references if values else ():
                pointer = (reference.parent, reference.parent_columns, *(values[one] for one in reference.columns))
                pointers[pointer] = reference
    read = (
        (reference.parent, key)
        for (_, _, *values), reference in pointers.items()
        for key in _parents(handle, schema, reference, values)
    )
    return Touched(named(way, wrote), named(way, (one for one in read if one not in wrote)))


def _parents(handle: Handle, schema: Schema, reference: Reference, values: Sequence[Any]) -> Sequence[str]:
    """Return the keys of the row, if any, that is referred to by the values."""
    parent = schema.tables.get(reference.parent)
    if None in values or parent is None:
        return ()
    if tuple(map(type, values)) == reference.exact:
        return (key_of(values),)
    terms = (f"{quoted(one)} = {slot(value)}" for one, value in zip(reference.parent_columns, values, strict=True))
    found = handle.rows(f"{parent.select} WHERE {' AND '.join(terms)}", *values)
    return [row_key(parent, row[0], row[1:]) for row in found]
