"""Open loop: conversations with a slow model, arriving steadily; the figure is an action's added latency.

A run's model takes `model_s` seconds a turn. Run i is due at i/runs of that time and once every `model_s`
from then on, whatever the system needed before: a slow system meets the same load as a fast one. All runs
are under way from the first action to the last, so the load is the same throughout, `runs / model_s` turns
and actions a second.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import math
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks._convention import peak_rss_mb

if TYPE_CHECKING:
    from collections.abc import Sequence

Part = Callable[[int, int], Awaitable[object]]
_LEAD_S = 0.2  # so that the first run isn't late before all runs sleep


@dataclass(frozen=True)
class Load:
    """How many runs are under way, how long their model takes for a turn, how many turns each has."""

    dir: Path
    runs: int
    model_s: float
    turns: int


@dataclass(frozen=True)
class Waits:
    """In milliseconds: each action from proposal to outcome; how late the loop noticed each due turn."""

    actions: Sequence[float]
    lateness: Sequence[float]


def load(purpose: str | None, words: Sequence[str] | None = None) -> Load:
    """Read the arguments that every open-loop script takes, from the command line or from `words`."""
    parser = argparse.ArgumentParser(description=purpose)
    parser.add_argument("--dir", type=Path, required=True, help="a fresh directory on the disk to measure")
    parser.add_argument("--runs", type=int, required=True)
    parser.add_argument("--model-s", type=float, required=True, help="seconds that the model takes for a turn")
    parser.add_argument("--turns", type=int, required=True)
    return Load(**vars(parser.parse_args(words)))


async def drive(load: Load, *, turn: Part, act: Part) -> Waits:
    """Drive all runs: `turn(i, n)` records the answer of run i's model, `act(i, n)` performs its proposal.

    The model's time is slept here, so it is the same for every system. Whatever a system does to open a run
    belongs before this call. The action under test is instant, therefore all of `act`'s time was added by
    the system.
    """
    begin = time.perf_counter() + _LEAD_S
    actions: list[float] = []
    lateness: list[float] = []

    async def one(run: int) -> None:
        for number in range(load.turns):
            due = begin + load.model_s * (run / load.runs + number)
            await asyncio.sleep(due - time.perf_counter())
            lateness.append((time.perf_counter() - due) * 1000)
            await turn(run, number)
            proposed = time.perf_counter()
            await act(run, number)
            actions.append((time.perf_counter() - proposed) * 1000)

    await asyncio.gather(*(one(run) for run in range(load.runs)))
    return Waits(actions, lateness)


def report(waits: Waits) -> None:
    """Print the one JSON line that every open-loop script owes."""
    line = {
        "p50_ms": percentile(waits.actions, 50),
        "p99_ms": percentile(waits.actions, 99),
        "max_ms": max(waits.actions),
        "p99_late_ms": percentile(waits.lateness, 99),
        "actions": len(waits.actions),
        "rss_mb": peak_rss_mb(),
    }
    print(json.dumps(line))


def percentile(values: Sequence[float], share: float) -> float:
    """Return the smallest value that at least `share` percent of the values don't exceed (nearest rank)."""
    return sorted(values)[max(math.ceil(len(values) * share / 100), 1) - 1]
