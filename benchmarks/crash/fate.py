"""What becomes of a request: how late it is committed, and whether its caller ever hears of it."""

from __future__ import annotations

import random
from dataclasses import dataclass
from enum import Enum

OUTAGE = 4
"""From this request for one payment on, all goes well: an outage ends."""


class Ending(Enum):
    ANSWERED = "committed, then answered"
    MUTE = "committed, then closed without an answer"
    DROPPED = "closed without an answer at once, and committed all the same"
    LOST = "closed without an answer, and never committed"


@dataclass(frozen=True)
class Fate:
    ending: Ending
    late: float
    """Seconds from the request to its commit, or for a lost one to the hang-up."""


def fate(seed: int, reference: str, attempt: int, longest: float) -> Fate:
    """Return the fate of one attempt: a function of its arguments, so that it doesn't hang on who comes
    first.
    """
    if attempt >= OUTAGE:
        return Fate(Ending.ANSWERED, 0.0)
    draw = random.Random(f"{seed}/{reference}/{attempt}")
    return Fate(_ending(draw.random()), _late(draw.random(), draw.random(), longest))


def _ending(share: float) -> Ending:
    """Answer most requests, and split the rest among the three ways to leave a caller in the dark."""
    if share < 0.70:
        return Ending.ANSWERED
    if share < 0.80:
        return Ending.MUTE
    return Ending.DROPPED if share < 0.90 else Ending.LOST


def _late(share: float, part: float, longest: float) -> float:
    """Commit most payments soon, some at any time, and one in ten as late as the service ever is."""
    if share < 0.60:
        return part * longest / 50
    return part * longest if share < 0.90 else longest
