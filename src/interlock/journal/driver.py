"""Which process drives a journal's runs: a lock that the operating system drops when its holder dies."""

import sqlite3

from interlock.journal.connection import Connect


class DriverLock:
    """A tiny SQLite database beside the journal, `PATH-driver`, its write transaction held open as the lock.

    SQLite's locks are the operating system's on every platform, hold between two stores of one process too,
    and are gone at the instant of a kill -9. The database stays empty: who holds the lock is written in the
    journal.
    """

    def __init__(self, path: str, connect: Connect) -> None:
        self._connection = connect(f"{path}-driver")
        try:
            self.taken = self._take()  # False where another store has it
        except BaseException:
            self.close()
            raise

    def _take(self) -> bool:
        self._connection.execute("PRAGMA busy_timeout = 0")
        try:
            self._connection.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY:
                raise
            return False
        return True

    def close(self) -> None:
        """Give the lock back."""
        self._connection.close()
