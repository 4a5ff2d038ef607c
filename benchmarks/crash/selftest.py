"""Shows that the harness sees: a sound system comes out clean, and each flaw of `sketch.py` is found."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

from benchmarks import _convention as convention
from benchmarks.crash import sketch
from benchmarks.crash.campaign import Budget, campaign
from benchmarks.crash.lives import System
from benchmarks.crash.world import Setting

SETTING = Setting(runs=10, late=0.3, settle=0.8, think=0.1, patience=6.0)
BUDGET = Budget(kills=18, every=5, boundary_runs=2, at_once=4)
FLAWS = {
    "": "",
    "forgets": "lost",
    "blind": "duplicates",
    "hasty": "duplicates",
    "silent": "unpaid",
    "stuck": "stuck",
}
"""What the harness must find for each flaw; for the sound system, nothing."""

FAULTS = ("lost", "duplicates", "unpaid", "unjournaled", "stuck", "failed")


async def main() -> int:
    headers = ["flaw", "kills", *FAULTS, "asked", "unknown", "unasked"]
    rows: list[list[object]] = []
    missed: list[str] = []
    for flaw, fault in FLAWS.items():
        os.environ[sketch.FLAW] = flaw
        system = System("sketch", "benchmarks.crash.sketch", Path(sys.executable), sketch.HOOK)
        report = await campaign(system, SETTING, BUDGET)
        total = report.total().as_dict()
        faults = [each for each in FAULTS if total[each]]
        unasked = report.by_mode["neither"].unasked
        rows.append([flaw or "none", *(total[each] for each in ("kills", *FAULTS, "asked", "unknowns")), unasked])
        if (fault not in faults) if flaw else (faults or unasked):
            missed.append(flaw or "none")
        convention.progress(f"{flaw or 'none'}: {dict(report.notes)}")
    print(convention.table(headers, rows))
    print("the harness is blind to: " + ", ".join(missed) if missed else "the harness sees every flaw")
    return len(missed)


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
