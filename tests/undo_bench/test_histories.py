"""Random histories at a bank in SQLite, undone through crashes; and that the benchmark sees an undo that is wrong."""

import pytest
from benchmarks.undo.histories import course
from benchmarks.undo.histories.acts import Act
from benchmarks.undo.histories.history import History, Undo, drawn
from benchmarks.undo.histories.others import Foreign
from benchmarks.undo.histories.scene import scene
from benchmarks.undo.histories.sqlite_bank import SqliteBank
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from interlock.undo import Touched
from interlock.undo.rows import restoring
from interlock.undo.rows.sqlite import SqliteRows
from interlock.undo.rows.sqlite_restoring import SqliteDatabase

PAY = Act(0, "transfer", {"key": 100, "source": 2, "target": 3, "amount": 5})
THEIRS = Foreign((("UPDATE accounts SET balance = balance + 7 WHERE id = ?", (3,)),))
ALL = Undo("all", (), "leave")


@pytest.fixture
def bank(tmp_path):
    bank = SqliteBank(tmp_path)
    yield bank
    bank.close()


@settings(
    max_examples=4, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(random=st.randoms(use_true_random=False), number=st.uuids())
async def test_a_history_is_undone_exactly(bank, random, number):
    """Whatever happened, with a crash at every event boundary of the undo and of each recovery."""
    assert (await scene(bank, drawn(random), str(number))).wrong == ()


@pytest.fixture
def undisturbed(monkeypatch):
    """Nobody else writes while it is undone."""
    monkeypatch.setattr(course, "OFTEN", 0.0)


async def test_an_undo_that_does_nothing_is_seen(bank, monkeypatch, undisturbed):
    """It says that it is done, and the rows say otherwise."""
    monkeypatch.setattr(SqliteRows, "take_back", lambda *_: Touched())
    found = await scene(bank, History(1, False, (PAY,), ALL), "nothing")
    assert found.taken == 1
    assert len(found.wrong) == 1
    assert found.wrong[0].startswith("not as it must be: accounts id=2, accounts id=3, audit id=3")


async def test_an_undo_that_overwrites_is_seen(bank, monkeypatch, undisturbed):
    """What others changed is lost, and nobody was told."""
    monkeypatch.setattr(restoring, "_refuse_changed", lambda *_: None)
    monkeypatch.setattr(restoring, "_refuse_trampled", lambda *_: None)
    found = await scene(bank, History(1, False, (PAY, THEIRS), ALL), "overwriting")
    assert (found.conflicts_expected, found.conflicts_found, found.trampled) == (1, 0, 1)
    assert any("overwritten: accounts id=3" in one for one in found.wrong)


async def test_a_conflict_is_found_at_every_crash(bank, undisturbed):
    """What others changed stays as they left it."""
    found = await scene(
        bank, History(2, False, (PAY, THEIRS, PAY._replace(run=1, args={**PAY.args, "key": 101})), ALL), "x"
    )
    assert (found.conflicts_expected, found.conflicts_found, found.trampled, found.wrong) == (1, 1, 0, ())
    assert found.crashes > 10


async def test_what_is_undone_alone_leaves_the_history_without_it(bank, undisturbed):
    """Played again, the rest comes to the same rows."""
    other = Act(1, "swap_desks", {"one": 2, "other": 3})
    found = await scene(bank, History(2, False, (PAY, other), Undo("effect", (0,), "stop")), "without")
    assert (found.taken, found.again, found.wrong) == (1, "equal", ())


async def test_somebody_who_writes_while_it_is_undone_keeps_that(bank, monkeypatch):
    """What is to be taken back after that conflicts, and what was taken back before stays so."""
    monkeypatch.setattr(course, "OFTEN", 1.0)
    monkeypatch.setattr(course, "SOON", 1.0)
    steps = (PAY, Act(0, "put_voucher", {"code": "V6", "customer": 9, "worth": 0.3}))
    found = await scene(bank, History(1, False, steps, ALL), "meanwhile")
    assert found.meddled
    assert (found.conflicts_expected, found.conflicts_found, found.trampled, found.wrong) == (1, 1, 0, ())


async def test_an_effect_that_a_crash_tears_is_seen(bank, monkeypatch, undisturbed):
    """Rows are put back one by one, each for good."""
    put = SqliteDatabase.put

    def at_once(self, row, image):
        put(self, row, image)
        self._handle.own("COMMIT")
        self._handle.own("BEGIN IMMEDIATE")

    monkeypatch.setattr(SqliteDatabase, "put", at_once)
    found = await scene(bank, History(1, False, (PAY,), ALL), "torn", steps=True)
    assert "torn by a crash" in found.wrong
