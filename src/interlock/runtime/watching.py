"""Looking at runs while they go on: what became of them, what they say, what they ask."""

import asyncio
from collections.abc import AsyncGenerator, Mapping
from typing import NamedTuple

import msgspec

from interlock.agents import Agent
from interlock.errors import UnknownRunError
from interlock.journal.journal import Journal
from interlock.journal.store import RunRow
from interlock.kernel import events as ev
from interlock.kernel.decide import ENDED
from interlock.kernel.state import State
from interlock.runtime.live import LiveRun
from interlock.runtime.mailbox import Mailbox
from interlock.runtime.outcomes import Finished, Stopped, Waiting
from interlock.runtime.questions import Decision, Question

Outlook = Finished | Waiting | Stopped


class Sentence(NamedTuple):
    """A sentence that was released, and its place in the run."""

    seq: int
    text: str


class Watching:
    """Reads runs from the journal, and waits for them to change."""

    def __init__(
        self, journal: Journal, mail: Mailbox, live: Mapping[str, LiveRun], agents: Mapping[str, Agent]
    ) -> None:
        self._journal = journal
        self._mail = mail
        self._live = live
        self._agents = agents

    async def row(self, run: str) -> RunRow:
        """Return the row of a run.

        Raises:
            UnknownRunError: there is no such run.
        """
        row = await self._journal.store.row(run)
        if row is None:
            raise UnknownRunError(f"no run {run!r} in this journal")
        return row

    # what became of it

    async def outlook(self, run: str) -> Outlook | None:
        """Return what became of the run, or None while it is at work.

        Raises:
            UnknownRunError: there is no such run.
        """
        row = await self.row(run)
        if row.status in ENDED:
            return await self._end(row)
        found = await self._halt(row)
        # What is being called off ends, or asks anew.
        return None if found is not None and await self._told(run, "cancel") else found

    async def _halt(self, row: RunRow) -> Outlook | None:
        """Return why the run does not go on by itself, or None where it does."""
        if row.status == "waiting":
            if (await self._state(row.id)).ended:
                return await self._end(row)
            questions = await self.questions_of(row.id)
            return Waiting(tuple(questions)) if questions else None
        if row.status == "parked":
            reason = (await self._state(row.id)).parked
            return None if await self._told(row.id, "unpark") else Stopped("parked", reason)
        return await self._of_delegates(row.id)

    async def _end(self, row: RunRow) -> Outlook:
        ends = await self._journal.history(row.id, 0, (ev.RunEnded,))
        ended = ends[-1].event
        assert isinstance(ended, ev.RunEnded)
        if ended.how == "done":
            return Finished(self._output(row.agent, bytes(ended.output)))
        return Stopped(ended.how, ended.error)

    def _output(self, agent: str, recorded: bytes) -> object:
        """Return a run's output, as the type that its agent declares where it has one."""
        known = self._agents.get(agent)
        if known is None or known.loop is None or known.loop.answer is None:
            return msgspec.json.decode(recorded)
        return known.loop.answer.result(recorded)

    async def _of_delegates(self, run: str) -> Waiting | Stopped | None:
        """Return what the runs that this one delegated to wait for, where that is all that it waits for."""
        state = await self._state(run)
        if not state.calls or any(call.phase != "delegated" for call in state.calls.values()):
            return None
        found = [await self.outlook(call.child) for call in state.calls.values() if await self._exists(call.child)]
        questions = tuple(one for each in found if isinstance(each, Waiting) for one in each.questions)
        parked = next((one for one in found if isinstance(one, Stopped) and one.status == "parked"), None)
        return Waiting(questions) if questions else parked

    async def _exists(self, run: str) -> bool:
        return await self._journal.store.row(run) is not None

    async def result(self, run: str) -> Outlook:
        """Wait until the run has ended, is parked or needs somebody, and return that.

        Raises:
            UnknownRunError: there is no such run.
        """
        while True:
            changed = self._mail.watch(run)
            found = await self.outlook(run)
            if found is not None:
                changed.cancel()
                return found
            await changed

    def change(self, run: str) -> asyncio.Future[None]:
        """Return a future that is done when something is added to the run next, in this process."""
        return self._mail.watch(run)

    async def undone(self, run: str, request: str) -> ev.UndoEnded:
        """Wait until the undo *request* of the run has come to its end, and return that."""
        seen = 0
        while True:
            changed = self._mail.watch(run)
            last = await self._journal.store.last_seq(run)
            for one in await self._journal.history(run, seen, (ev.UndoEnded,)):
                if isinstance(one.event, ev.UndoEnded) and one.event.request == request:
                    changed.cancel()
                    return one.event
            seen = last
            await changed

    # what it says

    async def heard(self, run: str, after: int = 0) -> AsyncGenerator[Sentence]:
        """Yield the sentences that were released behind the seq *after*, until there is a result.

        Raises:
            UnknownRunError: there is no such run.
        """
        while True:
            changed = self._mail.watch(run)
            try:
                # Looked at first: whatever was said before the result is read after it.
                found = await self.outlook(run)
                for one in await self._journal.history(run, after, (ev.Said,)):
                    assert isinstance(one.event, ev.Said)
                    after = one.seq
                    yield Sentence(one.seq, one.event.text)
                if found is not None:
                    return
                await changed
            finally:
                changed.cancel()

    async def drafted(self, run: str) -> AsyncGenerator[str]:
        """Yield the words of the run's model as they come, unlooked at, until there is a result.

        Raises:
            UnknownRunError: there is no such run.
        """
        queue: asyncio.Queue[str | None] = asyncio.Queue()
        self._mail.drafts.setdefault(run, []).append(queue)
        ended = asyncio.create_task(self.result(run))
        ended.add_done_callback(lambda _: queue.put_nowait(None))
        try:
            while (words := await queue.get()) is not None:
                yield words
            await ended
        finally:
            ended.cancel()
            self._mail.drafts[run].remove(queue)
            if not self._mail.drafts[run]:
                del self._mail.drafts[run]

    # what it asks

    async def questions_of(self, run: str) -> list[Question]:
        """Return what the run asks people and nobody has answered, taken in or not."""
        state = await self._state(run)
        durable = await self._journal.store.last_seq(run)  # The state of a run that is held is ahead of the journal.
        asks = [ask for call in state.calls.values() for ask in call.asks if not ask.decision and ask.seq <= durable]
        told = [msgspec.json.decode(one, type=Decision).question for one in await self._told(run, "decision")]
        return [await self._mail.question(run, ask.seq) for ask in asks if ask.seq not in told]

    async def _state(self, run: str) -> State:
        live = self._live.get(run)
        return live.state if live is not None else await self._journal.state(run)

    async def _told(self, run: str, kind: str) -> list[bytes]:
        """Return what was posted to the run and is on its way."""
        return [one.payload for one in await self._journal.store.signals(run=run) if one.kind == kind]

    async def questions(self) -> list[Question]:
        """Return what waits for a person, of all runs."""
        found: list[Question] = []
        after = ""
        while rows := await self._journal.store.rows(statuses=("waiting", "undoing"), after=after):
            for row in rows:
                found += await self.questions_of(row.id)
            after = rows[-1].id
        return found
