"""Any sequence of operations on a store gives what a plain model of it gives."""

import asyncio
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from journal_helpers import draft, everything, run_row

from interlock.errors import StaleWriterError, UnknownRunError
from interlock.journal.chain import blob_address
from interlock.journal.memory import MemoryStore
from interlock.journal.sqlite import SqliteStore
from interlock.journal.store import Entry, Snapshot
from interlock.journal.verification import verify

RUNS = st.sampled_from(["r1", "r2", "r3"])
KEYS = st.sampled_from([None, "k1", "k2"])
DRAFTS = st.lists(st.builds(draft, st.binary(max_size=8), at=st.integers(0, 50), key=KEYS), max_size=3)


@dataclass
class Run:
    """What the model knows of a run."""

    epoch: int = 1
    drafts: list = field(default_factory=list)
    status: str = ""
    wake_at: int | None = None
    snapshot: Snapshot | None = None


class StoreMachine(RuleBasedStateMachine):
    """The rules, for a store that `open` makes."""

    def open(self):
        raise NotImplementedError

    @initialize()
    def begin(self):
        self.runner = asyncio.Runner()
        self.runs: dict[str, Run] = {}
        self.log: list[tuple[str, int, bytes]] = []
        self.inbox: dict[int, tuple[str, str | None]] = {}
        self.last_signal = 0
        self.blobs: set[bytes] = set()
        self.do(self.reopen())

    async def reopen(self):
        self.store = self.open()

    def do(self, doing):
        return self.runner.run(doing)

    def refused(self, doing, kind):
        try:
            self.do(doing)
        except kind:
            return
        raise AssertionError("it was not refused")

    def entry(self, run, drafts, off=0, age=0, **sides):
        known = self.runs.get(run, Run())
        return Entry(run, known.epoch - age, len(known.drafts) + off, drafts, **sides)

    @rule(
        run=RUNS,
        drafts=DRAFTS,
        status=st.sampled_from("ab"),
        wake_at=st.none() | st.integers(0, 9),
        data=st.data(),
    )
    def append(self, run, drafts, status, wake_at, data):
        row = run_row(run, status=status, wake_at=wake_at)
        consumes = data.draw(st.lists(st.sampled_from(sorted(self.inbox)), unique=True) if self.inbox else st.just([]))
        large = data.draw(st.binary(max_size=4))
        known = self.runs.setdefault(run, Run())
        snapshot = Snapshot(len(known.drafts), 1, b"s")
        sides = {
            "row": row,
            "consumes": consumes,
            "blobs": [(blob_address(large), large)],
            "snapshot": snapshot,
        }
        position = self.do(self.store.append(self.entry(run, drafts, **sides)))
        for one in drafts:
            known.drafts.append(one)
            self.log.append((run, len(known.drafts), one.payload))
        known.status, known.wake_at, known.snapshot = status, wake_at, snapshot
        self.blobs.add(large)
        self.inbox = {number: of for number, of in self.inbox.items() if number not in consumes or of[0] != run}
        assert position == len(self.log)

    @rule(run=RUNS, off=st.sampled_from([-1, 1]), drafts=DRAFTS)
    def append_at_the_wrong_place(self, run, off, drafts):
        self.refused(self.store.append(self.entry(run, drafts, off, row=run_row(run))), StaleWriterError)

    @rule(run=RUNS, age=st.sampled_from([-1, 1]), drafts=DRAFTS)
    def append_as_another_driver(self, run, age, drafts):
        self.refused(self.store.append(self.entry(run, drafts, age=age, row=run_row(run))), StaleWriterError)

    @rule(run=RUNS)
    def claim(self, run):
        if run not in self.runs:
            self.refused(self.store.claim(run), UnknownRunError)
            return
        self.runs[run].epoch += 1
        assert self.do(self.store.claim(run)) == self.runs[run].epoch

    @rule(run=RUNS, token=st.sampled_from([None, "t1", "t2"]))
    def signal(self, run, token):
        if run not in self.runs:
            self.refused(self.store.signal(run, "m", b"", 1, token), UnknownRunError)
            return
        same = [number for number, of in self.inbox.items() if token is not None and of == (run, token)]
        number = self.do(self.store.signal(run, "m", b"", 1, token))
        if same:
            assert [number] == same
        else:
            assert number > self.last_signal
            self.last_signal = number
            self.inbox[number] = (run, token)

    @rule()
    def open_again(self):
        self.do(self.reopen())

    @rule(run=RUNS, key=st.sampled_from(["k1", "k2"]))
    def look_up(self, run, key):
        known = self.runs.get(run, Run())
        found = self.do(self.store.find(run, key))
        expected = [seq for seq, one in enumerate(known.drafts, 1) if one.key == key]
        assert (found.seq if found else None) == (expected[-1] if expected else None)
        assert self.do(self.store.snapshot(run)) == known.snapshot
        for data in self.blobs:
            assert self.do(self.store.blob(blob_address(data))) == data

    @invariant()
    def holds_what_the_model_holds(self):
        if not hasattr(self, "runner"):
            return
        rows = self.do(everything(self.store))
        assert [(row.run, row.seq, row.payload) for row in rows] == self.log
        assert [row.position for row in rows] == list(range(1, len(rows) + 1))
        stored = self.do(self.store.rows())
        expected = [(run, known.epoch, known.status, known.wake_at) for run, known in sorted(self.runs.items())]
        assert [(row.id, row.epoch, row.status, row.wake_at) for row in stored] == expected
        waking = sorted(known.wake_at for known in self.runs.values() if known.wake_at is not None)
        assert [row.wake_at for row in self.do(self.store.due(99, 99))] == waking
        assert self.do(self.store.next_wake()) == (waking[0] if waking else None)
        signals = self.do(self.store.signals())
        assert [(signal.id, signal.run) for signal in signals] == [(n, of[0]) for n, of in sorted(self.inbox.items())]

    def teardown(self):
        if hasattr(self, "runner"):
            report = self.do(verify(self.store))
            assert report.ok, report
            self.do(self.store.close())
            self.runner.close()


class MemoryMachine(StoreMachine):
    store = None

    def open(self):
        return self.store.fork() if self.store else MemoryStore()


class SqliteMachine(StoreMachine):
    store = None

    def __init__(self):
        super().__init__()
        self.place = tempfile.TemporaryDirectory()

    async def reopen(self):
        if self.store:
            await self.store.close()
        self.store = self.open()

    def open(self):
        return SqliteStore(Path(self.place.name) / "journal.db")

    def teardown(self):
        super().teardown()
        self.place.cleanup()


TestMemoryModel = MemoryMachine.TestCase
TestMemoryModel.settings = settings(max_examples=60, stateful_step_count=25, deadline=None)
TestSqliteModel = SqliteMachine.TestCase
TestSqliteModel.settings = settings(max_examples=25, stateful_step_count=20, deadline=None)
