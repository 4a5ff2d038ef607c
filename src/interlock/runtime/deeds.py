"""What was done, as rules count it: read from the journal when it is first needed, and kept up to date from then on.

One process drives a journal, and every event of its runs passes here before it is written. So a count is exact however
many runs are judged at once: nothing is awaited between a judgement and the intent that follows from it.
"""

import asyncio
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable, Container, Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

import msgspec
from msgspec import Struct

from interlock.guardian import Failed
from interlock.guardian.english import label
from interlock.guardian.rates import REACH
from interlock.guardian.tree import Window
from interlock.journal.journal import PAGE, Journal
from interlock.journal.store import RunRow
from interlock.kernel import events as ev
from interlock.kernel.events import Event, Recorded
from interlock.runtime.clock import Clock
from interlock.runtime.tallies import Deed, Id, Record, Repeats

MOST_RECORDS: Final = 16_384
"""How many windows and conversations are kept up to date; what is not used is dropped, and read again when needed."""

OVERLAP: Final = 3_600_000_000
"""How much further back than a window reaches the journal is read, since clocks of processes differ; microseconds."""


class Whose(Struct, frozen=True, gc=False):
    """A run and whose it is, which decides in whose windows its deeds count.

    `together` is the scope in which identical effects are repeats: the conversation, or a run that stands alone.
    """

    run: str
    agent: str
    tenant: str
    user: str | None
    conversation: str | None
    together: "Key"

    def scope(self, window: Window) -> tuple[str, ...] | None:
        """Return whose deeds *window* counts for this run; None where there is nobody."""
        match window.per:
            case "run":
                return ("run", self.run)
            case "conversation":
                return ("conversation", self.tenant, self.conversation) if self.conversation else ("run", self.run)
            case "user":
                return None if self.user is None else ("user", self.tenant, self.user)
            case "agent":
                return ("agent", self.agent)
            case "tenant":
                return ("tenant", self.tenant)
            case "everyone":
                return ("everyone",)


class _Seen(Struct, frozen=True, gc=False):
    whose: Whose
    deed: Deed
    digest: str


Key = tuple[Window | None, tuple[str, ...]]
"""A window over a scope; without a window, the repeats of a conversation."""


def whose(run: str, agent: str, tenant: str, user: str | None, conversation: str | None) -> Whose:
    """Return whose the run *run* is."""
    together = ("conversation", tenant, conversation) if conversation else ("run", run)
    return Whose(run, agent, tenant, user, conversation, (None, together))


Found = AsyncIterator[tuple[Whose, Recorded]]


class Deeds:
    """Counts what was done.

    The mutable state: the windows that count something (by action), the records kept up to date, what happens to those
    that are being read, and what was seen but is not durable yet.
    """

    def __init__(self, journal: Journal, clock: Clock) -> None:
        self._journal = journal
        self._clock = clock
        self._windows: dict[str, tuple[Window, ...]] = {}
        self._every: tuple[Window, ...] = ()
        self._records: OrderedDict[Key, Record | Repeats] = OrderedDict()
        self._reading: dict[Key, tuple[asyncio.Future[None], list[_Seen]]] = {}
        self._pending: dict[int, tuple[Whose, int, int, Sequence[Event]]] = {}
        self._tickets = 0

    def watch(self, windows: Iterable[Window]) -> None:
        """Count these windows from now on, and no others."""
        self._every = tuple(dict.fromkeys(windows))
        by_action: dict[str, list[Window]] = {}
        for window in self._every:
            for action in dict.fromkeys((*window.actions, *window.since)):
                by_action.setdefault(action, []).append(window)
        self._windows = {action: tuple(found) for action, found in by_action.items()}
        for key in [key for key in self._records if key[0] is not None and key[0] not in self._every]:
            del self._records[key]

    def counts(self, action: str) -> bool:
        """Whether some window counts *action*."""
        return action in self._windows

    # seeing

    def seen(self, whose: Whose, first: int, at: int, events: Sequence[Event]) -> int:
        """Take in events that are about to be written, the first of them at seq *first*; return a ticket for `kept`."""
        is_relevant = False
        for seq, event in enumerate(events, first):
            read = _READERS.get(type(event))
            if read is not None:
                is_relevant = True
                one = read(whose, seq, at, event, self._windows)
                if one is not None:
                    self._take_in(one)
        if not is_relevant:
            return 0
        self._tickets += 1
        self._pending[self._tickets] = (whose, first, at, events)
        return self._tickets

    def kept(self, ticket: int) -> None:
        """Say that the events of a ticket are durable."""
        self._pending.pop(ticket, None)

    def lost(self, ticket: int) -> None:
        """Say that nobody knows whether the events of a ticket are durable: all is read anew."""
        self._pending.pop(ticket, None)
        self._records.clear()

    def on_their_way(self, tenant: str) -> Iterator[Event]:
        """Yield events of a tenant's runs that were seen and may not be durable yet, intents among them."""
        for owner, _, _, events in self._pending.values():
            if owner.tenant == tenant:
                yield from events

    def reserve(self, whose: Whose, call: str, action: str, at: int, args: Mapping[str, Any]) -> None:
        """Count a read that is about to be performed: it has no intent that could count."""
        self._take_in(_Seen(whose, Deed("begun", (whose.run, call), action, at, args=args), ""))

    def _take_in(self, one: _Seen) -> None:
        for key in self._keys(one):
            if self._reading and key in self._reading:
                self._reading[key][1].append(one)
            record = self._records.get(key)
            if record is not None:
                self._see(key, record, one)

    def _keys(self, one: _Seen) -> Sequence[Key]:
        """Return the records that a deed belongs to; one whose action is not told could belong to any."""
        windows = self._windows.get(one.deed.action, ()) if one.deed.action else self._every
        if not windows:
            return (one.whose.together,)
        counted = [(window, scope) for window in windows if (scope := one.whose.scope(window)) is not None]
        return (*counted, one.whose.together)

    def _see(self, key: Key, record: Record | Repeats, one: _Seen) -> None:
        if isinstance(record, Repeats):
            record.see(one.deed, one.digest)
            return
        record.see(one.deed)
        if record.is_stale:
            del self._records[key]

    # asking

    def lacking(self, whose: Whose, windows: Sequence[Window], *, repeats: bool) -> list[Key]:
        """Return which of these windows, and of the repeats of the conversation where asked, can't be told at once."""
        wanted: list[Key] = [whose.together] if repeats else []
        if windows:
            wanted += [(window, scope) for window in windows if (scope := whose.scope(window)) is not None]
        return [key for key in wanted if key not in self._records]

    async def read(self, whose: Whose, lacking: Sequence[Key], *, fresh: bool) -> None:
        """See to it that what is lacking can be told.

        `fresh` is whether the run has done nothing yet, so that, where it stands alone, there is nothing to read.
        """
        while missing := [key for key in lacking if key not in self._records]:
            for key in missing:
                if fresh and key[1][0] == "run":
                    self._keep(key, _empty(key))
                else:
                    await self._read(key, whose)

    def values(self, whose: Whose, windows: Iterable[Window], args: Mapping[str, Any], now: int) -> dict[str, Any]:
        """Return what each window comes to for a proposal with these arguments (JSON values), by its label."""
        return {label(window): self._value(whose, window, args, now) for window in windows}

    def _value(self, whose: Whose, window: Window, args: Mapping[str, Any], now: int) -> Any:
        scope = whose.scope(window)
        if scope is None:
            return Failed("the run acts for no user whose calls could be counted")
        record = self._records.get((window, scope))
        if not isinstance(record, Record):
            return Failed("it was not read from the journal")
        self._records.move_to_end((window, scope))
        return record.value(args, now)

    def earlier(self, whose: Whose, call: str, digest: str, excused: Container[Id]) -> Deed | None:
        """Return an effect of the same conversation that is the same as this call: done, or under way.

        Raises:
            KeyError: the conversation's repeats have not been read (see `lacking`).
        """
        record = self._records[whose.together]
        assert isinstance(record, Repeats)
        return record.earlier((whose.run, call), digest, excused)

    # reading

    async def _read(self, key: Key, whose: Whose) -> None:
        if key in self._reading:
            await asyncio.shield(self._reading[key][0])
            return
        log = [one for one in self._under_way() if key in self._keys(one)]
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._reading[key] = (done, log)
        try:
            record = _empty(key)
            async for owner, event in self._recorded(key, whose):
                one = _seen(owner, event.seq, event.at, event.event, self._windows)
                if one is not None and key in self._keys(one):
                    _apply(record, one)
            for one in log:
                _apply(record, one)
            self._keep(key, record)
        finally:
            del self._reading[key]
            done.set_result(None)

    def _under_way(self) -> Iterator[_Seen]:
        """Yield what was seen and may not be durable yet."""
        for owner, first, at, events in self._pending.values():
            for seq, event in enumerate(events, first):
                one = _seen(owner, seq, at, event, self._windows)
                if one is not None:
                    yield one

    def _keep(self, key: Key, record: Record | Repeats) -> None:
        self._records[key] = record
        while len(self._records) > MOST_RECORDS:
            self._records.popitem(last=False)

    async def _recorded(self, key: Key, whose: Whose) -> Found:
        """Yield what the journal holds of a scope, in the order in which it was written."""
        window, scope = key
        since = self._since(window)
        match scope:
            case ("run", run):
                rows = [whose] if run == whose.run else []
            case ("conversation", tenant, name):
                rows = [_whose(row) for row in await self._journal.conversation(tenant, name)]
            case ("user", tenant, name):
                rows = [_whose(row) for row in await self._journal.runs_of(tenant, name) if row.updated_at >= since]
            case _:
                async for pair in self._everywhere(since):
                    yield pair
                return
        found = [(one, event) for one in rows for event in await self._journal.history(one.run, 0, tuple(_READERS))]
        for pair in sorted(found, key=lambda pair: pair[1].position):
            yield pair

    async def _everywhere(self, since: int) -> Found:
        after = await self._journal.position_before(since) if since else 0
        owners: dict[str, Whose] = {}
        while page := await self._journal.feed(after, PAGE, tuple(_READERS)):
            for event in page:
                if event.run not in owners:
                    row = await self._journal.store.row(event.run)
                    assert row is not None
                    owners[event.run] = _whose(row)
                yield owners[event.run], event
            after = page[-1].position

    def _since(self, window: Window | None) -> int:
        if window is None or not window.within:
            return 0
        reach = window.within * REACH if window.op == "surge" else window.within
        return self._clock.now() - reach - OVERLAP


def _whose(row: RunRow) -> Whose:
    return whose(row.id, row.agent, row.tenant, row.user, row.conversation)


def _empty(key: Key) -> Record | Repeats:
    return Repeats() if key[0] is None else Record(key[0])


def _apply(record: Record | Repeats, one: _Seen) -> None:
    if isinstance(record, Repeats):
        record.see(one.deed, one.digest)
    else:
        record.see(one.deed)
        record.is_stale = False  # What is read in order knows all that counts.


def _seen(whose: Whose, seq: int, at: int, event: Event, counted: Container[str]) -> _Seen | None:
    """Return what an event says about a deed; None where it says nothing. Arguments matter where windows look."""
    read = _READERS.get(type(event))
    return None if read is None else read(whose, seq, at, event, counted)


def _begun(whose: Whose, seq: int, at: int, event: ev.Intended | ev.Delegated, counted: Container[str]) -> _Seen | None:
    if isinstance(event, ev.Intended) and event.undoes:
        return None
    args = _decoded(event.args) if event.action in counted else None
    deed = Deed("begun", (whose.run, event.call), event.action, at, 0, args, bool(event.redacted))
    return _Seen(whose, deed, event.digest)


def _settled(whose: Whose, seq: int, at: int, event: ev.Done, counted: Container[str]) -> _Seen | None:
    call = (whose.run, event.call)
    if event.undoes:
        return _Seen(whose, Deed("undone", call, event.action, at, event.undoes), "")
    if event.intent:
        return _Seen(whose, Deed("settled", call, event.action, at, seq), "")
    if event.action not in counted:
        return None
    return _Seen(whose, Deed("settled", call, event.action, at, seq, _decoded(event.args), bool(event.redacted)), "")


def _released(whose: Whose, seq: int, at: int, event: ev.Failed, counted: Container[str]) -> _Seen | None:
    return None if event.undoes else _Seen(whose, Deed("released", (whose.run, event.call), event.action, at), "")


def _withheld(whose: Whose, seq: int, at: int, event: ev.Withheld | ev.Probed, counted: Container[str]) -> _Seen | None:
    if isinstance(event, ev.Probed) and event.answer != "never":
        return None
    return _Seen(whose, Deed("released", (whose.run, event.call), "", at), "")


_READERS: Final[dict[type[Event], Callable[[Whose, int, int, Any, Container[str]], _Seen | None]]] = {
    ev.Intended: _begun,
    ev.Delegated: _begun,
    ev.Done: _settled,
    ev.Failed: _released,
    ev.Withheld: _withheld,
    ev.Probed: _withheld,
}


def _decoded(args: msgspec.Raw) -> Mapping[str, Any]:
    """Return recorded arguments as JSON values; what is not an object (it was erased) has none."""
    found: dict[str, Any] | None = msgspec.json.decode(bytes(args), type=dict[str, Any] | None)
    return found or {}
