"""Contents kept by their SHA-256, beside the root and on its file system: before-images, and files being made."""

import errno
import hashlib
import os
import secrets
import stat
from contextlib import suppress
from pathlib import Path

from interlock.actions.way import LostError
from interlock.undo.files.logs import write_all
from interlock.undo.files.states import State, of_file

_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW


def sync(directory: Path) -> None:
    """Make the names in one of our own directories durable."""
    opened = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)


class Store:
    """The store of one root; written only under the root's lock.

    `objects/` holds the before-images, `making/` what is not in its place yet: after a crash it is worth nothing.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._objects = path / "objects"
        self._making = path / "making"
        self._loose = False

    def prepare(self) -> None:
        """Make its directories."""
        for directory in (self.path, self._objects, self._making):
            with suppress(FileExistsError):
                directory.mkdir(0o700)

    def clear(self) -> None:
        """Remove what a killed process was making."""
        for path in self._making.iterdir():
            if path.is_dir():
                path.rmdir()
            else:
                path.unlink()

    def keep(self, kept: State, content: bytes) -> None:
        """Keep a before-image; it is durable after `settle`."""
        self._loose = True
        place = self._object(kept.sha256)
        if not place.exists():
            made, _ = self.stage(content, mode=0o600)
            made.rename(place)

    def settle(self) -> None:
        """Make durable what was kept."""
        if self._loose:
            sync(self._objects)
            self._loose = False

    def has(self, kept: State) -> bool:
        """Whether a before-image is there."""
        return self._object(kept.sha256).exists()

    def stage(
        self,
        content: bytes,
        *,
        mode: int | None = None,
        owner: tuple[int, int] | None = None,
        mtime: int | None = None,
    ) -> tuple[Path, State]:
        """Make a file, durable and as it shall be but for its place; return where it is, and its state.

        Without a mode it gets that of any new file of this process.
        """
        path = self._making / secrets.token_hex(8)
        opened = os.open(path, _NEW, 0o666)
        try:
            write_all(opened, content)
            _dress(opened, mode, owner, mtime)
            os.fsync(opened)
            return path, of_file(os.fstat(opened), content)
        except OSError:
            # A full disk is given back what this took, before anything is put back.
            path.unlink()
            raise
        finally:
            os.close(opened)

    def again(self, kept: State, *, last: bool) -> Path:
        """Make a file again from its before-image, and return where it is.

        Where the disk is full and the image is needed for the last time, the image itself becomes the file.

        Raises:
            LostError: the before-image is not there, or damaged.
        """
        place = self._object(kept.sha256)
        try:
            content = place.read_bytes()
        except FileNotFoundError:
            raise LostError(f"the before-image {place} is not there any more") from None
        if hashlib.sha256(content).hexdigest() != kept.sha256:
            raise LostError(f"the before-image {place} is damaged: its content is not what its name says")
        owner = (kept.uid, kept.gid)
        try:
            return self.stage(content, mode=kept.mode, owner=owner, mtime=kept.mtime)[0]
        except OSError as error:
            if error.errno not in {errno.ENOSPC, errno.EDQUOT} or not last:
                raise
        opened = os.open(place, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
        try:
            _dress(opened, kept.mode, owner, kept.mtime)
        finally:
            os.close(opened)
        return place

    def directory_mode(self) -> int:
        """Return the mode of any new directory of this process (its umask can't be read without changing it)."""
        path = self._making / secrets.token_hex(8)
        path.mkdir()
        try:
            return stat.S_IMODE(path.stat().st_mode) & 0o777
        finally:
            path.rmdir()

    def drop_all_but(self, needed: set[str]) -> None:
        """Remove the before-images that are not among these SHA-256."""
        for image in self._objects.iterdir():
            if image.name not in needed:
                image.unlink()

    def _object(self, sha256: str) -> Path:
        return self._objects / sha256


def _dress(opened: int, mode: int | None, owner: tuple[int, int] | None, mtime: int | None) -> None:
    """Give an open file its owner, mode and time; the owner first, because changing it takes mode bits away."""
    status = os.fstat(opened)
    if owner is not None and owner != (status.st_uid, status.st_gid):
        os.fchown(opened, *owner)
    if mode is not None:
        os.fchmod(opened, mode)
    if mtime is not None:
        os.utime(opened, ns=(mtime, mtime))
