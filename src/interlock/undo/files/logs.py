"""The log of one effect: each line is durable before what it announces is done."""

import os
from collections.abc import Iterable
from pathlib import Path

import msgspec
from msgspec import Struct

from interlock.actions.way import LostError, Touched
from interlock.undo.files.states import State


class Begun(Struct, frozen=True, tag="begun"):
    """The effect may change files from here on. `at`: microseconds since the epoch, as everywhere here."""

    key: str
    run: str
    action: str
    at: int
    version: int = 1


class Changing(Struct, frozen=True, tag="changing"):
    """A path is about to be brought to a state; `before`: as it stood before the effect."""

    path: str
    before: State
    to: State


class Net(Struct, frozen=True):
    """What the effect as a whole did to a path."""

    path: str
    before: State
    after: State


class Done(Struct, frozen=True, tag="done"):
    """The effect happened: its result (JSON) and all that it changed."""

    result: bytes
    touched: Touched
    changes: tuple[Net, ...]
    at: int


class Undoing(Struct, frozen=True, tag="undoing"):
    """From here on files are put back."""

    key: str
    at: int


class Undone(Struct, frozen=True, tag="undone"):
    """All was put back."""

    key: str
    at: int


class Expired(Struct, frozen=True, tag="expired"):
    """The before-images were dropped; they were kept until `until`."""

    until: int


Line = Begun | Changing | Done | Undoing | Undone | Expired

_encode = msgspec.json.Encoder().encode
_decoder = msgspec.json.Decoder(Line)


def read(path: Path) -> list[Line]:
    """Return the lines of a log; none where there is no log. A last line that was not finished is left out.

    Raises:
        LostError: another line is damaged.
    """
    try:
        whole = path.read_bytes()
    except FileNotFoundError:
        return []
    lines = whole.split(b"\n")[:-1]
    try:
        return [_decoder.decode(line) for line in lines]
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise LostError(f"the log of the effect, {path}, is damaged: {error}") from error


def append(path: Path, lines: Iterable[Line]) -> None:
    """Append lines durably; the file is made if need be (its name is durable once its directory is synced)."""
    opened = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        end = _whole(opened)
        os.lseek(opened, end, os.SEEK_SET)
        write_all(opened, b"".join(_encode(line) + b"\n" for line in lines))
        os.fsync(opened)
    finally:
        os.close(opened)


def withdraw_done(path: Path) -> None:
    """Take the line that says it happened off the end again, durably: its writer was not told that it is there."""
    opened = os.open(path, os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW)
    try:
        whole = os.pread(opened, os.fstat(opened).st_size, 0)
        kept = [line for line in whole.split(b"\n")[:-1] if not isinstance(_decoder.decode(line), Done)]
        os.ftruncate(opened, sum(len(line) + 1 for line in kept))
        os.fsync(opened)
    finally:
        os.close(opened)


def write_all(opened: int, content: bytes) -> None:
    """Write everything to an open file."""
    left = memoryview(content)
    while left:
        left = left[os.write(opened, left) :]


def _whole(opened: int) -> int:
    """Return where the last whole line ends, and cut off what follows it: a line that a crash tore."""
    size = os.fstat(opened).st_size
    if size and os.pread(opened, 1, size - 1) != b"\n":
        size = os.pread(opened, size, 0).rfind(b"\n") + 1
        os.ftruncate(opened, size)
    return size
