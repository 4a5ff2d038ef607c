"""A root with its store: the lock, the logs of its effects, and the rollback of what was left half done."""

import os
import time
from collections.abc import Generator, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from hashlib import sha256
from pathlib import Path

from interlock.actions.way import ConflictError
from interlock.errors import DeclarationError
from interlock.undo.files import logs
from interlock.undo.files.beneath import Root
from interlock.undo.files.locks import held
from interlock.undo.files.logs import Begun, Done, Expired, Line, Undoing, Undone
from interlock.undo.files.restoring import Restoring, half_done
from interlock.undo.files.store import Store, sync

VERSION = 1
"""The layout of a store."""


def now() -> int:
    """Return the time in microseconds since the epoch."""
    return time.time_ns() // 1000


class Place:
    """A root with its store. An effect's log is in `open/` while it is carried out, then in `effects/`.

    Effects on a root change it one after another: whoever has the root's lock finds in `open/` only what the dead left.

    Attributes:
        disputed: Paths of a half done effect that can't be put back, because somebody changed them since.
    """

    def __init__(self, name: str, root: str, store: Path) -> None:
        self.name = name
        self.root = Root(root)
        self.store = Store(store)
        self.disputed: frozenset[str] = frozenset()

    def prepare(self) -> None:
        """Make the store where there is none.

        Raises:
            DeclarationError: the root is no directory, or the store can't be where it is declared.
        """
        root, store = self.root.path, self.store.path
        if not Path(root).is_dir():
            raise DeclarationError(f"files {self.name!r}: the root {root} is not a directory; make it first")
        if store.is_relative_to(root):
            raise DeclarationError(f"files {self.name!r}: store {store} is inside the root; declare store=… beside it")
        try:
            self.store.prepare()
            for directory in ("effects", "open", "locks"):
                with suppress(FileExistsError):
                    (store / directory).mkdir(0o700)
            self._check_layout()
        except OSError as error:
            raise DeclarationError(f"files {self.name!r}: the store {store} can't be used: {error}") from error
        if store.stat().st_dev != Path(root).stat().st_dev:
            raise DeclarationError(
                f"files {self.name!r}: the store {store} is on another file system than the root {root}; declare "
                "store=… on the same (where the root is a mount point, declare a directory in it as the root)"
            )

    def the_effect(self, key: str) -> AbstractContextManager[None]:
        """Wait until nobody else is at this effect."""
        return held(self.store.path / "locks" / _named(key), passing=True)

    @contextmanager
    def locked(self) -> Generator[None]:
        """Hold the root: wait for other effects, and put back first what dead ones left half done."""
        with held(self.store.path / "lock"):
            self.store.clear()
            disputed: set[str] = set()
            for log in self._logs("open"):
                try:
                    self.put_right(log)
                except ConflictError:
                    disputed |= half_done(logs.read(log)).keys()
            self.disputed = frozenset(disputed)
            yield

    def open_log(self, key: str) -> Path:
        """Return where the log of an effect is while it is carried out."""
        return self.store.path / "open" / _named(key)

    def done_log(self, key: str) -> Path:
        """Return where the log of an effect is afterwards."""
        return self.store.path / "effects" / _named(key)

    def begun(self) -> None:
        """Make the name of a new log durable."""
        sync(self.store.path / "open")

    def file(self, key: str) -> None:
        """Put the log of an effect that happened where it belongs."""
        with suppress(FileNotFoundError):
            self.open_log(key).rename(self.done_log(key))

    def found(self, key: str) -> tuple[Path, list[Line], Done] | None:
        """Return where the log of an effect that happened is, its lines, and the one that says so; else None."""
        for log in (self.done_log(key), self.open_log(key)):
            lines = logs.read(log)
            for line in lines:
                if isinstance(line, Done):
                    return log, lines, line
        return None

    def half_done(self, key: str) -> bool:
        """Whether a dead process left the effect half done."""
        return self.open_log(key).exists()

    def put_right(self, log: Path) -> None:
        """Put back what an effect that did not end had done; one that ended is only filed.

        Raises:
            ConflictError: somebody changed since what it had changed; nothing was put back.
        """
        lines = logs.read(log)
        if any(isinstance(line, Done) for line in lines):
            log.rename(self.store.path / "effects" / log.name)
            return
        restoring = Restoring(self.root, self.store, self.name, half_done(lines), halfway=True)
        if conflicts := restoring.conflicts():
            raise ConflictError(
                f"{self._who(lines)} was cut off, and somebody changed since what it had done", conflicts
            )
        restoring.restore(lambda: None, lambda: self.needed(but=log))
        log.unlink()
        # Were it there again after a power failure, what others did meanwhile would be taken for its doing.
        sync(self.store.path / "open")

    def needed(self, *, but: Path | None = None) -> set[str]:
        """Return the SHA-256 of the before-images that some effect's undo may need; the log `but` does not count."""
        return {sha for log in self._logs("effects", "open") if log != but for sha in _needs(logs.read(log))}

    def purge(self, keep: int) -> int:
        """Drop the before-images of effects that ended `keep` microseconds ago or earlier; return of how many."""
        logs_of = {log: logs.read(log) for log in self._logs("effects")}
        expired = {
            log: done for log, lines in logs_of.items() if (done := _expirable(lines)) and done.at + keep <= now()
        }
        for log, done in expired.items():
            self._expire(log, logs_of[log], done, done.at + keep)
        self.store.drop_all_but(self.needed())
        return len(expired)

    def _expire(self, log: Path, lines: list[Line], done: Done, until: int) -> None:
        """Write a log anew, with nothing in it of what stood in files."""
        left = [line for line in lines if isinstance(line, Begun | Undone)]
        short = self.store.path / "making" / log.name
        logs.append(short, [*left, Done(done.result, done.touched, (), done.at), Expired(until)])
        short.rename(log)
        sync(log.parent)

    def _logs(self, *directories: str) -> list[Path]:
        return [log for directory in directories for log in (self.store.path / directory).iterdir()]

    def _who(self, lines: list[Line]) -> str:
        begun = next((line for line in lines if isinstance(line, Begun)), None)
        return f"action {begun.action} of run {begun.run}" if begun else "an action"

    def _check_layout(self) -> None:
        """Write what this store is the store of; refuse that of another root, or of a newer Interlock."""
        line = f"{VERSION} {os.path.relpath(self.root.path, self.store.path)}\n"
        marker = self.store.path / "layout"
        if not marker.exists():
            made, _ = self.store.stage(line.encode(), mode=0o600)
            made.rename(marker)
            sync(self.store.path)
        found = marker.read_text("utf-8")
        if found != line:
            raise DeclarationError(
                f"files {self.name!r}: the store {self.store.path} is that of another root, or of another version of "
                f"Interlock ({found.strip()!r}, here {line.strip()!r}); declare another store=…"
            )


def _named(key: str) -> str:
    return sha256(key.encode()).hexdigest()


def _needs(lines: list[Line]) -> Iterator[str]:
    if any(isinstance(line, Undone | Expired) for line in lines):
        return
    for item in half_done(lines).values():
        if item.before.sha256:
            yield item.before.sha256


def _expirable(lines: list[Line]) -> Done | None:
    """Return what says that an effect happened, where it still has before-images and is not half taken back."""
    kinds = {type(line) for line in lines}
    halfway = Undoing in kinds and Undone not in kinds
    return None if halfway or Expired in kinds else next((line for line in lines if isinstance(line, Done)), None)
