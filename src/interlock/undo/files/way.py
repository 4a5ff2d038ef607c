"""Files below a declared root, as a way back: what an action does to them can be taken back exactly."""

import os
import re
import threading
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from interlock.actions.context import Ctx
from interlock.actions.way import Change, ConflictError, Found, LostError, RolledBackError, Touched, Way
from interlock.durations import microseconds
from interlock.errors import DeclarationError
from interlock.undo.files import logs
from interlock.undo.files.effect import Effect
from interlock.undo.files.handle import Handle
from interlock.undo.files.logs import Done, Expired, Line, Undoing, Undone
from interlock.undo.files.place import Place, now
from interlock.undo.files.restoring import Restoring, done

Where = str | os.PathLike[str] | Callable[[Any], str | os.PathLike[str]]
"""A directory, or a function of the agent's dependencies that returns it."""

_SIZES = {"kB": 10**3, "KB": 10**3, "MB": 10**6, "GB": 10**9}


class Files(Way):
    """The files below a root: creating, writing, moving, deleting, directories, permissions.

    An action gets its handle by `workspace.files(ctx)`. Before a path is changed for the first time, how it stood is
    kept in a store beside the root, so that the action can be taken back, also by another process after a crash.

    What holds:

    - Each change of a file is atomic, and those of an action are all there or none is, whenever the process dies.
    - Actions on the same root that look at or change files do so one after another, from their first use of the
      handle until their end, across threads and processes. Other programs are not held back; where one changes a path
      that an action is at, the action is taken back, and what they wrote is never overwritten by an undo.
    - Restored are names, contents, mode bits, owner and group, and a file's modification time. Outside equality are
      times, hard links (a file with other names is replaced, never written through) and the times of directories.
      What has access control lists or user attributes, and what belongs to others, is refused beforehand.
    - What is done to files otherwise than by the handle (another program started, `open`) can't be taken back.
    - Roots must not lie in each other. On a file system that ignores case, give a path always in the same case.

    Args:
        root: The directory. A path, or a function of `ctx.deps` that returns it.
        name: Names it for people and in what is touched; without it, the root's own name, or "files".
        keep: How long before-images are kept; then `purge` drops them.
        store: Where they are kept; on the root's file system, not inside it. Without it, `<root>.interlock`.
        largest: Up to what size files are read, written and kept, such as `64MB`.

    Raises:
        DeclarationError: `keep` or `largest` can't be read.
    """

    def __init__(
        self,
        root: Where,
        *,
        name: str | None = None,
        keep: str = "30d",
        store: Where | None = None,
        largest: str = "64MB",
    ) -> None:
        self.name = name or ("files" if callable(root) else Path(root).resolve().name or "files")
        # Made absolute at once: the process may change its directory later.
        self._root = root if callable(root) else Path(root).absolute()
        self._store = store if store is None or callable(store) else Path(store).absolute()
        self._keep = microseconds(keep)
        self._largest = _bytes(largest)
        self._under_way: dict[tuple[str, str], Effect] = {}
        self._prepared: dict[tuple[str, Path], Place] = {}
        self._lock = threading.Lock()

    def files(self, ctx: Ctx[Any]) -> Handle:
        """Return the files for this call: to be read, and within an action declared with this way to be changed."""
        place = self._place(ctx)
        return Handle(place.root, self._largest, self._under_way.get((place.root.path, ctx.key)))

    def check(self, ctx: Ctx[Any]) -> None:
        """Look whether root and store are as they must be.

        Raises:
            DeclarationError: they are not; the message says what to change.
        """
        self._place(ctx)

    @contextmanager
    def performing(self, ctx: Ctx[Any], action: str) -> Generator[Effect]:
        """Enclose the carrying out of the effect `ctx.key`.

        Raises:
            RolledBackError: the block raised, and nothing has happened.
            ConflictError: the block raised, and somebody changed already what it had done: it stands half done.
            ValueError: the effect has no key, or was carried out before.
        """
        if not ctx.key:
            raise ValueError(f"action {action} has no idempotency key: its files could not be told from others'")
        place = self._place(ctx)
        with place.the_effect(ctx.key):
            if place.found(ctx.key):
                raise ValueError(
                    f"action {action} was carried out before under the key {ctx.key!r}: look() has its result"
                )
            effect = Effect(place, ctx, action, self._largest)
            self._under_way[place.root.path, ctx.key] = effect
            try:
                yield effect
                effect.settle()
            except BaseException as error:
                if not effect.done:
                    effect.roll_back()
                if isinstance(error, Exception) and not effect.done:
                    raise RolledBackError(f"action {action} changed nothing in {place.root.path}: {error}") from error
                raise
            finally:
                del self._under_way[place.root.path, ctx.key]
                effect.close()

    def look(self, ctx: Ctx[Any], key: str) -> Found | None:
        """Return what is known of the effect, None where it was not carried out and never will be.

        Raises:
            ConflictError: it was cut off half done, and somebody changed since what it had done; a person has to see.
        """
        place = self._place(ctx)
        with place.the_effect(key):
            found = place.found(key)
            if found is None and place.half_done(key):
                self._put_right(place, key)
            return None if found is None else Found(found[2].result, found[2].touched)

    def preview(self, ctx: Ctx[Any], key: str) -> tuple[Change, ...]:
        """Return the paths that taking the effect back would restore: before, after, now.

        Raises:
            LostError: it can't be taken back any more.
        """
        place = self._place(ctx)
        _, lines, known = _known(place, key)
        restoring = _restoring(place, lines, known)
        _refuse_lost(restoring, lines)
        return restoring.changes

    def take_back(self, ctx: Ctx[Any], key: str) -> Touched:
        """Restore every path that the effect `key` changed, all or none, once under `ctx.key`.

        Where the process dies meanwhile, the next call finishes it. What is touched are the paths restored.

        Raises:
            ConflictError: a path is not as the effect left it; nothing was changed.
            LostError: it can't be taken back any more.
            OSError: the file system refused, for one because the disk is full; the next call goes on.
        """
        place = self._place(ctx)
        with place.the_effect(key), place.locked():
            log, lines, known = _known(place, key)
            touched = Touched(tuple(f"{place.name}:{change.path}" for change in known.changes))
            if any(isinstance(line, Undone) and line.key == ctx.key for line in lines):
                return touched
            restoring = _restoring(place, lines, known)
            _refuse_lost(restoring, lines)
            if conflicts := restoring.conflicts():
                raise ConflictError(_changed_since(conflicts), conflicts)
            restoring.restore(lambda: logs.append(log, [Undoing(ctx.key, now())]))
            logs.append(log, [Undone(ctx.key, now())])
            return touched

    def purge(self, ctx: Ctx[Any]) -> int:
        """Drop the before-images of effects that ended longer ago than `keep`; return of how many effects."""
        place = self._place(ctx)
        with place.locked():
            return place.purge(self._keep)

    def _put_right(self, place: Place, key: str) -> None:
        with place.locked():
            # Whoever takes the lock puts right what can be; what is still there is in dispute, and says why.
            if place.half_done(key) and place.found(key) is None:
                place.put_right(place.open_log(key))

    def _place(self, ctx: Ctx[Any]) -> Place:
        root = os.path.realpath(_where(self._root, ctx))
        store = Path(f"{root}.interlock" if self._store is None else os.path.realpath(_where(self._store, ctx)))
        with self._lock:
            place = self._prepared.get((root, store))
            if place is None:
                place = Place(self.name, root, store)
                place.prepare()
                self._prepared[root, store] = place
        return place


def _where(where: Where, ctx: Ctx[Any]) -> str:
    return os.fspath(where(ctx.deps) if callable(where) else where)


def _known(place: Place, key: str) -> tuple[Path, list[Line], Done]:
    found = place.found(key)
    if found is None:
        raise LostError(
            f"{place.name}: nothing is known of an effect under the key {key!r}; it was not carried out here"
        )
    return found


def _restoring(place: Place, lines: list[Line], known: Done) -> Restoring:
    halfway = any(isinstance(line, Undoing) for line in lines)
    return Restoring(place.root, place.store, place.name, done(known.changes), halfway=halfway)


def _refuse_lost(restoring: Restoring, lines: list[Line]) -> None:
    for line in lines:
        if isinstance(line, Undone):
            raise LostError(f"it was taken back already, under the key {line.key!r}")
        if isinstance(line, Expired):
            until = time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(line.until / 1_000_000))
            raise LostError(f"its before-images were kept until {until}")
    if lost := restoring.lost():
        raise LostError(f"the before-images of {', '.join(map(repr, lost))} are not in the store any more")


def _changed_since(conflicts: tuple[Change, ...]) -> str:
    names = ", ".join(change.object for change in conflicts[:3])
    more = f" and {len(conflicts) - 3} more" if len(conflicts) > 3 else ""
    return f"changed since by somebody else: {names}{more}; nothing was taken back"


def _bytes(text: str) -> int:
    found = re.fullmatch(r"(\d{1,6})([kKMG]B)", text)
    if found is None:
        raise DeclarationError(f"{text!r} is not a size; write a number and a unit: 500kB, 64MB or 1GB")
    return int(found[1]) * _SIZES[found[2]]
