"""Bringing a user's message to where it belongs: to the question that it answers, the run at work, or a new run."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import msgspec

from interlock.canonical import canonical, digest
from interlock.errors import DeclarationError
from interlock.journal.journal import Journal
from interlock.journal.store import RunRow
from interlock.kernel import events as ev
from interlock.kernel.decide import listens
from interlock.kernel.state import State
from interlock.runtime.ids import run_id
from interlock.runtime.mailbox import Mailbox
from interlock.runtime.questions import Decision

ENDED = ("done", "failed", "cancelled")

Start = Callable[..., Awaitable[Any]]


class Message(msgspec.Struct, frozen=True):
    """What a user said, to whom, and in which conversation; `id` is the sender's own."""

    agent: str
    text: str
    user: Any = None
    tenant: str = ""
    conversation: str | None = None
    id: str = ""


class Dialogue:
    """Sends messages, each to one run and no more than once.

    Args:
        journal: Where conversations are looked up.
        mail: What posts to runs that exist.
        state_of: What returns a run's state as it is now.
        start: What starts a run.

    The mutable state: a lock for each conversation that something is being sent in.
    """

    def __init__(
        self, journal: Journal, mail: Mailbox, state_of: Callable[[str], Awaitable[State]], start: Start
    ) -> None:
        self._journal = journal
        self._mail = mail
        self._state_of = state_of
        self._start = start
        self._sending: dict[str, asyncio.Lock] = {}

    async def send(self, message: Message) -> str:
        """Bring the message to its run and return that run's id.

        Raises:
            DeclarationError: it has an id, but names no conversation or user that the id is one's own in.
            CanonicalError: the user has no JSON form.
        """
        if message.conversation is None:
            return await self._begin(message)
        lock = self._sending.setdefault(message.conversation, asyncio.Lock())
        try:
            async with lock:
                return await self._in_conversation(message)
        finally:
            if not lock.locked():
                self._sending.pop(message.conversation, None)

    async def _in_conversation(self, message: Message) -> str:
        assert message.conversation is not None
        rows = await self._journal.conversation(message.tenant, message.conversation)
        if message.id and (known := await self._taken(rows, message)) is not None:
            return known
        for row in reversed(rows):
            if row.agent == message.agent and row.status not in ENDED and await self._delivered(row, message):
                return row.id
        return await self._begin(message)

    async def _taken(self, rows: list[RunRow], message: Message) -> str | None:
        """Return the run that has had the message already: began with it, or was brought it."""
        started = _run_of(message)
        for row in rows:
            if row.id == started:
                return row.id
            for one in await self._journal.history(row.id, 0, (ev.MessageReceived, ev.Answered)):
                assert isinstance(one.event, ev.MessageReceived | ev.Answered)
                if one.event.message == message.id:
                    return row.id
            for signal in await self._journal.store.signals(run=row.id):
                if signal.kind in ("message", "decision") and _id_in(signal.payload) == message.id:
                    return row.id
        return None

    async def _delivered(self, row: RunRow, message: Message) -> bool:
        """Bring the message to a run that asked for it or is at work; return whether it was for this one."""
        state = await self._state_of(row.id)
        for call in state.calls.values():
            for ask in call.asks:
                if ask.kind == "question" and not ask.decision:
                    raw = msgspec.Raw(msgspec.json.encode(message.text))
                    by = row.user or "user"
                    await self._mail.answer(row.id, Decision(ask.seq, "answer", by, result=raw, message=message.id))
                    return True
        if not listens(state):
            return False
        content = msgspec.Raw(msgspec.json.encode(message.text))
        await self._mail.post(row.id, "message", ev.MessageReceived(content=content, message=message.id))
        return True

    async def _begin(self, message: Message) -> str:
        run = _run_of(message) if message.id else run_id()
        await self._start(
            message.agent,
            message.text,
            run=run,
            user=message.user,
            tenant=message.tenant,
            conversation=message.conversation,
            message=message.id,
        )
        return run

    async def hand_on(self, ended: State, late: ev.MessageReceived) -> None:
        """Begin a run for a message that reached its run only after the end of it.

        Done again (after a crash), it finds what it did.
        """
        text = msgspec.json.decode(bytes(late.content))
        user = msgspec.json.decode(ended.user)
        given = Message(ended.agent, text, user, ended.tenant, ended.conversation, late.message)
        await self._begin(given)


def _run_of(message: Message) -> str:
    """Return the id of the run that a message with an id of its own begins: the same for ever."""
    if message.conversation is None and message.user is None:
        raise DeclarationError(
            f"message {message.id!r} names neither a conversation nor a user, so that its id could be anybody's; "
            "give conversation= or user="
        )
    whose = canonical([message.tenant, message.agent, message.conversation, message.user, message.id])
    return f"m{digest(whose)[:24]}"


def _id_in(payload: bytes) -> str:
    class Named(msgspec.Struct):
        message: str = ""

    return msgspec.json.decode(payload, type=Named).message
