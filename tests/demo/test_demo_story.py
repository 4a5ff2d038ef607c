"""The script is whole, and the demo comes to its end with what it promises."""

import sqlite3
from contextlib import closing

import demo.__main__ as story
import pytest
from demo import crash, desk, script, undoing, worker
from demo.conversations import INJECTED, SCRIPT, conversations

from interlock import Runtime


def test_there_are_fifty_conversations_each_with_its_own_customer_and_words():
    every = conversations()
    assert len(every) == sum(count for _, count, _ in SCRIPT) == 50
    assert len({one.customer for one in every}) == len({one.id for one in every}) == 50
    words = [said for one in every for said in one.says]
    assert len(set(words)) == len(words)
    assert all(len(one.says) == len(one.steps) for one in every)


def test_the_first_conversations_are_one_of_each_kind_and_the_very_first_is_the_letter():
    assert conversations()[0].kind == INJECTED
    assert len({one.kind for one in conversations()[: len(SCRIPT)]}) == len(SCRIPT)


async def test_the_demo_in_small(tmp_path, monkeypatch, capfd):
    """One conversation of each kind: killed, resumed, undone, counted, compared with the database."""
    monkeypatch.setattr(story, "CACHE", tmp_path)
    monkeypatch.setenv("COLUMNS", "80")
    assert await story.demo(len(SCRIPT)) == 0
    told, errors = capfd.readouterr()
    assert errors == ""
    assert "WRONG" not in told
    assert told.count("    let through:") == 3
    assert told.count("Every row is the same") == 2
    assert "1  of 2" in told.split("The proof")[1]
    folder = str(tmp_path)  # a temporary folder's name may be longer than a line
    assert max(len(line) for line in told.splitlines() if folder not in line) <= 80


async def test_the_smallest_demo(tmp_path, monkeypatch, capfd):
    """The letter is always among the conversations; what is not says so."""
    monkeypatch.setattr(story, "CACHE", tmp_path)
    assert await story.demo(1) == 0
    told, errors = capfd.readouterr()
    assert errors == ""
    assert 'Left out: a conversation of the kind "more than was asked for"' in told
    assert "what the letter got out of it is nothing" in " ".join(told.split())


async def test_what_somebody_has_changed_since_stays_and_the_proof_fails(tmp_path, monkeypatch, capsys):
    """The voucher of the letter was worth less by the time it was to be taken back: it is left as it is, and shown."""
    monkeypatch.setattr(story, "CACHE", tmp_path)
    monkeypatch.setattr(worker, "LAG", 0.0)
    monkeypatch.setattr(worker, "THINKING", 0)
    place, one = story.fresh(), conversations()[0]
    await worker.work(place, [one])
    with closing(sqlite3.connect(place.airline)) as db, db:
        db.execute("UPDATE vouchers SET cents = 1")
    async with Runtime(place.journal, desk.agent(place.airline, script.model([one]))) as rt:
        assert not await undoing.as_if_never(rt, one, [], place.airline)
    told = capsys.readouterr().out
    assert "WRONG, in the database only: vouchers" in told
    assert "is nothing" not in told


async def test_a_process_that_fails_is_not_taken_for_one_that_came_to_its_end(tmp_path):
    with pytest.raises(crash.WorkerError):
        await crash.finished(story.Place(tmp_path / "no-folder" / "journal.db", tmp_path / "airline.db"), 1)


def test_two_demos_at_once_would_take_each_others_databases_away(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(story, "CACHE", tmp_path)
    monkeypatch.setattr("sys.argv", ["demo"])
    with story.alone():
        assert story.main() == 1
    assert "Another demo is at work" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["lock"]


@pytest.mark.parametrize("given", ["0", "51"])
def test_more_conversations_than_there_are_is_wrong_usage(given, monkeypatch, capsys):
    monkeypatch.setattr("sys.argv", ["demo", "--conversations", given])
    with pytest.raises(SystemExit):
        story.main()
    assert "1 to 50" in capsys.readouterr().err
