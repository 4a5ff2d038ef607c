"""Brings a file's schema up to this version, in order and in one transaction, or says why not."""

import os
import sqlite3
from collections.abc import Callable, Sequence
from importlib.resources import files

from interlock.errors import JournalCorruptError, JournalVersionError

APPLICATION_ID = 0x494C4B4A
"""`ILKJ`, in the file's header: tells a journal from any other SQLite file."""

Step = Callable[[sqlite3.Connection], None]


def create(connection: sqlite3.Connection) -> None:
    """Make the tables of schema 1 and give the journal its identity."""
    script = files("interlock.journal").joinpath("schema.sql").read_text("utf-8")
    for statement in script.split(";\n"):
        connection.execute(statement)
    connection.execute("INSERT INTO journal (identity) VALUES (?)", (os.urandom(16).hex(),))


def find_conversations(connection: sqlite3.Connection) -> None:
    """Schema 2: the runs of a conversation are found without looking at all runs."""
    connection.execute("CREATE INDEX runs_conversation ON runs (conversation) WHERE conversation IS NOT NULL")


def find_users(connection: sqlite3.Connection) -> None:
    """Schema 3: the runs of a user are found without looking at all runs."""
    connection.execute("CREATE INDEX runs_user ON runs (user) WHERE user IS NOT NULL")


STEPS: tuple[Step, ...] = (create, find_conversations, find_users)
"""Step n (from 0) takes a file from schema n to schema n + 1; a step is never edited once it was released."""


def migrate(connection: sqlite3.Connection, path: str, steps: Sequence[Step] = STEPS) -> None:
    """Bring the file behind *connection* to the newest schema; other processes may be doing the same.

    Raises:
        JournalVersionError: the file's schema is newer than the steps; nothing was changed.
        JournalCorruptError: the file is a SQLite database, but not a journal; nothing was changed.
    """
    if schema_of(connection, path, len(steps)) == len(steps):
        return
    connection.execute("BEGIN IMMEDIATE")
    try:
        for step in steps[schema_of(connection, path, len(steps)) :]:
            step(connection)
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        connection.execute(f"PRAGMA user_version = {len(steps)}")
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def schema_of(connection: sqlite3.Connection, path: str, newest: int = len(STEPS)) -> int:
    """Return which schema the file behind *connection* has, 0 for an empty file, without touching it.

    Raises:
        JournalVersionError: the schema is newer than *newest*.
        JournalCorruptError: the file is a SQLite database, but not a journal.
    """
    (application,) = connection.execute("PRAGMA application_id").fetchone()
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    (tables,) = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    if application != APPLICATION_ID and (application or version or tables):
        raise JournalCorruptError(
            f"{path} is a SQLite database, but not a journal of Interlock; give another path, nothing was changed"
        )
    if version > newest:
        raise JournalVersionError(
            f"{path} has schema {version} and this Interlock knows schemas up to {newest}; "
            "upgrade Interlock, nothing was changed"
        )
    return version
