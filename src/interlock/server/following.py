"""What goes on in a run, as it is told to its user."""

from collections.abc import AsyncGenerator, Iterator
from contextlib import aclosing

from interlock.kernel import events as ev
from interlock.kernel.events import Recorded
from interlock.runtime.outcomes import Finished, Stopped, Waiting
from interlock.runtime.runtime import Runtime
from interlock.server.streaming import Told

FOR_THE_USER = ("confirmation", "question")
"""The kinds of questions that are the user's to answer."""


async def told(runtime: Runtime, run: str, after: int, *, to_the_end: bool) -> AsyncGenerator[Told]:
    """Yield what the run says and asks behind the seq *after*.

    It ends with the run; unless *to_the_end*, also where the run waits for somebody or is parked.
    """
    yield Told("run", {"id": run}, after)
    known: set[str] = set()
    while True:
        change = runtime.watching.change(run)
        try:
            # Looked at first: whatever was said before the result is read after it.
            found = await runtime.watching.outlook(run)
            for one in await runtime.journal.history(run, after, (ev.Said, ev.RunEnded)):
                after = one.seq
                yield _event(one)
                if isinstance(one.event, ev.RunEnded):
                    return
            if found is None:
                known.clear()
            for event in _standing(found, known):
                yield event
            if isinstance(found, Finished) or (found is not None and not to_the_end):
                return
            await change
        finally:
            change.cancel()


def _event(recorded: Recorded) -> Told:
    event = recorded.event
    if isinstance(event, ev.Said):
        return Told("sentence", {"text": event.text}, recorded.seq)
    assert isinstance(event, ev.RunEnded)
    if event.how == "done":
        return Told("done", {"output": event.output}, recorded.seq)
    return Told("stopped", {"status": event.how}, recorded.seq)


def _standing(found: Finished | Waiting | Stopped | None, known: set[str]) -> Iterator[Told]:
    """Yield what the run waits for, as far as it is not *known*, and make it known."""
    if isinstance(found, Stopped) and found.status not in known:
        known.add(found.status)
        yield Told("stopped", {"status": found.status})
    if not isinstance(found, Waiting):
        return
    new = [one for one in found.questions if one.id not in known]
    known.update(one.id for one in new)
    for one in new:
        if one.kind in FOR_THE_USER:
            yield Told("question", {"id": one.id, "kind": one.kind, "says": one.says})
    others = {one.level or "operator" for one in new if one.kind not in FOR_THE_USER}
    if others:
        yield Told("waiting", {"for": sorted(others)})


async def drafts(runtime: Runtime, run: str) -> AsyncGenerator[Told]:
    """Yield the words of the run's model as they come, for as long as anybody listens."""
    while True:
        async with aclosing(runtime.watching.drafted(run)) as drafted:
            async for words in drafted:
                yield Told("draft", {"text": words})
        await runtime.watching.change(run)


async def ended_at(runtime: Runtime, run: str) -> int | None:
    """Return the place of the run's end, or None."""
    ends = await runtime.journal.history(run, 0, (ev.RunEnded,))
    return ends[-1].seq if ends else None
