"""`Journal`: a store that speaks events instead of bytes.

It encodes and decodes, keeps secrets out (redaction runs here, before anything is written), moves large fields to
content-addressed blobs, and folds a run from its newest snapshot.
"""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import NamedTuple

import msgspec

from interlock.errors import JournalCorruptError, UnknownRunError
from interlock.journal.chain import blob_address
from interlock.journal.redact import Redactor
from interlock.journal.store import Draft, Entry, Row, RunRow, Snapshot, Store
from interlock.kernel import codec
from interlock.kernel.events import NOTHING, Event, Recorded, Unrecognised
from interlock.kernel.evolve import evolve
from interlock.kernel.state import VERSION, State

INLINE_LIMIT = 16 * 1024
"""An event whose payload is larger than this many bytes has its largest fields moved to blobs."""

SNAPSHOT_EVERY = 128
"""A run is folded from its last snapshot, at most so many events back."""

PAGE = 1000
"""How many rows are read at a time."""

_state_encoder = msgspec.json.Encoder()
_state_decoder = msgspec.json.Decoder(State)


class Prepared(NamedTuple):
    """An event ready to be written: as it will be read again, as bytes, and the blobs that its large fields became."""

    event: Event
    draft: Draft
    blobs: Sequence[tuple[str, bytes]]


class Journal:
    """Events in, events out; the single source of truth about every run.

    Args:
        store: Where the bytes go.
        redactor: What is applied to every payload and blob before it is written.
    """

    def __init__(self, store: Store, redactor: Redactor) -> None:
        self.store = store
        self.defined: set[tuple[str, str, str]] = set()
        """The versions of agents whose policy, machine and head this process has stored by content."""
        self._redactor = redactor

    def keep_out(self, secrets: Mapping[str, str]) -> None:
        """Keep these secrets (name to value) out of everything that is written from now on.

        Raises:
            DeclarationError: a secret is too short to be told from ordinary text.
        """
        self._redactor = self._redactor.knowing(secrets)

    def redacted(self, content: bytes) -> tuple[bytes, tuple[str, ...]]:
        """Return *content* without secrets, and the rules that changed it: what is stored beside events."""
        return self._redactor.redact(content)

    def address(self, content: bytes) -> str:
        """Return the address under which *content* is stored as a blob."""
        return blob_address(content)

    async def conversation(self, tenant: str, conversation: str) -> list[RunRow]:
        """Return the runs of a conversation, the oldest first."""
        found: list[RunRow] = []
        while page := await self.store.rows(
            tenant=tenant, conversation=conversation, after=found[-1].id if found else "", limit=PAGE
        ):
            found += page
        return sorted(found, key=lambda row: (row.created_at, row.id))

    async def runs_of(self, tenant: str, user: str) -> list[RunRow]:
        """Return the runs that act for a user of a tenant, in the order of their ids."""
        found: list[RunRow] = []
        while page := await self.store.rows(tenant=tenant, user=user, after=found[-1].id if found else "", limit=PAGE):
            found += page
        return found

    def prepare(self, event: Event, at: int) -> Prepared:
        """Return *event* as it will be stored, without secrets (and marked so), beside its bytes.

        The fold must see what a later reader of the journal sees, so `evolve` takes the event from here.
        """
        payload, rules = self._redactor.redact(codec.encode(event))
        name, version = codec.type_of(event)
        if rules:
            event = msgspec.structs.replace(codec.decode(name, version, payload), redacted=rules)
            payload = codec.encode(event)
        blobs: Sequence[tuple[str, bytes]] = ()
        if len(payload) > INLINE_LIMIT:
            spilled, blobs = _spill(event)
            payload = codec.encode(spilled)
        key = getattr(event, "call", None) if event.closes else None
        return Prepared(event, Draft(name, version, at, payload, key), blobs)

    def entry(
        self,
        run: str,
        epoch: int,
        expected: int,
        prepared: Sequence[Prepared],
        *,
        row: RunRow | None = None,
        consumes: Sequence[int] = (),
        blobs: Sequence[bytes] = (),
        snapshot: State | None = None,
    ) -> Entry:
        """Return what the store is to append: *prepared* events after seq *expected*, and what goes with them.

        `blobs` are contents that the events name by their address.
        """
        addressed = [(blob_address(blob), blob) for blob in blobs]
        for one in prepared:
            if one.blobs:
                addressed += one.blobs
        image = None
        if snapshot is not None:
            image = Snapshot(snapshot.seq, VERSION, _state_encoder.encode(snapshot))
        return Entry(run, epoch, expected, [one.draft for one in prepared], row, consumes, addressed, image)

    async def state(self, run: str) -> State:
        """Fold the run from its newest snapshot.

        Raises:
            UnknownRunError: there is no such run.
        """
        snapshot = await self.store.snapshot(run)
        state = State()
        if snapshot is not None and snapshot.version == VERSION:
            # A snapshot is a cache: a damaged one costs the time to fold from the start.
            with suppress(msgspec.DecodeError):
                state = _state_decoder.decode(snapshot.state)
        while page := await self.store.read(run, state.seq, PAGE):
            for row in page:
                state = evolve(state, row.seq, row.at, self._event(row))
            if len(page) < PAGE:
                break
        if state.seq == 0:
            raise UnknownRunError(f"no run {run!r} in this journal")
        return state

    async def find(self, run: str, key: str) -> Recorded | None:
        """Return the event that closed the call *key* of the run, with its large fields loaded, or None."""
        row = await self.store.find(run, key)
        return None if row is None else await self._loaded(row)

    async def event(self, run: str, seq: int) -> Recorded:
        """Return the event of the run at *seq*, with its large fields loaded.

        Raises:
            UnknownRunError: there is no such event.
        """
        rows = await self.store.read(run, seq - 1, 1)
        if not rows or rows[0].seq != seq:
            raise UnknownRunError(f"run {run!r} has no event {seq}")
        return await self._loaded(rows[0])

    async def history(self, run: str, after: int = 0, types: Sequence[type[Event]] = ()) -> list[Recorded]:
        """Return the run's events after seq *after*, in order, with their large fields loaded."""
        names = tuple(codec.NAMES[one] for one in types)
        found: list[Recorded] = []
        while page := await self.store.read(run, after, PAGE, names):
            found += [await self._loaded(row) for row in page]
            after = page[-1].seq
            if len(page) < PAGE:
                break
        return found

    async def feed(self, after: int = 0, limit: int = PAGE, types: Sequence[type[Event]] = ()) -> list[Recorded]:
        """Return up to *limit* events of all runs after position *after*, in order, with their large fields loaded."""
        names = tuple(codec.NAMES[one] for one in types)
        return [await self._loaded(row) for row in await self.store.feed(after, limit, names)]

    async def position_before(self, at: int) -> int:
        """Return a position before which no event happened at or after the time *at*, and none is far off.

        Positions follow the clock, except where one process's clock was behind another's: ask for a time a little
        earlier than the one that counts.
        """
        newest = await self.store.last_batch()
        low, high = 0, newest.last if newest is not None else 0
        while low < high:
            middle = (low + high) // 2
            rows = await self.store.feed(middle, 1)
            if rows and rows[0].at < at:
                low = middle + 1
            else:
                high = middle
        return low

    async def _loaded(self, row: Row) -> Recorded:
        event = self._event(row)
        if event.blobs:
            fields = {name: await self._field(row, address) for name, address in event.blobs.items()}
            event = msgspec.structs.replace(event, blobs=None, **fields)
        return Recorded(row.position, row.run, row.seq, row.at, event)

    async def _field(self, row: Row, address: str) -> msgspec.Raw:
        content = await self.store.blob(address)
        # An erased blob reads as null, as an erased payload does.
        return NOTHING if content is None else msgspec.Raw(content)

    def _event(self, row: Row) -> Event:
        if row.payload is None:
            return Unrecognised(type=row.type)
        try:
            return codec.decode(row.type, row.version, row.payload)
        except msgspec.DecodeError as error:
            raise JournalCorruptError(
                f"event {row.seq} of run {row.run!r} (position {row.position}) can't be read: {error}; "
                "run verify to see whether it was changed"
            ) from error


def _spill(event: Event) -> tuple[Event, list[tuple[str, bytes]]]:
    """Move the event's raw fields out, the largest first, until the rest fits a row."""
    raw = {name: value for name in event.__struct_fields__ if isinstance(value := getattr(event, name), msgspec.Raw)}
    left = len(codec.encode(event))
    places: dict[str, str] = {}
    blobs: list[tuple[str, bytes]] = []
    for name, value in sorted(raw.items(), key=lambda item: -len(bytes(item[1]))):
        if left <= INLINE_LIMIT:
            break
        content = bytes(value)
        places[name] = blob_address(content)
        blobs.append((places[name], content))
        left -= len(content)
    emptied = dict.fromkeys(places, NOTHING)
    return msgspec.structs.replace(event, blobs=places, **emptied), blobs
