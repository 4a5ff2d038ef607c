"""The store that keeps everything in memory: for tests, and for runs that may be lost with the process."""

# ruff: noqa: D102  # what the methods do is said once, in the contract (store.py)

import asyncio
import os
from collections.abc import AsyncIterator, Iterable, Sequence
from copy import copy
from itertools import islice
from typing import Self, TypeVar

from msgspec.structs import replace

from interlock.errors import DriverConflictError, JournalUnavailableError, UnknownRunError
from interlock.journal.chain import SALT_BYTES, first_root, link, payload_digest, root
from interlock.journal.fence import Tip, check
from interlock.journal.store import Batch, Draft, Entry, Row, RunRow, Seal, Signal, Snapshot

_T = TypeVar("_T")


class MemoryStore:
    """A `Store` in memory, chained and fenced like the durable ones; each append is a commit of its own."""

    def __init__(self) -> None:
        self._identity = os.urandom(16).hex()
        self._root = first_root(self._identity)
        self._events: list[tuple[Row, Seal]] = []
        self._batches: list[Batch] = []
        self._tips: dict[str, Tip] = {}
        self._positions: dict[str, list[int]] = {}  # of each run's events, in order
        self._keys: dict[tuple[str, str], int] = {}  # (run, key) to the latest position that carries it
        self._runs: dict[str, RunRow] = {}
        self._signals: dict[int, Signal] = {}
        self._tokens: dict[tuple[str, str], int] = {}  # (run, token) to the signal that may still wait
        self._last_signal = 0
        self._blobs: dict[str, bytes] = {}
        self._snapshots: dict[str, Snapshot] = {}
        self._driver: str | None = None
        self._closed = False

    def __repr__(self) -> str:
        state = "closed" if self._closed else "open"
        return f"<MemoryStore [{len(self._runs)} runs, {len(self._events)} events, {state}]>"

    def fork(self) -> Self:
        """Return an independent open store with what this one holds and no driver: what a crash leaves."""
        twin = copy(self)
        vars(twin).update((name, copy(value)) for name, value in vars(self).items())
        # These two hold values that change in place.
        tips = {run: copy(tip) for run, tip in self._tips.items()}
        positions = {run: positions.copy() for run, positions in self._positions.items()}
        vars(twin).update(_tips=tips, _positions=positions, _driver=None, _closed=False)
        return twin

    async def drive(self, owner: str) -> None:
        self._check_open()
        if self._driver is not None:
            raise DriverConflictError(f"{self._driver!r} drives this journal; close its store first")
        self._driver = owner

    async def claim(self, run: str) -> int:
        self._check_open()
        tip = self._tip(run)
        tip.epoch += 1
        self._runs[run] = replace(self._runs[run], epoch=tip.epoch)
        epoch = tip.epoch
        await asyncio.sleep(0)  # as durable stores do, so that races show
        return epoch

    async def append(self, entry: Entry) -> int:
        self._check_open()
        tip = self._tips.get(entry.run)
        check(entry, tip)
        if tip is None:
            tip = Tip(len(self._tips) + 1)
        events = self._chain(entry, tip)  # whatever can fail, fails before anything is kept
        self._keep(entry, tip, events)
        position = len(self._events)
        await asyncio.sleep(0)  # as durable stores do: a cancelled append may have been kept
        return position

    def _chain(self, entry: Entry, tip: Tip) -> list[tuple[Row, Seal]]:
        events: list[tuple[Row, Seal]] = []
        previous, position = tip.link, len(self._events)
        for seq, draft in enumerate(entry.drafts, tip.seq + 1):
            position += 1
            events.append(_event(entry.run, seq, position, draft, previous))
            previous = events[-1][1].link
        return events

    def _keep(self, entry: Entry, tip: Tip, events: list[tuple[Row, Seal]]) -> None:
        self._tips[entry.run] = tip
        if events:
            tip.seq, tip.link = events[-1][0].seq, events[-1][1].link
            self._commit(events)
        for row, _ in events:
            self._positions.setdefault(row.run, []).append(row.position)
            if row.key is not None:
                self._keys[row.run, row.key] = row.position
        if entry.row is not None:
            self._runs[entry.run] = self._dated(entry, entry.row, tip.epoch)
        for number in entry.consumes:
            if number in self._signals and self._signals[number].run == entry.run:
                del self._signals[number]
        for address, data in entry.blobs:
            self._blobs.setdefault(address, data)
        if entry.snapshot is not None:
            self._snapshots[entry.run] = entry.snapshot

    def _commit(self, events: list[tuple[Row, Seal]]) -> None:
        number, first = len(self._batches) + 1, len(self._events) + 1
        self._root = root(self._root, number, first, (seal.link for _, seal in events))
        self._events += events
        self._batches.append(Batch(number, first, len(self._events), self._root))

    def _dated(self, entry: Entry, row: RunRow, epoch: int) -> RunRow:
        created, updated = (entry.drafts[0].at, entry.drafts[-1].at) if entry.drafts else (0, 0)
        before = self._runs.get(entry.run)
        if before is not None:
            created, updated = before.created_at, max(updated, before.updated_at)
        return replace(row, id=entry.run, epoch=epoch, created_at=created, updated_at=updated)

    async def row(self, run: str) -> RunRow | None:
        self._check_open()
        return self._runs.get(run)

    async def rows(
        self,
        *,
        statuses: Sequence[str] = (),
        tenant: str | None = None,
        conversation: str | None = None,
        user: str | None = None,
        after: str = "",
        limit: int = 1000,
    ) -> list[RunRow]:
        self._check_open()
        return [
            self._runs[run]
            for run in sorted(self._runs)
            if run > after
            and (not statuses or self._runs[run].status in statuses)
            and (tenant is None or self._runs[run].tenant == tenant)
            and (conversation is None or self._runs[run].conversation == conversation)
            and (user is None or self._runs[run].user == user)
        ][:limit]

    async def due(self, now: int, limit: int, after: tuple[int, str] = (-1, "")) -> list[RunRow]:
        self._check_open()
        waking = ((row.wake_at, row.id) for row in self._runs.values() if row.wake_at is not None)
        due = sorted(one for one in waking if one[0] <= now and one > after)
        return [self._runs[run] for _, run in due[:limit]]

    async def next_wake(self, after: int = -1) -> int | None:
        self._check_open()
        waking = (row.wake_at for row in self._runs.values() if row.wake_at is not None)
        return min((wake_at for wake_at in waking if wake_at > after), default=None)

    async def read(self, run: str, after: int = 0, limit: int = 1000, types: Sequence[str] = ()) -> list[Row]:
        self._check_open()
        positions = self._positions.get(run, [])[after:]
        rows = (self._events[position - 1][0] for position in positions)
        return _first((row for row in rows if not types or row.type in types), limit)

    async def find(self, run: str, key: str) -> Row | None:
        self._check_open()
        position = self._keys.get((run, key))
        return None if position is None else self._events[position - 1][0]

    async def last_seq(self, run: str) -> int:
        self._check_open()
        return len(self._positions.get(run, ()))

    async def feed(self, after: int = 0, limit: int = 1000, types: Sequence[str] = ()) -> list[Row]:
        self._check_open()
        return _first((row for row, _ in self._events[after:] if not types or row.type in types), limit)

    async def signal(self, run: str, kind: str, payload: bytes, at: int, token: str | None = None) -> int:
        self._check_open()
        self._tip(run)
        number = self._waiting(run, token)
        if number is None:
            self._last_signal = number = self._last_signal + 1
            self._signals[number] = Signal(number, run, kind, payload, at)
            if token is not None:
                self._tokens[run, token] = number
        await asyncio.sleep(0)
        return number

    def _waiting(self, run: str, token: str | None) -> int | None:
        number = None if token is None else self._tokens.get((run, token))
        return number if number in self._signals else None

    async def signals(self, *, run: str | None = None, after: int = 0, limit: int = 1000) -> list[Signal]:
        self._check_open()
        waiting = (signal for signal in self._signals.values() if signal.id > after)
        return _first((signal for signal in waiting if run is None or signal.run == run), limit)

    async def moved(self) -> bool:
        self._check_open()
        return False

    async def blob(self, address: str) -> bytes | None:
        self._check_open()
        return self._blobs.get(address)

    async def snapshot(self, run: str) -> Snapshot | None:
        self._check_open()
        return self._snapshots.get(run)

    async def sealed(self, after: int = 0) -> AsyncIterator[tuple[Row, Seal]]:
        self._check_open()
        for event in self._events[after:]:
            yield event

    async def batches(self, after: int = 0, limit: int = 1000) -> list[Batch]:
        self._check_open()
        return self._batches[after : after + limit]

    async def last_batch(self) -> Batch | None:
        self._check_open()
        return self._batches[-1] if self._batches else None

    async def blobs(self, after: str = "") -> AsyncIterator[tuple[str, bytes]]:
        self._check_open()
        for address in sorted(self._blobs):
            if address > after:
                yield address, self._blobs[address]

    async def identity(self) -> str:
        self._check_open()
        return self._identity

    async def close(self) -> None:
        self._closed = True
        self._driver = None

    def _tip(self, run: str) -> Tip:
        tip = self._tips.get(run)
        if tip is None:
            raise UnknownRunError(f"no run {run!r} in this journal")
        return tip

    def _check_open(self) -> None:
        if self._closed:
            raise JournalUnavailableError("this store is closed; open a new one")


def _event(run: str, seq: int, position: int, draft: Draft, previous: bytes) -> tuple[Row, Seal]:
    salt = os.urandom(SALT_BYTES)
    digest = payload_digest(salt, draft.payload)
    row = Row(position, run, seq, draft.type, draft.version, draft.at, draft.key, draft.payload)
    here = link(previous, digest, run, seq, draft.type, draft.version, draft.at, draft.key)
    return row, Seal(salt, digest, here)


def _first(items: Iterable[_T], limit: int) -> list[_T]:
    return list(islice(items, limit))
