"""What the journal of a governed application says, read beside it; a bare one has none."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

from interlock import Redactor, SqliteStore
from interlock.journal.journal import Journal
from interlock.kernel import events as ev

MOST = 100_000
"""More events than any application here leaves."""


@asynccontextmanager
async def _opened(home: Path) -> AsyncGenerator[SqliteStore | None]:
    """Open an application's journal without becoming its driver; None where there is none."""
    path = home / "store" / "journal.db"
    if not path.exists():
        yield None
        return
    store = SqliteStore(path)
    try:
        yield store
    finally:
        await store.close()


async def events(home: Path) -> list[ev.Event]:
    """Return all that happened, in order."""
    async with _opened(home) as store:
        found = await Journal(store, Redactor()).feed(limit=MOST) if store else []
    return [one.event for one in found]


async def asked(home: Path) -> int:
    """Return how many questions were put to people."""
    return sum(isinstance(event, ev.Asked) for event in await events(home))


async def runs(home: Path) -> list[str]:
    """Return the ids of all runs: a framework's adapter may make them from the id that the application gives."""
    async with _opened(home) as store:
        return [row.id for row in await store.rows()] if store else []
