"""`policy explain`, `policy surface` and `policy init`: what they print, at any width, and what is wrong usage."""

import ast
import json
import re
import subprocess
import sys

import pytest

from interlock.cli.policy_init import start

CALL = ("policy", "explain", "refund", "ref=AB12", "amount=120", "--fact", "limit=1000.50")


def test_help_lists_the_commands(interlock):
    """In the order of the work, each with a line that fits 80 columns."""
    shown = interlock("policy", "--help").stdout
    names = re.findall(r"^  (\w+) {2,}\S", shown.partition("Commands:")[2], re.MULTILINE)
    assert names == ["explain", "test", "init", "surface", "check", "diff"]
    assert max(map(len, shown.splitlines())) <= 80
    assert "..." not in shown.partition("Commands:")[2]


def test_without_a_command_it_shows_its_help(interlock):
    """That is wrong usage all the same."""
    result = interlock("policy")
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.startswith("Usage: interlock policy [OPTIONS] COMMAND")


@pytest.mark.parametrize("arguments", [["policy", "--help"], ["policy", "explain", "--help"]])
def test_help_imports_no_room(arguments):
    """Help is quick because nothing is imported for it that it doesn't show."""
    script = (
        "import sys\nfrom interlock.cli import main\nsys.argv = ['interlock', *sys.argv[1:]]\n"
        "try:\n    main()\nexcept SystemExit:\n    pass\n"
        "costly = ('rich', 'sqlite3', 'pydantic', 'interlock.guardian', 'interlock.lab', 'interlock.agents')\n"
        "print([name for name in costly if name in sys.modules])\n"
    )
    done = subprocess.run([sys.executable, "-c", script, *arguments], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


def test_explain(project, interlock):
    """The verdict, each rule with its reason and place, and what would change it."""
    result = interlock(*CALL)
    assert result.exit_code == 0
    shown = result.stdout
    assert shown.startswith('permitted, needing approval finance  refund(ref="AB12", amount=120)\nagent desk, policy ')
    assert "  because  over 100 EUR\n" in shown
    assert (
        "r2 applies: permit refund when the amount is over 0 and the amount is at most the limit "
        "the amount is 120, over 0 and the amount is 120, at most the limit (1000.50) agent.py:45 "
    ) in " ".join(shown.split())
    assert "  r3   applies: need approval by finance" in shown
    assert "r1" not in shown
    assert shown.endswith(
        "what would change it\n  amount=100 → permitted\n  amount=0 → denied\n  fact limit=119 → denied\n"
    )


def test_a_denial_is_exit_code_1(project, interlock):
    """What is missing is said, and what would do."""
    result = interlock("policy", "explain", "refund", "ref=AB12", "amount=120")
    assert result.exit_code == 1
    assert result.stdout.startswith("denied  refund(")
    assert "  missing  the fact limit; what is not given can't be judged, and that denies\n" in result.stdout
    assert "  r2   can't be judged: permit refund" in result.stdout
    assert "  fact limit=120 → permitted, needing approval finance\n" in result.stdout


def test_an_action_that_no_rule_is_about(project, interlock):
    """Then what no rule permits is denied, by default."""
    (project.folder / "empty.py").write_text("from interlock import *\npolicy = Policy(permit('lose'))\n")
    result = interlock("policy", "explain", "find_booking", "ref=A", "--policy", "empty.py")
    assert "  none concerns find_booking; what no rule permits is denied\n" in result.stdout
    assert "what would change it: nothing that was tried (0 cases)\n" in result.stdout


def test_explain_as_json(project, interlock):
    """The same as one document."""
    document = json.loads(interlock(*CALL, "--json").stdout)
    assert list(document) == [
        *("agent", "policy", "action", "args", "permitted", "needs", "determining", "reasons", "instead", "shadowed"),
        *("paradox", "rules", "facts", "origins", "missing", "changes", "tried", "recorded"),
    ]
    assert document["args"] == {"ref": "AB12", "amount": 120}
    assert [one["id"] for one in document["rules"]] == ["r2", "r3"]
    assert document["changes"][0] == {"change": ["amount=100"], "permitted": True, "needs": []}
    assert document["facts"] == {"limit": "1000.50"}


@pytest.mark.parametrize(
    ("arguments", "amount", "permitted"),
    [
        (["ref=0012", "amount=1e2"], "1E+2", True),
        (["ref=A=B", "amount=40.10"], "40.10", True),
        (["--args", '{"ref": "A", "amount": "40"}'], "40", True),
        (["--args", '{"ref": "A"}', "amount=40"], 40, True),
        (["ref=A", f"amount={10**30}"], 10**30, False),
        (["ref=А\u200bB", "amount=40"], 40, True),
        (["ref=" + "x" * 20_000, "amount=40"], 40, True),
    ],
)
def test_arguments_as_they_are_typed(project, interlock, arguments, amount, permitted):
    """A text stays one, a number is exact, whatever it looks like."""
    result = interlock("policy", "explain", "refund", *arguments, "--fact", "limit=1000", "--json")
    document = json.loads(result.stdout)
    assert (document["args"]["amount"], document["permitted"]) == (amount, permitted)


@pytest.mark.parametrize(
    "number", ["1e999999999", "-1e400", "9" * 5000, f"0.{'0' * 2000}1", "NaN", "1_0", "null", "[]"]
)
def test_numbers_that_are_none_or_out_of_reach(project, interlock, number):
    """A fact may be whatever it is: the rule can't be judged, or is."""
    result = interlock("policy", "explain", "refund", "ref=A", "amount=40", "--fact", f"limit={number}")
    assert result.exit_code in (0, 1)
    assert result.stdout.startswith(("permitted", "denied"))


def test_hostile_arguments_are_shown_safely(project, interlock):
    """Nothing that is typed is obeyed by a terminal, or read as markup."""
    result = interlock("policy", "explain", "refund", "ref=\x1b[2J[red]\u202e", "amount=40", "--fact", "limit=\x1b]0;x")
    assert not re.search("[\x1b\u202e]", result.stdout)
    assert "[red]" in result.stdout


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["refnd"], "no agent of this project has an action 'refnd'; did you mean refund?"),
        (["refund", "ref=A"], "refund does not take these arguments: amount: Field required"),
        (["refund", "ref=A", "amout=1"], "amout: there is no such argument; did you mean 'amount'?"),
        (["refund", "ref=A", "amount=NaN"], "amount: Input should be a finite number (got 'NaN')"),
        (["refund", "ref=A", "amount=Infinity"], "amount: Input should be a finite number"),
        (["refund", "ref"], "'ref': write NAME=VALUE, for example amount=120"),
        (["refund", "ref=A", "ref=B"], "the argument ref is given twice"),
        (["refund", "--args", "{"], "--args: this is no JSON: "),
        (["refund", "--args", "[1]"], "--args takes a JSON object"),
        (["refund", "--fact", "lim=1"], "refund has no fact lim; did you mean limit?"),
        (["refund", "--fact", "limit"], "--fact 'limit': write NAME=VALUE"),
        (["refund", "--fact", "limit=1", "--fact", "limit.x=1"], "--fact limit.x: a value of type int has no fields"),
        (["refund", "--window", "x=1"], "no rule about refund looks at a window 'x'; there are none"),
        (["refund", "--user", "{"], "--user: this is no JSON"),
        (["refund", "--at", "noon"], "--at 'noon': write a time such as 2026-11-23T09:00 (UTC)"),
        (["refund", "--state", "paid"], "agent desk has no state paid; there are none"),
        (["refund", "--agent", "dask"], "no agent 'dask' in this project; did you mean 'desk'?"),
        (["refund", "--policy", "none.py"], "there is no file none.py; give "),
    ],
)
def test_what_can_not_be_explained(project, interlock, arguments, said):
    """What is wrong and what to write, in one line."""
    result = interlock("policy", "explain", *arguments)
    assert (result.exit_code, result.stdout) == (2, "")
    assert said in result.stderr
    assert result.stderr.count("\n") == 1


MORE = """
from interlock import Agent, Ctx, Policy, action, arg, count, forbid, now, permit

@action.read
async def ping(ctx: Ctx[None], n: int = 1) -> None: ...

policy = Policy(
    permit(ping, when=(count(ping, per="user", within="1h") < 3) & (now.hour("Europe/Berlin") < 18)),
    forbid(ping, when=lambda case: case.args["n"] > 5),
)
pinger = Agent("pinger", [ping], policy=policy)
"""


def test_windows_and_the_time(project, interlock):
    """A window by its label, and a time; what would change it is told in the same words."""
    (project.folder / "more.py").write_text(MORE)
    window = "count(ping, per=user, within=1h)"
    call = ("policy", "explain", "ping", "--agent", "more:pinger", "--window", f"{window}=3")
    shown = interlock(*call, "--at", "2026-11-23T09:00").stdout
    assert shown.startswith("denied  ping()")
    assert f"  {window}=2 → permitted\n" in shown
    late = interlock(*call[:-1], f"{window}=2", "--at", "2026-11-23T20:00").stdout
    assert "  at 2026-11-23 16:00 UTC (a Monday) → permitted\n" in late
    assert "its Python code says no" in late
    wrong = interlock(*call[:-1], "count(ping)=2")
    assert f"looks at a window 'count(ping)'; did you mean {window}?" in wrong.stderr
    assert "what was counted is a number" in interlock(*call[:-1], f"{window}=x").stderr


def test_which_agent(project, interlock):
    """With several, it is the one that has the action; where that is not clear, it has to be said."""
    (project.folder / "more.py").write_text(MORE.replace("more", "more"))
    (project.folder / "interlock.toml").write_text('agents = ["agent:desk", "more:pinger"]\n')
    assert "agent pinger" in interlock("policy", "explain", "ping").stdout
    result = interlock("policy", "surface")
    assert (result.exit_code, result.stderr) == (
        2,
        "interlock: several agents are there; give --agent with one of desk, pinger\n",
    )


def test_a_recorded_decision(project, interlock):
    """By its event or its call's key: on the facts as they were, by the policy that decided."""
    project.propose(("find_booking", {"ref": "A"}), ("refund", {"ref": "A", "amount": "400"}))
    journal = [json.loads(line) for line in interlock("show", "r1", "--json").stdout.splitlines()]
    assert journal
    listed = interlock("policy", "explain", "--run", "r1", "999").stderr
    number = re.search(r"(\d+) \(refund\)", listed)[1]
    by_number, by_key = (interlock("policy", "explain", "--run", "last", one) for one in (f"#{number}", "call-2"))
    assert by_number.stdout == by_key.stdout
    shown = by_number.stdout
    assert shown.startswith('permitted, needing approval finance  refund(amount="400", ref="A")\n')
    assert f"  was      permitted, needing approval finance, event {number} of run r1\n" in shown
    assert "at most the limit (1000.50)" in " ".join(shown.split())
    assert "agent.py:45" in shown
    assert interlock("policy", "explain", "--run", "r1", number, "--json").exit_code == 0


def test_a_recorded_decision_under_another_policy(project, interlock):
    """What is no longer there can't be told; another policy says what it would say."""
    project.propose(("refund", {"ref": "A", "amount": "400"}))
    (project.folder / "strict.py").write_text(
        "from interlock import *\npolicy = Policy(forbid('refund', because='no'))\n"
    )
    result = interlock("policy", "explain", "--run", "r1", "call-1", "--policy", "strict.py")
    assert result.exit_code == 1
    assert "  was      permitted, needing approval finance, event " in result.stdout
    assert "strict.py:2" in result.stdout
    project.edit("UPDATE events SET payload = CAST(replace(payload, '\"limit\"', '\"other\"') AS BLOB)")
    told = interlock("policy", "explain", "--run", "r1", "call-1")
    assert told.exit_code == 1
    assert "can't be explained: the action 'refund' no longer has the fact 'other'" in told.stderr


def test_what_was_counted_then(project, interlock):
    """Windows and the time are as they were recorded; what was not recorded can't be told."""
    file = project.folder / "agent.py"
    rule = 'forbid(find_booking, when=count(find_booking, per="run") >= 1, because="once"),\n    need.confirmation('
    file.write_text(file.read_text().replace("arg, fact", "arg, count, fact").replace("need.confirmation(", rule))
    project.propose(("find_booking", {"ref": "A"}), ("find_booking", {"ref": "B"}))
    window = "count(find_booking, per=run)"
    result = interlock("policy", "explain", "--run", "r1", "call-2")
    assert result.exit_code == 1
    assert f"  {window}=0 → permitted\n" in result.stdout
    assert interlock("policy", "explain", "--run", "r1", "call-1").stdout.startswith("permitted  find_booking(")
    other = "from interlock import *\npolicy = Policy(permit('find_booking', when=count('find_booking') < 9))\n"
    (project.folder / "other.py").write_text(other)
    shown = interlock("policy", "explain", "--run", "r1", "call-2", "--policy", "other.py").stdout
    assert "the count count(find_booking, per=conversation); it was not recorded" in " ".join(shown.split())


def test_surface(project, interlock):
    """Each action with what it hangs on, what it means, and what is unlimited; what never happens last."""
    shown = interlock("policy", "surface").stdout
    assert shown.startswith("desk could do at most, under policy ")
    assert "in any state\n  find_booking  changes nothing\n      permitted always (r1)\n" in shown
    assert (
        "  refund  can be made good\n"
        "      permitted when the amount is over 0 and the amount is at most the limit\n"
        "                (r2)\n"
        "      needs     approval finance when the amount is over 100 (r3)\n"
        "      unlimited ref: no rule looks at it, but through the fact limit\n"
    ) in shown
    (project.folder / "less.py").write_text("from interlock import *\npolicy = Policy(permit('refund'))\n")
    less = interlock("policy", "surface", "desk", "--policy", "less.py").stdout
    assert "      unlimited ref, amount: no rule looks at it\n" in less
    assert "  never send_email: no rule permits it\n" in less


def test_surface_as_json(project, interlock):
    """A document for each agent."""
    (document,) = json.loads(interlock("policy", "surface", "--json").stdout)
    assert list(document) == ["agent", "policy", "situations"]
    refund = next(one for one in document["situations"][0]["reach"] if one["action"] == "refund")
    assert refund["needs"] == [{"rule": "r3", "when": "the amount is over 100", "need": "approval finance"}]


@pytest.mark.parametrize("columns", [40, 80, 120])
@pytest.mark.parametrize("command", [CALL, ("policy", "surface"), ("policy", "test")])
def test_at_any_width(project, interlock, monkeypatch, columns, command):
    """No line is wider than the terminal."""
    (project.folder / "policy_examples.toml").write_text(
        '[[case]]\naction = "refund"\nargs = { ref = "A", amount = 40 }\nexpect = "permit"\n'
    )
    monkeypatch.setenv("COLUMNS", str(columns))
    shown = interlock(*command).stdout
    assert max(map(len, shown.splitlines())) <= columns
    assert len(shown.splitlines()) > 8


def test_init(project, interlock):
    """A file that loads, passes the check and is in the formatter's form; nothing is overwritten."""
    result = interlock("policy", "init")
    assert result.stdout.startswith("a first policy for agent desk in policy.py\n")
    file = project.folder / "policy.py"
    written = file.read_text()
    assert written == start(project.agent())
    assert '    permit("refund"),\n    need.confirmation("refund", because=' in written
    assert '    forbid("refund", when=arg.amount <= 0, because="amount has to be above 0"),\n' in written
    assert '    # forbid("refund", when=arg.amount > 1000),\n' in written
    assert '    need.approval("support", "send_email", because="it can\'t be taken back"),\n' in written
    assert interlock("policy", "surface", "--policy", "policy.py").exit_code == 0
    again = interlock("policy", "init")
    assert (again.exit_code, again.stderr) == (
        2,
        "interlock: policy.py exists; nothing was written, name another file with -o\n",
    )
    assert json.loads(interlock("policy", "init", "-o", "b.py", "--json").stdout)["actions"][1] == "refund"
    assert interlock("policy", "init", "-o", "no/such/folder.py").exit_code == 1


def test_init_for_odd_names(tmp_path):
    """Names that are long, no identifiers, or hostile end no line, comment or text; the result is well formatted."""
    from typing import Any

    from interlock import Agent, Ctx, Policy, action

    async def body(
        ctx: Ctx[None], class_amount: int, total: int, price: int | None = None, amount: str = ""
    ) -> Any: ...

    body.__name__ = "a" * 64
    long = action.irreversible(body)
    body.__name__ = "b-c"
    odd = action.irreversible(body)
    body.__name__ = "fetch"
    fetch = action.read(egress=True)(body)
    written = start(Agent('"""\nimport os\n\x1b', [long, odd, fetch], policy=Policy()))
    namespace: dict[str, Any] = {}
    exec(compile(ast.parse(written), "policy.py", "exec"), namespace)
    assert namespace["policy"].actions == {"a" * 64, "b-c", "fetch"}
    assert "arg.price" not in written
    assert "need.confirmation(" in written
    file = tmp_path / "written.py"
    file.write_text(written)
    ruff = [sys.executable, "-m", "ruff", "format", "--check", "--isolated", "--line-length", "120", str(file)]
    assert subprocess.run(ruff, check=False, capture_output=True).returncode == 0
    assert start(Agent("none")).endswith("policy = Policy()\n")
