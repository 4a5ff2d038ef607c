"""Handing a permitted proposal on to another agent: a run of its own, whose end is the proposal's outcome."""

from collections.abc import Awaitable, Callable
from typing import Any

import msgspec

from interlock.kernel import events as ev
from interlock.kernel.decide import ENDED
from interlock.kernel.state import Call
from interlock.provenance import Trust
from interlock.runtime import suspecting
from interlock.runtime.live import LiveRun
from interlock.runtime.outcomes import Done, Failed
from interlock.runtime.sending import Sender


class Delegation:
    """Starts the runs that carry delegated calls out, and brings back what became of them.

    Args:
        sender: What performs detectors with their deadline.
        start: What starts a run: agent, id, input and the fields of its first event. Done twice, it starts one.
    """

    def __init__(self, sender: Sender, start: Callable[..., Awaitable[None]]) -> None:
        self._sender = sender
        self._start = start

    async def advance(self, live: LiveRun, call: Call) -> Done | Failed | None:
        """Start the call's run if there is none yet, and return the outcome once that run has ended."""
        live.mail.parents[call.child] = live.id
        row = await live.journal.store.row(call.child)
        if row is None:
            await self._begin(live, call)
            return None
        ends = await live.journal.history(row.id, 0, (ev.RunEnded,))
        return await self._brought_back(live, call, ends[-1].event) if ends else None

    async def _begin(self, live: LiveRun, call: Call) -> None:
        handed = (await live.journal.event(live.id, call.at)).event
        assert isinstance(handed, ev.Delegated)
        args: dict[str, Any] = msgspec.json.decode(bytes(handed.args))
        await self._start(
            live.agent.delegates[call.action],
            call.child,
            args["task"],
            user=live.user,
            tenant=live.state.tenant,
            deadline=live.state.deadline,
            parent=(live.id, call.key),
        )

    async def _brought_back(self, live: LiveRun, call: Call, ended: ev.Event) -> Done | Failed | None:
        assert isinstance(ended, ev.RunEnded)
        handed = (await live.journal.event(live.id, call.at)).event
        assert isinstance(handed, ev.Delegated)
        live.mail.parents.pop(call.child, None)
        if ended.how != "done":
            error = f"agent {call.action!r} did not finish ({ended.how}): {ended.error}"
            failed = ev.Failed(
                call=call.key,
                action=call.action,
                error=error,
                args=handed.args,
                digest=call.digest,
                cleaned=suspecting.cleaned(live.agent),
            )
            await live.append(failed)
            return Failed(error)
        noted = await suspecting.noted(self._sender, live.agent, call.action, ended.output)
        if call.key not in live.state.calls:
            return None  # While it was looked at, somebody else brought it back.
        await live.append(
            ev.Done(
                call=call.key,
                action=call.action,
                effect="read",
                result=ended.output,
                via="delegate",
                args=handed.args,
                digest=call.digest,
                judgement=handed.judgement,
                trust=_trust(live, ended),
                suspected=noted.suspected,
                cleaned=noted.cleaned,
            )
        )
        return Done(msgspec.json.decode(bytes(ended.output)))

    async def cancel(self, live: LiveRun, reason: str) -> None:
        """Have the runs that this one delegated to stop with it."""
        for call in live.state.calls.values():
            row = await live.journal.store.row(call.child) if call.phase == "delegated" else None
            if row is not None and row.status not in ENDED:
                told = ev.CancelRequested(by=f"run {live.id}", reason=reason)
                await live.mail.post(call.child, "cancel", told)


def _trust(live: LiveRun, ended: ev.RunEnded) -> int | None:
    """Return what the answer of another agent is worth: no more than what it was made of."""
    if live.agent.labels is None or ended.trust is not None:
        return ended.trust
    return int(Trust.NOWHERE)  # Nobody traced what went into it.
