"""Stores to test with."""

import pytest

from interlock.journal.memory import MemoryStore
from interlock.journal.sqlite import SqliteStore


@pytest.fixture
def path(tmp_path):
    """Where a test's SQLite journal is."""
    return str(tmp_path / "journal.db")


@pytest.fixture
async def sqlite_store(path):
    store = SqliteStore(path)
    yield store
    await store.close()


@pytest.fixture(params=["sqlite", "memory"])
async def store(request, path):
    """Each store in turn: they keep one contract."""
    store = SqliteStore(path) if request.param == "sqlite" else MemoryStore()
    yield store
    await store.close()
