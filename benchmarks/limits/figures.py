"""What is read off a play: false alarms, recall by kind and size of burst, how many calls a burst got through."""

from __future__ import annotations

import statistics
from typing import TYPE_CHECKING, Any

from benchmarks.limits.bursts import SIZES, SPANS, By

if TYPE_CHECKING:
    from benchmarks.limits.play import Played


def false_alarms(played: Played) -> float:
    """Return how many of 1,000 real calls were denied."""
    return round(played.denied / played.calls * 1000, 2)


def recall(played: Played, by: By, span: str, size: int) -> float:
    """Return the share of such bursts of which at least one call was denied."""
    return round(statistics.mean(fate.caught for fate in _fates(played, by, span, size)), 3)


def before(played: Played, by: By, span: str, size: int) -> float | None:
    """Return how many calls of such a burst passed before the first was denied: the median of those caught."""
    found = [fate.before for fate in _fates(played, by, span, size) if fate.caught]
    return float(statistics.median(found)) if found else None


def through(played: Played, by: By, span: str, size: int) -> int:
    """Return how many calls of such a burst went through at most."""
    return max(fate.through for fate in _fates(played, by, span, size))


def every(played: Played, days: float) -> dict[str, Any]:
    """Return all figures of a play."""
    return {
        "calls": played.calls,
        "false_alarms_per_1000": false_alarms(played),
        "alarms_per_day": round(played.alarms / days, 2),
        "cold": round(played.cold / played.calls, 3),
        "bursts": {
            f"{by}, {span}, {size}": {
                "recall": recall(played, by, span, size),
                "before": before(played, by, span, size),
                "through_at_most": through(played, by, span, size),
            }
            for by in ("user", "agent")
            for span in SPANS
            for size in SIZES
        },
    }


def _fates(played: Played, by: By, span: str, size: int) -> list[Any]:
    return [fate for fate in played.fates if (fate.burst.by, fate.burst.span, fate.burst.size) == (by, span, size)]
