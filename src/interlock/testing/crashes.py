"""Crashes at every boundary: a scenario is run, killed, run again, and must come to the same end."""

import inspect
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, NamedTuple

from interlock.agents import Agent
from interlock.kernel import events as ev
from interlock.testing.asserts import assert_intact
from interlock.testing.memory import CrashAt, MemoryRuntime, runtime
from interlock.testing.timelines import timeline

Play = Callable[[MemoryRuntime], Awaitable[object]]
"""A scenario: a program that uses a runtime. After a crash it is started again from its beginning, as a
process is, so it names its runs and keys itself: `rt.start("desk", run="r1")`, `Proposal("refund", {…},
key="k1")`."""

Check = Callable[[MemoryRuntime], object]
"""What must be true afterwards: raises an AssertionError where it is not; sync or async."""

Agents = Agent | Sequence[Agent]


async def crash(
    agent: Agents,
    play: Play,
    *,
    at: str | Sequence[str],
    check: Check | None = None,
    deps: Callable[[], Any] | None = None,
    down: str = "0s",
    **options: Any,
) -> MemoryRuntime:
    """Run a scenario, kill the process at the boundary *at*, run it again; return the closed runtime.

    Args:
        agent: The agent, or several.
        play: The scenario.
        at: Where to crash (see `MemoryRuntime.crash_at`); of several, the second is counted in the second
            life.
        check: What must be true at the end, besides `assert_intact`.
        deps: Makes the world that outlives the crash: what actions find in `ctx.deps`, and the scenario in
            `rt.deps`.
        down: How long the process is down, on the clock.
        options: What else `testing.runtime` takes.

    Raises:
        AssertionError: something is not true at the end, or a boundary was not crossed.
    """
    boundaries = (at,) if isinstance(at, str) else tuple(at)
    rt, reached = await _lives(_Case(agent, play, check, deps, down, options), boundaries)
    if len(reached) < len(boundaries):
        crossed = ", ".join(rt.crossed)
        raise AssertionError(f"the boundary {boundaries[len(reached)]!r} was not crossed; these were: {crossed}")
    return rt


class _Case(NamedTuple):
    """What is crashed."""

    agent: Agents
    play: Play
    check: Check | None
    deps: Callable[[], Any] | None
    down: str
    options: dict[str, Any]


class Crashes:
    """What `every_crash` did.

    Attributes:
        boundaries: Where the process was killed, in the order of crossing; one list a crash.
        asked: At which of them a person was asked whether something happened.
        missed: Boundaries that were not crossed when it came to them: the scenario does not always do the
            same.
    """

    def __init__(self) -> None:
        self.boundaries: list[tuple[str, ...]] = []
        self.asked: list[tuple[str, ...]] = []
        self.missed: list[tuple[str, ...]] = []
        self.failures: list[tuple[tuple[str, ...], str]] = []

    def add(self, at: tuple[str, ...], rt: MemoryRuntime) -> None:
        """Count one crash, and whether somebody had to be asked what happened."""
        self.boundaries.append(at)
        if questions_about_unknowns(rt):
            self.asked.append(at)

    def __str__(self) -> str:
        counts = f"{len(self.boundaries)} crashes, {len(self.failures)} failures"
        lines = [f"{counts}, a person asked in {len(self.asked)}"]
        lines += [f"\ncrash at {' and '.join(at)}:\n{text}" for at, text in self.failures]
        return "\n".join(lines)

    def __repr__(self) -> str:
        return f"<Crashes [{len(self.boundaries)}, {len(self.asked)} asked, {len(self.failures)} failures]>"


async def every_crash(
    agent: Agents,
    play: Play,
    *,
    check: Check | None = None,
    deps: Callable[[], Any] | None = None,
    down: Sequence[str] = ("0s",),
    twice: bool = False,
    every: int = 1,
    **options: Any,
) -> Crashes:
    """Run a scenario once whole and then with a crash at each boundary that it crosses.

    Args:
        agent: The agent, or several.
        play: The scenario.
        check: What must be true at the end of each, besides `assert_intact`.
        deps: Makes a new world for each: what actions find in `ctx.deps`, and the scenario in `rt.deps`.
        down: How long the process is down; each is tried.
        twice: Crash a second time, at each boundary that the second life crosses (the square of the number of
            runs).
        every: Of the second crashes, take one in so many, spread evenly.
        options: What else `testing.runtime` takes.

    Returns:
        Where it crashed, and where a person had to be asked.

    Raises:
        AssertionError: it was not true after some crash; the message has every such boundary and the run's
            timeline.
    """
    crashes = Crashes()
    case = _Case(agent, play, check, deps, "0s", options)
    whole, _ = await _lives(case, ())
    for pause in down:
        paused = case._replace(down=pause)
        for number, first in enumerate(whole.crossed):
            further = await _try(crashes, paused, (first,))
            for second in further[number % every :: every] if twice else ():
                await _try(crashes, paused, (first, second))
    if crashes.failures:
        raise AssertionError(str(crashes))
    return crashes


async def _try(crashes: Crashes, case: _Case, at: tuple[str, ...]) -> list[str]:
    """Do one crash (or two), write down how it went, and return the boundaries that the last life crossed."""
    try:
        rt, reached = await _lives(case, at)
    except Exception as error:  # noqa: BLE001 - all failures are reported together
        notes = "\n".join(getattr(error, "__notes__", ()))
        crashes.boundaries.append(at)
        crashes.failures.append((at, f"{type(error).__name__}: {error}\n{notes}"))
        return []
    if len(reached) < len(at):
        crashes.missed.append(at)
        return []
    crashes.add(at, rt)
    return rt.crossed


async def _lives(case: _Case, boundaries: tuple[str, ...]) -> tuple[MemoryRuntime, list[str]]:
    """Live once for each boundary and once to the end; return at which boundaries the process was killed."""
    agents = (case.agent,) if isinstance(case.agent, Agent) else tuple(case.agent)
    rt = runtime(*agents, deps=None if case.deps is None else case.deps(), **case.options)
    reached: list[str] = []
    try:
        async with rt:
            for boundary in boundaries:
                async with CrashAt(rt, boundary, must=False) as crashed:
                    await rt.clock.run(case.play(rt))
                if not crashed.happened:
                    break
                reached.append(boundary)
                rt.clock.advance(case.down)
            else:
                await rt.clock.run(case.play(rt))
            crossed = rt.crossed.copy()
            await rt.clock.elapse("0s")
            assert_intact(rt)
            await _checked(case.check, rt)
        rt.crossed[:] = crossed
    except Exception as error:
        error.add_note(shown(rt))
        raise
    return rt, reached


async def _checked(check: Check | None, rt: MemoryRuntime) -> None:
    answer = check(rt) if check is not None else None
    if inspect.isawaitable(answer):
        await answer


def questions_about_unknowns(rt: MemoryRuntime) -> list[ev.Asked]:
    """Return the questions in which a person was asked whether something happened."""
    histories = rt.reader().histories().values()
    events = (one.event for history in histories for one in history)
    return [event for event in events if isinstance(event, ev.Asked) and event.kind == "unknown"]


def shown(rt: MemoryRuntime) -> str:
    """Return the timelines of all runs and the calls of the agents' functions, for people."""
    runs = "\n".join(f"run {run}:\n{timeline(history)}" for run, history in rt.reader().histories().items())
    calls = "\n".join(f"  {call}" for call in rt.calls)
    return f"{runs}\ncalls:\n{calls}"
