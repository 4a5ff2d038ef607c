"""What an agent says to its user in a loop that is not ours: the same looks, the same record, the same patience."""

from collections.abc import Sequence

from msgspec import Struct

from interlock.kernel import events as ev
from interlock.runtime.live import LiveRun
from interlock.runtime.releasing import Releasing


class Spoken(Struct, frozen=True):
    """What became of an answer: `text` is what the user may be shown, `problems` why the rest is withheld, if any is.

    Tell the model the problems and ask it again; nothing more needs to be recorded.
    """

    text: str
    problems: tuple[str, ...] = ()


async def speak(live: LiveRun, text: str, key: str, *, elsewhere: bool) -> Spoken:
    """Look at an answer, record what is released and what is withheld, at once, and return both.

    Raises:
        UnicodeEncodeError: half of a surrogate pair is in the text.
        JournalError: it could not be read what the run did, or not be recorded what it says; nothing was.
    """
    if live.state.parked:
        await live.take_in()  # Somebody may have let it go on a moment ago.
        if live.state.parked:
            return Spoken("", (f"the run is parked until a person lets it go on: {live.state.parked}",))
    words = Releasing(live, key, elsewhere=elsewhere)
    released = [*await words.feed(text), *await words.rest()]
    ending = words.ending()
    if released or ending:
        await live.append(*released, *ending)
        live.mail.stir(live.id)
    return _spoken([*released, *ending])


async def spoken(live: LiveRun, key: str) -> Spoken | None:
    """Return what became of the answer that was given under *key*; None where there was none."""
    recorded = await live.journal.history(live.id, 0, (ev.Said, ev.Denied))
    events = [
        one.event
        for one in recorded
        if isinstance(one.event, (ev.Said, ev.Denied)) and one.event.call in (key, f"{key}.words")
    ]
    return _spoken(events) if events else None


def _spoken(events: Sequence[ev.Event]) -> Spoken:
    text = "".join(one.text for one in events if isinstance(one, ev.Said))
    problems = [f"{one.reasons[0]}. Instead: {one.instead[0]}." for one in events if isinstance(one, ev.Denied)]
    return Spoken(text, tuple(problems))
