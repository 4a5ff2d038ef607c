"""kill -9 in the middle of a tool of the OpenAI Agents SDK, and the run again in a new process."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

LIFE = Path(__file__).with_name("openai_agents_life.py")


def live(home, kind):
    return subprocess.run([sys.executable, LIFE, home, kind], capture_output=True, text=True, timeout=120, check=False)


@pytest.mark.parametrize(
    ("kind", "payments", "says", "asks"),
    [
        ("probe", 1, "it is paid", "[]"),
        ("key", 2, "paid", "[]"),
        ("neither", 1, "Do not propose it again", "['unknown']"),
    ],
)
def test_a_payment_whose_process_was_killed(tmp_path, kind, payments, says, asks):
    """It is looked up, sent again under its key, or a person is asked; the model is asked one turn, not two."""
    assert live(tmp_path, kind).returncode == -signal.SIGKILL
    again = live(tmp_path, kind)
    assert again.returncode == 0, again.stderr
    *_, answer, asked = again.stdout.splitlines()
    assert says in answer
    assert asked == asks
    paid = (tmp_path / "paid").read_text().splitlines()
    assert (len(paid), len(set(paid))) == (payments, 1)
    assert (tmp_path / "asked").read_text().split() == ["0", "1"]
