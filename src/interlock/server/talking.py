"""A message of a user on its way to its run, and what comes of it."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from uuid import uuid4

from interlock.kernel import events as ev
from interlock.kernel.decide import ENDED
from interlock.runtime.runtime import Runtime
from interlock.server.bodies import ChatBody
from interlock.server.callers import Caller
from interlock.server.following import ended_at, told
from interlock.server.streaming import Told

_TAKING = (ev.RunStarted, ev.MessageReceived, ev.Answered)
"""The events that carry the id of a message."""

LOOK = 0.05
"""How often is looked whether a message that came too late for its run has found the next one, in seconds."""


class Talk:
    """One message; a client that sends it again under its id is told what comes of it, and nothing happens twice.

    The mutable state: the run that took the message, and from which of its events on they are told.
    """

    def __init__(self, runtime: Runtime, agent: str, body: ChatBody, caller: Caller) -> None:
        self._runtime = runtime
        self._agent = agent
        self._body = body
        self._caller = caller
        # Under an id of its own it can be found again, also where the client gave none.
        self._id = body.message_id or (None if body.conversation is None else uuid4().hex)
        self._run = ""
        self._after = 0

    async def bring(self) -> str:
        """Bring the message to its run, durably, and return that run's id.

        Raises:
            OtherUserError: the conversation is another user's.
        """
        before = await self._open_runs()
        self._run = await self._sent()
        taken = await self._taken()
        self._after = before.get(self._run, 0) if taken is None else taken
        return self._run

    async def told(self) -> AsyncGenerator[Told]:
        """Yield what the run tells from then on, up to its end or to where it waits."""
        while True:
            async with aclosing(told(self._runtime, self._run, self._after, to_the_end=False)) as events:
                async for one in events:
                    yield one
            if self._id is None or not await self._was_late():
                return

    async def _sent(self) -> str:
        body, caller = self._body, self._caller
        run = await self._runtime.send(
            self._agent,
            body.text,
            conversation=body.conversation,
            user=caller.user,
            tenant=caller.tenant,
            message_id=self._id,
        )
        return run.id

    async def _open_runs(self) -> dict[str, int]:
        """Return the runs that may take the message, each with the place of its last event."""
        if self._body.conversation is None:
            return {}
        journal = self._runtime.journal
        rows = await journal.conversation(self._caller.tenant, self._body.conversation)
        return {row.id: await journal.store.last_seq(row.id) for row in rows if row.status not in ENDED}

    async def _taken(self) -> int | None:
        """Return where the run began with the message or took it in, or None where it has not."""
        if self._id is None:
            return None
        events = await self._runtime.journal.history(self._run, 0, _TAKING)
        places = [one.seq for one in events if getattr(one.event, "message", "") == self._id]
        return places[0] if places else None

    async def _was_late(self) -> bool:
        """Whether the run ended before it took the message in; then go on with the one that has it now."""
        ended = self._run
        while await ended_at(self._runtime, ended) is not None and await self._taken() is None:
            self._run = await self._sent()
            if self._run != ended:
                taken = await self._taken()
                # Not taken in yet: it is on its way to a run that is at work.
                self._after = await self._runtime.journal.store.last_seq(self._run) if taken is None else taken
                return True
            await asyncio.sleep(LOOK)
        return False
