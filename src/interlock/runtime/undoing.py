"""An undo under way: one step of what the kernel decides about it. Each effect goes the path of one, the other way."""

from typing import TYPE_CHECKING, Any

import msgspec

from interlock.actions.action import Action
from interlock.canonical import canonical, digest
from interlock.guardian import Case, Need, Verdict
from interlock.guardian import Failed as FailedFact
from interlock.guardian.undoing import about
from interlock.kernel import decide
from interlock.kernel import events as ev
from interlock.kernel.state import Call, Undo
from interlock.runtime import recovery
from interlock.runtime.flight import Flight
from interlock.runtime.judging import FACT_TIMEOUT, judgement_of
from interlock.runtime.live import LiveRun
from interlock.runtime.reading_back import read_back
from interlock.runtime.records import said, undo_key
from interlock.runtime.recovery import What
from interlock.runtime.sending import Send
from interlock.undo.plan import why_not

if TYPE_CHECKING:
    from interlock.runtime.path import ActionPath


async def take(path: "ActionPath", live: LiveRun, step: decide.OfUndo) -> None:
    """Do one step of the run's undo."""
    undo = live.state.undo
    assert undo is not None
    match step:
        case decide.TakeBack(target):
            await _take_back(path, live, undo, target)
        case decide.Recall(key):
            await _recall(live, undo, key)
        case decide.AskAboutUndo(target, trouble):
            await _ask(path, live, undo, target, trouble)
        case decide.Leave(target, trouble):
            told = await _trouble(live, trouble)
            await live.append(ev.Failed(call=told.call, action=told.action, error=told.reason, undoes=target))
        case decide.FinishUndo():
            await _finish(live, undo)


async def _take_back(path: "ActionPath", live: LiveRun, undo: Undo, target: int) -> None:
    done = await recovery.outcome_at(live, target)
    sent = (await live.journal.event(live.id, done.intent)).event
    assert isinstance(sent, ev.Intended)
    if why := why_not(done, sent, live.agent.actions.get(done.action)):
        await _trouble_with(live, target, done.action, "lost", why)
        return
    await path.sender.make(live.agent)
    intent, what = await recovery.taking_back(live, target, done)
    if intent.attempt > decide.MAX_ATTEMPTS:
        tried = f"it was tried {decide.MAX_ATTEMPTS} times and withdrawn each time"
        await _trouble_with(live, target, done.action, "lost", tried)
        return
    judgement = await _judged(path, live, undo, intent, what)
    if judgement is None:
        return
    intent = msgspec.structs.replace(intent, judgement=judgement)
    await live.append(intent)
    await Flight(live.flights, intent.call, recovery.perform(path, live, intent.call, what)).join()


async def _recall(live: LiveRun, undo: Undo, key: str) -> None:
    call = live.state.calls[key]
    reason = f"it waited for its delay, and {undo.by} recalled it"
    await live.append(ev.Denied(call=key, action=call.action, stage="run", reasons=(reason,), digest=call.digest))


async def _finish(live: LiveRun, undo: Undo) -> None:
    """End the undo; where it goes on in another run, that is handed on first, so that a crash can't lose it."""
    stopped = bool(undo.left)
    if undo.request and not stopped:
        started = await live.journal.history(live.id, 0, (ev.UndoStarted,))
        await _hand_on(live, next(one.event for one in reversed(started) if isinstance(one.event, ev.UndoStarted)))
    await live.append(ev.UndoEnded(failed=undo.failed + undo.left, request=undo.request, stopped=stopped))


async def _hand_on(live: LiveRun, started: ev.UndoStarted) -> None:
    if started.then:
        following = started.then[0]
        request = next_request(started.request)
        told = msgspec.structs.replace(
            started,
            targets=following.targets,
            recalls=following.recalls,
            then=started.then[1:],
            request=request,
        )
        await live.mail.post(following.run, "undo", told, request)


def next_request(request: str) -> str:
    """Return what the part of an undo after the one of this name is called."""
    name, _, number = request.rpartition("/")
    return f"{name}/{int(number) + 1}"


async def _trouble_with(live: LiveRun, target: int, action: str, kind: str, reason: str) -> None:
    await live.append(ev.NotUndone(call=undo_key(target), action=action, target=target, kind=kind, reason=reason))


# who may: judged before every intent


async def _judged(
    path: "ActionPath", live: LiveRun, undo: Undo, intent: ev.Intended, what: What
) -> ev.Judgement | None:
    """Return what permits the undo of one effect; None where nothing does, or people are asked first."""
    action = what.action
    authority = live.agent.authority(action.name)
    if authority.is_silent:
        return ev.Judgement(policy=live.agent.policy.hash, rules=("undo",))
    facts = await _facts(path, live, action, what, authority.facts)
    plain = canonical(what.args)
    who = (_who(undo), live.agent.name, live.state.tenant)
    verdict = authority.judge(Case(action.name, what.args, facts, *who))
    judgement, facts_digest = judgement_of(live.agent.policy.hash, verdict)
    if not verdict.permitted:
        reason = f"{undo.by} may not take it back: {'; '.join(verdict.reasons) or 'no rule permits it'}"
        await _trouble_with(live, intent.undoes, action.name, "denied", reason)
        return None
    asks = _Approvals(live.state.calls.get(intent.call), live.agent.policy.hash, facts_digest)
    if refusal := asks.refusal(verdict.needs):
        await _trouble_with(live, intent.undoes, action.name, "denied", refusal)
        return None
    if unmet := asks.unmet(verdict.needs, live.clock.now()):
        expires = live.clock.now() + path.options.question_ttl
        await live.append(*(_asked(intent, plain, need, verdict, judgement, facts_digest, expires) for need in unmet))
        return None
    return judgement


def _who(undo: Undo) -> Any:
    """Return who undoes, as rules know a user."""
    user = msgspec.json.decode(undo.user)
    return {"id": undo.by} if user is None else user


async def _facts(
    path: "ActionPath", live: LiveRun, action: Action[Any, Any, Any], what: What, names: tuple[str, ...]
) -> dict[str, Any]:
    ctx, gathered = path.sender.context(live, action), dict[str, Any]()
    for name in names:
        try:
            gathered[name] = await path.sender.look(Send(action.facts[name], (ctx,), what.args, FACT_TIMEOUT))
        except Exception as error:  # noqa: BLE001 - whatever a look-up does, the guardian denies
            gathered[name] = FailedFact(f"fact {name!r} could not be gathered: {said(error)}")
    return gathered


class _Approvals:
    """What people have said about taking one effect back, as far as it is about this policy and these facts."""

    def __init__(self, call: Call | None, policy: str, facts_digest: str) -> None:
        asks = call.asks if call is not None else ()
        self._asks = {one.level: one for one in asks if (one.policy, one.facts_digest) == (policy, facts_digest)}

    def refusal(self, needs: tuple[Need, ...]) -> str:
        for need in needs:
            ask = self._asks.get(need.level)
            if ask is not None and ask.decision == "deny":
                return f"{ask.by} ({need.level}) said no{f': {ask.note}' if ask.note else ''}"
            if ask is not None and ask.decision == "lapsed":
                return f"nobody of {need.level} answered in time"
        return ""

    def unmet(self, needs: tuple[Need, ...], now: int) -> list[Need]:
        return [need for need in needs if not self._is_met(need, now)]

    def _is_met(self, need: Need, now: int) -> bool:
        ask = self._asks.get(need.level)
        return ask is not None and ask.decision == "approve" and ask.expires > now


def _asked(  # noqa: PLR0917 - all of it stands in the question
    intent: ev.Intended,
    plain: bytes,
    need: Need,
    verdict: Verdict,
    judgement: ev.Judgement,
    facts_digest: str,
    expires: int,
) -> ev.Asked:
    return ev.Asked(
        call=intent.call,
        action=intent.action,
        kind="approval",
        level=need.level,
        says=f"take back {read_back(intent.action, plain)}",
        args=msgspec.Raw(plain),
        reasons=verdict.reasons,
        digest=digest(about(intent.action).encode(), plain),
        expires=expires,
        judgement=judgement,
        facts_digest=facts_digest,
        undoes=intent.undoes,
    )


# trouble


async def _trouble(live: LiveRun, seq: int) -> ev.NotUndone:
    told = (await live.journal.event(live.id, seq)).event
    assert isinstance(told, ev.NotUndone)
    return told


async def _ask(path: "ActionPath", live: LiveRun, undo: Undo, target: int, seq: int) -> None:
    """Ask people what to do about an effect that can't be taken back as things are, with the state of everything."""
    told = await _trouble(live, seq)
    state = {
        "undoes": target,
        "kind": told.kind,
        "changes": msgspec.json.decode(bytes(told.changes)),
        "left": undo.left[1:],
        "could_not_be": undo.failed,
    }
    plain = canonical(state)
    await live.append(
        ev.Asked(
            call=told.call,
            action=told.action,
            kind="undo",
            says=f"{told.action} (event {target}) was not taken back: {told.reason}. Try again, leave it and go on "
            "with the rest, or stop?",
            args=msgspec.Raw(plain),
            digest=digest(plain),
            expires=0,
            undoes=target,
        )
    )
