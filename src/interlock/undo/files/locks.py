"""Locks between threads and processes that end with whoever holds them."""

import fcntl
import os
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def held(path: Path, *, passing: bool = False) -> Generator[None]:
    """Hold the lock file `path`, and wait for it as long as another thread or process does.

    With `passing` the file is removed afterwards.
    """
    opened = _locked(path)
    try:
        yield
    finally:
        try:
            if passing:
                # Removed while it is held: whoever waits for it finds that it is no longer the file of that name.
                path.unlink(missing_ok=True)
        finally:
            os.close(opened)


def _locked(path: Path) -> int:
    while True:
        opened = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        try:
            fcntl.flock(opened, fcntl.LOCK_EX)
            if _still_there(path, opened):
                return opened
        except BaseException:
            os.close(opened)
            raise
        os.close(opened)


def _still_there(path: Path, opened: int) -> bool:
    try:
        return os.path.samestat(path.stat(), os.fstat(opened))
    except FileNotFoundError:
        return False
