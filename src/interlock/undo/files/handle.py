"""What an action's function works on files with: pathlib's names, on paths below the root."""

import os
import stat
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager

from interlock.undo.files.beneath import Root
from interlock.undo.files.changing import Step
from interlock.undo.files.effect import Effect
from interlock.undo.files.paths import PathRefusedError, above, below, clean
from interlock.undo.files.states import ABSENT, State, read

PathLike = str | os.PathLike[str]


class Handle:
    """The files below a root.

    Paths are relative, with `/`. A path that leads out of the root or through a symbolic link is refused, as are
    pipes, sockets and devices. All methods raise what pathlib raises (`FileNotFoundError`, `FileExistsError`,
    `IsADirectoryError`, ...) and `PathRefusedError`. Any error that leaves the action's function takes back all that
    the function did before it.

    Outside an action that was declared with its way, files can only be read.
    """

    def __init__(self, root: Root, largest: int, effect: Effect | None) -> None:
        self._root = root
        self._largest = largest
        self._effect = effect

    def read_bytes(self, path: PathLike) -> bytes:
        """Return a file's content."""
        with self._reading(path) as normal:
            return self._content(normal)[1]

    def read_text(self, path: PathLike) -> str:
        """Return a file's content, decoded as UTF-8."""
        return self.read_bytes(path).decode()

    def exists(self, path: PathLike) -> bool:
        """Whether a file or directory is there."""
        with self._reading(path) as normal:
            return self._status(normal) is not None

    def is_dir(self, path: PathLike) -> bool:
        """Whether a directory is there."""
        with self._reading(path) as normal:
            status = self._status(normal)
            return status is not None and stat.S_ISDIR(status.st_mode)

    def list(self, path: PathLike = ".") -> tuple[str, ...]:
        """Return the paths of what is in a directory, sorted by name."""
        with self._reading(path) as normal:
            return tuple(below(normal, name) for name in self._root.entries(normal))

    def write_bytes(self, path: PathLike, data: bytes) -> None:
        """Write a file whole: readers see the old content or the new. One that is there keeps its mode and owner."""
        with self._changing(path) as (effect, (normal,)):
            _refuse_directory(effect.hold(normal), normal)
            effect.change(effect.make(normal, bytes(data)))

    def write_text(self, path: PathLike, data: str) -> None:
        """Write a file whole, encoded as UTF-8."""
        self.write_bytes(path, data.encode())

    def append(self, path: PathLike, data: bytes | str) -> None:
        """Write at the end of a file; it is made where there is none."""
        added = data.encode() if isinstance(data, str) else bytes(data)
        with self._changing(path) as (effect, (normal,)):
            there = effect.hold(normal)
            _refuse_directory(there, normal)
            old = b"" if there.kind == "absent" else self._content(normal)[1]
            effect.change(effect.make(normal, old + added))

    def delete(self, path: PathLike) -> None:
        """Delete a file."""
        with self._changing(path) as (effect, (normal,)):
            there = _present(effect.hold(normal), normal)
            _refuse_directory(there, normal)
            effect.change(Step(normal, there, ABSENT))

    def mkdir(self, path: PathLike, *, parents: bool = False, exist_ok: bool = False) -> None:
        """Make a directory; with `parents` those above it too."""
        with self._changing(path) as (effect, (normal,)):
            status = self._status(normal) if exist_ok else None
            if status is not None and stat.S_ISDIR(status.st_mode):
                return
            outer = above(normal)
            if parents and outer and self._status(outer) is None:
                self.mkdir(outer, parents=True, exist_ok=True)
            _refuse_present(effect.hold(normal), normal)
            effect.change(effect.directory(normal))

    def rmdir(self, path: PathLike) -> None:
        """Remove an empty directory."""
        with self._changing(path) as (effect, (normal,)):
            there = _present(effect.hold(normal), normal)
            _refuse_file(there, normal)
            effect.change(Step(normal, there, ABSENT))

    def rmtree(self, path: PathLike) -> None:
        """Remove a directory with all that is in it; where a link or a device is in it, nothing is removed."""
        with self._changing(path) as (effect, (normal,)):
            tree = self._held_tree(effect, normal)
            _refuse_file(tree[0][1], normal)
            effect.change(*_removals(tree))

    def move(self, source: PathLike, target: PathLike) -> None:
        """Move a file, or a directory with all that is in it, to a path where nothing is."""
        with self._changing(source, target) as (effect, (old, new)):
            _refuse_inside(old, new)
            _refuse_present(effect.hold(new), new)
            tree = self._held_tree(effect, old)
            steps: list[Step] = []
            for path, there in tree:
                goal = new + path[len(old) :]
                if goal != new:
                    effect.hold(goal)
                steps.append(Step(goal, ABSENT, there, source=path if there.kind == "file" else ""))
            effect.change(*steps, *_removals(tree))

    def copy(self, source: PathLike, target: PathLike) -> None:
        """Copy a file, or a directory with all that is in it, to a path where nothing is; modes are kept."""
        with self._changing(target) as (effect, (new,)), self._reading(source) as old:
            _refuse_inside(old, new)
            for path in self._tree(old):
                effect.saw(path)
                goal = new + path[len(old) :]
                _refuse_present(effect.hold(goal), goal)
                status = self._root.status(path)
                if status is not None and stat.S_ISDIR(status.st_mode):
                    effect.change(effect.directory(goal, _mode_of(status)))
                else:
                    status, content = self._content(path)
                    effect.change(effect.make(goal, content, _mode_of(status)))

    def chmod(self, path: PathLike, mode: int) -> None:
        """Set a file's or directory's permission bits; its owner must still be able to read and restore it."""
        with self._changing(path) as (effect, (normal,)):
            there = _present(effect.hold(normal), normal)
            least = 0o700 if there.kind == "dir" else 0o400
            if mode & ~0o777 or mode & least != least:
                raise PathRefusedError(
                    f"{normal!r}: mode {mode:04o} is not between {least:04o} and 0777; it keeps its own"
                )
            effect.change(self._chmod(effect, normal, there, mode))

    def _chmod(self, effect: Effect, path: str, there: State, mode: int) -> Step:
        status = self._root.status(path)
        if there.kind == "file" and status is not None and status.st_nlink > 1:
            # It has other names, maybe outside the root: those keep their mode.
            return effect.make(path, self._content(path)[1], State(mode=mode))
        inherits = there.mode & stat.S_ISGID if there.kind == "dir" else 0
        to = State(there.kind, mode | inherits, there.uid, there.gid, there.size, there.sha256, there.mtime, there.text)
        return Step(path, there, to)

    @contextmanager
    def _reading(self, path: PathLike) -> Generator[str]:
        normal = clean(path)
        if self._effect is None:
            yield normal
            return
        with self._effect.busy():
            self._effect.saw(normal)
            yield normal

    @contextmanager
    def _changing(self, *paths: PathLike) -> Generator[tuple[Effect, Sequence[str]]]:
        normal = [clean(path) for path in paths]
        if "" in normal:
            raise PathRefusedError("the root itself is not changed")
        if self._effect is None:
            raise PermissionError(
                f"{normal[0]!r} can't be changed here: only within an action that is declared with way=… of these files"
            )
        with self._effect.busy():
            yield self._effect, normal

    def _status(self, path: str) -> os.stat_result | None:
        status = self._root.status(path or ".")
        if status is not None and stat.S_ISLNK(status.st_mode):
            raise PathRefusedError(f"{path!r} is a symbolic link; links are not followed and not touched")
        return status

    def _content(self, path: str) -> tuple[os.stat_result, bytes]:
        with self._root.opened(path) as (opened, status):
            if stat.S_ISDIR(status.st_mode):
                raise IsADirectoryError(f"{path!r} is a directory")
            return status, read(opened, path, self._largest)

    def _tree(self, path: str) -> Sequence[str]:
        """Return a path and all that is below it, directories before what is in them."""
        with self._root.opened(path) as (_, status):
            inside = self._root.entries(path) if stat.S_ISDIR(status.st_mode) else []
        return [path, *(inner for name in inside for inner in self._tree(clean(below(path, name))))]

    def _held_tree(self, effect: Effect, path: str) -> Sequence[tuple[str, State]]:
        return [(inner, _present(effect.hold(inner), inner)) for inner in self._tree(path)]


def _removals(tree: Sequence[tuple[str, State]]) -> Iterator[Step]:
    return (Step(path, there, ABSENT) for path, there in reversed(tree))


def _mode_of(status: os.stat_result) -> State:
    return State(mode=stat.S_IMODE(status.st_mode) & 0o777)


def _present(there: State, path: str) -> State:
    if there.kind == "absent":
        raise FileNotFoundError(f"{path!r} is not there")
    return there


def _refuse_present(there: State, path: str) -> None:
    if there.kind != "absent":
        raise FileExistsError(f"{path!r} is there already; delete it first, or choose another path")


def _refuse_directory(there: State, path: str) -> None:
    if there.kind == "dir":
        raise IsADirectoryError(f"{path!r} is a directory")


def _refuse_file(there: State, path: str) -> None:
    if there.kind == "file":
        raise NotADirectoryError(f"{path!r} is a file, not a directory")


def _refuse_inside(source: str, target: str) -> None:
    if f"{target}/".startswith(f"{source}/" if source else ""):
        raise PathRefusedError(f"{target!r} is {source!r} itself, or inside it")
