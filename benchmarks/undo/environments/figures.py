"""The figures of both worlds, each from where it can run."""

from pathlib import Path
from typing import Any

from benchmarks import _convention as convention
from benchmarks.undo.environments import airline

DOJO = convention.ROOT / ".venv-replay" / "bin" / "python"
"""AgentDojo lives in an environment of its own, which `make replay-ready` sets up."""


def run(quick: bool, data: Path | None) -> dict[str, Any]:
    """Return the figures: `agentdojo`, and `tau` where there is a folder with an airline's conversations.

    Raises:
        FileNotFoundError: AgentDojo is not set up, or the folder lacks a table of the airline.
        RuntimeError: a part ended with an error.
    """
    if not DOJO.exists():
        raise FileNotFoundError(f"{DOJO.relative_to(convention.ROOT)} is not set up; run `make replay-ready` first")
    words = ["--quick"] if quick else []
    told = {"agentdojo": convention.run_json([DOJO, "-m", "benchmarks.undo.environments.suites", *words])}
    return told if data is None else told | {"tau": airline.figures(data, quick=quick)}
