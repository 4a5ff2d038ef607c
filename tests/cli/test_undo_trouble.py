"""`undo` where an effect can't be taken back as things are: asked about, left or stopped at, in a terminal or not."""

import json
import os
import signal
import subprocess
import sys

import pytest

DRIVER = """
import asyncio, sys
from interlock import Runtime
from keeping import keeper

async def main():
    async with Runtime('desk.db', keeper):
        print('up', flush=True)
        await asyncio.to_thread(sys.stdin.read)

asyncio.run(main())
"""


def prices(shop):
    return json.loads((shop.folder / "prices.json").read_text())


def set_by_others(shop, ref, price):
    now = prices(shop)
    now[ref]["price"] = price
    (shop.folder / "prices.json").write_text(json.dumps(now))


@pytest.fixture
def changed(shop):
    """A run that set three prices, the second of which somebody changed since."""
    shop.propose(*(("set_price", {"ref": ref, "price": 1}) for ref in "abc"), finish=True)
    set_by_others(shop, "b", 99)
    return shop


def asked(interlock):
    (one,) = json.loads(interlock("inbox", "--json").stdout)
    return one


def test_the_rest_goes_on(changed, interlock):
    """--otherwise leave: nothing of others is overwritten, all else goes back, and what is left is named with why."""
    result = interlock("undo", "r1", "--yes", "--otherwise", "leave")
    assert result.exit_code == 1
    assert {ref: row["price"] for ref, row in prices(changed).items()} == {"b": 99}
    assert result.stdout.splitlines()[-6:] == [
        "not all could be taken back: 2 of 3 effects",
        "  left        set_price, r1:5: price/b changed since; nothing was written",
        "                price/b changed since",
        "                  before  not there",
        '                  after   {"price":1,"title":"A book"}',
        '                  now     {"price":99,"title":"A book"}',
    ]


def test_it_stops_there(changed, interlock):
    """--otherwise stop: what came before it stays as well, and is said to."""
    document = json.loads(interlock("undo", "r1", "--yes", "--otherwise", "stop", "--json").stdout)
    assert sorted(prices(changed)) == ["a", "b"]
    assert document["failed"] == [5, 3]
    assert [(one["run"], one["seq"], one["kind"]) for one in document["left"]] == [("r1", 5, "conflict"), ("r1", 3, "")]
    assert document["left"][0]["changes"][0]["now"]["price"] == 99
    assert document["left"][1]["reason"] == "the undo stopped before it"


def test_people_are_asked(changed, interlock):
    """By default: the question has before, after and now, what is still to do, and how to answer it."""
    result = interlock("undo", "r1", "--yes")
    assert result.exit_code == 1
    question = asked(interlock)["question"]
    assert result.stdout.splitlines()[-1] == f"the undo waits for a person: {question}; see `interlock inbox`"
    shown = interlock("inbox").stdout
    assert f"an undo can't go on  {question}\n" in shown
    assert "    price/b changed since\n      before  not there\n" in shown
    assert '      now     {"price":99,"title":"A book"}\n' in shown
    assert "  still to be taken back: events 3\n" in shown
    for word in ("again", "leave", "stop"):
        assert f"  interlock answer {question} {word}\n" in shown
    assert asked(interlock)["undoes"] == 5
    again = interlock("undo", "r1:3", "--yes")
    assert again.exit_code == 1
    assert f"the undo waits for a person: {question}" in again.stdout


@pytest.mark.parametrize(("word", "left"), [("again", {}), ("leave", {"b": 99}), ("stop", {"a": 1, "b": 99})], ids=str)
def test_the_answer(changed, interlock, word, left):
    """again: once it is as the effect left it; leave: but for this one; stop: no more of it."""
    interlock("undo", "r1", "--yes")
    if word == "again":
        set_by_others(changed, "b", 1)
    result = interlock("answer", asked(interlock)["question"], word, "--by", "ana", "--note", "seen")
    assert result.stdout.startswith(f"posted: {word} by ana; ")
    assert interlock("run", "--resume").exit_code == 0
    assert {ref: row["price"] for ref, row in prices(changed).items()} == left
    assert interlock("inbox").stdout == "nothing waits for a person\n"
    assert f": {word} by ana: seen\n" in interlock("show", "r1").stdout


def test_again_in_vain_asks_again(changed, interlock):
    """Nothing is overwritten however often somebody says so."""
    interlock("undo", "r1", "--yes")
    first = asked(interlock)["question"]
    interlock("answer", first, "again")
    interlock("run", "--resume")
    assert asked(interlock)["question"] != first
    assert prices(changed)["b"]["price"] == 99
    result = interlock("answer", first, "leave")
    assert result.exit_code == 1
    assert f"question {first} is closed: again by " in result.stderr


def test_wrong_answers(changed, interlock):
    """It takes three words, no yes, no result and no other word."""
    interlock("undo", "r1", "--yes")
    name = asked(interlock)["question"]
    instead = " or ".join(f"`interlock answer {name} {word}`" for word in ("again", "leave", "stop"))
    said = interlock("approve", name).stderr
    assert said == f"interlock: question {name} is of kind undo; answer it with {instead}\n"
    said = interlock("answer", name, "perhaps").stderr
    assert said == f"interlock: question {name} asks how an undo goes on; answer it with {instead}\n"
    assert interlock("answer", name, "leave", "--result", "1").stderr == "interlock: --result is for `happened`\n"
    assert asked(interlock)["posted"] is None


def test_who_takes_back_is_judged(shop, interlock):
    """An undo that needs an approval waits for it, and the question says that it is about taking back."""
    text = (shop.folder / "keeping.py").read_text()
    text = text.replace("import Agent,", "import undoing, Agent,")
    text = text.replace('need.delay("10m", mail),', 'need.delay("10m", mail), need.approval("boss", undoing(order)),')
    (shop.folder / "keeping.py").write_text(text)
    shop.propose(("order", {"ref": "x"}), finish=True)
    result = interlock("undo", "r1", "--yes", "--by", "ana")
    assert result.exit_code == 1
    name = asked(interlock)["question"]
    assert f"approval by boss  {name}\n" in interlock("inbox").stdout
    assert "  take back order of event 3\n    ref  x\n" in interlock("inbox").stdout
    assert 'boss to approve taking back event 3: order(ref="x")' in interlock("show", "r1").stdout
    interlock("approve", name, "--by", "eve")
    interlock("run", "--resume")
    assert interlock("undo", "r1", "--plan").stdout == "run r1 has nothing to take back\n"


def test_who_may_not_take_back(shop, interlock):
    """It is said whose word it was, and nothing is undone."""
    text = (shop.folder / "keeping.py").read_text()
    text = text.replace("import Agent,", "import forbid, undoing, user, Agent,")
    text = text.replace(
        'need.delay("10m", mail),',
        'need.delay("10m", mail), forbid(undoing(order), when=user.id == "mallory", because="mallory may not"),',
    )
    (shop.folder / "keeping.py").write_text(text)
    shop.propose(("order", {"ref": "x"}), finish=True)
    result = interlock("undo", "r1", "--yes", "--by", "mallory", "--otherwise", "stop")
    assert result.stdout.splitlines()[-1] == "  left        order, r1:3: mallory may not take it back: mallory may not"
    assert "denied     not taken back: order of event 3\n" in interlock("show", "r1").stdout
    assert interlock("undo", "r1", "--yes", "--by", "ana").exit_code == 0


def test_beside_a_process_that_drives_the_journal(changed, interlock, command):
    """Plan, undo, question and answer go through the other process; objects are looked up by this one."""
    with subprocess.Popen(
        [sys.executable, "-c", DRIVER], cwd=changed.folder, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as other:
        assert other.stdout.readline() == b"up\n"
        looked = command("undo", "r1", "--plan", cwd=changed.folder)
        waits = command("undo", "r1", "--yes", cwd=changed.folder)
        answered = command("answer", asked(interlock)["question"], "leave", "--by", "ana", cwd=changed.folder)
        while "undo_ended" not in interlock("show", "r1", "--json").stdout:
            assert other.poll() is None
        after = command("undo", "r1", "--plan", cwd=changed.folder)
        other.stdin.close()
    assert '                  now     {"price":99,"title":"A book"}\n' in looked.stdout
    assert waits.returncode == 1
    assert answered.stdout == "posted: leave by ana; the run has taken it in\n"
    assert "price/b changed since" in after.stdout
    assert prices(changed).keys() == {"b"}


def test_ctrl_c_leaves_the_undo_to_whoever_drives_next(shop, interlock):
    """It is posted: an undo that was waited for in vain goes on later, and that is said."""
    shop.propose(("order", {"ref": "x"}), finish=True)
    (shop.folder / "closed").touch()
    called = [sys.executable, "-m", "interlock", "undo", "r1", "--yes"]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    with subprocess.Popen(called, cwd=shop.folder, **pipes) as started:
        assert started.stderr.readline().startswith("interlock: run r1 can't go on now and is tried again: ")
        started.send_signal(signal.SIGINT)
        _, said = started.communicate(timeout=30)
    assert (started.returncode, said.splitlines()[-1]) == (
        130,
        "interlock: stopped; the undo goes on with `interlock run --resume`",
    )
    (shop.folder / "closed").unlink()
    assert interlock("run", "--resume").exit_code == 0
    assert interlock("undo", "r1", "--plan").stdout == "run r1 has nothing to take back\n"


@pytest.mark.skipif(os.name == "nt", reason="needs a pseudo-terminal")
class TestInATerminal:
    """The question is put right away to whoever sits there."""

    @pytest.mark.parametrize(("typed", "left"), [(["perhaps", "leave"], {"b"}), (["stop"], {"a", "b"})])
    def test_it_is_asked_right_away(self, changed, typed, left):
        """Shown with before, after and now; another word is asked for again."""
        code, shown = in_terminal(changed, ["y", *typed], "undo", "r1", "--by", "ana")
        assert code == 1
        assert shown.count("again, leave or stop?: ") == len(typed)
        assert "an undo can't go on" in shown
        assert 'now     {"price":99,"title":"A book"}' in shown
        assert "interlock answer" not in shown
        assert "not all could be taken back" in shown
        assert prices(changed).keys() == left

    def test_the_end_of_the_input_leaves_the_question(self, changed, interlock):
        """Nobody has answered: it waits in the inbox."""
        code, _ = in_terminal(changed, ["y", "\x04"], "undo", "r1")
        assert code == 130
        assert asked(interlock)["kind"] == "undo"

    def test_no(self, changed):
        """Nothing is undone."""
        code, shown = in_terminal(changed, ["n"], "undo", "r1")
        assert code == 1
        assert "take back 3 effects? [y/N]: n" in shown
        assert shown.rstrip().endswith("interlock: nothing was undone")
        assert len(prices(changed)) == 3


def in_terminal(shop, typed, *arguments):
    """Call the command in a terminal, type a line at each prompt, and return its exit code and what was shown."""
    import pty

    ours, theirs = pty.openpty()
    called = [sys.executable, "-m", "interlock", *arguments]
    env = {**os.environ, "COLUMNS": "100", "NO_COLOR": "1"}
    with subprocess.Popen(called, cwd=shop.folder, env=env, stdin=theirs, stdout=theirs, stderr=theirs) as started:
        os.close(theirs)
        shown, lines = "", [*typed]
        while more := _read(ours):
            shown += more
            if lines and shown.endswith((" [y/N]: ", " or stop?: ")):
                line = lines.pop(0)
                os.write(ours, (line if line == "\x04" else f"{line}\n").encode())
        code = started.wait(timeout=30)
    os.close(ours)
    return code, shown.replace("\r\n", "\n")


def _read(terminal):
    try:
        return os.read(terminal, 65536).decode(errors="replace")
    except OSError:  # what Linux says when the other side is closed
        return ""
