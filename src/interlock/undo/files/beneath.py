"""A directory tree that is never left: every component is opened from its parent, and no link is followed."""

import errno
import os
import stat
from collections.abc import Generator
from contextlib import contextmanager, suppress

from interlock.undo.files.paths import PathRefusedError, below

_SEARCH = getattr(os, "O_PATH", os.O_RDONLY) | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
"""How a directory on the way is opened; where O_PATH is known, it need not be readable."""

_READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
"""How a file is opened: not through a link, and without waiting for the other end of a pipe."""


class Root:
    """A declared root. `path` is absolute, and no part of it is a link; paths below it are in normal form."""

    def __init__(self, path: str) -> None:
        self.path = path

    @contextmanager
    def directory(self, path: str) -> Generator[int]:
        """Open a directory component by component, so that none can be swapped for a link on the way.

        Raises:
            PathRefusedError: a component is a symbolic link.
            OSError: it is not there, or not a directory.
        """
        opened = os.open(self.path, _SEARCH)
        try:
            reached = ""
            for name in path.split("/") if path else ():
                outer, reached = opened, below(reached, name)
                opened = _step(outer, name, reached)
                os.close(outer)
            yield opened
        finally:
            os.close(opened)

    @contextmanager
    def parent(self, path: str) -> Generator[tuple[int, str]]:
        """Open the directory that a path is in, and yield it with the last name."""
        above, _, name = path.rpartition("/")
        with self.directory(above) as opened:
            yield opened, name

    @contextmanager
    def opened(self, path: str) -> Generator[tuple[int, os.stat_result]]:
        """Open a file or directory for reading.

        Raises:
            PathRefusedError: it is, or lies behind, a symbolic link; or it is neither a file nor a directory.
            OSError: it is not there, or can't be read.
        """
        with self.parent(path or ".") as (above, name):
            _refuse_special(os.stat(name, dir_fd=above, follow_symlinks=False), path)
            opened = _open(above, name, _READ, path)
        try:
            status = os.fstat(opened)
            _refuse_special(status, path)
            yield opened, status
        finally:
            os.close(opened)

    def status(self, path: str) -> os.stat_result | None:
        """Return what is at a path (of a link: the link's own), None where nothing is."""
        try:
            with self.parent(path) as (above, name):
                return os.stat(name, dir_fd=above, follow_symlinks=False)
        except (FileNotFoundError, NotADirectoryError):
            return None

    def entries(self, path: str) -> list[str]:
        """Return the names in a directory, sorted.

        Raises:
            OSError: it is not there, or not a directory.
        """
        with self.directory(path) as opened:
            listed = os.open(".", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC, dir_fd=opened)
        try:
            return sorted(os.listdir(listed))  # noqa: PTH208 - a descriptor, not a path
        finally:
            os.close(listed)

    def sync(self, path: str) -> None:
        """Make the names in a directory durable; one that is gone, or that can't be opened, is passed over."""
        with (
            suppress(FileNotFoundError, NotADirectoryError, PermissionError, PathRefusedError),
            self.directory(path) as at,
        ):
            opened = os.open(".", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC, dir_fd=at)
            try:
                os.fsync(opened)
            finally:
                os.close(opened)


def _step(outer: int, name: str, reached: str) -> int:
    try:
        return _open(outer, name, _SEARCH, reached)
    except NotADirectoryError:
        # With O_DIRECTORY a link is reported as "not a directory".
        if stat.S_ISLNK(os.stat(name, dir_fd=outer, follow_symlinks=False).st_mode):
            raise _a_link(reached) from None
        raise


def _open(above: int, name: str, flags: int, path: str) -> int:
    try:
        return os.open(name, flags, dir_fd=above)
    except OSError as error:
        if error.errno == errno.ELOOP:
            raise _a_link(path) from None
        error.filename = path
        raise


def _a_link(path: str) -> PathRefusedError:
    return PathRefusedError(f"{path!r} is a symbolic link; links are not followed and not touched")


def _refuse_special(status: os.stat_result, path: str) -> None:
    if stat.S_ISLNK(status.st_mode):
        raise _a_link(path)
    if not (stat.S_ISREG(status.st_mode) or stat.S_ISDIR(status.st_mode)):
        raise PathRefusedError(f"{path!r} is a pipe, socket or device; only files and directories are touched")
