"""kill -9 while an application pays, at random instants; it is started again until all its tasks are finished."""

import asyncio
import random
import statistics
from collections import Counter
from dataclasses import dataclass, field
from itertools import count

from benchmarks.adapters import journal, scene
from benchmarks.adapters.app import App, heard
from benchmarks.adapters.ledger import Truth
from benchmarks.adapters.script import pay_task
from benchmarks.crash.lives import KILLED, Life

AMOUNT = 40
"""What each order costs: the policy asks nobody about it."""

KILLS = 2
"""How often a world is killed: the recovery from the first kill is killed too."""

CLEAN = 3
"""How many lives without a kill a task may take to its end, after the last kill."""

BROKEN = 1
"""The exit code of a life that could not even begin, or not end."""

ROUNDS = 20
"""In how many rounds kills that came too late, because a life had ended, are tried anew."""


@dataclass(frozen=True)
class Setting:
    """How much is killed."""

    kills: int
    """For each application."""

    tasks: int
    """In a world, one after the other."""

    patience: float
    """Seconds that a life may take."""


@dataclass
class Figures:
    """What the kills of one application have shown."""

    kills: int = 0
    tasks: int = 0
    unheard: int = 0
    """Bookings whose payer was killed before it heard of them: each is a chance to pay twice."""

    duplicates: int = 0
    """Bookings beyond the first for one order."""

    lost: int = 0
    """Tasks that said that they were finished, without their payment at the bank and without asking anybody."""

    stuck: int = 0
    """Tasks that did not finish in lives without a kill."""

    asked: int = 0
    """Questions to a person."""

    problems: Counter[str] = field(default_factory=Counter[str])


class World:
    """One application with a folder of its own and some orders to pay."""

    def __init__(self, campaign: "Campaign", name: str) -> None:
        self._campaign = campaign
        self._home = campaign.app.scratch / name
        self.tasks = {f"run-{order}": pay_task(order, AMOUNT) for order in self._orders(name)}
        self.finished: dict[str, str] = {}
        self.kills = 0
        self.problems: list[str] = []

    def _orders(self, name: str) -> list[str]:
        orders = [f"{name}-{number}" for number in range(self._campaign.setting.tasks)]
        scene.orders(self._home, orders, AMOUNT)
        return orders

    @property
    def pending(self) -> dict[str, str]:
        """The tasks that have not said that they are finished."""
        return {run: task for run, task in self.tasks.items() if run not in self.finished}

    async def live(self, kills: list[float]) -> float:
        """Go through the kills, then let it live to its end; return how long the last life took, from its first line.

        A kill is a share of the time that all tasks usually take; one that comes too late is none.
        """
        seconds = 0.0
        for share in kills:
            if self.pending:
                seconds = await self._life(share * self._campaign.usual)
        for _ in range(CLEAN):
            if self.pending:
                seconds = await self._life(None)
        return seconds

    async def asked(self) -> int:
        return await journal.asked(self._home)

    async def _life(self, kill: float | None) -> float:
        life = await self._campaign.app.work(self._home, self.pending)
        async with life.at_most(self._campaign.setting.patience):
            if kill is not None:
                await life.kill_after(kill, from_first_line=True)
            await life.end()
        self.kills += life.code == KILLED and not life.overdue
        self._hear(life)
        return life.seconds_after_first_line()

    def _hear(self, life: Life) -> None:
        self.finished |= {said["run"]: said["says"] for said in heard(life, "DONE")}
        self.problems += [said["error"] for said in heard(life, "FAILED")]
        if life.overdue:
            self.problems.append("a life took too long")
        elif life.code == BROKEN:
            self.problems.append("a life ended with an error outside of its tasks")


class Campaign:
    """All kills of one application."""

    def __init__(self, app: App, setting: Setting, slots: asyncio.Semaphore) -> None:
        self.app = app
        self.setting = setting
        self.usual = 0.0
        """How long all tasks of a world usually take, in seconds."""

        self._slots = slots
        self._names = (f"{app.name}-{number}" for number in count())
        self._draw = random.Random(app.name)

    async def run(self) -> Figures:
        quiet = await self._worlds([[], []])
        self.usual = statistics.mean(seconds for _, seconds in quiet)
        worlds = [world for world, _ in quiet]
        for _ in range(ROUNDS):
            missing = self.setting.kills - sum(world.kills for world in worlds)
            if missing <= 0:
                break
            worlds += [world for world, _ in await self._worlds(self._plans(missing))]
        return await self._judge(worlds)

    def _plans(self, kills: int) -> list[list[float]]:
        sizes = [KILLS] * (kills // KILLS) + [1] * (kills % KILLS)
        return [[self._draw.random() for _ in range(size)] for size in sizes]

    async def _worlds(self, plans: list[list[float]]) -> list[tuple[World, float]]:
        return await asyncio.gather(*(self._world(plan) for plan in plans))

    async def _world(self, plan: list[float]) -> tuple[World, float]:
        async with self._slots:
            world = World(self, next(self._names))
            return world, await world.live(plan)

    async def _judge(self, worlds: list[World]) -> Figures:
        truth = await self.app.bank.truth()
        figures = Figures()
        for world in worlds:
            asked_here = await world.asked()
            figures.kills += world.kills
            figures.tasks += len(world.tasks)
            figures.asked += asked_here
            figures.stuck += len(world.pending)
            figures.problems.update(world.problems)
            _count(figures, world, truth, asked_here)
        return figures


def _count(figures: Figures, world: World, truth: Truth, asked_here: int) -> None:
    orders = [run.removeprefix("run-") for run in world.tasks]
    figures.unheard += sum(truth.unheard[order] for order in orders)
    figures.duplicates += sum(max(truth.booked(order) - 1, 0) for order in orders)
    unpaid = sum(truth.booked(run.removeprefix("run-")) == 0 for run in world.finished)
    figures.lost += max(unpaid - asked_here, 0)
