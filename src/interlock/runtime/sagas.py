"""Taking back without being asked: what a run did that failed, was called off or turned down; a block that failed."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from interlock.journal.store import RunRow
from interlock.kernel import events as ev
from interlock.kernel.state import unsettled
from interlock.runtime.applying import batches_from, request_of
from interlock.runtime.choosing import Scope, planned
from interlock.runtime.live import LiveRun
from interlock.runtime.undoing import next_request
from interlock.undo import Otherwise, UndoPlan
from interlock.undo.plan import Actions


async def with_undo(live: LiveRun, ended: ev.RunEnded) -> tuple[ev.Event, ...]:
    """Return the end of a run, and the undo that begins with it, where its agent or whoever called it off wants one."""
    if not await _is_taken_back(live, ended.how):
        return (ended,)
    for call in live.state.calls.values():
        if call.phase == "delegated" and await live.journal.store.row(call.child) is not None:
            # What it does from now on is in no plan yet: it takes that back itself, once it has stopped.
            told = ev.CancelRequested(by=f"run {live.id}", reason=f"it is {ended.how}", undo=True)
            await live.mail.post(call.child, "cancel", told)
    started = request_of(await _plan(live), f"the run's end ({ended.how})", "ask", None, live.id)
    if started is None:
        return (ended,)
    if live.state.undo is None:
        return ended, started
    # One after the other: what began before comes to its own end first.
    await live.mail.post(live.id, "undo", started, started.request)
    return (ended,)


async def settle_late(live: LiveRun, after: int) -> None:
    """See to effects whose outcome became known after the end of a run that is taken back: they go back as well."""
    if not live.state.ended or live.state.seq == after or not await _is_taken_back(live, live.state.ended):
        return
    started = request_of(await _plan(live, after), f"the run's end ({live.state.ended})", "ask", None, live.id)
    if started is not None:
        await live.mail.post(live.id, "undo", started, started.request)


async def _is_taken_back(live: LiveRun, how: str) -> bool:
    if how in live.agent.undo_on:
        return True
    asked = await live.journal.history(live.id, 0, (ev.CancelRequested,))
    return any(isinstance(one.event, ev.CancelRequested) and one.event.undo for one in asked)


async def _plan(live: LiveRun, after: int = 0) -> UndoPlan:
    """Return the plan for what the run, and those that it handed tasks on to, did after a seq of its own."""
    known = {agent.name: agent for agent in live.agent.everyone()}

    def actions(row: RunRow) -> Actions:
        return known[row.agent].actions if row.agent in known else {}

    return await planned(live.journal, Scope(live.id, after=after), actions, ahead=False)


@asynccontextmanager
async def transaction(live: LiveRun) -> AsyncGenerator[None]:
    """Take back what the run does within the block if the block fails."""
    began = live.state.seq
    try:
        yield
    except (Exception, asyncio.CancelledError) as error:
        # Whoever is cancelled waits as well: what was done in the block must not stay because nobody waited.
        await asyncio.shield(asyncio.ensure_future(_unwound(live, began, error)))
        raise


async def _unwound(live: LiveRun, began: int, error: BaseException) -> None:
    for flight in list(live.flights.values()):
        await asyncio.wait([asyncio.ensure_future(flight.join())])
    made = await _plan(live, began)
    started = request_of(made, "a transaction that failed", _OTHERWISE, None, live.id)
    left: list[int | str] = []
    if started is not None:
        await live.mail.post(live.id, "undo", started, started.request)
        request = started.request
        for batch in batches_from(made, live.id):
            failed = (await _end_of(live, batch.run, request)).failed
            left += [seq if batch.run == live.id else f"{seq} of run {batch.run}" for seq in failed]
            request = next_request(request)
    unclear = [call.action for call in live.state.calls.values() if unsettled(call) and call.at > began]
    if left or unclear:
        why = "; ".join(
            [f"event {seq} could not be taken back" for seq in left]
            + [f"what became of {action} is not known yet" for action in unclear]
        )
        error.add_note(f"the transaction was not taken back as a whole: {why}; run {live.id} is parked for a person")
        await live.append(ev.Parked(reason=f"a transaction failed ({type(error).__name__}), and {why}"))


_OTHERWISE: Otherwise = "leave"


async def _end_of(live: LiveRun, run: str, request: str) -> ev.UndoEnded:
    while True:
        changed = live.mail.watch(run)
        for one in await live.journal.history(run, 0, (ev.UndoEnded,)):
            if isinstance(one.event, ev.UndoEnded) and one.event.request == request:
                changed.cancel()
                return one.event
        await changed
