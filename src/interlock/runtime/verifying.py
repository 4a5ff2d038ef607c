"""Looking after an effect whether what should be there is there; if it is not, the effect is taken back.

What can't be taken back is left to a person: the run is parked and says what was found.
"""

from typing import TYPE_CHECKING, Any

import msgspec

from interlock.kernel import events as ev
from interlock.runtime import recovery
from interlock.runtime.flight import Flight
from interlock.runtime.live import LiveRun
from interlock.runtime.outcomes import Done
from interlock.runtime.records import said
from interlock.runtime.sending import Send

if TYPE_CHECKING:
    from interlock.runtime.path import ActionPath


async def verify_again(path: "ActionPath", live: LiveRun, outcome: int) -> None:
    """Look at an effect that was done before this process began, from what the journal knows of it."""
    done = (await live.journal.event(live.id, outcome)).event
    assert isinstance(done, ev.Done)
    await path.sender.make(live.agent)
    value = live.agent.actions[done.action].signature.result(bytes(done.result))
    await verify(path, live, outcome, value)


async def verify(path: "ActionPath", live: LiveRun, outcome: int, value: Any) -> str:
    """Look at the effect whose outcome is at seq *outcome*, and return what is wrong; empty where nothing is.

    What is found is durable before anything is done about it.
    """
    done = (await live.journal.event(live.id, outcome)).event
    assert isinstance(done, ev.Done)
    reason = await _missing(path, live, done, value)
    if not reason:
        await live.append(ev.Verified(call=done.call, outcome=outcome))
        return ""
    failed = ev.VerifyFailed(call=done.call, action=done.action, reason=reason, outcome=outcome)
    if live.agent.actions[done.action].undo_function is None:
        parked = f"{done.action}: {reason}; it can't be taken back, so a person has to look at it"
        await live.append(failed, ev.Parked(reason=parked))
        return f"{reason}; a person was asked to look at it"
    intent, what = await recovery.taking_back(live, outcome, done)
    await live.append(failed, intent)
    undone = await Flight(live.flights, intent.call, recovery.perform(path, live, intent.call, what)).join()
    if isinstance(undone, Done):
        return f"{reason}; it was taken back"
    if not live.state.parked:
        await live.append(ev.Parked(reason=f"{done.action}: {reason}, and taking it back did not work"))
    return f"{reason}; taking it back did not work, and a person was asked to look at it"


async def _missing(path: "ActionPath", live: LiveRun, done: ev.Done, value: Any) -> str:
    """Return what is wrong with an effect; a look that fails has not found it."""
    action = live.agent.actions[done.action]
    assert action.verify_function is not None
    intent = (await live.journal.event(live.id, done.intent)).event
    assert isinstance(intent, ev.Intended)
    args = action.signature.arguments(msgspec.json.decode(bytes(intent.args)))
    ctx = path.sender.context(live, action, key=intent.key)
    look = Send(action.verify_function, (ctx, value), args, action.timeout)
    try:
        found = await path.sender.look(look)
    except Exception as error:  # noqa: BLE001 - whatever it raises, it has not found what should be there
        return f"it was performed, but the verification failed: {said(error)}"
    return "" if found is True else f"it was performed, but the verification answered {found!r}"
