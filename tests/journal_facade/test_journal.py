"""The journal as the runtime sees it: events in, events out, over a store that knows only bytes."""

import msgspec
import pytest
from msgspec import Raw
from msgspec.structs import replace

from interlock.errors import JournalCorruptError, StaleWriterError, UnknownRunError
from interlock.journal import MemoryStore, Redactor
from interlock.journal.chain import blob_address
from interlock.journal.journal import INLINE_LIMIT, PAGE, Journal
from interlock.journal.store import Draft, RunRow, Snapshot
from interlock.kernel import events as ev
from interlock.kernel.events import Unrecognised
from interlock.kernel.evolve import evolve
from interlock.kernel.state import VERSION, State

NOW = 1_700_000_000_000_000
SECRET = "sk-ant-" + "x" * 40
STARTED = ev.RunStarted(agent="desk", tenant="t1", driven=True)


@pytest.fixture
def journal():
    return Journal(MemoryStore(), Redactor(secrets={"bank": "hunter2-hunter2"}))


async def write(journal, *events, run="r1", snapshot=None):
    """Append *events* to the run, each as the runtime does, and return them as they were prepared."""
    last = await journal.store.last_seq(run)
    prepared = [journal.prepare(event, NOW) for event in events]
    row = RunRow(run, "t1", "desk", "running") if not last else None
    await journal.store.append(journal.entry(run, 1, last, prepared, row=row, snapshot=snapshot))
    return [one.event for one in prepared]


def intended(args=b"{}", **fields):
    given = {
        "call": "k1",
        "action": "refund",
        "effect": "compensable",
        "key": "0" * 32,
        "perform_before": NOW,
    }
    return ev.Intended(args=Raw(args), **given | fields)


def folded(*events):
    state = State()
    for seq, event in enumerate(events, 1):
        state = evolve(state, seq, NOW, event)
    return state


class Doctored(MemoryStore):
    """A store some of whose rows, snapshots and blobs were changed after they were written."""

    def __init__(self):
        super().__init__()
        self.payloads = {}
        self.image = None
        self.erased = set()

    async def read(self, run, after=0, limit=1000, types=()):
        rows = await super().read(run, after, limit, types)
        return [replace(row, payload=self.payloads.get(row.seq, row.payload)) for row in rows]

    async def snapshot(self, run):
        return self.image or await super().snapshot(run)

    async def blob(self, address):
        return None if address in self.erased else await super().blob(address)


@pytest.fixture
def doctored():
    return Journal(Doctored(), Redactor())


class TestEvents:
    """Writing and reading."""

    async def test_what_was_written_is_read(self, journal):
        """Events come back in order, in their place, as they were."""
        turn = ev.TurnRecorded(call="t1", request=Raw(b'["hi"]'), response=Raw(b'"hello"'))
        await write(journal, STARTED, turn)
        first, second = await journal.history("r1")
        assert (first.event, second.event) == (STARTED, turn)
        assert (second.position, second.run, second.seq, second.at) == (2, "r1", 2, NOW)
        assert await journal.event("r1", 2) == second

    async def test_the_outcome_of_a_call_is_found_by_its_key(self, journal):
        """An intent does not carry the key to be found by; the outcome does."""
        done = ev.Done(call="k1", action="refund", effect="compensable", result=Raw(b'"r"'), intent=2)
        await write(journal, STARTED, intended())
        assert await journal.find("r1", "k1") is None
        await write(journal, done)
        found = await journal.find("r1", "k1")
        assert found is not None
        assert found.event == done

    async def test_a_part_of_the_history(self, journal):
        """History begins after a seq and holds the kinds that are asked for, over any number of pages."""
        turns = [ev.TurnRecorded(input_tokens=number) for number in range(PAGE + 5)]
        await write(journal, STARTED, *turns)
        later = await journal.history("r1", 3, (ev.TurnRecorded,))
        assert [one.event.input_tokens for one in later] == list(range(2, PAGE + 5))
        assert await journal.history("r1", 0, (ev.RunEnded,)) == []

    async def test_what_is_not_there(self, journal):
        """A run or an event that does not exist is an error that says so."""
        await write(journal, STARTED)
        with pytest.raises(UnknownRunError, match="no run 'r9' in this journal"):
            await journal.state("r9")
        with pytest.raises(UnknownRunError, match="run 'r1' has no event 7"):
            await journal.event("r1", 7)

    async def test_a_stale_writer_is_refused(self, journal):
        """Who does not know the last event writes nothing."""
        await write(journal, STARTED)
        late = journal.entry("r1", 1, 0, [journal.prepare(STARTED, NOW)])
        with pytest.raises(StaleWriterError):
            await journal.store.append(late)
        assert len(await journal.history("r1")) == 1


class TestLargeFields:
    """Fields that don't belong in a row."""

    async def test_a_megabyte_becomes_a_blob(self, journal):
        """A megabyte of arguments lies in a blob under its hash; the row reads as if it were whole."""
        args = msgspec.json.encode({"text": "x" * 2**20})
        (prepared,) = await write(journal, intended(args))
        row = (await journal.store.read("r1"))[0]
        assert len(row.payload) < 1000
        assert await journal.store.blob(blob_address(args)) == args
        assert (await journal.event("r1", 1)).event == prepared == intended(args)

    async def test_only_what_is_too_much_is_moved(self, journal):
        """The largest field goes first, and the others stay if the rest fits."""
        small, large = Raw(b'"' + b"a" * 100 + b'"'), Raw(b'"' + b"b" * INLINE_LIMIT + b'"')
        turn = ev.TurnRecorded(request=small, response=large)
        await write(journal, turn)
        stored = journal.prepare(turn, NOW).draft.payload
        assert set(msgspec.json.decode(stored)["blobs"]) == {"response"}
        assert (await journal.event("r1", 1)).event == turn

    async def test_several_large_fields(self, journal):
        """Each large field has its own blob, and equal ones share it."""
        large = Raw(b'"' + b"a" * 2 * INLINE_LIMIT + b'"')
        turn = ev.TurnRecorded(request=large, response=large)
        prepared = journal.prepare(turn, NOW)
        assert [address for address, _ in prepared.blobs] == [blob_address(bytes(large))] * 2
        await write(journal, turn)
        assert (await journal.event("r1", 1)).event == turn

    async def test_the_fold_sees_no_blobs(self, journal):
        """Folding does not load what it does not need, and gives the same state."""
        args = msgspec.json.encode("x" * 2**20)
        await write(journal, STARTED, intended(args))
        assert await journal.state("r1") == folded(STARTED, intended(args))

    async def test_an_erased_blob_reads_as_null(self, doctored):
        """What was erased by right is gone, and the event around it is still read."""
        args = msgspec.json.encode("x" * INLINE_LIMIT)
        await write(doctored, intended(args))
        doctored.store.erased.add(blob_address(args))
        assert (await doctored.event("r1", 1)).event == intended(b"null")


class TestRedaction:
    """Secrets never enter."""

    async def test_they_are_replaced_and_the_event_is_marked(self, journal):
        """Known secrets and well-known forms are replaced, and the event says which."""
        args = msgspec.json.encode({"password": "hunter2-hunter2", "key": SECRET, "ref": "AB12"})
        (stored,) = await write(journal, intended(args))
        assert stored.redacted == ("anthropic-key", "bank")
        assert msgspec.json.decode(bytes(stored.args)) == {
            "password": "[redacted:bank]",
            "key": "[redacted:anthropic-key]",
            "ref": "AB12",
        }
        row = (await journal.store.read("r1"))[0]
        assert SECRET.encode() not in row.payload
        assert b"hunter2" not in row.payload

    async def test_the_fold_sees_what_a_reader_sees(self, journal):
        """The state of the process that wrote is the state of the one that reads, marks included."""
        (stored,) = await write(journal, intended(msgspec.json.encode(SECRET)))
        assert folded(stored).calls["k1"].redacted
        assert await journal.state("r1") == folded(stored)
        assert (await journal.event("r1", 1)).event == stored

    async def test_blobs_are_redacted_too(self, journal):
        """A secret in a field that becomes a blob is replaced before the blob is addressed."""
        args = msgspec.json.encode({"text": "x" * 2**17, "key": SECRET})
        prepared = journal.prepare(intended(args), NOW)
        ((address, content),) = prepared.blobs
        assert SECRET.encode() not in content
        assert address == blob_address(content)
        assert prepared.event.redacted == ("anthropic-key",)

    async def test_secrets_learnt_later(self, journal):
        """A credential that an action is given is kept out from then on."""
        journal.keep_out({"mail": "correct-horse"})
        (stored,) = await write(journal, ev.Parked(reason="login as correct-horse failed"))
        assert stored == ev.Parked(reason="login as [redacted:mail] failed", redacted=("mail",))

    async def test_nothing_to_hide(self, journal):
        """An event without secrets is the very one that was given, unmarked."""
        event = intended(b'{"ref":"AB12"}')
        assert journal.prepare(event, NOW).event is event


class TestSnapshots:
    """Folding does not begin at the beginning."""

    async def test_a_fold_from_a_snapshot_is_the_fold(self, journal):
        """A snapshot and what came after it give the state that all events give."""
        before = (STARTED, intended())
        after = (ev.OutcomeUnknown(call="k1", reason="timeout"), ev.Entered(state="b", entry=1))
        await write(journal, *before, snapshot=folded(*before))
        await write(journal, *after)
        assert (await journal.store.snapshot("r1")).seq == 2
        assert await journal.state("r1") == folded(*before, *after)

    async def test_it_is_used(self, doctored):
        """What lies before the snapshot is not read again."""
        before = (STARTED, ev.Parked(reason="limit"))
        await write(doctored, *before, snapshot=folded(*before))
        doctored.store.payloads[1] = b"not an event"
        assert await doctored.state("r1") == folded(*before)

    async def test_one_of_another_version_is_dropped(self, doctored):
        """A snapshot of another fold is not trusted: the run is folded from its start."""
        events = (STARTED, ev.Parked(reason="limit"))
        await write(doctored, *events)
        doctored.store.image = Snapshot(1, VERSION + 1, b'{"of":"another version"}')
        assert await doctored.state("r1") == folded(*events)


class TestDamage:
    """What was erased, changed, or written by a later version."""

    async def test_an_erased_payload_is_skipped(self, journal):
        """The fold passes over an event whose payload was erased, and stands at the last one."""
        await write(journal, STARTED, ev.Parked(reason="limit"), ev.TurnRecorded())
        store = journal.store
        row, seal = store._events[1]
        store._events[1] = (replace(row, payload=None), seal)
        state = await journal.state("r1")
        assert (state.seq, state.parked, state.counts.turns) == (3, "", 1)
        assert (await journal.event("r1", 2)).event == Unrecognised(type="parked")

    @pytest.mark.parametrize("payload", [b"", b"{", b'{"reason":3}', b"\xff\xfe"])
    async def test_a_corrupt_payload_is_named(self, doctored, payload):
        """Bytes that are no event give one clear error, which says where and what to do."""
        await write(doctored, STARTED, ev.Parked(reason="limit"))
        doctored.store.payloads[2] = payload
        for reading in (doctored.state("r1"), doctored.event("r1", 2), doctored.history("r1")):
            with pytest.raises(JournalCorruptError, match=r"event 2 of run 'r1' \(position 2\).*run verify"):
                await reading

    async def test_events_of_a_later_version_are_kept(self, journal):
        """A type that is not known yet is read as it is, and skipped by the fold."""
        await write(journal, STARTED)
        draft = Draft("dreamt", 1, NOW, b'{"of":"sheep"}')
        entry = journal.entry("r1", 1, 1, [])
        await journal.store.append(replace(entry, drafts=[draft]))
        assert (await journal.event("r1", 2)).event == Unrecognised(type="dreamt", payload=Raw(draft.payload))
        assert await journal.state("r1") == replace(folded(STARTED), seq=2)
