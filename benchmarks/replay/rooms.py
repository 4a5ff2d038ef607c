"""Environments in the process that plays: the suites' functions as actions on them, and one agent for a recording."""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

from benchmarks.replay import catalog, dojo, functions
from benchmarks.replay.recorded import RecordedRun
from interlock import Action, Agent, Ctx, Policy, action, permit
from interlock.models import Proposal, RecordedModel, Response


@dataclass(slots=True)
class Room:
    """One run's environment. Nothing awaits in a call, so that calls do not interleave."""

    suite: str
    now: dojo.Environment
    seconds: float = 0.0
    """How long the functions took."""

    def call(self, function: str, args: dict[str, Any]) -> str:
        """Execute a function; return what the model is shown, or raise FunctionError with its error."""
        began = time.perf_counter()
        answer = dojo.perform(self.now, self.suite, function, args)
        self.seconds += time.perf_counter() - began
        if answer.error is not None:
            raise functions.FunctionError(answer.error)
        return answer.output


async def _call(ctx: Ctx[Room], name: str, args: dict[str, Any]) -> str:
    return ctx.deps.call(name, args)


@cache
def actions(suite: str) -> tuple[Action[Any, Any, Any], ...]:
    """Declare every function of a suite. Nobody takes anything back here, so every effect is irreversible."""
    return tuple(_declared(suite, function) for function in dojo.functions(suite))


def _declared(suite: str, function: functions.Function) -> Action[Any, Any, Any]:
    perform = functions.like(function, _call)
    if catalog.CATALOG[suite][function.name].effect:
        return action.irreversible(refuses=(functions.FunctionError,), repeatable=True)(perform)
    return action.read(perform)


@cache
def _all_permitted(suite: str) -> Policy:
    return Policy(permit([one.name for one in actions(suite)]))


def agent(run: RecordedRun, room: Room) -> Agent:
    """Return an agent that thinks what was recorded: everything is permitted, as it was then."""
    return Agent(
        run.id,
        actions(run.suite),
        instructions=run.system,
        model=RecordedModel(_responses(run), name=run.model),
        policy=_all_permitted(run.suite),
        deps=lambda: room,
    )


def _responses(run: RecordedRun) -> Iterator[Response]:
    """Yield what the model answered, without a last turn whose calls the recording stopped before."""
    for turn in run.turns:
        if all(call.answered for call in turn.calls):
            proposals = tuple(Proposal(call.function, call.args) for call in turn.calls)
            yield Response(turn.content, proposals, finish="calls" if proposals else "stop", model=run.model)
