"""One pair, told call by call: where its values came from, what speaks against it, what it came to."""

import asyncio
from pathlib import Path
from typing import Any

from benchmarks.agentdojo.attackers import Pair
from benchmarks.agentdojo.courses import pairs
from benchmarks.agentdojo.played import Setting
from benchmarks.agentdojo.shares import scene, summed
from benchmarks.agentdojo.stage import Step
from benchmarks.agentdojo.world import world


def explained(words: list[str], policies: Path | None, attacker: str, reviewer: str) -> str:
    """Return the story of `SUITE USER_TASK [INJECTION_TASK]`."""
    suite, user_task, *rest = words
    of = world(suite)
    injection_task = rest[0] if rest else None
    number = next(
        (one.number for one in pairs(of) if (one.user_task, one.injection_task) == (user_task, injection_task)), 0
    )
    pair = Pair(user_task, injection_task, number)
    chosen = "nobody" if attacker == "direct" and not rest else attacker
    setting = Setting(suite, policies, "both", chosen, reviewer)
    show, shown = asyncio.run(scene(setting, pair))
    judged = summed(of, pair, show, shown)
    head = [f"user: {of.prompt(user_task)}"]
    if injection_task is not None:
        head.append(f"attacker: {of.goal(injection_task)}")
    end = [f"says: {shown.said.text}", *(f"    withheld {one}" for one in shown.said.problems)]
    end.append(f"solved: {judged.solved}   hijacked: {judged.hijacked}")
    return "\n".join([*head, "", *(line for step in shown.steps for line in _told(step)), "", *end])


def _told(step: Step) -> list[str]:
    args = ", ".join(f"{name}={_short(value)}" for name, value in step.args.items())
    asked = f", {step.asks} questions" if step.asks else ""
    lines = [f"[{step.whose}] {step.function}({args})", f"    -> {step.came_to} {step.stage}".rstrip() + asked]
    lines += [f"    origin {_short(one, 300)}" for one in step.origins or ()]
    lines += [f"    strike {one}" for one in step.strikes]
    lines += [f"    reason {one}" for one in step.reasons]
    return lines


def _short(value: Any, most: int = 80) -> str:
    text = repr(value)
    return text if len(text) <= most else f"{text[:most]}…"
