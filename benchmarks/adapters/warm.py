"""What the warm parent of all lives imports: every framework, once. `ADAPTERS_WARM` can name fewer."""

import importlib
import os
import sys
import tempfile
import traceback

from benchmarks.adapters import FRAMEWORKS, VARIANTS
from benchmarks.adapters.life import main

__all__ = ["main"]

_OURS = ("benchmarks.adapters.apps.", "benchmarks.adapters.world", "benchmarks.adapters.guard")


_LATER = ("anyio._backends._asyncio", "interlock.journal.sqlite")
"""What is imported when it is first used, which is after the fork."""


def _warm(frameworks: list[str]) -> None:
    """Import the applications and forget each again; their frameworks' modules stay."""
    with tempfile.TemporaryDirectory() as folder:
        os.environ |= {"ADAPTERS_HOME": folder, "ADAPTERS_BANK": ""}
        apps = [f"benchmarks.adapters.apps.{framework}.{variant}" for framework in frameworks for variant in VARIANTS]
        for name in (*apps, *_LATER):
            try:
                importlib.import_module(name)
            except Exception:  # noqa: BLE001 - a life will meet it again, where it is counted
                traceback.print_exc()
            _forget()


def _forget() -> None:
    """Forget what is ours, from the innermost outwards; a package keeps its modules as attributes too."""
    for name in sorted((name for name in sys.modules if name.startswith(_OURS)), reverse=True):
        parent, _, child = name.rpartition(".")
        vars(sys.modules[parent]).pop(child)
        del sys.modules[name]


_warm(os.environ.get("ADAPTERS_WARM", "").split() or list(FRAMEWORKS))
