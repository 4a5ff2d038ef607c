"""`make bench-tau DATA=…`: recorded conversations of a real model on an airline desk, before the guardian.

The airline's rules are a policy that was written from the policy document alone. What does it stop, and what should it
not have stopped?
"""

import argparse
import asyncio
import sys
from pathlib import Path

from benchmarks import _convention as convention
from benchmarks.tau import document, findings, recorded, replay, report, world

QUICK_MUTANTS = 8
"""How many mutants a write gets in a quick run."""


def main() -> int:
    """Start from the command line."""
    options = argparse.ArgumentParser(prog="python -m benchmarks.tau", description=__doc__)
    options.add_argument("data", type=Path, metavar="DATA", help="a folder with db/ and trajectories in *.json")
    folder: Path = options.parse_args().data
    try:
        start, trajectories = world.load(folder), recorded.load(folder)
    except (OSError, ValueError) as error:
        print(f"{folder} can't be read: {error}", file=sys.stderr)
        return 1
    if absent := document.missing(folder):
        print(f"policy.md does not hold what the rules cite: {', '.join(absent)}", file=sys.stderr)
        return 1
    convention.progress(f"replaying {len(trajectories)} conversations")
    replayed = asyncio.run(replay.replayed(start, trajectories))
    convention.progress("judging their writes, the gold calls and the mutants")
    found = asyncio.run(findings.found(start, trajectories, QUICK_MUTANTS if convention.quick() else None))
    path = convention.write_results("tau", report.figures(replayed, found))
    print(report.text(replayed, found))
    print(f"\n{path.relative_to(convention.ROOT)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
