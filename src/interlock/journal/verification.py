"""Walks a whole journal, computes its chain anew, and says what that proves and what it can't."""

from collections.abc import Iterable, Iterator
from itertools import takewhile

import msgspec
from msgspec import Struct

from interlock.journal.chain import FIRST_LINK, blob_address, first_root, link, payload_digest, root
from interlock.journal.heads import Head
from interlock.journal.store import Batch, Row, Seal, Store

PAGE = 1000


class _Spilled(Struct):
    """The part of an event's payload that names blobs."""

    blobs: dict[str, str] | None = None


class Fault(Struct, frozen=True):
    """One place where the journal is not what was written; what does not apply to it is None."""

    what: str
    position: int | None = None
    run: str | None = None
    seq: int | None = None

    def __str__(self) -> str:
        places = (("position", self.position), ("run", self.run), ("event", self.seq))
        where = ", ".join(f"{name} {place}" for name, place in places if place is not None)
        return f"{where}: {self.what}" if where else self.what


class Report(Struct, frozen=True):
    """What a verification found: counts, faults, positions of events whose content is gone, and what follows from them.

    `erased` are events whose payload, or a blob that it names, is no longer there.
    """

    events: int
    runs: int
    commits: int
    blobs: int
    faults: tuple[Fault, ...]
    erased: tuple[int, ...]
    proves: tuple[str, ...]
    cannot_know: tuple[str, ...]

    @property
    def ok(self) -> bool:
        """Whether no fault was found."""
        return not self.faults

    def __str__(self) -> str:
        verdict = "intact" if self.ok else f"NOT INTACT: {_count(len(self.faults), 'fault')}"
        counted = (
            f"{_count(self.events, 'event')} of {_count(self.runs, 'run')} "
            f"in {_count(self.commits, 'commit')}, "
            f"{_count(self.blobs, 'blob')}, {_count(len(self.erased), 'erased payload')}"
        )
        lines = [f"{verdict} ({counted})"]
        lines += [f"  fault: {fault}" for fault in self.faults]
        lines += [f"  proves: {sentence}" for sentence in self.proves]
        lines += [f"  cannot know: {sentence}" for sentence in self.cannot_know]
        return "\n".join(lines)


async def verify(store: Store, heads: Iterable[Head] = (), public_key: bytes | None = None) -> Report:
    """Compute the chain of all that *store* holds anew and compare it, also with exported *heads*.

    With *public_key* (PEM, Ed25519), every head must carry that key's signature. What is appended meanwhile
    is left out.

    Raises:
        JournalCorruptError: the file is so damaged that it can't be walked.
        JournalError: the public key is not one, or the extra `sign` is not installed.
    """
    walk = _Walk(await store.identity(), tuple(heads), public_key)
    last = await store.last_batch()
    events = store.sealed()
    event = await anext(events, None)
    while last and walk.number < last.number and (page := await store.batches(walk.number, PAGE)):
        for batch in takewhile(lambda batch: batch.number <= last.number, page):
            while event is not None and walk.reaches(batch, event[0].position):
                walk.add_event(*event)
                event = await anext(events, None)
            walk.add_batch(batch)
    if event is not None and not await store.batches(walk.number, 1):
        walk.fault("this event and all after it belong to no commit", event[0])
    async for address, data in store.blobs():
        walk.add_blob(address, data)
    return walk.report()


class _Walk:
    """What a verification knows while it goes from the first commit to the last."""

    def __init__(self, identity: str, heads: tuple[Head, ...], public_key: bytes | None) -> None:
        self.number = 0  # of the last commit seen
        self._root = first_root(identity)
        self._position = 0  # of the last event seen
        self._covered = 0  # the last position of the last commit
        self._links: list[bytes] = []  # of the commit that is being walked
        self._tips: dict[str, tuple[int, bytes]] = {}  # of each run: its last seq and link
        self._blobs = 0
        self._wanted: dict[
            str, int
        ] = {}  # blobs that events name and that were not seen yet, with the first such event
        self._erased: list[int] = []
        self._faults: list[Fault] = []
        self._heads = heads
        self._signed = public_key is not None
        for head in heads:
            self._check_head(head, identity, public_key)

    def fault(self, what: str, row: Row | None = None) -> None:
        """Note that something is not what was written."""
        self._faults.append(Fault(what, row.position, row.run, row.seq) if row else Fault(what))

    def _check_head(self, head: Head, identity: str, public_key: bytes | None) -> None:
        if head.journal != identity:
            self.fault(f"the head of commit {head.number} is of another journal, {head.journal}; this is {identity}")
        if public_key is not None and not head.signed_by(public_key):
            self.fault(f"the head of commit {head.number} does not carry the signature of the given key")
        if head.number == 0:
            self._compare_head(head, 0)

    def _compare_head(self, head: Head, position: int) -> None:
        if (head.position, head.root) != (position, self._root.hex()):
            self.fault(f"commit {head.number} is not the one of the exported head: what it covers was rewritten")

    def reaches(self, batch: Batch, position: int) -> bool:
        """Return whether *position* is not past *batch*."""
        return isinstance(batch.last, int) and position <= batch.last  # pyright: ignore[reportUnnecessaryIsInstance]  # the file says

    def add_event(self, row: Row, seal: Seal) -> None:
        """Check the next event against the one before it in the journal and the one before it in its run."""
        if row.position != self._position + 1:
            self.fault(f"positions {self._position + 1} to {row.position - 1} are missing", row)
        self._position = row.position
        seq, previous = self._tips.get(row.run, (0, FIRST_LINK))
        if row.seq != seq + 1:
            self.fault(f"this event follows event {seq} of its run", row)
        if _is_sound(row, seal):
            self._check_payload(row, seal)
            if link(previous, seal.digest, row.run, row.seq, row.type, row.version, row.at, row.key) != seal.link:
                self.fault("its link does not follow from what is stored of it and of the event before it", row)
            previous = seal.link
        else:
            self.fault("a value is of a kind that was never written", row)
        self._links.append(previous)
        self._tips[row.run] = (row.seq, previous)

    def _check_payload(self, row: Row, seal: Seal) -> None:
        if row.payload is None and seal.salt is None:
            self._erased.append(row.position)
        elif row.payload is None or seal.salt is None:
            self.fault("only one of payload and salt is left: an erasure takes both", row)
        elif payload_digest(seal.salt, row.payload) != seal.digest:
            self.fault("its payload is not the one that was written", row)
        elif b'"blobs":{' in row.payload:
            for address in (msgspec.json.decode(row.payload, type=_Spilled).blobs or {}).values():
                self._wanted.setdefault(address, row.position)

    def add_batch(self, batch: Batch) -> None:
        """Check a commit, whose events were added already, against the one before it and the heads."""
        if batch.number != self.number + 1:
            self.fault(f"commits {self.number + 1} to {batch.number - 1} are missing")
        if batch.first != self._covered + 1 or batch.last != self._position:
            self.fault(
                f"commit {batch.number} claims positions {batch.first} to {batch.last}; "
                f"its events are those from {self._covered + 1} to {self._position}"
            )
        computed = root(self._root, batch.number, self._covered + 1, self._links)
        if computed != batch.root:
            self.fault(f"the root of commit {batch.number} does not follow from its events and the root before it")
        self._root = batch.root if isinstance(batch.root, bytes) else computed  # pyright: ignore[reportUnnecessaryIsInstance]
        self.number, self._covered = batch.number, self._position
        self._links.clear()
        for head in self._heads:
            if head.number == batch.number:
                self._compare_head(head, self._position)

    def add_blob(self, address: str, data: bytes) -> None:
        """Check that a blob is where its bytes belong."""
        self._blobs += 1
        self._wanted.pop(address, None)
        if not isinstance(data, bytes) or blob_address(data) != address:  # pyright: ignore[reportUnnecessaryIsInstance]  # the file says
            self.fault(f"the blob at {address} does not hold the bytes that were stored there")

    def report(self) -> Report:
        """Return what was found, once everything was added."""
        for head in self._heads:
            if head.number > self.number:
                self.fault(
                    f"the journal ends at commit {self.number}, position {self._position}; an exported head "
                    f"says that it had commit {head.number}, position {head.position}: its end was cut off"
                )
        return Report(
            events=self._position,
            runs=len(self._tips),
            commits=self.number,
            blobs=self._blobs,
            faults=tuple(self._faults),
            erased=tuple(sorted({*self._erased, *self._wanted.values()})),
            proves=tuple(self._proves()) if not self._faults else (),
            cannot_know=tuple(self._cannot_know()),
        )

    def _proves(self) -> Iterator[str]:
        if not self._position:
            return
        yield (
            f"No event up to position {self._position} was edited, dropped, inserted, reordered or moved to "
            "another run by anyone who did not recompute the chain from there to the end."
        )
        if self._heads:
            position = max(head.position for head in self._heads)
            whose = "signed by the given key" if self._signed else "given"
            yield (
                f"Up to position {position} the journal is the one of the {whose} heads: "
                "whoever recomputed the chain would have changed their roots."
            )

    def _cannot_know(self) -> Iterator[str]:
        if not self._heads:
            yield (
                "Whether the end was cut off, or everything was written anew by someone with write access: "
                "export heads, keep them elsewhere, and verify with them."
            )
        else:
            yield "Whether events after the newest head were cut off or rewritten: export heads more often."
        if not self._signed:
            yield (
                "Whether a head is the one that was exported: only where it was kept or a signature by a key "
                "kept elsewhere, says that."
            )
        gone = {*self._erased, *self._wanted.values()}
        if gone:
            yield (
                f"What the {_count(len(gone), 'erased payload')} said, and whether they were erased by someone who "
                "may: only that they are gone, and that nothing stands in their place."
            )
        yield "Whether what was recorded was true, and the inboxes and run rows: they are not chained."


def _is_sound(row: Row, seal: Seal) -> bool:
    """Return whether the values are of their kinds: SQLite lets anybody put any value into any column."""
    texts, data = (row.type, row.key or ""), (row.payload or b"", seal.salt or b"", seal.digest, seal.link)
    return all(isinstance(value, str) for value in texts) and all(isinstance(value, bytes) for value in data)  # pyright: ignore[reportUnnecessaryIsInstance]


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
