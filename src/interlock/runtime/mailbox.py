"""What reaches a run from outside: signals into its inbox, from this process or any other."""

import asyncio
from typing import Any

import msgspec

from interlock.errors import UnknownQuestionError
from interlock.journal.journal import Journal
from interlock.kernel import events as ev
from interlock.kernel.decide import NEVER
from interlock.kernel.events import Event
from interlock.runtime.clock import Clock
from interlock.runtime.questions import Decision, Question


class Mailbox:
    """Posts signals durably, and tells those in this process who wait for something to change.

    The mutable state: `posted` (set when a signal was posted here), `earlier` (set when a run is due before `alarm`,
    the time until which the runtime's timer sleeps, and `soonest` is when the first such run is due), the futures
    of those who watch a run, the queues of those who want its drafts, and for runs
    that a task was handed on to, from which run.
    """

    def __init__(self, journal: Journal, clock: Clock) -> None:
        self.journal = journal
        self.clock = clock
        self.posted = asyncio.Event()
        self.earlier = asyncio.Event()
        self.alarm = 0
        self.soonest = NEVER
        self.parents: dict[str, str] = {}
        self.drafts: dict[str, list[asyncio.Queue[str | None]]] = {}
        self._watchers: dict[str, list[asyncio.Future[None]]] = {}

    def changed(self, run: str, wake_at: int | None) -> None:
        """Tell that the row of *run* has changed and when the run is due."""
        if wake_at is not None and (wake_at < self.alarm or not self.alarm):
            self.soonest = min(self.soonest, wake_at)
            self.earlier.set()
        self.stir(run)

    def stir(self, run: str) -> None:
        """Tell those who watch the run, or one that handed a task on to it, that something was added to it."""
        for future in self._watchers.pop(run, ()):
            if not future.done():
                future.set_result(None)
        if run in self.parents:
            self.stir(self.parents[run])

    def draft(self, run: str, words: str) -> None:
        """Hand on words of an answer that nobody has looked at yet to those who asked for that."""
        for queue in self.drafts.get(run, ()):
            queue.put_nowait(words)

    def watch(self, run: str) -> asyncio.Future[None]:
        """Return a future that is done when the row of *run* changes next, in this process."""
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        # Those who came and went while nothing changed are forgotten here: a run may wait for days.
        still = [one for one in self._watchers.get(run, ()) if not one.done()]
        self._watchers[run] = [*still, future]
        return future

    async def post(self, run: str, kind: str, content: Any, token: str | None = None) -> None:
        """Put a signal into the run's inbox; returns when it is durable.

        Raises:
            UnknownRunError: there is no such run.
        """
        await self.journal.store.signal(run, kind, msgspec.json.encode(content), self.clock.now(), token)
        self.posted.set()

    async def answer(self, run: str, decision: Decision) -> None:
        """Post a person's answer to a question."""
        token = f"{decision.question}/{decision.decision}/{decision.by}/{decision.message}"
        await self.post(run, "decision", decision, token)

    async def question(self, run: str, seq: int) -> Question:
        """Return the question asked at *seq* of the run.

        Raises:
            UnknownQuestionError: there is none.
            UnknownRunError: there is no such run.
        """
        recorded = await self.journal.event(run, seq)
        if not isinstance(recorded.event, ev.Asked):
            raise UnknownQuestionError(f"event {seq} of run {run!r} is not a question")
        return Question(run, seq, recorded.at, recorded.event, self.answer)


def event_of(kind: str, payload: bytes) -> Event | None:
    """Return the event that a signal becomes when its run takes it in; None for a kind of a later version."""
    if kind == "decision":
        told = msgspec.json.decode(payload, type=Decision)
        return ev.Answered(
            question=told.question,
            decision=told.decision,
            by=told.by,
            note=told.note,
            result=told.result,
            message=told.message,
        )
    if kind == "cancel":
        return msgspec.json.decode(payload, type=ev.CancelRequested)
    if kind == "message":
        return msgspec.json.decode(payload, type=ev.MessageReceived)
    if kind == "unpark":
        return msgspec.json.decode(payload, type=ev.Unparked)
    if kind == "undo":
        return msgspec.json.decode(payload, type=ev.UndoStarted)
    return None
