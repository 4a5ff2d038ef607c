"""What can go wrong with a journal's file: one clear error each, and what was acknowledged is there."""

# ruff: noqa: ASYNC221, ASYNC230, ASYNC240  # a test may look at its small files while its loop waits

import asyncio
import os
import sqlite3
import subprocess
from contextlib import suppress
from pathlib import Path

import pytest
from journal_helpers import draft, edit, everything, more, run_row, start, write

from interlock.errors import JournalCorruptError, JournalUnavailableError, JournalVersionError
from interlock.journal import connection, known, migrations, writer
from interlock.journal.sqlite import SqliteStore
from interlock.journal.verification import verify

BIG = b"x" * 20_000


class TestReopening:
    async def test_keeps_everything(self, path):
        """A journal that was closed is read by the next store, and goes on where it was."""
        store = SqliteStore(path)
        await write(store)
        await store.signal("r1", "m", b"hi", 1, "token")
        before = await everything(store)
        await store.close()
        assert [file.name for file in Path(path).parent.iterdir()] == ["journal.db"]
        store = SqliteStore(path)
        assert await everything(store) == before
        assert await store.signal("r1", "m", b"hi", 1, "token") == 1
        assert await store.append(more("r1", 4)) == 9
        assert (await verify(store)).ok
        await store.close()

    async def test_remembers_fewer_runs_than_there_are(self, path, monkeypatch):
        """The memory of where runs stand is bounded; what it let go of is read again."""
        monkeypatch.setattr(known, "KNOWN_TIPS", 3)
        store = SqliteStore(path)
        await write(store, [f"r{number}" for number in range(10)], 5)
        assert len(store._writer._known._tips) == 3
        assert (await verify(store)).ok
        await store.close()

    async def test_copies_its_log_into_the_file(self, path, monkeypatch):
        """The log is checkpointed as it grows, so that it stays small."""
        monkeypatch.setattr(writer, "CHECKPOINT_BYTES", 200_000)
        store = SqliteStore(path)
        for number in range(60):
            await store.append(start(f"r{number}", draft(BIG)))
        assert Path(path + "-wal").stat().st_size < 800_000
        assert Path(path).stat().st_size > 500_000
        await store.close()


class TestFullDisk:
    async def test_loses_nothing_acknowledged_and_works_again_with_space(self, path):
        """The whole batch is refused with advice; when there is space, the next append works."""
        store = SqliteStore(path)
        await write(store)
        before = await everything(store)
        store._writer._connection.execute("PRAGMA max_page_count = 40")
        entries = [start(f"big{number}", draft(BIG)) for number in range(20)]
        answers = await asyncio.gather(*map(store.append, entries), return_exceptions=True)
        assert {type(answer) for answer in answers} == {JournalUnavailableError}
        assert len({id(answer) for answer in answers}) == 20
        assert path in str(answers[0])
        assert "disk is full; free some space and try again" in str(answers[0])
        assert await everything(store) == before
        store._writer._connection.execute("PRAGMA max_page_count = 1000000")
        assert await store.append(more("r1", 4)) == 9
        assert await store.append(start("big1", draft(BIG))) == 10
        assert (await verify(store)).ok
        await store.close()

    @pytest.mark.skipif(os.geteuid() != 0, reason="mounting a small disk takes root")
    async def test_on_a_real_small_disk(self, tmp_path):
        """The same on a disk of 1 MB that another file fills."""
        disk = tmp_path / "disk"
        disk.mkdir()
        if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "none", disk], check=False).returncode:
            pytest.skip("this root may not mount")
        try:
            store = SqliteStore(disk / "journal.db")
            await write(store)
            with (disk / "ballast").open("wb", 0) as ballast, suppress(OSError):
                while True:
                    ballast.write(bytes(4096))
            acknowledged = [4]
            with pytest.raises(JournalUnavailableError, match="free some space"):
                await self.append_for_ever(store, acknowledged)
            assert await store.last_seq("r1") == acknowledged[-1]
            kept = await store.last_seq("r1")
            (disk / "ballast").unlink()
            await store.append(more("r1", kept, draft(b"there is space again")))
            assert (await verify(store)).ok
            await store.close()
        finally:
            subprocess.run(["umount", "-l", disk], check=True)

    async def append_for_ever(self, store, acknowledged):
        while True:
            await store.append(more("r1", acknowledged[-1], draft(BIG)))
            acknowledged.append(acknowledged[-1] + 1)


class TestLocked:
    async def test_waits_a_while_then_says_so(self, path, monkeypatch):
        """Another process that holds the write lock delays an append, and fails it when it takes too long."""
        monkeypatch.setattr(connection, "BUSY_SECONDS", 0.2)
        store = SqliteStore(path)
        await write(store)
        other = sqlite3.connect(path, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(JournalUnavailableError, match="another process kept it locked"):
            await store.append(more("r1", 4))
        assert len(await everything(store)) == 8
        waiting = asyncio.ensure_future(store.append(more("r1", 4)))
        await asyncio.sleep(0.05)
        assert not waiting.done()
        other.execute("COMMIT")
        other.close()
        assert await waiting == 9
        await store.close()

    async def test_at_opening(self, path, monkeypatch):
        """A file that somebody holds exclusively can't be opened, and the error says so."""
        monkeypatch.setattr(connection, "BUSY_SECONDS", 0.05)
        other = sqlite3.connect(path, isolation_level=None)
        other.execute("BEGIN EXCLUSIVE")
        with pytest.raises(JournalUnavailableError, match="kept it locked"):
            SqliteStore(path)
        other.close()

    @pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
    async def test_read_only(self, path):
        """A file that this user may not write is refused with the reason."""
        Path(path).touch(0o400)
        with pytest.raises(JournalUnavailableError, match="read-only"):
            SqliteStore(path)


class TestOtherFiles:
    def test_a_path_that_is_no_file(self, tmp_path):
        """A directory, a missing directory, nothing and `:memory:` are told apart."""
        with pytest.raises(JournalUnavailableError, match="is a directory; give the path of a file"):
            SqliteStore(tmp_path)
        with pytest.raises(JournalUnavailableError, match="check that its directory exists"):
            SqliteStore(tmp_path / "no" / "journal.db")
        for odd in ("", ":memory:"):
            with pytest.raises(JournalUnavailableError, match="use MemoryStore"):
                SqliteStore(odd)

    def test_a_text_file(self, path):
        """It is left alone and called what it is."""
        text = "Dear diary, this is not a journal of that kind.\n" * 50
        Path(path).write_text(text)
        with pytest.raises(JournalCorruptError, match="not a journal"):
            SqliteStore(path)
        assert Path(path).read_text() == text

    def test_another_sqlite_file(self, path):
        """A database of somebody else is not touched."""
        edit(path, "CREATE TABLE recipes (name TEXT)")
        before = Path(path).read_bytes()
        with pytest.raises(JournalCorruptError, match="not a journal of Interlock; give another path"):
            SqliteStore(path)
        assert Path(path).read_bytes() == before

    async def test_an_empty_file_becomes_a_journal(self, path):
        """As with SQLite itself: nothing is lost by it."""
        Path(path).touch()
        store = SqliteStore(path)
        await write(store)
        assert await store.feed()
        await store.close()


class TestSchema:
    async def test_a_newer_one_is_refused_and_not_changed(self, path):
        """An older Interlock leaves a newer journal alone and says to upgrade."""
        store = SqliteStore(path)
        await write(store)
        await store.close()
        edit(path, "PRAGMA user_version = 99")
        before = Path(path).read_bytes()
        with pytest.raises(JournalVersionError, match=r"has schema 99 .* upgrade Interlock, nothing was changed"):
            SqliteStore(path)
        assert Path(path).read_bytes() == before

    async def test_an_older_one_is_brought_up_in_order(self, path):
        """The steps that a file lacks run once, in order; its events stay and stay valid."""
        store = SqliteStore(path)
        await write(store)
        await store.close()
        ran = []

        def step(number):
            def add(connection):
                ran.append(number)
                connection.execute(f"ALTER TABLE runs ADD COLUMN extra{number} TEXT")

            return add

        newest = len(migrations.STEPS)
        steps = (*migrations.STEPS, step(1), step(2))
        for _ in range(2):
            file = connection.connect(path)
            migrations.migrate(file, path, steps)
            assert file.execute("PRAGMA user_version").fetchone() == (newest + 2,)
            file.close()
        assert ran == [1, 2]
        with pytest.raises(JournalVersionError):
            SqliteStore(path)
        edit(path, f"PRAGMA user_version = {newest}", "ALTER TABLE runs DROP COLUMN extra1")
        edit(path, "ALTER TABLE runs DROP COLUMN extra2")
        store = SqliteStore(path)
        assert len(await everything(store)) == 8
        assert (await verify(store)).ok
        await store.close()

    async def test_a_step_that_fails_changes_nothing(self, path):
        """All missing steps are one transaction."""
        SqliteStore(path)._shut()

        def works(connection):
            connection.execute("ALTER TABLE runs ADD COLUMN extra TEXT")

        def fails(connection):
            connection.execute("ALTER TABLE missing ADD COLUMN extra TEXT")

        file = connection.connect(path)
        with pytest.raises(sqlite3.OperationalError, match="no such table"):
            migrations.migrate(file, path, (*migrations.STEPS, works, fails))
        assert file.execute("PRAGMA user_version").fetchone() == (len(migrations.STEPS),)
        assert "extra" not in [column[1] for column in file.execute("PRAGMA table_info(runs)")]
        file.close()


class TestTorn:
    async def fill(self, path) -> int:
        store = SqliteStore(path)
        await asyncio.gather(*(store.append(start(f"r{number}", draft(b"x" * 500))) for number in range(300)))
        await store.close()
        return Path(path).stat().st_size

    async def test_cut_off(self, path):
        """A file that lost its end is found damaged when it is opened or read, never silently shortened."""
        size = await self.fill(path)
        os.truncate(path, size // 2)
        with pytest.raises(JournalCorruptError, match=r"journal\.db.* damaged .*restore a backup"):
            await self.read(path)

    async def test_without_a_header(self, path):
        """A file whose first page is gone is no journal."""
        await self.fill(path)
        with Path(path).open("r+b") as file:
            file.write(os.urandom(4096))
        with pytest.raises(JournalCorruptError, match="damaged or not a journal"):
            await self.read(path)

    async def test_with_overwritten_pages(self, path):
        """Pages full of noise are found at the latest when they are read."""
        size = await self.fill(path)
        with Path(path).open("r+b") as file:
            file.seek(size // 4)
            file.write(os.urandom(size // 2))
        with pytest.raises(JournalCorruptError):
            await self.read(path)

    async def test_does_not_take_the_end_of_another_for_its_own(self, path):
        """Where events and commits don't end together, nothing is appended; reading still works."""
        await self.fill(path)
        edit(path, "DELETE FROM events WHERE position > 290")
        store = SqliteStore(path)
        with pytest.raises(JournalCorruptError, match="its events end at position 290 and its commits at 300"):
            await store.append(start("new"))
        assert len(await everything(store)) == 290
        await store.close()

    async def read(self, path) -> None:
        store = SqliteStore(path)
        try:
            await verify(store)
            await store.append(start("new"))
        finally:
            await store.close()


class TestWriterThread:
    async def test_serves_many_loops(self, path):
        """A store may be used from several event loops (the synchronous twins run their own)."""
        store = SqliteStore(path)

        def elsewhere(number: int) -> None:
            async def live() -> None:
                await store.append(start(f"r{number}"))
                for seq in range(1, 20):
                    await store.append(more(f"r{number}", seq))

            asyncio.run(live())

        await asyncio.gather(*(asyncio.to_thread(elsewhere, number) for number in range(8)))
        assert len(await everything(store)) == 160
        assert (await verify(store)).ok
        await store.close()

    async def test_makes_a_crowd_wait_for_room(self, path, monkeypatch):
        """What waits for the writer is bounded in bytes; who comes later waits in order, and may give up."""
        monkeypatch.setattr(writer, "ROOM", 10_000)
        store = SqliteStore(path)
        done = []

        async def live(number: int) -> None:
            done.append((await store.append(start(f"r{number}", draft(b"x" * 4_000))), number))

        tasks = [asyncio.ensure_future(live(number)) for number in range(30)]
        await asyncio.sleep(0)
        assert store._writer._jobs.qsize() <= 3
        tasks[20].cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        assert [number for _, number in sorted(done)] == [number for number in range(30) if number != 20]
        (lane,) = store._writer._lanes.values()
        assert lane.room == 10_000
        await store.close()

    async def test_takes_all_that_waits_in_one_commit(self, path):
        """A thousand waiters cost few commits, not a thousand."""
        store = SqliteStore(path)
        await asyncio.gather(*(store.append(start(f"r{number}")) for number in range(1000)))
        assert len(await store.batches()) < 20
        await store.close()

    async def test_survives_a_loop_that_was_closed_over_it(self, path):
        """An append whose loop is gone is kept; the others are served."""
        store = SqliteStore(path)
        other = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        other.execute("BEGIN IMMEDIATE")

        def leave() -> None:
            loop = asyncio.new_event_loop()
            task = loop.create_task(store.append(start("left")))
            loop.run_until_complete(asyncio.sleep(0.05))
            task.cancel()
            loop.run_until_complete(asyncio.sleep(0))
            loop.close()

        await asyncio.to_thread(leave)
        other.execute("COMMIT")
        other.close()
        await store.append(start("r1"))
        assert {row.run for row in await everything(store)} == {"left", "r1"}
        await store.close()


async def test_a_stale_cache_would_be_found(path):
    """Should the writer's memory ever be wrong, uniqueness stops it, and it reads again."""
    store = SqliteStore(path)
    await write(store)
    store._writer._known.marks.position = 3
    with pytest.raises(JournalUnavailableError):
        await store.append(more("r1", 4))
    assert await store.append(more("r1", 4)) == 9
    assert (await verify(store)).ok
    await store.close()


async def test_a_row_of_everything_in_one_batch(path):
    """Runs, claims, signals, blobs and snapshots of one crowd land together."""
    store = SqliteStore(path)
    await write(store, ["r1"], 1)
    answers = await asyncio.gather(
        store.append(start("r2", wake_at=3)),
        store.claim("r1"),
        store.signal("r1", "m", b"", 1, "t"),
        store.append(more("r1", 1, epoch=2, row=run_row("r1", status="x"))),
        store.append(more("r1", 2, epoch=1)),
        return_exceptions=True,
    )
    assert answers[:4] == [2, 2, 1, 3]
    assert (await store.row("r1")).epoch == 2
    assert (await store.row("r1")).status == "x"
    await store.close()
