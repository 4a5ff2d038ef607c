"""Recorded calls in simulated worlds, executed and undone: is each world as before, but for what others did?"""

import argparse
import sys
from pathlib import Path
from typing import Any

from benchmarks import _convention as convention
from benchmarks.undo.environments.figures import run


def main() -> int:
    """Start from the command line."""
    options = argparse.ArgumentParser(prog="python -m benchmarks.undo.environments", description=__doc__)
    options.add_argument("--data", type=Path, metavar="DIR", help="a folder with db/ and an airline's trajectories")
    told = run(convention.quick(), options.parse_args().data)
    print(text(told))
    return 1 if any(of_world["wrong"] for of_world in told.values()) else 0


def text(told: dict[str, Any]) -> str:
    """Return what is printed."""
    dojo, tau = told["agentdojo"], told.get("tau")
    rows = [
        ["AgentDojo: sequences whose environment is as before, plus what others did", dojo["runs"], dojo["exact"]],
        ["  in which all that others did is still there", dojo["runs"], dojo["foreign_kept"]],
        [
            "  effects on objects that others changed since, reported as conflicts",
            dojo["conflicts_expected"],
            dojo["conflicts_found"],
        ],
        [
            "  sequences with such a conflict whose other effects are taken back",
            dojo["conflict_runs"],
            dojo["rest_exact"],
        ],
        ["  in which what others had changed was overwritten", dojo["conflict_runs"], dojo["trampled"]],
    ]
    if tau is not None:
        rows.append(
            ["airline: sequences of writes after which the world has its hash again", tau["runs"], tau["exact"]]
        )
    wrong = [f"  {name}" for of_world in told.values() for name in of_world["wrong"]]
    return "\n".join(
        [convention.table(["", "of", ""], rows), *(["", "Not as they should be:", *wrong] if wrong else [])]
    )


if __name__ == "__main__":
    sys.exit(main())
