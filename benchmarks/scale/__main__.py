"""`make bench-scale`: what a run's age costs, what a crowd of parked runs costs, and how late they wake."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from benchmarks import _convention as convention

if TYPE_CHECKING:
    from pathlib import Path

PER_S = 100
"""Runs that are due a second, at random moments."""


@dataclass(frozen=True)
class Size:
    """How much is measured."""

    group: int
    """Runs that grow old together."""

    old: int
    """The step that they come to."""

    rounds: int
    parked: int
    seconds: int
    """How long runs are due."""

    lead_s: int
    """From the start of the runs that will be due to the first of them: the next process must have begun."""


FULL = Size(group=20, old=10_000, rounds=12, parked=100_000, seconds=20, lead_s=15)
QUICK = Size(group=8, old=2_000, rounds=6, parked=10_000, seconds=8, lead_s=5)


def main() -> None:
    size = QUICK if convention.quick() else FULL
    steps = _steps(size)
    filled, woken = _parked(size)
    figures = {
        "cost_ratio": max(steps["ratio"], steps["resumed_ratio"]),
        "parked": size.parked,
        "rss_mb": woken["rss_mb"],
        "resume_p99_ms": woken["resume_p99_ms"],
    }
    print(_text(size, steps, woken))
    path = convention.write_results(
        "scale", {**figures, "old_step": size.old, "steps": steps, "filled": filled, "woken": woken}
    )
    print(f"\n{path.relative_to(convention.ROOT)}")


def _steps(size: Size) -> dict[str, Any]:
    convention.progress(f"taking {size.group} runs to step {size.old:,}")
    with convention.scratch() as directory:
        return _run("steps", directory, group=size.group, old=size.old, rounds=size.rounds)


def _parked(size: Size) -> tuple[dict[str, Any], dict[str, Any]]:
    """Park in one process, wake in the next."""
    due = PER_S * size.seconds
    with convention.scratch() as directory:
        convention.progress(f"parking {size.parked:,} runs")
        filled = _run("fill", directory, parked=size.parked, due=due, seconds=size.seconds, lead_s=size.lead_s)
        filled["journal_mb"] = sum(file.stat().st_size for file in directory.iterdir()) / 2**20
        convention.progress(f"waking {due:,} runs in {size.seconds} s")
        return filled, _run("wake", directory, due=due)


def _run(script: str, directory: Path, **options: int) -> dict[str, Any]:
    words = [f"--{name.replace('_', '-')}={value}" for name, value in options.items()]
    return convention.run_json([sys.executable, "-m", f"benchmarks.scale.{script}", "--dir", directory, *words])


def _text(size: Size, steps: dict[str, Any], woken: dict[str, Any]) -> str:
    old = f"step {size.old:,}"
    ages = [
        ["seen from their start", steps["young_us"], steps["old_us"], f"{steps['ratio']:.2f}"],
        [
            "after a restart",
            steps["resumed_young_us"],
            steps["resumed_old_us"],
            f"{steps['resumed_ratio']:.2f}",
        ],
    ]
    crowd = [
        [
            "interlock",
            size.parked,
            woken["rss_mb"],
            woken["woken_per_s"],
            woken["resume_p50_ms"],
            woken["resume_p99_ms"],
            woken["timer_p99_ms"],
        ]
    ]
    return "\n".join(
        [
            "Processor time of a step, in microseconds",
            "",
            convention.table(["runs", "step 100", old, "ratio"], ages),
            "",
            "A fresh process on a journal of parked runs, and how late it wakes those that are due",
            "",
            convention.table(["", "parked", "RSS MB", "due/s", "p50 ms", "p99 ms", "bare timer p99 ms"], crowd),
        ]
    )


if __name__ == "__main__":
    main()
