"""`make bench-replay`: published runs of real models through the runtime, in the environments of their time.

Is the environment after each run the one that the package itself gets by executing the same calls?
"""

import argparse
import os
import pickle
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import msgspec

from benchmarks import _convention as convention
from benchmarks.replay import fetch, report, selection
from benchmarks.replay.play import Share
from benchmarks.replay.recorded import RecordedRun

FULL, QUICK = 2000, 200
"""How many runs are played."""


def main() -> int:
    """Start from the command line."""
    options = argparse.ArgumentParser(prog="python -m benchmarks.replay", description=__doc__)
    options.add_argument("--runs", type=int, default=QUICK if convention.quick() else FULL, metavar="N")
    given = options.parse_args()
    try:
        archive = fetch.archive()
    except fetch.FetchError as error:
        print(error, file=sys.stderr)
        return 1
    convention.progress("choosing from the published runs")
    chosen = selection.selected(archive, given.runs)
    convention.progress(f"playing {len(chosen.runs):,} of {chosen.usable:,}")
    with convention.scratch() as folder:
        shares = played(chosen.runs, folder)
    path = convention.write_results("replay", report.figures(chosen, shares))
    print(report.text(chosen, shares))
    print(f"\n{path.relative_to(convention.ROOT)}")
    return 0


def played(runs: Sequence[RecordedRun], folder: Path) -> list[Share]:
    """Play the runs in one process per processor, each with every so-many-th of them."""
    processes = os.cpu_count() or 1
    with ThreadPoolExecutor(processes) as pool:
        places = range(processes)
        return list(
            pool.map(_share, (runs[place::processes] for place in places), (folder / str(place) for place in places))
        )


def _share(runs: Sequence[RecordedRun], folder: Path) -> Share:
    folder.mkdir()
    (folder / "runs").write_bytes(pickle.dumps(runs))
    told = convention.run_json([sys.executable, "-m", "benchmarks.replay.play", folder / "runs", folder])
    return msgspec.convert(told, Share)


if __name__ == "__main__":
    sys.exit(main())
