"""What stands at a path: the state that is recorded, compared and shown to people."""

import errno
import hashlib
import os
import stat
from contextlib import suppress
from typing import Any, Literal

from msgspec import Struct

from interlock.undo.files.beneath import Root
from interlock.undo.files.paths import PathRefusedError

SHORT = 1000
"""Up to how many bytes a text is shown whole to people."""

_PIECE = 1 << 20


class State(Struct, frozen=True, omit_defaults=True):
    """A path's state. Equal (`same`): kind, mode, owner, size and SHA-256 of the content.

    `mtime` (nanoseconds) and `text` (the content, where it is short) are outside equality; so is of how many names a
    file is one (hard links). A `link` or something `other` (pipe, socket, device) is only ever somebody else's.
    """

    kind: Literal["absent", "file", "dir", "link", "other"] = "absent"
    mode: int = 0
    uid: int = 0
    gid: int = 0
    size: int = 0
    sha256: str = ""
    mtime: int = 0
    text: str | None = None

    def same(self, other: "State") -> bool:
        """Whether both are equal, as undo understands it."""
        return (self.kind, self.mode, self.uid, self.gid, self.size, self.sha256) == (
            *(other.kind, other.mode, other.uid, other.gid),
            *(other.size, other.sha256),
        )

    def shown(self) -> dict[str, Any] | None:
        """Return it for people: plain data, None where nothing is."""
        if self.kind == "absent":
            return None
        shown: dict[str, Any] = {"kind": self.kind, "mode": f"{self.mode:04o}", "owner": f"{self.uid}:{self.gid}"}
        if self.kind == "file":
            shown |= {"size": self.size, "sha256": self.sha256}
        return shown if self.text is None else {**shown, "text": self.text}


ABSENT = State()


def of_file(status: os.stat_result, content: bytes) -> State:
    """Return the state of a file with this content."""
    return _of_file(status, len(content), hashlib.sha256(content).hexdigest(), content[: SHORT + 1])


def of_directory(status: os.stat_result) -> State:
    """Return the state of a directory."""
    return State("dir", stat.S_IMODE(status.st_mode), status.st_uid, status.st_gid)


def state(root: Root, path: str) -> State:
    """Return what stands at a path now, whatever it is."""
    try:
        status = root.status(path)
        if status is None:
            return ABSENT
        if stat.S_ISDIR(status.st_mode):
            return of_directory(status)
        if not stat.S_ISREG(status.st_mode):
            return State("link" if stat.S_ISLNK(status.st_mode) else "other")
        return _read_state(root, path, status)
    except FileNotFoundError:
        return ABSENT
    except PathRefusedError:
        # A directory on the way has become a link: what lies behind it is not looked at.
        return State("link")


def unmoved(above: int, name: str, known: State) -> bool:
    """Whether an entry of an open directory is still as known, as far as can be told without reading it."""
    try:
        now = os.stat(name, dir_fd=above, follow_symlinks=False)
    except FileNotFoundError:
        return known.kind == "absent"
    if stat.S_ISDIR(now.st_mode):
        return of_directory(now).same(known)
    found = (stat.S_IMODE(now.st_mode), now.st_uid, now.st_gid, now.st_size, now.st_mtime_ns)
    held = (known.mode, known.uid, known.gid, known.size, known.mtime)
    return stat.S_ISREG(now.st_mode) and known.kind == "file" and found == held


def inspect(root: Root, path: str, largest: int) -> tuple[State, bytes]:
    """Return a path's state and a file's content, of what could be put back exactly.

    Raises:
        PathRefusedError: it is a link, is special, or is something that this process could not make again.
        OSError: it can't be read.
    """
    try:
        with root.opened(path) as (opened, status):
            _refuse_what_would_be_lost(opened, status, path)
            if stat.S_ISDIR(status.st_mode):
                return of_directory(status), b""
            content = read(opened, path, largest)
            after = os.fstat(opened)
    except FileNotFoundError:
        return ABSENT, b""
    if (after.st_mtime_ns, after.st_size) != (status.st_mtime_ns, len(content)):
        raise BlockingIOError(errno.EAGAIN, "somebody is writing it at this moment; try again", path)
    return of_file(after, content), content


def read(opened: int, path: str, largest: int) -> bytes:
    """Return the content of an open file.

    Raises:
        PathRefusedError: it is larger than `largest` bytes.
    """
    with open(opened, "rb", closefd=False) as file:
        content = file.read(largest + 1)
    if len(content) > largest:
        raise PathRefusedError(f"{path!r} is larger than {largest} bytes; declare Files(largest=…) to allow it")
    return content


def _refuse_what_would_be_lost(opened: int, status: os.stat_result, path: str) -> None:
    me = os.geteuid()
    if me and (status.st_uid != me or status.st_gid not in {os.getegid(), *os.getgroups()}):
        raise PathRefusedError(f"{path!r} belongs to another user or group: this process could not put it back exactly")
    if hasattr(os, "listxattr"):
        names: list[str] = []
        with suppress(OSError):
            names = [name for name in os.listxattr(opened) if name.startswith(("user.", "system.posix_acl"))]
        if names:
            raise PathRefusedError(
                f"{path!r} has attributes that would be lost ({', '.join(names)}); it is not touched"
            )


def _read_state(root: Root, path: str, status: os.stat_result) -> State:
    try:
        with root.opened(path) as (opened, now), open(opened, "rb", closefd=False) as file:
            head = piece = file.read(_PIECE)
            hashed, size = hashlib.sha256(), 0
            while piece:
                hashed.update(piece)
                size += len(piece)
                piece = file.read(_PIECE)
            return _of_file(now, size, hashed.hexdigest(), head[: SHORT + 1])
    except PermissionError:
        return _of_file(status, status.st_size, "unreadable", b"\xff")


def _of_file(status: os.stat_result, size: int, sha256: str, head: bytes) -> State:
    text = None
    if size <= SHORT:
        with suppress(UnicodeDecodeError):
            text = head.decode()
    mode = stat.S_IMODE(status.st_mode)
    return State("file", mode, status.st_uid, status.st_gid, size, sha256, status.st_mtime_ns, text)
