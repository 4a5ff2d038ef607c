"""Putting paths back as they were: looked at first, all of them; then restored in an order that works."""

import errno
import os
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from msgspec.structs import replace

from interlock.actions.way import Change
from interlock.undo.files.beneath import Root
from interlock.undo.files.changing import Step, apply
from interlock.undo.files.logs import Changing, Line, Net
from interlock.undo.files.paths import above, below, depth
from interlock.undo.files.states import ABSENT, State, state
from interlock.undo.files.store import Store


class Item(NamedTuple):
    """A path to put back: as it was, and every state that the effect may have left it in, the last one last."""

    before: State
    ours: tuple[State, ...]


Items = Mapping[str, Item]


def half_done(lines: Iterable[Line]) -> Items:
    """Return what an effect that did not end may have changed."""
    found: dict[str, Item] = {}
    for line in lines:
        if isinstance(line, Changing):
            known = found.get(line.path, Item(line.before, ()))
            found[line.path] = Item(known.before, (*known.ours, line.to))
    return found


def done(changes: Iterable[Net]) -> Items:
    """Return what an effect changed."""
    return {change.path: Item(change.before, (change.after,)) for change in changes}


class Restoring:
    """The restoring of some paths of a root.

    With `halfway`, each may also be as it was before, or in between: a process died while it changed them, or while
    it put them back.
    """

    def __init__(self, root: Root, store: Store, name: str, items: Items, *, halfway: bool) -> None:
        self._root = root
        self._store = store
        self._name = name
        self._items = items
        self._halfway = halfway
        self._now = {path: state(root, path) for path in items}

    @property
    def changes(self) -> tuple[Change, ...]:
        """All paths: before, after, now."""
        return tuple(self._change(path) for path in sorted(self._items, key=depth))

    def conflicts(self) -> tuple[Change, ...]:
        """Return what somebody changed since; a directory that can't go names what was put into it."""
        changed = {path: self._change(path) for path, item in self._items.items() if not self._fits(path, item)}
        for path, item in self._items.items():
            changed |= self._strangers(path, item) | self._homeless(path, item)
        return tuple(changed[path] for path in sorted(changed, key=depth))

    def lost(self) -> list[str]:
        """Return the paths whose before-image is not there any more."""
        return [path for path in self._todo() if self._is_file(path) and not self._store.has(self._items[path].before)]

    def restore(self, announce: Callable[[], None], needed_elsewhere: Callable[[], set[str]] | None = None) -> None:
        """Put everything back that is not back yet.

        All contents are made before `announce`, and nothing is changed before it: a full disk leaves all as it is.
        Only a rollback may use up before-images where the disk is full: it tells which others are needed.

        Raises:
            LostError: a before-image is damaged.
            ConflictError: somebody changed a path at this very moment.
            OSError: the file system refused.
        """
        todo = self._todo()
        self._refuse_closed(todo)
        staged = self._staged(todo, needed_elsewhere)
        announce()
        for path in reversed(todo):
            self._make_way(path)
        for path in todo:
            self._make(path, staged.get(path))
        for path in reversed(todo):
            self._dress(path)
        for directory in {above(path) for path in self._items}:
            self._root.sync(directory)

    def _todo(self) -> list[str]:
        """Return the paths to restore, directories before what is in them."""
        return sorted((path for path, item in self._items.items() if not self._now[path].same(item.before)), key=depth)

    def _refuse_closed(self, todo: list[str]) -> None:
        """Refuse beforehand, and not in the middle, where this process may not write into a directory."""
        for outer in {above(path) for path in todo}:
            with suppress(FileNotFoundError, NotADirectoryError), self._root.directory(outer) as opened:
                if not os.access(".", os.W_OK | os.X_OK, dir_fd=opened, effective_ids=True):
                    raise PermissionError(errno.EACCES, "this process may not write into the directory", outer or ".")

    def _staged(self, todo: list[str], needed_elsewhere: Callable[[], set[str]] | None) -> dict[str, Path]:
        files = {path: self._items[path].before for path in todo if self._is_file(path)}
        uses = Counter(before.sha256 for before in files.values())
        kept = needed_elsewhere() if needed_elsewhere is not None else set(uses)
        return {
            path: self._store.again(before, last=uses[before.sha256] == 1 and before.sha256 not in kept)
            for path, before in files.items()
        }

    def _make_way(self, path: str) -> None:
        """Remove what stands where nothing, or something of another kind, shall be."""
        now = self._now[path]
        if now.kind not in {"absent", self._items[path].before.kind}:
            self._now[path] = apply(self._root, Step(path, now, ABSENT))

    def _make(self, path: str, staged: Path | None) -> None:
        now, before = self._now[path], self._items[path].before
        if before.kind == "file":
            self._now[path] = apply(self._root, Step(path, now, before, staged))
        elif before.kind == "dir" and now.kind == "absent":
            # Its own mode comes last: it may not let us in to fill it.
            self._now[path] = apply(self._root, Step(path, now, replace(before, mode=before.mode | 0o700)))

    def _dress(self, path: str) -> None:
        now, before = self._now[path], self._items[path].before
        if before.kind == "dir" and not now.same(before):
            self._now[path] = apply(self._root, Step(path, now, before))

    def _is_file(self, path: str) -> bool:
        return self._items[path].before.kind == "file"

    def _fits(self, path: str, item: Item) -> bool:
        now, last = self._now[path], item.ours[-1]
        if not self._halfway:
            return now.same(last)
        if now.kind == "dir":
            return _as_directory(now, item)
        if now.kind == "absent" and item.before.kind != last.kind:
            return True
        return any(known.same(now) for known in (item.before, *item.ours))

    def _strangers(self, path: str, item: Item) -> dict[str, Change]:
        """Return what others put into a directory that has to go."""
        if self._now[path].kind != "dir" or item.before.kind == "dir":
            return {}
        inside = (below(path, name) for name in self._root.entries(path))
        return {
            inner: Change(f"{self._name}/{_printable(inner)}", now=state(self._root, inner).shown())
            for inner in inside
            if inner not in self._items
        }

    def _homeless(self, path: str, item: Item) -> dict[str, Change]:
        """Return the directory that something has to go back into, where it is not there and won't be."""
        outer = above(path)
        if not outer or item.before.kind == "absent" or self._now[path].same(item.before):
            return {}
        planned = self._items.get(outer)
        stands = planned.before if planned else state(self._root, outer)
        if stands.kind == "dir":
            return {}
        was = {"kind": "dir"}
        return {outer: Change(f"{self._name}/{outer}", was, was, state(self._root, outer).shown())}

    def _change(self, path: str) -> Change:
        before, ours = self._items[path]
        return Change(f"{self._name}/{path}", before.shown(), ours[-1].shown(), self._now[path].shown())


def _printable(path: str) -> str:
    """Return the path of somebody's file with what is not UTF-8 replaced."""
    return path.encode("utf-8", "replace").decode()


def _as_directory(now: State, item: Item) -> bool:
    """Whether a directory may be of our making, or on its way back: it starts as 0700 and lets its owner in."""
    before, *ours = (item.before, *item.ours)
    if before.kind != "dir":
        return any(known.kind == "dir" for known in ours)
    modes = {known.mode | 0o700 for known in (before, *ours) if known.kind == "dir"}
    anew = any(known.kind != "dir" for known in ours)
    return now.mode | 0o700 in modes or (anew and now.mode & 0o777 == 0o700)
