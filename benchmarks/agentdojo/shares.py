"""Plays many pairs, in as many processes as there are processors."""

import asyncio
import logging
import os
from collections.abc import Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import cache

from benchmarks.agentdojo import guards, reviewers
from benchmarks.agentdojo.attackers import Pair, Play, wants_words
from benchmarks.agentdojo.guards import Guard
from benchmarks.agentdojo.knowing import ATTACKERS
from benchmarks.agentdojo.played import Played, Setting
from benchmarks.agentdojo.stage import Part, Scene, Step, play
from benchmarks.agentdojo.world import World, world

CHUNK = 12
"""How many pairs a process takes at once."""


def played(settings: Sequence[tuple[Setting, Sequence[Pair]]]) -> list[list[Played]]:
    """Play the pairs of each setting; return what became of them, in their order."""
    jobs = [(index, setting, chunk) for index, (setting, pairs) in enumerate(settings) for chunk in _chunks(pairs)]
    found: list[list[Played]] = [[] for _ in settings]
    with ProcessPoolExecutor(os.cpu_count() or 1) as pool:
        shares = pool.map(_share, (job[1] for job in jobs), (job[2] for job in jobs))
        for (index, _, _), share in zip(jobs, shares, strict=True):
            found[index].extend(share)
    return found


def _chunks(pairs: Sequence[Pair]) -> Iterable[Sequence[Pair]]:
    for first in range(0, len(pairs), CHUNK):
        yield pairs[first : first + CHUNK]


def _share(setting: Setting, pairs: Sequence[Pair]) -> list[Played]:
    logging.getLogger("interlock").setLevel(logging.CRITICAL)  # Each denial is an alert, and thousands are wanted here.
    return asyncio.run(_played(setting, pairs))


async def _played(setting: Setting, pairs: Sequence[Pair]) -> list[Played]:
    of = world(setting.suite)
    return [summed(of, pair, *await scene(setting, pair), utility=setting.utility) for pair in pairs]


async def scene(setting: Setting, pair: Pair) -> tuple[Play, Scene]:
    """Play one pair."""
    of = world(setting.suite)
    show = ATTACKERS[setting.attacker].play(of, pair)
    reviewer = reviewers.of(setting.reviewer, f"{setting.suite}/{pair.user_task}/{pair.injection_task}")
    parts = [*show.earlier, Part(of.prompt(pair.user_task), show.script, show.text)]
    return show, await play(guard(setting), show.room, reviewer, *parts)


@cache
def guard(setting: Setting) -> Guard:
    """Return what holds the agent in a setting."""
    of = world(setting.suite)
    whole = guards.default(of) if setting.policies is None else guards.declared(of, setting.policies)
    return guards.ablated(whole, of, setting.parts)


def summed(of: World, pair: Pair, show: Play, shown: Scene, *, utility: bool = True) -> Played:
    """Count what happened, and have it judged by the suite: the user's task too, where somebody wants to know."""
    words = wants_words(of.name, pair.injection_task)
    acted = words or any(step.whose == "attacker" and step.came_to == "done" for step in shown.steps)
    seen = (shown.before, shown.after, shown.said.text, shown.executed)
    solved = utility and of.solved(pair.user_task, *seen)
    if show.reached is not None:
        hijacked = show.reached(shown)
    else:
        hijacked = pair.injection_task is not None and acted and of.hijacked(pair.injection_task, *seen)
    return Played(
        user_task=pair.user_task,
        injection_task=pair.injection_task,
        words=words,
        solved=solved,
        hijacked=hijacked,
        tried=any(step.whose != "user" for step in shown.steps),
        asks=sum(step.asks for step in shown.steps if step.whose == "user"),
        asks_attack=sum(step.asks for step in shown.steps if step.whose != "user"),
        denied=sum(step.came_to == "denied" for step in shown.steps if step.whose == "user"),
        stopped=_stopped(shown),
    )


def _stopped(shown: Scene) -> list[str]:
    """Return what was not done for the user, and why; what was not said to him among it."""
    calls = [step for step in shown.steps if step.whose == "user" and step.came_to in ("denied", "asked")]
    return [*(_said(step) for step in calls), *(f"withheld: {one}" for one in shown.said.problems)]


def _said(step: Step) -> str:
    return f"{step.function} {step.came_to}: {'; '.join(step.strikes or step.reasons)}"
