"""The path of one action: the only place in Interlock where an effect is performed on a proposal.

Read `ActionPath.walk` from top to bottom: resolve, validate, recall, trace, gather, judge, needs, intent, perform,
outcome. Each stage is one method (tracing, gathering and judging: `judging.py`); whatever goes wrong before the intent
is a denial.
"""

import difflib
from typing import TYPE_CHECKING, Any

import msgspec

from interlock.actions.action import Action
from interlock.actions.asking import ask_user
from interlock.canonical import canonical, digest
from interlock.errors import CanonicalError, KeyReusedError, OverloadedError
from interlock.guardian import Need
from interlock.kernel import events as ev
from interlock.kernel.state import Ask, Call
from interlock.models import Proposal
from interlock.runtime import quarantine, recovery, suspecting
from interlock.runtime.delegation import Delegation
from interlock.runtime.judging import Judging, Step, done_before
from interlock.runtime.live import LiveRun
from interlock.runtime.outcomes import Denied, Done, Failed, Outcome, Waiting
from interlock.runtime.quarantine import Reader
from interlock.runtime.reading_back import read_back
from interlock.runtime.records import idempotency_key, outcome_of, recordable, said, writable
from interlock.runtime.refusal import Refusal, climbed
from interlock.runtime.sending import Send, Sender

if TYPE_CHECKING:
    from interlock.runtime.options import Options

ARGUMENTS_LIMIT = 1 << 20
"""How many bytes the arguments of one proposal may have."""

LONGEST_NAME = 200
"""How many characters of the name of an action that there isn't are kept."""

MAX_NEVER = 3
"""How often a call that proved never to have happened is judged and sent afresh before it counts as failed."""


class ActionPath:
    """Walks proposals of runs through the stages.

    Args:
        sender: What performs functions with their deadline.
        options: The runtime's settings.
        delegation: What hands proposals on to other agents.
    """

    def __init__(self, sender: Sender, options: "Options", delegation: Delegation) -> None:
        self.sender = sender
        self.options = options
        self.delegation = delegation
        self.judging = Judging(sender)

    async def walk(  # noqa: PLR0911 - each return is an end of the path
        self, live: LiveRun, proposal: Proposal, key: str, offers: frozenset[str] | None, *, weighing: bool = False
    ) -> Outcome | None:
        """Take *proposal* from its resolution to its outcome, or to what it waits for.

        While *weighing* it is not performed: None says that it would be now.

        Raises:
            KeyReusedError: the key was used before, for another action or other arguments.
            JournalError: the journal could not record it; nothing was performed after that.
        """
        step = Step(key=key, name=writable(proposal.action), raw=proposal.args)
        try:
            action = self._resolve(live, step, offers)
            self._validate(step, action)
            if not live.is_new(key) and (earlier := await self._recalled(live, step)) is not None:
                return earlier
            for _ in range(MAX_NEVER):
                if live.is_sent(key):
                    if weighing:
                        return None
                    if (known := await self._settled(live, key)) is not None:
                        return known
                waiting = await self._allowed(live, step, action)
                if waiting is not None or weighing:
                    return waiting
                if (outcome := await self._performed(live, step, action)) is not None:
                    return outcome
            return await self._gave_up(live, step)
        except Refusal as refusal:
            return await self._denied(live, step, refusal)

    async def _allowed(self, live: LiveRun, step: Step, action: Action[Any, Any, Any]) -> Waiting | None:
        """Judge the proposal and see to what it needs; None where it may be performed at once."""
        if live.state.parked and live.state.driven:
            return Waiting()
        await self._admit(live, action)
        if _is_asked_about(live, step.key):
            await live.take_in()  # An answer that was given a moment ago counts now.
        await self.judging.judge(live, step, action)
        # From there to the intent (or the question, or the delay) nothing is awaited: what was counted is true.
        return await self._await_needs(live, step) if step.needs else None

    async def recorded(self, live: LiveRun, proposal: Proposal, key: str) -> Outcome | None:
        """Return what a proposal came to before, and None where that is not known; nothing is judged or done.

        Raises:
            KeyReusedError: the key was used before, for another action or other arguments.
        """
        step = Step(key=key, name=writable(proposal.action), raw=proposal.args)
        try:
            self._validate(step, self._resolve(live, step, None))
        except Refusal:
            step.digest = digest(step.name.encode(), bytes(_kept(step)))
        return await self._recalled(live, step)

    async def refuse(self, live: LiveRun, proposal: Proposal, key: str, refusal: Refusal) -> None:
        """Deny a proposal before anything is judged, unless that has been done."""
        step = Step(key=key, name=writable(proposal.action), raw=proposal.args)
        await self._denied(live, step, refusal)

    # resolve, validate

    def _resolve(self, live: LiveRun, step: Step, offers: frozenset[str] | None) -> Action[Any, Any, Any]:
        actions = live.agent.actions
        action = actions.get(step.name)
        if action is not None and (offers is None or step.name in offers):
            step.action = action
            return action
        there = sorted(actions if offers is None else offers)
        near = difflib.get_close_matches(step.name, there, 1)
        why = "there is no action" if action is None else f"state {live.state.place!r} does not offer"
        hint = f"did you mean {near[0]!r}?" if near else f"there are: {', '.join(there) or 'none'}"
        raise Refusal("resolve", f"{why} {step.name!r}", instead=(hint,))

    def _validate(self, step: Step, action: Action[Any, Any, Any]) -> None:
        try:
            step.args = action.signature.arguments(step.raw)
            step.plain = canonical(step.args)
        except (ValueError, TypeError, RecursionError) as error:
            raise Refusal("validate", f"the arguments of {step.name!r} don't fit: {error}") from None
        if len(step.plain) > ARGUMENTS_LIMIT:
            raise Refusal(
                "validate",
                f"the arguments of {step.name!r} have {len(step.plain):,} bytes; at most {ARGUMENTS_LIMIT:,} are taken",
                instead=("store the content and pass a reference to it",),
            )
        step.digest = digest(step.name.encode(), step.plain)

    # recall: what this key came to before

    async def _recalled(self, live: LiveRun, step: Step) -> Outcome | None:
        call = live.state.calls.get(step.key)
        if call is not None:
            _same(step, call.action, call.digest)
            return None
        found = None
        if not live.from_start or step.key in live.closed:
            found = await live.journal.find(live.id, step.key)
        if found is None:
            return None
        event = found.event
        if not isinstance(event, (ev.Done, ev.Failed, ev.Denied)):
            raise KeyReusedError(f"key {step.key!r} of run {live.id!r} names a model turn, not a proposal")
        _same(step, event.action, event.digest)
        return outcome_of(event, step.action)

    # admit

    async def _admit(self, live: LiveRun, action: Action[Any, Any, Any]) -> None:
        """See to it that nothing stands in the way of performing the action, before anything is judged or written."""
        if live.state.parked:
            await live.take_in()  # Somebody may have let it go on a moment ago.
            if live.state.parked:
                raise Refusal("run", f"the run is parked until a person lets it go on: {live.state.parked}")
        if live.state.cancelling:
            raise Refusal("run", "the run is being cancelled; nothing new begins")
        if live.state.deadline is not None and live.clock.now() >= live.state.deadline:
            raise Refusal("run", "the run's deadline has passed; nothing new begins")
        await self._see_to_means(live, action)

    async def _see_to_means(self, live: LiveRun, action: Action[Any, Any, Any]) -> None:
        """See to it that there is all that the action needs: a thread, dependencies, credentials, its way back."""
        if not action.is_async:
            try:
                self.sender.pool.admit()
            except OverloadedError as error:
                raise Refusal("run", str(error)) from None
        if not self.sender.made(live.agent):
            await self.sender.make(live.agent)
        if action.credentials:
            self.sender.secrets(action)
        if action.way is not None:
            try:
                await self.sender.check(live.agent, action, self.sender.context(live, action))
            except Exception as error:
                raise Refusal("run", f"it could not be taken back, so it is not done: {said(error)}") from error

    # needs

    async def _await_needs(self, live: LiveRun, step: Step) -> Waiting | None:
        call = live.state.calls.get(step.key)
        unmet: list[Need] = []
        pending: list[Ask] = []
        for need in step.needs:
            if need.kind != "delay":
                self._consider(live, step, need, call, unmet, pending)
        if unmet:
            await self._ask(live, step, unmet)
            call = live.state.calls[step.key]
            pending = [ask for ask in call.asks if not ask.decision]
        if pending:
            return Waiting(tuple([await live.mail.question(live.id, ask.seq) for ask in pending]))
        return await self._delay(live, step, call)

    def _consider(  # noqa: PLR0917 - what it sorts into is the caller's
        self, live: LiveRun, step: Step, need: Need, call: Call | None, unmet: list[Need], pending: list[Ask]
    ) -> None:
        """Sort a need that people meet into met, pending or unmet; a no ends the proposal."""
        now = live.clock.now()
        asks = [one for one in call.asks if (one.kind, one.level) == (need.kind, need.level)] if call else []
        ask = asks[-1] if asks else None
        if ask is None or not _binds(ask, step) or (ask.decision == "approve" and ask.expires <= now):
            unmet.append(need)
        elif ask.decision == "deny":
            who = f"{ask.by} ({need.level})" if need.level else ask.by
            raise Refusal("needs", f"{who} said no{f': {ask.note}' if ask.note else ''}", by=who)
        elif ask.decision == "lapsed":
            raise Refusal("needs", f"nobody answered the {need.kind} in time")
        elif not ask.decision:
            pending.append(ask)

    async def _ask(self, live: LiveRun, step: Step, needs: list[Need]) -> None:
        now = live.clock.now()
        ttl = {"confirmation": self.options.confirmation_ttl, "approval": self.options.question_ttl}
        reasons = step.reasons if step.repeats is None else (*step.reasons, await done_before(live, step.repeats))
        await live.append(
            *(
                ev.Asked(
                    call=step.key,
                    action=step.name,
                    kind=need.kind,
                    level=need.level,
                    reasons=reasons,
                    says=read_back(step.name, step.plain),
                    args=msgspec.Raw(step.plain),
                    digest=step.digest,
                    expires=now + ttl[need.kind],
                    judgement=step.judgement,
                    facts_digest=step.facts_digest,
                )
                for need in needs
            )
        )

    async def _delay(self, live: LiveRun, step: Step, call: Call | None) -> Waiting | None:
        seconds = max((need.seconds for need in step.needs if need.kind == "delay"), default=0.0)
        if not seconds:
            return None
        now = live.clock.now()
        if call is not None and call.window:
            return None if call.window <= now else Waiting(until=call.window)
        until = now + round(seconds * 1_000_000)
        await live.append(
            ev.Delayed(
                call=step.key,
                action=step.name,
                until=until,
                args=msgspec.Raw(step.plain),
                digest=step.digest,
                judgement=step.judgement,
            )
        )
        return Waiting(until=until)

    # intent, perform, outcome

    async def _performed(self, live: LiveRun, step: Step, action: Action[Any, Any, Any]) -> Outcome | None:
        """Perform what is permitted now; None where it proved not to have happened and is to be judged again."""
        if step.name in live.agent.delegates:
            return await self._handed_on(live, step)
        if action is ask_user:
            return await self._ask_the_user(live, step)
        if action.effect == "read" and not action.egress:
            return await self._read(live, step, action)
        if live.state.undo is not None:
            raise Refusal("run", "the run is being undone; nothing new begins")
        await live.append(self._intent(live, step, action))
        what = recovery.What(action, action.performs, (), step.args)
        return await recovery.perform(self, live, step.key, what) or await self._settled(live, step.key)

    async def _handed_on(self, live: LiveRun, step: Step) -> Outcome:
        if step.key not in live.state.calls or live.state.calls[step.key].phase != "delegated":
            await live.append(
                ev.Delegated(
                    call=step.key,
                    action=step.name,
                    to=f"{live.id}/{step.key}",
                    args=msgspec.Raw(step.plain),
                    digest=step.digest,
                    judgement=step.judgement,
                )
            )
        outcome = await self.delegation.advance(live, live.state.calls[step.key])
        return outcome if outcome is not None else Waiting()

    async def _ask_the_user(self, live: LiveRun, step: Step) -> Outcome:
        call = live.state.calls.get(step.key)
        asks = [one for one in call.asks if one.kind == "question"] if call is not None else []
        if not asks:
            expires = live.clock.now() + self.options.question_ttl
            await live.append(
                ev.Asked(
                    call=step.key,
                    action=step.name,
                    kind="question",
                    says=step.args["question"],
                    args=msgspec.Raw(step.plain),
                    digest=step.digest,
                    expires=expires,
                    judgement=step.judgement,
                )
            )
            asks = [live.state.calls[step.key].asks[-1]]
        ask = asks[-1]
        if not ask.decision:
            return Waiting((await live.mail.question(live.id, ask.seq),))
        if ask.decision == "lapsed":
            raise Refusal("needs", "the user did not answer in time")
        answered = (await live.journal.event(live.id, ask.answered)).event
        assert isinstance(answered, ev.Answered)
        await live.append(
            ev.Done(
                call=step.key,
                action=step.name,
                effect="read",
                result=answered.result,
                via="person",
                args=msgspec.Raw(step.plain),
                digest=step.digest,
                judgement=step.judgement,
            )
        )
        return Done(msgspec.json.decode(bytes(answered.result)))

    async def _read(self, live: LiveRun, step: Step, action: Action[Any, Any, Any]) -> Outcome:
        ctx = self.sender.context(live, action)
        began = live.clock.now()
        args = msgspec.Raw(step.plain)
        if live.deeds.counts(action.name):
            live.deeds.reserve(live.whose, step.key, action.name, began, msgspec.json.decode(step.plain))
        if isinstance(action, Reader):
            quarantine.begin(live, step.key)
        try:
            value = await self.sender.look(Send(action.function, (ctx,), step.args, action.timeout))
        except Exception as error:  # noqa: BLE001 - a read that fails changed nothing, whatever it raised
            failed = ev.Failed(
                call=step.key,
                action=step.name,
                error=said(error),
                args=args,
                digest=step.digest,
                cleaned=suspecting.cleaned(live.agent),
            )
            await live.append(failed)
            return Failed(failed.error)
        duration = live.clock.now() - began
        result, problem = recordable(value)
        noted = await suspecting.noted(self.sender, live.agent, step.name, result)
        await live.append(
            ev.Done(
                call=step.key,
                action=step.name,
                effect="read",
                result=result,
                problem=problem,
                duration=duration,
                args=args,
                digest=step.digest,
                judgement=step.judgement,
                trust=quarantine.trust_of(action, step.judgement),
                suspected=noted.suspected,
                cleaned=noted.cleaned,
            )
        )
        return Done(None if problem else value, problem)

    def _intent(self, live: LiveRun, step: Step, action: Action[Any, Any, Any]) -> ev.Intended:
        now = live.clock.now()
        call = live.state.calls.get(step.key)
        return ev.Intended(
            call=step.key,
            action=step.name,
            effect=action.effect,
            key=idempotency_key(live.id, step.key),
            perform_before=now + recovery.SEND_WINDOW,
            args=msgspec.Raw(step.plain),
            digest=step.digest,
            attempt=call.attempt + 1 if call is not None else 1,
            idempotent_until=now + action.idempotent if action.idempotent else 0,
            probe=action.probe_function is not None,
            settle=action.settle,
            judgement=step.judgement,
            proposer=action.proposer_performs,
            way=_way(action),
            before=step.before,
        )

    async def _settled(self, live: LiveRun, key: str) -> Outcome | None:
        """Find out what became of a sent call; None where it did not happen and is to be judged again."""
        return await recovery.settle(self, live, key, self.options.patience)

    async def _denied(self, live: LiveRun, step: Step, refusal: Refusal) -> Outcome:
        if not step.digest:
            step.digest = digest(step.name.encode(), bytes(_kept(step)))
            if (earlier := await self._recalled(live, step)) is not None:
                return earlier
        reasons, reason = climbed(live.state, step.digest, refusal)
        denied = ev.Denied(
            call=step.key,
            action=step.name[:LONGEST_NAME],
            stage=refusal.stage,
            reasons=reasons,
            instead=refusal.instead,
            args=_kept(step),
            digest=step.digest,
            judgement=step.judgement,
        )
        parked = (ev.Parked(reason=writable(reason)),) if reason and not live.state.parked else ()
        if refusal.by and "rejected" in live.agent.undo_on:
            parked = (ev.CancelRequested(by=refusal.by, reason=f"rejected {step.name}", undo=True),)
        await live.append(denied, *parked)
        return Denied(reasons, refusal.instead, refusal.stage)

    async def _gave_up(self, live: LiveRun, step: Step) -> Failed:
        error = f"it was tried {MAX_NEVER} times, and each time it was withdrawn in time or proved not to have happened"
        await live.append(ev.Failed(call=step.key, action=step.name, error=error, digest=step.digest))
        return Failed(error)


def _same(step: Step, action: str, known: str) -> None:
    if step.name[:LONGEST_NAME] != action[:LONGEST_NAME] or (known and step.digest != known):
        raise KeyReusedError(
            f"key {step.key!r} already names a proposal of {action!r} with other arguments; "
            "give every proposal a key of its own"
        )


def _binds(ask: Ask, step: Step) -> bool:
    """Whether an answer to *ask* is an answer to exactly this proposal, under this policy and these facts."""
    return ask.digest == step.digest and ask.policy == step.judgement.policy and ask.facts_digest == step.facts_digest


def _way(action: Action[Any, Any, Any]) -> str:
    """Return how an effect of the action will be taken back."""
    if action.way is not None:
        return action.way.name
    if action.snapshot_function is not None:
        return "snapshot"
    return "undo" if action.undo_function is not None else ""


def _is_asked_about(live: LiveRun, key: str) -> bool:
    call = live.state.calls.get(key)
    return call is not None and any(not ask.decision for ask in call.asks)


def _kept(step: Step) -> msgspec.Raw:
    """Return the arguments as they were given, as far as they have a JSON form of bearable size."""
    if step.plain != b"null":
        return msgspec.Raw(step.plain) if len(step.plain) <= ARGUMENTS_LIMIT else _cut(step.plain)
    try:
        encoded = canonical(step.raw)
    except CanonicalError:
        encoded = canonical(ascii(step.raw))
    return msgspec.Raw(encoded) if len(encoded) <= ARGUMENTS_LIMIT else _cut(encoded)


def _cut(encoded: bytes) -> msgspec.Raw:
    return msgspec.Raw(canonical(encoded[:1000].decode(errors="replace") + "…"))
