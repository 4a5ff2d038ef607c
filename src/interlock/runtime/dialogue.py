"""Bringing a user's message to where it belongs: to the question that it answers, the run at work, or a new run."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any
from weakref import WeakValueDictionary

import msgspec

from interlock.canonical import canonical, digest
from interlock.errors import DeclarationError, OtherUserError
from interlock.journal.journal import Journal
from interlock.journal.store import RunRow
from interlock.kernel import events as ev
from interlock.kernel.decide import ENDED, listens
from interlock.kernel.state import State
from interlock.runtime.ids import run_id
from interlock.runtime.live import id_of
from interlock.runtime.mailbox import Mailbox
from interlock.runtime.questions import Decision

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
        start: What starts a run, at once.
        full: What tells whether as many runs are at work as may be.
        room: What waits until there is room for one more.

    The mutable state: a lock for each conversation that something is being sent in.
    """

    def __init__(
        self,
        journal: Journal,
        mail: Mailbox,
        state_of: Callable[[str], Awaitable[State]],
        *,
        start: Start,
        full: Callable[[], bool],
        room: Callable[[], Awaitable[None]],
    ) -> None:
        self._journal = journal
        self._mail = mail
        self._state_of = state_of
        self._start = start
        self._full = full
        self._room = room
        self._sending: WeakValueDictionary[tuple[str, str | None], asyncio.Lock] = WeakValueDictionary()

    async def send(self, message: Message) -> str:
        """Bring the message to its run and return that run's id.

        Raises:
            DeclarationError: it has an id, but names no conversation or user that the id is one's own in.
            OtherUserError: the conversation is another user's.
            CanonicalError: text or user have no JSON form.
        """
        if message.conversation is None:
            await self._room()
            return await self._begin(message)
        while (run := await self._placed(message)) is None:
            # Not within the conversation's lock: a run of it that hands a message on takes up room itself.
            await self._room()
        return run

    async def _placed(self, message: Message) -> str | None:
        """Bring the message to its run; None where that would be a new one, and there is no room."""
        async with self._alone(message):
            rows = await self._rows(message)
            # A run acts for its user and knows what was said before: neither is for anybody who knows its conversation.
            if any(row.user != id_of(message.user) for row in rows):
                raise OtherUserError(f"conversation {message.conversation!r} is another user's; start one of its own")
            run = await self._found(message, rows)
            return run if run is not None or self._full() else await self._begin(message)

    async def hand_on(self, run: str, ended: State, late: ev.MessageReceived) -> None:
        """Bring a message that reached its run only after the end of it to the next one.

        Done again (after a crash), it finds what it did. Without a conversation there is no next one: then the words,
        which would mean nothing by themselves, are dropped.
        """
        if ended.conversation is None:
            return
        text, user = msgspec.json.decode(bytes(late.content)), msgspec.json.decode(ended.user)
        message = Message(ended.agent, text, user, ended.tenant, ended.conversation, late.message)
        async with self._alone(message):
            rows = [row for row in await self._rows(message) if row.id != run]
            if await self._found(message, rows) is None:
                await self._begin(message)

    def _alone(self, message: Message) -> asyncio.Lock:
        return self._sending.setdefault((message.tenant, message.conversation), asyncio.Lock())

    async def _rows(self, message: Message) -> list[RunRow]:
        """Return the runs of the message's conversation, the oldest first."""
        assert message.conversation is not None
        return await self._journal.conversation(message.tenant, message.conversation)

    async def _found(self, message: Message, rows: list[RunRow]) -> str | None:
        """Return the run that has the message, or that it could be brought to; None where a new one has to begin."""
        if message.id and (known := await self._taken(rows, message)) is not None:
            return known
        for row in reversed(rows):
            if row.agent == message.agent and row.status not in ENDED and await self._delivered(row, message):
                return row.id
        return None

    async def _taken(self, rows: list[RunRow], message: Message) -> str | None:
        """Return the run that has had the message already: began with it, or was brought it."""
        begun = _run_of(message)
        if await self._journal.store.row(begun) is None:
            for row in rows:
                if await self._was_brought(row.id, message.id):
                    return row.id
        # A run that ended may just have handed the message on.
        return None if await self._journal.store.row(begun) is None else begun

    async def _was_brought(self, run: str, message: str) -> bool:
        # What is on its way comes first: taken in meanwhile, it stands in what is read after it.
        for signal in await self._journal.store.signals(run=run):
            if signal.kind in ("message", "decision") and _id_in(signal.payload) == message:
                return True
        brought = await self._journal.history(run, 0, (ev.MessageReceived, ev.Answered))
        return any(getattr(one.event, "message", "") == message for one in brought)

    async def _delivered(self, row: RunRow, message: Message) -> bool:
        """Bring the message to a run that asked for it or is at work; return whether it was for this one."""
        state = await self._state_of(row.id)
        content = msgspec.Raw(canonical(message.text))
        identity = message.id or run_id()  # Should the run end before, it is known by this when it is handed on.
        for call in state.calls.values():
            for ask in call.asks:
                if ask.kind == "question" and not ask.decision:
                    by = row.user or "user"
                    await self._mail.answer(row.id, Decision(ask.seq, "answer", by, result=content, message=identity))
                    return True
        if not listens(state):
            return False
        received = ev.MessageReceived(content=content, message=identity)
        await self._mail.post(row.id, "message", received, token=f"message/{identity}")
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


def _run_of(message: Message) -> str:
    """Return the id of the run that a message with an id of its own begins: the same for ever."""
    if message.conversation is None and message.user is None:
        raise DeclarationError(
            f"message {message.id!r} names neither a conversation nor a user, so that its id could be anybody's; "
            "give conversation= or user="
        )
    # A conversation has one user; of a user, what is known besides the id may change from message to message.
    whom = message.conversation if message.conversation is not None else id_of(message.user) or message.user
    whose = canonical([message.tenant, message.agent, message.conversation is None, whom, message.id])
    return f"m{digest(whose)[:24]}"


def _id_in(payload: bytes) -> str:
    class Named(msgspec.Struct):
        message: str = ""

    return msgspec.json.decode(payload, type=Named).message
