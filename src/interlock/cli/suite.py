"""`interlock test`: the project's tests, run by pytest."""

import subprocess
import sys
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from xml.etree import ElementTree as ET

from interlock.cli.errors import NO, WELL, WRONG_USAGE, UsageError
from interlock.cli.project import found
from interlock.cli.screen import Screen

MISUSED = 4
"""What pytest returns when its arguments are wrong."""


def run_suite(arguments: Sequence[str], *, json: bool) -> int:
    """Run pytest in the project's folder with *arguments*; with *json*, what it prints goes to stderr.

    Raises:
        UsageError: pytest is not installed.
    """
    if find_spec("pytest") is None:
        raise UsageError("the tests run with pytest, which is not installed: pip install pytest")
    project = found()
    folder = project.folder if project is not None else Path.cwd()
    command = [sys.executable, "-m", "pytest", *arguments]
    if not json:
        return _code(subprocess.run(command, cwd=folder, check=False).returncode)  # noqa: S603 - the user's own tests
    with TemporaryDirectory() as place:
        report = Path(place) / "report.xml"
        command.append(f"--junitxml={report}")
        done = subprocess.run(command, cwd=folder, check=False, stdout=sys.stderr)  # noqa: S603 - as above
        Screen().json({"ok": done.returncode == 0, "tests": _cases(report) if report.exists() else []})
    return _code(done.returncode)


def _code(returned: int) -> int:
    return {0: WELL, MISUSED: WRONG_USAGE}.get(returned, NO)


def _cases(report: Path) -> list[dict[str, Any]]:
    cases = ET.parse(report).getroot().iter("testcase")  # noqa: S314 - pytest has just written it
    return [_case(one) for one in cases]


def _case(one: ET.Element) -> dict[str, Any]:
    found = next((part for part in one if part.tag in ("failure", "error", "skipped")), None)
    return {
        "test": f"{one.get('classname', '')}.{one.get('name', '')}",
        "outcome": "passed" if found is None else {"failure": "failed"}.get(found.tag, found.tag),
        "seconds": float(one.get("time", "0")),
        "message": "" if found is None else found.get("message", ""),
    }
