"""Tending a run: doing what the kernel decides until there is nothing to do now."""

from typing import Any

import msgspec

from interlock.canonical import canonical
from interlock.errors import CanonicalError, DependenciesError, InterlockError, OtherCodeError
from interlock.kernel import decide
from interlock.kernel import events as ev
from interlock.kernel.decide import Drive, End
from interlock.machines import Final, State
from interlock.runtime import recovery, sagas, undoing, verifying
from interlock.runtime.flight import Flight
from interlock.runtime.flow import Flow
from interlock.runtime.live import HandOn, LiveRun
from interlock.runtime.path import ActionPath
from interlock.runtime.records import said
from interlock.runtime.suspending import Suspended


class Tender:
    """Takes in a run's signals and does its steps; one tender at a time a run."""

    def __init__(self, path: ActionPath, hand_on: HandOn) -> None:
        self._path = path
        self._hand_on = hand_on

    async def tend(self, live: LiveRun) -> None:
        """Do everything that can be done for the run now; returns when it ended, waits or sleeps.

        Raises:
            DependenciesError: the agent's dependencies could not be made; the run stays where it is.
            JournalError: the journal refused; the run stays where it is.
        """
        while True:
            await live.take_in(self._hand_on)
            for call in [one for one in live.state.calls.values() if one.phase == "delegated"]:
                await self._path.delegation.advance(live, call)
            steps = decide.decide(live.state, live.clock.now(), live.flights.keys())
            if not steps:
                break
            before = live.state.seq
            for step in steps:
                await self._do(live, step)
            if live.state.seq == before:
                break  # Nothing came of it: whoever waits is woken by a signal or the clock, not by trying again.
        await live.sync_row()

    async def _do(self, live: LiveRun, step: decide.Step) -> None:
        match step:
            case Drive():
                await self._drive(live)
            case End(how, error):
                events = await sagas.with_undo(live, ev.RunEnded(how=how, error=error))
                await self._path.delegation.cancel(live, error or how)
                await live.append(*events)
            case decide.Verify(outcome, call):
                await Flight(live.flights, call, verifying.verify_again(self._path, live, outcome)).join()
            case decide.TakeBack() | decide.Recall() | decide.AskAboutUndo() | decide.Leave() | decide.FinishUndo():
                await undoing.take(self._path, live, step)
            case _:
                if step.call.key not in live.flights:
                    seq = live.state.seq
                    await Flight(live.flights, step.call.key, recovery.take(self._path, live, step)).join()
                    await sagas.settle_late(live, seq)

    # the machine

    async def _drive(self, live: LiveRun) -> None:
        """Run the code of the run's state, and of the next ones, until it waits or ends."""
        machine = live.agent.machine
        assert machine is not None
        if not live.state.entry:
            await self._enter(live, machine.initial)
        state = machine.states[live.state.place]
        if isinstance(state, State) and live.state.code not in ("", state.code):
            raise OtherCodeError(
                f"run {live.id!r} is in state {state.name!r} under code {live.state.code}, this process has "
                f"{state.code}; it is left for a process that has it"
            )
        if isinstance(state, Final):
            await self._end(live, None)
            return
        flow = Flow(self._path, live, state.offers, await live.input())
        await self._run_code(live, state, flow)

    async def _run_code(self, live: LiveRun, state: State, flow: Flow) -> None:
        try:
            answer = await state.run(flow)
            await flow.check_complete()
            following = state.next(answer)
        except Suspended:
            return
        except Exception as error:
            # Whatever an author's code raises ends its run, not the runtime; what the runtime raises ends neither.
            if isinstance(error, DependenciesError) or (isinstance(error, InterlockError) and live.broken is not None):
                raise
            await live.append(*await sagas.with_undo(live, ev.RunEnded(how="failed", error=said(error))))
            return
        assert live.agent.machine is not None
        if isinstance(live.agent.machine.states[following], Final):
            await self._end(live, flow.output, following)
        else:
            await self._enter(live, following)

    async def _enter(self, live: LiveRun, name: str) -> None:
        assert live.agent.machine is not None
        state = live.agent.machine.states[name]
        code = state.code if isinstance(state, State) else ""
        await live.append(ev.Entered(state=name, entry=live.state.entry + 1, code=code))

    async def _end(self, live: LiveRun, output: Any, final: str = "") -> None:
        try:
            trust = await live.tracing.least(live)
            ended = ev.RunEnded(how="done", output=msgspec.Raw(canonical(output)), trust=trust)
        except CanonicalError as error:
            ended = ev.RunEnded(how="failed", error=f"the run's output can't be recorded: {error}")
        entered = (ev.Entered(state=final, entry=live.state.entry + 1),) if final else ()
        await live.append(*entered, *await sagas.with_undo(live, ended))
