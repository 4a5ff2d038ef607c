"""Asking a run's model: once a turn and durably, its words released sentence by sentence, its failures bounded."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any

import msgspec

from interlock.context import Transcript
from interlock.context.shown import Built, transcript
from interlock.errors import JournalError
from interlock.kernel import events as ev
from interlock.kernel.events import Event
from interlock.models import Exchange, Model, ModelError, Request, Response
from interlock.runtime.keeping import kept, written
from interlock.runtime.live import LiveRun
from interlock.runtime.records import said, writable
from interlock.runtime.releasing import Releasing
from interlock.runtime.suspending import Suspended

TURN_TIMEOUT = 600.0
"""How long one answer may take from its first byte asked to its last, in seconds."""

LONGEST_ANSWER = 400_000
"""How many bytes of text one answer may have; more is taken for a stream that never ends."""

MOST_SETBACKS = 6
"""How often in a row a model is asked that does not answer, before the run is parked."""

MOST_FAULTS = 5
"""How many turns in a row may hold a proposal that can't be judged and none that can, before the run is parked.

Of 12,112 published runs of 17 models none that had five such turns in a row found its way back;
counted once, when this was chosen: no command prints it.
"""

LONGEST_BACKOFF = 60.0
LONGEST_ASKED_FOR = 3_600.0
"""How long is waited before a model is asked again, at most, in seconds: by our own count, or when it says so."""


class Thinking:
    """One turn of a run's model.

    Args:
        live: The run.
        key: The turn's key.
    """

    def __init__(self, live: LiveRun, key: str) -> None:
        agent = live.agent
        model = agent.model
        assert model is not None
        self._live = live
        self._key = key
        self._model: Model = model
        self._words = Releasing(live, key)
        self._last_words: list[ev.Said] = []

    async def turn(self) -> ev.TurnRecorded:
        """Ask, record the answer, and return what was recorded.

        Raises:
            Suspended: there is no answer now: the model failed and is asked again later, or the run is parked or being
                cancelled.
        """
        await self._check_bounds()
        request, built = await self._request()
        if self._live.state.cancelling:
            raise Suspended
        began = self._live.clock.now()
        try:
            response = await self._interruptible(self._asked(request))
        except ModelError as error:
            await self._set_back(error, self._live.clock.now() - began)
            raise Suspended from None
        return await self._record(response, built, self._live.clock.now() - began)

    async def _check_bounds(self) -> None:
        live, state = self._live, self._live.state
        turns = state.counts.turns - state.loop.since
        reason = ""
        if turns >= live.agent.max_turns:
            reason = f"{turns} turns of the model, and no answer yet (max_turns)"
        elif state.loop.faults >= MOST_FAULTS:
            reason = f"the model's last {state.loop.faults} turns held nothing that could be judged"
        if reason:
            await live.append(ev.Parked(reason=reason))
            raise Suspended

    async def _request(self) -> tuple[Request, Built]:
        live = self._live
        head = live.agent.head
        assert head is not None
        told = await grown(live)
        request = Request(head.text(), told.messages, head.actions, head.must_propose)
        return request, Built(live.agent.head_hash, told.seen, told.digest(), live.earlier, told.begun)

    # asking

    async def _interruptible(self, asking: Any) -> Response:
        """Wait for the answer, but not once the run is being cancelled."""
        live = self._live
        live.thinking = task = asyncio.get_running_loop().create_task(asking)
        try:
            await asyncio.wait((task,))
        finally:
            live.thinking = None
            if not task.done():
                task.cancel()
                await asyncio.wait((task,))
        if task.cancelled():
            if live.state.cancelling:
                raise Suspended
            raise ModelError(f"model {self._model.name} was cancelled from within", transient=True)
        return task.result()

    async def _asked(self, request: Request) -> Response:
        try:
            async with asyncio.timeout(self._time_left()), aclosing(self._model.respond(request)) as pieces:
                return await self._heard(pieces)
        except TimeoutError:
            raise ModelError(f"model {self._model.name} had not answered in time", transient=True) from None
        except UnicodeEncodeError as error:
            raise ModelError(f"model {self._model.name} said what is no text: {error}", transient=True) from error
        except (ModelError, JournalError):
            raise
        except Exception as error:
            transient = isinstance(error, OSError)
            raise ModelError(f"model {self._model.name} failed: {said(error)}", transient=transient) from error

    def _time_left(self) -> float:
        live = self._live
        if live.state.deadline is None:
            return TURN_TIMEOUT
        return min(TURN_TIMEOUT, max(live.state.deadline - live.clock.now(), 0) / 1_000_000)

    async def _heard(self, pieces: AsyncGenerator[str | Response]) -> Response:
        heard: list[str] = []
        left = LONGEST_ANSWER
        async for piece in pieces:
            if self._live.state.cancelling:
                raise Suspended
            if isinstance(piece, Response):
                return await self._whole(piece, "".join(heard))
            left -= len(piece.encode()) or 1
            if left < 0:
                raise ModelError(
                    f"the answer of model {self._model.name} had not ended after {LONGEST_ANSWER:,} bytes",
                    transient=True,
                )
            heard.append(piece)
            self._live.mail.draft(self._live.id, piece)
            await self._release(await self._words.feed(piece))
        raise ModelError(f"model {self._model.name} ended without a response", transient=True)

    async def _whole(self, response: Response, heard: str) -> Response:
        """Return the response with the words that were looked at: those that came before it, and the rest."""
        # A model that does not stream has its words in the response only.
        text = response.text if response.text.startswith(heard) else heard
        self._last_words = [*await self._words.feed(text.removeprefix(heard)), *await self._words.rest()]
        return kept(msgspec.structs.replace(response, text=text), self._model.name)

    async def _release(self, sentences: list[ev.Said]) -> None:
        """Make sentences known to their user."""
        if sentences:
            await self._live.append(*sentences)
            self._live.mail.stir(self._live.id)

    # recording

    async def _record(self, response: Response, built: Built, latency: int) -> ev.TurnRecorded:
        live = self._live
        redacted, rules = live.journal.redacted(written(response))
        wire, blobs = self._wire(response.wire, secret=bool(rules))
        events: list[Event] = [*self._last_words]
        turn = ev.TurnRecorded(
            call=self._key,
            model=self._model.name,
            request=msgspec.Raw(msgspec.json.encode(built)),
            response=msgspec.Raw(redacted),
            input_tokens=response.input_tokens,
            output_tokens=response.output_tokens,
            latency=latency,
            cost=response.cost,
            wire=wire,
            redacted=rules,
        )
        events.append(turn)
        events += self._words.ending()
        await live.append(*events, blobs=blobs)
        live.mail.stir(live.id)
        return turn

    def _wire(self, exchanges: tuple[Exchange, ...], *, secret: bool) -> tuple[msgspec.Raw, list[bytes]]:
        """Return the exchanges as the journal keeps them, and the pieces to be stored beside it."""
        kept: list[dict[str, Any]] = []
        blobs: list[bytes] = []
        for one in exchanges:
            found: set[str] = set(one.redacted)
            sides: dict[str, list[str]] = {}
            for side in ("request", "response"):
                clean = [self._live.journal.redacted(piece) for piece in getattr(one, side)]
                if secret and side == "response":
                    # A secret that came in pieces is not found in them, only in the whole: they are not kept.
                    clean = [(b"", ("whole",))]
                found.update(*(rules for _, rules in clean))
                blobs += [piece for piece, _ in clean]
                sides[side] = [self._live.journal.address(piece) for piece, _ in clean]
            kept.append({**msgspec.to_builtins(one), **sides, "redacted": sorted(found)})
        return (msgspec.Raw(msgspec.json.encode(kept)) if kept else ev.NOTHING), blobs

    async def _set_back(self, error: ModelError, latency: int) -> None:
        """Record that there was no answer, and when to ask again, or whom to wait for."""
        live = self._live
        wire, blobs = self._wire(error.wire, secret=False)
        setbacks = live.state.loop.setbacks + 1
        failed = ev.TurnFailed(
            call=self._key,
            model=self._model.name,
            error=said(error),
            transient=error.transient,
            latency=latency,
            wire=wire,
        )
        if error.transient and setbacks < MOST_SETBACKS:
            seconds = min(2.0 ** (setbacks - 1), LONGEST_BACKOFF)
            if error.retry_after is not None:
                seconds = min(max(seconds, error.retry_after), LONGEST_ASKED_FOR)
            until = live.clock.now() + round(seconds * 1_000_000)
            then: Event = ev.Slept(call=f"{self._key}.{live.state.seq}", until=until)
        else:
            often = f"{setbacks} times in a row" if setbacks > 1 else "and asking again won't help"
            then = ev.Parked(reason=writable(f"the model did not answer, {often}: {error}"))
        await live.append(failed, then, blobs=blobs)


async def grown(live: LiveRun) -> Transcript:
    """Return the run's transcript; read once, it grows with each append."""
    while live.transcript is None:
        live.earlier = await _earlier(live)
        read = await live.journal.store.last_seq(live.id)
        told = await transcript(live.journal, live.id, live.earlier, read)
        if live.state.seq == read:
            live.transcript = told
        else:
            await asyncio.sleep(0.001)  # Something is being appended that is not in it: it is read again.
    return live.transcript


async def _earlier(live: LiveRun) -> tuple[tuple[str, int], ...]:
    """Return the runs of the conversation before this one, each up to where it was when this one first looked."""
    turns = [one.event for one in await live.journal.history(live.id, 0, (ev.TurnRecorded,))]
    for turn in turns:
        if isinstance(turn, ev.TurnRecorded) and not turn.is_reading:
            return msgspec.json.decode(bytes(turn.request), type=Built).earlier
    if live.state.conversation is None:
        return ()
    rows = await live.journal.conversation(live.state.tenant, live.state.conversation)
    began = {one.id: (await live.journal.event(one.id, 1)).position for one in rows}
    before = sorted((one for one in began if began[one] < began[live.id]), key=began.__getitem__)
    return tuple([(one, await live.journal.store.last_seq(one)) for one in before])


def turn_of(event: ev.TurnRecorded) -> Response:
    """Return the response that a recorded turn holds."""
    return msgspec.json.decode(bytes(event.response), type=Response)
