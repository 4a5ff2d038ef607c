"""`inbox`, `approve`, `deny` and `answer`: all that a decision needs, posted durably, with and without a runtime."""

import asyncio
import json
import re

import pytest

from interlock import Proposal, Runtime

LARGE = ("refund", {"ref": "AB12", "amount": "400"})
MAIL = ("send_email", {"to": "bob@example.com", "body": "Dear Bob,\n\nlong " + "word " * 40})


def posted(interlock):
    """Return what lies in the inboxes, by question."""
    return {one["question"]: one["posted"] for one in json.loads(interlock("inbox", "--json").stdout)}


def answered(project, run="r1"):
    """Open a runtime that takes in what was posted, and return the answers in the journal."""

    async def work(rt):
        await rt.settled()
        return [one.event for one in await rt.run(run).history() if type(one.event).__name__ == "Answered"]

    return project.play(work)


def test_the_inbox_says_what_is_asked_and_how_to_answer(project, interlock):
    """Whom, what exactly, why, by which rules and facts, until when, and the commands."""
    project.propose(LARGE)
    shown = interlock("inbox").stdout
    assert shown.startswith("1 question for people\n\napproval by finance  r1:2\n  desk for u42, asked 0 s ago")
    assert "expires in 24 h\n  refund\n    amount  400\n    ref     AB12\n  because over 100 EUR\n" in shown
    assert "  fact limit is \"1000.50\"\n  interlock approve r1:2\n  interlock deny r1:2 --note '…'\n" in shown


def test_the_commands_work_where_the_journal_was_named(project, interlock, monkeypatch):
    """A journal given by path is in the commands too, quoted."""
    project.propose(LARGE)
    elsewhere = project.folder / "a b"
    elsewhere.mkdir()
    monkeypatch.chdir(elsewhere)
    shown = interlock("inbox", "--journal", "../desk.db").stdout
    assert "interlock approve r1:2 --journal ../desk.db\n" in shown


def test_long_arguments_are_whole_and_can_not_pose_as_ours(project, interlock):
    """All of a text is shown, each of its lines behind a bar."""
    project.propose(MAIL)
    lines = interlock("inbox").stdout.splitlines()
    body = [line for line in lines if re.match(r"\s+(body  )?\| ?", line)]
    assert body[0] == "    body  | Dear Bob,"
    assert " ".join(" ".join(line.partition("|")[2] for line in body).split()) == " ".join(MAIL[1]["body"].split())


def test_an_empty_inbox(project, interlock):
    """Nothing to decide is said, and is an empty list in JSON."""
    project.propose(("find_booking", {"ref": "A"}))
    assert interlock("inbox").stdout == "nothing waits for a person\n"
    assert interlock("inbox", "--json").stdout == "[]\n"


def test_the_inbox_as_json(project, interlock):
    """Everything under names, arguments and facts as data."""
    project.propose(LARGE)
    (one,) = json.loads(interlock("inbox", "--json").stdout)
    assert one["args"] == {"amount": "400", "ref": "AB12"}
    assert (one["question"], one["kind"], one["level"], one["user"]) == ("r1:2", "approval", "finance", "u42")
    assert one["facts"] == {"limit": "1000.50"}
    assert [rule.split(":")[0] for rule in one["rules"]] == ["r2", "r3"]
    assert one["posted"] is None


@pytest.mark.parametrize("decision", ["approve", "deny"])
def test_a_decision_is_posted_and_taken_in_later(project, interlock, decision):
    """Without a runtime the answer lies in the inbox, durably; the next runtime takes it in."""
    project.propose(LARGE)
    result = interlock(decision, "r1:2", "--by", "ana", "--note", "as agreed")
    assert result.exit_code == 0
    said = f"posted: {decision} by ana; the run takes it in when its runtime is up (`interlock run --resume`)"
    assert " ".join(result.stdout.split()) == said
    assert posted(interlock) == {"r1:2": {"decision": decision, "by": "ana"}}
    assert f"{decision} by ana is posted" in interlock("inbox").stdout
    (event,) = answered(project)
    assert (event.decision, event.by, event.note) == (decision, "ana", "as agreed")
    assert posted(interlock) == {}


def test_who_decides_is_the_login_name_unless_said(project, interlock, monkeypatch):
    """--by is only needed to speak for somebody else."""
    monkeypatch.setenv("LOGNAME", "carol")
    project.propose(LARGE)
    assert json.loads(interlock("approve", "r1:2", "--json").stdout) == {
        "question": "r1:2",
        "decision": "approve",
        "by": "carol",
        "action": "refund",
        "taken_in": False,
    }


def test_a_decision_beside_a_runtime_is_taken_in_at_once(project, command):
    """Another process drives the journal: the answer reaches the run while that goes on, and is said to have."""

    async def work():
        async with Runtime(project.journal, project.agent()) as rt:
            await rt.start("desk", run="r1", user="u42")
            async with rt.session("r1") as session:
                proposal = Proposal(*LARGE, key="call-1")
                await session.perform(proposal)
                result = await asyncio.to_thread(command, "approve", "r1:2", "--by", "ana", cwd=project.folder)
                return result.stdout, type(await session.perform(proposal)).__name__

    shown, outcome = asyncio.run(work())
    assert shown == "posted: approve by ana; the run has taken it in\n"
    assert outcome == "Done"


@pytest.mark.parametrize(
    ("words", "result"), [(["happened"], None), (["happened", "--result", '{"id":7}'], {"id": 7}), (["never"], None)]
)
def test_what_became_of_an_effect(project, interlock, words, result):
    """A person tells whether it happened, and with what result."""
    project.propose(("lose", {}))
    project.play(_until_asked)
    shown = interlock("inbox").stdout
    assert "did it happen?  r1:4" in shown
    assert "interlock answer r1:4 happened\n  interlock answer r1:4 never\n" in shown
    assert interlock("answer", "r1:4", *words, "--by", "ana").exit_code == 0
    (event,) = answered(project)
    assert (event.decision, json.loads(bytes(event.result))) == (words[0], result)


async def _until_asked(rt):
    while not (found := await rt.questions("r1")):
        await asyncio.sleep(0.02)
    return found


def test_a_question_to_the_user_is_answered_in_words(project, interlock):
    """`ask_user` waits for words, and gets them."""
    (project.folder / "asks_its_user.py").write_text(
        "from interlock import Agent, Policy, ScriptedModel, Proposal, ask_user, permit\n"
        "steps = ScriptedModel([Proposal('ask_user', {'question': 'Which one?'}), 'Thank you.'])\n"
        "asker = Agent('asker', [ask_user], model=steps, policy=Policy(permit(ask_user)))\n"
    )
    agent = ("--agent", "asks_its_user:asker")
    asked = json.loads(interlock("run", "asker", "hello", "--user", "u1", "--json", *agent).stdout)
    question = asked["questions"][0]["question"]
    shown = interlock("inbox").stdout
    assert f"question to the user  {question}" in shown
    assert f"  Which one?\n  interlock answer {question} '…'\n" in shown
    assert interlock("answer", question, "the blue one").exit_code == 0
    assert interlock("run", "--resume", *agent).exit_code == 0
    assert "Thank you." in interlock("show", asked["run"]).stdout


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["approve", "r1"], 2, "'r1' is not the id of a question; ids look like RUN:SEQ"),
        (["approve", "rr1:2"], 2, "no run 'rr1' in this journal; did you mean r1?"),
        (["approve", "r1:99"], 2, "run r1 has no event 99; `interlock inbox` lists what is asked"),
        (["approve", "r1:1"], 2, "event 1 of run 'r1' is not a question"),
        (
            ["answer", "r1:2", "yes"],
            2,
            "question r1:2 is of kind approval; answer it with `interlock approve r1:2` or `interlock deny r1:2 --note",
        ),
        (["answer", "r1:2", "happened", "--result", "{"], 2, "--result {: this is not JSON"),
    ],
)
def test_wrong_answers(project, interlock, arguments, code, said):
    """One line that says what is wrong and what to do; nothing is posted."""
    project.propose(LARGE)
    result = interlock(*arguments)
    assert result.exit_code == code
    assert result.stderr.startswith(f"interlock: {said}")
    assert result.stderr.count("\n") == 1
    assert posted(interlock) == {"r1:2": None}


def test_the_wrong_kind_of_answer_to_what_became_of_an_effect(project, interlock):
    """It takes `happened` or `never`, no yes and no other word."""
    project.propose(("lose", {}))
    project.play(_until_asked)
    instead = "answer it with `interlock answer r1:4 happened` or `interlock answer r1:4 never`\n"
    assert interlock("approve", "r1:4").stderr == f"interlock: question r1:4 is of kind unknown; {instead}"
    said = interlock("answer", "r1:4", "perhaps").stderr
    assert said == f"interlock: question r1:4 asks whether something happened; {instead}"
    assert interlock("answer", "r1:4", "never", "--result", "1").stderr == "interlock: --result is for `happened`\n"


def test_a_question_is_decided_once(project, interlock):
    """A second answer is refused, with who gave the first, whether it was taken in or not."""
    project.propose(LARGE)
    interlock("deny", "r1:2", "--by", "ana")
    result = interlock("approve", "r1:2")
    assert result.exit_code == 1
    assert result.stderr == "interlock: question r1:2 has its answer: deny by ana, not taken in yet\n"
    answered(project)
    result = interlock("approve", "r1:2")
    assert result.exit_code == 1
    assert result.stderr.startswith("interlock: question r1:2 is closed: deny by ana at 20")


def test_a_question_whose_run_is_over_is_closed(project, interlock):
    """Nothing can be approved in a run that has ended."""
    project.propose(LARGE, finish=True)
    result = interlock("approve", "r1:2")
    assert (result.exit_code, posted(interlock)) == (1, {})
    assert "is closed: what it was about is over" in result.stderr


def test_a_question_whose_time_is_over_is_closed(project, interlock):
    """A yes after the expiry would count for nothing, so it is not taken."""

    async def work():
        async with Runtime(project.journal, project.agent(), question_ttl="1ms") as rt:
            await rt.start("desk", run="r1")
            async with rt.session("r1") as session:
                await session.perform(Proposal(*LARGE))

    asyncio.run(work())
    result = interlock("approve", "r1:2")
    assert result.exit_code == 1
    assert "question r1:2 is closed: " in result.stderr
