"""What becomes of an intent: sending it, and finding out when no answer came. Nothing is ever sent blindly twice."""

import logging
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from interlock.actions import probe
from interlock.actions.action import Action
from interlock.errors import DependenciesError
from interlock.kernel import decide
from interlock.kernel import events as ev
from interlock.kernel.state import Call, certain_from
from interlock.runtime import quarantine, suspecting, verifying
from interlock.runtime.flight import Flight
from interlock.runtime.live import LiveRun
from interlock.runtime.outcomes import Done, Failed, Outcome, Unknown
from interlock.runtime.quarantine import Reader
from interlock.runtime.records import idempotency_key, outcome_of, recordable, said, undo_key, writable
from interlock.runtime.sending import NeverStarted, Send

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
    action, args = what.action, what.args
    if not path.sender.made(live.agent):
        await path.sender.make(live.agent)
    ctx = path.sender.context(live, action, call, what.undoes)
    began = live.clock.now()
    if began > call.perform_before:
        await live.append(ev.Withheld(call=key))
        return None
    send = Send(what.function, (ctx, *what.given), args, action.timeout)
    if isinstance(action, Reader):
        quarantine.begin(live, key)
    path.sender.begin(call.idempotency_key)
    try:
        value = await path.sender.call(send, lambda: _abandon(path, live, call))
    except NeverStarted:
        await live.append(ev.Withheld(call=key))
        return None
    except action.refuses as error:
        return await _refused(live, call, writable(str(error)) or type(error).__name__)
    except Exception as error:  # noqa: BLE001 - the effect may have happened before whatever this is
        log.warning(UNKNOWN, live.id, call.action, said(error).partition("\n")[0])
        await _lost(live, call, said(error))
        return None
    finally:
        path.sender.end(call.idempotency_key)
    done = await _done(path, live, call, value, "performed", duration=live.clock.now() - began)
    if not _open(live, call):
        return None  # It was given up, and meanwhile its outcome became known in another way.
    seq = await live.append(done)
    problem = await verifying.verify(path, live, seq, value) if done.verify else ""
    return Done(None if done.problem else value, done.problem or problem)


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


async def _done(path: "ActionPath", live: LiveRun, call: Call, value: Any, via: str, *, duration: int = 0) -> ev.Done:
    result, problem = recordable(value)
    noted, trust = suspecting.Noted(), None
    action = live.agent.actions.get(call.action)
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
    )


async def _trust(live: LiveRun, action: Action[Any, Any, Any], call: Call) -> int | None:
    if not isinstance(action, Reader):
        return None
    intent = (await live.journal.event(live.id, call.at)).event
    assert isinstance(intent, ev.Intended)
    return quarantine.trust_of(action, intent.judgement)


async def _refused(live: LiveRun, call: Call, reason: str) -> Failed | None:
    if not _open(live, call):
        return None
    await live.append(
        ev.Failed(
            call=call.key,
            action=call.action,
            error=reason,
            intent=call.at,
            undoes=call.undoes,
            digest=call.digest,
            cleaned=suspecting.cleaned(live.agent),
        )
    )
    return Failed(reason)


async def _retry(path: "ActionPath", live: LiveRun, call: Call) -> Outcome | None:
    what = await look_up(path, live, call)
    if what is None:
        return None
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
    ctx = path.sender.context(live, what.action, call)
    assert what.action.probe_function is not None
    try:
        answer: probe.Answer[Any] = await path.sender.look(
            Send(what.action.probe_function, (ctx,), what.args, what.action.timeout)
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
    done = await _done(path, live, call, value, via)
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
        await live.append(ev.Probed(call=call.key, answer="never"))
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
        return await to_undo(live, call.action, call.undoes)
    action = live.agent.actions[call.action]
    intent = (await live.journal.event(live.id, call.at)).event
    assert isinstance(intent, ev.Intended)
    return What(action, action.function, (), _arguments(action, intent.args))


async def to_undo(live: LiveRun, name: str, outcome_seq: int) -> What:
    """Return the undo of the outcome at *outcome_seq*: its action's undo function, the result and the arguments."""
    action = live.agent.actions[name]
    outcome = (await live.journal.event(live.id, outcome_seq)).event
    assert isinstance(outcome, ev.Done)
    intent = (await live.journal.event(live.id, outcome.intent)).event
    assert isinstance(intent, ev.Intended)
    result = action.signature.result(bytes(outcome.result))
    key = idempotency_key(live.id, outcome.call)
    return What(action, action.undo_function, (result,), _arguments(action, intent.args), key)


async def taking_back(live: LiveRun, target: int) -> tuple[ev.Intended, What]:
    """Return the intent to undo the outcome at seq *target*, and what performs it."""
    outcome = (await live.journal.event(live.id, target)).event
    assert isinstance(outcome, ev.Done)
    what = await to_undo(live, outcome.action, target)
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
