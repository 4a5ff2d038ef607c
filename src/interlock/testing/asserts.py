"""Assertions about outcomes and journals; when one fails it shows what happened, as a timeline."""

import re
from typing import Any

import msgspec

from interlock.journal.verification import Report, verify
from interlock.kernel import decide
from interlock.kernel import events as ev
from interlock.kernel.events import Recorded
from interlock.runtime.outcomes import Denied, Done, Waiting
from interlock.runtime.questions import Question
from interlock.runtime.runtime import Run
from interlock.testing.calls import matches
from interlock.testing.memory import MemoryRuntime
from interlock.testing.reading import ALL, at_once
from interlock.testing.timelines import timeline

Where = MemoryRuntime | Run
"""What to look at: all runs of a test's runtime, or one of them; closed runtimes can be looked at, too."""


def assert_done(outcome: object) -> Any:
    """Assert that a proposal was performed, and return its result."""
    if not isinstance(outcome, Done):
        raise AssertionError(f"expected Done, got {outcome!r}")  # noqa: TRY004 - it is an assertion
    return outcome.result


def assert_denied(outcome: object, match: str = "", *, stage: str = "") -> Denied:
    """Assert that a proposal was turned down, for a reason that matches, and return the denial.

    Args:
        outcome: What `perform` returned.
        match: A regular expression to be found in the reasons or in what may be done instead.
        stage: Where it was turned down: resolve, validate, judge, needs, run or words.
    """
    if not isinstance(outcome, Denied):
        raise AssertionError(f"expected a denial, got {outcome!r}")  # noqa: TRY004 - it is an assertion
    said = "\n".join((*outcome.reasons, *outcome.instead))
    if match and re.search(match, said) is None:
        raise AssertionError(f"it was denied, but nothing that was said matches {match!r}:\n{said}")
    if stage and outcome.stage != stage:
        raise AssertionError(f"it was denied at stage {outcome.stage!r}, not {stage!r}:\n{said}")
    return outcome


def assert_waiting(outcome: object, level: str | None = None, *, kind: str = "") -> Question:
    """Assert that a proposal, or a run, waits for a person, and return the question.

    Args:
        outcome: What `perform`, or `Run.result`, returned.
        level: Whose approval it must wait for; by default anybody's.
        kind: approval or confirmation; by default either.
    """
    if not isinstance(outcome, Waiting):
        raise AssertionError(  # noqa: TRY004 - it is an assertion
            f"expected it to wait for a person, got {outcome!r}"
        )
    for question in outcome.questions:
        if level in (None, question.level) and kind in ("", question.kind):
            return question
    wanted = " ".join(part for part in (kind or "an answer", f"of level {level!r}" if level else "") if part)
    asked = ", ".join(map(repr, outcome.questions)) or f"only for a delay, until {outcome.until}"
    raise AssertionError(f"expected it to wait for {wanted}; it waits for: {asked}")


def assert_performed_once(where: Where, action: str, /, *, times_called: int | None = None, **args: Any) -> ev.Done:
    """Assert that an action was performed exactly once with (at least) these arguments; return the record.

    Args:
        where: A test's runtime or one of its runs.
        action: The action's name.
        times_called: How often its function must have been called. By default once, or, where every sending
            carried one and the same idempotency key that the other side honours, at least once.
        args: Arguments that it was performed with, as written or as typed ("40", 40, Decimal(40)).
    """
    rt, histories = _look(where)
    found = [one for history in histories.values() for one in _performed(history, action, args)]
    shown = f"{action}({', '.join(f'{name}={value!r}' for name, value in args.items())})"
    if len(found) != 1:
        raise AssertionError(f"{shown} was performed {len(found)} times, not once{_shown(where)}")
    calls = [one for one in rt.calls_of(action, **args) if one.run in histories]
    idempotent = rt.action(action).idempotent > 0 and len({one.key for one in calls}) == 1
    told = "\n".join(f"  {one}" for one in calls)
    if times_called is None:
        if len(calls) != 1 and not (idempotent and calls) and found[0].via == "performed":
            raise AssertionError(f"{shown} has one outcome, but was called {len(calls)} times:\n{told}{_shown(where)}")
    elif len(calls) != times_called:
        raise AssertionError(f"{shown} was called {len(calls)} times, not {times_called}:\n{told}{_shown(where)}")
    return found[0]


def assert_not_performed(where: Where, action: str, /, **args: Any) -> None:
    """Assert that an action's function was never reached with (at least) these arguments."""
    rt, histories = _look(where)
    calls = [one for one in rt.calls_of(action, **args) if one.run in histories]
    found = [one for history in histories.values() for one in _performed(history, action, args)]
    if calls or found:
        told = "\n".join(f"  {one}" for one in calls)
        raise AssertionError(f"{action} was called {len(calls)} times:\n{told}{_shown(where)}")


def assert_journal_verifies(where: Where) -> Report:
    """Assert that the hash chain over the journal holds, and return the verification's report."""
    rt = where if isinstance(where, MemoryRuntime) else _runtime_of(where)
    report = at_once(verify(rt.store.fork()))
    if not report.ok:
        raise AssertionError(f"the journal does not verify:\n{report}")
    return report


def assert_intact(where: Where) -> None:
    """Assert what no crash may break: what was acknowledged is there, nothing is done twice or forgotten.

    In detail: the hash chain holds, every effect has its intent before it and at most one outcome after it,
    and every run that could go on by itself has, or has a time at which it will.
    """
    rt, histories = _look(where)
    assert_journal_verifies(rt)
    problems = _lost(rt)
    for run, history in histories.items():
        problems += [f"run {run}: {problem}" for problem in (*_unpaired(history), *_stuck(rt, run))]
    if problems:
        raise AssertionError("\n".join(problems) + _shown(rt))


def history_of(rt: MemoryRuntime, run: str) -> list[Recorded]:
    """Return everything that happened in a run, also after the runtime was closed."""
    return rt.reader().history(run)


def _look(where: Where) -> tuple[MemoryRuntime, dict[str, list[Recorded]]]:
    if isinstance(where, Run):
        rt = _runtime_of(where)
        return rt, {where.id: history_of(rt, where.id)}
    return where, where.reader().histories()


def _runtime_of(run: Run) -> MemoryRuntime:
    rt = run._runtime  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]
    if not isinstance(rt, MemoryRuntime):
        raise TypeError(f"{rt!r} is not a runtime of interlock.testing; make it with testing.runtime(…)")
    return rt


def _shown(where: Where) -> str:
    _, histories = _look(where)
    return "".join(f"\n\nrun {run}:\n{timeline(history)}" for run, history in histories.items())


def _performed(history: list[Recorded], action: str, args: dict[str, Any]) -> list[ev.Done]:
    intents = {one.seq: one.event for one in history if isinstance(one.event, ev.Intended)}
    found: list[ev.Done] = []
    for one in history:
        event = one.event
        if isinstance(event, ev.Done) and event.action == action and not event.undoes:
            source = intents.get(event.intent, event)
            if matches(msgspec.json.decode(bytes(source.args)) or {}, args):
                found.append(event)
    return found


def _lost(rt: MemoryRuntime) -> list[str]:
    rows = {(row.run, row.seq): row.payload for row in at_once(rt.store.fork().feed(0, ALL))}
    return [
        f"run {run}: event {seq} ({draft.type}) was acknowledged and is not there"
        for (run, seq), draft in rt.acknowledged.items()
        if rows.get((run, seq)) != draft.payload
    ]


def _unpaired(history: list[Recorded]) -> list[str]:
    """Say which intents have more than one outcome, and which effects no intent."""
    problems: list[str] = []
    outcomes: dict[int, int] = {}
    intents = {one.seq for one in history if isinstance(one.event, ev.Intended)}
    for one in history:
        event = one.event
        if not isinstance(event, (ev.Done, ev.Failed)) or (isinstance(event, ev.Done) and event.effect == "read"):
            continue
        if isinstance(event, ev.Done) and event.intent not in intents:
            problems.append(f"the effect at event {one.seq} has no intent")
        if event.intent and event.intent in outcomes:
            problems.append(f"events {outcomes[event.intent]} and {one.seq} are outcomes of one intent")
        outcomes[event.intent] = one.seq
    return problems


def _stuck(rt: MemoryRuntime, run: str) -> list[str]:
    reader = rt.reader()
    state, row = reader.state(run), at_once(reader.store.row(run))
    if state.ended or row is None:
        return []
    problems = [
        f"the outcome of {call.action} [{call.key}] is not known; no person is asked and nobody looks for it"
        for call in state.calls.values()
        if decide.unsettled(call) and not any(not ask.decision for ask in call.asks) and row.wake_at is None
    ]
    steps = decide.decide(state, rt.clock.now())
    if steps and row.wake_at is None:
        problems.append(f"it is {row.status}, and nobody does what is due: {steps}")
    return problems
