"""A process that undoes a run: `python -m …undoing FOLDER RUN [--die AT MS] [--race]`.

With `--die` it kills itself MS milliseconds after it has asked the system for something (a connection, a request, a
file) for the AT-th time; with `--race` somebody is quicker than its writes. Its last line is a JSON object: which
effects were left (the first of the run is 0) and why, the plan, and how often it had asked when that was made, and in
all.
"""

import argparse
import asyncio
import json
import os
import signal
import sys
import threading
from pathlib import Path
from typing import Any

import msgspec

from benchmarks.undo.services.course import desk
from benchmarks.undo.services.racing import let_race
from benchmarks.undo.services.servers import Addresses
from benchmarks.undo.services.world import World
from interlock import Runtime
from interlock.kernel import events as ev

ASKED = frozenset(
    {"http.client.send", "imaplib.send", "socket.connect", "os.rename", "os.remove", "os.rmdir", "os.mkdir", "os.link"}
)
"""What is counted: the names that the interpreter gives to such requests when it is audited."""


class Death:
    """Counts what the process asks of the system from now on, and kills it at one instant."""

    def __init__(self, at: int, after: float) -> None:
        self.asked = 0
        self._at, self._after = at, after

    def audit(self, event: str, _: tuple[object, ...]) -> None:
        """Count one request."""
        if event not in ASKED:
            return
        self.asked += 1
        if self.asked == self._at:
            if not self._after:
                os.kill(os.getpid(), signal.SIGKILL)
            threading.Timer(self._after, os.kill, (os.getpid(), signal.SIGKILL)).start()


async def undo(folder: Path, run: str, death: Death, *, race: bool) -> dict[str, Any]:
    """Take back what can be taken back, leaving what somebody else has changed since."""
    world = World(msgspec.json.decode((folder / "addresses.json").read_bytes(), type=Addresses))
    theirs = let_race(world) if race else {}
    # From the beginning: a runtime that finds an undo cut off goes on with it as soon as it is open.
    sys.addaudithook(death.audit)
    async with Runtime(folder / "journal.db", desk(world)) as rt:
        handle = rt.run(run)
        plan = await handle.undo_plan()
        planned = death.asked
        left = await plan.apply(by="ana", otherwise="leave")
        history = await handle.history()
    told = [one.event for one in history if isinstance(one.event, ev.NotUndone)]
    done = [one.seq for one in history if isinstance(one.event, ev.Done) and not one.event.undoes]
    return {
        "left": sorted(done.index(item.seq) for item in left),
        "troubles": {done.index(one.target): one.kind for one in told},
        "changes": {done.index(one.target): msgspec.json.decode(bytes(one.changes)) or [] for one in told},
        "cannot": [[item.action, item.args] for item in plan.items if item.way == "cannot"],
        "plan": str(plan),
        "theirs": theirs,
        "planned": planned,
        "asked": death.asked,
    }


def _main() -> None:
    given = argparse.ArgumentParser()
    given.add_argument("folder", type=Path)
    given.add_argument("run")
    given.add_argument("--die", nargs=2, type=int, default=(0, 0))
    given.add_argument("--race", action="store_true")
    told = given.parse_args()
    at, milliseconds = told.die
    death = Death(at, milliseconds / 1000)
    print(json.dumps(asyncio.run(undo(told.folder, told.run, death, race=told.race))))


if __name__ == "__main__":
    _main()
