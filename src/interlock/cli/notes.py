"""What keeps a run waiting: told, a line each, to whoever waits for it, as the journal gets to know it."""

import asyncio
import logging
import threading
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path

from msgspec import Struct

from interlock.cli import text
from interlock.cli.reading import PAGE, opened
from interlock.cli.screen import Screen
from interlock.errors import InterlockError
from interlock.journal.journal import Journal
from interlock.kernel import events as ev
from interlock.kernel.events import Recorded
from interlock.runtime.recovery import UNKNOWN

LOOK = 0.1
"""How often it is looked whether there is more, in seconds."""

SOON = 950_000
"""What comes again sooner than this is told once, in microseconds."""


class Notes:
    """Follows a journal beside the process's own runtime, on a thread: who waits for a run may block on it.

    The mutable state: the position behind which to go on, the runs to tell of, and the words that were told last.
    """

    def __init__(self, path: Path, *, json: bool) -> None:
        self._path = path
        self._json = json
        self._after = asyncio.run(_last(path)) if path.exists() else 0
        self._runs: set[str] = set()
        self._last = ""

    @contextmanager
    def of(self, *runs: str) -> Generator[None]:
        """Tell what keeps these runs waiting, and those that they hand tasks on to (none given: any run)."""
        self._runs = set(runs)
        over = threading.Event()
        thread = threading.Thread(target=lambda: asyncio.run(self._follow(over)), name="interlock-notes", daemon=True)
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()

    async def _follow(self, over: threading.Event) -> None:
        with suppress(InterlockError):  # Whoever drives the journal says what is wrong with it.
            async with opened(self._path) as journal:
                last = False
                while not last:
                    last = await asyncio.to_thread(over.wait, LOOK)  # Looked at first: nothing comes after it.
                    while page := await journal.feed(self._after, PAGE):
                        self._after = page[-1].position
                        await self._tell(journal, page)

    async def _tell(self, journal: Journal, page: list[Recorded]) -> None:
        whole = not self._runs
        for one in page:
            if not whole and one.run not in self._runs:
                continue
            if isinstance(one.event, ev.Delegated) and not whole:
                self._runs.add(one.event.to)
            note = await _note(journal, one)
            if note is not None and (note.words != self._last or note.at - one.at >= SOON):
                self._last = note.words
                self._put(one, note)

    def _put(self, one: Recorded, note: "_Note") -> None:
        if self._json:
            Screen().json({"type": "note", "run": one.run, "text": note.words, "again_at": note.at or None})
            return
        wait = round(
            max(note.at - one.at, 0), -5
        )  # to a tenth of a second: it was reckoned a moment before it was noted
        when = f"; {note.then}{f' in {text.took(wait)}' if note.at else ''}" if note.then else ""
        Screen(stderr=True).line((f"run {text.visible(one.run)}: {text.visible(note.words)}{when}", "dim"))


class _Note(Struct, frozen=True):
    """What has happened, what is done then, and when (0: at once, or nobody knows)."""

    words: str
    then: str = ""
    at: int = 0


async def _last(path: Path) -> int:
    async with opened(path) as journal:
        batch = await journal.store.last_batch()
        return batch.last if batch is not None else 0


async def _note(journal: Journal, one: Recorded) -> _Note | None:
    """Return what there is to tell of an event; None where there is nothing."""
    match one.event:
        case ev.TurnFailed():
            return await _no_answer(journal, one, one.event)
        case ev.OutcomeUnknown():
            return await _unknown(journal, one, one.event)
        case ev.Retried(call=call, attempt=attempt):
            return _Note(f"{(await _intent(journal, one, call)).action}: sent again under its key (attempt {attempt})")
        case ev.Probed(call=call, answer=answer, again_at=again):
            action = (await _intent(journal, one, call)).action
            if answer == "never":
                return _Note(f"{action}: looked for, it did not happen")
            return _Note(f"{action}: looked for, it is not known yet whether it happened", "looked for again", again)
        case _:
            return None


async def _unknown(journal: Journal, one: Recorded, event: ev.OutcomeUnknown) -> _Note:
    intent = await _intent(journal, one, event.call)
    words = f"{intent.action}: its outcome is not known: {_first(event.reason)}"
    if intent.idempotent_until > event.again_at:
        return _Note(words, "sent again under its key", event.again_at)
    return _Note(words, "looked for", event.again_at) if intent.probe else _Note(words, "a person is asked")


async def _no_answer(journal: Journal, one: Recorded, event: ev.TurnFailed) -> _Note | None:
    """Return what there is to tell of a model that did not answer; nothing where the run is parked, which says it."""
    words = f"{event.model} did not answer: {_first(event.error)}"
    behind = await journal.history(one.run, one.seq, (ev.Slept, ev.Parked))
    match behind[0].event if behind else None:
        case ev.Slept(until=until):
            return _Note(words, "asked again", until)
        case ev.Parked():
            return None
        case _:
            return _Note(words)


async def _intent(journal: Journal, one: Recorded, call: str) -> ev.Intended:
    """Return the intent of a call that is told of."""
    intents = [each.event for each in await journal.history(one.run, 0, (ev.Intended,)) if each.seq < one.seq]
    return next(each for each in reversed(intents) if isinstance(each, ev.Intended) and each.call == call)


def _first(error: str) -> str:
    return text.cut((error.strip().splitlines() or [""])[0])


class _Log(logging.Handler):
    """Writes what the runtime logs, so that a terminal can't be fooled by it."""

    def emit(self, record: logging.LogRecord) -> None:
        Screen(stderr=True).line((f"interlock: {text.visible(self.format(record), lines=True)}", "dim"))


@contextmanager
def logged(*, noted: bool) -> Generator[None]:
    """Write what the runtime logs to stderr, but for what is *noted* from the journal anyway."""
    handler, logger = _Log(logging.WARNING), logging.getLogger("interlock")
    if noted:
        handler.addFilter(lambda record: record.msg != UNKNOWN)
    logger.addHandler(handler)
    try:
        yield
    finally:
        logger.removeHandler(handler)
