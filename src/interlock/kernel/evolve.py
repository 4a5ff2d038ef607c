"""`evolve(state, event)`: how each event changes what is true of a run. Pure: no I/O, clock or randomness.

It accepts any order of events without failing (a journal may hold what a later version wrote): an answer to a
question that is not open, or the outcome of a call that is not, changes nothing but the counters. What may
have happened out there is forgotten by nothing but its outcome: no denial, question or delay closes a sent
call.
"""

from collections.abc import Callable, Iterable
from typing import Any

from msgspec.structs import replace

from interlock.kernel import events as ev
from interlock.kernel.events import Event, Recorded
from interlock.kernel.state import Ask, Call, Loop, State, Undo, unsettled

_DECISIONS = {
    "approval": ("approve", "deny", "lapsed"),
    "confirmation": ("approve", "deny", "lapsed"),
    "unknown": ("happened", "never", "lapsed"),
    "question": ("answer", "lapsed"),
    "undo": ("again", "leave", "stop", "lapsed"),
}
"""The answers that each kind of question takes; another answer is none, and grants nothing."""


def evolve(state: State, seq: int, at: int, event: Event) -> State:
    """Return the state after *event*, which stands at *seq* and happened *at* this time (microseconds)."""
    # Time in a run never goes back, whatever the clock does.
    at = max(at, state.last_at)
    if state.sleeping and state.sleeping <= at:
        state = replace(state, sleeping=0)
    return _STEPS.get(type(event), _nothing)(state, seq, at, event)


def fold(state: State, recorded: Iterable[Recorded]) -> State:
    """Return the state after all of *recorded*, in their order."""
    for item in recorded:
        state = evolve(state, item.seq, item.at, item.event)
    return state


def _nothing(state: State, seq: int, at: int, event: Event) -> State:
    return replace(state, seq=seq, last_at=at)


# the run


def _started(state: State, seq: int, at: int, event: ev.RunStarted) -> State:
    return replace(
        state,
        seq=seq,
        last_at=at,
        agent=event.agent,
        tenant=event.tenant,
        conversation=event.conversation,
        user=bytes(event.user),
        driven=event.driven,
        parent="" if event.parent is None else event.parent[0],
        policy=event.policy,
        machine=event.machine,
        deadline=event.deadline,
    )


def _entered(state: State, seq: int, at: int, event: ev.Entered) -> State:
    return replace(state, seq=seq, last_at=at, place=event.state, entry=event.entry, code=event.code, sleeping=0)


def _turn(state: State, seq: int, at: int, event: ev.TurnRecorded) -> State:
    counts, loop = state.counts, state.loop
    counts = replace(
        counts,
        turns=counts.turns + (not event.is_reading),
        input_tokens=counts.input_tokens + event.input_tokens,
        output_tokens=counts.output_tokens + event.output_tokens,
    )
    # What is read in quarantine says nothing about the run's own model.
    if (loop.noted or loop.setbacks) and not event.is_reading:
        loop = replace(loop, noted=False, setbacks=0)
    return replace(state, seq=seq, last_at=at, counts=counts, loop=loop)


def _planned(state: State, seq: int, at: int, event: ev.Planned) -> State:
    counts = replace(
        state.counts,
        input_tokens=state.counts.input_tokens + event.input_tokens,
        output_tokens=state.counts.output_tokens + event.output_tokens,
    )
    return replace(state, seq=seq, last_at=at, counts=counts)


def _turn_failed(state: State, seq: int, at: int, event: ev.TurnFailed) -> State:
    return replace(state, seq=seq, last_at=at, loop=replace(state.loop, setbacks=state.loop.setbacks + 1))


def _slept(state: State, seq: int, at: int, event: ev.Slept) -> State:
    # Of several sleeps at once (`gather`) the longest counts: none may be slept through.
    return replace(state, seq=seq, last_at=at, sleeping=max(state.sleeping, event.until))


def _message(state: State, seq: int, at: int, event: ev.MessageReceived) -> State:
    return replace(state, seq=seq, last_at=at, spoke=seq, loop=_achieved(state.loop))


def _cancel_requested(state: State, seq: int, at: int, event: ev.CancelRequested) -> State:
    return replace(state, seq=seq, last_at=at, cancelling=True)


def _parked(state: State, seq: int, at: int, event: ev.Parked) -> State:
    return replace(state, seq=seq, last_at=at, parked=event.reason)


def _unparked(state: State, seq: int, at: int, event: ev.Unparked) -> State:
    return replace(state, seq=seq, last_at=at, parked="", loop=Loop(since=state.counts.turns))


def _ended(state: State, seq: int, at: int, event: ev.RunEnded) -> State:
    """What was not sent by now never will be; what was sent still comes to its outcome."""
    calls = {key: call for key, call in state.calls.items() if unsettled(call) or (call.undoes and state.undo)}
    return replace(state, seq=seq, last_at=at, calls=calls, ended=event.how, sleeping=0, parked="")


# judging: denied, asked, answered, delayed


def _denied(state: State, seq: int, at: int, event: ev.Denied) -> State:
    calls, counts = state.calls, state.counts
    earlier = calls.get(event.call)
    if earlier is not None and not unsettled(earlier):
        calls = _without(calls, event.call)
        state = _recalled(state, event.call)
    if event.stage in ("resolve", "validate"):
        loop = _faulty(state.loop)
    elif event.stage == "run":
        loop = _sound(state.loop)
    else:
        loop = _denied_once_more(_sound(state.loop), event)
    return replace(state, seq=seq, last_at=at, calls=calls, counts=replace(counts, denied=counts.denied + 1), loop=loop)


def _recalled(state: State, call: str) -> State:
    undo = state.undo
    if undo is None or call not in undo.recalls:
        return state
    return replace(state, undo=replace(undo, recalls=tuple(one for one in undo.recalls if one != call)))


def _faulty(loop: Loop) -> Loop:
    """Count a turn with a proposal that can't be judged, once."""
    return loop if loop.noted else replace(loop, faults=loop.faults + 1, noted=True)


MOST_KEPT = 32
"""How many different denials, and rules that they rested on, are kept in mind."""


def _denied_once_more(loop: Loop, event: ev.Denied) -> Loop:
    digest = short(event.digest)
    times = dict(loop.denied)
    times[digest] = times.pop(digest, 0) + 1
    against = tuple(dict.fromkeys((*loop.against, *event.judgement.rules)))
    denied = tuple(times.items())[-MOST_KEPT:]
    return replace(loop, denied=denied, stuck=loop.stuck + 1, against=against[:MOST_KEPT])


def short(digest: str) -> str:
    """Return as much of a digest as is kept to tell denials apart."""
    return digest[:16]


def _achieved(loop: Loop) -> Loop:
    """Forget what was denied: something has changed, so that it may be worth trying again."""
    return replace(loop, denied=(), stuck=0, against=()) if loop.stuck else loop


def _sound(loop: Loop) -> Loop:
    """Begin to count anew: a proposal could be judged."""
    return replace(loop, faults=0) if loop.faults else loop


def _asked(state: State, seq: int, at: int, event: ev.Asked) -> State:
    calls, counts = state.calls, state.counts
    earlier = calls.get(event.call)
    sent = earlier is not None and unsettled(earlier)
    if sent == (event.kind == "unknown"):
        calls = {**calls, event.call: _with_question(earlier, seq, event)}
    return replace(state, seq=seq, last_at=at, calls=calls, counts=replace(counts, asked=counts.asked + 1))


def _with_question(call: Call | None, seq: int, event: ev.Asked) -> Call:
    ask = Ask(
        seq=seq,
        kind=event.kind,
        level=event.level,
        digest=event.digest,
        policy=event.judgement.policy,
        facts_digest=event.facts_digest,
        expires=event.expires,
    )
    asks = (ask,)
    if call is not None and call.asks:
        # A question that takes another's place (the policy or the facts changed) makes the older one void.
        asks = (*(one for one in call.asks if (one.kind, one.level) != (ask.kind, ask.level)), ask)
    if call is not None and event.kind == "unknown":
        return replace(call, phase="unknown", asks=asks, until=0)
    return Call(
        key=event.call,
        action=event.action,
        phase="asked",
        at=seq,
        digest=event.digest,
        asks=asks,
        attempt=call.attempt if call is not None else 0,
        undoes=event.undoes,
        redacted=bool(event.redacted),
    )


def _answered(state: State, seq: int, at: int, event: ev.Answered) -> State:
    calls = state.calls
    for call in calls.values():
        for place, ask in enumerate(call.asks):
            if ask.seq == event.question and _fits(ask, event.decision):
                told = replace(ask, decision=event.decision, by=event.by, note=event.note, answered=seq)
                asks = (*call.asks[:place], told, *call.asks[place + 1 :])
                calls = {**calls, call.key: replace(call, asks=asks)}
                return replace(state, seq=seq, last_at=at, calls=calls, loop=_achieved(state.loop))
    return replace(state, seq=seq, last_at=at)


def _fits(ask: Ask, decision: str) -> bool:
    return not ask.decision and decision in _DECISIONS.get(ask.kind, ())


def _lapsed(state: State, seq: int, at: int, event: ev.Lapsed) -> State:
    return _answered(state, seq, at, ev.Answered(question=event.question, decision="lapsed", by=""))


def _delayed(state: State, seq: int, at: int, event: ev.Delayed) -> State:
    earlier = state.calls.get(event.call)
    if earlier is not None and unsettled(earlier):
        return replace(state, seq=seq, last_at=at)
    call = Call(
        key=event.call,
        action=event.action,
        phase="delayed",
        at=seq,
        digest=event.digest,
        until=event.until,
        window=event.until,
        asks=() if earlier is None else _kept(earlier),
        attempt=earlier.attempt if earlier is not None else 0,
        redacted=bool(event.redacted),
    )
    return replace(state, seq=seq, last_at=at, calls={**state.calls, event.call: call})


def _delegated(state: State, seq: int, at: int, event: ev.Delegated) -> State:
    earlier = state.calls.get(event.call)
    if earlier is not None and unsettled(earlier):
        return replace(state, seq=seq, last_at=at)
    call = Call(key=event.call, action=event.action, phase="delegated", at=seq, digest=event.digest, child=event.to)
    return replace(state, seq=seq, last_at=at, calls={**state.calls, event.call: call})


# performing: intended, retried, withheld, unknown, probed, done, failed


def _intended(state: State, seq: int, at: int, event: ev.Intended) -> State:
    earlier = state.calls.get(event.call)
    # The first five stand by position: more than fifteen keywords go through a dict, at thrice the time.
    call = Call(
        event.call,
        event.action,
        "intended",
        seq,
        event.digest,
        window=0 if earlier is None else earlier.window,
        # An approval is for one performance: it ends with the call, or serves again if the call proves never
        # to have happened.
        asks=() if earlier is None else _kept(earlier),
        attempt=event.attempt,
        effect=event.effect,
        idempotency_key=event.key,
        idempotent_until=event.idempotent_until,
        probe=event.probe,
        settle=event.settle,
        perform_before=event.perform_before,
        undoes=event.undoes,
        redacted=bool(event.redacted),
        proposer=event.proposer,
    )
    return replace(state, seq=seq, last_at=at, calls={**state.calls, event.call: call})


def _kept(call: Call) -> tuple[Ask, ...]:
    """Return the answers that go on with a call: no open questions, nothing said of an earlier sending."""
    return tuple(ask for ask in call.asks if ask.decision and ask.kind not in ("unknown", "undo"))


def _retried(state: State, seq: int, at: int, event: ev.Retried) -> State:
    call = _sent(state, event.call)
    if call is None:
        return replace(state, seq=seq, last_at=at)
    call = replace(
        call,
        phase="intended",
        attempt=event.attempt,
        perform_before=event.perform_before,
        until=0,
        resent=True,
    )
    return replace(state, seq=seq, last_at=at, calls={**state.calls, event.call: call})


def _withheld(state: State, seq: int, at: int, event: ev.Withheld) -> State:
    call = _sent(state, event.call)
    if call is not None and call.resent:
        # Only the last sending did not happen; nothing is known of the one before.
        unknown = replace(call, phase="unknown", until=0)
        return replace(state, seq=seq, last_at=at, calls={**state.calls, event.call: unknown})
    return _cleared(state, seq, at, call)


def _outcome_unknown(state: State, seq: int, at: int, event: ev.OutcomeUnknown) -> State:
    call = _sent(state, event.call)
    if call is None:
        return replace(state, seq=seq, last_at=at)
    call = replace(call, phase="unknown", until=event.again_at, lost_at=at)
    return replace(state, seq=seq, last_at=at, calls={**state.calls, event.call: call})


def _probed(state: State, seq: int, at: int, event: ev.Probed) -> State:
    call = _sent(state, event.call)
    if call is None or event.answer == "never":
        return _cleared(state, seq, at, call)
    call = replace(call, phase="unknown", until=event.again_at, probes=call.probes + 1)
    return replace(state, seq=seq, last_at=at, calls={**state.calls, event.call: call})


def _cleared(state: State, seq: int, at: int, call: Call | None) -> State:
    if call is None:
        return replace(state, seq=seq, last_at=at)
    call = replace(call, phase="clear", until=0, asks=_kept(call))
    return replace(state, seq=seq, last_at=at, calls={**state.calls, call.key: call})


def _sent(state: State, key: str) -> Call | None:
    call = state.calls.get(key)
    return call if call is not None and unsettled(call) else None


def _done(state: State, seq: int, at: int, event: ev.Done) -> State:
    counts, undo = state.counts, state.undo
    if undo is not None and event.undoes:
        undo = _on(undo, event.undoes)
    return replace(
        state,
        seq=seq,
        last_at=at,
        calls=_without(state.calls, event.call),
        counts=replace(counts, done=counts.done + 1),
        undo=undo,
        loop=_achieved(_sound(state.loop)) if event.intent else _sound(state.loop),
        verifying=(*state.verifying, (seq, event.call)) if event.verify else state.verifying,
    )


def _looked_at(state: State, seq: int, at: int, event: ev.Verified | ev.VerifyFailed) -> State:
    left = tuple(one for one in state.verifying if one[0] != event.outcome)
    return replace(state, seq=seq, last_at=at, verifying=left)


def _failed(state: State, seq: int, at: int, event: ev.Failed) -> State:
    counts, undo = state.counts, state.undo
    if undo is not None and event.undoes:
        undo = replace(_on(undo, event.undoes), failed=(*_other(undo.failed, event.undoes), event.undoes))
    return replace(
        state,
        seq=seq,
        last_at=at,
        calls=_without(state.calls, event.call),
        counts=replace(counts, failed=counts.failed + 1),
        undo=undo,
        loop=_sound(state.loop),
    )


# undo


def _undo_started(state: State, seq: int, at: int, event: ev.UndoStarted) -> State:
    undo = Undo(
        by=event.by,
        left=event.targets,
        recalls=tuple(key for key in event.recalls if key in state.calls and state.calls[key].phase == "delayed"),
        otherwise=event.otherwise,
        request=event.request,
        user=bytes(event.user),
        at=seq,
    )
    return replace(state, seq=seq, last_at=at, undo=undo)


def _not_undone(state: State, seq: int, at: int, event: ev.NotUndone) -> State:
    undo, calls = state.undo, state.calls
    call = calls.get(event.call)
    if undo is None:
        return replace(state, seq=seq, last_at=at, calls=_without(calls, event.call))
    if call is not None:
        calls = {**calls, event.call: replace(call, phase="clear", until=0, asks=())}
    undo = replace(undo, trouble=seq, tries=undo.tries + 1, until=event.again_at)
    return replace(state, seq=seq, last_at=at, calls=calls, undo=undo)


def _on(undo: Undo, target: int) -> Undo:
    """Return the undo without *target*, and without the trouble that there was with it."""
    return replace(undo, left=_other(undo.left, target), trouble=0, tries=0, until=0)


def _undo_ended(state: State, seq: int, at: int, event: ev.UndoEnded) -> State:
    calls = {key: call for key, call in state.calls.items() if not call.undoes or unsettled(call)}
    return replace(state, seq=seq, last_at=at, calls=calls, undo=None)


def _other(seqs: tuple[int, ...], target: int) -> tuple[int, ...]:
    return tuple(seq for seq in seqs if seq != target)


def _without(calls: dict[str, Call], key: str) -> dict[str, Call]:
    if key not in calls:
        return calls
    left = calls.copy()
    del left[key]
    return left


_STEPS: dict[type[Event], Callable[[State, int, int, Any], State]] = {
    ev.RunStarted: _started,
    ev.Entered: _entered,
    ev.TurnRecorded: _turn,
    ev.TurnFailed: _turn_failed,
    ev.Planned: _planned,
    ev.Denied: _denied,
    ev.Asked: _asked,
    ev.Answered: _answered,
    ev.Lapsed: _lapsed,
    ev.Delayed: _delayed,
    ev.Delegated: _delegated,
    ev.Intended: _intended,
    ev.Retried: _retried,
    ev.Withheld: _withheld,
    ev.OutcomeUnknown: _outcome_unknown,
    ev.Probed: _probed,
    ev.Done: _done,
    ev.Failed: _failed,
    ev.Verified: _looked_at,
    ev.VerifyFailed: _looked_at,
    ev.Slept: _slept,
    ev.MessageReceived: _message,
    ev.CancelRequested: _cancel_requested,
    ev.Parked: _parked,
    ev.Unparked: _unparked,
    ev.RunEnded: _ended,
    ev.UndoStarted: _undo_started,
    ev.NotUndone: _not_undone,
    ev.UndoEnded: _undo_ended,
}
