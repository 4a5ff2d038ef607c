"""The examples of README and docs run as shown."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
README, FIRST_STEPS, TESTING, *_ = PAGES = [
    ROOT / "README.md",
    ROOT / "docs" / "first-steps.md",
    ROOT / "docs" / "testing.md",
    ROOT / "docs" / "embedding.md",
    ROOT / "docs" / "guardian.md",
    ROOT / "docs" / "undo.md",
]
SETTINGS = """
[pytest]
asyncio_mode = auto
asyncio_default_fixture_loop_scope = function
filterwarnings = error
"""


def program(page):
    return "\n".join(re.findall(r"^```python\n(.*?)^```", page.read_text(), re.DOTALL | re.MULTILINE))


def run(folder, *args):
    return subprocess.run([sys.executable, *args], cwd=folder, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_examples_run_as_shown(page, tmp_path):
    """All Python of a page, read from top to bottom as one program, runs and prints what the page says it prints."""
    done = run(tmp_path, "-W", "error", "-c", program(page))
    assert done.returncode == 0, done.stderr
    shown = re.findall(r"# ?> (.*)$", program(page), re.MULTILINE)
    assert shown or page == README
    for line in shown:
        assert line.strip() in done.stdout


def test_the_tests_of_the_testing_page(tmp_path):
    """Each test on that page passes under pytest, which finds the fixtures by itself."""
    (tmp_path / "pytest.ini").write_text(SETTINGS)
    (tmp_path / "test_page.py").write_text(program(TESTING))
    done = run(tmp_path, "-m", "pytest", "-p", "no:cacheprovider")
    assert f"{program(TESTING).count('async def test_')} passed" in done.stdout, done.stdout
