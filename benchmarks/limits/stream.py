"""A stream of real calls: the recorded runs, arriving over days as conversations of an application would.

What is real: which calls a run makes, in which turns, and how long it took. What is made up, by a seed: when each
conversation begins (a Poisson process whose rate is 19 times higher at 14:00 than at 02:00) and which of the
users it belongs to (the busiest have most). A run's turns lie at equal distances in its recorded duration, the
calls of one turn at the same moment.
"""

from __future__ import annotations

import math
import random
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from benchmarks.replay import fetch, selection
from benchmarks.replay.catalog import Kind, kind

if TYPE_CHECKING:
    from collections.abc import Sequence

SECOND = 1_000_000
DAY = 86_400 * SECOND
USERS = 300
RUNS_A_DAY = 880
MOST_DAYS = 12
"""For how many days there are runs."""
_QUIETEST_HOUR = 2
_SWING = 0.9
_Times = tuple[str, float, list[list[str]]]  # suite, seconds, the functions of each turn


class Call(NamedTuple):
    """One call: when, in microseconds since the stream's beginning, by which agent, which action, for whom."""

    at: int
    agent: str
    action: str
    user: int

    @property
    def effect(self) -> bool:
        """Whether it changes something, or lets something out of the house."""
        known = kind(self.agent, self.action)
        return known is not None and known is not Kind.READ


Key = tuple[object, ...]


@dataclass(frozen=True, slots=True)
class Scope:
    """What is counted together: one action or all of them, for one agent or one user.

    Who limits one action limits an effect, so reads count only where all actions do.
    """

    by: Literal["user", "agent"]
    effects: bool

    def key(self, call: Call) -> Key:
        """Return what a call is counted under."""
        whose = call.user if self.by == "user" else call.agent
        return (whose, call.action) if self.effects else (whose,)


SCOPES = {
    "an effect, agent": Scope("agent", effects=True),
    "an effect, user": Scope("user", effects=True),
    "all, agent": Scope("agent", effects=False),
    "all, user": Scope("user", effects=False),
}


def recorded() -> list[_Times]:
    """Return every published run that a model without a defence made."""
    source = fetch.archive()
    return [
        (content["suite_name"], content["duration"], turns)
        for _, content in sorted(fetch.read(source, selection.candidate))
        if (turns := _turns(content["messages"]))
    ]


def _turns(messages: list[dict[str, Any]]) -> list[list[str]]:
    asked = (message["tool_calls"] for message in messages if message["role"] == "assistant")
    return [[call["function"] for call in calls] for calls in asked if calls]


def stream(runs: Sequence[_Times], days: int, seed: int) -> list[Call]:
    """Return the calls in the order of time, from as many runs as *days* have, taken at equal distances from all."""
    number = min(len(runs), RUNS_A_DAY * days)
    dice = random.Random(seed)
    chosen = [runs[place * len(runs) // number] for place in range(number)]
    weights = [1 / math.sqrt(rank) for rank in range(1, USERS + 1)]
    owners = dice.choices(range(USERS), weights, k=number)
    calls = (call for run, user in zip(chosen, owners, strict=True) for call in _calls(run, user, _begin(dice, days)))
    return sorted(calls)


def _begin(dice: random.Random, days: int) -> float:
    """Return a second of the days; given their number, the arrivals of a Poisson process lie like this."""
    while True:
        second = dice.random() * days * 86_400
        rate = 1 - _SWING * math.cos(2 * math.pi * (second / 3600 - _QUIETEST_HOUR) / 24)
        if dice.random() * (1 + _SWING) < rate:
            return second


def _calls(run: _Times, user: int, begin: float) -> list[Call]:
    agent, duration, turns = run
    gap = duration / (len(turns) + 1)
    return [
        Call(round((begin + gap * number) * SECOND), agent, action, user)
        for number, actions in enumerate(turns, 1)
        for action in actions
    ]
