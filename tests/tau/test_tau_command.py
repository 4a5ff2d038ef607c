"""The whole benchmark on a folder of its own, and on the recorded conversations where they are."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from benchmarks.tau import document, findings, recorded, replay, report, world
from tau_desk import ANN, CARD, booking, change
from tau_desk import world as small

DATA = os.environ.get("TAU_DATA", "")
READ_BACK = (
    "I would move ECON01 to flight HAT001 on May 21, in economy, for $40, paid by your card ending in 4242. "
    "Please confirm."
)


def _said(role, text):
    return {"role": role, "content": text}


def _called(name, args, answer, call_id="c"):
    function = {"name": name, "arguments": json.dumps(args)}
    yield {"role": "assistant", "content": None, "tool_calls": [{"id": call_id, "function": function}]}
    yield {"role": "tool", "tool_call_id": call_id, "name": name, "content": answer}


def _run(trial, reward, messages, gold):
    actions = [{"name": name, "kwargs": args} for name, args in gold]
    task = {"user_id": ANN, "actions": actions, "instruction": f"You are {ANN}. Move ECON01.", "outputs": []}
    return {"task_id": 0, "trial": trial, "reward": reward, "info": {"task": task}, "traj": messages}


def _moved():
    held = small().reservations["ECON01"]
    flight = {"flight_number": "HAT001", "date": "2024-05-21", "price": 120, "origin": "JFK", "destination": "SEA"}
    history = [*held["payment_history"], {"payment_id": CARD, "amount": 40}]
    return json.dumps(held | {"flights": [flight], "payment_history": history})


def _write(folder):
    at = small()
    (folder / "db").mkdir(parents=True)
    for name in ("flights", "reservations", "users"):
        (folder / "db" / f"{name}.json").write_text(json.dumps(getattr(at, name)))
    gold = [("update_reservation_flights", change())]
    talk = [_said("system", "..."), _said("user", f"I am {ANN}."), _said("assistant", READ_BACK), _said("user", "Yes.")]
    cancelled = ("cancel_reservation", {"reservation_id": "BASIC1"}, "Error: reservation not found")
    held = json.dumps(at.reservations["FLOWN1"] | _refunded(at.reservations["FLOWN1"]))
    runs = [
        _run(0, 1.0, [*talk, *_called(*gold[0], _moved())], gold),
        _run(1, 0.0, [*talk, *_called("cancel_reservation", {"reservation_id": "FLOWN1"}, held)], gold),
        _run(2, 0.0, [*talk, *_called(*cancelled)], gold),
    ]
    (folder / "some.json").write_text(json.dumps(runs))
    (folder / "other.json").write_text('{"not": "a list"}')


def _refunded(held):
    paid = held["payment_history"]
    back = [one | {"amount": -one["amount"]} for one in paid]
    return {"payment_history": paid + back, "status": "cancelled"}


async def test_a_folder_is_judged(tmp_path):
    """Reproduction, wrong writes, disturbance, gold and mutants, counted over a small folder."""
    _write(tmp_path)
    start, trajectories = world.load(tmp_path), recorded.load(tmp_path)
    replayed = await replay.replayed(start, trajectories)
    told = report.figures(replayed, await findings.found(start, trajectories, None))
    assert (told["observations"], told["reproduced"]) == (3, 2)
    assert (told["wrong_writes"], told["stopped"], told["unstopped"]) == (2, 2, [])
    assert (told["successes"], told["disturbed"]) == (1, 0)
    assert (told["gold"], told["gold_blocked"]) == (1, 0)
    assert told["mutants"] == told["mutants_blocked"] > 10
    assert told["disagreements"] == []
    assert "some/0.1" in report.text(replayed, await findings.found(start, trajectories, 3))


def test_the_command_refuses_what_is_no_data(tmp_path):
    """An empty folder ends with a message and a 1."""
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.tau", str(tmp_path)],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "can't be read" in done.stderr


def test_a_trajectory_is_read_as_it_is_stored(tmp_path):
    """Sayings and calls in their order, each with the answer that follows; a broken-off trial has its task's gold."""
    messages = [
        _said("user", "hi"),
        *_called("think", {"thought": "a"}, "", "same"),
        *_called("think", {"thought": "b"}, "x", "same"),
        _said("assistant", ""),
        {"role": "assistant", "tool_calls": [{"id": "last", "function": {"name": "think", "arguments": ""}}]},
    ]
    whole, broken = _run(3, 0.0, messages, [("book_reservation", booking())]), _run(4, 0.0, [], [])
    one, other = recorded.trajectories("f", [whole, {**broken, "info": {"error": "it broke off"}}])
    assert other.gold == one.gold
    assert (one.id, one.is_success) == ("f/0.3", False)
    assert [call.observation for call in one.calls] == ["", "x"]
    assert len(one.events) == 4
    assert one.is_gold(recorded.Call("book_reservation", dict(reversed(booking().items()))))


@pytest.mark.skipif(not DATA, reason="TAU_DATA names the folder of the recorded conversations, and it is not set")
class TestRecorded:
    async def test_every_observation_comes_out(self):
        """Byte for byte, and every world has the hash that was recorded."""
        folder = Path(DATA)
        told = await replay.replayed(world.load(folder), recorded.load(folder))
        assert told.differ == []
        assert told.equal_worlds == told.worlds

    async def test_the_goals_are_reached(self):
        """No wrong write that breaks a rule passes, gold is not blocked, and no more than one success is disturbed."""
        folder = Path(DATA)
        found = await findings.found(world.load(folder), recorded.load(folder), 5)
        told = report.figures(replay.Replayed(), found)
        assert not any(one["breaks_rule"] for one in told["unstopped"])
        assert told["gold_blocked"] == 0
        assert told["disturbed"] <= 1
        assert told["mutants"] == told["mutants_blocked"]

    def test_every_cited_sentence_is_in_the_document(self):
        """What rules and referee cite is word for word in the policy document."""
        assert document.missing(Path(DATA)) == []
