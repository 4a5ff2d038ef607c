"""The page on provenance: its program runs and prints what the page says."""

import re
import subprocess
import sys
from pathlib import Path

PAGE = Path(__file__).parents[2] / "docs" / "provenance.md"


def test_the_example_runs_as_shown(tmp_path):
    """All Python of the page is one program; every line that it says is printed."""
    program = "\n".join(re.findall(r"^```python\n(.*?)^```", PAGE.read_text(), re.DOTALL | re.MULTILINE))
    command = [sys.executable, "-W", "error", "-c", program]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    shown = re.findall(r"# ?> (.*)$", program, re.MULTILINE)
    assert shown
    for line in shown:
        assert line.strip() in done.stdout


def test_every_part_of_the_declaration_is_named():
    """What can be declared is on the page."""
    from inspect import signature

    from interlock import Labels

    text = PAGE.read_text()
    assert all(f"`{name}`" in text for name in signature(Labels.__init__).parameters if name != "self")
