"""All kills of one system: which worlds there are, what is killed when, and what came of it."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from contextlib import AsyncExitStack
from dataclasses import dataclass, field, replace
from itertools import count
from typing import TYPE_CHECKING

from benchmarks import _convention as convention
from benchmarks.crash.findings import Findings
from benchmarks.crash.lives import parent
from benchmarks.crash.service import MODES
from benchmarks.crash.world import AfterTime, AtBoundary, live_world

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from benchmarks.crash.lives import Parent, System
    from benchmarks.crash.world import Kill, Lived, Setting

NEVER = 10**9
"""A boundary that no life reaches: the process counts its boundaries and tells."""

AGAIN = 20
"""Rounds in which kills that came too late, because the life had already ended, are tried anew."""


@dataclass(frozen=True)
class Budget:
    """How much is killed."""

    kills: int
    """At random instants, over all three services."""

    every: int
    """Of a life's journal boundaries, kill at each n-th."""

    boundary_runs: int
    """Runs of a world that is killed at a boundary: few, so that each boundary is some run's own."""

    at_once: int


@dataclass
class Report:
    """What a campaign has found, by service."""

    by_mode: dict[str, Findings] = field(default_factory=lambda: {mode: Findings() for mode in MODES})
    boundaries: int = 0
    """Kills at journal boundaries among all kills."""

    notes: Counter[str] = field(default_factory=Counter[str])

    def total(self) -> Findings:
        return sum(self.by_mode.values(), Findings())

    def add(self, mode: str, lived: Lived) -> None:
        self.by_mode[mode] += lived.findings
        if lived.note:
            self.notes[f"{mode}: {lived.note}"] += 1


class Campaign:
    """Lives worlds of one system, several at once: they mostly wait for the payment service."""

    def __init__(self, system: System, parent: Parent, setting: Setting, budget: Budget, scratch: Path) -> None:
        self._system = system
        self._parent = parent
        self._setting = setting
        self._budget = budget
        self._scratch = scratch
        self._slots = asyncio.Semaphore(budget.at_once)
        self._seeds = count(1)
        """Each world has a seed of its own: in its number, everything random about it has its root."""

        self._report = Report()

    async def run(self) -> Report:
        quiet = dict(zip(MODES, await self._worlds([(mode, ()) for mode in MODES]), strict=True))
        await self._random_kills({mode: lived.seconds for mode, lived in quiet.items()})
        if self._system.hook:
            await self._boundary_kills()
        return self._report

    async def _random_kills(self, seconds: dict[str, float]) -> None:
        """Kill at instants uniform over a life, until there were as many kills as planned."""
        wanted = Counter({mode: _share(self._budget.kills, index) for index, mode in enumerate(MODES)})
        for _ in range(AGAIN):
            plans = [(mode, plan) for mode in MODES for plan in self._plans(wanted[mode], seconds[mode])]
            lived = await self._worlds(plans)
            for (mode, _), each in zip(plans, lived, strict=True):
                wanted[mode] -= each.findings.kills
            if not +wanted:
                break

    def _plans(self, kills: int, seconds: float) -> Iterator[list[Kill]]:
        """Split the kills among worlds: one kill in a world, or two, so that a recovery is killed as well."""
        draw = random.Random(f"{self._system.name}/{next(self._seeds)}")
        while kills > 0:
            here = min(kills, draw.choice((1, 2)))
            yield [AfterTime(draw.uniform(0, seconds)) for _ in range(here)]
            kills -= here

    async def _boundary_kills(self) -> None:
        """Kill at each journal boundary of a small world, and now and then early in the recovery too."""
        small = replace(self._setting, runs=self._budget.boundary_runs)
        counted = await self._worlds([(mode, (AtBoundary(NEVER),)) for mode in MODES], small)
        plans: list[tuple[str, Sequence[Kill]]] = []
        for mode, lived in zip(MODES, counted, strict=True):
            for number in range(1 + self._budget.every // 2, lived.boundaries + 1, self._budget.every):
                again = [AtBoundary(1 + number % 5)] if number % 3 == 0 else []
                plans.append((mode, [AtBoundary(number), *again]))
        self._report.boundaries = sum(lived.findings.kills for lived in await self._worlds(plans, small))

    async def _worlds(self, plans: Sequence[tuple[str, Sequence[Kill]]], setting: Setting | None = None) -> list[Lived]:
        return await asyncio.gather(*(self._world(mode, plan, setting) for mode, plan in plans))

    async def _world(self, mode: str, plan: Sequence[Kill], setting: Setting | None) -> Lived:
        async with self._slots:
            seed = next(self._seeds)
            directory = self._scratch / f"{self._system.name}-{seed}"
            directory.mkdir()
            lived = await live_world(
                self._parent,
                directory,
                plan,
                hook=self._system.hook,
                mode=mode,
                setting=setting or self._setting,
                seed=seed,
            )
        self._report.add(mode, lived)
        return lived


async def campaign(system: System, setting: Setting, budget: Budget) -> Report:
    """Run all worlds of one system on the project's own disk and return what they have shown."""
    async with AsyncExitStack() as stack:
        scratch = stack.enter_context(convention.scratch())
        warm = await stack.enter_async_context(parent(system))
        return await Campaign(system, warm, setting, budget, scratch).run()


def _share(kills: int, index: int) -> int:
    """Split the kills evenly among the services; what is left over goes to the last, where it is hardest."""
    return (kills + index) // len(MODES)
