"""A run while this process holds it: its folded state, its writer's place in the journal, what is under way."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, cast

import msgspec

from interlock.agents import Agent
from interlock.context import Transcript
from interlock.journal.journal import SNAPSHOT_EVERY, Prepared
from interlock.journal.store import RunRow
from interlock.kernel.decide import status, wake_at
from interlock.kernel.events import Answered, Done, Event, MessageReceived, RunStarted, UndoStarted
from interlock.kernel.evolve import evolve
from interlock.kernel.state import State, unsettled
from interlock.provenance import Index
from interlock.runtime.deeds import Deeds, Whose, whose
from interlock.runtime.flight import Flight
from interlock.runtime.mailbox import Mailbox, event_of
from interlock.runtime.records import undo_key

if TYPE_CHECKING:
    from interlock.runtime.tracing import Tracing

HandOn = Callable[[str, State, MessageReceived], Awaitable[None]]
"""What sees to a message that reached a run (its id and state) after its end."""


class LiveRun:
    """One run, held by this process and by no other (its epoch is the fence).

    The mutable state: `state` (the fold of all events that were submitted, durable or on their way), `flights` (calls
    being performed now), `closed` (keys of calls known to be over; complete where this process has seen the run from
    its start), `has_acted` (whether something may have been proposed in it), `holders` (sessions and drivers that use
    it), `broken` (the error after which this copy must be dropped and folded afresh), `transcript` (what its model was
    told, and `earlier`, the runs of its conversation that it begins with), `index` (what it has seen, atom by atom,
    once something was traced in it), `thinking` (its model being asked now).
    """

    def __init__(  # noqa: PLR0917 - it is made in two places, each of which has them all
        self,
        run: str,
        agent: Agent,
        mail: Mailbox,
        state: State,
        epoch: int,
        row: RunRow | None,
        deeds: Deeds,
        tracing: "Tracing",
        claim: asyncio.Task[int] | None = None,
    ) -> None:
        self.id = run
        self.agent = agent
        self.mail = mail
        self.journal = mail.journal
        self.clock = mail.clock
        self.state = state
        self.epoch = epoch
        self.flights: dict[str, Flight] = {}
        self.closed: set[str] = set()
        self.from_start = row is None
        self.has_acted = row is not None
        self.deeds = deeds
        self.tracing = tracing
        self.holders = 0
        self.broken: Exception | None = None
        self.transcript: Transcript | None = None
        self.index: Index | None = None
        self.earlier: tuple[tuple[str, int], ...] = ()
        self.thinking: asyncio.Task[Any] | None = None
        self._intake = asyncio.Lock()
        self._claim = claim
        self._row = row
        self._snapshot_at = state.seq
        self._user: Any = None
        self._user_read = False
        self._input: bytes | None = None
        self._whose: Whose | None = None
        self._counter = 0

    @property
    def user(self) -> Any:
        """The principal that the run acts for, as plain data."""
        if not self._user_read:
            self._user, self._user_read = msgspec.json.decode(self.state.user), True
        return self._user

    @property
    def whose(self) -> Whose:
        """In whose windows what the run does is counted."""
        if self._whose is None:
            state = self.state
            self._whose = whose(self.id, state.agent, state.tenant, id_of(self.user), state.conversation)
        return self._whose

    async def input(self) -> Any:
        """Return what the run was started with, as plain data."""
        if self._input is None:
            started = (await self.journal.event(self.id, 1)).event
            assert isinstance(started, RunStarted)
            self._input = bytes(started.input)
        return msgspec.json.decode(self._input)

    def fresh_key(self) -> str:
        """Return a key that no other call of this run has."""
        self._counter += 1
        return f"~{self.epoch}.{self._counter}"

    def is_new(self, key: str) -> bool:
        """Whether it is known without looking that this run has never seen the call *key*."""
        return self.from_start and key not in self.closed and key not in self.state.calls

    def is_sent(self, key: str) -> bool:
        """Whether the call *key* was sent and its outcome is not known."""
        call = self.state.calls.get(key)
        return call is not None and unsettled(call)

    async def append(self, *events: Event, consumes: Sequence[int] = (), blobs: Sequence[bytes] = ()) -> int:
        """Make *events* durable as the next of this run, and return the seq of the first.

        The fold is moved on at once, so that appends can follow each other without waiting; whoever acts on an event
        waits for this to return first. If the journal refuses, this copy of the run is broken.
        """
        if self.broken is not None:
            raise self.broken
        state = self.state
        at = max(self.clock.now(), state.last_at)
        expected = state.seq
        prepared: list[Prepared] = []
        for event in events:
            one = self.journal.prepare(event, at)
            state = evolve(state, state.seq + 1, at, one.event)
            prepared.append(one)
        self._move_on(state, prepared)
        ticket = self.deeds.seen(self.whose, expected + 1, at, events)
        self.has_acted = self.has_acted or ticket > 0
        row = self._changed_row(state)
        entry = self.journal.entry(
            self.id,
            self.epoch,
            expected,
            prepared,
            row=row,
            consumes=consumes,
            blobs=(*blobs, *self.agent.definitions) if self.agent.version not in self.journal.defined else blobs,
            snapshot=self._due_snapshot(state),
        )
        try:
            if self._claim is not None:
                await self.claimed()
            await self.journal.store.append(entry)
        except Exception as error:
            self.broken = error
            self.deeds.lost(ticket)
            raise
        finally:
            if row is not None:
                self.mail.changed(self.id, row.wake_at)
            if self.broken is None:  # Also where the waiting was cancelled: what is submitted is written.
                self.deeds.kept(ticket)
        self.journal.defined.add(self.agent.version)
        return expected + 1

    def _move_on(self, state: State, prepared: Sequence[Prepared]) -> None:
        """Take over events that can be written: all of them, since one that can't be leaves nothing behind."""
        for seq, one in enumerate(prepared, self.state.seq + 1):
            if one.draft.key is not None:
                self.closed.add(one.draft.key)
            if self.transcript is not None:
                self.transcript.add(seq, one.event)
        if self.tracing.is_on:
            self.tracing.seen(self, self.state.seq + 1, [one.event for one in prepared])
        self.state = state

    async def sync_row(self, *, landing: str = "") -> None:
        """Write the run's row if it no longer says what the state says.

        *landing* is a call whose performance is ending now.
        """
        row = self._changed_row(self.state, landing)
        if row is not None and self.broken is None:
            snapshot = self.state if self.state.seq - self._snapshot_at >= SNAPSHOT_EVERY // 4 else None
            entry = self.journal.entry(self.id, self.epoch, self.state.seq, (), row=row, snapshot=snapshot)
            await self.claimed()
            await self.journal.store.append(entry)
            self.mail.changed(self.id, row.wake_at)

    async def claimed(self) -> None:
        """Wait until the run is this copy's to write.

        Raises:
            JournalError: it could not be claimed.
        """
        claim = self._claim
        if claim is not None:
            await asyncio.wait((claim,))
            claim.result()
            self._claim = None

    def _due_snapshot(self, state: State) -> State | None:
        if state.seq - self._snapshot_at < SNAPSHOT_EVERY:
            return None
        self._snapshot_at = state.seq
        return state

    def _changed_row(self, state: State, landing: str = "") -> RunRow | None:
        doing = status(state, attached=self.holders > 0)
        wake = wake_at(state, self.flights.keys() - {landing} if landing else self.flights.keys())
        row = self._row
        if row is not None and row.status == doing and row.wake_at == wake:
            return None
        self._row = RunRow(
            id=self.id,
            tenant=state.tenant,
            agent=state.agent,
            status=doing,
            wake_at=wake,
            conversation=state.conversation,
            user=id_of(self.user),
        )
        return self._row

    async def take_in(self, hand_on: HandOn | None = None) -> None:
        """Turn the signals in the run's inbox into its next events.

        A message that comes after the run's end (or so late that nobody will answer it before) goes to *hand_on* once
        the run has ended; until then, it is left where it is.
        """
        async with self._intake:
            for signal in await self.journal.store.signals(run=self.id):
                event = self._as_it_fits(event_of(signal.kind, signal.payload))
                if isinstance(event, MessageReceived) and (self.state.ended or self.state.cancelling):
                    if hand_on is None or not self.state.ended:
                        continue
                    await hand_on(self.id, self.state, event)
                    event = None
                if isinstance(event, UndoStarted):
                    if self.state.undo is not None:
                        continue  # One after the other: each comes to its own end.
                    event = await self._to_undo(event)
                await self.append(*(() if event is None else (event,)), consumes=(signal.id,))
            if self.state.cancelling and self.thinking is not None:
                self.thinking.cancel()

    def _as_it_fits(self, event: Event | None) -> Event | None:
        """Return a user's answer to a question that is no longer open as what it is all the same: a message."""
        if not isinstance(event, Answered) or not event.message:
            return event
        asks = (ask for call in self.state.calls.values() for ask in call.asks)
        if any(ask.seq == event.question and not ask.decision for ask in asks):
            return event
        return MessageReceived(content=event.result, message=event.message)

    async def _to_undo(self, asked: UndoStarted) -> UndoStarted | None:
        """Leave out what was taken back, or has left, since the plan was made; two who undo the same do it once."""
        started = await self.journal.history(self.id, 0, (UndoStarted,)) if asked.request else ()
        if any(isinstance(one.event, UndoStarted) and one.event.request == asked.request for one in started):
            return None  # It was handed on twice, by a process that was killed and by the one after it.
        left = [seq for seq in asked.targets if not await self._taken_back(seq)]
        delayed = [key for key in asked.recalls if (call := self.state.calls.get(key)) and call.phase == "delayed"]
        return msgspec.structs.replace(asked, targets=tuple(left), recalls=tuple(delayed))

    async def _taken_back(self, seq: int) -> bool:
        found = await self.journal.find(self.id, undo_key(seq))
        return found is not None and isinstance(found.event, Done)

    def __repr__(self) -> str:
        return f"<LiveRun {self.id} {status(self.state)} [seq {self.state.seq} | {len(self.flights)} in flight]>"


def id_of(user: Any) -> str | None:
    """Return the principal's id, as far as it has one."""
    if not isinstance(user, Mapping):
        return None
    given = cast("Mapping[str, Any]", user).get("id")
    return None if given is None else str(given)
