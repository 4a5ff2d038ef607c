"""Chooses on the first half of the stream: bucket and threshold of each scope, quotas; and looks at the memory."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from benchmarks.limits.figures import false_alarms, recall
from benchmarks.limits.limit import Quota, Unusual
from benchmarks.limits.play import Played, play
from benchmarks.limits.stream import SCOPES, SECOND
from interlock.guardian.rates import HALF_LIFE, WARM_UP, Surge

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchmarks.limits.bursts import Burst
    from benchmarks.limits.stream import Call

BUCKETS = {"10 s": 10 * SECOND, "1 min": 60 * SECOND, "5 min": 300 * SECOND}
THRESHOLDS = (3, 4, 6)
MEMORIES = ((20, 10), (20, 30), (HALF_LIFE, WARM_UP), (60, 100), (240, 30))
HOUR = 3600 * SECOND
MOST_FALSE = 10.0
"""A bucket and a threshold are chosen among those that deny at most so many of 1,000 real calls."""
QUOTA_FALSE = 1.0
_QUOTAS = (2, 3, 5, 8, 10, 15, 20, 30, 50, 80, 120)


@dataclass(frozen=True, slots=True)
class Half:
    """A part of the stream: its calls with those before, its bursts, and from when on calls count."""

    calls: Sequence[Call]
    bursts: Sequence[Burst]
    count_from: int

    def unusual(
        self, scope: str, bucket: str, threshold: float, memory: tuple[int, int] = (HALF_LIFE, WARM_UP)
    ) -> Played:
        """Play it against the surge detector."""
        half_life, warm_up = memory
        return play(
            self.calls,
            self.bursts,
            SCOPES[scope],
            lambda: Unusual(Surge(BUCKETS[bucket], half_life=half_life, warm_up=warm_up), threshold),
            self.count_from,
        )


def surges(half: Half) -> dict[str, tuple[str, int]]:
    """Return of each scope the bucket and threshold that find most bursts of 10 and more in a minute.

    Where none has few enough false alarms, the one with the fewest.
    """
    return {scope: _best(half, scope) for scope in SCOPES}


def _best(half: Half, scope: str) -> tuple[str, int]:
    rated: list[tuple[bool, float, float, tuple[str, int]]] = []
    for bucket in BUCKETS:
        for threshold in THRESHOLDS:
            played = half.unusual(scope, bucket, threshold)
            false = false_alarms(played)
            found = sum(recall(played, SCOPES[scope].by, "minute", size) for size in (10, 30, 100))
            few = false <= MOST_FALSE
            rated.append((few, found if few else 0.0, -false, (bucket, threshold)))
    return max(rated)[-1]


def quota(half: Half, scope: str) -> int:
    """Return the least number within an hour that denies at most one of 1,000 real calls."""
    return next(most for most in _QUOTAS if _falsely_over(half, scope, most) <= QUOTA_FALSE)


def _falsely_over(half: Half, scope: str, most: int) -> float:
    return false_alarms(play(half.calls, (), SCOPES[scope], lambda: Quota(most, HOUR), half.count_from))


def memories(half: Half) -> list[dict[str, Any]]:
    """Return what other half-lives and warm-ups would change, with buckets of a minute and threshold 4."""
    rows: list[dict[str, Any]] = []
    for scope in ("an effect, agent", "an effect, user"):
        for memory in MEMORIES:
            played = half.unusual(scope, "1 min", 4, memory)
            found = {str(size): recall(played, SCOPES[scope].by, "minute", size) for size in (10, 30)}
            rows.append(
                {"scope": scope, "half_life": memory[0], "warm_up": memory[1], "recall": found}
                | {"false_alarms_per_1000": false_alarms(played), "cold": round(played.cold / played.calls, 3)}
            )
    return rows
