"""Asking a run's model: once a turn and durably, its words released sentence by sentence, its failures bounded."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any

import msgspec

from interlock.context import Transcript
from interlock.context.shown import Built, transcript
from interlock.kernel import events as ev
from interlock.kernel.events import Event
from interlock.models import Exchange, Model, ModelError, Proposal, Request, Response
from interlock.runtime.live import LiveRun
from interlock.runtime.records import said
from interlock.runtime.sentences import Sentences, problem_with
from interlock.runtime.suspending import Suspended

TURN_TIMEOUT = 600.0
"""How long one answer may take from its first byte asked to its last, in seconds."""

LONGEST_ANSWER = 400_000
"""How many characters one answer may have; more is taken for a stream that never ends."""

MOST_SETBACKS = 6
"""How often in a row a model is asked that does not answer, before the run is parked."""

MOST_FAULTS = 8
"""How many turns in a row may hold nothing that can be judged, before the run is parked."""

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
        self._sentences = Sentences()
        self._ready: list[str] = []
        self._problem: str | None = None

    async def turn(self) -> ev.TurnRecorded:
        """Ask, record the answer, and return what was recorded.

        Raises:
            Suspended: there is no answer now: the model failed and is asked again later, or the run is parked or being
                cancelled.
        """
        await self._check_bounds()
        request, built = await self._request()
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
        return request, Built(live.agent.head_hash, told.seen, told.digest(), live.earlier)

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
            raise Suspended
        return task.result()

    async def _asked(self, request: Request) -> Response:
        try:
            async with asyncio.timeout(TURN_TIMEOUT), aclosing(self._model.respond(request)) as pieces:
                return await self._heard(pieces)
        except TimeoutError:
            raise ModelError(
                f"model {self._model.name} had not answered after {TURN_TIMEOUT:g} s", transient=True
            ) from None
        except ModelError:
            raise
        except Exception as error:
            raise ModelError(f"model {self._model.name} failed: {said(error)}", transient=False) from error

    async def _heard(self, pieces: AsyncGenerator[str | Response]) -> Response:
        heard = 0
        async for piece in pieces:
            if isinstance(piece, Response):
                self._take(self._sentences.rest())
                return piece
            heard += len(piece)
            if heard > LONGEST_ANSWER:
                raise ModelError(
                    f"the answer of model {self._model.name} had not ended after {LONGEST_ANSWER:,} characters",
                    transient=True,
                )
            self._live.mail.draft(self._live.id, piece)
            await self._release(self._sentences.feed(piece))
        raise ModelError(f"model {self._model.name} ended without a response", transient=True)

    async def _release(self, sentences: list[str]) -> None:
        """Make sentences known that passed the checks; what comes after one that did not stays inside."""
        self._take(sentences)
        if self._ready:
            ready, self._ready = self._ready, []
            await self._live.append(*(ev.Said(call=self._key, text=one) for one in ready))
            self._live.mail.stir(self._live.id)

    def _take(self, sentences: list[str]) -> None:
        for sentence in sentences:
            if self._problem is None and not self._live.agent.speaks_in_structure:
                self._problem = problem_with(sentence, self._live.agent.checks)
            if self._problem is None and not self._live.agent.speaks_in_structure:
                self._ready.append(sentence)

    # recording

    async def _record(self, response: Response, built: Built, latency: int) -> ev.TurnRecorded:
        live = self._live
        plain = msgspec.structs.replace(response, wire=())
        encoded = live.journal.redacted(msgspec.json.encode(plain, order="deterministic"))
        wire, blobs = self._wire(response.wire, secret=bool(encoded[1]))
        events: list[Event] = [ev.Said(call=self._key, text=one) for one in self._ready]
        turn = ev.TurnRecorded(
            call=self._key,
            model=self._model.name,
            request=msgspec.Raw(msgspec.json.encode(built)),
            response=msgspec.Raw(encoded[0]),
            input_tokens=response.input_tokens,
            output_tokens=response.output_tokens,
            latency=latency,
            cost=response.cost,
            wire=wire,
        )
        events.append(turn)
        if self._problem is not None:
            events.append(withheld(self._key, self._problem))
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
            error=said(error)[:2000],
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
            then = ev.Parked(reason=f"the model did not answer, {often}: {error}"[:2000])
        await live.append(failed, then, blobs=blobs)


def withheld(turn: str, problem: str) -> ev.Denied:
    """Return the denial of a turn's words from where a check found something."""
    return ev.Denied(
        call=f"{turn}.words",
        action="answer",
        stage="validate",
        reasons=(f"the user was not shown it, because {problem}",),
        instead=("say it in another way",),
    )


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
    turns = await live.journal.history(live.id, 0, (ev.TurnRecorded,))
    if turns:
        assert isinstance(turns[0].event, ev.TurnRecorded)
        return msgspec.json.decode(bytes(turns[0].event.request), type=Built).earlier
    conversation = live.state.conversation
    own = await live.journal.store.row(live.id)
    if conversation is None or own is None:
        return ()
    rows = await live.journal.conversation(live.state.tenant, conversation)
    before = [one for one in rows if (one.created_at, one.id) < (own.created_at, own.id)]
    return tuple([(one.id, await live.journal.store.last_seq(one.id)) for one in before])


def turn_of(event: ev.TurnRecorded) -> Response:
    """Return the response that a recorded turn holds."""
    return msgspec.json.decode(bytes(event.response), type=Response)


def proposals_of(told: Transcript) -> tuple[Proposal, ...]:
    """Return what the model proposed in its last turn."""
    turn = told.last_turn
    return () if turn is None else turn.proposals
