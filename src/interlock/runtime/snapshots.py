"""Before-images through an API: an action's objects, read before its effect, after it, and around its undo."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import msgspec

from interlock.actions import snapshot
from interlock.actions.action import Action
from interlock.actions.context import Ctx
from interlock.actions.snapshot import Objects
from interlock.actions.way import ConflictError, WrongError
from interlock.journal.journal import Journal
from interlock.kernel import events as ev
from interlock.runtime.records import said
from interlock.runtime.sending import Send, Sender

if TYPE_CHECKING:
    from interlock.runtime.live import LiveRun

PAGE = 1_000
"""How many events are read at a time."""


async def look(
    sender: Sender, action: Action[Any, Any, Any], ctx: Ctx[Any], result: Any, args: Mapping[str, Any]
) -> Objects:
    """Read an action's objects as they are.

    Raises:
        Exception: whatever the snapshot function raised.
    """
    assert action.snapshot_function is not None
    found = await sender.look(Send(action.snapshot_function, (ctx, result), args, action.timeout))
    return snapshot.objects(action.name, found)


async def after(
    sender: Sender, live: "LiveRun", action: Action[Any, Any, Any], intent: ev.Intended, value: Any
) -> Objects | None:
    """Read an action's objects right after its effect; None where they can't be read: then no undo may overwrite."""
    ctx = sender.context(live, action, key=intent.key)
    args = action.signature.arguments(msgspec.json.decode(bytes(intent.args)))
    try:
        return await look(sender, action, ctx, value, args)
    except Exception:  # noqa: BLE001 - the effect has happened, whatever a look at it does
        return None


class Kept:
    """The objects of one effect, as they were before it and as it left them; they guard its undo."""

    def __init__(
        self,
        action: Action[Any, Any, Any],
        result: Any,
        args: Mapping[str, Any],
        images: tuple[Objects, Objects | None],
    ) -> None:
        self._action = action
        self._result = result
        self._args = args
        self.before, self.after = images

    async def now(self, sender: Sender, ctx: Ctx[Any]) -> Objects:
        """Read the objects as they are.

        Raises:
            Exception: whatever the snapshot function raised.
        """
        return await look(sender, self._action, ctx, self._result, self._args)

    def check(self, now: Objects, left: snapshot.Left = ()) -> None:
        """See to it that nobody's change would be overwritten.

        Raises:
            ConflictError: an object is neither as the effect left it nor as it was before.
        """
        if changed := snapshot.trampled(self.before, self.after, now, left):
            names = ", ".join(one.object for one in changed)
            why = "changed since" if self.after is not None else "could not be read right after the effect"
            raise ConflictError(f"{names} {why}; nothing was written", changed)

    async def confirm(self, sender: Sender, ctx: Ctx[Any], wanted: Objects) -> Objects:
        """Look whether the undo left every object as it is wanted.

        Raises:
            WrongError: it did not, or it can't be told.
        """
        try:
            now = await self.now(sender, ctx)
        except Exception as error:
            raise WrongError(f"the undo was performed, but the look after it failed: {said(error)}") from error
        if not snapshot.is_as(now, wanted):
            left = snapshot.changes(wanted, now, now)
            names = ", ".join(one.object for one in left)
            raise WrongError(f"the undo was performed, but {names} is not as before", left)
        return now


async def left_by_undos(journal: Journal, after: int) -> set[tuple[str, str | int]]:
    """Return the versions that undos after a position of the journal left, with the objects' names."""
    found: set[tuple[str, str | int]] = set()
    while page := await journal.feed(after, PAGE, (ev.Done,)):
        for one in page:
            done = one.event
            if isinstance(done, ev.Done) and done.undoes and (left := snapshot.of(done.after)) is not None:
                found.update(left.versions.items())
        after = page[-1].position
    return found
