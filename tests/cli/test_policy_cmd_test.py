"""`policy test`: what holds, what doesn't and why, what no example would notice, and the exit code."""

import json

import pytest

FEW = """
[given]
facts.limit = "1000.50"

[[case]]
name = "small"
action = "refund"
args = { ref = "A", amount = 40 }
expect = "permit"

[[case]]
name = "large"
action = "refund"
args = { ref = "A", amount = 400 }
expect = ["approval finance"]
because = "over 100 EUR"
"""

BORDERS = FEW + "".join(
    f'[[case]]\naction = "refund"\nargs = {{ ref = "A", amount = "{amount}" }}\nexpect = {expect}\n'
    for amount, expect in [
        ("-0.5", '"deny"'),
        ("0", '"deny"'),
        ("0.5", '"permit"'),
        ("1", '"permit"'),
        ("100", '"permit"'),
        ("101", '["approval finance"]'),
        ("1000.50", '["approval finance"]'),
        ("1000.51", '"deny"'),
    ]
)
OTHERS = """
[[case]]
action = "find_booking"
args = { ref = "A" }
expect = "permit"

[[case]]
action = "send_email"
args = { to = "a", body = "b" }
expect = ["confirmation"]

[[case]]
action = "lose"
expect = "permit"
"""


@pytest.fixture
def examples(project):
    """Write the project's examples."""

    def write(text, name="policy_examples.toml"):
        (project.folder / name).write_text(text)
        return project

    return write


def test_what_nothing_would_notice(examples, interlock):
    """With the rule, the change, and an example that would notice; without --min-score that is well."""
    examples(FEW)
    result = interlock("policy", "test")
    assert result.exit_code == 0
    shown = " ".join(result.stdout.split())
    assert shown.startswith("2 of 2 examples hold under policy ")
    assert "r3 nothing would notice if it said “the amount is at least 100” for “the amount is over 100”" in shown
    assert "would: small (line 5) with amount=100 → permitted" in shown
    assert 'would: find_booking(ref="x") → permitted' in shown


def test_examples_at_every_border_notice_everything(examples, interlock):
    """Then the score is 100 %."""
    examples(BORDERS + OTHERS)
    document = json.loads(interlock("policy", "test", "--json", "--min-score", "1").stdout)
    assert (document["failures"], document["unnoticed"], document["score"]) == ([], [], 1.0)
    assert document["examples"] == 13
    assert list(document) == [
        *("policy", "agent", "examples", "failures", "changes", "noticed", "score", "left_out", "unnoticed")
    ]


def test_a_score_that_is_asked_for(examples, interlock):
    """Below it the exit code is 1, and the line says so."""
    examples(FEW)
    result = interlock("policy", "test", "--min-score", "0.9")
    assert result.exit_code == 1
    assert "; at least 90 % are asked for" in result.stdout.replace("\n", " ")
    assert interlock("policy", "test", "--min-score", "0.1").exit_code == 0
    assert interlock("policy", "test", "--min-score", "7").exit_code == 2


def test_an_example_that_does_not_hold(examples, interlock):
    """Where, what was expected, what is said, and by which rule; exit code 1."""
    examples(FEW.replace('expect = "permit"', 'expect = "deny"').replace("over 100 EUR", "over 50 EUR"))
    result = interlock("policy", "test")
    assert result.exit_code == 1
    assert result.stdout.startswith("0 of 2 examples hold")
    assert (
        "  small  policy_examples.toml:5\n"
        "    expected deny\n"
        "    is       permitted\n"
        "    by       r2: permit refund when the amount is over 0 and the amount is at\n"
        "             most the limit\n"
    ) in result.stdout
    assert "    expected permit with approval finance because of 'over 50 EUR'\n" in result.stdout
    document = json.loads(interlock("policy", "test", "--json").stdout)
    assert [one["fault"] for one in document["failures"]] == ["verdict", "because"]


def test_files_that_are_named(examples, interlock):
    """One or several, under the agent's policy or another."""
    project = examples(FEW, "a.toml")
    examples(OTHERS, "b.toml")
    assert json.loads(interlock("policy", "test", "a.toml", "b.toml", "--json").stdout)["examples"] == 5
    (project.folder / "none.py").write_text("from interlock import *\npolicy = Policy()\n")
    document = json.loads(interlock("policy", "test", "a.toml", "--policy", "none.py", "--json").stdout)
    assert (len(document["failures"]), document["changes"], document["score"]) == (2, 0, 1.0)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[[case]\n", "policy_examples.toml: Expected ']]' at the end of an array declaration (at line 1, column 7)"),
        (
            '\n[[case]]\naction = "refnd"\nexpect = "deny"\n',
            ".toml:2: agent desk has no action refnd; did you mean refund?",
        ),
        ("", "holds no example; write [[case]] with action, args and expect"),
    ],
)
def test_a_file_that_can_not_be_read(examples, interlock, text, said):
    """File and line, what is wrong, in one line."""
    examples(text)
    result = interlock("policy", "test")
    assert (result.exit_code, result.stdout) == (2, "")
    assert said in result.stderr
    assert result.stderr.count("\n") == 1


def test_no_file(project, interlock):
    """The message says what to write."""
    result = interlock("policy", "test")
    assert result.exit_code == 2
    assert "policy_examples.toml; write one ([[case]] with action, args and expect), or name another" in result.stderr


def test_hostile_names_are_shown_safely(examples, interlock):
    """Nothing in a file is obeyed by a terminal."""
    hostile = 'name = "\\u001b[2J\\u202e"\nargs = { ref = "\\u001b", amount = 1 }\n'
    examples(f'[[case]]\n{hostile}action = "refund"\nexpect = "permit"\n')
    assert "\x1b" not in interlock("policy", "test").stdout
    assert "\u202e" not in interlock("policy", "test", "--json").stdout
