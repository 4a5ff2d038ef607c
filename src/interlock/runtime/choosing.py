"""Which effects an undo is about: those of a run, one of them, of a conversation, of an agent, since a time."""

from collections.abc import AsyncGenerator, Callable, Iterable
from datetime import UTC, datetime
from typing import Self

from msgspec import Struct

from interlock.errors import DeclarationError, UnknownEffectError, UnknownRunError
from interlock.journal.journal import Journal
from interlock.journal.store import RunRow
from interlock.kernel import events as ev
from interlock.kernel.events import Recorded
from interlock.kernel.state import unsettled
from interlock.undo import READ, Effect, UndoPlan, effects, plan
from interlock.undo.plan import Actions

LOOK_AHEAD = 50_000
"""How many events after the first effect of a plan are looked through for effects that rest on it."""

PAGE = 1_000
SLACK = 60_000_000
"""By how much clocks of processes that wrote one journal may differ, in microseconds."""

ActionsOf = Callable[[RunRow], Actions]


class Scope(Struct, frozen=True):
    """What is undone.

    A run (with the runs that it handed tasks on to), one outcome or delayed call of it (`seq`), a conversation, what an
    agent did, what was done since a time (microseconds since the epoch); the last two also together. `tenant` is that
    of a conversation; of the others, None means all. `also` are effects that are undone with it, by run and seq: those
    that rest on it. `after` leaves out what the run did up to that seq of its own.
    """

    run: str = ""
    seq: int = 0
    conversation: str = ""
    agent: str = ""
    since: int | None = None
    tenant: str | None = None
    also: tuple[tuple[str, int], ...] = ()
    after: int = 0

    @classmethod
    def of(  # noqa: PLR0917 - they are those of `Runtime.undo_plan`, its one caller
        cls, run: str, seq: int, conversation: str, agent: str, since: datetime | None, tenant: str | None
    ) -> Self:
        """Return the scope that was asked for.

        Raises:
            DeclarationError: none, or more than one, of a run, a conversation, and an agent or a time was given; or
                the time has no zone.
        """
        if sum((bool(run), bool(conversation), bool(agent) or since is not None)) != 1:
            raise DeclarationError("an undo is of a run, of a conversation, or of an agent and since a time: give one")
        if since is not None and since.tzinfo is None:
            raise DeclarationError(f"since={since!r} has no time zone; give one, for example datetime.now(UTC)")
        at = None if since is None else round(since.timestamp() * 1_000_000)
        return cls(run, seq, conversation, agent, at, tenant)

    def __str__(self) -> str:
        if self.run:
            return f"event {self.seq} of run {self.run}" if self.seq else f"run {self.run}"
        if self.conversation:
            return f"conversation {self.conversation}"
        what = f"what agent {self.agent} did" if self.agent else "what was done"
        if self.since is None:
            return what
        return f"{what} since {datetime.fromtimestamp(self.since / 1_000_000, UTC):%Y-%m-%d %H:%M:%S} UTC"


async def planned(journal: Journal, scope: Scope, actions: ActionsOf, *, ahead: bool = True) -> UndoPlan:
    """Return the plan for what *scope* names; with what rests on it, where it is to look *ahead* for that.

    Raises:
        UnknownRunError: there is no such run, or nothing of that conversation.
        UnknownEffectError: the event is no effect, or has been taken back.
    """
    rows = {row.id: row for row in await _runs(journal, scope)}
    named = frozenset(rows)
    rows |= {row.id: row for row in await _rows(journal, {run for run, _ in scope.also} - named)}
    chosen: list[Effect] = []
    delayed: list[tuple[str, int, ev.Delayed]] = []
    unclear: list[str] = []
    for run in rows:
        history = await journal.history(run, 0, READ)
        chosen += [one for one in effects(history) if _is_meant(scope, named, one)]
        state = await journal.state(run)
        for call in state.calls.values():
            told = await journal.event(run, call.at)
            if isinstance(told.event, ev.Delayed) and _is_meant(scope, named, told):
                delayed.append((run, told.seq, told.event))
            elif call.phase == "delegated" and _is_meant(scope, named, told):
                unclear.append(f"{call.action} ({call.key}), handed on to run {call.child}, which is still at it")
            elif unsettled(call) and not call.undoes and _is_meant(scope, named, told):
                unclear.append(f"{call.action} ({call.key})")
    if scope.seq and not chosen and not delayed:
        raise UnknownEffectError(
            f"event {scope.seq} of run {scope.run} is no outcome of an effect, or it was taken back; "
            f"`interlock show {scope.run}` has the numbers"
        )
    later = await _later(journal, chosen) if ahead else []
    known = {**rows, **{row.id: row for row in await _rows(journal, {one.run for one in later} - rows.keys())}}
    tenants = {rows[one.run].tenant for one in chosen}
    return plan(
        str(scope),
        chosen,
        lambda run: actions(known[run]),
        run=scope.run if len(rows) == 1 else "",
        later=[one for one in later if known[one.run].tenant in tenants],
        delayed=delayed,
        open_calls=unclear,
    )


def _is_meant(scope: Scope, named: frozenset[str], one: Effect | Recorded) -> bool:
    """Whether something of a run is undone; `named` are the runs that the scope itself is about."""
    if (one.run, one.seq) in scope.also:
        return True
    if scope.seq:
        return (one.run, one.seq) == (scope.run, scope.seq)
    if one.run == scope.run and one.seq <= scope.after:
        return False
    return one.run in named and (scope.since is None or one.at >= scope.since)


async def _runs(journal: Journal, scope: Scope) -> list[RunRow]:
    if scope.run:
        row = await journal.store.row(scope.run)
        if row is None:
            raise UnknownRunError(f"no run {scope.run!r} in this journal")
        return [row] if scope.seq else await _with_delegates(journal, [row], scope.after)
    if scope.conversation:
        found = await journal.conversation(scope.tenant or "", scope.conversation)
        if not found:
            raise UnknownRunError(f"no run of conversation {scope.conversation!r} in this journal")
        return await _with_delegates(journal, found)
    after = 0 if scope.since is None else await journal.position_before(scope.since - SLACK)
    named = {one.run async for one in _fed(journal, after, (ev.Done, ev.Delayed))}
    rows = await _rows(journal, named)
    return [row for row in rows if _is_of(row.agent, scope.agent) and scope.tenant in (None, row.tenant)]


def _is_of(agent: str, named: str) -> bool:
    """Whether an agent is the one that is named, or works for it."""
    return not named or agent == named or agent.startswith(f"{named}/")


async def _with_delegates(journal: Journal, rows: list[RunRow], after: int = 0) -> list[RunRow]:
    """Return the runs, and those that tasks were handed on to, and so on."""
    found: dict[str, RunRow] = {}
    waiting = list(rows)
    while waiting:
        row = waiting.pop(0)
        if row.id in found:
            continue
        found[row.id] = row
        handed = await journal.history(row.id, after if row is rows[0] else 0, (ev.Delegated,))
        waiting += await _rows(journal, [one.event.to for one in handed if isinstance(one.event, ev.Delegated)])
    return list(found.values())


async def _rows(journal: Journal, runs: Iterable[str]) -> list[RunRow]:
    found = [await journal.store.row(run) for run in sorted(runs)]
    return [row for row in found if row is not None]


async def _later(journal: Journal, chosen: list[Effect]) -> list[Effect]:
    """Return the effects that came after the first of the chosen ones and are not among them."""
    if not chosen:
        return []
    meant = {(one.run, one.seq) for one in chosen}
    first = min(one.position for one in chosen)
    read: list[Recorded] = [one async for one in _fed(journal, first, READ, LOOK_AHEAD)]
    return [one for one in effects(read) if (one.run, one.seq) not in meant]


async def _fed(
    journal: Journal, after: int, types: tuple[type[ev.Event], ...], most: int | None = None
) -> AsyncGenerator[Recorded]:
    seen = 0
    while page := await journal.feed(after, PAGE, types):
        for one in page:
            yield one
        after, seen = page[-1].position, seen + len(page)
        if most is not None and seen >= most:
            return
