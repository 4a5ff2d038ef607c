"""One world: a payment service, a system under test, some kills, and a person who answers."""

from __future__ import annotations

import asyncio
import json
import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING

from benchmarks.crash.bank import open_bank
from benchmarks.crash.contract import ANSWERS, ENDED, WAITING, names
from benchmarks.crash.findings import Event, Findings, Record
from benchmarks.crash.lives import KILLED

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from benchmarks.crash.bank import Bank
    from benchmarks.crash.lives import Life, Parent

LIVES = 40
"""More lives than any world needs: each kill and each round of questions takes one."""


@dataclass(frozen=True)
class Setting:
    """What is the same for all worlds of a campaign."""

    runs: int
    late: float
    """The longest time from a request to its commit."""

    settle: float
    think: float
    patience: float
    """Seconds that one life may take before what has not ended counts as stuck."""


@dataclass(frozen=True)
class AfterTime:
    """Kill from outside, so long after the first life's first append or a later life's start."""

    seconds: float


@dataclass(frozen=True)
class AtBoundary:
    """Let the process kill itself when it crosses its n-th journal boundary."""

    number: int


Kill = AfterTime | AtBoundary


@dataclass(frozen=True)
class Lived:
    """What one world has shown, and what later ones are planned from."""

    findings: Findings
    seconds: float
    """From the first append to the end of the first life."""

    boundaries: int
    """How many the first life crossed, where the system counts them."""

    note: str
    """Why the world did not end as worlds should, or nothing."""


class World:
    """Lives one world to its end."""

    def __init__(
        self, parent: Parent, bank: Bank, directory: Path, *, hook: str | None, mode: str, setting: Setting
    ) -> None:
        self._parent = parent
        self._hook = hook
        self._mode = mode
        self._setting = setting
        self._bank = bank
        self._directory = directory
        self._home = directory / "home"
        """The directory that belongs to the system under test."""

        self._record = Record()

    async def live(self, plan: Sequence[Kill]) -> Lived:
        """Go through life after life until all runs have ended, or something is wrong.

        After a kill the next life starts at once, as under a supervisor; what the kill has left is looked at
        in a copy, so that the look neither delays nor repairs anything.
        """
        self._home.mkdir()
        async with asyncio.TaskGroup() as looks:
            lives: list[Life] = []
            kills, note = list(plan), "more lives than any world needs"
            for number in range(LIVES):
                life = await self._one_life(kills.pop(0) if kills else None, first=not lives)
                lives.append(life)
                if life.code == WAITING:
                    if not await self._answer():
                        note = "a life waits for a person who was asked nothing new"
                        break
                elif life.code == KILLED and not life.overdue:
                    left = self._directory / f"left-{number}"
                    shutil.copytree(self._home, left)
                    received = (await self._bank.truth()).received
                    looks.create_task(self._look_after_kill(left, self._record.acknowledged(), received))
                else:
                    note = _why(life)
                    break
        return await self._judge(lives[0], note)

    async def _one_life(self, kill: Kill | None, *, first: bool) -> Life:
        env = {self._hook: str(kill.number)} if self._hook and isinstance(kill, AtBoundary) else {}
        life = await self._parent.live(self._argv(self._home), env, self._log)
        async with life.at_most(self._setting.patience):
            if isinstance(kill, AfterTime):
                await life.kill_after(kill.seconds, from_first_line=first)
            await life.end()
        self._record.acknowledge(_events(life, "ACK"))
        return life

    async def _has(self, home: Path) -> list[Event]:
        """Ask the system, in a process of its own, what it holds in this directory."""
        life = await self._parent.live([*self._argv(home), "--check"], {}, self._log)
        async with life.at_most(self._setting.patience):
            await life.end()
        if life.code != ENDED:
            raise RuntimeError(f"a check ended with {life.code}: {self._log.read_text()[-2000:]}")
        return _events(life, "HAS")

    async def _look_after_kill(self, left: Path, acknowledged: frozenset[Event], received: Mapping[str, int]) -> None:
        """Judge what a kill has left against what was acknowledged and asked for until then."""
        self._record.kills += 1
        self._record.inspect(await self._has(left), acknowledged, received, killed=True)

    async def _answer(self) -> bool:
        """Be the person: wait until no payment is on its way, then tell of each new question the truth."""
        paid = (await self._bank.quiet(self._setting.patience)).paid
        path = self._home / ANSWERS
        known: dict[str, str | None] = json.loads(path.read_text()) if path.exists() else {}
        asks = [event for event in await self._has(self._home) if event.kind == "ask"]
        answers = {f"{event.run} {event.seq}": paid.get(event.run, [None])[0] for event in asks}
        path.write_text(json.dumps(answers | known))
        return bool(set(answers) - set(known))

    async def _judge(self, first: Life, note: str) -> Lived:
        truth = await self._bank.quiet(self._setting.patience)
        has = await self._has(self._home)
        self._record.inspect(has, self._record.acknowledged(), truth.received, killed=False)
        if truth.worst_late > self._setting.settle:
            note = f"void: the service was {truth.worst_late:.1f} s late; its word is {self._setting.settle} s"
        findings = self._record.findings(has, truth.paid, names(self._setting.runs))
        return Lived(findings, first.seconds_after_first_line(), _boundaries(first), note)

    @property
    def _log(self) -> Path:
        return self._directory / "stderr.log"

    def _argv(self, home: Path) -> list[str]:
        options = {
            "--dir": home,
            "--runs": self._setting.runs,
            "--service": self._bank.address,
            "--mode": self._mode,
            "--settle": self._setting.settle,
            "--think": self._setting.think,
        }
        return [str(word) for pair in options.items() for word in pair]


async def live_world(
    parent: Parent,
    directory: Path,
    plan: Sequence[Kill],
    *,
    hook: str | None,
    mode: str,
    setting: Setting,
    seed: int,
) -> Lived:
    """Make a world in an empty directory and live it to its end."""
    async with open_bank(mode, setting.late, seed, directory / "ledger.jsonl") as bank:
        world = World(parent, bank, directory, hook=hook, mode=mode, setting=setting)
        return await world.live(plan)


def _why(life: Life) -> str:
    if life.overdue:
        return "a life took too long"
    return "" if life.code == ENDED else f"a life ended with {life.code}"


def _events(life: Life, word: str) -> list[Event]:
    lines = (line.split() for line in life.lines)
    return [Event(*words[1:4]) for words in lines if words and words[0] == word]


def _boundaries(life: Life) -> int:
    """Return how many boundaries the life says that it crossed; none for a system that doesn't count them."""
    said = (line.split() for line in life.lines if line.startswith("BOUNDARIES "))
    return max((int(words[1]) for words in said), default=0)
