"""Row triggers on one connection: they write every row that changes into a log in memory, exact values."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from interlock.undo.rows.log import RowChange
from interlock.undo.rows.sqlite_schema import ROWIDS, Query, Schema, Table, Unique, quoted
from interlock.undo.rows.sqlite_values import BadText, encode, key_of, rowid_key, rowid_of, slot, values_of

LOG = "interlock_log"
"""The log, a temporary table: number of the table, whether the row was (1) or came (0), its rowid, its values."""


def statements(schema: Schema) -> Iterator[str]:
    """Yield the SQL that makes the log and the triggers on all tables.

    TEMP triggers fire before those of the application on the same event, and the log tells of a row *what it was* when
    it was first touched; what it is in the end is read from the table itself. REPLACE deletes rows without a trigger
    that says so; therefore rows that a new one would displace are noted before it comes.
    """
    width = max((len(table.columns) for table in schema.tables.values()), default=0)
    columns = "".join(f", c{n}" for n in range(width))
    yield f"CREATE TEMP TABLE {LOG} (n INTEGER PRIMARY KEY, t, was, r{columns})"
    for table in schema.tables.values():
        name = f"CREATE TEMP TRIGGER interlock_{table.number}"
        on = f"ON main.{quoted(table.name)} FOR EACH ROW BEGIN"
        key = f"UPDATE OF {_names((*table.key, *ROWIDS))} {on}"
        yield f"{name}_came AFTER INSERT {on} {_came(table)} END"
        yield f"{name}_moved AFTER {key} {_came(table)} END"
        yield f"{name}_changed BEFORE UPDATE {on} {_was(table)} END"
        yield f"{name}_gone AFTER DELETE {on} {_was(table)} END"
        if _uniques(table):
            unique = f"UPDATE OF {_names((*_in_uniques(table), *table.key, *ROWIDS))} {on}"
            yield f"{name}_displaces BEFORE INSERT {on} {_displaced(table, update=False)} END"
            yield f"{name}_moves BEFORE {unique} {_displaced(table, update=True)} END"


def _names(columns: Iterable[str]) -> str:
    return ", ".join(map(quoted, dict.fromkeys(columns)))


def _in_uniques(table: Table) -> tuple[str, ...]:
    """Return the columns that decide what an updated row may displace."""
    plain = {quoted(column): column for column in table.columns}
    terms = [term for unique in table.uniques for term in unique.terms]
    simple = all(term in plain for term in terms) and not any(unique.where for unique in table.uniques)
    return tuple(plain[term] for term in terms) if simple else table.columns


def _was(table: Table) -> str:
    values = "".join(f", OLD.{quoted(column)}" for column in table.columns)
    return f"INSERT INTO {_log(table)} VALUES ({table.number}, 1, {_rowid(table, 'OLD')}{values});"  # noqa: S608 - quoted names


def _came(table: Table) -> str:
    """Return SQL that notes which row came; its values are read from the table in the end."""
    at = [n for n, column in enumerate(table.columns) if column in table.key]
    names = "".join(f", c{n}" for n in at)
    values = "".join(f", NEW.{quoted(table.columns[n])}" for n in at)
    return f"INSERT INTO {LOG} (t, was, r{names}) VALUES ({table.number}, 0, {_rowid(table, 'NEW')}{values});"  # noqa: S608 - quoted names


def _uniques(table: Table) -> tuple[Unique, ...]:
    return (*table.uniques, Unique((table.rowid,), ("BINARY",))) if table.rowid else table.uniques


def _displaced(table: Table, *, update: bool) -> str:
    return " ".join(_displaced_by(table, unique, update=update) for unique in _uniques(table))


def _displaced_by(table: Table, unique: Unique, *, update: bool) -> str:
    values = "".join(f", {quoted(column)}" for column in table.columns)
    terms = list(zip(unique.terms, unique.collations, strict=True))
    same = [f"({term}) COLLATE {quoted(collation)} = {_of(table, term, 'NEW')}" for term, collation in terms]
    if unique.where:
        same.append(f"({unique.where})")
    if update:
        moves = [f"{_of(table, term, 'NEW')} IS NOT {_of(table, term, 'OLD')}" for term in unique.terms]
        same.append(f"({' OR '.join(moves)})" if not unique.where else "1")
    return (
        f"INSERT INTO {_log(table)} SELECT {table.number}, 1, {table.rowid or 'NULL'}{values}"  # noqa: S608 - quoted names
        f" FROM main.{quoted(table.name)} WHERE {' AND '.join(same)};"
    )


def _of(table: Table, term: str, row: str) -> str:
    """Return a term of an index for the row that comes or goes: a column, the rowid, or an expression over them."""
    if term == table.rowid or term in map(quoted, table.visible):
        return f"{row}.{term}"
    columns = ", ".join(f"{row}.{quoted(column)} AS {quoted(column)}" for column in table.visible)
    return f"(SELECT {term} FROM (SELECT {columns}) AS {quoted(table.name)})"  # noqa: S608 - quoted names


def _log(table: Table) -> str:
    return f"{LOG} (t, was, r{''.join(f', c{n}' for n in range(len(table.columns)))})"


def _rowid(table: Table, row: str) -> str:
    return f"{row}.{table.rowid}" if table.rowid else "NULL"


def net(query: Query, schema: Schema) -> tuple[RowChange, ...]:
    """Return the net of what the log holds: each row as it was when first touched, and as it is now."""
    by_number = {table.number: table for table in schema.tables.values()}
    first: dict[tuple[str, str], str | None] = {}
    for entry in query(f"SELECT * FROM {LOG} ORDER BY n"):  # noqa: S608 - quoted names
        table = by_number[entry[1]]
        values = entry[4 : 4 + len(table.columns)]
        row = (table.name, row_key(table, entry[3], values))
        if row not in first:
            first[row] = encode(table.columns, values) if entry[2] else None
    rows = ((name, key, before, read_row(query, schema.tables[name], key)) for (name, key), before in first.items())
    return tuple(RowChange(name, key, before, after) for name, key, before, after in rows if before != after)


def row_key(table: Table, rowid: int | None, values: Sequence[Any]) -> str:
    """Return the key of a row: its primary key; where it has none, or a NULL in it, its rowid."""
    key = [values[n] for n in table.key_at]
    if key and None not in key:
        return key_of(key)
    assert rowid is not None  # a table without rowids has no NULL in its primary key
    return rowid_key(rowid)


def read_row(query: Query, table: Table, key: str) -> str | None:
    """Return the image of a row as it is now, None where it is not there."""
    where, values = located(table, key)
    for found in query(f"{table.select} WHERE {where}", *values):
        if row_key(table, found[0], found[1:]) == key:  # 1 and 1.0, `a` and `A` may be the same for SQLite; not here
            return encode(table.columns, found[1:])
    return None


def located(table: Table, key: str) -> tuple[str, list[Any]]:
    """Return the condition that finds a row by its key, and what is bound in it."""
    rowid = rowid_of(key)
    if rowid is not None:
        return f"{table.rowid} = ?", [rowid]
    values = values_of(key)
    if BadText not in map(type, values):
        return table.where, values
    terms = (f"{quoted(column)} = {slot(value)}" for column, value in zip(table.key, values, strict=True))
    return " AND ".join(terms), values
