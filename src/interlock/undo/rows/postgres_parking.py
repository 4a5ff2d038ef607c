"""Rows that stand in each other's way: two that exchanged a unique value can't be given theirs back one by one."""

import secrets

from interlock.undo.rows.log import RowChange
from interlock.undo.rows.postgres_connections import Connection
from interlock.undo.rows.postgres_forms import Form, identifier

_UNIQUE = """
    SELECT DISTINCT a.attname, a.attnotnull, t.typcategory::text
    FROM pg_index i JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = ANY (i.indkey)
        JOIN pg_type t ON t.oid = a.atttypid
    WHERE i.indrelid = %s::regclass AND i.indisunique
"""


def park(connection: Connection, row: RowChange, form: Form) -> bool:
    """Give a row values out of the way where it is to change unique ones; return whether there were any.

    To delete it for a moment would do the same, and would take with it what refers to it.
    """
    before, after = form.values(row.before or ""), form.values(row.after or "") if row.after is not None else {}
    parked: dict[str, str | None] = {}
    for name, needed, category in connection.execute(_UNIQUE, (row.table,)):
        if name in form.key or name in form.fixed or name not in after or before[name] == after[name]:
            continue
        if not needed:
            parked[name] = None
        elif category == "N":
            parked[name] = str(-secrets.randbelow(30_000))  # fits in the smallest type
        elif category == "S":
            parked[name] = secrets.token_hex(8)
        else:
            return False
    if not parked:
        return False
    sets = ", ".join(f"{identifier(name)} = %s" for name in parked)
    table = row.table.replace("%", "%%")
    update = f"UPDATE ONLY {table} SET {sets} WHERE {form.where}"  # noqa: S608 - names of the catalogue, quoted
    connection.execute(update.encode(), [*parked.values(), *form.where_args(row.key)])
    return True
