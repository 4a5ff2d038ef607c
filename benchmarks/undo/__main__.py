"""`make bench-undo`: is what was undone as it was before? Four parts and two speeds; see README.md."""

import argparse
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from benchmarks import _convention as convention
from benchmarks.undo.report import results, text, wrong


def main() -> int:
    """Run all parts, print the tables, and write the results. It fails where something is not exact, never by time."""
    options = argparse.ArgumentParser(prog="python -m benchmarks.undo", description=__doc__)
    options.add_argument("--data", type=Path, metavar="DIR", help="a folder with db/ and an airline's trajectories")
    quick, data = convention.quick(), options.parse_args().data
    found = {"speed": _speed(quick)}  # alone: everything else would slow it down
    with ThreadPoolExecutor(2) as pool:
        histories = pool.submit(_histories, quick)
        others = pool.submit(lambda: {"services": _services(quick), **_environments(quick, data)})
        found |= {"histories": histories.result(), **others.result()}
    print(text(found))
    convention.write_results("undo", results(found))
    return 1 if wrong(found) else 0


def _speed(quick: bool) -> dict[str, Any]:
    from benchmarks.undo.speed import run  # noqa: PLC0415 - each part is imported when its turn comes

    return run(quick)


def _histories(quick: bool) -> dict[str, Any]:
    from benchmarks.undo.histories import run  # noqa: PLC0415 - the same

    return run(quick)


def _services(quick: bool) -> dict[str, Any]:
    from benchmarks.undo.services import run  # noqa: PLC0415 - the same

    return run(quick)


def _environments(quick: bool, data: Path | None) -> dict[str, Any]:
    from benchmarks.undo.environments.figures import run  # noqa: PLC0415 - the same

    convention.progress("undoing recorded calls in simulated worlds")
    return run(quick, data)


if __name__ == "__main__":
    sys.exit(main())
