"""Real services in processes of their own, none of them ours: one run over all of them, and its undo.

`run` is what `make bench-undo` calls; `course.py` has the run, `scenes.py` what is done with it.
"""

from typing import Any

from benchmarks import _convention as convention
from benchmarks.undo.services.environment import services_python


def run(quick: bool) -> dict[str, Any]:
    """Play everything in the services' environment, and return the figures.

    `services` has them by service; `wrong` says in words what was not as it should be.
    """
    python = services_python()
    convention.progress("undoing a run over real services: alone, among others, after others, and killed meanwhile")
    flag = ["--quick"] if quick else []
    return convention.run_json([python, "-m", "benchmarks.undo.services.inside", *flag])
