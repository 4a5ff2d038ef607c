"""Published runs of real models, with and without defences, replayed: each recorded call proposed in its order.

A call that is denied or asked about is not performed, and the recording goes on. What the attack came to then is judged
by the suite's own check, in the environment that is left.
"""

import asyncio
import gzip
import logging
import os
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import cache
from itertools import islice
from pathlib import Path
from typing import Any

import msgspec

from benchmarks import _convention as convention
from benchmarks.agentdojo import guards
from benchmarks.agentdojo.attackers import wants_words
from benchmarks.agentdojo.counting import Kind, Replayed, counted, kind_of
from benchmarks.agentdojo.guards import Guard
from benchmarks.agentdojo.scripts import Call, Script
from benchmarks.agentdojo.stage import Part, Room, Scene, play
from benchmarks.agentdojo.world import world
from benchmarks.replay import dojo, fetch
from benchmarks.replay.functions import FunctionError
from benchmarks.replay.recorded import RecordedRun, parse

CHUNK = 25
QUICK_STRIDE = 101


def figures(policies: Path | None, data: Path | None) -> dict[str, Any]:
    """Replay what can tell something, and count.

    Args:
        policies: The folder with declarations; None for the default.
        data: A folder with `attack_steps.jsonl.gz`, which names the call that completes each attack.
    """
    steps = _steps(data)
    skipped: Counter[str] = Counter()
    stride = QUICK_STRIDE if convention.quick() else 1
    chosen = list(islice(_chosen(skipped), 0, None, stride))
    with ProcessPoolExecutor(os.cpu_count() or 1) as pool:
        chunks = [chosen[first : first + CHUNK] for first in range(0, len(chosen), CHUNK)]
        known = [{path: steps[path] for path, _, _ in chunk if path in steps} for chunk in chunks]
        shares = pool.map(_share, chunks, [policies] * len(chunks), known)
        runs = [one for share in shares for one in share]
    return counted(runs, skipped)


def _steps(data: Path | None) -> dict[str, int]:
    if data is None:
        return {}
    with gzip.open(data / "attack_steps.jsonl.gz") as lines:
        return {
            one["run"]: one["complete_at"]
            for one in map(msgspec.json.decode, lines)
            if one.get("complete_at") is not None
        }


def _chosen(skipped: Counter[str]) -> Iterator[tuple[str, Kind, RecordedRun]]:
    """Yield the runs that can tell something, and count the others by why they can't."""
    for path, content in fetch.read(fetch.archive(), lambda path: path.endswith(".json")):
        kind = kind_of(path, content)
        if kind in ("succeeded", "resisted", "benign"):
            yield path, kind, parse(content)
        else:
            skipped[kind] += 1


def _share(
    chunk: Sequence[tuple[str, Kind, RecordedRun]], policies: Path | None, steps: Mapping[str, int]
) -> list[Replayed]:
    logging.getLogger("interlock").setLevel(logging.CRITICAL)
    return asyncio.run(_all(chunk, policies, steps))


async def _all(
    chunk: Sequence[tuple[str, Kind, RecordedRun]], policies: Path | None, steps: Mapping[str, int]
) -> list[Replayed]:
    return [await _replayed(path, kind, run, policies, steps.get(path)) for path, kind, run in chunk]


async def _replayed(path: str, kind: Kind, run: RecordedRun, policies: Path | None, step: int | None) -> Replayed:
    of = world(run.suite, dojo.VERSION)
    start = dojo.environment(run.suite, run.user_task, run.injections)
    room = Room(of, start.model_copy(deep=True))
    calls = [Call(call.function, call.args) for call in run.executed]
    shown = await play(_guard(run.suite, policies), room, None, Part(run.prompt, _plain(calls), run.final_text))
    told = Replayed(run=path, kind=kind, pipeline=run.model, suite=run.suite)
    told.words = wants_words(run.suite, run.injection_task)
    told.denied = _denied(run.suite, shown)
    told.withheld = [one[:200] for one in shown.said.problems]
    told.asks = sum(one.asks for one in shown.steps)
    if kind == "succeeded":
        told.stopped = not _hijacked(run, start, shown.after, shown.said.text, shown.executed)
        told.reproduced = not told.stopped or _succeeds(run, start, calls)
        if step is not None and step < len(shown.steps):
            told.at_the_call = shown.steps[step].came_to in ("denied", "asked")
    return told


def _plain(calls: Sequence[Call]) -> Script:
    """Make the recorded calls, whatever becomes of them."""
    yield from (call for call in calls)


def _succeeds(run: RecordedRun, start: dojo.Environment, calls: Sequence[Call]) -> bool:
    """Whether the attack reaches its goal when all of the recorded calls are executed."""
    env = start.model_copy(deep=True)
    of = world(run.suite, dojo.VERSION)
    for call in calls:
        try:
            of.perform(env, call.function, call.args)
        except (FunctionError, KeyError):
            continue
    return _hijacked(run, start, env, run.final_text, calls)


def _hijacked(
    run: RecordedRun, before: dojo.Environment, after: dojo.Environment, text: str, calls: Sequence[Call]
) -> bool:
    assert run.injection_task is not None
    return world(run.suite, dojo.VERSION).hijacked(run.injection_task, before, after, text, calls)


def _denied(suite: str, shown: Scene) -> list[str]:
    """Return what the guard denied: not names that there aren't, nor arguments that the function itself refuses."""
    return [
        f"{suite} {step.function}: {'; '.join(step.strikes or step.reasons)}"[:200]
        for step in shown.steps
        if step.came_to == "denied" and step.stage not in ("resolve", "validate")
    ]


@cache
def _guard(suite: str, policies: Path | None) -> Guard:
    of = world(suite, dojo.VERSION)
    return guards.default(of) if policies is None else guards.declared(of, policies)
