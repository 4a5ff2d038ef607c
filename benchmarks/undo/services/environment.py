"""The environment of the services' packages: `.venv-undo`, set up once for each content of its requirements."""

import fcntl
import hashlib
import subprocess
import sys
from pathlib import Path

from benchmarks import _convention as convention

VENV = convention.ROOT / ".venv-undo"
REQUIREMENTS = convention.ROOT / "benchmarks" / "undo" / "requirements.txt"


def services_python() -> Path:
    """Return the interpreter of the environment, with Interlock in it.

    The lock lets two benchmarks start at the same moment; the stamp is written last, so that a set-up that was
    interrupted is done again.
    """
    python, stamp = VENV / "bin" / "python", VENV / "stamp"
    wanted = hashlib.sha256(REQUIREMENTS.read_bytes() + (convention.ROOT / "pyproject.toml").read_bytes()).hexdigest()
    with REQUIREMENTS.open("rb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not stamp.exists() or stamp.read_text() != wanted:
            convention.progress("setting up the services in .venv-undo (once)")
            subprocess.run([sys.executable, "-m", "venv", "--clear", str(VENV)], check=True)
            pip = [str(python), "-m", "pip", "install", "-qq", "--disable-pip-version-check"]
            subprocess.run([*pip, "--editable", ".", "-r", str(REQUIREMENTS)], cwd=convention.ROOT, check=True)
            stamp.write_text(wanted)
    return python
