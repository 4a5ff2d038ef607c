"""`evolve(state, event)`: how each event changes what is true of a run. Pure: no I/O, no clock, no randomness.

It accepts any order of events without failing (a journal may hold what a later version wrote): an answer to a question
that is not open, or the outcome of a call that is not, changes nothing but the counters.
"""

from collections.abc import Callable
from typing import Any

from msgspec.structs import replace

from interlock.kernel import events as ev
from interlock.kernel.events import Event, Recorded
from interlock.kernel.state import Ask, Call, Counts, State, Undo


def evolve(state: State, seq: int, at: int, event: Event) -> State:
    """Return the state after *event*, which stands at *seq* and happened at *at* (microseconds since the epoch)."""
    step = _STEPS.get(type(event))
    if step is None:
        return replace(state, seq=seq, last_at=max(at, state.last_at))
    return replace(state, seq=seq, last_at=max(at, state.last_at), **step(state, seq, event))


def fold(state: State, recorded: list[Recorded]) -> State:
    """Return the state after all of *recorded*, in their order."""
    for item in recorded:
        state = evolve(state, item.seq, item.at, item.event)
    return state


def _started(state: State, seq: int, event: ev.RunStarted) -> dict[str, Any]:
    return {
        "agent": event.agent,
        "tenant": event.tenant,
        "conversation": event.conversation,
        "user": bytes(event.user),
        "driven": event.driven,
        "policy": event.policy,
        "machine": event.machine,
        "deadline": event.deadline,
    }


def _entered(state: State, seq: int, event: ev.Entered) -> dict[str, Any]:
    return {"place": event.state, "entry": event.entry, "code": event.code, "sleeping": 0}


def _turn(state: State, seq: int, event: ev.TurnRecorded) -> dict[str, Any]:
    return {
        "counts": _plus(
            state.counts, turns=1, input_tokens=event.input_tokens, output_tokens=event.output_tokens
        )
    }


def _denied(state: State, seq: int, event: ev.Denied) -> dict[str, Any]:
    return {"calls": _without(state, event.call), "counts": _plus(state.counts, denied=1)}


def _asked(state: State, seq: int, event: ev.Asked) -> dict[str, Any]:
    ask = Ask(
        seq=seq,
        kind=event.kind,
        level=event.level,
        digest=event.digest,
        policy=event.judgement.policy,
        facts_digest=event.facts_digest,
        expires=event.expires,
    )
    call = state.calls.get(event.call)
    if event.kind == "unknown" and call is not None:
        changed = replace(call, asks=(*call.asks, ask), until=0)
    else:
        earlier = call.asks if call is not None else ()
        changed = Call(
            key=event.call,
            action=event.action,
            phase="asked",
            at=seq,
            digest=event.digest,
            # A question that takes another's place (the policy or the facts changed) makes the older one void.
            asks=(*(one for one in earlier if (one.kind, one.level) != (ask.kind, ask.level)), ask),
            attempt=call.attempt if call is not None else 0,
            redacted=bool(event.redacted),
        )
    return {"calls": _with(state, changed), "counts": _plus(state.counts, asked=1)}


def _answered(state: State, seq: int, event: ev.Answered) -> dict[str, Any]:
    return _decided(state, event.question, event.decision, event.by, event.note)


def _lapsed(state: State, seq: int, event: ev.Lapsed) -> dict[str, Any]:
    return _decided(state, event.question, "lapsed", "", "")


def _decided(state: State, question: int, decision: str, by: str, note: str) -> dict[str, Any]:
    for call in state.calls.values():
        for ask in call.asks:
            if ask.seq == question and not ask.decision:
                asks = tuple(
                    replace(one, decision=decision, by=by, note=note) if one is ask else one for one in call.asks
                )
                return {"calls": _with(state, replace(call, asks=asks))}
    return {}


def _delayed(state: State, seq: int, event: ev.Delayed) -> dict[str, Any]:
    call = state.calls.get(event.call)
    return {
        "calls": _with(
            state,
            Call(
                key=event.call,
                action=event.action,
                phase="delayed",
                at=seq,
                digest=event.digest,
                until=event.until,
                window=event.until,
                asks=call.asks if call is not None else (),
                attempt=call.attempt if call is not None else 0,
                redacted=bool(event.redacted),
            ),
        )
    }


def _intended(state: State, seq: int, event: ev.Intended) -> dict[str, Any]:
    earlier = state.calls.get(event.call)
    call = Call(
        key=event.call,
        action=event.action,
        phase="intended",
        at=seq,
        digest=event.digest,
        # An approval is for one performance: it ends with the call, or serves again if the call proves never to have happened.
        asks=earlier.asks if earlier is not None else (),
        attempt=event.attempt,
        effect=event.effect,
        idempotency_key=event.key,
        idempotent_until=event.idempotent_until,
        probe=event.probe,
        settle=event.settle,
        perform_before=event.perform_before,
        window=earlier.window if earlier is not None else 0,
        undoes=event.undoes,
        redacted=bool(event.redacted),
    )
    return {"calls": _with(state, call)}


def _retried(state: State, seq: int, event: ev.Retried) -> dict[str, Any]:
    call = state.calls.get(event.call)
    if call is None:
        return {}
    changed = replace(
        call, phase="intended", attempt=event.attempt, perform_before=event.perform_before, until=0
    )
    return {"calls": _with(state, changed)}


def _withheld(state: State, seq: int, event: ev.Withheld) -> dict[str, Any]:
    return _cleared(state, event.call)


def _outcome_unknown(state: State, seq: int, event: ev.OutcomeUnknown) -> dict[str, Any]:
    call = state.calls.get(event.call)
    if call is None:
        return {}
    return {"calls": _with(state, replace(call, phase="unknown", until=event.again_at))}


def _probed(state: State, seq: int, event: ev.Probed) -> dict[str, Any]:
    if event.answer == "never":
        return _cleared(state, event.call)
    call = state.calls.get(event.call)
    if call is None:
        return {}
    return {"calls": _with(state, replace(call, phase="unknown", until=event.again_at, probes=call.probes + 1))}


def _cleared(state: State, key: str) -> dict[str, Any]:
    call = state.calls.get(key)
    if call is None:
        return {}
    return {"calls": _with(state, replace(call, phase="clear", until=0))}


def _done(state: State, seq: int, event: ev.Done) -> dict[str, Any]:
    changed: dict[str, Any] = {"calls": _without(state, event.call), "counts": _plus(state.counts, done=1)}
    if event.undoes:
        changed["undo"] = _past(state.undo, event.undoes, failed=False)
    return changed


def _failed(state: State, seq: int, event: ev.Failed) -> dict[str, Any]:
    changed: dict[str, Any] = {"calls": _without(state, event.call), "counts": _plus(state.counts, failed=1)}
    if event.undoes:
        changed["undo"] = _past(state.undo, event.undoes, failed=True)
    return changed


def _slept(state: State, seq: int, event: ev.Slept) -> dict[str, Any]:
    return {"sleeping": event.until}


def _cancel_requested(state: State, seq: int, event: ev.CancelRequested) -> dict[str, Any]:
    return {"cancelling": True}


def _parked(state: State, seq: int, event: ev.Parked) -> dict[str, Any]:
    return {"parked": event.reason}


def _unparked(state: State, seq: int, event: ev.Unparked) -> dict[str, Any]:
    return {"parked": ""}


def _ended(state: State, seq: int, event: ev.RunEnded) -> dict[str, Any]:
    return {"ended": event.how, "sleeping": 0}


def _undo_started(state: State, seq: int, event: ev.UndoStarted) -> dict[str, Any]:
    return {"undo": Undo(by=event.by, left=event.targets)}


def _undo_ended(state: State, seq: int, event: ev.UndoEnded) -> dict[str, Any]:
    return {"undo": None}


def _past(undo: Undo | None, target: int, *, failed: bool) -> Undo | None:
    if undo is None:
        return None
    left = tuple(seq for seq in undo.left if seq != target)
    return Undo(by=undo.by, left=left, failed=(*undo.failed, target) if failed else undo.failed)


def _with(state: State, call: Call) -> dict[str, Call]:
    return {**state.calls, call.key: call}


def _without(state: State, key: str) -> dict[str, Call]:
    if key not in state.calls:
        return state.calls
    return {name: call for name, call in state.calls.items() if name != key}


def _plus(counts: Counts, **more: int) -> Counts:
    return replace(counts, **{name: getattr(counts, name) + by for name, by in more.items()})


_STEPS: dict[type[Event], Callable[[State, int, Any], dict[str, Any]]] = {
    ev.RunStarted: _started,
    ev.Entered: _entered,
    ev.TurnRecorded: _turn,
    ev.Denied: _denied,
    ev.Asked: _asked,
    ev.Answered: _answered,
    ev.Lapsed: _lapsed,
    ev.Delayed: _delayed,
    ev.Intended: _intended,
    ev.Retried: _retried,
    ev.Withheld: _withheld,
    ev.OutcomeUnknown: _outcome_unknown,
    ev.Probed: _probed,
    ev.Done: _done,
    ev.Failed: _failed,
    ev.Slept: _slept,
    ev.CancelRequested: _cancel_requested,
    ev.Parked: _parked,
    ev.Unparked: _unparked,
    ev.RunEnded: _ended,
    ev.UndoStarted: _undo_started,
    ev.UndoEnded: _undo_ended,
}
