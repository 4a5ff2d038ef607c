"""`init` and `test`: the project that it writes passes its own test and runs."""

import json
import sys

import pytest


@pytest.fixture
def made(tmp_path, monkeypatch, interlock):
    """A project just made, and the current folder."""
    assert interlock("init", tmp_path / "desk").exit_code == 0
    monkeypatch.chdir(tmp_path / "desk")
    monkeypatch.setenv("COLUMNS", "80")
    return tmp_path / "desk"


def test_what_it_writes(made, interlock):
    """Four files, and what to do next."""
    assert sorted(one.name for one in made.iterdir()) == [".gitignore", "agent.py", "interlock.toml", "test_agent.py"]
    shown = interlock("init", "other").stdout
    assert f"a project in {made / 'other'}: agent.py, test_agent.py, interlock.toml, .gitignore" in " ".join(
        shown.split()
    )
    assert "cd other\n" in shown
    document = json.loads(interlock("init", "third", "--json").stdout)
    assert document["files"] == ["agent.py", "test_agent.py", "interlock.toml", ".gitignore"]


def test_it_overwrites_nothing(made, interlock):
    """A folder with one of the files stays as it is."""
    (made / "agent.py").write_text("mine")
    (made / "interlock.toml").unlink()
    result = interlock("init")
    assert result.exit_code == 2
    assert result.stderr.startswith(f"interlock: {made} has agent.py, test_agent.py, .gitignore already; nothing was")
    assert (made / "agent.py").read_text() == "mine"
    assert not (made / "interlock.toml").exists()


def test_a_folder_that_can_not_be_made(made, interlock):
    """One line."""
    result = interlock("init", "agent.py/x")
    assert (result.exit_code, result.stderr) == (1, "interlock: agent.py/x: Not a directory\n")


def test_from_the_first_run_to_the_undo(made, command):
    """Its tests pass; it runs, asks, is approved, shown and undone, each time in a process of its own."""
    tests = command("test", "--json")
    assert tests.returncode == 0, tests.stderr
    assert [one["outcome"] for one in json.loads(tests.stdout)["tests"]] == ["passed"] * 3
    result = command("run", "desk", "refund CD34 400", "--user", "ann", "--json")
    question = json.loads(result.stdout)["questions"][0]
    assert (question["level"], question["facts"]) == ("finance", {"refundable": "950.00"})
    assert command("approve", question["question"]).returncode == 0
    assert command("run", "--resume").returncode == 0
    assert json.loads((made / "shop.json").read_text())["refunds"]
    assert "400 EUR were paid back for CD34." in command("show", question["run"]).stdout
    undone = command("undo", question["run"], "--yes")
    assert undone.stdout.splitlines()[-1] == "taken back: 1 effect"
    assert not json.loads((made / "shop.json").read_text())["refunds"]
    assert command("replay", "--all", "--policy", "agent.py").returncode == 0
    assert command("verify").returncode == 0


def test_its_tests_go_by_the_script_whatever_the_model(made, command):
    """With the line of the real model in place of the scripted one's they pass as they are, and ask no provider."""
    written = (made / "agent.py").read_text()
    scripted, real = "desk = make_desk(ScriptedModel(script))\n# desk = ", "desk = "
    assert scripted in written
    (made / "agent.py").write_text(written.replace(scripted, real))
    tests = command("test", "--json", env={"OPENAI_API_KEY": ""})
    assert json.loads(tests.stdout)["ok"], tests.stdout


def test_its_tests_fail_as_tests_do(made, command):
    """Exit code 1 for a failing test, 2 for arguments that pytest doesn't take; they are passed on."""
    (made / "test_agent.py").write_text("def test_no():\n    assert 1 == 2\n\n\ndef test_yes():\n    pass\n")
    failing = command("test", "--json")
    assert failing.returncode == 1
    document = json.loads(failing.stdout)
    assert document["ok"] is False
    assert [(one["test"], one["outcome"]) for one in document["tests"]] == [
        ("test_agent.test_no", "failed"),
        ("test_agent.test_yes", "passed"),
    ]
    assert command("test", "-q", "-k", "yes").returncode == 0
    assert command("test", "--no-such-option").returncode == 2


def test_without_pytest(made, interlock, monkeypatch):
    """It is said what to install."""
    monkeypatch.setitem(sys.modules, "pytest", None)
    result = interlock("test")
    assert result.exit_code == 2
    assert result.stderr.startswith("interlock: the tests run with pytest, which is not installed: pip install pytest")
