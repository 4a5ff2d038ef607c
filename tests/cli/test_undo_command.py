"""`undo`: what would be taken back, asked before it is, alone or through the process that drives the journal."""

import json
import subprocess
import sys

import pytest

SMALL = ("refund", {"ref": "AB12", "amount": "40"})


def taken_back(interlock, run="r1"):
    """Return whether the run's undo has ended."""
    lines = interlock("show", run, "--json").stdout.splitlines()
    return [json.loads(line)["type"] for line in lines].count("undo_ended")


@pytest.fixture
def played(project):
    """A run that has refunded and sent an e-mail that a user confirmed."""
    project.propose(SMALL, ("refund", {"ref": "CD34", "amount": "50"}), ("lose", {}))
    return project


def test_the_plan_is_only_shown(played, interlock):
    """What can be taken back and how, the last first, and what is not known; nothing is done."""
    result = interlock("undo", "r1", "--plan")
    assert result.exit_code == 0
    assert result.stdout.splitlines() == [
        "undo of run r1: 2 of 2 effects can be taken back",
        '  compensate  refund(amount="50", ref="CD34"), event 5, by undo',
        '  compensate  refund(amount="40", ref="AB12"), event 3, by undo',
        "  unknown     lose (call-3): its outcome is not known yet",
    ]
    assert not taken_back(interlock)


def test_the_plan_as_json(played, interlock):
    """The same as data."""
    document = json.loads(interlock("undo", "r1", "--plan", "--json").stdout)
    assert [(one["seq"], one["way"]) for one in document["items"]] == [(5, "compensate"), (3, "compensate")]
    assert (document["applied"], document["open"]) == (False, ["lose (call-3)"])


def test_nobody_is_there_to_be_asked(project, interlock):
    """Without a terminal it takes --yes."""
    project.propose(SMALL, finish=True)
    result = interlock("undo", "r1")
    assert result.exit_code == 2
    assert result.stderr.startswith("interlock: nobody can be asked here; give --yes")
    assert not taken_back(interlock)


def test_it_is_taken_back(project, interlock):
    """The plan is shown, applied and recorded under whose name it was; again there is nothing left."""
    project.propose(SMALL, finish=True)
    result = interlock("undo", "r1", "--yes", "--by", "ana")
    assert result.exit_code == 0
    assert result.stdout.splitlines()[-1] == "taken back: 1 effect"
    assert "by ana, events 3" in interlock("show", "r1").stdout
    assert interlock("undo", "r1", "--yes").stdout == "run r1 has nothing to take back\n"
    assert taken_back(interlock) == 1


def test_it_is_taken_back_as_json(project, interlock):
    """One document: the plan, and what became of it."""
    project.propose(SMALL, finish=True)
    document = json.loads(interlock("undo", "r1", "--yes", "--json").stdout)
    assert (document["applied"], document["failed"], document["left"], document["asks"]) == (True, [], [], [])


def test_what_can_not_be_taken_back_is_the_exit_code(project, interlock):
    """A counter-action that is refused leaves its effect, and says so."""
    agent = (project.folder / "agent.py").read_text()
    (project.folder / "agent.py").write_text(
        agent.replace("PAID.pop(ctx.undoes, None)", "from interlock import Refused; raise Refused('too late')")
    )
    project.propose(SMALL, finish=True)
    result = interlock("undo", "r1", "--yes", "--otherwise", "stop")
    assert result.exit_code == 1
    assert result.stdout.splitlines()[-2:] == [
        "not all could be taken back: 0 of 1 effect",
        "  left        refund, r1:3: too late",
    ]


def test_the_undo_waits_for_a_person(project, interlock):
    """A counter-action whose outcome nobody knows is put to a person; the command doesn't wait for that."""
    agent = (project.folder / "agent.py").read_text()
    agent = agent.replace("PAID.pop(ctx.undoes, None)", "raise ConnectionError('line lost')")
    (project.folder / "agent.py").write_text(agent.replace("compensable(idempotent=True)", "compensable"))
    project.propose(SMALL, finish=True)
    result = interlock("undo", "r1", "--yes")
    assert result.exit_code == 1
    assert result.stdout.splitlines()[-1].startswith("the undo waits for a person: r1:")
    assert "did it happen?" in interlock("inbox").stdout


def test_beside_a_process_that_drives_the_journal(project, interlock, command):
    """The undo is posted, the other process does it, and this one tells what became of it."""
    project.propose(SMALL, finish=True)
    driver = (
        "import asyncio, sys\nfrom interlock import Runtime\nfrom agent import desk\n"
        "async def main():\n    async with Runtime('desk.db', desk):\n        print('up', flush=True)\n"
        "        await asyncio.to_thread(sys.stdin.read)\nasyncio.run(main())\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", driver], cwd=project.folder, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as other:
        assert other.stdout.readline() == b"up\n"
        result = command("undo", "r1", "--yes", cwd=project.folder)
        refused = command("run", "--resume", cwd=project.folder)
        other.stdin.close()
    assert (result.returncode, result.stdout.splitlines()[-1]) == (0, "taken back: 1 effect")
    assert refused.returncode == 1
    assert refused.stderr == (
        f"interlock: 'process {other.pid}' drives the runs of {project.journal}; stop it first, or go through it: "
        "approve, deny, answer, unpark and undo work beside it\n"
    )


def test_a_run_of_an_agent_that_is_not_here(project, interlock):
    """Without the agent nobody knows how to take anything back."""
    project.propose(SMALL, finish=True)
    (project.folder / "other.py").write_text("from interlock import Agent\nother = Agent('other', [])\n")
    result = interlock("undo", "r1", "--plan", "--agent", "other:other")
    assert (result.exit_code, result.stderr) == (2, "interlock: no agent 'desk' in this project; there are: other\n")
