"""The page about the command line shows what the command does."""

import json
import re
import shlex
from pathlib import Path

import pytest

PAGE = (Path(__file__).parents[2] / "docs" / "command-line.md").read_text()
ID = re.compile(r"\b01[0-9a-f]{22}\b")
VARIES = re.compile(
    r"\b[0-9a-f]{12}\b|\b\d+ s ago|\d{4}-\d\d-\d\d [\d:]+|(\bin )?\b\d+\.\d{2,3}( s)?\b|(\bin )?\b\d+ ms\b|\s+"
)


def blocks(language):
    return re.findall(rf"^```{language}\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)


def constant(text):
    return VARIES.sub(" ", text).split()


def shows():
    """Yield each command of the page with what it shows, in order."""
    for block in blocks("console"):
        for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            command, _, shown = part.partition("\n")
            yield command, shown


def test_what_the_page_shows_is_what_happens(tmp_path, monkeypatch, command):
    """Every command in turn, with the ids of this time; times and digests vary."""
    known: dict[str, str] = {}
    folder = tmp_path

    def of_now(written):
        return ID.sub(lambda match: known[match[0]], written)

    (script,) = blocks("python")
    for line, shown in shows():
        result = command(*shlex.split(of_now(line))[1:], cwd=folder, env={"COLUMNS": "100", "NO_COLOR": "1"})
        if " init " in line:
            folder = tmp_path / "desk"
            (folder / "strict.py").write_text(script)
            assert (folder / "agent.py").exists()
            continue
        told = result.stdout + result.stderr
        known |= dict(zip(ID.findall(shown), ID.findall(told), strict=True))
        assert constant(told) == constant(of_now(shown)), line


def test_every_command_is_on_the_page(interlock):
    """In the table of commands and in that of JSON."""
    names = re.findall(r"^  (\w+) {2,}\S", interlock("--help").stdout, re.MULTILINE)
    commands, documents = PAGE.split("## JSON")
    for name in names:
        assert re.search(rf"^\|.*`{name}\b.*\|", commands, re.MULTILINE), name
        assert re.search(rf"^\|.*`{name}\b", documents, re.MULTILINE), name


@pytest.mark.parametrize("command", ["runs", "show", "inbox", "undo", "verify", "replay"])
def test_documents_have_the_names_of_the_page(project, interlock, command):
    """The fields that JSON has are those that the page lists, and no others."""
    project.propose(("refund", {"ref": "A", "amount": "40"}), ("refund", {"ref": "A", "amount": "400"}))
    extra = {
        "show": ["r1"],
        "undo": ["r1", "--plan"],
        "replay": ["--all", "--policy", "agent.py"],
    }.get(command, [])
    shown = interlock(command, *extra, "--json").stdout.splitlines()[0]
    document = json.loads(shown)
    row = next(line for line in PAGE.split("## JSON")[1].splitlines() if re.match(rf"\| .*`{command}`", line))
    listed = re.sub(r"\([^)]*\)", "", row.split("|")[2])
    assert list(document[0] if isinstance(document, list) else document) == re.findall(r"`(\w+)`", listed)
