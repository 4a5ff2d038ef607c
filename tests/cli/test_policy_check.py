"""`interlock policy check`: findings with rules, lines and a call; the exit code says whether there are any."""

import pytest

pytest.importorskip("z3")

POLICY = """
from interlock import Policy, arg, fact, forbid, permit

policy = Policy(
    permit("refund", when=arg.amount <= 100),
    forbid("refund", when=(arg.amount < 5) & (arg.amount > 10)),
    permit("refund", when=arg.amount == 7, because="seven"),
)
"""


def test_a_sound_policy_of_an_agent(project, interlock):
    """The project's agents are checked, and nothing is wrong."""
    result = interlock("policy", "check")
    assert result.exit_code == 0, result.output
    assert "desk: 4 rules, 4 actions" in result.output
    assert "nothing is wrong" in result.output


def test_faults_with_rules_lines_and_a_call(project, interlock):
    """Each finding names its rules with file and line; a finding is exit code 1."""
    (project.folder / "rules.py").write_text(POLICY)
    result = interlock("policy", "check", "rules.py")
    assert result.exit_code == 1
    assert "dead" in result.output
    assert "redundant" in result.output
    joined = "".join(line.strip() for line in result.output.splitlines())
    assert "rules.py:6" in joined
    assert '"amount":7' in joined
    assert result.output.count("no rule ever permits it") == 3, (
        "of the actions of the project that the file does not mention"
    )
    assert "5 findings" in result.output
    assert max(map(len, result.output.splitlines())) <= 80


def test_what_is_not_analysed_is_said(project, interlock):
    """Python code is no finding, and never reported as fine."""
    text = "from interlock import Policy, forbid, permit\n"
    text += "policy = Policy(permit('a'), forbid('a', when=lambda case: False))\n"
    (project.folder / "rules.py").write_text(text)
    result = interlock("policy", "check", "rules.py")
    assert result.exit_code == 0
    assert "1 not analysed" in result.output


def test_an_unknown_agent(project, interlock):
    """It is a wrong call, with what there is."""
    result = interlock("policy", "check", "--agent", "nobody")
    assert result.exit_code == 2


def test_without_z3_the_error_says_what_to_install(project, command):
    """One line, and exit code 2."""
    (project.folder / "z3.py").write_text("raise ImportError('no z3')\n")
    result = command("policy", "check", cwd=project.folder, env={"PYTHONPATH": str(project.folder)})
    assert result.returncode == 2
    assert "pip install 'interlock[prove]'" in result.stderr + result.stdout
