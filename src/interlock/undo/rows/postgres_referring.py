"""Which rows a violated foreign key speaks of."""

from collections.abc import Mapping
from typing import Any

import msgspec
import psycopg
from msgspec import Struct

from interlock.undo.rows.postgres_connections import Connection
from interlock.undo.rows.postgres_forms import identifier

SOME = 5
"""How many rows are looked for."""

_CONSTRAINT = """
    SELECT format('%%I.%%I', fn.nspname, fc.relname), interlock.names_of(f.conrelid, f.conkey)::text,
        format('%%I.%%I', pn.nspname, pc.relname), interlock.names_of(f.confrelid, f.confkey)::text
    FROM pg_constraint f
        JOIN pg_class fc ON fc.oid = f.conrelid JOIN pg_namespace fn ON fn.oid = fc.relnamespace
        JOIN pg_class pc ON pc.oid = f.confrelid JOIN pg_namespace pn ON pn.oid = pc.relnamespace
    WHERE f.contype = 'f' AND f.conname = %s AND fc.relname = %s AND fn.nspname = %s
"""


class Referring(Struct, frozen=True):
    """Rows of a table that refer to one that is not there, or would go: their texts."""

    table: str
    texts: tuple[str, ...]


def referring(
    connection: Connection, error: psycopg.Error, values: Mapping[str, str | None] | None = None
) -> Referring | None:
    """Return the rows that an error of a foreign key is about, None where it is about something else.

    `values` are those of the row that was to go; without them, rows are returned that refer to nothing.
    """
    said = error.diag
    known = connection.execute(_CONSTRAINT, (said.constraint_name, said.table_name, said.schema_name)).fetchone()
    if known is None:
        return None
    table, columns, parent, there = known[0], _names(known[1]), known[2], _names(known[3])
    if values is not None and not set(there) <= set(values):
        return None
    pairs = list(zip(columns, there, strict=True))
    where = " AND ".join(f"c.{identifier(column)} = %s" for column, _ in pairs)
    args: list[Any] = [values[name] for name in there] if values is not None else []
    if values is None:
        same = " AND ".join(f"p.{identifier(name)} = c.{identifier(column)}" for column, name in pairs)
        whole = " AND ".join(f"c.{identifier(column)} IS NOT NULL" for column in columns)
        where = f"{whole} AND NOT EXISTS (SELECT FROM {_doubled(parent)} p WHERE {same})"
    ask = f"SELECT (c.*)::text FROM {_doubled(table)} c WHERE {where} LIMIT {SOME}"  # noqa: S608 - quoted
    return Referring(table, tuple(text for (text,) in connection.execute(ask.encode(), args)))


def _names(text: str) -> list[str]:
    return msgspec.json.decode(text, type=list[str])


def _doubled(sql: str) -> str:
    return sql.replace("%", "%%")
