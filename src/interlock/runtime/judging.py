"""Judging a proposal: it is traced, facts and counts are gathered, the policy is asked, repeats are looked for.

What tracing says against a proposal comes on top of the policy, and only ever narrows what that permits.
"""

import logging
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import msgspec

from interlock.actions import snapshot
from interlock.actions.action import Action
from interlock.canonical import canonical, digest
from interlock.errors import CanonicalError
from interlock.guardian import ABSENT, Case, Need, Policy, Verdict
from interlock.guardian import Failed as FailedFact
from interlock.kernel import events as ev
from interlock.provenance import Traced
from interlock.runtime import snapshots
from interlock.runtime.live import LiveRun
from interlock.runtime.origins import recorded, sound, told
from interlock.runtime.planning import Planning
from interlock.runtime.records import said
from interlock.runtime.refusal import Refusal
from interlock.runtime.sending import Send, Sender
from interlock.runtime.tallies import Deed, Id

log = logging.getLogger("interlock")

WAY_FORWARD = "use values that the user named or that trusted data holds, or have the user ask for exactly this"
"""What an agent may do instead where it can't be trusted with values."""

FACT_TIMEOUT = 10_000_000
"""How long the gathering of one fact may take, in microseconds."""

LONGEST_RESULT = 500
"""How many characters of an earlier result are told when an effect would be repeated."""


class Step(msgspec.Struct, gc=False):
    """A proposal on its way: what is known about it so far."""

    key: str
    name: str
    raw: Mapping[str, Any] | str
    action: Action[Any, Any, Any] | None = None
    args: dict[str, Any] = {}
    plain: bytes = b"null"
    digest: str = ""
    judgement: ev.Judgement = ev.Judgement()
    facts_digest: str = ""
    needs: tuple[Need, ...] = ()
    reasons: tuple[str, ...] = ()
    repeats: Deed | None = None
    """The same effect, done before in this conversation or under way."""
    before: msgspec.Raw = ev.NOTHING
    """The objects that it touches as they are before it, where the action has a snapshot."""
    excused: tuple[Id, ...] = ()
    """Calls that were the same and came to nothing, by their results."""


class Judging:
    """Judges proposals of runs; whatever goes wrong in it is a denial.

    Args:
        sender: What looks facts up, with their deadline.
    """

    def __init__(self, sender: Sender) -> None:
        self._sender = sender
        self._planning = Planning(sender)

    async def judge(self, live: LiveRun, step: Step, action: Action[Any, Any, Any]) -> None:
        """Judge the proposal as of now; nothing is awaited between the last look at what was done and the return.

        Raises:
            Refusal: it is denied.
        """
        if live.agent.labels is not None:
            await self._see_to_index(live)
            if action.effect != "read" and live.agent.labels.planner is not None:
                await self._planning.see_to(live, live.agent.labels.planner)
        if action.snapshot_function is not None:
            step.before = await self._snapshot(live, step, action)
        agent, windows = None, ()
        facts: dict[str, Any] = {}
        examined: set[Id] = set()
        while True:
            if agent is not live.agent:  # It is replaced with its policy, and that needs facts of its own.
                agent = live.agent
                names, windows = agent.needed(action)
                facts = await self._gather(live, step, action, names) if names else {}
            lacking = live.deeds.lacking(live.whose, windows, repeats=not action.repeatable)
            if lacking:
                await live.deeds.read(live.whose, lacking, fresh=not live.has_acted)
            if agent is not live.agent:
                continue
            self._judge_now(live, step, action, facts)
            if step.repeats is None or step.repeats.id in examined:
                return
            examined.add(step.repeats.id)
            if await _came_to_nothing(live, action, step.repeats):
                step.excused = (*step.excused, step.repeats.id)

    async def _see_to_index(self, live: LiveRun) -> None:
        try:
            await live.tracing.index(live)
        except Exception as error:
            raise Refusal(
                "judge", f"it can't be told where values came from, so nothing is permitted: {said(error)}"
            ) from error

    async def _gather(
        self, live: LiveRun, step: Step, action: Action[Any, Any, Any], names: tuple[str, ...]
    ) -> dict[str, Any]:
        gathered: dict[str, Any] = {}
        ctx = self._sender.context(live, action)
        for name in names:
            look = Send(action.facts[name], (ctx,), step.args, FACT_TIMEOUT)
            try:
                gathered[name] = await self._sender.look(look)
            except Exception as error:  # noqa: BLE001 - whatever a look-up does, the guardian denies
                gathered[name] = FailedFact(f"fact {name!r} could not be gathered: {said(error)}")
        return gathered

    async def _snapshot(self, live: LiveRun, step: Step, action: Action[Any, Any, Any]) -> msgspec.Raw:
        try:
            found = await snapshots.look(self._sender, action, self._sender.context(live, action), None, step.args)
        except Exception as error:
            raise Refusal(
                "judge", f"how things stand can't be read, so that it could not be taken back: {said(error)}"
            ) from error
        return snapshot.recorded(found)

    def _judge_now(self, live: LiveRun, step: Step, action: Action[Any, Any, Any], facts: dict[str, Any]) -> None:
        try:
            self._judge(live, step, action, facts)
        except Refusal:
            raise
        except Exception as error:
            raise Refusal("judge", f"the guardian failed, so nothing is permitted: {said(error)}") from error

    def _judge(self, live: LiveRun, step: Step, action: Action[Any, Any, Any], facts: dict[str, Any]) -> None:
        policy = live.agent.policy
        traced, origins = _traced(live, step, action)
        verdict = _sound(policy.judge(self._case(live, step, action, facts, origins)))
        step.judgement, step.facts_digest = judgement_of(policy.hash, verdict)
        if traced is not None:
            _note(step, traced)
        step.needs, step.reasons = verdict.needs, verdict.reasons
        if not verdict.permitted:
            paradox = _paradox(verdict, policy) if verdict.paradox else ""
            raise Refusal("judge", *verdict.reasons, instead=verdict.instead, paradox=paradox)
        if traced is not None and traced.strikes:
            _weigh(live, step, traced)
        if not action.repeatable:
            self._look_for_repeats(live, step)

    def _case(
        self,
        live: LiveRun,
        step: Step,
        action: Action[Any, Any, Any],
        facts: dict[str, Any],
        origins: dict[str, Any],
    ) -> Case:
        """Return what the rules will look at, with what was done by now."""
        windows, state, at = live.agent.needed(action).windows, live.state, live.clock.now()
        counted: dict[str, Any] = {}
        if windows:
            counted = live.deeds.values(live.whose, windows, msgspec.json.decode(step.plain), at)
        who = (live.user, live.agent.name, state.tenant, state.place)
        return Case(action.name, step.args, facts, *who, at, counted, origins)

    def _look_for_repeats(self, live: LiveRun, step: Step) -> None:
        """Need a yes to what was done before in this conversation; an approval that is needed anyway is one."""
        step.repeats = live.deeds.earlier(live.whose, step.key, step.digest, step.excused)
        if step.repeats is not None and not any(need.kind in ("confirmation", "approval") for need in step.needs):
            step.needs = (*step.needs, Need("confirmation"))
            needs = (*step.judgement.needs, "confirmation")
            step.judgement = msgspec.structs.replace(
                step.judgement, needs=needs, rules=(*step.judgement.rules, "duplicate")
            )


def _traced(live: LiveRun, step: Step, action: Action[Any, Any, Any]) -> tuple[Traced | None, dict[str, Any]]:
    """Return where the values came from, also as rules read it; nothing for an agent without labels."""
    if live.agent.labels is None:
        return None, {}
    if live.index is None:
        raise RuntimeError("what the run has seen could not be traced")
    args = msgspec.json.decode(step.plain)
    traced = sound(live.index.trace(action.name, args))
    return traced, told(args, traced.origins)


def _note(step: Step, traced: Traced) -> None:
    """Record where the values came from; an approval is for values of this origin."""
    origins, strikes = recorded(traced.origins), tuple([one.says for one in traced.strikes])
    step.judgement = msgspec.structs.replace(step.judgement, origins=origins, strikes=strikes)
    step.facts_digest = digest(step.facts_digest.encode(), bytes(origins), msgspec.json.encode(strikes))


def _weigh(live: LiveRun, step: Step, traced: Traced) -> None:
    """See to what speaks against a proposal that the policy permits: one thing needs a person's yes, two deny.

    Raises:
        Refusal: two things speak against it.
    """
    says = step.judgement.strikes
    rules = (*step.judgement.rules, "provenance")
    if traced.denied:
        said_of_it = " ".join("; and ".join(says).split())
        log.warning("run %s: %s was denied: %s", live.id, step.name, said_of_it)
        step.judgement = msgspec.structs.replace(step.judgement, needs=(), rules=rules)
        raise Refusal("judge", *says, instead=(WAY_FORWARD,))
    need = Need("approval", traced.level)
    step.needs = (*[one for one in step.needs if one != need], need)
    step.reasons = (*step.reasons, *says)
    needs = tuple([str(one) for one in step.needs])
    step.judgement = msgspec.structs.replace(step.judgement, needs=needs, rules=rules)


def judgement_of(policy: str, verdict: Verdict) -> tuple[ev.Judgement, str]:
    """Return what is recorded of a verdict of the policy with this hash, and the digest of the facts that it read."""
    facts, facts_digest = ev.NOTHING, ""
    if verdict.read:
        encoded = _recorded(verdict)
        facts, facts_digest = msgspec.Raw(encoded), digest(encoded)
    needs = tuple(str(need) for need in verdict.needs) if verdict.needs else ()
    counted = ev.NOTHING
    if verdict.counted:
        told = {name: _unless_failed(value) for name, value in verdict.counted.items()}
        counted = msgspec.Raw(canonical(told))
    return ev.Judgement(policy, verdict.rules, facts, needs, counted, verdict.shadowed), facts_digest


def _recorded(verdict: Verdict) -> bytes:
    """Return the facts that were read, as they are recorded; a permit has to be able to show what it rests on."""
    read = {name: None if value is ABSENT else value for name, value in verdict.read.items()}
    try:
        return canonical(read)
    except CanonicalError:
        for name, value in read.items():
            try:
                canonical(value)
            except CanonicalError as error:
                if verdict.permitted:
                    raise TypeError(f"the fact {name} can't be recorded: {error}") from error
                read[name] = f"({error})"
        return canonical(read)


def _sound(verdict: Verdict) -> Verdict:
    """Return the verdict if it is one: nothing else permits, whatever stands where a policy should."""
    fits = type(verdict) is Verdict and type(verdict.permitted) is bool and type(verdict.needs) is tuple
    if fits and verdict.needs:
        fits = all(type(need) is Need for need in verdict.needs)
    if not fits or (verdict.permitted and not verdict.rules):
        raise TypeError(f"the policy answered {verdict!r}, which is no verdict that names its rules")
    return verdict


def _unless_failed(value: Any) -> Any:
    return None if isinstance(value, FailedFact) else value


def _paradox(verdict: Verdict, policy: Policy) -> str:
    """Return which rules contradict each other for a case, in words for the person who has to sort it out."""
    owed = "; ".join(policy.said(rule) for rule in verdict.paradox)
    against = "; ".join(policy.said(rule) for rule in verdict.rules) or "no rule permits it"
    return f"a paradox of the policy: {owed}; yet {against}"


async def done_before(live: LiveRun, earlier: Deed) -> str:
    """Return what is known of an effect that would be repeated: when it was done, and with what result."""
    if earlier.kind != "settled":
        return "the same was proposed before in this conversation, and it is not known yet what became of it"
    at = datetime.fromtimestamp(earlier.at // 1_000_000, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    run, call = earlier.id
    found = await live.journal.find(run, call)
    result = bytes(found.event.result).decode() if found is not None and isinstance(found.event, ev.Done) else "null"
    shown = result if len(result) <= LONGEST_RESULT else f"{result[:LONGEST_RESULT]}…"
    return f"the same was done in this conversation at {at}, with the result {shown}"


async def _came_to_nothing(live: LiveRun, action: Action[Any, Any, Any], earlier: Deed) -> bool:
    """Whether an effect that was done answered that nothing came of it: doing it now is no repetition."""
    if earlier.kind != "settled" or action.failed is None:
        return False
    found = await live.journal.find(*earlier.id)
    if found is None or not isinstance(found.event, ev.Done):
        return False
    return action.failed(msgspec.json.decode(bytes(found.event.result)))
