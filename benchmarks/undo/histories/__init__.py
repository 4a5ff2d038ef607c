"""Random histories of agents and others at one bank, undone: is every row as it has to be?

`run` is what `make bench-undo` calls. `history.py` draws a history, `play.py` plays it, `undoing.py` takes it back,
`crashing.py` and `kills.py` end the process meanwhile, `oracle.py` says what must come out.
"""

from typing import Any

from benchmarks import _convention as convention
from benchmarks.undo.services.environment import services_python


def run(quick: bool) -> dict[str, Any]:
    """Play everything in the services' environment, where PostgreSQL is, and return the figures."""
    return convention.run_json(
        [services_python(), "-m", "benchmarks.undo.histories.inside", *(["--quick"] if quick else [])]
    )
