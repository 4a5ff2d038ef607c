"""What Interlock puts into a PostgreSQL database, and whether it is there."""

from importlib.resources import files
from typing import Any

from interlock.errors import InterlockError
from interlock.undo.rows.postgres_connections import Connection

LAYOUT = 1
"""The version of the schema `interlock` that this code reads and writes."""


def install(connection: Connection, schemas: tuple[str, ...], roles: tuple[str, ...]) -> tuple[str, ...]:
    """Make the schema `interlock`, or bring it up to date, and cover the ordinary tables of the schemas.

    Returns the tables that can't be covered.

    Raises:
        InterlockError: a newer Interlock has installed its own.
    """
    with connection.transaction():
        connection.execute("SELECT pg_advisory_xact_lock(hashtextextended('interlock.install', 7))")
        installed = version(connection)
        if installed > LAYOUT:
            raise InterlockError(_newer(installed))
        script = files("interlock.undo.rows").joinpath("postgres.sql").read_bytes()
        connection.execute("SET LOCAL check_function_bodies = off")  # some functions call others that come later
        connection.execute(script)
        connection.execute("DELETE FROM interlock.layout")
        connection.execute("INSERT INTO interlock.layout VALUES (%s)", (LAYOUT,))
        for role in roles:
            _grant(connection, role)
        said = connection.execute("SELECT interlock.cover(%s)", (list(schemas),)).fetchone()
        assert said is not None
        return tuple(said[0])


def check(connection: Connection) -> None:
    """Look whether effects can be captured.

    Raises:
        InterlockError: Interlock is not installed, or by another version than this one.
    """
    installed = version(connection)
    if installed > LAYOUT:
        raise InterlockError(_newer(installed))
    if installed < LAYOUT:
        known = "an older version of Interlock is installed" if installed else "Interlock is not installed"
        raise InterlockError(f"{known} in this database; call install once, in a role that owns the tables")


def version(connection: Connection) -> int:
    """Return the version of what is installed, 0 where nothing is."""
    if _one(connection, "SELECT to_regclass('interlock.layout')") is None:
        return 0
    return int(_one(connection, "SELECT coalesce(max(version), 0) FROM interlock.layout"))


def _newer(installed: int) -> str:
    return f"a newer Interlock is installed in this database (layout {installed}, here {LAYOUT}); upgrade this one"


def _grant(connection: Connection, role: str) -> None:
    name = _one(connection, "SELECT quote_ident(%s)", role)
    connection.execute(f"GRANT SELECT, UPDATE, DELETE ON ALL TABLES IN SCHEMA interlock TO {name}".encode())


def _one(connection: Connection, query: str, *args: Any) -> Any:
    row = connection.execute(query.encode(), args or None).fetchone()
    assert row is not None
    return row[0]
