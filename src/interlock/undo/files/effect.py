"""One effect while it is carried out: before-image durable, intent durable, change; then the line that says done."""

import os
import stat
import threading
from collections.abc import Generator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

from interlock.actions.context import Ctx
from interlock.actions.way import ConflictError, Performance, Touched
from interlock.undo.files import logs
from interlock.undo.files.changing import Step, apply
from interlock.undo.files.logs import Begun, Changing, Done, Line, Net
from interlock.undo.files.paths import PathRefusedError, above
from interlock.undo.files.place import Place, now
from interlock.undo.files.states import State, inspect


class Effect(Performance):
    """One effect on a root. It holds the root's lock from its first look at a file until its end."""

    def __init__(self, place: Place, ctx: Ctx[Any], action: str, largest: int) -> None:
        self.place = place
        self.largest = largest
        self._begun = (ctx.key, ctx.run, action)
        self._log: Path | None = None
        self._result: bytes | None = None
        self._before: dict[str, State] = {}
        self._now: dict[str, State] = {}
        self._read: set[str] = set()
        self._held = ExitStack()
        self._busy = threading.RLock()
        self._locked = self._over = False
        self.done = False

    @contextmanager
    def busy(self) -> Generator[None]:
        """Enclose one use of files: one at a time, while the effect lasts.

        Raises:
            RuntimeError: the effect is over.
        """
        with self._busy:
            if self._over:
                raise RuntimeError(f"action {self._begun[2]} is over; its files can't be used any more")
            if not self._locked:
                self._held.enter_context(self.place.locked())
                self._locked = True
            yield

    def saw(self, path: str) -> None:
        """Note that what is done may rest on this path."""
        self._read.add(path)

    def hold(self, path: str) -> State:
        """Return how a path stands that is about to be changed; its before-image is kept.

        Raises:
            PathRefusedError: it could not be put back exactly.
            ConflictError: somebody else changed it after this effect did.
        """
        if path in self.place.disputed:
            raise ConflictError(
                f"{path!r} was left half done by an action that was cut off, and changed since; see to it"
            )
        found, content = inspect(self.place.root, path, self.largest)
        known = self._now.get(path)
        if known is None:
            if found.kind == "file":
                self.place.store.keep(found, content)
            self._before[path] = found
        elif not known.same(found):
            raise ConflictError(f"{path!r} was changed by somebody else while action {self._begun[2]} was at it")
        self._now[path] = found
        return found

    def make(self, path: str, content: bytes, like: State | None = None) -> Step:
        """Return the step that puts this content at a path that is held; a file that is there keeps owner and mode."""
        if len(content) > self.largest:
            raise PathRefusedError(f"{path!r}: {len(content)} bytes are more than Files(largest=…) allows")
        there = self._now[path]
        mode, owner = (there.mode, (there.uid, there.gid)) if there.kind == "file" else (None, self._inherited(path))
        mode = like.mode if like is not None else mode
        staged, made = self.place.store.stage(content, mode=mode, owner=owner)
        return Step(path, there, made, staged)

    def directory(self, path: str, like: State | None = None) -> Step:
        """Return the step that makes a directory at a path that is held."""
        staged = self.place.store.directory_mode() if like is None else like.mode
        uid, gid = self._inherited(path) or self._mine()
        # In a directory whose group is inherited, a directory inherits that too.
        inherits = stat.S_ISGID if self._inherited(path) else 0
        return Step(path, self._now[path], State("dir", staged | inherits, uid, gid))

    def change(self, *steps: Step) -> None:
        """Carry out steps on paths that are held: all announced durably first.

        Raises:
            ConflictError: somebody was at one of the paths at the same moment.
            OSError: the file system refused.
        """
        self.place.store.settle()
        self._note(*(Changing(step.path, self._before[step.path], step.to) for step in steps))
        for step in steps:
            self._now[step.path] = apply(self.place.root, step)
            self._read.add(above(step.path))

    def finish(self, result: bytes) -> None:
        """Note the result; it is written with all that was changed when the block is left."""
        self._result = result

    def settle(self) -> None:
        """Write down durably that the effect happened.

        Raises:
            RuntimeError: `finish` was not called.
            OSError: it could not be written; the effect has to be rolled back.
        """
        if self._result is None:
            raise RuntimeError("the result was not noted: call finish(result) last")
        with self.busy():
            for directory in {above(path) for path in self._before}:
                self.place.root.sync(directory)
            self.touched = self._touched()
            self._note(Done(self._result, self.touched, self._changes(), now()))
            self.done = True
            with suppress(OSError):
                self.place.file(self._begun[0])  # where it stays in `open/`, it is found there

    def roll_back(self) -> None:
        """Put back all that was done.

        Raises:
            ConflictError: somebody changed it already; nothing was put back.
            OSError: the file system refused; it is put back at the next look.
        """
        with self._busy:
            if self._log is not None and self._log.exists():
                logs.withdraw_done(self._log)
                self.place.put_right(self._log)

    def close(self) -> None:
        """Let the root go."""
        with self._busy:
            self._over = True
            self._held.close()

    def _note(self, *lines: Line) -> None:
        """Write lines into the log durably."""
        if self._log is not None:
            logs.append(self._log, lines)
            return
        key, run, action = self._begun
        self._log = self.place.open_log(key)
        logs.append(self._log, [Begun(key, run, action, now()), *lines])
        self.place.begun()

    def _changes(self) -> tuple[Net, ...]:
        changed = ((path, before, self._now[path]) for path, before in self._before.items())
        return tuple(Net(path, before, after) for path, before, after in changed if not before.same(after))

    def _touched(self) -> Touched:
        wrote = {change.path for change in self._changes()}
        name = self.place.name
        read = self._read - wrote - {""}
        return Touched(
            tuple(f"{name}:{path}" for path in sorted(wrote)), tuple(f"{name}:{path}" for path in sorted(read))
        )

    def _inherited(self, path: str) -> tuple[int, int] | None:
        """Return the owner and group of what is made in a directory that hands its group on; else None."""
        outer = self.place.root.status(above(path) or ".")
        if outer is None or not outer.st_mode & stat.S_ISGID:
            return None
        return self._mine()[0], outer.st_gid

    def _mine(self) -> tuple[int, int]:
        return os.geteuid(), os.getegid()
