"""The peers' environment, `.venv-guardian-peers`: made once for each content of its requirements."""

from __future__ import annotations

import fcntl
import hashlib
import subprocess
import sys
from pathlib import Path

from benchmarks import _convention as convention

_FOLDER = convention.ROOT / ".venv-guardian-peers"
_REQUIREMENTS = Path(__file__).with_name("requirements.txt")


def peers_python() -> Path:
    """Return the interpreter of the environment; the stamp comes last, so that a broken set-up is done again."""
    python, stamp = _FOLDER / "bin" / "python", _FOLDER / "stamp"
    wanted = hashlib.sha256(_REQUIREMENTS.read_bytes()).hexdigest()
    with _REQUIREMENTS.open("rb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not stamp.exists() or stamp.read_text() != wanted:
            convention.progress(f"setting up the peers in {_FOLDER.name} (once)")
            subprocess.run([sys.executable, "-m", "venv", "--clear", str(_FOLDER)], check=True)
            pip = [str(python), "-m", "pip", "install", "-qq", "--disable-pip-version-check"]
            subprocess.run([*pip, "-r", str(_REQUIREMENTS)], check=True)
            stamp.write_text(wanted)
    return python
