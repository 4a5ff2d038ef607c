"""What all benchmarks share: quick or full, the peers' environment, processes, tables, results."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import platform
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping, Sequence

ROOT = Path(__file__).resolve().parent.parent
RESULTS = ROOT / "benchmarks" / "results"
_PEERS = ROOT / ".venv-peers"
_NEWEST = ROOT / ".venv-newest"
_REQUIREMENTS = ROOT / "benchmarks" / "requirements-peers.txt"
_WIDTH = 100


def quick() -> bool:
    """Whether `QUICK=1` asks for a run of under a minute: the same keys from smaller numbers."""
    return os.environ.get("QUICK", "") not in {"", "0"}


def peers_python() -> Path:
    """Return the interpreter of the peers' environment, set up once for each content of its requirements.

    The lock lets two benchmarks start at the same moment; the stamp is written last, so that a set-up that
    was interrupted is done again.
    """
    python, stamp = _PEERS / "bin" / "python", _PEERS / "stamp"
    wanted = hashlib.sha256(_REQUIREMENTS.read_bytes() + (ROOT / "pyproject.toml").read_bytes()).hexdigest()
    with _REQUIREMENTS.open("rb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not stamp.exists() or stamp.read_text() != wanted:
            progress("setting up the peers in .venv-peers (once)")
            subprocess.run([sys.executable, "-m", "venv", "--clear", str(_PEERS)], check=True)
            _install(python, "-r", str(_REQUIREMENTS))
            stamp.write_text(wanted)
    return python


def newest_python(packages: Sequence[str]) -> Path:
    """Return the interpreter of an environment with the newest versions of *packages*, and with Interlock."""
    python = _NEWEST / "bin" / "python"
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", str(_NEWEST)], check=True)
    progress("looking for the newest versions of the frameworks for .venv-newest")
    _install(python, "--upgrade", "--upgrade-strategy", "eager", "--editable", ".", *packages)
    return python


def _install(python: Path, *words: str) -> None:
    pip = [str(python), "-m", "pip", "install", "-qq", "--disable-pip-version-check"]
    subprocess.run([*pip, *words], cwd=ROOT, check=True)


def run_json(command: Sequence[str | Path]) -> dict[str, Any]:
    """Run a command at the project's root and return the JSON object on the last line that it prints.

    Its stderr is shown only when it fails: peers log much that a reader of the table doesn't need.
    """
    words = [str(word) for word in command]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False)
    lines = done.stdout.strip().splitlines()
    if done.returncode or not lines:
        message = f"{' '.join(words)} ended with {done.returncode}\n{done.stderr[-4000:]}"
        raise RuntimeError(message)
    return cast("dict[str, Any]", json.loads(lines[-1]))


def progress(message: str) -> None:
    """Say on stderr what is being done, so that stdout holds the table alone."""
    print(message, file=sys.stderr, flush=True)


def table(headers: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """Return plain aligned text of at most 100 columns, the first to the left, figures to the right."""
    cells = [list(headers), *([_cell(value) for value in row] for row in rows)]
    widths = [max(len(row[column]) for row in cells) for column in range(len(headers))]
    lines = [_line(row, widths) for row in cells]
    if len(lines[0]) > _WIDTH:
        message = f"the table is {len(lines[0])} columns wide; say less in a column, or put it below as a note"
        raise ValueError(message)
    return "\n".join([lines[0], "-" * len(lines[0]), *lines[1:]])


def _cell(value: object) -> str:
    match value:
        case None:
            return "-"
        case float():
            return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}" if abs(value) < 1 else f"{value:,.1f}"
        case int():
            return f"{value:,}"
        case _:
            return str(value)


def _line(row: Sequence[str], widths: Sequence[int]) -> str:
    figures = (cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True))
    return "  ".join([row[0].ljust(widths[0]), *figures])


@contextmanager
def scratch() -> Generator[Path]:
    """Yield a fresh directory on the project's own disk and remove it afterwards.

    A system's default temporary directory may live in memory, where nothing is ever durable.
    """
    RESULTS.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="scratch-", dir=RESULTS) as path:
        yield Path(path)


def write_results(name: str, results: Mapping[str, Any]) -> Path:
    """Write `benchmarks/results/NAME.json`: the figures, and the facts of the machine that they depend on."""
    RESULTS.mkdir(parents=True, exist_ok=True)
    path = RESULTS / f"{name}.json"
    path.write_text(json.dumps({**results, "quick": quick(), "machine": machine()}, indent=2) + "\n")
    return path


def machine() -> dict[str, Any]:
    """Return what a figure depends on besides the code: processors, disk, interpreter, packages, and when."""
    return {
        "cpus": os.cpu_count(),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "sqlite": sqlite3.sqlite_version,
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "fsync_ms": round(fsync_ms(), 3),
        "packages": {found.name: found.version for found in metadata.distributions()},
    }


def fsync_ms(times: int = 51) -> float:
    """Measure how long the disk takes to make one appended page durable: the median, in milliseconds."""
    waits: list[float] = []
    with scratch() as directory, (directory / "page").open("wb", buffering=0) as file:
        for _ in range(times):
            file.write(bytes(4096))
            started = time.perf_counter()
            os.fsync(file.fileno())
            waits.append((time.perf_counter() - started) * 1000)
    return statistics.median(waits)


def peak_rss_mb() -> float:
    """Return the most memory that this process ever held.

    Linux tells it for the process itself; `getrusage` there also counts what the parent held before `exec`.
    """
    status = Path("/proc/self/status")
    if status.exists():
        peak = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
        return int(peak.split()[1]) / 1024
    import resource  # noqa: PLC0415 - only where /proc is missing

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
