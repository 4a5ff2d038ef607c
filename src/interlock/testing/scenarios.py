"""Scenarios of an agent, and a report on them: what `interlock test` runs."""

import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Literal

from msgspec import Struct

from interlock.agents import Agent
from interlock.models import Proposal
from interlock.runtime.outcomes import Denied, Done, Failed, Unknown, Waiting
from interlock.testing.crashes import shown
from interlock.testing.faults import Fault, JournalFault
from interlock.testing.memory import MemoryRuntime, Person, approving, denying, runtime

Expected = Literal["done", "denied", "failed", "waiting", "unknown"]
"""What a step may come to."""

_KINDS: dict[Expected, type] = {
    "done": Done,
    "denied": Denied,
    "failed": Failed,
    "waiting": Waiting,
    "unknown": Unknown,
}


class Step(Struct, frozen=True):
    """One proposal of a scenario, and what must come of it.

    `says` must be found in what the outcome says (reasons, the question's level, the error). `answer` is what
    people say when they are asked: "approve", "deny", or nothing, and then the step comes to `waiting`.
    """

    action: str
    args: Mapping[str, Any] = {}
    expect: Expected = "done"
    says: str = ""
    answer: Literal["", "approve", "deny"] = ""


Play = Callable[[MemoryRuntime], Awaitable[object]]


class Scenario(Struct, frozen=True):
    """Something that an agent is put through, in memory.

    Attributes:
        name: What a report calls it.
        agent: Who is put through it.
        steps: What happens: proposals in a row, or an async function of the test's runtime that asserts what
            it likes.
        deps: Makes what actions find in `ctx.deps`; by default what the agent's own factory makes.
        user: Whom the run of proposals acts for.
        faults: Makes what goes wrong (a function, because a fault is used up).
    """

    name: str
    agent: Agent
    steps: Sequence[Step] | Play
    deps: Callable[[], Any] | None = None
    user: str | Mapping[str, Any] | None = None
    faults: Callable[[], Sequence[Fault | JournalFault]] = tuple


class Result(Struct, frozen=True):
    """How one scenario went: `problem` is empty if well, `shown` is its timeline, `seconds` are real ones."""

    name: str
    problem: str
    shown: str
    seconds: float

    def __str__(self) -> str:
        if not self.problem:
            return f"ok      {self.name} ({self.seconds:.2f} s)"
        return f"FAILED  {self.name} ({self.seconds:.2f} s)\n{_indented(self.problem)}\n{_indented(self.shown)}"


class Report(Struct, frozen=True):
    """How all of them went."""

    results: tuple[Result, ...]

    @property
    def ok(self) -> bool:
        """Whether all went well."""
        return not self.failed

    @property
    def failed(self) -> tuple[Result, ...]:
        """Those that did not go well."""
        return tuple(result for result in self.results if result.problem)

    def __str__(self) -> str:
        passed = len(self.results) - len(self.failed)
        return "\n".join((*map(str, self.results), f"{passed} passed, {len(self.failed)} failed"))


async def run_scenarios(scenarios: Sequence[Scenario]) -> Report:
    """Put each scenario's agent through it, one after the other, and report; raises nothing of theirs."""
    return Report(tuple([await _result(one) for one in scenarios]))


async def _result(scenario: Scenario) -> Result:
    began = time.perf_counter()
    problem = ""
    deps = None if scenario.deps is None else scenario.deps()
    rt = runtime(scenario.agent, deps=deps, faults=scenario.faults())
    try:
        async with rt:
            await rt.clock.run(_play(rt, scenario))
    except Exception as error:  # noqa: BLE001 - whatever it is, it is this scenario's and belongs in the report
        problem = str(error) if isinstance(error, AssertionError) else f"{type(error).__name__}: {error}"
        problem = problem or "an assertion failed"
    return Result(scenario.name, problem, shown(rt), time.perf_counter() - began)


async def _play(rt: MemoryRuntime, scenario: Scenario) -> None:
    if callable(scenario.steps):
        await scenario.steps(rt)
        return
    run = await rt.start(scenario.agent.name, run="scenario", user=scenario.user)
    for number, step in enumerate(scenario.steps, 1):
        async with rt.session(run.id) as session:
            proposal = Proposal(step.action, step.args, f"step {number}")
            if step.answer:
                outcome = await rt.outcome(session, proposal, _person(step))
            else:
                outcome = await session.perform(proposal)
        _check(number, step, outcome)


def _person(step: Step) -> Person:
    return approving("scenario") if step.answer == "approve" else denying("scenario")


def _check(number: int, step: Step, outcome: object) -> None:
    what = f"step {number}, {step.action}"
    if not isinstance(outcome, _KINDS[step.expect]):
        raise AssertionError(  # noqa: TRY004 - it is an assertion
            f"{what}: expected {step.expect}, got {outcome!r}"
        )
    if step.says not in _said(outcome):
        raise AssertionError(f"{what}: {step.says!r} is not said in {_said(outcome)!r}")


def _said(outcome: object) -> str:
    if isinstance(outcome, Denied):
        return "; ".join((*outcome.reasons, *outcome.instead))
    if isinstance(outcome, Waiting):
        return "; ".join(f"{one.kind} {one.level}: {one.says}" for one in outcome.questions)
    return repr(outcome)


def _indented(text: str) -> str:
    return "\n".join(f"        {line}" for line in text.splitlines())
