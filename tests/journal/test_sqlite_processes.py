"""Several processes on one journal, and the death of one by kill -9 at any instant."""

import asyncio
import os
import random
import sys
from asyncio.subprocess import PIPE
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from journal_helpers import draft, everything, more, start, write

from interlock.errors import DriverConflictError, JournalUnavailableError, StaleWriterError
from interlock.journal.sqlite import SqliteStore
from interlock.journal.verification import verify

HERE = Path(__file__).parent
SOURCE = HERE.parent.parent / "src"


@asynccontextmanager
async def worker(*words):
    """Run `journal_worker.py` and kill it at the end, whatever it does."""
    environment = os.environ | {"PYTHONPATH": f"{SOURCE}{os.pathsep}{HERE}"}
    process = await asyncio.create_subprocess_exec(
        sys.executable, HERE / "journal_worker.py", *map(str, words), stdout=PIPE, env=environment
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


async def lines(process) -> list[str]:
    out, _ = await process.communicate()
    assert process.returncode == 0
    return out.decode().splitlines()


async def test_many_processes_append_to_one_journal(path):
    """Each with its own writer thread: no gap, no event twice, one chain."""
    store = SqliteStore(path)
    async with worker(path, "append", "a", 10, 30) as one, worker(path, "append", "b", 10, 30) as two:
        for seq in range(200):
            await store.append(start("mine") if seq == 0 else more("mine", seq))
        assert len(await lines(one)) == len(await lines(two)) == 300
    rows = await everything(store)
    assert [row.position for row in rows] == list(range(1, 801))
    report = await verify(store)
    assert report.ok
    assert report.runs == 21
    await store.close()


async def test_another_process_s_signals_and_claims_are_seen(path):
    """They move the journal; signals leave the run's writer valid, a claim does not."""
    store = SqliteStore(path)
    await write(store, ["r1"], 1)
    assert not await store.moved()
    async with worker(path, "signal", "r1", 25) as process:
        seq = 1
        while process.returncode is None and seq < 100:
            await store.append(more("r1", seq))
            seq += 1
            await asyncio.sleep(0.002)
        ids = [int(line) for line in await lines(process)]
    assert await store.moved()
    assert not await store.moved()
    assert [signal.id for signal in await store.signals(run="r1")] == ids
    await store.append(more("r1", seq, consumes=ids))
    assert await store.signals() == []
    async with worker(path, "claim", "r1", 2) as process:
        assert await lines(process) == ["2", "3"]
    with pytest.raises(StaleWriterError, match="epoch is 3"):
        await store.append(more("r1", seq + 1))
    assert await store.append(more("r1", seq + 1, epoch=3)) == seq + 2
    await store.close()


async def test_two_stores_of_one_process_are_two_writers(path):
    """They see each other's events as another process's."""
    one, two = SqliteStore(path), SqliteStore(path)
    await one.append(start("r1"))
    assert await two.moved()
    assert await two.append(more("r1", 1)) == 2
    with pytest.raises(StaleWriterError):
        await one.append(more("r1", 1))
    assert await one.append(more("r1", 2)) == 3
    assert (await verify(two)).ok
    await one.close()
    await two.close()


async def test_opening_a_new_journal_from_many_processes_at_once(path):
    """All find the same one."""
    async with (
        worker(path, "append", "a", 1, 1) as one,
        worker(path, "append", "b", 1, 1) as two,
        worker(path, "append", "c", 1, 1) as three,
    ):
        await asyncio.gather(lines(one), lines(two), lines(three))
    store = SqliteStore(path)
    assert {row.id for row in await store.rows()} == {"a0", "b0", "c0"}
    assert (await verify(store)).ok
    await store.close()


class TestDriver:
    async def test_one_process_drives_until_it_is_killed(self, path):
        """The second is refused with the first one's name; right after kill -9 of the first it may."""
        async with worker(path, "drive", "worker on host seven") as first:
            assert await first.stdout.readline() == b"driving\n"
            store = SqliteStore(path)
            with pytest.raises(
                DriverConflictError, match=r"'worker on host seven' drives .*journal\.db; append signals"
            ):
                await store.drive("me")
            await write(store, ["r1"], 1)
            first.kill()
            await first.wait()
            await store.drive("me")
        async with worker(path, "drive", "late") as late:
            (line,) = await lines(late)
        assert line.startswith("refused 'me' drives")
        await store.close()

    async def test_a_lock_that_can_t_be_made(self, path):
        """Where something is in the place of the lock's file, the error says so."""
        (Path(path).parent / "journal.db-driver").mkdir()
        store = SqliteStore(path)
        with pytest.raises(JournalUnavailableError, match="can't be opened"):
            await store.drive("me")
        await store.close()

    async def test_closing_hands_it_on(self, path):
        """The driver's lock goes with its store, in one process too."""
        one, two = SqliteStore(path), SqliteStore(path)
        await one.drive("one")
        with pytest.raises(DriverConflictError, match="'one' drives"):
            await two.drive("two")
        await one.close()
        await two.drive("two")
        await two.close()


@pytest.mark.parametrize("seed", range(6))
async def test_kill_9_loses_nothing_acknowledged(path, seed):
    """Whatever was said to be durable is there after a kill at a random instant, in one valid chain."""
    chance = random.Random(seed)
    async with worker(path, "append", "r", 40, 100_000) as process:
        await process.stdout.readline()
        await asyncio.sleep(chance.uniform(0.0, 0.25))
        process.kill()
        rest, _ = await process.communicate()
    acknowledged = [line.split() for line in rest.decode().splitlines(keepends=True) if line.endswith("\n")]
    store = SqliteStore(path)
    kept = {(row.run, row.seq): row.payload for row in await everything(store)}
    for run, seq in acknowledged:
        assert kept[run, int(seq)] == f"{run} {seq}".encode()
    assert (await verify(store)).ok
    last = await store.last_seq("r0")
    assert await store.append(more("r0", last, draft(b"on"))) == len(kept) + 1
    await store.close()
