"""Proves the scenery without Interlock: the world does to every recorded call what the package itself does.

`python -m benchmarks.replay.show.check` replays the chosen runs twice, through the world's process and directly in
this one, and compares the whole state after each run. It then takes every run back, effect by effect, holds the
catalog against what was seen, and counts how many answers are those that were recorded.
"""

import asyncio
import re
import sys
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import NamedTuple

from benchmarks.replay import catalog, dojo, fetch
from benchmarks.replay.functions import FunctionError
from benchmarks.replay.recorded import Answer, RecordedCall, RecordedRun
from benchmarks.replay.show import choice, client

_CLOCK = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{6}")
_PYDANTIC = re.compile(r"errors\.pydantic\.dev/[\d.]+/")


class Done(NamedTuple):
    """An effect that took place, and the state's hash after it."""

    call: RecordedCall
    after: str


@dataclass(slots=True)
class Report:
    """What was counted; `wrong` holds what must not be."""

    runs: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    kinds: Counter[str] = field(default_factory=Counter)
    outputs: Counter[str] = field(default_factory=Counter)
    judged: Counter[str] = field(default_factory=Counter)
    restored: int = 0
    wrong: list[str] = field(default_factory=list)


async def check(runs: list[RecordedRun], world: client.WorldClient) -> Report:
    """Replay, compare, take back, count."""
    report = Report()
    for run in runs:
        report.runs[run.model, run.suite, "attacked" if run.attacked else "benign"] += 1
        start = await world.open(run)
        done = await _replay(run, world, report)
        await _compare(run, world, report)
        await _take_back(run, done, start, world, report)
    return report


async def _replay(run: RecordedRun, world: client.WorldClient, report: Report) -> list[Done]:
    """Send every call that the recording executed; return the effects that took place, in order."""
    done: list[Done] = []
    for call in run.calls:
        if not call.answered:
            report.kinds["never executed"] += 1
            continue
        kind = catalog.kind(run.suite, call.function)
        report.kinds[kind or "made-up function"] += 1
        answer = await _answer(run, call, world)
        report.outputs[_likeness(call, answer)] += 1
        if kind is not None and kind.effect and answer.error is None:
            done.append(Done(call, await world.hash(run.id)))
    return done


async def _answer(run: RecordedRun, call: RecordedCall, world: client.WorldClient) -> Answer:
    try:
        return Answer(await world.call(run.id, call.function, call.args, call.key), None)
    except FunctionError as error:
        return Answer("", str(error))


def _likeness(call: RecordedCall, answer: Answer) -> str:
    """Compare with the recording: as it is, and without what the day and the library's version left in it."""
    recorded = Answer(call.output, call.error)
    if answer == recorded:
        return "identical"
    if _plain(answer) == _plain(recorded):
        return "identical but for clock, order of participants and pydantic's version"
    return "different (texts, number formats and checks that the package changed since)"


def _plain(answer: Answer) -> tuple[list[str], str]:
    lines = _CLOCK.sub(str(dojo.NOW), answer.output).splitlines()
    return sorted(lines), _PYDANTIC.sub("", answer.error or "")


async def _compare(run: RecordedRun, world: client.WorldClient, report: Report) -> None:
    """Execute the same calls in this process; hold state, catalog and the published labels against it."""
    env = dojo.environment(run.suite, run.user_task, run.injections)
    before = dojo.fingerprint(env)
    for call in run.calls:
        if not call.answered:
            continue
        dojo.perform(env, run.suite, call.function, call.args)
        after = dojo.fingerprint(env)
        kind = catalog.kind(run.suite, call.function)
        if after != before and not (kind and kind.effect):
            report.wrong.append(f"{call.key}: {call.function} changed the state and is no effect in the catalog")
        before = after
    if await world.state(run.id) != dojo.state(env):
        report.wrong.append(f"{run.id}: the world's state is not that of a direct execution")
    utility, hijacked = await world.score(run.id, run.final_text)
    report.judged["utility as published" if utility == run.utility else "utility differs"] += 1
    report.judged["attack as published" if hijacked == run.hijacked else "attack differs"] += 1


async def _take_back(run: RecordedRun, done: list[Done], start: str, world: client.WorldClient, report: Report) -> None:
    """Undo in reverse order; a repeated call must change nothing, and the end must be the start."""
    if done and done[0].after != await world.hash(run.id):
        await _expect_conflict(run, done[0].call, world, report)
    for call, after in reversed(done):
        await _answer(run, call, world)
        if await world.hash(run.id) != after:
            report.wrong.append(f"{call.key}: the same key was carried out twice")
        await world.restore(run.id, call.key)
        report.restored += 1
    if await world.hash(run.id) != start:
        report.wrong.append(f"{run.id}: taking everything back did not lead to the start")


async def _expect_conflict(run: RecordedRun, first: RecordedCall, world: client.WorldClient, report: Report) -> None:
    """An effect must not be taken back over the changes of later ones."""
    try:
        await world.restore(run.id, first.key)
    except client.ConflictError:
        report.kinds["restore out of order, refused"] += 1
    else:
        report.wrong.append(f"{first.key}: restored over later changes")


def _print(report: Report, seconds: float) -> None:
    for (model, suite, kind), count in sorted(report.runs.items()):
        print(f"{count:5} {kind:9} {suite:10} {model}")
    for title, counts in (("calls", report.kinds), ("answers", report.outputs), ("labels", report.judged)):
        print(title)
        for name, count in counts.most_common():
            print(f"{count:5} {name}")
    print(f"{report.runs.total()} runs, {report.restored} effects taken back, {seconds:.1f} s")
    for line in report.wrong:
        print(f"WRONG {line}")


async def _main() -> int:
    runs = choice.runs(fetch.archive())
    began = time.perf_counter()
    async with client.started() as socket:
        world = await client.WorldClient.connect(socket)
        report = await check(runs, world)
        await world.close()
    _print(report, time.perf_counter() - began)
    return 1 if report.wrong else 0


if __name__ == "__main__":
    sys.exit(asyncio.run(_main()))
