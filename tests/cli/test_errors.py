"""What a user can cause ends in one line and the right exit code, never in a traceback."""

import json
import os
import sqlite3

import pytest


def failed(result, code, said):
    """Assert that a command failed with this code and one line that begins so."""
    assert result.exit_code == code, result.output
    assert result.stderr.startswith(f"interlock: {said}"), result.stderr
    assert result.stderr.count("\n") == 1
    assert result.stdout == ""
    return True


READING = [["runs"], ["show", "r1"], ["tail"], ["inbox"], ["approve", "r1:1"], ["verify"], ["undo", "r1", "--plan"]]


@pytest.fixture(params=READING, ids=" ".join)
def reading(request):
    return request.param


def test_no_project_and_no_journal(tmp_path, monkeypatch, interlock, reading):
    """It is said how to make one, or to name one."""
    monkeypatch.chdir(tmp_path)
    assert failed(interlock(*reading), 2, "no interlock.toml in this folder or above; give --journal PATH")


def test_no_journal_yet(project, interlock, reading):
    """Looking doesn't make a journal."""
    said = f"{project.journal}: there is no journal; the first `interlock run` makes it, or give --journal PATH"
    assert failed(interlock(*reading), 2, said)
    assert not project.journal.exists()


def test_a_file_that_is_no_journal(project, interlock, reading):
    """It stays as it is."""
    project.journal.write_text("dear diary")
    assert failed(interlock(*reading), 1, f"{project.journal} is damaged or not a journal")
    assert project.journal.read_text() == "dear diary"


def test_another_database(project, interlock, reading):
    """A SQLite database of somebody else is not taken for one."""
    with sqlite3.connect(project.journal) as other:
        other.execute("CREATE TABLE notes (text)")
    other.close()
    assert failed(interlock(*reading), 1, f"{project.journal} is a SQLite database, but not a journal of Interlock")


def test_a_journal_of_a_newer_version(project, interlock, reading):
    """What to do is to upgrade."""
    project.propose(("find_booking", {"ref": "A"}))
    project.edit("PRAGMA user_version = 99")
    assert failed(interlock(*reading), 1, f"{project.journal} has schema 99 and this Interlock knows schemas up to")


def test_a_journal_with_a_damaged_event(project, interlock):
    """Where it is, and to verify."""
    project.propose(("find_booking", {"ref": "A"}))
    project.edit("UPDATE events SET payload = x'ff' WHERE position = 2")
    said = "event 2 of run 'r1' (position 2) can't be read"
    for command in (["show", "r1"], ["tail"]):
        assert failed(interlock(*command), 1, said)
    assert interlock("verify").exit_code == 1


def test_a_journal_with_a_damaged_page(project, interlock):
    """SQLite's finding in our words."""
    project.propose(*[("find_booking", {"ref": str(number)}) for number in range(50)])
    project.edit("PRAGMA wal_checkpoint(TRUNCATE)")
    with project.journal.open("r+b") as file:
        file.seek(4096)
        file.write(os.urandom(project.journal.stat().st_size - 4096))
    assert failed(interlock("verify"), 1, f"{project.journal} is damaged or not a journal")


def test_a_folder_instead_of_a_file(project, interlock, reading):
    """A path to a folder is no journal."""
    assert failed(interlock(*reading, "--journal", "."), 1, ". is a directory; give the path of a file in it")


def test_a_journal_that_is_a_url(project, interlock, reading):
    """Journals are files for now."""
    result = interlock(*reading, "--journal", "postgresql://host/db")
    assert failed(result, 2, "postgresql:/host/db is no file; journals live in a SQLite file, give its path")


@pytest.mark.parametrize("command", [["show"], ["undo"], ["replay", "--policy", "agent.py"]])
def test_an_unknown_run(project, interlock, command):
    """With the nearest id there is."""
    project.propose(("find_booking", {"ref": "A"}), run="invoice-7")
    assert failed(interlock(*command, "invoice-8"), 2, "no run 'invoice-8' in this journal; did you mean invoice-7?")
    assert failed(interlock(*command, "zzz"), 2, "no run 'zzz' in this journal; `interlock runs` lists them")


def test_the_beginning_of_an_id(project, interlock):
    """It stands for the run where no other begins so; an id that is one is that run; `last` is the newest."""
    for run in ("invoice-7", "invoice-70", "order-1"):
        project.propose(("find_booking", {"ref": "A"}), run=run)
    for given, run in (("o", "order-1"), ("invoice-7", "invoice-7"), ("invoice-70", "invoice-70"), ("last", "order-1")):
        assert json.loads(interlock("show", given, "--json").stdout.splitlines()[0])["run"] == run
    assert json.loads(interlock("undo", "o", "--plan", "--json").stdout)["run"] == "order-1"
    assert interlock("replay", "o", "--policy", "agent.py").exit_code == 0
    said = "several runs begin with 'inv': invoice-7, invoice-70; give more of the id"
    for command in (["show"], ["undo"], ["unpark"], ["replay", "--policy", "agent.py"]):
        assert failed(interlock(*command, "inv"), 2, said)
    assert failed(interlock("approve", "inv:2"), 2, said)
    assert failed(interlock("show", ""), 2, "no run '' in this journal")


def test_many_runs_that_begin_alike(project, interlock):
    """A few are named."""
    for number in range(7):
        project.propose(("find_booking", {"ref": "A"}), run=f"r{number}")
    assert failed(interlock("show", "r"), 2, "several runs begin with 'r': r0, r1, r2, r3, r4 and more; give more of")


def test_a_run_with_a_hostile_id(project, interlock):
    """What the user typed is escaped, too."""
    project.propose(("find_booking", {"ref": "A"}))
    assert failed(interlock("show", "\x1b[2J"), 2, "no run '\\x1b[2J' in this journal")


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("journal = \nagents = []", "Invalid value (at line 1, column 11)"),
        ("journals = 'x'", "there is no setting 'journals'; did you mean 'journal'?"),
        ("colour = 'x'", "there is no setting 'colour'; there are: journal, agents"),
        ("journal = 7", 'journal is the path of a file; write journal = "desk.db"'),
        ("agents = 'agent:desk'", 'agents lists where agents are; write agents = ["agent:desk"]'),
    ],
)
def test_a_project_file_with_an_error(project, interlock, written, said):
    """The file, and what is wrong with it."""
    file = project.folder / "interlock.toml"
    file.write_text(written)
    assert failed(interlock("runs"), 2, f"{file}: {said}")


@pytest.mark.parametrize(
    ("agents", "code", "said"),
    [
        ("[]", "", "{folder}/interlock.toml names no agents"),
        ('["agent"]', "", "agent 'agent': write MODULE:NAME, for example agent:desk"),
        ('["agnt:desk"]', "", "there is no module 'agnt' in {folder}; see agents in interlock.toml"),
        ('["agent:dask"]', "", "agent 'agent:dask': dask in module agent is not there; name an Agent"),
        ('["agent:policy"]', "", "agent 'agent:policy': policy in module agent is <Policy"),
        ('["broken:desk"]', "x = (\n", "{folder}/broken.py:1: SyntaxError: '(' was never closed"),
        ('["broken:desk"]', "\n\n1 / 0\n", "{folder}/broken.py:3: ZeroDivisionError: division by zero"),
        ('["broken:desk"]', "import nothing\n", "{folder}/broken.py:1: ModuleNotFoundError: No module named 'nothing'"),
        (
            '["broken:desk"]',
            "from interlock import *\n@action.reversible\ndef a(ctx: Ctx[None]) -> None: ...\ndesk = Agent('d', [a])\n",
            "{folder}/broken.py:4: action 'a' is declared reversible but has no way back",
        ),
        (
            '["broken:desk"]',
            "from interlock import *\ndesk = Agent('d', [],\n  policy=Policy(permit('b')))\n",
            "{folder}/broken.py:3: rule r1 (permit b): there is no action b",
        ),
    ],
)
def test_agents_that_can_not_be_had(project, interlock, agents, code, said):
    """Where it is wrong: the project's file, or file and line of the agent's."""
    project.propose(("refund", {"ref": "A", "amount": "4"}), finish=True)
    (project.folder / "interlock.toml").write_text(f'journal = "desk.db"\nagents = {agents}\n')
    (project.folder / "broken.py").write_text(code)
    assert failed(interlock("undo", "r1", "--plan"), 2, said.format(folder=project.folder))


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["show"], "interlock show: Missing argument 'RUN' (see `interlock show --help`)\n"),
        (["shw"], "interlock: No such command 'shw'. Did you mean 'show'? (see `interlock --help`)\n"),
        (["runs", "--limt", "3"], "interlock runs: No such option: --limt"),
        (["runs", "--limit", "x"], "interlock runs: Invalid value for '--limit'"),
        (["runs", "--status", "x"], "interlock runs: Invalid value for '--status': 'x' is not one of 'running'"),
        (["run", "desk"], "interlock: give an agent and what to say to it, or --resume alone\n"),
        (["run", "--resume", "desk", "hi"], "interlock: give an agent and what to say to it, or --resume alone\n"),
    ],
)
def test_wrong_usage(interlock, arguments, said):
    """One line, which names the command's help."""
    result = interlock(*arguments)
    assert result.exit_code == 2
    assert result.stderr.startswith(said)
    assert result.stderr.count("\n") == 1
