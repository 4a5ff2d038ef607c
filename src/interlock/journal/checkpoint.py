"""Copies the write-ahead log into the file beside the writer, so that no commit waits for it."""

import sqlite3
from contextlib import suppress
from threading import Thread
from queue import SimpleQueue

CHECKPOINT_BYTES = 8 * 1024 * 1024
"""After how many bytes in the log, roughly, it is copied."""


class Checkpointer:
    """A thread that copies what the log holds at that moment; the writer finishes with the little that came meanwhile.

    SQLite starts its log over only when all of it was copied. Under a steady load a copy in the background never
    catches up, and one by the writer alone takes tens of milliseconds: the two together keep both short.
    """

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._logged = 0  # bytes since the last checkpoint, roughly
        self._running = False
        self._copied = False  # by the thread; the writer's turn
        self._work: SimpleQueue[bool] = SimpleQueue()  # False: end
        self._thread = Thread(target=self._run, name="journal checkpoint", daemon=True)
        self._thread.start()

    def committed(self, size: int, writing: sqlite3.Connection) -> None:
        """In the writer's thread, between two commits: note that *size* bytes were logged, and do what is due."""
        self._logged += size
        if self._copied:
            self._copied = self._running = False
            self._logged = 0
            copy_log(writing)
        elif self._logged > CHECKPOINT_BYTES and not self._running:
            self._running = True
            self._work.put(True)

    def close(self) -> None:
        """End the thread and close its connection; blocks until a copy under way is done."""
        self._work.put(False)
        self._thread.join()
        self._connection.close()

    def _run(self) -> None:
        while self._work.get():
            copy_log(self._connection)
            self._copied = True


def copy_log(connection: sqlite3.Connection) -> None:
    """Copy as much of the log as can be copied without waiting for anybody."""
    with suppress(sqlite3.Error):  # everything is safe in the log, and the next time may do better
        connection.execute("PRAGMA wal_checkpoint(PASSIVE)")
