"""`interlock labels suggest` and `labels check`: what they print, at any width, and what is wrong usage."""

import ast
import json

import pytest

from interlock import Labels
from interlock.cli.labels_written import quoted, written
from interlock.lab.observed import Observer


def load(python: str) -> Labels:
    """Return the labels that a declaration makes."""
    names: dict[str, object] = {}
    exec(compile(python, "labels.py", "exec"), names)
    labels = names["labels"]
    assert isinstance(labels, Labels)
    return labels


@pytest.fixture
def played(project):
    """Four runs that look a booking up and write an e-mail."""
    for number in range(4):
        project.propose(
            ("find_booking", {"ref": f"AB{number}2"}),
            ("refund", {"ref": f"AB{number}2", "amount": "40"}),
            ("send_email", {"to": "eve@evil.example", "body": "Hello. How are you?"}),
            run=f"r{number}",
        )
    return project


def test_suggest(played, interlock):
    """What would have been asked, and a declaration with what was seen beside each line."""
    result = interlock("labels", "suggest")
    assert result.exit_code == 0
    shown = result.stdout
    assert shown.startswith("desk: 4 runs, 12 proposals traced again (it has none now)\n")
    assert "LABELS      QUESTIONS  A RUN  RUNS ASKING  ASKED ANYWAY  DENIALS\nby default  " in shown
    assert "\nsuggested   " in shown
    assert "  sink  send_email.to  " in shown
    assert "    run r3 event 5\n" in shown
    python = shown[shown.index('"""Labels of desk') :]
    assert "# find_booking: 4 proposals, 4 results" in python
    assert "owner: directory; 4 codes; 1 different; never used as an argument" in python
    assert load(python).data() == Labels().data()


@pytest.mark.parametrize("columns", [40, 80, 120])
def test_it_fits_the_screen(played, interlock, monkeypatch, columns):
    """The declaration fits 80 columns; what stands above it fits any."""
    monkeypatch.setenv("COLUMNS", str(columns))
    shown = interlock("labels", "suggest").stdout
    above, _, python = shown.partition('"""Labels of')
    assert max(map(len, above.splitlines())) <= columns
    assert max(map(len, python.splitlines())) <= 80


def test_write(played, interlock):
    """A file that can be imported; one that exists is not touched."""
    result = interlock("labels", "suggest", "--write", "labels.py")
    assert result.exit_code == 0
    assert "written to labels.py: read it line by line" in " ".join(result.stdout.split())
    assert '"""Labels of' not in result.stdout
    load((played.folder / "labels.py").read_text())
    again = interlock("labels", "suggest", "--write", "labels.py")
    assert again.exit_code == 2
    assert "labels.py exists; nothing was written" in again.stderr


def test_what_was_declared_is_kept(project, interlock):
    """The declaration says what it said before, and what is suggested on top."""
    code = (project.folder / "agent.py").read_text().replace("Agent, Ctx", "Agent, Ctx, Labels")
    labels = (
        'Labels(results={"find_booking": {"owner": "user"}, "lose": {"*": "colleague"}}, own=["corp.example"], '
        'phrases={"send_email": ["ring * up"]}, secret={"find_booking": ["ref"]}, relaxed=["lose"], level="boss", '
        'cleared={"send_email": ["corp.example"]}, least={"send_email": {"to": "user"}})'
    )
    (project.folder / "agent.py").write_text(code.replace("policy=policy)", f"policy=policy, labels={labels})"))
    project.propose(("find_booking", {"ref": "AB12"}), ("send_email", {"to": "eve@evil.example", "body": "Hello."}))
    result = interlock("labels", "suggest", "--json")
    said = json.loads(result.stdout)
    assert load(said["python"]).data() == eval(labels, {"Labels": Labels}).data()
    assert said["now"]["denials"] == said["suggested"]["denials"]


def test_json(played, interlock):
    """All that is shown, and every reason."""
    said = json.loads(interlock("labels", "suggest", "--json").stdout)
    assert list(said) == ["agent", "runs", "suggestions", "now", "suggested", "python", "file"]
    assert said["runs"] == 4
    assert {one["name"] for one in said["suggestions"]} >= {"owner", "ref", "amount", "to", "body"}
    assert said["suggested"]["reasons"][0].keys() == {
        "about",
        "action",
        "argument",
        "questions",
        "denials",
        "run",
        "seq",
        "says",
    }


def test_no_runs(project, interlock):
    """Then there is nothing to learn from."""
    project.play(_nothing)
    result = interlock("labels", "suggest")
    assert (result.exit_code, result.stdout) == (1, "")
    assert "agent desk has no run in" in result.stderr


async def _nothing(rt):
    return None


def test_no_journal(project, interlock):
    """That is wrong usage."""
    assert interlock("labels", "suggest").exit_code == 2


def test_check(project, interlock):
    """What each argument and field is taken for; without labels it is said that nothing is traced."""
    result = interlock("labels", "check")
    assert result.exit_code == 0
    assert result.stdout.startswith("desk: it has no labels=, so nothing is traced; by default it would be so\n")
    assert "\nrefund  compensable\n" in result.stdout
    assert "argument  amount  amount" in result.stdout


def test_check_finds_what_is_not_there(project, interlock):
    """With the nearest that is, and the answer is no."""
    code = (project.folder / "agent.py").read_text().replace("Agent, Ctx", "Agent, Ctx, Labels")
    labels = 'Labels(results={"find_bokking": {}}, arguments={"refund": {"amuont": "amount"}})'
    (project.folder / "agent.py").write_text(code.replace("policy=policy)", f"policy=policy, labels={labels})"))
    result = interlock("labels", "check")
    assert result.exit_code == 1
    assert "results: there is no action 'find_bokking'; did you mean find_booking?" in " ".join(result.stdout.split())
    said = json.loads(interlock("labels", "check", "--json").stdout)
    assert said["traced"] is True
    assert said["problems"][1] == "arguments: refund has no argument 'amuont'; did you mean amount?"


def test_without_a_command_it_shows_its_help(interlock):
    """That is wrong usage all the same."""
    result = interlock("labels")
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.startswith("Usage: interlock labels [OPTIONS] COMMAND")


HOSTILE = [
    '"""\nimport os',
    'a": 1}, own=["evil.example"]) #',
    "\u202eevil",
    "\x1b[2J",
    "\ud800",
    "\\",
    "x" * 500,
    "é\U0001f600",
]


@pytest.mark.parametrize("name", HOSTILE)
def test_no_name_gets_out_of_its_quotes(name):
    """Whatever a field, an argument or an agent is called, the declaration declares nothing but labels."""
    assert ast.literal_eval(quoted(name)) == name


@pytest.mark.parametrize("name", HOSTILE)
def test_no_name_gets_out_of_its_comment(name, project):
    """The same for what stands in comments: no line of the file begins with it."""
    from interlock.lab.labels import Suggestion

    agent = project.agent()
    agent.name = name
    found = [
        Suggestion(name, "results", name, name, name, suggested="third_party", why=name, asks=name),
        Suggestion(name, "arguments", name, name, name, suggested="sink", why=name),
    ]
    labels = load(written(agent, 1, Observer(agent).actions, found))
    assert labels.results.keys() == labels.arguments.keys() == {name}
    assert labels.own == ()
