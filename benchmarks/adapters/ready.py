"""The environment with the frameworks: set up once, and entered by starting again in it. Needs nothing but Python."""

import os
import sys
from pathlib import Path

from benchmarks import _convention as convention
from benchmarks.adapters import PACKAGES


def newest() -> bool:
    """Whether `NEWEST=1` asks for the newest version of each framework instead of the pinned one."""
    return os.environ.get("NEWEST", "") not in {"", "0"}


def enter(module: str) -> None:
    """Return if this process is in the environment; else become one that runs *module* in it."""
    if Path(sys.prefix).name == (".venv-newest" if newest() else ".venv-peers"):
        return
    packages = ["jsonschema", *(name for names in PACKAGES.values() for name in names)]
    python = convention.newest_python(packages) if newest() else convention.peers_python()
    os.execv(python, [str(python), "-m", module, *sys.argv[1:]])
