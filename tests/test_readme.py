"""The README's example runs as shown."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", ROOT / "docs" / "first-steps.md"]


def blocks(page):
    return re.findall(r"^```python\n(.*?)^```", page.read_text(), re.DOTALL | re.MULTILINE)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_examples_run_as_shown(page, tmp_path):
    """All Python of a page, read from top to bottom as one program, runs and prints what the page says it prints."""
    program = "\n".join(blocks(page))
    done = subprocess.run([sys.executable, "-W", "error", "-c", program], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    for line in re.findall(r"#> (.*)$", program, re.MULTILINE):
        assert line.strip() in done.stdout
