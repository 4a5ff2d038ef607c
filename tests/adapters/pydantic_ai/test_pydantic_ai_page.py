"""The page about Pydantic AI says what happens."""

import re
import subprocess
import sys
from pathlib import Path

PAGE = Path(__file__).parents[3] / "docs" / "pydantic-ai.md"


def test_the_page_runs_as_shown(tmp_path):
    """Its Python, read from top to bottom as one program, prints what the page says that it prints."""
    program = "\n".join(re.findall(r"^```python\n(.*?)^```", PAGE.read_text(), re.DOTALL | re.MULTILINE))
    command = [sys.executable, "-W", "error", "-c", program]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    shown = [line.strip() for line in re.findall(r"# > (.*)$", program, re.MULTILINE)]
    assert shown == [line.strip() for line in done.stdout.splitlines()]
