"""AgentDojo's environments: every sequence executed and undone, in as many processes as there are processors.

It needs AgentDojo, and prints its figures as one line of JSON.
"""

import argparse
import asyncio
import json
import logging
import os
from collections.abc import Sequence as Listed
from concurrent.futures import ProcessPoolExecutor
from itertools import groupby
from typing import Any

from benchmarks import _convention as convention
from benchmarks.undo.environments.sequences import Sequence, sequences
from benchmarks.undo.environments.stage import Played, played

CHUNK = 24
"""How many sequences a process takes at once."""


def main() -> None:
    """Start from the command line."""
    options = argparse.ArgumentParser(prog="python -m benchmarks.undo.environments.suites", description=__doc__)
    options.add_argument("--quick", action="store_true", help="every so-many-th sequence only")
    wanted = sequences(quick=options.parse_args().quick)
    convention.progress(f"executing and undoing {len(wanted)} sequences in AgentDojo's environments, twice")
    with ProcessPoolExecutor(os.cpu_count() or 1) as pool:
        print(json.dumps(figures([one for share in pool.map(_share, _chunks(wanted)) for one in share])))


def _chunks(wanted: list[Sequence]) -> list[list[Sequence]]:
    suites = [list(of_suite) for _, of_suite in groupby(wanted, key=lambda one: one.suite)]
    return [of_suite[first : first + CHUNK] for of_suite in suites for first in range(0, len(of_suite), CHUNK)]


def _share(share: list[Sequence]) -> list[Played]:
    logging.getLogger("interlock").setLevel(logging.CRITICAL)  # Conflicts are alerts, and here they are wanted.
    return asyncio.run(played(share))


def figures(runs: Listed[Played]) -> dict[str, Any]:
    """Count what came of the sequences; `wrong` names those that are not as they should be."""
    return {
        "runs": len(runs),
        "writing": sum(one.effects > 0 for one in runs),
        "effects": sum(one.effects for one in runs),
        "exact": sum(one.exact for one in runs),
        "foreign_kept": sum(one.kept for one in runs),
        "conflict_runs": sum(one.conflicts > 0 for one in runs),
        "conflicts_expected": sum(one.conflicts for one in runs),
        "conflicts_found": sum(min(one.found, one.conflicts) for one in runs),
        "conflicts_imagined": sum(max(one.found - one.conflicts, 0) for one in runs),
        "trampled": sum(one.trampled for one in runs),
        "rest_exact": sum(one.rest_exact for one in runs if one.conflicts),
        "wrong": [one.name for one in runs if not _is_right(one)],
    }


def _is_right(one: Played) -> bool:
    return one.exact and one.kept and one.rest_exact and not one.trampled and one.found == one.conflicts


if __name__ == "__main__":
    main()
