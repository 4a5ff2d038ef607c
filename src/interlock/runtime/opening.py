"""Opening the journal that a runtime is given."""

import os

from interlock.errors import DeclarationError
from interlock.journal.store import Store


async def opened(where: "str | os.PathLike[str] | Store") -> Store:
    """Return the store of a journal: the one that is given, the SQLite file at a path, or one in memory.

    Raises:
        DeclarationError: the place is none that a journal can live in.
        JournalError: the file can't be opened.
    """
    if not isinstance(where, (str, os.PathLike)):
        return where
    path = os.fspath(where)
    if path == ":memory:":
        from interlock.journal.memory import MemoryStore  # noqa: PLC0415 - only who uses a store pays for its import

        return MemoryStore()
    if "://" in path:
        raise DeclarationError(f"{path!r}: journals live in a SQLite file, ':memory:' or a store object; give a path")
    from interlock.journal.sqlite import SqliteStore  # noqa: PLC0415 - the same

    return SqliteStore(path)
