"""One contract, every store."""

import asyncio

import pytest
from journal_helpers import NOW, draft, everything, more, run_row, start, write

from interlock.errors import JournalUnavailableError, StaleWriterError, UnknownRunError
from interlock.journal.chain import blob_address
from interlock.journal.store import Row, Signal, Snapshot
from interlock.journal.verification import verify


class TestAppend:
    async def test_returns_the_position_of_its_last_event(self, store):
        """Positions start at 1 and go on over all runs."""
        assert await store.append(start("r1", draft(), draft())) == 2
        assert await store.append(start("r2", draft())) == 3
        assert await store.append(more("r1", 2, draft())) == 4

    async def test_stores_what_it_was_given(self, store):
        """Every field of a draft comes back, beside its place."""
        await store.append(start("r1", draft(b"\x00\xff", type_="a.b", at=-5, key="")))
        assert await everything(store) == [Row(1, "r1", 1, "a.b", 1, -5, "", b"\x00\xff")]

    async def test_without_events_changes_only_what_is_beside_them(self, store):
        """An entry may carry just a row; it returns the last position there is."""
        await store.append(start("r1"))
        entry = more("r1", 1, row=run_row("r1", status="parked", wake_at=7))
        entry = type(entry)("r1", 1, 1, (), entry.row)
        assert await store.append(entry) == 1
        assert (await store.row("r1")).status == "parked"
        assert len(await store.batches()) == 1

    async def test_refuses_a_writer_with_another_seq(self, store):
        """A writer that missed an event, or saw one that is not there, is told so."""
        await store.append(start("r1", draft(), draft()))
        for seq in (0, 1, 3):
            with pytest.raises(StaleWriterError, match=r"'r1' moved on: its last event is 2.*read the run again"):
                await store.append(more("r1", seq, row=run_row("r1")))
        assert len(await everything(store)) == 2

    async def test_refuses_a_writer_of_an_earlier_epoch(self, store):
        """After a claim the run belongs to the claimer."""
        await store.append(start("r1"))
        assert await store.claim("r1") == 2
        with pytest.raises(StaleWriterError, match="epoch is 2 and this writer's is 1"):
            await store.append(more("r1", 1))
        assert await store.append(more("r1", 1, epoch=2)) == 2

    async def test_refuses_what_starts_in_the_middle_and_what_starts_without_a_row(self, store):
        """A new run begins at 0, at epoch 1 and with its row."""
        with pytest.raises(StaleWriterError, match="not in this journal"):
            await store.append(more("r1", 3))
        with pytest.raises(StaleWriterError, match="not in this journal"):
            await store.append(more("r1", 0, epoch=2, row=run_row("r1")))
        with pytest.raises(UnknownRunError, match="give its row"):
            await store.append(more("r1", 0))
        assert await store.rows() == []

    async def test_a_refused_entry_harms_no_neighbour(self, store):
        """Of a crowd that appends at once, the stale are refused and the others are kept."""
        await write(store, ["r1", "r2"], 1)
        entries = [
            more("r1", 1, draft(b"1")),
            more("r1", 1, draft(b"stale")),
            more("r2", 9, draft(b"stale")),
            more("r2", 1, draft(b"2")),
            start("r3", draft(b"bad", key="\ud800")),
            start("r4", draft(b"4")),
            start("r5", draft(b"too far", at=2**70)),
        ]
        answers = await asyncio.gather(*map(store.append, entries), return_exceptions=True)
        kinds = [type(answer) for answer in answers]
        assert kinds[:6] == [int, StaleWriterError, StaleWriterError, int, UnicodeEncodeError, int]
        assert [row.payload for row in await everything(store)][2:5] == [b"1", b"2", b"4"]
        assert await store.row("r3") is None
        assert (await verify(store)).ok

    async def test_entries_of_one_run_may_follow_each_other_without_waiting(self, store):
        """A writer that knows what it appended need not wait for it before the next."""
        entries = [start("r1")] + [more("r1", seq, row=run_row("r1", status=f"s{seq}")) for seq in range(1, 6)]
        assert await asyncio.gather(*map(store.append, entries)) == [1, 2, 3, 4, 5, 6]
        assert (await store.row("r1")).status == "s5"

    async def test_many_writers_leave_no_gap(self, store):
        """Positions over all and seqs of each run are gap-free under a crowd of writers."""

        async def live(run: str) -> None:
            await store.append(start(run))
            for seq in range(1, 20):
                await store.append(more(run, seq))

        await asyncio.gather(*(live(f"r{number}") for number in range(50)))
        rows = await everything(store)
        assert [row.position for row in rows] == list(range(1, 1001))
        for number in range(50):
            assert [row.seq for row in rows if row.run == f"r{number}"] == list(range(1, 21))
        report = await verify(store)
        assert report.ok
        assert (report.events, report.runs) == (1000, 50)

    async def test_a_cancelled_append_breaks_nothing(self, store):
        """Who stops waiting may find the event kept or not, but never half of it, and the store goes on."""
        await store.append(start("r1"))
        waiting = [asyncio.ensure_future(store.append(start(f"c{number}"))) for number in range(20)]
        await asyncio.sleep(0)
        for task in waiting:
            task.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)
        await store.append(more("r1", 1))
        kept = {row.id for row in await store.rows()} - {"r1"}
        assert kept == {row.run for row in await everything(store)} - {"r1"}
        assert (await verify(store)).ok

    async def test_a_megabyte_is_an_event_like_any_other(self, store):
        """Large payloads are stored as they are."""
        await store.append(start("r1", draft(b"x" * 1_000_000)))
        assert (await store.read("r1"))[0].payload == b"x" * 1_000_000


class TestRuns:
    async def test_a_row_is_dated_by_its_events(self, store):
        """created_at is the first event's time, updated_at the last one's, and never goes back."""
        await store.append(start("r1", draft(at=10), draft(at=20)))
        row = await store.row("r1")
        assert (row.epoch, row.created_at, row.updated_at) == (1, 10, 20)
        await store.append(more("r1", 2, draft(at=15), row=run_row("r1")))
        row = await store.row("r1")
        assert (row.created_at, row.updated_at) == (10, 20)
        await store.append(more("r1", 3, draft(at=30), row=run_row("r1")))
        assert (await store.row("r1")).updated_at == 30

    async def test_a_row_is_replaced_whole(self, store):
        """What the new row does not say is gone; the epoch is the store's."""
        await store.append(start("r1", wake_at=5))
        await store.claim("r1")
        row = run_row("r1", status="done", tenant="t2")
        await store.append(more("r1", 1, epoch=2, row=row))
        stored = await store.row("r1")
        assert (stored.status, stored.tenant, stored.wake_at, stored.epoch) == ("done", "t2", None, 2)
        assert (stored.agent, stored.conversation, stored.user) == ("desk", "c1", "u1")

    async def test_claims_add_up(self, store):
        """Each claim gets an epoch of its own, also in one crowd."""
        await store.append(start("r1"))
        assert sorted(await asyncio.gather(*(store.claim("r1") for _ in range(5)))) == [2, 3, 4, 5, 6]
        assert (await store.row("r1")).epoch == 6

    async def test_only_what_exists_can_be_claimed(self, store):
        """A claim of an unknown run says so; looking one up gives None."""
        with pytest.raises(UnknownRunError, match="no run 'r9'"):
            await store.claim("r9")
        assert await store.row("r9") is None

    async def test_are_listed_by_status_and_tenant(self, store):
        """Rows come in the order of ids, filtered, in pages."""
        for number in range(9):
            await store.append(
                start(f"r{number}", status="even" if number % 2 == 0 else "odd", tenant=f"t{number % 3}")
            )

        async def ids(**filters):
            return [row.id for row in await store.rows(**filters)]

        assert await ids() == [f"r{number}" for number in range(9)]
        assert await ids(statuses=["odd"]) == ["r1", "r3", "r5", "r7"]
        assert await ids(statuses=["odd", "even"], tenant="t0") == ["r0", "r3", "r6"]
        assert await ids(after="r3", limit=2) == ["r4", "r5"]
        assert await ids(statuses=["none"]) == []

    async def test_wake_in_the_order_of_their_time(self, store):
        """Due is what has a wake_at at or before now, the longest due first."""
        assert await store.next_wake() is None
        for run, wake_at in [("r1", 30), ("r2", 10), ("r3", None), ("r4", 20)]:
            await store.append(start(run, wake_at=wake_at))
        assert await store.next_wake() == 10
        assert await store.next_wake(10) == 20
        assert await store.next_wake(30) is None
        assert [row.id for row in await store.due(20, 10)] == ["r2", "r4"]
        assert [row.id for row in await store.due(99, 2)] == ["r2", "r4"]
        assert await store.due(9, 10) == []
        await store.append(start("r0", wake_at=20))
        assert [row.id for row in await store.due(99, 10, (20, "r0"))] == ["r4", "r1"]
        assert [row.id for row in await store.due(20, 1, (10, "r2"))] == ["r0"]

    async def test_thousands_are_read_in_pages(self, store):
        """A listing longer than a slice is complete and in order."""
        await asyncio.gather(*(store.append(start(f"r{number:04}")) for number in range(700)))
        assert [row.id for row in await store.rows()] == [f"r{number:04}" for number in range(700)]
        assert len(await store.feed(5, 600)) == 600


class TestReading:
    async def test_a_run_in_pages_and_by_type(self, store):
        """After a seq, up to a limit, and only of the types that were asked for."""
        drafts = [draft(type_="a" if seq % 2 else "b") for seq in range(6)]
        await store.append(start("r1", *drafts))
        await store.append(start("r2"))
        assert [row.seq for row in await store.read("r1", 2, 3)] == [3, 4, 5]
        assert [row.seq for row in await store.read("r1", 0, 2, ["a"])] == [2, 4]
        assert await store.read("r9") == []
        assert [row.position for row in await store.feed(5, 10)] == [6, 7]

    async def test_find_gives_the_latest_with_a_key(self, store):
        """Keys belong to their run; the latest event with a key counts."""
        await store.append(start("r1", draft(b"1", key="k"), draft(b"2", key="k"), draft(b"3")))
        await store.append(start("r2", draft(b"4", key="k")))
        assert (await store.find("r1", "k")).payload == b"2"
        assert (await store.find("r2", "k")).payload == b"4"
        assert await store.find("r1", "other") is None
        assert await store.find("r9", "k") is None

    async def test_last_seq(self, store):
        """0 where there is none."""
        assert await store.last_seq("r1") == 0
        await store.append(start("r1", draft(), draft()))
        assert await store.last_seq("r1") == 2

    async def test_sees_what_was_acknowledged(self, store):
        """Once an append returned, every read shows it."""
        for seq in range(30):
            await store.append(start("r1") if seq == 0 else more("r1", seq))
            assert await store.last_seq("r1") == seq + 1


class TestSignals:
    async def test_wait_in_order(self, store):
        """By run or all, after an id, up to a limit."""
        await write(store, events=1)
        ids = [await store.signal(run, "message", run.encode(), NOW) for run in ("r1", "r2", "r1")]
        assert ids == sorted(set(ids))
        assert await store.signals() == [
            Signal(number, run, "message", run.encode(), NOW)
            for number, run in zip(ids, ("r1", "r2", "r1"), strict=True)
        ]
        assert [signal.id for signal in await store.signals(run="r1")] == [ids[0], ids[2]]
        assert [signal.id for signal in await store.signals(after=ids[0], limit=1)] == [ids[1]]
        assert await store.signals(run="r9") == []

    async def test_need_a_run(self, store):
        """A signal for nobody is refused."""
        with pytest.raises(UnknownRunError, match="no run 'r9'"):
            await store.signal("r9", "message", b"", NOW)

    async def test_leave_with_the_append_that_consumes_them(self, store):
        """In the same transaction, and only from the run's own inbox; ids are not used again."""
        await write(store, events=1)
        mine, other = await store.signal("r1", "m", b"", NOW), await store.signal("r2", "m", b"", NOW)
        await store.append(more("r1", 1, consumes=[mine, other, 99]))
        assert [signal.id for signal in await store.signals()] == [other]
        await store.append(more("r2", 1, consumes=[other]))
        assert await store.signal("r1", "m", b"", NOW) > other

    async def test_stay_when_the_append_is_refused(self, store):
        """A stale writer consumes nothing."""
        await write(store, events=1)
        number = await store.signal("r1", "m", b"", NOW)
        with pytest.raises(StaleWriterError):
            await store.append(more("r1", 7, consumes=[number]))
        assert len(await store.signals()) == 1

    async def test_with_a_token_are_idempotent_while_they_wait(self, store):
        """The same token in the same inbox is the same signal, also in one crowd; once consumed it is new."""
        await write(store, events=1)
        ids = await asyncio.gather(*(store.signal("r1", "m", b"", NOW, "t") for _ in range(4)))
        assert len(set(ids)) == 1
        assert await store.signal("r1", "m", b"", NOW, "t") == ids[0]
        assert await store.signal("r2", "m", b"", NOW, "t") != ids[0]
        await store.append(more("r1", 1, consumes=[ids[0]]))
        assert await store.signal("r1", "m", b"", NOW, "t") > ids[0]

    async def test_do_not_move_the_run(self, store):
        """A signal is no event: the run's writer is not made stale by it."""
        await write(store, ["r1"], 1)
        await store.signal("r1", "m", b"", NOW)
        assert await store.append(more("r1", 1)) == 2


class TestBeside:
    async def test_blobs_are_found_by_address(self, store):
        """Storing one twice is storing it once."""
        data = b"a large thing"
        address = blob_address(data)
        await store.append(start("r1"))
        await store.append(more("r1", 1, blobs=[(address, data), (blob_address(b""), b"")]))
        await store.append(more("r1", 2, blobs=[(address, data)]))
        assert await store.blob(address) == data
        assert await store.blob(blob_address(b"")) == b""
        assert await store.blob("nowhere") is None
        assert [found async for found in store.blobs()] == sorted([(address, data), (blob_address(b""), b"")])

    async def test_the_newest_snapshot_counts(self, store):
        """A snapshot replaces the one before."""
        assert await store.snapshot("r1") is None
        await store.append(start("r1"))
        assert await store.snapshot("r1") is None
        for seq in (1, 2):
            await store.append(more("r1", seq, snapshot=Snapshot(seq + 1, 7, b"state")))
        assert await store.snapshot("r1") == Snapshot(3, 7, b"state")

    async def test_commits_cover_every_position(self, store):
        """Batches follow each other without a gap, and the last one is the last."""
        assert await store.last_batch() is None
        await asyncio.gather(*(store.append(start(f"r{number}", draft(), draft())) for number in range(5)))
        await store.append(more("r1", 2))
        batches = await store.batches()
        assert [batch.number for batch in batches] == list(range(1, len(batches) + 1))
        assert [batch.first for batch in batches[1:]] == [batch.last + 1 for batch in batches[:-1]]
        assert batches[-1].last == 11
        assert await store.last_batch() == batches[-1]
        assert await store.batches(1, 1) == batches[1:2]

    async def test_every_row_has_its_seal(self, store):
        """Sealed rows are the feed's, after a position."""
        await write(store)
        sealed = [event async for event in store.sealed(3)]
        assert [row for row, _ in sealed] == await store.feed(3)
        assert all(len(seal.salt) == 16 and len(seal.digest) == len(seal.link) == 32 for _, seal in sealed)

    async def test_nobody_else_wrote(self, store):
        """Own writes don't count as movement."""
        assert not await store.moved()
        await write(store)
        assert not await store.moved()

    async def test_an_identity_is_random_and_stays(self, store):
        """It is there from the start and names the journal for ever."""
        identity = await store.identity()
        await write(store)
        assert await store.identity() == identity
        assert len(identity) == 32


class TestClose:
    async def test_twice_does_nothing(self, store):
        """And afterwards everything says that the store is closed."""
        await write(store)
        await store.close()
        await store.close()
        assert "closed" in repr(store)
        for use in (
            store.append(more("r1", 4)),
            store.row("r1"),
            store.signal("r1", "m", b"", 1),
            store.moved(),
        ):
            with pytest.raises(JournalUnavailableError, match="this store is closed; open a new one"):
                await use

    async def test_finishes_what_was_accepted(self, store):
        """Appends that wait when the store closes are kept."""
        waiting = [asyncio.ensure_future(store.append(start(f"r{number}"))) for number in range(100)]
        await asyncio.sleep(0)
        await store.close()
        assert sorted(await asyncio.gather(*waiting)) == list(range(1, 101))

    async def test_a_repr_says_what_it_is(self, store):
        """An open store says so."""
        assert "open" in repr(store)


class TestDrive:
    async def test_a_second_time_is_refused(self, store):
        """Driving is taken once; the error names who has it."""
        from interlock.errors import DriverConflictError

        await store.drive("worker one")
        with pytest.raises(DriverConflictError, match="worker one"):
            await store.drive("worker two")
