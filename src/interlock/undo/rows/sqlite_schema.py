"""The tables of a SQLite database: what identifies their rows, what they refer to, what must be unique in them."""

from collections.abc import Callable, Sequence
from typing import Any

from msgspec import Struct

from interlock.undo.rows.sqlite_index import parts

Query = Callable[..., list[Any]]
"""Runs a query with parameters and returns its rows."""

ROWIDS = ("rowid", "_rowid_", "oid")
"""What the rowid of a row is called, unless a column is."""


class Unique(Struct, frozen=True):
    """What must be unique: terms (SQL over the columns), their collations, and for which rows (SQL, empty: all)."""

    terms: tuple[str, ...]
    collations: tuple[str, ...]
    where: str = ""


class Reference(Struct, frozen=True):
    """A foreign key of `table`: its columns, and the columns of the parent that they name, which may be of itself.

    `exact` has for each of them the type of values that stand in the parent exactly as in the child; it is empty where
    they are not the parent's primary key, or may be the same for SQLite in another form.
    """

    table: str
    columns: tuple[str, ...]
    parent: str
    parent_columns: tuple[str, ...]
    collations: tuple[str, ...]
    exact: tuple[type, ...]


class Table(Struct, frozen=True):
    """One table that is captured.

    `visible` are all its columns, `columns` those that hold values of their own (the others are computed); `rowid` is
    how its rowid is called, empty where it has none. `key_at` is where the primary key is in the columns; `select`
    reads the rowid and the columns, `where` finds a row by its primary key.
    """

    number: int
    name: str
    columns: tuple[str, ...]
    visible: tuple[str, ...]
    key: tuple[str, ...]
    rowid: str
    uniques: tuple[Unique, ...]
    references: tuple[Reference, ...]
    key_at: tuple[int, ...]
    select: str
    where: str


class Schema(Struct, frozen=True):
    """All of it. `fingerprint` changes with the tables and indexes, not with the triggers."""

    fingerprint: int
    tables: dict[str, Table]
    views: frozenset[str]
    uncovered: dict[str, str]
    referring: dict[str, tuple[Reference, ...]]


def quoted(name: str) -> str:
    """Return a name as an SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


def fingerprint(query: Query) -> int:
    """Return what tells two states of the tables and indexes apart."""
    return hash(tuple(query("SELECT type, name, tbl_name, sql FROM main.sqlite_master WHERE type <> 'trigger'")))


def read_schema(query: Query) -> Schema:
    """Return the schema of the database as it is now."""
    tables: dict[str, Table] = {}
    views: set[str] = set()
    uncovered: dict[str, str] = {}
    for name, kind in query("SELECT name, type FROM pragma_table_list WHERE schema = 'main' ORDER BY name"):
        if name.lower().startswith(("sqlite_", "interlock_")):
            continue
        if kind == "view":
            views.add(name)
        elif kind != "table":
            uncovered[name] = "a virtual table keeps its rows where no trigger sees them"
        else:
            table = _table(query, name, len(tables))
            if table is None:
                uncovered[name] = "its columns hide the rowid of its rows under all of its names"
            else:
                tables[name] = table
    referring: dict[str, tuple[Reference, ...]] = {}
    for table in tables.values():
        for reference in table.references:
            referring[reference.parent] = (*referring.get(reference.parent, ()), reference)
    return Schema(fingerprint(query), tables, frozenset(views), uncovered, referring)


def _table(query: Query, name: str, number: int) -> Table | None:
    columns = query("SELECT name, pk, hidden FROM pragma_table_xinfo(?, 'main') ORDER BY cid", name)
    visible = tuple(column for column, _, _ in columns)
    stored = tuple(column for column, _, hidden in columns if hidden == 0)
    key = tuple(column for _, column in sorted((pk, column) for column, pk, _ in columns if pk))
    ((without_rowid,),) = query("SELECT wr FROM pragma_table_list WHERE schema = 'main' AND name = ?", name)
    taken = {column.lower() for column in visible}
    rowid = "" if without_rowid else next((one for one in ROWIDS if one not in taken), None)
    if rowid is None:
        return None
    columns_sql = "".join(f", {quoted(column)}" for column in stored)
    return Table(
        *(number, name, stored, visible, key, rowid, _uniques(query, name), _references(query, name)),
        key_at=tuple(stored.index(column) for column in key),
        select=f"SELECT {rowid or 'NULL'}{columns_sql} FROM main.{quoted(name)}",  # noqa: S608 - quoted names
        where=" AND ".join(f"{quoted(column)} = ?" for column in key),
    )


def _uniques(query: Query, table: str) -> tuple[Unique, ...]:
    names = query("SELECT name FROM pragma_index_list(?, 'main') WHERE \"unique\" ORDER BY seq", table)
    return tuple(_unique(query, name) for (name,) in names)


def _unique(query: Query, index: str) -> Unique:
    terms = query("SELECT name, coll FROM pragma_index_xinfo(?, 'main') WHERE key ORDER BY seqno", index)
    texts = query("SELECT sql FROM main.sqlite_master WHERE type = 'index' AND name = ? AND sql IS NOT NULL", index)
    written, where = parts(texts[0][0]) if texts else ((), "")  # those of a table's own constraints have no text
    shown = [written[n] if name is None else quoted(name) for n, (name, _) in enumerate(terms)]
    return Unique(tuple(shown), tuple(collation for _, collation in terms), where)


def _references(query: Query, table: str) -> tuple[Reference, ...]:
    found: dict[int, list[tuple[str, str, str | None]]] = {}
    ask = 'SELECT id, "table", "from", "to" FROM pragma_foreign_key_list(?, \'main\') ORDER BY id, seq'
    for number, parent, column, target in query(ask, table):
        found.setdefault(number, []).append((parent, column, target))
    references = (_reference(query, table, some) for some in found.values())
    return tuple(reference for reference in references if reference is not None)


def _reference(query: Query, table: str, pairs: Sequence[tuple[str, str, str | None]]) -> Reference | None:
    """Return a foreign key, None where its parent does not exist: nothing can be said of it then."""
    parents = query("SELECT name FROM pragma_table_list WHERE schema = 'main' AND lower(name) = lower(?)", pairs[0][0])
    if not parents:
        return None
    ((parent,),) = parents
    columns = query("SELECT name, pk, type FROM pragma_table_xinfo(?, 'main')", parent)
    by_name = {column.lower(): column for column, _, _ in columns}
    primary = [column for _, column in sorted((pk, column) for column, pk, _ in columns if pk)]
    named = [by_name.get(target.lower()) for _, _, target in pairs if target is not None] or primary
    if None in named or len(named) != len(pairs):
        return None
    targets = tuple(column for column in named if column is not None)
    own = {column.lower(): column for (column,) in query("SELECT name FROM pragma_table_xinfo(?, 'main')", table)}
    collation = _collations(query, parent)
    children = tuple(own[column.lower()] for _, column, _ in pairs)
    collations = tuple(collation.get(one, "BINARY") for one in targets)
    types = {column: _exact(kind) for column, _, kind in columns}
    exact = tuple(kind for kind in map(types.get, targets) if kind is not None)
    if list(targets) != primary or len(exact) != len(targets) or set(collations) != {"BINARY"}:
        exact = ()
    return Reference(table, children, parent, targets, collations, exact)


def _exact(declared: str) -> type | None:
    """Return the type of which a column of a declared type holds each value as it is (datatype3.html, 3.1)."""
    upper = declared.upper()
    if "INT" in upper:
        return int
    return str if any(part in upper for part in ("CHAR", "CLOB", "TEXT")) else None


def _collations(query: Query, table: str) -> dict[str, str]:
    """Return by which collation the columns of a table that are in a unique index are compared."""
    ask = (
        "SELECT x.name, x.coll FROM pragma_index_list(?, 'main') AS i, pragma_index_xinfo(i.name, 'main') AS x"
        ' WHERE i."unique" AND x.key AND x.name IS NOT NULL'
    )
    return dict(query(ask, table))
