"""What windows count, kept up to date: a few steps a deed, however far the window reaches back.

A *deed* is a call that was done, or is under way. A `Record` is one window over one scope (one user's refunds within 30
days, say); in it, a `Tally` for each value of the arguments that must be the same.
"""

from collections import deque
from collections.abc import Container, Iterator, Mapping
from decimal import Decimal, InvalidOperation
from typing import Any, Final, Literal

from msgspec import Struct

from interlock.canonical import canonical
from interlock.guardian import Failed
from interlock.guardian.calculate import added
from interlock.guardian.rates import Surge
from interlock.guardian.tree import Window
from interlock.guardian.values import Unjudgeable

Id = tuple[str, str]
"""A call: its run and its key."""

Same = tuple[bytes, ...] | None
"""The values of the arguments that must be the same; None where a redacted deed could have any."""

MOST_DEEDS: Final = 1_000_000
"""How many deeds one window holds; beyond that it can't be counted, and rules that need it deny."""


REMEMBERED: Final = 3_600_000_000
"""How long a call that was counted in a rate is remembered, so that it counts once; in microseconds."""


class Deed(Struct, frozen=True, gc=False):
    """Something that happened to a call: it was begun, settled (it is known that it was done), or is no more.

    `args` are its arguments as JSON values, where they are known; `seq` is the place of the outcome, or, of a deed that
    was taken back, that of the outcome that is no more. `at` is in microseconds since the epoch.
    """

    kind: Literal["begun", "settled", "released", "undone"]
    id: Id
    action: str
    at: int
    seq: int = 0
    args: Mapping[str, Any] | None = None
    redacted: bool = False


class _Entry(Struct, frozen=True, gc=False):
    at: int
    amount: int | Decimal | None
    settled: bool
    order: int
    seq: int


class Tally:
    """The deeds of one window with the same arguments, and their number or sum.

    The mutable state: the deeds by their id, and what they come to.
    """

    def __init__(self, window: Window) -> None:
        self._window = window
        self._entries: dict[Id, _Entry] = {}
        self._number = 0
        self._sum: int | Decimal = 0
        self._unknown = 0

    def put(self, call: Id, entry: _Entry) -> None:
        """Add a deed, or what has become of it."""
        self.drop(call)
        self._entries[call] = entry
        self._weigh(entry, 1)

    def drop(self, call: Id) -> None:
        """Forget a deed."""
        entry = self._entries.pop(call, None)
        if entry is not None:
            self._weigh(entry, -1)

    def get(self, call: Id) -> _Entry | None:
        """Return what is known of a deed."""
        return self._entries.get(call)

    def _weigh(self, entry: _Entry, sign: Literal[1, -1]) -> None:
        if self._window.settled and not entry.settled:
            return
        self._number += sign
        if self._window.op == "sum":
            self._unknown += sign if entry.amount is None else 0
            self._sum = added(self._sum, sign * (entry.amount or 0))

    def value(self, mark: int) -> int | Decimal:
        """Return what the deeds come to; with a *mark*, those after it.

        Raises:
            Unjudgeable: one of them has no number to add.
        """
        if mark:
            return self._after(mark)
        self._check(self._unknown)
        return self._number if self._window.op == "count" else self._sum

    def _after(self, mark: int) -> int | Decimal:
        window = self._window
        found = [one for one in self._entries.values() if one.order > mark and (one.settled or not window.settled)]
        if window.op == "count":
            return len(found)
        self._check(sum(one.amount is None for one in found))
        total: int | Decimal = 0
        for one in found:
            total = added(total, one.amount or 0)
        return total

    def _check(self, unknown: int) -> None:
        if unknown:
            raise Unjudgeable(f"{unknown} earlier calls have no number in {self._window.of!r} to add up")

    def __len__(self) -> int:
        return len(self._entries)


class Record:
    """One window over one scope.

    The mutable state: a tally for each value of the same arguments, which tally a deed is in, the line in which deeds
    leave the window, after what `since` counts anew, the order in which deeds were seen, and the rate of a surge.
    """

    def __init__(self, window: Window) -> None:
        self.window = window
        self.is_stale = False
        """Whether it no longer knows what counts and has to be read anew."""
        self._tallies: dict[Same, Tally] = {}
        self._places: dict[Id, Same] = {}
        self._line: deque[tuple[int, Id]] = deque()
        self._marks: dict[Same, int] = {}
        self._marking: dict[Id, Same] = {}
        self._order = 0
        self._surge = Surge(window.within) if window.op == "surge" else None

    def see(self, deed: Deed) -> None:
        """Take in something that happened; seen twice, it counts once."""
        self._expire(deed.at)
        if deed.action in self.window.since or deed.id in self._marking:
            self._mark(deed)
        if self._surge is not None:
            self._rate(deed, self._surge)
        elif deed.kind == "undone":
            self._undo(deed)
        elif deed.kind == "released":
            self._release(deed.id)
        elif deed.action in self.window.actions:
            self._count(deed)

    def _count(self, deed: Deed) -> None:
        if deed.args is None:
            self._settle(deed)
            return
        self._release(deed.id)
        same = self._same_of(deed)
        self._enter(deed, same)
        amount = _amount(deed.args.get(self.window.of)) if self.window.of and not deed.redacted else None
        self._order += 1
        self._tally(same).put(deed.id, _Entry(deed.at, amount, deed.kind == "settled", self._order, deed.seq))

    def _settle(self, deed: Deed) -> None:
        place = self._places.get(deed.id, ())
        tally = self._tallies.get(place)
        entry = tally.get(deed.id) if tally is not None else None
        if tally is not None and entry is not None:
            self._order += 1
            tally.put(deed.id, _Entry(entry.at, entry.amount, True, self._order, deed.seq))

    def _enter(self, deed: Deed, same: Same) -> None:
        self._places[deed.id] = same
        if self.window.within:
            self._line.append((deed.at, deed.id))

    def _release(self, call: Id) -> None:
        if call not in self._places:
            return
        place = self._places.pop(call)
        tally = self._tallies.get(place)
        if tally is not None:
            tally.drop(call)
            if not tally:
                del self._tallies[place]

    def _expire(self, now: int) -> None:
        """Let go of deeds that have left the window."""
        line, cutoff = self._line, now - (self.window.within if self._surge is None else REMEMBERED)
        while line and line[0][0] <= cutoff:
            at, call = line.popleft()
            tally = self._tallies.get(self._places.get(call, ()))
            entry = tally.get(call) if tally is not None else None
            # One that was begun again has a later place in the line.
            if entry is None or entry.at == at:
                self._release(call)

    def _undo(self, deed: Deed) -> None:
        for call, place in list(self._places.items()):
            entry = self._tally(place).get(call) if call[0] == deed.id[0] else None
            if entry is not None and entry.seq == deed.seq:
                self._release(call)

    def _mark(self, deed: Deed) -> None:
        """Remember after what is counted anew: what settles has the arguments with which it began."""
        if deed.kind == "undone":
            self.is_stale = True
            return
        if deed.kind == "released":
            self._marking.pop(deed.id, None)
            return
        if deed.args is not None:
            known = not deed.redacted and all(earlier in deed.args for earlier, _ in self.window.same)
            self._marking[deed.id] = self._same_of(deed) if known else None
        if deed.kind == "settled":
            self._order += 1
            self._marks[self._marking.pop(deed.id, None)] = self._order

    def _rate(self, deed: Deed, surge: Surge) -> None:
        """Count a call in the rate once, whatever becomes of it."""
        if deed.action in self.window.actions and deed.args is not None and deed.id not in self._places:
            self._enter(deed, ())
            surge.add(deed.at)

    def _same_of(self, deed: Deed) -> Same:
        if not self.window.same:
            return ()
        return None if deed.redacted else values_of(deed.args or {}, (earlier for earlier, _ in self.window.same))

    def _tally(self, same: Same) -> Tally:
        tally = self._tallies.get(same)
        if tally is None:
            tally = self._tallies[same] = Tally(self.window)
        return tally

    def value(self, args: Mapping[str, Any], now: int) -> Any:
        """Return what the window comes to for a proposal with these arguments; `Failed` where that can't be told."""
        self._expire(now)
        if self._surge is not None:
            return self._surge.above(now)
        if len(self._places) > MOST_DEEDS:
            return Failed(f"more than {MOST_DEEDS:,} calls are in the window; give it a shorter reach")
        same = values_of(args, (this for _, this in self.window.same)) if self.window.same else ()
        total: int | Decimal = 0
        try:
            for place in {same, None} if self.window.same else (same,):
                tally = self._tallies.get(place)
                if tally is not None:
                    total = added(total, tally.value(self._after(same)))
        except Unjudgeable as error:
            return Failed(str(error))
        return total

    def __len__(self) -> int:
        return len(self._places)

    def _after(self, same: Same) -> int:
        return max(self._marks.get(None, 0), self._marks.get(same, 0))


def values_of(args: Mapping[str, Any], names: Any) -> tuple[bytes, ...]:
    """Return the values of some arguments as they are compared: by their canonical form; b'' where one is absent."""
    return tuple(canonical(args[name]) if name in args else b"" for name in names)


def _amount(value: Any) -> int | Decimal | None:
    """Return a recorded argument as a number; decimals are recorded as texts."""
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        return None
    if isinstance(value, int):
        return value
    try:
        number = Decimal(value if isinstance(value, str) else repr(value))
    except InvalidOperation:
        return None
    return number if number.is_finite() else None


class _Done(Struct, frozen=True, gc=False):
    """An effect that was done, and the one with the same digest before it."""

    id: Id
    at: int
    seq: int
    before: "_Done | None"


class Repeats(Struct, gc=False):
    """The effects of one conversation by their digests: what was done already, and what is under way.

    The mutable state: of each digest what was done, the last first, and the calls under way. All of it is made of what
    the garbage collector does not walk through, for there is one for each run.
    """

    done: dict[str, _Done] = {}
    open: dict[str, str] = {}

    def see(self, deed: Deed, digest: str) -> None:
        """Take in what became of an effect; its digest is known when it begins."""
        if deed.kind == "undone":
            self._forget(deed.id[0], deed.seq)
        elif deed.kind == "begun":
            self.open[_joined(deed.id)] = _short(digest)
        else:
            known = self.open.pop(_joined(deed.id), None)
            if deed.kind == "settled" and known is not None:
                self.done[known] = _Done(deed.id, deed.at, deed.seq, self.done.get(known))

    def _forget(self, run: str, seq: int) -> None:
        for digest, last in list(self.done.items()):
            if last.before is None and last.seq != seq:
                continue
            left: _Done | None = None
            for one in reversed(list(self._all(digest))):
                if (one.id[0], one.seq) != (run, seq):
                    left = _Done(one.id, one.at, one.seq, left)
            if left is None:
                del self.done[digest]
            else:
                self.done[digest] = left

    def _all(self, digest: str) -> Iterator[_Done]:
        done = self.done.get(digest)
        while done is not None:
            yield done
            done = done.before

    def earlier(self, call: Id, digest: str, excused: Container[Id] = ()) -> Deed | None:
        """Return the last that was done, or is under way, that is the same as this call; not one that is *excused*."""
        short = _short(digest)
        if short in self.done:
            for done in self._all(short):
                if done.id != call and done.id not in excused:
                    return Deed("settled", done.id, "", done.at, done.seq)
        for other, known in self.open.items():
            if known == short and other != _joined(call):
                run, _, key = other.partition("\n")
                return Deed("begun", (run, key), "", 0)
        return None


def _joined(call: Id) -> str:
    return f"{call[0]}\n{call[1]}"


def _short(digest: str) -> str:
    """Return enough of a digest to tell calls of one conversation apart: 128 bits."""
    return digest[:32]
