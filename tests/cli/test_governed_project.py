"""The command on the journal of a loop that is not ours."""

import json
import subprocess
import sys

GUARD = """
from pathlib import Path

from interlock import Governor, Policy, arg, need, permit, tool

pay = tool.compensable("pay")


@pay.undo
def _(ctx, done, order, amount):
    Path("book").write_text(Path("book").read_text().replace(f"{order}\\n", ""))


policy = Policy(permit(pay), need.approval("finance", pay, when=arg.amount > 100))
governor = Governor("desk.db", [pay], policy=policy)
"""

LOOP = """
import sys
from pathlib import Path

from guard import governor
from interlock import NotDoneError, governed

book = Path("book")


def pay(order: str, amount: int) -> str:
    book.write_text(book.read_text() + f"{order}\\n" if book.exists() else f"{order}\\n")
    return f"paid {order}"


pay = governed(pay, governor)
with governor.run("r1", user="u42"):
    try:
        print(pay("a", 10), pay("b", 200))
    except NotDoneError as error:
        print(error)
"""


def loop(project):
    """Run the loop in a process of its own, and return what it prints."""
    done = subprocess.run([sys.executable, "loop.py"], capture_output=True, text=True, check=False, timeout=60)
    assert done.stderr == ""
    return done.stdout


def test_a_person_approves_looks_and_takes_back(project, interlock):
    """The journal of a governor is a project's journal: inbox, approve, show, undo."""
    (project.folder / "guard.py").write_text(GUARD)
    (project.folder / "loop.py").write_text(LOOP)
    (project.folder / "interlock.toml").write_text('journal = "desk.db"\nagents = ["guard:governor"]\n')
    assert "waits for the approval of finance" in loop(project)
    [asked] = json.loads(interlock("inbox", "--json").stdout)
    assert interlock("approve", asked["question"], "--by", "ana").exit_code == 0
    assert loop(project) == "paid a paid b\n"
    assert (project.folder / "book").read_text() == "a\nb\n"
    assert "pay" in interlock("show", "last").stdout
    assert "2 of 2 effects can be taken back" in interlock("undo", "r1", "--plan").stdout
    assert interlock("undo", "r1", "--yes", "--by", "ana").exit_code == 0
    assert (project.folder / "book").read_text() == ""
