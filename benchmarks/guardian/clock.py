"""CPU time a decision, and the line that each engine prints."""

from __future__ import annotations

import json
import statistics
import time
from importlib import metadata
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_LEAST_S = 0.3
Prepared = TypeVar("Prepared")


def microseconds(decide: Callable[[Prepared], Any], prepared: Sequence[Prepared]) -> float:
    """Return the CPU time of one decision: of passes over all cases for 0.3 s, the median one, after one to warm up."""
    _pass(decide, prepared)
    passes: list[float] = []
    while sum(passes) < _LEAST_S:
        passes.append(_pass(decide, prepared))
    return statistics.median(passes) / len(prepared) * 1e6


def _pass(decide: Callable[[Prepared], Any], prepared: Sequence[Prepared]) -> float:
    started = time.process_time()
    for one in prepared:
        decide(one)
    return time.process_time() - started


def permits(decide: Callable[[Prepared], bool], prepared: Sequence[Prepared]) -> str:
    """Return what was decided, a character for each case: 1 for permitted, 0 for denied."""
    return "".join("1" if decide(one) else "0" for one in prepared)


def report(sets: dict[str, dict[str, Any]], packages: Sequence[str]) -> None:
    """Print the engine's line: of each set of rules the microseconds and the decisions."""
    print(json.dumps({"sets": sets, "versions": {name: metadata.version(name) for name in packages}}))
