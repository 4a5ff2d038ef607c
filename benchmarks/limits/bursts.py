"""What is injected: an action that the agent really has, repeated many times in a minute, or slowly over an hour."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from benchmarks.limits.stream import SECOND, USERS, Call

if TYPE_CHECKING:
    from collections.abc import Sequence

By = Literal["user", "agent"]
SIZES = (5, 10, 30, 100)
SPANS = {"minute": 60 * SECOND, "hour": 3600 * SECOND}


@dataclass(frozen=True, slots=True)
class Burst:
    """Calls that don't belong: of one action, for one user, or for many users of one agent."""

    by: By
    span: str
    size: int
    calls: tuple[Call, ...]

    @property
    def begin(self) -> int:
        """The moment of the first call."""
        return self.calls[0].at


def bursts(calls: Sequence[Call], within: tuple[int, int], times: int, seed: int) -> list[Burst]:
    """Return *times* bursts of each kind and size between two moments, in the order of time.

    Each repeats an effect that a recorded run had: where it comes, the action has a history.
    """
    dice = random.Random(seed)
    effects = [call for call in calls if call.effect]
    made = [
        _burst(dice, dice.choice(effects), by, span, size, within)
        for by in ("user", "agent")
        for span in SPANS
        for size in SIZES
        for _ in range(times)
    ]
    return sorted(made, key=lambda burst: burst.begin)


def _burst(  # noqa: PLR0917 - a burst is all of this
    dice: random.Random, like: Call, by: By, span: str, size: int, within: tuple[int, int]
) -> Burst:
    begin = dice.randrange(within[0], within[1] - SPANS[span])
    moments = sorted(begin + dice.randrange(SPANS[span]) for _ in range(size))
    users = [like.user if by == "user" else dice.randrange(USERS) for _ in moments]
    return Burst(
        by, span, size, tuple(like._replace(at=at, user=user) for at, user in zip(moments, users, strict=True))
    )
