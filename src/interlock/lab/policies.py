"""Recorded decisions, judged again by another policy on the facts that were read then."""

import copy
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any, Literal, cast

import msgspec
from msgspec import Raw, Struct

from interlock.actions.action import Action
from interlock.actions.recalled import restored
from interlock.agents import Agent
from interlock.guardian import ABSENT, Case, Failed, Opaque, Policy, Verdict
from interlock.kernel import events as ev
from interlock.kernel.events import Recorded
from interlock.provenance import Labels, Origin
from interlock.runtime.origins import told

Kind = Literal["same", "denied", "permitted", "needs", "unknown"]
"""same · denied: it was permitted · permitted: it was denied · needs: others than then · unknown: can't be told."""

Steps = tuple[str | int, ...]


class Decision(Struct, frozen=True):
    """What was decided about a proposal: permitted or not, what it needed first, and why."""

    permitted: bool
    needs: tuple[str, ...] = ()
    reasons: tuple[str, ...] = ()

    def __str__(self) -> str:
        word = "permitted" if self.permitted else "denied"
        needs = f", needing {' and '.join(self.needs)}" if self.needs else ""
        reasons = f" ({'; '.join(self.reasons)})" if self.reasons else ""
        return f"{word}{needs}{reasons}"


class Judged(Struct, frozen=True):
    """One decision of a recorded run, with what it rested on.

    `seq` is the event that carries it, `policy` the hash of the policy that made it. `facts` are those that rules
    read, by their path (`booking.owner`); `counted` is what windows came to, by their labels, and the time that a rule
    told. `origins` says where the values came from, and `strikes` what that said against the proposal: both stay as
    they were, whatever the other policy is.
    """

    run: str
    seq: int
    call: str
    action: str
    args: Raw
    decision: Decision
    policy: str = ""
    facts: Raw = ev.NOTHING
    counted: Raw = ev.NOTHING
    origins: Raw = ev.NOTHING
    strikes: tuple[str, ...] = ()
    asked: str = ""
    """Who had to approve because of a strike, as a need (`approval reviewer`); empty where nobody had to."""
    user: Any = None
    agent: str = ""
    tenant: str = ""
    state: str = ""
    redacted: bool = False
    """Whether secrets were kept out of what was recorded."""
    at: int = 0
    """When it was written down, in microseconds since the epoch: the time of the judgement where no rule told it."""


class Compared(Struct, frozen=True):
    """A recorded decision and what the other policy says (`now`), or why that can't be told (`why`)."""

    then: Judged
    now: Decision | None = None
    why: str = ""

    @property
    def kind(self) -> Kind:
        """How the two differ; reasons don't count."""
        if self.now is None:
            return "unknown"
        was, now = self.then.decision, self.now
        if was.permitted != now.permitted:
            return "permitted" if now.permitted else "denied"
        return "same" if sorted(was.needs) == sorted(now.needs) else "needs"

    @property
    def added(self) -> tuple[str, ...]:
        """The needs that are new."""
        return tuple(one for one in (self.now.needs if self.now else ()) if one not in self.then.decision.needs)

    @property
    def dropped(self) -> tuple[str, ...]:
        """The needs that are gone."""
        return tuple(one for one in self.then.decision.needs if self.now and one not in self.now.needs)


def decisions(history: Sequence[Recorded]) -> list[Judged]:
    """Return every decision of a run's guardian, from the run's events in order.

    What was turned down before it was judged (an unknown action, arguments that don't fit) is no decision of a
    policy. A call that was judged again with the same facts and the same answer is there once.
    """
    started, state = ev.RunStarted(agent=""), ""
    found: dict[tuple[Any, ...], Judged] = {}
    for one in history:
        event = one.event
        if isinstance(event, ev.RunStarted):
            started = event
        elif isinstance(event, ev.Entered):
            state = event.state
        elif (judgement := _judgement(event)) is not None:
            judged = _judged(one, judgement, started, state)
            decision = judged.decision
            rested_on = (judged.policy, bytes(judged.facts), judged.strikes)
            found.setdefault((judged.call, rested_on, decision.permitted, decision.needs), judged)
    return list(found.values())


def _judgement(event: ev.Event) -> ev.Judgement | None:
    match event:
        case ev.Denied(stage="judge" | "needs"):
            return event.judgement
        case ev.Asked(kind="approval" | "confirmation") | ev.Delayed() | ev.Delegated():
            return event.judgement
        case ev.Intended(undoes=0) | ev.Done(intent=0, undoes=0):
            return event.judgement
        case _:
            return None


def _judged(one: Recorded, judgement: ev.Judgement, started: ev.RunStarted, state: str) -> Judged:
    event = cast("ev.Intended", one.event)  # whichever it is, it names call, action and arguments
    against = event.reasons if isinstance(event, ev.Denied) and event.stage == "judge" else ()
    return Judged(
        run=one.run,
        seq=one.seq,
        call=event.call,
        action=event.action,
        args=event.args,
        decision=Decision(not against, _needs(judgement), against),
        policy=judgement.policy,
        facts=judgement.facts,
        counted=judgement.counted,
        origins=judgement.origins,
        strikes=judgement.strikes,
        asked=judgement.needs[-1] if "provenance" in judgement.rules and judgement.needs else "",
        user=msgspec.json.decode(bytes(started.user)),
        agent=started.agent,
        tenant=started.tenant,
        state=state,
        redacted=bool(event.redacted),
        at=one.at,
    )


def _needs(judgement: ev.Judgement) -> tuple[str, ...]:
    """Return what the policy needed: the confirmation of what was done before is no rule's."""
    if "duplicate" not in judgement.rules:
        return judgement.needs
    return tuple(need for need in judgement.needs if need != "confirmation")


def compare(
    judged: Iterable[Judged], agent: Agent, policy: Policy, known: Mapping[str, Policy] | None = None
) -> Iterator[Compared]:
    """Yield each recorded decision beside that of *policy*.

    `agent` says what types arguments and facts have. `known` holds policies that decided then, by their hashes: where
    one does not come to its own decision again, what is recorded is not enough, and nothing is told.
    """
    for one in judged:
        earlier = (known or {}).get(one.policy)
        try:
            case, recorded = case_of(one, agent)
            if earlier is not None and not _holds_code(earlier, one.action):
                _reproduce(one, case, earlier, agent)
            yield Compared(one, _weighed(one, _decide(one, case, recorded, policy), agent))
        except CannotTellError as error:
            yield Compared(one, None, str(error))


class CannotTellError(Exception):
    """What is recorded does not suffice to judge again."""


def case_of(one: Judged, agent: Agent) -> tuple[Case, dict[Steps, Raw]]:
    """Return the case that was judged then, as far as it is recorded, and the recorded facts by their paths.

    Raises:
        CannotTellError: what is recorded does not fit the agent's actions as they are now.
    """
    action = agent.actions.get(one.action)
    if action is None:
        raise CannotTellError(f"the agent no longer has the action {one.action!r}")
    if one.redacted:
        raise CannotTellError("secrets in it were not recorded")
    try:
        args = action.signature.arguments(msgspec.json.decode(bytes(one.args)))
    except (ValueError, TypeError) as error:
        raise CannotTellError(f"its arguments no longer fit {one.action!r}: {error}") from error
    recorded = _paths(one.facts)
    counted, at = _counted(one)
    who = (one.user, one.agent, one.tenant, one.state)
    return Case(one.action, args, _facts(recorded, action, one), *who, at, counted, _origins(one)), recorded


def _origins(one: Judged) -> dict[str, Any]:
    """Return where the values came from, as rules read it; nothing where it was not traced."""
    origins = msgspec.json.decode(bytes(one.origins), type=tuple[Origin, ...] | None)
    return {} if origins is None else told(msgspec.json.decode(bytes(one.args)), origins)


def _counted(one: Judged) -> tuple[dict[str, Any], int]:
    """Return what was counted then, with its types, and the time."""
    counted: dict[str, Any] = msgspec.json.decode(bytes(one.counted)) or {}
    now = counted.pop("now", None)
    at = one.at if now is None else (datetime.fromisoformat(now) - _EPOCH) // timedelta(microseconds=1)
    return {label: _number(value) for label, value in counted.items()}, at


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def _number(value: Any) -> Any:
    """Return a recorded number: decimals are recorded as texts, and what could not be counted as null."""
    if value is None:
        return Failed("it could not be counted then")
    return Decimal(value) if isinstance(value, str) else value


_STEP = re.compile(r'\.?([^\W\d]\w*)|\[(\d+)\]|\["(.*?)"\]')


def _paths(facts: Raw) -> dict[Steps, Raw]:
    """Return the recorded facts by the steps of their paths, the shorter ones first."""
    written: dict[str, Raw] = msgspec.json.decode(bytes(facts), type=dict[str, Raw] | None) or {}
    return dict(sorted(((_steps(path), value) for path, value in written.items()), key=lambda item: len(item[0])))


def _steps(path: str) -> Steps:
    return tuple(int(place) if place else name or key for name, place, key in _STEP.findall(path))


def _facts(recorded: Mapping[Steps, Raw], action: Action[Any, Any, Any], one: Judged) -> dict[str, Any]:
    """Return the facts as far as they were read then, with their types."""
    facts: dict[str, Any] = {}
    for (name, *steps), value in recorded.items():
        look_up = action.facts.get(str(name))
        if look_up is None:
            raise CannotTellError(f"the action {one.action!r} no longer has the fact {name!r}")
        _put(facts, (name, *steps), _failed(one, str(name), value) or restored(look_up, steps, bytes(value)))
    return facts


def _failed(one: Judged, name: str, value: Raw) -> Failed | None:
    """Return the failure that stands for a fact that could not be gathered then."""
    reasons = [reason for reason in one.decision.reasons if f"the fact {name} could not be gathered" in reason]
    return msgspec.json.decode(bytes(value), type=Failed) if reasons else None


def _put(facts: dict[str, Any], steps: Steps, value: Any) -> None:
    """Put a value where its path leads; what lies beside it was not read, and is not there."""
    place: Any = facts
    for step, following in pairwise(steps):
        if not isinstance(_at(place, step), (dict, list)):
            _set(place, step, [] if isinstance(following, int) else {})
        place = _at(place, step)
    _set(place, steps[-1], value)


def _at(place: Any, step: str | int) -> Any:
    if isinstance(step, int):
        return place[step] if step < len(place) else None
    return place.get(step)


def _set(place: Any, step: str | int, value: Any) -> None:
    if isinstance(step, int):
        place.extend([ABSENT] * (step + 1 - len(place)))
    place[step] = value


def _decide(one: Judged, case: Case, recorded: Mapping[Steps, Raw], policy: Policy) -> Decision:
    if bytes(one.origins) == b"null" and policy.reads_origins(one.action):
        raise CannotTellError("not recorded: where values came from")
    verdict = policy.judge(case)
    for label in verdict.counted.keys() - case.windows.keys() - {"now"}:
        raise CannotTellError(f"not recorded: {label}")
    for path in verdict.read:
        steps = _steps(path)
        if not any(steps[: len(known)] == known for known in recorded):
            raise CannotTellError(f"not recorded: fact {path!r}")
    decision = _decision(verdict)
    empty = [steps for steps, value in recorded.items() if bytes(value) == b"null"]
    for steps in empty:
        other = _without(case, steps)
        if not _same(_decision(policy.judge(other)), decision):
            path = ".".join(map(str, steps))
            raise CannotTellError(f"fact {path!r} was null or not there; the journal does not say which")
    return decision


def _weighed(one: Judged, decision: Decision, agent: Agent) -> Decision:
    """Return a policy's decision with what tracing said then: one strike needs an approval, two deny."""
    if not one.strikes or not decision.permitted:
        return decision
    if len(one.strikes) > 1:
        return Decision(permitted=False, reasons=one.strikes)
    labels = agent.labels if agent.labels is not None else Labels()
    need = one.asked or f"approval {labels.level}"
    return msgspec.structs.replace(decision, needs=(*[each for each in decision.needs if each != need], need))


def _without(case: Case, steps: Steps) -> Case:
    """Return the case with a fact absent that was recorded as null."""
    facts: dict[str, Any] = copy.deepcopy(dict(case.facts))
    _put(facts, steps, ABSENT)
    return msgspec.structs.replace(case, facts=facts)


def _reproduce(one: Judged, case: Case, policy: Policy, agent: Agent) -> None:
    again = _weighed(one, _decision(policy.judge(case)), agent)
    if not _same(again, one.decision):
        raise CannotTellError(f"what is recorded does not suffice: judged again by the policy of then, it is {again}")


def _same(one: Decision, other: Decision) -> bool:
    return (one.permitted, sorted(one.needs)) == (other.permitted, sorted(other.needs))


def _decision(verdict: Verdict) -> Decision:
    return Decision(
        verdict.permitted, tuple(str(need) for need in verdict.needs), () if verdict.permitted else verdict.reasons
    )


def _holds_code(policy: Policy, action: str) -> bool:
    """Whether rules about the action are Python code, which a policy read from a journal does not hold."""
    return any(isinstance(rule.clause.when, Opaque) for rule in policy.rules if rule.concerns(action))
