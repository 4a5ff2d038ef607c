"""What capturing costs an action of five row changes, and how fast effects on rows are taken back."""

from typing import Any

from benchmarks import _convention as convention
from benchmarks.undo.services.environment import services_python


def run(quick: bool) -> dict[str, Any]:
    """Measure in the services' environment, where PostgreSQL is, and return the figures."""
    return convention.run_json(
        [services_python(), "-m", "benchmarks.undo.speed.inside", *(["--quick"] if quick else [])]
    )
