"""`replay`: which decisions another policy would change, and what is wrong with one that can't be read."""

import json

import pytest

from interlock import Policy, permit

STRICT = """
from agent import find_booking, refund, send_email
from interlock import Policy, arg, fact, forbid, need, permit

policy = Policy(
    permit(find_booking),
    permit(refund, when=(arg.amount > 0) & (arg.amount <= fact.limit)),
    forbid(refund, when=arg.amount > 300, because="too much"),
    need.approval("boss", refund, when=arg.amount > 10),
)
same = Policy(
    permit([find_booking, send_email]),
    permit(refund, when=(arg.amount > 0) & (arg.amount <= fact.limit)),
    need.approval("finance", refund, when=arg.amount > 100),
)
text = "no policy"
"""


@pytest.fixture
def played(project):
    """Two runs, judged by the project's policy."""
    refunds = [("refund", {"ref": "AB12", "amount": amount}) for amount in ("40", "400", "4000")]
    project.propose(("find_booking", {"ref": "AB12"}), *refunds, ("refun", {}))
    project.propose(refunds[0], run="r2")
    (project.folder / "strict.py").write_text(STRICT)
    return project


def test_what_would_change(played, interlock):
    """By kind: the call, where it stands, what was decided, what would be."""
    result = interlock("replay", "--all", "--policy", "strict.py")
    assert result.exit_code == 1
    assert result.stdout.startswith("3 of 5 decisions in 2 runs would change under policy ")
    assert (
        "1 would be denied\n"
        '  refund(amount="400", ref="AB12")\n'
        "    run   r1 event 5\n"
        "    was   permitted, needing approval finance\n"
        "    now   denied (too much)\n"
    ) in result.stdout
    assert "2 would be permitted on other terms\n" in result.stdout
    assert "    now   permitted, needing approval boss\n" in result.stdout


def test_only_the_runs_that_are_named(played, interlock):
    """Runs by their ids; --all or ids, not both and not neither."""
    document = json.loads(interlock("replay", "r2", "--policy", "strict.py", "--json").stdout)
    assert (document["runs"], document["decisions"]) == (1, 1)
    (change,) = document["changes"]
    assert change["kind"] == "needs"
    assert (change["was"], change["added"]) == ({"permitted": True, "needs": [], "reasons": []}, ["approval boss"])
    for wrong in ([], ["r2", "--all"]):
        result = interlock("replay", *wrong, "--policy", "strict.py")
        assert (result.exit_code, result.stderr) == (2, "interlock: name the runs to replay, or give --all\n")


def test_nothing_would_change(played, interlock):
    """A policy that decides the same is exit code 0, by its name in the file or as stored JSON."""
    result = interlock("replay", "--all", "--policy", "strict.py:same")
    assert (result.exit_code, result.stdout.split(" under")[0]) == (0, "0 of 5 decisions in 2 runs would change")
    import strict

    (played.folder / "same.json").write_bytes(strict.same.to_json())
    assert interlock("replay", "--all", "--policy", "same.json").exit_code == 0


def test_what_can_not_be_told_is_not_well(played, interlock):
    """A fact that was not gathered then leaves the decision open, and the exit code says so."""
    (played.folder / "facts.py").write_text(
        "from interlock import *\n"
        "policy = Policy(permit(['find_booking', 'send_email', 'lose']), permit('refund', when=fact.limit > 5))\n"
    )
    played.edit("UPDATE events SET payload = CAST(replace(payload, '\"limit\"', '\"other\"') AS BLOB)")
    result = interlock("replay", "r2", "--policy", "facts.py")
    assert result.exit_code == 1
    assert "1 can't be told\n" in result.stdout
    assert "    why   the action 'refund' no longer has the fact 'other'\n" in result.stdout


def test_runs_of_agents_that_the_policy_is_not_for(played, interlock):
    """With several agents in a project, a policy judges the runs of those whose actions it names."""
    (played.folder / "other.py").write_text(
        "from interlock import Agent, Ctx, action\n"
        "@action.read\nasync def look(ctx: Ctx[None]) -> None: ...\n"
        "other = Agent('other', [look])\n"
    )

    async def other(rt):
        from other import other

        rt.agents["other"] = other
        await rt.start("other", run="o1")

    played.play(other)
    agents = ("--agent", "agent:desk", "--agent", "other:other")
    result = interlock("replay", "--all", "--policy", "strict.py:same", *agents)
    assert result.exit_code == 0
    assert "left out: 1 run of agents that this policy is not for" in result.stdout


@pytest.mark.parametrize(
    ("file", "content", "said"),
    [
        ("p.py", "from interlock import *\npolicy = Policy(\n", "/p.py:2: SyntaxError: '(' was never closed"),
        ("p.py", "\nimport nothing_like_it\n", "/p.py:2: ModuleNotFoundError: No module named 'nothing_like_it'"),
        (
            "p.py",
            "from interlock import *\n\npolicy = Policy(permit('refunt'))\n",
            "/p.py:3: rule r1 (permit refunt): there is no action refunt; did you mean refund? (agent desk)",
        ),
        (
            "p.py",
            "from interlock import *\n\n\npolicy = Policy(permit('refund', when=0 < arg.amount < 9))\n",
            "/p.py:4: a condition has no truth before it is judged",
        ),
        ("p.py", "rules = 1\n", "p.py: policy is not there; it has no policy"),
        ("strict.py:text", STRICT, "strict.py: text is no Policy; it has: policy, same"),
        ("none.py", None, "there is no file none.py; give FILE.py, FILE.py:NAME or FILE.json"),
        ("p.txt", "", "p.txt: a policy is in a .py or a .json file"),
        ("p.json", '{"rules":[\n{"kind":\n}]}', "p.json:3: this is not a stored policy: JSON is malformed"),
        ("p.json", '{"rules":[{"kind":"ask"}]}', "p.json:1: this is not a stored policy: "),
        (
            "p.json",
            Policy(permit("refund", when=lambda case: case.agent == "desk")).to_json().decode(),
            "p.json: rule r1 is Python code, which JSON does not hold; give the .py file",
        ),
    ],
)
def test_a_policy_that_can_not_be_read(played, interlock, file, content, said):
    """File and line, and what is wrong, in one line."""
    if content is not None:
        (played.folder / file.partition(":")[0]).write_text(content)
    result = interlock("replay", "--all", "--policy", file)
    assert result.exit_code == 2
    assert said in result.stderr
    assert result.stderr.count("\n") == 1
