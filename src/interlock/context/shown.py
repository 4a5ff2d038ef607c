"""What a model was shown at a turn of a recorded run: built again from the journal, and compared with what it was."""

from collections.abc import Iterable

import msgspec

from interlock.context.head import Head
from interlock.context.transcript import SHOWN, Transcript
from interlock.errors import UnknownRunError
from interlock.journal.journal import Journal
from interlock.kernel import events as ev
from interlock.kernel.events import Recorded
from interlock.models import Message, Request


class Built(msgspec.Struct, frozen=True, omit_defaults=True):
    """From what a prompt was built: what a turn records as its request.

    `head` is the content address of what stays the same, `seen` the seq of the run's last event that is in it,
    `earlier` the runs of the same conversation before it, each up to a seq, `digest` the SHA-256 over the messages,
    `begun` what the user had read of an answer that was interrupted, which this turn goes on with.
    """

    head: str
    seen: int
    digest: str
    earlier: tuple[tuple[str, int], ...] = ()
    begun: str = ""


class Prompt(msgspec.Struct, frozen=True):
    """What a model was shown; `exact` says whether it was built again just as it was."""

    request: Request
    exact: bool


async def transcript(journal: Journal, run: str, earlier: Iterable[tuple[str, int]], upto: int) -> Transcript:
    """Return the messages of the run up to the event at *upto*, behind those of *earlier* runs."""
    before: list[Message] = []
    for one, last in earlier:
        events = await _events(journal, one, last)
        if events and isinstance(started := events[0].event, ev.RunStarted) and started.prompt:
            before += _grown(Transcript(), events).messages
    return _grown(Transcript(before), await _events(journal, run, upto))


def _grown(told: Transcript, events: Iterable[Recorded]) -> Transcript:
    for one in events:
        told.add(one.seq, one.event)
    return told


async def shown(journal: Journal, run: str, number: int) -> Prompt:
    """Return what the model was shown at the *number*-th turn of the run (from 1).

    Raises:
        UnknownRunError: there is no such turn, or it is not built from the journal: a foreign loop recorded it, or it
            read a text in quarantine.
    """
    turns = await journal.history(run, 0, (ev.TurnRecorded,))
    if not 0 < number <= len(turns):
        raise UnknownRunError(f"run {run!r} has {len(turns)} turns, so there is no turn {number}")
    turn = turns[number - 1].event
    assert isinstance(turn, ev.TurnRecorded)
    try:
        built = msgspec.json.decode(bytes(turn.request), type=Built)
    except msgspec.MsgspecError:
        raise UnknownRunError(
            f"turn {number} of run {run!r} was recorded by a loop of its own, or read a text in quarantine; its "
            "request stands in the journal as it was given"
        ) from None
    data = await journal.store.blob(built.head)
    head = Head("", (), ()) if data is None else msgspec.json.decode(data, type=Head)
    told = await transcript(journal, run, built.earlier, built.seen)
    request = Request(head.text(), told.messages, head.actions, head.must_propose)
    return Prompt(request, exact=data is not None and told.digest() == built.digest)


async def _events(journal: Journal, run: str, upto: int) -> list[Recorded]:
    return [one for one in await journal.history(run, 0, SHOWN) if one.seq <= upto]
