"""Somebody who is quicker: between an undo's look at an object and its write, they change the same object."""

from collections.abc import Callable
from typing import Any

from benchmarks.undo.services.calendars import BOARD
from benchmarks.undo.services.course import SERVICES
from benchmarks.undo.services.dumps import Changes, changed
from benchmarks.undo.services.repository import MAIN
from benchmarks.undo.services.world import World
from interlock import Ctx

RACED = {"S3": "s3/report.csv", "DynamoDB": "stock/lamp", "CalDAV": BOARD, "git": MAIN}
"""The services whose writes can be made conditional, and the object in each that somebody changes.

An IMAP server without CONDSTORE has no such writes: there the runtime's look is the last word.
"""


def let_race(world: World) -> dict[str, Changes]:
    """Let somebody change each of those objects once, right before this process writes it; return what they will."""
    theirs: dict[str, Changes] = {}
    for service in RACED:
        for action in SERVICES[service]:
            if action.snapshot_function is not None and action.undo_function is not None:
                action.undo_function = _beaten(world, service, theirs, action.undo_function)
    return theirs


def _beaten(world: World, name: str, theirs: dict[str, Changes], undo: Callable[..., None]) -> Callable[..., None]:
    def beaten(ctx: Ctx[World], *done: Any, **args: Any) -> None:
        if RACED[name] in ctx.now and name not in theirs:
            service = world.services[name]
            before = service.state()
            service.edit_ours()
            theirs[name] = changed(before, service.state())
        undo(ctx, *done, **args)

    return beaten
