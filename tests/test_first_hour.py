"""The first hour's commands run as shown, from `interlock init` to `interlock verify`."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

PAGE = Path(__file__).parents[1] / "docs" / "first-hour.md"
OFFLINE = "## A first agent", "## A first real model"


def lines():
    """The console lines between install and the real model, each with what the page says that it prints."""
    text = PAGE.read_text()
    part = text[text.index(OFFLINE[0]) : text.index(OFFLINE[1])]
    found = []
    for block in re.findall(r"^```console\n(.*?)^```", part, re.DOTALL | re.MULTILINE):
        for line in block.splitlines():
            if line.startswith("# > "):
                found[-1][1].append(line.removeprefix("# > "))
            else:
                found.append((line, []))
    return found


class Shell:
    """Runs lines one after the other in a folder, with the newest run and question for RUN and QUESTION."""

    def __init__(self, folder):
        self.folder = folder
        bin_folder = str(Path(sys.executable).parent)
        self.environment = {**os.environ, "PATH": f"{bin_folder}{os.pathsep}{os.environ['PATH']}", "COLUMNS": "120"}

    def __call__(self, line):
        if line.startswith("cd "):
            self.folder /= line.removeprefix("cd ")
            return ""
        if "RUN" in line:
            line = line.replace("RUN", json.loads(self._out("interlock runs --json --limit 1"))[0]["run"])
        if "QUESTION" in line:
            line = line.replace("QUESTION", json.loads(self._out("interlock inbox --json"))[0]["question"])
        return self._out(line)

    def _out(self, line):
        done = subprocess.run(
            ["bash", "-c", line], cwd=self.folder, env=self.environment, capture_output=True, text=True, check=False
        )
        assert "Traceback" not in done.stderr, done.stderr
        return done.stdout if line.startswith("interlock runs --json") else done.stdout + done.stderr


@pytest.mark.skipif(sys.platform == "win32", reason="the page is written for a POSIX shell")
def test_the_first_hour(tmp_path):
    """Each line prints what the page says; the refund that was killed in the middle is made once."""
    shell = Shell(tmp_path)
    for line, shown in lines():
        printed = shell(line)
        for part in shown:
            assert part in printed, f"{line}\n{printed}"
    refunds = json.loads((tmp_path / "desk" / "shop.json").read_text())["refunds"]
    assert sorted(refunds.values()) == [["AB12", "40"], ["AB12", "50"]]
