"""`run` and `chat`: what an agent says as it says it, what it waits for, and how to go on."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from contextlib import contextmanager

import pytest

HOSTILE = "\x1b[2J[bold]\u202e"

TALKER = '''
import asyncio
from interlock import Agent, Policy, Proposal, ScriptedModel, action, arg, ask_user, need, permit, Ctx
from interlock.models import Result
from agent import find_booking, refund, send_email

@action.irreversible
async def ponder(ctx: Ctx[None]) -> str:
    """Think, for a while."""
    open("pondering", "w").close()
    await asyncio.sleep(1)
    return "thought"

def script(request):
    last = request.messages[-1]
    if isinstance(last, Result):
        return f"It says: {last.text}. All right."
    for word, proposal in {
        "refund": lambda: Proposal("refund", {"ref": "AB12", "amount": last.text.split()[-1]}),
        "mail": lambda: Proposal("send_email", {"to": "bob", "body": "Dear Bob,\\nhello"}),
        "ask": lambda: Proposal("ask_user", {"question": "Which one?"}),
        "ponder": lambda: Proposal("ponder"),
    }.items():
        if word in last.text:
            return proposal()
    return f"You said HOSTILE{last.text}. Go on."

policy = Policy(
    permit([refund, send_email, ask_user, ponder]),
    need.approval("boss", refund, when=arg.amount > 100),
    need.confirmation(send_email),
)
talker = Agent("talker", [refund, send_email, ask_user, ponder], policy=policy, model=ScriptedModel(script))
silent = Agent("silent", [], model=ScriptedModel([]), policy=Policy())
typed = Agent("typed", [], model=ScriptedModel([Proposal("answer", {"answer": {"n": 1}})]), output=dict[str, int])
'''.replace("HOSTILE", HOSTILE.replace("\x1b", "\\x1b"))


@pytest.fixture
def talking(project):
    (project.folder / "talk.py").write_text(TALKER)
    agents = '["agent:desk", "talk:talker", "talk:silent", "talk:typed"]'
    (project.folder / "interlock.toml").write_text(f'journal = "desk.db"\nagents = {agents}\n')
    return project


def run_of(result):
    """Return the run that the last line on stderr names."""
    return re.search(r"run (\w+): ", result.stderr)[1]


# run


def test_what_it_says_goes_to_stdout(talking, interlock):
    """Words on stdout, escaped; about the run on stderr."""
    result = interlock("run", "talker", "hello", "--user", "u1")
    assert result.exit_code == 0
    assert result.stdout == "You said \\x1b[2J[bold]\\u202ehello. Go on.\n"
    assert result.stderr == f"run {run_of(result)}: done\n"


def test_a_run_as_one_document(talking, interlock):
    """What was said, the output, the run."""
    document = json.loads(interlock("run", "talker", "hello", "--json").stdout)
    assert document.keys() == {"run", "status", "said", "output"}
    assert document["said"] == document["output"] == f"You said {HOSTILE}hello. Go on."


def test_data_for_output(talking, interlock):
    """An agent whose answer is data prints it as JSON."""
    assert interlock("run", "typed", "count").stdout == '{"n":1}\n'


def test_it_waits_for_people(talking, interlock):
    """The question and its commands, exit code 1; once it is approved, --resume lets it go on."""
    result = interlock("run", "talker", "refund 400", "--user", "u1")
    assert result.exit_code == 1
    run = run_of(result)
    assert f"approval by boss  {run}:5\n  talker for u1, asked 0 s ago" in result.stdout
    assert f"  interlock approve {run}:5\n" in result.stdout
    assert (
        result.stderr
        == f"run {run}: waiting for people; when they have answered, `interlock run --resume` lets it go on\n"
    )
    interlock("approve", "last:5", "--by", "ana")
    resumed = json.loads(interlock("run", "--resume", "--json").stdout)
    assert [(one["run"], one["status"]) for one in resumed] == [(run, "done")]
    assert resumed[0]["output"] == "It says: refunded 400 for AB12. All right."
    assert "It says: refunded 400 for AB12. All right." in " ".join(interlock("show", run).stdout.split())
    assert interlock("run", "--resume").stdout == "no unfinished runs\n"


def test_resume_tells_what_was_said(talking, interlock):
    """Beneath the table, a line for each run that has come to its end, shortened."""
    run = run_of(interlock("run", "talker", "refund 400", "--user", "u1"))
    interlock("deny", "last:5", "--by", "ana", "--note", "long " * 100)
    shown = interlock("run", "--resume").stdout
    assert f"run {run}: It says: " in shown
    assert re.search(r"… \(\+\d+\s+characters\)\n", shown)


def test_what_was_posted_to_an_agent_that_is_not_here_waits_for_it(talking, interlock):
    """--resume ends, whatever lies in the inboxes of runs that it can't drive."""
    talking.propose(("refund", {"ref": "AB12", "amount": "400"}))
    interlock("approve", "r1:2")
    assert interlock("run", "--resume", "--agent", "talk:talker").exit_code == 0
    assert json.loads(interlock("inbox", "--json").stdout)[0]["posted"]["decision"] == "approve"


def test_it_fails(talking, interlock):
    """A model without an answer parks the run; exit code 1 and why."""
    result = interlock("run", "silent", "hello")
    assert result.exit_code == 1
    assert re.match(r"run \w+: parked: the model did not answer", result.stderr)
    assert json.loads(interlock("run", "silent", "hello", "--json").stdout)["status"] == "parked"


def test_an_agent_that_can_not_answer(talking, interlock):
    """An unknown agent, and one that a loop of its author's drives; nothing is journaled."""
    said = interlock("run", "talkr", "hello").stderr
    assert said == "interlock: no agent 'talkr' in this project; did you mean 'talker'?\n"
    result = interlock("run", "desk", "hello")
    assert result.exit_code == 2
    assert result.stderr.startswith("interlock: agent 'desk' has no model")
    assert not talking.journal.exists()


def test_a_conversation_is_remembered(talking, interlock):
    """With the same id, the next run knows what was said before."""
    for words in ("one", "two"):
        interlock("run", "talker", words, "--conversation", "c9", "--user", "u1")
    last = json.loads(interlock("runs", "--json").stdout)[0]
    assert last["conversation"] == "c9"
    prompt = interlock("show", last["run"], "--prompt", "1").stdout
    assert "text  one\n" in prompt
    assert prompt.startswith(f"turn 1 of run {last['run']}  scripted\nbuilt again from the journal: the same as")


@contextmanager
def process(*args, folder, **options):
    """Start the command as a process of its own that takes ^C; it ends with the block, whatever happens in it."""
    command = [sys.executable, "-m", "interlock", *args]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen(command, cwd=folder, text=True, **{**pipes, **options}) as started:
        try:
            yield started
        finally:
            started.kill()


def interrupted(started, folder):
    """Send ^C once an effect is under way, and return what the process said."""
    while not (folder / "pondering").exists():
        assert started.poll() is None, started.communicate()
        time.sleep(0.02)
    started.send_signal(signal.SIGINT)
    return started.communicate(timeout=30)


def test_ctrl_c_drains_and_says_how_to_go_on(talking, interlock):
    """The effect under way is finished and recorded; the rest goes on later."""
    with process("run", "talker", "ponder", folder=talking.folder) as started:
        out, err = interrupted(started, talking.folder)
    assert started.returncode == 130
    assert (out, err) == ("", "interlock: stopped; `interlock run --resume` lets unfinished runs go on\n")
    run = json.loads(interlock("runs", "--json").stdout)[0]["run"]
    assert "ponder → " in interlock("show", run).stdout
    assert interlock("run", "--resume").exit_code == 0
    assert "It says: thought. All right." in interlock("show", run).stdout


# chat


def test_a_conversation_through_a_pipe(talking, interlock):
    """Answers, confirmations and questions inline, an undo, the timeline, an end."""
    lines = [
        "hello",
        "refund 50",
        "/undo",
        "y",
        "mail",
        "perhaps",
        "n",
        "ask",
        "the blue one",
        "/show",
        "/foo",
        "/quit",
    ]
    result = interlock("chat", "talker", "--user", "u1", "--conversation", "c7", typed="\n".join(lines))
    assert result.exit_code == 0
    parts = [
        "You said \\x1b[2J[bold]\\u202ehello. Go on.\n",
        "It says: refunded 50 for AB12. All right.\n",
        '1 of 1 effect can be taken back\n  compensate  refund(amount="50", ref="AB12")',
        "taken back: 1 effect\n",
        "confirmation by the user  ",
        "    body  | Dear Bob,\n          | hello\n",
        "y or n?\n",
        "u1 said no",
        "Which one?\n",
        "It says: the blue one. All right.\n",
        "conversation c7\n",
        "/show what happened, /undo it, /quit; anything else is said to the agent\n",
    ]
    place = 0
    for part in parts:
        place = result.stdout.find(part, place)
        assert place >= 0, part
    assert "interlock approve" not in result.stdout
    assert result.stderr == "interlock: go on with `interlock chat talker --conversation c7`\n"


def test_an_approval_by_others_is_shown_and_the_conversation_goes_on(talking, interlock):
    """Whoever decides does it elsewhere; meanwhile there is more to say."""
    result = interlock("chat", "talker", typed="refund 400\nhello\n")
    assert result.exit_code == 0
    assert result.stdout.count("approval by boss  ") == 1
    assert "  interlock approve " in result.stdout
    assert result.stdout.endswith("hello. Go on.\n")


def test_a_conversation_as_json_lines(talking, interlock):
    """Every sentence, question and end is a document."""
    shown = interlock("chat", "talker", "--json", typed="hello\nmail\ny\n/undo\n").stdout
    documents = [json.loads(line) for line in shown.splitlines()]
    assert [one["type"] for one in documents] == ["said", "said", "ended", "asked", "said", "said", "ended", "undo"]
    assert (documents[3]["kind"], documents[3]["action"]) == ("confirmation", "send_email")
    assert documents[-1]["items"][0]["way"] == "cannot"


def test_the_input_ends_where_an_answer_is_awaited(talking, interlock):
    """The question stays in the inbox; the chat ends."""
    assert interlock("chat", "talker", typed="mail").exit_code == 0
    assert [one["kind"] for one in json.loads(interlock("inbox", "--json").stdout)] == ["confirmation"]


def test_another_process_drives_the_journal(talking, interlock):
    """One line, and the exit code 1."""
    with process("chat", "talker", folder=talking.folder) as first:
        first.stdin.write("hello\n")
        first.stdin.flush()
        assert "Go on" in first.stdout.readline()
        result = interlock("chat", "talker", typed="hello\n")
        first.communicate()
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.startswith(f"interlock: 'process {first.pid}' drives the runs of ")


def test_ctrl_c_ends_a_conversation(talking, interlock):
    """The effect under way is finished; how to go on is said."""
    with process("chat", "talker", "--conversation", "c8", folder=talking.folder) as started:
        started.stdin.write("ponder\n")
        started.stdin.flush()
        out, err = interrupted(started, talking.folder)
    assert started.returncode == 130
    assert (out, err) == ("", "interlock: go on with `interlock chat talker --conversation c8`\n")
    run = json.loads(interlock("runs", "--json").stdout)[0]["run"]
    assert "ponder → " in interlock("show", run).stdout


@pytest.mark.skipif(os.name == "nt", reason="needs a pseudo-terminal")
def test_in_a_terminal(talking):
    """There are prompts, and ^C at one ends it."""
    import pty

    ours, theirs = pty.openpty()
    with process("chat", "talker", folder=talking.folder, stdin=theirs, stdout=theirs) as started:
        os.close(theirs)
        shown = read_until(ours, b"> ")
        os.write(ours, b"mail\n")
        shown += read_until(ours, b"y/n> ")
        os.write(ours, b"y\n")
        shown += read_until(ours, b"right.\r\n> ")
        time.sleep(0.3)  # A signal between the prompt and the wait for a key would only be seen at the next key.
        while started.poll() is None:  # One that comes just before `input` begins to wait is only seen by the next.
            started.send_signal(signal.SIGINT)
            time.sleep(0.5)
    os.close(ours)
    assert started.returncode == 130
    assert b"/show what happened" in shown
    assert b"\x1b[1;33mconfirmation by the user\x1b[0m" in shown


def read_until(terminal, end):
    shown = b""
    while not shown.endswith(end):
        shown += os.read(terminal, 4096)
    return shown
