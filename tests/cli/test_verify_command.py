"""`verify`: intact or not, with and without exported heads."""

import json

import pytest

from interlock.journal import generate_key
from interlock.journal.heads import Head


@pytest.fixture
def played(project):
    project.propose(("refund", {"ref": "AB12", "amount": "40"}), finish=True)
    return project


def test_an_intact_journal(played, interlock):
    """What was found, what it proves and what it can't."""
    result = interlock("verify")
    assert result.exit_code == 0
    assert result.stdout.startswith("intact (4 events of 1 run in 4 commits")
    assert "  proves       No event up to position 4 was edited" in result.stdout
    assert "  cannot know  Whether the end was cut off" in result.stdout


def test_a_changed_journal(played, interlock):
    """Each place that is not what was written, and exit code 1."""
    played.edit("UPDATE events SET payload = x'7b7d' WHERE position = 3")
    result = interlock("verify")
    assert result.exit_code == 1
    assert result.stdout.startswith("NOT INTACT: 1 fault")
    assert "fault        position 3, run r1, event 3: its payload is not the one" in result.stdout
    document = json.loads(interlock("verify", "--json").stdout)
    assert document["ok"] is False
    assert document["faults"] == [
        {"what": "its payload is not the one that was written", "position": 3, "run": "r1", "seq": 3}
    ]


def test_heads_are_exported_and_checked(played, interlock):
    """A head kept elsewhere shows that the end was cut off, which the journal alone can't."""
    head = played.folder / "head.json"
    assert interlock("verify", "--export", head).exit_code == 0
    assert "Up to position 4 the journal is the one of the given heads" in " ".join(
        interlock("verify", "--head", head).stdout.split()
    )
    played.edit("DELETE FROM events WHERE position = 4", "DELETE FROM batches WHERE last = 4")
    assert interlock("verify").exit_code == 0
    result = interlock("verify", "--head", head)
    assert result.exit_code == 1
    assert "its end was cut off" in " ".join(result.stdout.split())


def test_signed_heads(played, interlock):
    """With a public key, a head without that key's signature is a fault."""
    private, public = generate_key()
    file, key = played.folder / "head.json", played.folder / "key.pem"
    key.write_bytes(public)
    interlock("verify", "--export", file)
    assert interlock("verify", "--head", file, "--key", key).exit_code == 1
    file.write_bytes(Head.from_json(file.read_bytes()).signed(private).to_json())
    assert interlock("verify", "--head", file, "--key", key).exit_code == 0


def test_a_head_is_not_overwritten(played, interlock):
    """An earlier head is evidence."""
    head = played.folder / "head.json"
    head.write_text("evidence")
    result = interlock("verify", "--export", head)
    assert (result.exit_code, head.read_text()) == (2, "evidence")
    assert result.stderr == f"interlock: {head} exists already; heads are kept, so give another name\n"


def test_no_head_of_a_journal_that_is_not_intact(played, interlock):
    """What was changed is not certified."""
    played.edit("UPDATE events SET payload = x'7b7d' WHERE position = 3")
    head = played.folder / "head.json"
    assert interlock("verify", "--export", head).exit_code == 1
    assert not head.exists()


def test_what_is_no_head_or_no_file(played, interlock):
    """One line with the file's name."""
    (played.folder / "head.json").write_text("{}")
    result = interlock("verify", "--head", "head.json")
    assert result.exit_code == 2
    assert result.stderr.startswith("interlock: head.json: this is no exported head")
    assert interlock("verify", "--head", "none").stderr == "interlock: none: No such file or directory\n"
    assert interlock("verify", "--key", "none").stderr == "interlock: none: No such file or directory\n"
