"""A run's events as the messages that its model is shown. Pure: the same events give the same messages, for ever."""

from collections.abc import Iterable, Sequence
from hashlib import sha256
from typing import Any

import msgspec

from interlock.kernel import events as ev
from interlock.kernel.events import Event
from interlock.models import Message, ModelSaid, Note, Proposal, Result, UserSaid
from interlock.provenance import cleaning

SHOWN = (
    ev.RunStarted,
    ev.TurnRecorded,
    ev.Said,
    ev.Denied,
    ev.Asked,
    ev.Done,
    ev.Failed,
    ev.MessageReceived,
    ev.Delegated,
    ev.RunEnded,
)
"""The types of events that show in a transcript."""

RESULT_LIMIT = 50_000
"""How many characters of one result a model is shown."""

BEGUN_LIMIT = 10_000
"""How many characters, from its end, of an answer that was interrupted a model is shown."""

_encoder = msgspec.json.Encoder()


class _Open:
    """A proposal of the last turn: how it stands, and its result once there is one."""

    def __init__(self, key: str, action: str) -> None:
        self.key = key
        self.action = action
        self.stands = "It has not come to an outcome yet; do not take it for done."
        self.result: Result | None = None

    def told(self) -> Result:
        return self.result or Result(self.key, self.action, self.stands, failed=True)


class Transcript:
    """The messages of one run (behind those of earlier runs of its conversation), grown event by event.

    Model APIs want the result of every proposal right behind the turn that made it. So messages of the user that
    came meanwhile are held back until the last result is there, and a proposal that never came to one is told how it
    stands.

    The mutable state: `seen` (the seq of the last event that was added), the messages and the digest over them, the
    proposals of the last turn by their place in it, what is held back, and what was said of a turn that has not been
    recorded.
    """

    def __init__(self, earlier: Iterable[Message] = ()) -> None:
        self.seen = 0
        self._messages: list[Message] = []
        self._digest = sha256()
        self._open: dict[str, _Open] = {}
        self._held: list[Message] = []
        self._said: list[str] = []
        for message in earlier:
            self._put(message)

    @property
    def messages(self) -> tuple[Message, ...]:
        """The messages as a model would be shown them now."""
        return (*self._messages, *self._loose())

    @property
    def begun(self) -> str:
        """What the user has read of an answer that was interrupted."""
        return "".join(self._said)

    def digest(self) -> str:
        """Return the SHA-256 over the messages, in hex: what tells whether they were built again the same."""
        whole = self._digest.copy()
        for message in self._loose():
            whole.update(_encoder.encode(message) + b"\n")
        return whole.hexdigest()

    def add(self, seq: int, event: Event) -> None:
        """Grow by the run's next event."""
        self.seen = seq
        match event:
            case ev.RunStarted():
                self._behind(UserSaid(words(bytes(event.input))))
            case ev.MessageReceived():
                self._behind(UserSaid(words(bytes(event.content))))
            case ev.TurnRecorded():
                # What was read in quarantine stays there.
                if not event.is_reading:
                    self._turn(event)
            case ev.Said():
                self._said.append(event.text)
            case ev.Asked() | ev.Delegated():
                self._stands(event)
            case ev.Done() | ev.Failed() if event.undoes:
                self._taken_back(event)
            case ev.Done() | ev.Failed() | ev.Denied():
                self._result(event)
            case ev.RunEnded():
                self._ended(event)
            case _:
                pass

    def _put(self, message: Message) -> None:
        self._messages.append(message)
        self._digest.update(_encoder.encode(message) + b"\n")

    def _behind(self, message: Message) -> None:
        """Put a message behind the results that are still to come."""
        if self._open:
            self._held.append(message)
        else:
            self._put(message)

    def _loose(self) -> list[Message]:
        """Return what stands at the end for now and may still change."""
        loose = [*(one.told() for one in self._open.values()), *self._held]
        if self._said:
            loose.append(_interrupted(self.begun))
        return loose

    def _turn(self, event: ev.TurnRecorded) -> None:
        self._close()
        self._said.clear()
        # An erased request reads as null.
        asked = msgspec.json.decode(bytes(event.request), type=_Asked | None) or _Asked()
        if asked.begun:
            self._put(_interrupted(asked.begun))
        turn = _model_said(event)
        self._put(turn)
        # The proposals of the turn in entry n are performed in entry n + 1, under their places.
        entry = event.call.partition("/")[0]
        following = int(entry) + 1 if entry.isdecimal() else 0
        for place, one in enumerate(turn.proposals):
            self._open[f"{following}/{place}"] = _Open(one.key or str(place), one.action)

    # proposals

    def _stands(self, event: ev.Asked | ev.Delegated) -> None:
        one = self._open.get(event.call)
        if one is not None:
            one.stands = _waiting(event)

    def _result(self, event: ev.Done | ev.Failed | ev.Denied) -> None:
        one = self._open.get(event.call)
        if one is not None:
            one.result = Result(one.key, one.action, _outcome(event), failed=not isinstance(event, ev.Done))
            if all(each.result for each in self._open.values()):
                self._close()
        elif isinstance(event, ev.Denied):
            self._behind(Note(f"Your last answer was not taken: {_outcome(event)}"))

    def _close(self) -> None:
        """Put down what became of the last turn's proposals, in the order in which they were made."""
        for one in self._open.values():
            self._put(one.told())
        self._open.clear()
        for message in self._held:
            self._put(message)
        self._held.clear()

    def _taken_back(self, event: ev.Done | ev.Failed) -> None:
        if isinstance(event, ev.Done):
            self._behind(Note(f"An effect of {event.action} was taken back; it no longer holds."))

    def _ended(self, event: ev.RunEnded) -> None:
        if event.how == "done":
            # All that was performed has its outcome by now: what is left is the answer itself.
            for one in self._open.values():
                one.result = one.result or Result(one.key, one.action, "It was taken.")
        self._close()
        if self._said:
            text = self.begun[-BEGUN_LIMIT:]
            self._put(Note(f"This answer was never finished; what the user has read of it ends with: {text}"))
            self._said.clear()
        if event.how != "done":
            self._put(Note(f"This is where the work on it ended ({event.how}); what has no outcome was not done."))


def words(content: bytes) -> str:
    """Return a message's content, which is JSON, as words: a text as it is, anything else as its JSON."""
    value: Any = msgspec.json.decode(content)
    return value if isinstance(value, str) else content.decode()


class _Asked(msgspec.Struct):
    """What of a recorded request shows in later prompts."""

    begun: str = ""


class _Recorded(msgspec.Struct):
    """What of a recorded response goes into later prompts; the rest of it is skipped."""

    text: str = ""
    proposals: tuple[Proposal, ...] = ()
    native: Any = None


def _interrupted(begun: str) -> Note:
    shown = begun if len(begun) <= BEGUN_LIMIT else f"…{begun[-BEGUN_LIMIT:]}"
    return Note(
        "You were interrupted while you answered. The user has read this much of it; go on from there and repeat "
        f"nothing: {shown}"
    )


def _model_said(event: ev.TurnRecorded) -> ModelSaid:
    # An erased response reads as null.
    response = msgspec.json.decode(bytes(event.response), type=_Recorded | None) or _Recorded()
    return ModelSaid(response.text, response.proposals, response.native, event.model)


def _waiting(event: ev.Asked | ev.Delegated) -> str:
    if isinstance(event, ev.Delegated):
        return "It was handed on to another agent and has no outcome yet."
    if event.kind == "unknown":
        return "It was sent, and nobody knows yet what became of it; a person is looking. Do not propose it again."
    whom = {"approval": event.level or "a person", "confirmation": "the user's confirmation"}.get(
        event.kind, "the user"
    )
    return f"Nothing has been done yet: it waits for {whom}. It goes on by itself; do not propose it again."


def denial(reasons: Sequence[str], instead: Sequence[str], stage: str) -> str:
    """Return what a model is told of a denial: why, what may be done instead, and whether trying again helps."""
    why = "; ".join(reasons)
    # Of words that were withheld the reasons say themselves what the user was not shown.
    what = why if stage == "words" else f"It was not done: {why}"
    way = f" Instead: {'; '.join(instead)}." if instead else ""
    again = " Proposing exactly this again will not help." if stage == "judge" else ""
    return f"{what}.{way}{again}"


def _outcome(event: ev.Done | ev.Failed | ev.Denied) -> str:
    if isinstance(event, ev.Failed):
        # Whatever an error says, it may be in the words of whoever was asked: it is cleaned as the result would be.
        error = msgspec.json.encode(event.error)
        return f"It failed: {cleaning.shown(error, event.call, event.cleaned) if event.cleaned else event.error}"
    if isinstance(event, ev.Denied):
        return denial(event.reasons, event.instead, event.stage)
    if event.cleaned:
        text = cleaning.shown(bytes(event.result), event.call, event.cleaned)
        return f"{text}\n(but: {event.problem})" if event.problem else text
    text = words(bytes(event.result))
    if len(text) > RESULT_LIMIT:
        text = f"{text[:RESULT_LIMIT]}… (cut here: {len(text) - RESULT_LIMIT:,} more characters)"
    return f"{text}\n(but: {event.problem})" if event.problem else text
