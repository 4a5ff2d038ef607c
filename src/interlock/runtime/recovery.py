"""What becomes of an intent: sending it, and finding out when no answer came. Nothing is ever sent blindly twice."""

import logging
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from interlock.actions import probe, snapshot
from interlock.actions.action import Action, Refused
from interlock.actions.captured import Captured
from interlock.actions.context import Ctx
from interlock.actions.snapshot import Objects
from interlock.actions.way import Change, RolledBackError, Touched, UndoError
from interlock.canonical import canonical
from interlock.errors import CanonicalError, DependenciesError
from interlock.kernel import decide
from interlock.kernel import events as ev
from interlock.kernel.state import Call, certain_from
from interlock.runtime import quarantine, snapshots, suspecting, verifying
from interlock.runtime.flight import Flight
from interlock.runtime.live import LiveRun
from interlock.runtime.outcomes import Done, Failed, Outcome, Unknown
from interlock.runtime.quarantine import Reader
from interlock.runtime.records import idempotency_key, outcome_of, recordable, said, undo_key, writable
from interlock.runtime.sending import NeverStarted, Send
from interlock.runtime.snapshots import Kept

if TYPE_CHECKING:
    from interlock.runtime.path import ActionPath

log = logging.getLogger("interlock")

UNKNOWN = (
    "run %s: %s raised %s, so its outcome is unknown; it is looked for or sent again, or a person is asked "
    "(an exception that means that nothing happened is Refused, or stands in refuses=)"
)
"""What is logged of an exception that tells nothing; the command line says it in its own words."""

SEND_WINDOW = 5_000_000
"""How long after its intent sending may begin, in microseconds; after that the intent is withdrawn and judged again."""

FIRST_PAUSE = 200_000
"""How long to wait before sending again, or looking again, the first time; in microseconds."""

RESTORE_WINDOW = 24 * 3600 * 1_000_000
"""For how long the undo of a reversible action is run again when its outcome is not known, in microseconds."""

LATE = 60_000_000
"""How long after its time to send a look at an effect's objects still counts as what the effect left, in microseconds.

Later, others may have changed them: the undo then asks a person instead of restoring.
"""

MOST_TRIES = 3
"""How often an undo that was refused, or did not bring back what it should, is tried again before people are asked."""

LONGEST_PAUSE = 60_000_000
"""The longest such wait, in microseconds."""


class What(NamedTuple):
    """An open call's action, and the function that performs it: its own, or its undo with the result to undo."""

    action: Action[Any, Any, Any]
    function: Any
    given: tuple[Any, ...]
    args: Mapping[str, Any]
    undoes: str = ""
    """The idempotency key of the effect that is taken back, if one is."""
    kept: Kept | None = None
    """The objects that it restores, where the action has a snapshot."""

    @property
    def look(self) -> Any:
        """The function that tells what became of it, if there is one."""
        return self.action.undo_probe_function if self.undoes else self.action.probe_function


async def settle(path: "ActionPath", live: LiveRun, key: str, patience: int) -> Outcome | None:
    """Find out what became of a sent call, for up to *patience* microseconds.

    Returns:
        Its outcome, `Unknown` where that is still open, or None where it did not happen and may be judged afresh.
    """
    give_up = live.clock.now() + patience
    while True:
        call = live.state.calls.get(key)
        if call is None:
            return await _closed(path, live, key)
        if call.phase == "clear":
            return None
        now = live.clock.now()
        steps = decide.about(call, now, proposed=True)
        if steps:
            outcome = await take(path, live, steps[0])
            if outcome is not None:
                return outcome
        elif call.until > give_up or not call.until:
            return await _unknown(live, call)
        else:
            await live.clock.sleep((call.until - now) / 1_000_000)


async def take(path: "ActionPath", live: LiveRun, step: decide.Step) -> Outcome | None:
    """Do one step about a call; return its outcome if that closed it or left it to people."""
    match step:
        case decide.Retry(call):
            return await _retry(path, live, call)
        case decide.Probe(call):
            return await _probe(path, live, call)
        case decide.AskWhatHappened(call):
            return await _ask(live, call)
        case decide.Settle(call, ask):
            return await _told(path, live, call, ask.seq, ask.decision)
        case decide.Lapse(_, ask):
            await live.append(ev.Lapsed(question=ask.seq))
        case _:
            raise AssertionError(step)
    return None


async def perform(path: "ActionPath", live: LiveRun, key: str, what: What) -> Outcome | None:
    """Send a durable intent and record what came of it; None where that is not known or it was not sent."""
    call = live.state.calls[key]
    action = what.action
    if not path.sender.made(live.agent):
        await path.sender.make(live.agent)
    ctx = path.sender.context(live, action, call, undoes=what.undoes)
    began = live.clock.now()
    if began > call.perform_before:
        await live.append(ev.Withheld(call=key))
        return None
    if isinstance(action, Reader):
        quarantine.begin(live, key)
    path.sender.begin(call.idempotency_key)
    restored: Objects | None = None
    try:
        if what.kept is None:
            value = await _called(path, live, call, what, ctx)
        else:
            value, restored = await _restored(path, live, call, what, ctx, what.kept)
    except Exception as error:  # noqa: BLE001 - whatever it is, it is looked at
        return await _raised(live, call, action, error)
    finally:
        path.sender.end(call.idempotency_key)
    value, touched = _uncaptured(value)
    took = live.clock.now() - began
    done = await _done(path, live, call, value, "performed", touched, duration=took, restored=restored)
    if not _open(live, call):
        return None  # It was given up, and meanwhile its outcome became known in another way.
    seq = await live.append(done)
    problem = await verifying.verify(path, live, seq, value) if done.verify else ""
    return Done(None if done.problem else value, done.problem or problem)


async def _called(path: "ActionPath", live: LiveRun, call: Call, what: What, ctx: Ctx[Any]) -> Any:
    send = Send(what.function, (ctx, *what.given), what.args, what.action.timeout)
    return await path.sender.call(send, lambda: _abandon(path, live, call))


async def _raised(live: LiveRun, call: Call, action: Action[Any, Any, Any], error: Exception) -> Failed | None:
    """Record what an exception says of a call: it was not begun, it did not happen, or nobody knows."""
    if isinstance(error, NeverStarted):
        await live.append(ev.Withheld(call=call.key))
        return None
    if isinstance(error, UndoError) and call.undoes:
        return await _not_undone(live, call, error.kind, writable(str(error)), error.changes)
    if isinstance(error, RolledBackError):
        return await _refused(live, call, _reason(action, error.__cause__ or error))
    if isinstance(error, action.refuses):
        return await _refused(live, call, _reason(action, error))
    # The effect may have happened before whatever this is.
    log.warning(UNKNOWN, live.id, call.action, said(error).partition("\n")[0])
    await _lost(live, call, said(error))
    return None


async def _restored(  # noqa: PLR0917 - as it is called
    path: "ActionPath", live: LiveRun, call: Call, what: What, ctx: Ctx[Any], kept: Kept
) -> tuple[Any, Objects]:
    """Run an undo between two looks at the objects that it restores; there is no need to where all are back already."""
    try:
        now = await kept.now(path.sender, ctx)
    except Exception as error:
        raise Refused(f"how things stand can't be read, so nothing was written: {said(error)}") from error
    left: snapshot.Left = ()
    if snapshot.trampled(kept.before, kept.after, now):  # A version may be one that the undo of a later effect left.
        left = await snapshots.left_by_undos(live.journal, (await live.journal.event(live.id, call.undoes)).position)
    kept.check(now, left)
    wanted = snapshot.wanted(kept.before, kept.after, now)
    value = None
    if not snapshot.is_as(now, wanted):
        ctx.before, ctx.now = wanted.given(), now.given()
        value = await _called(path, live, call, what, ctx)
    return value, await kept.confirm(path.sender, ctx, wanted)


def _reason(action: Action[Any, Any, Any], error: BaseException) -> str:
    if isinstance(error, action.refuses):
        return writable(str(error)) or type(error).__name__
    return said(error)


def _open(live: LiveRun, sent: Call) -> bool:
    """Whether the outcome of this very sending is still wanted."""
    call = live.state.calls.get(sent.key)
    return call is not None and call.attempt == sent.attempt and decide.unsettled(call)


async def _lost(live: LiveRun, call: Call, reason: str) -> None:
    """Record that nobody here is sending the call any more and that no answer came."""
    if not _open(live, call):
        return
    again = live.clock.now() + _pause(call.attempt)
    await live.append(ev.OutcomeUnknown(call=call.key, reason=reason, again_at=again))


def _abandon(path: "ActionPath", live: LiveRun, call: Call) -> None:
    """Go on without an action that neither returns nor can be stopped: its outcome is unknown.

    It is still at it, so that no `never` counts before it has ended; should it return, its outcome is recorded if
    nobody has found it by then.
    """
    stuck = live.flights.get(call.key)
    if stuck is None:
        return

    async def go_on() -> Outcome | None:
        await _lost(live, call, "no answer in time, and it can't be stopped")
        return await settle(path, live, call.key, path.options.patience)

    path.sender.leave(stuck)
    # The new flight takes the old one's place; those who wait for the old one hear of the new one's outcome.
    Flight.instead_of(stuck, go_on())


def _uncaptured(value: Any) -> tuple[Any, Touched]:
    """Return what an action returned, and what it touched where its way has captured that."""
    return (value.value, value.touched) if isinstance(value, Captured) else (value, Touched())


async def _done(  # noqa: PLR0917 - all of it is known where it is called
    path: "ActionPath",
    live: LiveRun,
    call: Call,
    value: Any,
    via: str,
    touched: Touched,
    *,
    duration: int = 0,
    restored: Objects | None = None,
) -> ev.Done:
    result, problem = recordable(value)
    noted, trust = suspecting.Noted(), None
    action = live.agent.actions.get(call.action)
    after = ev.NOTHING if restored is None else snapshot.recorded(restored)
    if action is not None and action.snapshot_function is not None and not call.undoes:
        after, touched = await _looked_after(path, live, call, action, value)
    if action is not None and not call.undoes:
        noted = await suspecting.noted(path.sender, live.agent, call.action, result)
        trust = await _trust(live, action, call)
    return ev.Done(
        call=call.key,
        action=call.action,
        effect=call.effect,
        result=result,
        problem=problem,
        via=via,
        intent=call.at,
        undoes=call.undoes,
        duration=duration,
        digest=call.digest,
        verify=action is not None and action.verify_function is not None and not call.undoes,
        trust=trust,
        suspected=noted.suspected,
        cleaned=noted.cleaned,
        wrote=touched.wrote,
        read=touched.read,
        after=after,
    )


async def _looked_after(
    path: "ActionPath", live: LiveRun, call: Call, action: Action[Any, Any, Any], value: Any
) -> tuple[msgspec.Raw, Touched]:
    """Return an effect's objects as it left them, and which of them it changed."""
    intent = (await live.journal.event(live.id, call.at)).event
    assert isinstance(intent, ev.Intended)
    before = snapshot.of(intent.before)
    assert before is not None
    late = live.clock.now() > intent.perform_before + LATE
    after = None if late else await snapshots.after(path.sender, live, action, intent, value)
    wrote = tuple(one.object for one in snapshot.changes(before, after, after or before))
    return ev.NOTHING if after is None else snapshot.recorded(after), Touched(wrote=wrote)


async def _trust(live: LiveRun, action: Action[Any, Any, Any], call: Call) -> int | None:
    if not isinstance(action, Reader):
        return None
    intent = (await live.journal.event(live.id, call.at)).event
    assert isinstance(intent, ev.Intended)
    return quarantine.trust_of(action, intent.judgement)


async def _not_undone(
    live: LiveRun, call: Call, kind: str, reason: str, changes: tuple[Change, ...] = ()
) -> Failed | None:
    """Record that an effect was not taken back, and why; what may go better another time is tried again by itself."""
    if not _open(live, call):
        return None
    undo = live.state.undo
    tries = undo.tries if undo is not None else MOST_TRIES
    again = kind in ("refused", "wrong") and tries < MOST_TRIES
    await live.append(
        *(() if undo is not None else (ev.Parked(reason=f"{call.action}: taking it back did not work: {reason}"),)),
        ev.NotUndone(
            call=call.key,
            action=call.action,
            target=call.undoes,
            kind=kind,
            reason=reason,
            changes=_written(changes),
            again_at=live.clock.now() + _pause(tries + 1) if again else 0,
        ),
    )
    return Failed(reason)


def _written(changes: tuple[Change, ...]) -> msgspec.Raw:
    """Return changes as the journal keeps them; of what has no JSON form, only the name."""
    if not changes:
        return ev.NOTHING
    try:
        return msgspec.Raw(canonical(changes))
    except CanonicalError:
        return msgspec.Raw(canonical([Change(one.object) for one in changes]))


async def _refused(live: LiveRun, call: Call, reason: str) -> Failed | None:
    if call.undoes:
        return await _not_undone(live, call, "refused", reason)
    if not _open(live, call):
        return None
    await live.append(
        ev.Failed(
            call=call.key,
            action=call.action,
            error=reason,
            intent=call.at,
            digest=call.digest,
            cleaned=suspecting.cleaned(live.agent),
        )
    )
    return Failed(reason)


async def _retry(path: "ActionPath", live: LiveRun, call: Call) -> Outcome | None:
    what = await look_up(path, live, call)
    if what is None:
        return None
    if call.undoes and path.sender.is_sending(call.idempotency_key):
        return await _ask(live, call)  # Should it end after all, it must not write over what came after a second one.
    before = live.clock.now() + SEND_WINDOW
    await live.append(ev.Retried(call=call.key, attempt=call.attempt + 1, perform_before=before))
    return await perform(path, live, call.key, what)


async def _probe(path: "ActionPath", live: LiveRun, call: Call) -> Outcome | None:
    what = await look_up(path, live, call)
    if what is None:
        return None
    if call.phase == "intended":
        await _lost(live, call, "the process that sent it ended before an answer came")
        call = live.state.calls[call.key]
    looked = live.clock.now()
    ctx = path.sender.context(live, what.action, call, undoes=what.undoes)
    try:
        answer: probe.Answer[Any] = await path.sender.look(
            Send(what.look, (ctx, *what.given), what.args, what.action.timeout)
        )
    except Exception as error:  # noqa: BLE001 - a look that fails tells nothing
        log.warning("run %s: the probe of %s raised %s; it tells nothing", live.id, call.action, said(error))
        answer = probe.not_yet_known
    if isinstance(answer, probe.Happened):
        return await _found(path, live, call, answer.result, "probe")
    if isinstance(answer, probe.TurnedDown):
        return await _refused(live, call, answer.reason)
    if not _open(live, call):
        return None
    certain = certain_from(call)
    still_at_it = path.sender.is_sending(call.idempotency_key)
    if isinstance(answer, probe.Never) and looked > certain and not still_at_it:
        await live.append(ev.Probed(call=call.key, answer="never"))
        return None
    # Looks grow rarer with the time since sending, but one is due as soon as "never" begins to count.
    pause = min(max(FIRST_PAUSE, (looked - call.perform_before) // 2), LONGEST_PAUSE)
    again = looked + pause
    if looked <= certain < again:
        again = certain + 1
    await live.append(ev.Probed(call=call.key, answer="not_yet_known", again_at=again))
    return None


async def _found(path: "ActionPath", live: LiveRun, call: Call, value: Any, via: str) -> Done | None:
    value, touched = _uncaptured(value)
    action = live.agent.actions.get(call.action)
    raw, problem = recordable(value)
    if action is not None and not call.undoes and not problem:
        value = action.signature.result(bytes(raw))  # A probe tells it in plain data.
    done = await _done(path, live, call, value, via, touched)
    if not _open(live, call):
        return None
    seq = await live.append(done)
    problem = await verifying.verify(path, live, seq, value) if done.verify else ""
    return Done(None if done.problem else value, done.problem or problem)


async def _ask(live: LiveRun, call: Call) -> Unknown:
    told = await live.journal.event(live.id, call.at)
    args = getattr(told.event, "args", ev.NOTHING)
    taking_back = f" while taking back event {call.undoes}" if call.undoes else ""
    unknowns = await live.journal.history(live.id, call.at, (ev.OutcomeUnknown,))
    heard = [
        one.event.reason for one in unknowns if isinstance(one.event, ev.OutcomeUnknown) and one.event.call == call.key
    ]
    last = f" The last that was heard of it: {heard[-1]}" if heard else ""
    await live.append(
        ev.Asked(
            call=call.key,
            action=call.action,
            kind="unknown",
            says=f"{call.action} was sent{taking_back} and no answer tells whether it happened. Did it?{last}",
            args=args,
            digest=call.digest,
            expires=0,
        )
    )
    return await _unknown(live, live.state.calls[call.key])


async def _told(path: "ActionPath", live: LiveRun, call: Call, question_seq: int, decision: str) -> Outcome | None:
    if decision == "never":
        stays = f"{call.action}: what was to be taken back, event {call.undoes}, was not"
        parked = (ev.Parked(reason=stays),) if call.undoes and live.state.undo is None else ()
        await live.append(ev.Probed(call=call.key, answer="never"), *parked)
        return None
    answers = await live.journal.history(live.id, question_seq, (ev.Answered,))
    result = next(
        (
            one.event.result
            for one in answers
            if isinstance(one.event, ev.Answered) and one.event.question == question_seq
        ),
        ev.NOTHING,
    )
    return await _found(path, live, call, msgspec.json.decode(bytes(result)), "person")


async def look_up(path: "ActionPath", live: LiveRun, call: Call) -> What | None:
    """Return what an open call performs, from the journal; None (and a later look) where it can't be had now."""
    try:
        await path.sender.make(live.agent)
    except DependenciesError as error:
        again = live.clock.now() + LONGEST_PAUSE // 4
        await live.append(ev.OutcomeUnknown(call=call.key, reason=str(error), again_at=again))
        return None
    if call.undoes:
        return await _to_undo(live, await outcome_at(live, call.undoes))
    action = live.agent.actions[call.action]
    intent = (await live.journal.event(live.id, call.at)).event
    assert isinstance(intent, ev.Intended)
    return What(action, action.performs, (), _arguments(action, intent.args))


async def outcome_at(live: LiveRun, seq: int) -> ev.Done:
    """Return the outcome at a seq of the run."""
    outcome = (await live.journal.event(live.id, seq)).event
    assert isinstance(outcome, ev.Done)
    return outcome


async def _to_undo(live: LiveRun, outcome: ev.Done) -> What:
    """Return the undo of an outcome: its action's undo function, the result and the arguments."""
    action = live.agent.actions[outcome.action]
    intent = (await live.journal.event(live.id, outcome.intent)).event
    assert isinstance(intent, ev.Intended)
    result = action.signature.result(bytes(outcome.result))
    key = idempotency_key(live.id, outcome.call)
    args = _arguments(action, intent.args)
    before = snapshot.of(intent.before)
    kept = None if before is None else Kept(action, result, args, (before, snapshot.of(outcome.after)))
    return What(action, action.undo_function, (result,), args, key, kept)


async def taking_back(live: LiveRun, target: int, outcome: ev.Done) -> tuple[ev.Intended, What]:
    """Return the intent to undo the *outcome* at seq *target*, and what performs it."""
    what = await _to_undo(live, outcome)
    now, key = live.clock.now(), undo_key(target)
    window = RESTORE_WINDOW if outcome.effect == "reversible" else what.action.idempotent
    before = live.state.calls.get(key)
    intent = ev.Intended(
        call=key,
        action=outcome.action,
        effect=outcome.effect,
        key=idempotency_key(live.id, key),
        perform_before=now + SEND_WINDOW,
        attempt=before.attempt + 1 if before is not None else 1,
        # Restoring a state twice gives the same state; a counter-action is sent again only under its key.
        idempotent_until=now + window if window else 0,
        probe=what.look is not None,
        settle=what.action.settle,
        undoes=target,
    )
    return intent, what


def _arguments(action: Action[Any, Any, Any], recorded: msgspec.Raw) -> Mapping[str, Any]:
    return action.signature.arguments(msgspec.json.decode(bytes(recorded)))


async def _closed(path: "ActionPath", live: LiveRun, key: str) -> Outcome | None:
    await live.append()  # What closed the call may be on its way to the disk: this waits until it is there.
    found = await live.journal.find(live.id, key)
    if found is None or not isinstance(found.event, (ev.Done, ev.Failed, ev.Denied)):
        return None
    return outcome_of(found.event, live.agent.actions.get(found.event.action))


async def _unknown(live: LiveRun, call: Call) -> Unknown:
    await live.sync_row(landing=call.key)
    asks = [ask for ask in call.asks if ask.kind == "unknown" and not ask.decision]
    questions = tuple([await live.mail.question(live.id, ask.seq) for ask in asks])
    return Unknown(f"{call.action} was sent and its outcome is not known yet", call.until, questions)


def _pause(attempt: int) -> int:
    return min(FIRST_PAUSE * 2 ** min(attempt - 1, 20), LONGEST_PAUSE)
