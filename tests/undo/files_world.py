"""A folder to work on, how it stands, and a process that dies at a file system operation of one's choice."""

import os
import stat
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from interlock import Ctx
from interlock.undo.files import Files, Handle

CHANGING = ("rename", "link", "unlink", "mkdir", "rmdir", "fchmod", "fchown", "utime", "ftruncate", "fsync", "write")
"""What changes the disk, in the module `os`; Path's methods call these."""


class DiedError(BaseException):
    """The process died here; nothing that it would do after it happens."""


def ctx(key: str = "k1", deps: Any = None) -> Ctx[Any]:
    return Ctx(deps, key=key, run="r1")


def perform(way: Files, key: str, do: Callable[[Handle], object], result: bytes = b'"ok"') -> Any:
    """Carry out an effect as the runtime does; return its performance."""
    with way.performing(ctx(key), "tidy") as effect:
        do(way.files(ctx(key)))
        effect.finish(result)
    return effect


def tree(root: Path) -> dict[str, tuple[Any, ...]]:
    """Return all that is below a folder: kind, mode, owner, and the content or the target of a link."""
    return {str(path.relative_to(root)): _entry(path) for path in sorted(root.rglob("*"))}


def _entry(path: Path) -> tuple[Any, ...]:
    status = path.lstat()
    content: Any = None
    if path.is_symlink():
        content = str(path.readlink())
    elif path.is_file():
        content = path.read_bytes()
    return stat.S_IFMT(status.st_mode), stat.S_IMODE(status.st_mode), status.st_uid, status.st_gid, content


class Death:
    """Counts operations; at the given one the process dies, half of a write done."""

    def __init__(self, at: int) -> None:
        self.at = at
        self.count = 0
        self.trace: list[str] = []

    def step(self, name: str, real: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        self.count += 1
        self.trace.append(name)
        if self.count > self.at:
            raise DiedError(name)
        if self.count == self.at:
            if name == "write":
                real(args[0], bytes(args[1])[: len(args[1]) // 2])
            raise DiedError(name)
        return real(*args, **kwargs)


@contextmanager
def dying(at: int) -> Iterator[Death]:
    """Let this thread's process die at its operation number `at`, counted from 1; 0 or less: before anything."""
    death, me = Death(at), threading.get_ident()
    real = {name: getattr(os, name) for name in CHANGING}

    def hooked(name: str) -> Callable[..., Any]:
        def call(*args: Any, **kwargs: Any) -> Any:
            if threading.get_ident() != me:
                return real[name](*args, **kwargs)
            return death.step(name, real[name], *args, **kwargs)

        return call

    try:
        for name in CHANGING:
            setattr(os, name, hooked(name))
        yield death
    finally:
        for name, function in real.items():
            setattr(os, name, function)
