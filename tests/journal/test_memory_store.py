"""What only the store in memory does."""

import pytest
from journal_helpers import everything, more, write

from interlock.errors import StaleWriterError
from interlock.journal.memory import MemoryStore
from interlock.journal.verification import verify


async def test_a_fork_is_what_a_crash_leaves():
    """It has all that was acknowledged and no driver, and goes its own way from there."""
    store = MemoryStore()
    await write(store)
    number = await store.signal("r1", "m", b"", 1, "token")
    await store.drive("first")
    twin = store.fork()
    await twin.drive("second")
    assert await everything(twin) == await everything(store)
    await store.append(more("r1", 4, consumes=[number]))
    assert [signal.id for signal in await twin.signals()] == [number]
    assert await twin.claim("r1") == 2
    with pytest.raises(StaleWriterError):
        await twin.append(more("r1", 4))
    await twin.append(more("r1", 4, epoch=2))
    assert (await store.row("r1")).epoch == 1
    assert (await verify(store)).ok
    assert (await verify(twin)).ok


async def test_a_fork_of_a_closed_store_is_open():
    """The data outlives the process that wrote it."""
    store = MemoryStore()
    await write(store)
    await store.close()
    assert len(await everything(store.fork())) == 8
