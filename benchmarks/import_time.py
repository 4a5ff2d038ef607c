"""How long `import interlock` takes over bare Python, and what each step further adds.

Every figure is a fresh interpreter from start to exit; the rows take turns, so that a busy moment of the
machine falls on all of them alike. What counts is a row's median over that of the bare interpreter.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time
from typing import TYPE_CHECKING

from benchmarks._convention import ROOT, progress, quick, scratch, table, write_results

if TYPE_CHECKING:
    from pathlib import Path

CASES = {
    "bare": "pass",
    "package": "import interlock",
    "declare": "from interlock import Agent, Ctx, Machine, Policy, action, arg, permit",
    "runtime": "from interlock import Agent, Policy, Runtime, action",
    "everything": "from interlock import *",
    "first_schema": (
        "from interlock import Ctx, action\n"
        "@action.read\n"
        "def look(ctx: Ctx, ref: str) -> str:\n"
        "    return ref\n"
        "look.check()"
    ),
}
SHOWN = {
    "bare": "bare Python",
    "package": "import interlock",
    "declare": "import what declares an agent",
    "runtime": "import what runs one",
    "everything": "import every public name",
    "first_schema": "make the first schema (pydantic)",
}
GOAL_MS = 150
TURNS = 15


def milliseconds(code: str, environment: dict[str, str]) -> float:
    """Return how long a fresh interpreter takes for *code*, from its start to its end."""
    started = time.perf_counter()
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=environment, check=True, capture_output=True)
    return (time.perf_counter() - started) * 1000


def installed(cache: Path) -> dict[str, str]:
    """Return the environment of an installed package: its byte code is there, from the first run on."""
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return kept | {"PYTHONPYCACHEPREFIX": str(cache)}


def main() -> None:
    turns = 5 if quick() else TURNS
    taken: dict[str, list[float]] = {name: [] for name in CASES}
    with scratch() as cache:
        environment = installed(cache)
        for code in CASES.values():
            milliseconds(code, environment)
        for turn in range(turns):
            progress(f"turn {turn + 1} of {turns}")
            for name, code in CASES.items():
                taken[name].append(milliseconds(code, environment))
    medians = {name: statistics.median(times) for name, times in taken.items()}
    over = {name: max(median - medians["bare"], 0.0) for name, median in medians.items()}
    rows = [[SHOWN[name], medians[name], over[name], min(taken[name]), max(taken[name])] for name in CASES]
    print(table(["", "median ms", "over bare", "fastest", "slowest"], rows))
    print(f"\ngoal: import interlock costs at most {GOAL_MS} ms over bare Python; {turns} interpreters a row")
    write_results("import", {"ms": medians, "over_bare_ms": over, "goal_ms": GOAL_MS, "turns": turns})


if __name__ == "__main__":
    main()
