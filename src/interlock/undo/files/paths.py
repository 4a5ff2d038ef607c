"""Paths as actions give them: relative, below the root, in one normal form."""

import os

LONGEST_NAME = 255
"""Bytes in one name; what the usual file systems allow."""

LONGEST_PATH = 4096
"""Bytes in a path; what other programs can still open."""


class PathRefusedError(ValueError):
    """A path leads out of the root, through a link, or to something that can't be put back; nothing was touched."""


def clean(path: str | os.PathLike[str]) -> str:
    """Return the path in its normal form, `a/b`; the root itself is the empty string.

    Raises:
        PathRefusedError: it is absolute, climbs with `..`, or is no path that a file can have here.
    """
    text = os.fspath(path)
    if not text:
        raise PathRefusedError("the path is empty; '.' is the root")
    if text.startswith("/"):
        raise PathRefusedError(f"{text!r} is absolute; give it relative to the root")
    names = [name for name in text.split("/") if name not in {"", "."}]
    if ".." in names:
        raise PathRefusedError(f"{text!r} climbs with '..'; give the path below the root itself")
    normal = "/".join(names)
    _refuse_unusable(text, names, normal)
    return normal


def _refuse_unusable(text: str, names: list[str], normal: str) -> None:
    if "\0" in text:
        raise PathRefusedError(f"{text!r} has a NUL character in it; no file is called so")
    try:
        long = any(len(name.encode()) > LONGEST_NAME for name in names) or len(normal.encode()) > LONGEST_PATH
    except UnicodeEncodeError:
        raise PathRefusedError(f"{text!r} is not UTF-8; such a file is not touched") from None
    if long:
        shown = f"{text[:40]}…"
        raise PathRefusedError(f"{shown!r} is too long: {LONGEST_NAME} bytes a name, {LONGEST_PATH} a path")


def above(path: str) -> str:
    """Return the directory that a path in its normal form is in."""
    return path.rpartition("/")[0]


def below(directory: str, name: str) -> str:
    """Return the path of an entry of a directory."""
    return f"{directory}/{name}" if directory else name


def depth(path: str) -> list[str]:
    """Return what to sort by, so that a directory comes before what is in it."""
    return path.split("/")
