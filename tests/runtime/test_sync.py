"""The synchronous twin."""

import asyncio

import pytest

from interlock import Done, Finished, Proposal, Spoken, SyncRuntime, Turn
from interlock.errors import DriverConflictError, UnknownRunError


def test_the_same_path_without_an_event_loop(desk, bank, tmp_path):
    """A script performs, asks, approves, finishes and undoes, with the same guarantees."""
    with SyncRuntime(tmp_path / "desk.db", desk) as rt:
        run = rt.start("desk")
        with rt.session(run.id) as s:
            s.record(Turn("m", key="t"))
            assert s.recall("t").model == "m"
            assert s.perform(Proposal("pay", {"ref": "a", "amount": 1}, "k")) == Done("receipt a")
            s.perform(Proposal("pay", {"ref": "b", "amount": 500}, "w"))
            (question,) = rt.questions()
            question.approve(by="ana")
            s.finish("ok")
        assert run.result() == Finished("ok")
        plan = run.undo_plan()
        assert "compensate pay" in str(plan)
        assert plan.apply(by="ana") == ()
    assert bank.paid == {}


async def test_inside_a_running_loop(desk, tmp_path):
    """A notebook's own loop is left alone: the twin has one in a thread."""
    with SyncRuntime(tmp_path / "desk.db", desk) as rt:
        assert rt.start("desk").status() == "idle"
    await asyncio.sleep(0)


def test_an_answer_to_the_user(desk, tmp_path):
    """What a loop without an event loop says is looked at as anybody's, and recorded once."""
    with SyncRuntime(tmp_path / "desk.db", desk) as rt, rt.session(rt.start("desk").id) as s:
        assert s.speak("It is half past nine.", key="a") == Spoken("It is half past nine.")
        assert s.speak("Something else.", key="a", reader="ana") == Spoken("It is half past nine.")


def test_errors_come_through(desk, tmp_path):
    """Errors are raised where the call is."""
    with SyncRuntime(tmp_path / "desk.db", desk) as rt:
        with pytest.raises(UnknownRunError), rt.session("nope"):
            pass
        with pytest.raises(DriverConflictError), SyncRuntime(tmp_path / "desk.db", desk):
            pass
    with pytest.raises(RuntimeError, match="inside"):
        SyncRuntime(tmp_path / "desk.db", desk).start("desk")
