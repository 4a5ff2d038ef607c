"""What is found: every write, gold call and mutant with the guardian's decision and the referee's reading."""

import json
import random
from collections.abc import Sequence
from typing import Any, cast

from msgspec import Struct

from benchmarks.tau import judging, mutants, referee, referee_yes
from benchmarks.tau.desk import Conversation
from benchmarks.tau.judging import Decision, Judge
from benchmarks.tau.recorded import Call, Trajectory
from benchmarks.tau.world import World


class Finding(Struct):
    """One call as it was judged.

    `breaks` are the sentences that the referee reads as broken, the one on confirmation aside; `unconfirmed` is why the
    referee sees no yes. `changes` says whether it changed anything (an API's refusal does not). `operator` is that of a
    mutant. `nearest` says how a wrong write differs from the gold call most like it, `unlike` in which arguments.
    """

    where: str
    call: str
    name: str
    decision: Decision
    breaks: list[str]
    unconfirmed: str
    is_gold: bool
    is_success: bool
    changes: bool
    operator: str = ""
    nearest: str = ""
    unlike: list[str] = []

    @property
    def is_wrong(self) -> bool:
        """Whether it is a wrong write: it changed something, and no gold call has its name and arguments."""
        return self.changes and not self.is_gold

    @property
    def is_unread(self) -> bool:
        """Whether policy and referee disagree about the sentences other than the one on confirmation."""
        return bool(self.decision.rules) != bool(self.breaks)


class Findings(Struct):
    """All of them, by where they come from; `successes` and `trajectories` are numbers."""

    trajectories: int
    successes: int
    writes: list[Finding]
    gold: list[Finding]
    mutants: list[Finding]
    gold_mutants: list[Finding]


async def found(world: World, trajectories: Sequence[Trajectory], at_most: int | None) -> Findings:
    """Judge every recorded write, the gold writes of every task, and mutants of both; *at_most* so many of a write."""
    runtime, desk = Judge.open()
    async with runtime:
        search = _Search(world, Judge(runtime, desk), random.Random(mutants.SEED), at_most)
        for one in trajectories:
            await search.through(one)
        for one in {each.task: each for each in trajectories}.values():
            await search.through_gold(one)
    told = search.told
    told.trajectories = len(trajectories)
    told.successes = sum(one.is_success for one in trajectories)
    return told


class _Search:
    """Collects findings on its way through the conversations."""

    def __init__(self, world: World, judge: Judge, chance: random.Random, at_most: int | None) -> None:
        self._world = world
        self._judge = judge
        self._chance = chance
        self._at_most = at_most
        self.told = Findings(0, 0, [], [], [], [])

    async def through(self, trajectory: Trajectory) -> None:
        """Judge the writes of a conversation; those of a success that are done also as mutants."""

        async def see(conversation: Conversation, call: Call) -> None:
            decision = await self._judge.decide(conversation, call)
            finding = await _finding(trajectory, conversation, call, decision)
            self.told.writes.append(finding)
            if trajectory.is_success and finding.changes and not decision.is_stopped:
                self.told.mutants += await self._mutated(trajectory, conversation, call, given=False)

        await judging.through(self._world, trajectory, see)

    async def through_gold(self, trajectory: Trajectory) -> None:
        """Judge the gold writes of a task with the confirmation given, and their mutants by the rules alone."""

        async def see(conversation: Conversation, call: Call) -> None:
            decision = await self._judge.decide(conversation, call, given=True)
            finding = await _finding(trajectory, conversation, call, decision)
            finding.where, finding.unconfirmed = f"task {trajectory.task}", ""
            self.told.gold.append(finding)
            if not decision.is_stopped:
                self.told.gold_mutants += await self._mutated(trajectory, conversation, call, given=True)

        await judging.through_gold(self._world, trajectory, see)

    async def _mutated(
        self, trajectory: Trajectory, conversation: Conversation, call: Call, *, given: bool
    ) -> list[Finding]:
        made = mutants.mutants(conversation.world, call, trajectory.gold, self._chance)
        if self._at_most is not None and len(made) > self._at_most:
            made = self._chance.sample(made, self._at_most)
        findings: list[Finding] = []
        for mutant in made:
            decision = await self._judge.decide(conversation, mutant.call, given=given)
            finding = await _finding(trajectory, conversation, mutant.call, decision)
            finding.operator = mutant.operator
            findings.append(finding)
        return findings


async def _finding(trajectory: Trajectory, conversation: Conversation, call: Call, decision: Decision) -> Finding:
    world, said = conversation.world, conversation.said
    is_gold = trajectory.is_gold(call)
    gold = None if is_gold else _most_like(trajectory, call)
    unlike = [] if gold is None else _unlike(gold, call)
    return Finding(
        where=trajectory.id,
        call=str(call),
        name=call.name,
        decision=decision,
        breaks=referee.broken(world, said, call.name, call.args),
        unconfirmed=referee_yes.is_unconfirmed(world, said, call.name, call.args),
        is_gold=is_gold,
        is_success=trajectory.is_success,
        changes=await judging.changes(conversation, call),
        nearest=_differs(gold, call, unlike),
        unlike=unlike,
    )


def _most_like(trajectory: Trajectory, call: Call) -> Call | None:
    """Return the gold call of the same name with the fewest other arguments."""
    alike = [one for one in trajectory.gold if one.name == call.name]
    return min(alike, key=lambda one: len(_unlike(one, call)), default=None)


def _unlike(gold: Call, call: Call) -> list[str]:
    return [name for name, value in call.args.items() if gold.args.get(name) != value]


def _differs(gold: Call | None, call: Call, unlike: Sequence[str]) -> str:
    if gold is None:
        return f"the task has no {call.name}"
    return ", ".join(f"{name} is {_short(call.args[name])}, gold {_short(gold.args.get(name))}" for name in unlike)


def _short(value: Any) -> str:
    """Return a value as JSON, or a list of records as their values."""
    if not isinstance(value, list):
        return json.dumps(value)
    records = cast("list[dict[str, Any]]", value)
    return "[" + ", ".join(" ".join(map(str, one.values())) for one in records) + "]"
