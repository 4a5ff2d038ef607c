"""What keeps a run waiting is told while it waits; a parked run is let go on."""

import json
import subprocess
import sys

import pytest

FLAKY = '''
import os
from interlock import Agent, Ctx, ModelError, Policy, Proposal, ScriptedModel, action, permit, probe
from interlock.models import Result
from agent import lose

tried, asked = [], []

def script(request):
    """Do what was said; fail for good while there is a file `broken`, and once for a moment."""
    asked.append(1)
    if os.path.exists("broken"):
        raise ModelError("wrong key", transient=False)
    if len(asked) == 1:
        raise ModelError("overloaded \\x1b[2J", transient=True)
    last = request.messages[-1]
    return f"It says: {last.text}" if isinstance(last, Result) else Proposal(last.text)

@action.irreversible(idempotent=True)
async def pay(ctx: Ctx[None]) -> str:
    """Pay, at the second attempt."""
    tried.append(1)
    if len(tried) == 1:
        raise ConnectionError("line lost")
    return "paid"

@action.irreversible
async def ring(ctx: Ctx[None]) -> str:
    """Ring up, and lose the line."""
    raise ConnectionError("line lost")

@ring.probe
async def _(ctx: Ctx[None]):
    tried.append(1)
    return probe.not_yet_known if len(tried) == 1 else probe.done("rang")

flaky = Agent("flaky", [pay, ring, lose], model=ScriptedModel(script), policy=Policy(permit([pay, ring, lose])))
'''


@pytest.fixture
def flaky(project):
    (project.folder / "flaky.py").write_text(FLAKY)
    (project.folder / "interlock.toml").write_text('journal = "desk.db"\nagents = ["agent:desk", "flaky:flaky"]\n')
    return project


def notes(interlock, stderr):
    """Return the lines about the newest run, without its id."""
    run = json.loads(interlock("runs", "--json", "--limit", "1").stdout)[0]["run"]
    return [line.removeprefix(f"run {run}: ") for line in stderr.splitlines()]


NO_ANSWER = "scripted did not answer: ModelError: overloaded \\x1b[2J; asked again in 1.00 s"


def test_a_model_and_an_effect_that_are_tried_again(flaky, interlock, monkeypatch):
    """What, the error, and when; in order, before what became of the run."""
    monkeypatch.delenv("COLUMNS")
    result = interlock("run", "flaky", "pay")
    assert (result.exit_code, result.stdout) == (0, "It says: paid\n")
    assert notes(interlock, result.stderr) == [
        NO_ANSWER,
        "pay: its outcome is not known: ConnectionError: line lost; sent again under its key in 200 ms",
        "pay: sent again under its key (attempt 2)",
        "done",
    ]


def test_an_effect_that_is_looked_for(flaky, interlock, monkeypatch):
    """That it is, what the look has found, and when the next is."""
    monkeypatch.delenv("COLUMNS")
    said = notes(interlock, interlock("run", "flaky", "ring").stderr)
    assert said[1] == "ring: its outcome is not known: ConnectionError: line lost; looked for in 200 ms"
    assert said[2].startswith("ring: looked for, it is not known yet whether it happened; looked for again in ")


def test_an_effect_of_which_only_people_know(flaky, interlock, monkeypatch):
    """It is not tried again, and not said to be."""
    monkeypatch.delenv("COLUMNS")
    said = notes(interlock, interlock("run", "flaky", "lose").stderr)
    assert said[1] == "lose: its outcome is not known: ConnectionError: line lost; a person is asked"


def test_as_documents(flaky, interlock):
    """With --json they stand on stdout, one a line, before the run."""
    result = interlock("run", "flaky", "pay", "--json")
    *told, last = [json.loads(line) for line in result.stdout.splitlines()]
    assert last["status"] == "done"
    assert [one.keys() for one in told] == [{"type", "run", "text", "again_at"}] * 3
    assert {one["run"] for one in told} == {last["run"]}
    assert told[1]["text"] == "pay: its outcome is not known: ConnectionError: line lost"
    assert told[1]["again_at"] > 1_700_000_000_000_000
    assert result.stderr == ""


@pytest.mark.parametrize("json_lines", [False, True])
def test_in_a_conversation(flaky, interlock, json_lines):
    """The same, where one talks."""
    result = interlock("chat", "flaky", *(["--json"] if json_lines else []), typed="pay\n")
    if json_lines:
        told = [json.loads(line)["type"] for line in result.stdout.splitlines()]
        assert (sorted(told), told[-1]) == (["ended", "note", "note", "note", "said"], "ended")
    else:
        assert result.stdout == "It says: paid\n"
        assert "overloaded" in result.stderr
        assert "(attempt 2)" in result.stderr


def test_the_log_does_not_say_it_once_more(flaky, command, interlock):
    """In a process of its own, where the runtime's log would reach the terminal as it is."""
    stderr = command("run", "flaky", "pay", cwd=flaky.folder, env={"COLUMNS": "200"}).stderr
    assert len(notes(interlock, stderr)) == 4
    assert "\x1b" not in stderr


# parked


@pytest.fixture
def parked(flaky, interlock, monkeypatch):
    """A run that is parked, and its project."""
    monkeypatch.setenv("COLUMNS", "200")
    (flaky.folder / "broken").touch()
    result = interlock("run", "flaky", "pay", "--json")
    assert result.exit_code == 1
    (flaky.folder / "broken").unlink()
    return json.loads(result.stdout)["run"]


def test_what_lets_it_go_on_is_shown(parked, flaky, interlock):
    """By `run`, `run --resume`, `runs`, `show` and `chat`."""
    command = f"`interlock unpark {parked}` lets it go on"
    assert f"run {parked} is parked; {command}\n" in interlock("runs").stdout
    assert f"parked; {command}\n" in interlock("show", parked).stdout
    assert "--journal desk.db` lets it go on" in interlock("show", parked, "--journal", "desk.db").stdout
    assert command in interlock("run", "--resume").stdout
    (flaky.folder / "broken").touch()
    for result in (interlock("run", "flaky", "pay").stderr, interlock("chat", "flaky", typed="pay\n").stdout):
        run = json.loads(interlock("runs", "--json", "--limit", "2").stdout)
        assert any(": parked: the model did not answer" in result and one["run"] in result for one in run)
        assert "wrong key; `interlock unpark " in result


def test_it_is_let_go(parked, interlock):
    """Posted durably, once; the run goes on with the next runtime."""
    result = interlock("unpark", "last", "--by", "ana")
    assert result.exit_code == 0
    later = "the run goes on when its runtime is up (`interlock run --resume`)"
    assert result.stdout == f"posted: run {parked} let go by ana; {later}\n"
    result = interlock("unpark", parked[:20])
    assert (result.exit_code, result.stderr) == (1, f"interlock: run {parked} is let go already; {later}\n")
    interlock("run", "--resume")
    interlock("run", "--resume")
    assert "let go by ana" in interlock("show", parked).stdout
    result = interlock("unpark", parked)
    assert (result.exit_code, result.stderr) == (1, f"interlock: run {parked} is done, not parked\n")


def test_it_is_let_go_as_json(parked, interlock):
    """Which run, by whom."""
    document = json.loads(interlock("unpark", parked, "--by", "ana", "--json").stdout)
    assert document == {"run": parked, "by": "ana", "taken_in": False}


def test_it_is_let_go_beside_a_process_that_drives_the_journal(parked, flaky, command):
    """The run goes on at once."""
    driver = (
        "import asyncio, sys\nfrom interlock import Runtime\nfrom flaky import flaky\n"
        "async def main():\n    async with Runtime('desk.db', flaky):\n        print('up', flush=True)\n"
        "        await asyncio.to_thread(sys.stdin.read)\nasyncio.run(main())\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", driver], cwd=flaky.folder, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as other:
        assert other.stdout.readline() == b"up\n"
        result = command("unpark", parked, "--by", "ana", cwd=flaky.folder, env={"COLUMNS": "200"})
        other.stdin.close()
    assert result.stdout == f"posted: run {parked} let go by ana; the run goes on\n"
