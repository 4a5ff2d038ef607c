"""The session: the public path of an action, for every loop, ours and others'."""

from contextlib import AbstractAsyncContextManager
from typing import Any

import msgspec

from interlock.canonical import canonical
from interlock.errors import RunEndedError
from interlock.kernel import events as ev
from interlock.models import Proposal
from interlock.runtime.flight import Flight
from interlock.runtime.live import LiveRun, id_of
from interlock.runtime.outcomes import Outcome, Turn
from interlock.runtime.path import ActionPath
from interlock.runtime.refusal import Refusal
from interlock.runtime.sagas import transaction, with_undo
from interlock.runtime.speaking import Spoken, speak, spoken


class Session:
    """A run held open for a loop that proposes actions; made by `Runtime.session`.

    Several proposals may be performed at once. The run is never driven from here: it is the loop that goes on.
    """

    def __init__(self, path: ActionPath, live: LiveRun, prefix: str = "", offers: frozenset[str] | None = None) -> None:
        self._path = path
        self._live = live
        self._prefix = prefix
        self._offers = offers

    @property
    def run(self) -> str:
        """The id of the run."""
        return self._live.id

    @property
    def is_busy(self) -> bool:
        """Whether a proposal has not come to its outcome yet: it is being performed, waits, or is not known."""
        return bool(self._live.state.calls)

    async def weigh(self, proposal: Proposal) -> Outcome | None:
        """Take a proposal as far as its performance: people are asked for what it needs, and nothing is performed.

        Returns what it waits for, or what it came to (a denial, or the outcome of an earlier performance); None where
        `perform` under the same key would perform it now, or go on finding out what became of it.

        Raises:
            RunEndedError: the run has ended, or is being undone, and the proposal is new to it.
            KeyReusedError: the key named another proposal before.
        """
        return await self._walk(proposal, weighing=True)

    async def perform(self, proposal: Proposal) -> Outcome:
        """Take a proposal down the one path of an action.

        The same key returns the recorded outcome, or what the proposal still waits for, or joins the performance that
        is under way. Cancelling the caller does not abandon an effect: it is finished and recorded.

        Raises:
            RunEndedError: the run has ended, or is being undone, and the proposal is new to it.
            KeyReusedError: the key named another proposal before.
            DependenciesError: the agent's dependencies could not be made; nothing was done.
            JournalError: the journal could not record it; nothing was done after that point.
        """
        outcome = await self._walk(proposal, weighing=False)
        assert outcome is not None
        return outcome

    async def _walk(self, proposal: Proposal, *, weighing: bool) -> Outcome | None:
        live = self._live
        if live.state.ended or live.state.undo is not None:
            if proposal.key and (known := await self._path.recorded(live, proposal, self._key(proposal.key))):
                return known
            raise RunEndedError(f"run {live.id!r} is {live.state.ended or 'being undone'}; start a new one")
        key = self._key(proposal.key) if proposal.key else live.fresh_key()
        while (flight := live.flights.get(key)) is not None:
            outcome = await flight.join()
            if outcome is not None:
                return outcome
        walk = self._path.walk(live, proposal, key, self._offers, weighing=weighing)
        return await Flight(live.flights, key, walk).join()

    async def refuse(self, proposal: Proposal, reason: str, instead: str, *, stage: str = "validate") -> None:
        """Record that a proposal of this key was turned down before it was judged, unless that is known already.

        Args:
            proposal: What was proposed.
            reason: Why it is turned down.
            instead: What may be done instead.
            stage: Where on the path: "resolve" for what there is not, "validate" for its form.

        Raises:
            RunEndedError: the run has ended.
        """
        refusal = Refusal(stage, reason, instead=(instead,))
        await self._path.refuse(self._live, proposal, self._key(proposal.key), refusal)

    async def speak(self, text: str, *, key: str = "", reader: Any = None) -> Spoken:
        """Take an answer down to its user: return what may be shown of it, and why the rest is withheld.

        Each sentence is looked at before the next: secrets are blacked out; with labels, where its content came from;
        and whether it claims what was not done. From the first sentence that may not be shown on, all is withheld.
        Tell the model why and speak its next answer. Where that is wrong in the same way, the run is parked for a
        person. Nothing is shown before this returns: then it is durable. With a key that was spoken under before,
        nothing is added.

        Args:
            text: The whole answer.
            key: What makes it idempotent, as that of a proposal does.
            reader: The id of whoever reads it, where that is not the run's own user (a channel, a colleague): what is
                labelled secret is not for them.

        Raises:
            RunEndedError: the run has ended, and the answer is new to it.
            UnicodeEncodeError: half of a surrogate pair is in the text.
            JournalError: the journal could not record it; show nothing.
        """
        live = self._live
        if key and (known := await spoken(live, self._key(key))) is not None:
            return known
        if live.state.ended:
            raise RunEndedError(f"run {live.id!r} is {live.state.ended}; start a new one")
        elsewhere = reader is not None and str(reader) != id_of(live.user)
        return await speak(live, text, self._key(key) if key else live.fresh_key(), elsewhere=elsewhere)

    async def record(self, turn: Turn) -> None:
        """Record a model turn; returns when it is durable. With a key that was recorded before, nothing is added.

        Raises:
            RunEndedError: the run has ended, and the turn is new to it.
            CanonicalError: request or response have no JSON form.
        """
        live = self._live
        key = self._key(turn.key) if turn.key else ""
        if key and await self._recorded(key):
            return
        if live.state.ended:
            raise RunEndedError(f"run {live.id!r} is {live.state.ended}; start a new one")
        await live.append(
            ev.TurnRecorded(
                call=key,
                model=turn.model,
                request=ev.NOTHING if turn.request is None else msgspec.Raw(canonical(turn.request)),
                response=msgspec.Raw(canonical(turn.response)),
                input_tokens=turn.input_tokens,
                output_tokens=turn.output_tokens,
                latency=round(turn.latency * 1_000_000),
            )
        )

    async def recall(self, key: str) -> Turn | None:
        """Return the turn recorded under *key*, or None: a loop that starts again asks here before the model."""
        found = await self._recorded(self._key(key))
        if found is None:
            return None
        return Turn(
            model=found.model,
            request=msgspec.json.decode(bytes(found.request)),
            response=msgspec.json.decode(bytes(found.response)),
            input_tokens=found.input_tokens,
            output_tokens=found.output_tokens,
            latency=found.latency / 1_000_000,
            key=key,
        )

    def _key(self, given: str) -> str:
        """Return the key as the run knows it; those that begin with a tilde are the runtime's own."""
        known = given if given.isascii() else given.encode(errors="backslashreplace").decode()
        return f"~{self._prefix}{known}" if given.startswith("~") else self._prefix + known

    async def _recorded(self, key: str) -> ev.TurnRecorded | None:
        if self._live.from_start and key not in self._live.closed:
            return None
        found = await self._live.journal.find(self._live.id, key)
        return found.event if found is not None and isinstance(found.event, ev.TurnRecorded) else None

    async def finish(self, output: Any = None) -> None:
        """End the run well, with its output (anything with a JSON form).

        Raises:
            RunEndedError: it has ended already.
            CanonicalError: the output has no JSON form.
        """
        await self._end("done", canonical(output), "")

    async def fail(self, error: str) -> None:
        """End the run as failed, and say why.

        Raises:
            RunEndedError: it has ended already.
        """
        await self._end("failed", b"null", error)

    async def _end(self, how: str, output: bytes, error: str) -> None:
        trust = await self._live.tracing.least(self._live) if how == "done" else None
        if self._live.state.ended:
            raise RunEndedError(f"run {self._live.id!r} is {self._live.state.ended}")
        ended = ev.RunEnded(how=how, output=msgspec.Raw(output), error=error, trust=trust)
        await self._live.append(*await with_undo(self._live, ended))

    def transaction(self) -> AbstractAsyncContextManager[None]:
        """Enclose proposals that belong together: if the block raises, what was done in it is taken back, last first.

        The exception goes on when that is over. Where something could not be taken back, or its outcome is not known,
        the exception says so in a note and the run is parked for a person. Tasks handed on to other agents in the block
        are taken back with it. A process that is killed leaves the run where it was: the loop that goes on decides.
        """
        return transaction(self._live)

    def __repr__(self) -> str:
        return f"<Session {self._live!r}>"
