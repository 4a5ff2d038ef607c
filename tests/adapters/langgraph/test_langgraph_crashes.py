"""An agent on LangGraph's SQLite checkpointer is killed and goes on: whatever was kept, each effect is there once."""

import json
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

LIVES = Path(__file__).with_name("langgraph_lives.py")


def lives(folder: Path, *how: str) -> list[dict[str, Any]]:
    ended = subprocess.run(
        [sys.executable, str(LIVES), str(folder), *how], capture_output=True, text=True, timeout=300, check=False
    )
    assert ended.returncode == 0, ended.stderr
    return json.loads(ended.stdout)


@pytest.mark.parametrize(("durability", "mode"), [("sync", "sync"), ("async", "async"), ("exit", "sync")])
def test_killed_at_any_moment_every_payment_is_made_once(tmp_path: Path, durability: str, mode: str) -> None:
    """Also where the last checkpoints, or all of them, are lost; the model is asked for no turn that was recorded."""
    found = lives(tmp_path, durability, mode, "idempotent", "4")
    assert len(found) > 3
    assert {one["first"] for one in found} == {-signal.SIGKILL, 0}
    for one in found:
        assert (one["again"], one["said"], one["paid"]) == (0, "All paid.", ["7", "7", "8"])
        assert one["asked"] <= 5


def test_killed_in_a_tool_a_probe_finds_what_was_done(tmp_path: Path) -> None:
    """It is not called again, and the agent goes on with what the probe says."""
    (one,) = lives(tmp_path, "sync", "sync", "probe", "0")
    assert (one["first"], one["again"], one["said"]) == (-signal.SIGKILL, 0, "All paid.")
    assert one["calls"] == 3
    assert one["paid"] == ["7", "7", "8"]


@pytest.mark.parametrize("mode", ["sync", "async"])
def test_killed_in_a_tool_without_a_probe_a_person_is_asked(tmp_path: Path, mode: str) -> None:
    """The graph is paused with the question whether it happened; the call beside it is performed once."""
    (one,) = lives(tmp_path, "sync", mode, "nothing", "0")
    assert (one["first"], one["again"]) == (-signal.SIGKILL, 0)
    assert set(one["said"].split(", ")) == {"unknown"}
    assert one["calls"] == len(one["paid"])
