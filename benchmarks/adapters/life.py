"""One life of an application: started from a warm parent, does what it is told, and may be killed at any instant.

The parent (`benchmarks.crash.zygote`) has imported `warm.py`, and with it every framework. A life imports its
application afresh, as a new process would, with its own folder and bank in the environment; so nothing that a module
opens is shared by a fork.

It prints `READY`, and then a line for each task: `DONE {"run": …, "says": …}` or `FAILED {"run": …, "error": …}`;
for an undo it prints `UNDONE {…}`.
"""

import argparse
import importlib
import json
import os
import sys
import traceback
from collections.abc import Callable
from typing import Any

ENDED, FAILED = 0, 4


def main(argv: list[str]) -> int:
    """Live: perform tasks, or undo a run."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--app", required=True, help="framework and variant: langgraph.bare")
    parser.add_argument("--home", required=True)
    parser.add_argument("--bank", required=True)
    parser.add_argument("--work", type=json.loads, default={}, help="tasks by their run, as JSON")
    parser.add_argument("--undo", help="the run to take back")
    options = parser.parse_args(argv)
    os.environ |= {"ADAPTERS_HOME": options.home, "ADAPTERS_BANK": options.bank}
    try:
        work = importlib.import_module(f"benchmarks.adapters.apps.{options.app}").work
        _say("READY")
        if options.undo:
            _say("UNDONE", **_undo(options.undo))
            return ENDED
        performed = [_performed(work, task, run) for run, task in options.work.items()]
        return ENDED if all(performed) else FAILED
    finally:
        _close()


def _performed(work: Callable[[str, str], str], task: str, run: str) -> bool:
    try:
        says = work(task, run)
    except Exception as error:  # noqa: BLE001 - what a task dies of is what is measured
        traceback.print_exc()
        _say("FAILED", run=run, error=f"{type(error).__name__}: {error}"[:300])
        return False
    _say("DONE", run=run, says=says)
    return True


def _undo(run: str) -> dict[str, Any]:
    from benchmarks.adapters.guard import governor  # noqa: PLC0415 - it opens what the environment names by now
    from benchmarks.adapters.world import GROUND  # noqa: PLC0415 - the same

    plan = governor.runtime.run(run).undo_plan()
    said = [{"way": item.way, "action": item.action, "args": item.args, "why": item.why} for item in plan.items]
    left = plan.apply(by="ana")
    return {"plan": said, "left": len(left), "hashes": GROUND.hashes()}


def _close() -> None:
    """Close the governor as the end of an interpreter would; a forked life ends without one."""
    guard = sys.modules.get("benchmarks.adapters.guard")
    if guard is not None:
        guard.governor.close()


def _say(word: str, **what: Any) -> None:
    """Write one line in one write."""
    os.write(1, (f"{word} {json.dumps(what)}" if what else word).encode() + b"\n")
