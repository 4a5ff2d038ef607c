"""Opening a journal's file with SQLite, and saying in our own words what SQLite could not do."""

import os
import sqlite3
import time
from collections.abc import Callable

from interlock.errors import JournalCorruptError, JournalError, JournalUnavailableError
from interlock.journal.migrations import schema_of

BUSY_SECONDS = 5.0
"""How long a statement waits for a lock that another process holds before we give up."""

Connect = Callable[[str], sqlite3.Connection]

_ADVICE = {
    sqlite3.SQLITE_FULL: "the disk is full; free some space and try again",
    sqlite3.SQLITE_BUSY: f"another process kept it locked for {BUSY_SECONDS:g} s; find it, then try again",
    sqlite3.SQLITE_LOCKED: "another connection kept it locked; try again",
    sqlite3.SQLITE_READONLY: "the file or its directory is read-only; grant the right to write",
    sqlite3.SQLITE_CANTOPEN: "it can't be opened; check that its directory exists and is writable",
    sqlite3.SQLITE_IOERR: "the disk reported an error; check it, then open the journal again",
    sqlite3.SQLITE_PERM: "this user may not open it; grant the right",
}
_CORRUPT = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}


def connect(path: str) -> sqlite3.Connection:
    """Return a plain connection to *path* in autocommit mode that may be used from any thread."""
    return sqlite3.connect(path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False)


def explain(error: Exception, path: str) -> JournalError:
    """Return SQLite's *error* about *path* as one of ours, which says what to do."""
    code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF
    if code in _CORRUPT:
        return JournalCorruptError(
            f"{path} is damaged or not a journal ({error}); keep a copy, run `interlock verify`, restore a backup"
        )
    advice = _ADVICE.get(code, "SQLite refused; nothing of this was kept")
    return JournalUnavailableError(f"{path}: {advice} ({error})")


def open_writer(path: str, connect: Connect) -> sqlite3.Connection:
    """Return a connection to *path* that commits durably, creating the file where there is none."""
    connection = connect(path)
    try:
        schema_of(connection, path)  # before the first change: somebody else's file stays as it is
        _use_wal(connection, path)
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA cache_size = -65536")
        connection.execute("PRAGMA wal_autocheckpoint = 0")  # the writer does it, after its waiters were told
    except BaseException:
        connection.close()
        raise
    return connection


def open_reader(path: str, connect: Connect) -> sqlite3.Connection:
    """Return a connection to *path* that never writes."""
    connection = connect(path)
    connection.execute("PRAGMA query_only = ON")
    connection.execute("PRAGMA cache_size = -16384")
    return connection


def _use_wal(connection: sqlite3.Connection, path: str) -> None:
    """Switch to WAL; SQLite does not wait, whatever its timeout, while another process does so."""
    deadline = time.monotonic() + BUSY_SECONDS
    while True:
        try:
            (mode,) = connection.execute("PRAGMA journal_mode = WAL").fetchone()
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                raise
            time.sleep(0.01)
            continue
        if mode != "wal":
            raise JournalUnavailableError(
                f"{path}: SQLite's WAL does not work on this file system; put the journal on a local disk"
            )
        return


def refuse_odd(path: str) -> None:
    """Refuse the paths that SQLite would take for something else than a file.

    Raises:
        JournalUnavailableError: it is empty, `:memory:` or a directory.
    """
    if path in {"", ":memory:"}:
        raise JournalUnavailableError(f"{path!r} is no path of a file; use MemoryStore for a journal in memory")
    if os.path.isdir(path):  # noqa: PTH112  # the path is a string all the way to SQLite
        raise JournalUnavailableError(f"{path} is a directory; give the path of a file in it")
