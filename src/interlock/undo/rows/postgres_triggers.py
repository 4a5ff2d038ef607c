"""The application's own triggers: they don't fire a second time while rows are put back."""

from collections.abc import Generator, Sequence
from contextlib import contextmanager

from interlock.errors import InterlockError
from interlock.undo.rows.postgres_connections import Connection, asked
from interlock.undo.rows.postgres_forms import short

_ENABLE = {"O": "ENABLE", "R": "ENABLE REPLICA", "A": "ENABLE ALWAYS"}
"""How a trigger is brought back to a state of `pg_trigger.tgenabled`."""

_OTHERS = """
    SELECT c.oid::regclass::text, quote_ident(g.tgname), g.tgenabled::text,
        pg_has_role(c.relowner, 'USAGE')
    FROM pg_trigger g JOIN pg_class c ON c.oid = g.tgrelid
    WHERE c.oid = ANY (%s::regclass[]) AND NOT g.tgisinternal AND g.tgenabled <> 'D'
        AND g.tgname NOT IN ('interlock_row', 'interlock_truncate')
    ORDER BY c.oid, g.tgname
"""

_RIGHTS = """
    SELECT c.oid::regclass::text FROM pg_class c
    WHERE c.oid = ANY (%s::regclass[]) AND NOT (
        has_table_privilege(c.oid, 'SELECT') AND has_table_privilege(c.oid, 'INSERT')
        AND has_table_privilege(c.oid, 'UPDATE') AND has_table_privilege(c.oid, 'DELETE'))
"""


@contextmanager
def silent(connection: Connection, tables: Sequence[str]) -> Generator[None]:
    """Disable the application's triggers on the tables; in the end they are as they were.

    Those of foreign keys and our own stay. Writers of these tables wait until the end of the transaction. Where the
    block raises, the transaction is to be rolled back, which brings them back as well.

    Raises:
        InterlockError: the role may not do so, or may not write the tables; nothing was changed.
    """
    asking = asked(connection, f"{_OTHERS}; {_RIGHTS}", (list(tables), list(tables)))
    triggers = asking.fetchall()
    for table, trigger, _, owned in triggers:
        if not owned:
            raise InterlockError(
                f"the trigger {trigger} of {short(table)} would fire again, and only the table's owner may disable it;"
                " take the effect back in the owner's role"
            )
    asking.nextset()
    for (table,) in asking.fetchall():
        raise InterlockError(
            f"the role may not read and write {short(table)} freely; grant it the rights, and try again"
        )
    for table, trigger, _, _ in triggers:
        connection.execute(f"ALTER TABLE {table} DISABLE TRIGGER {trigger}".encode())
    yield
    for table, trigger, state, _ in triggers:
        connection.execute(f"ALTER TABLE {table} {_ENABLE[state]} TRIGGER {trigger}".encode())
