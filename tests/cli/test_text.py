"""What a run holds is printed so that no terminal obeys it; times and money read as people write them."""

import json
import re

import msgspec
import pytest

from interlock.cli import text

HOSTILE = "\x1b[2J\x9b31m\x07\r\x7f\u202e\u2066\u200b\ufeff\U000e0041\x00"


@pytest.mark.parametrize("lines", [True, False])
def test_nothing_that_a_terminal_obeys_is_left(lines):
    """Controls, bidirectional overrides, invisible letters: all written out, whatever they stood between."""
    shown = text.visible(f"a{HOSTILE}b\nc", lines=lines)
    assert re.fullmatch(r"[ -~\n]*", shown)
    assert shown.startswith("a\\x1b[2J\\x9b31m\\x07\\r\\x7f\\u202e")
    assert ("\n" in shown) is lines


def test_scripts_and_emoji_stay_as_they_are():
    """Joiners belong to the writing of half the world, and to emoji."""
    assert text.visible("José 😀 👩‍💻 می‌خواهم 中文") == "José 😀 👩‍💻 می‌خواهم 中文"


def test_json_means_the_same_and_is_safe():
    """Escaping within JSON's strings changes no value; half of a pair is no problem either."""
    document = msgspec.json.encode({"text": HOSTILE, "name": "José"})
    shown = text.safe_json(document)
    assert json.loads(shown) == {"text": HOSTILE, "name": "José"}
    assert not re.search("[\x00-\x1f\x7f-\x9f\u200b\u202e]", shown)
    assert "José" in shown


def test_a_call_reads_as_code():
    """Arguments as JSON, long ones cut, and what is no mapping as it is."""
    assert text.call("pay", msgspec.Raw(b'{"ref":"A\\n","n":4}')) == 'pay(ref="A\\n", n=4)'
    assert text.call("pay", msgspec.Raw(b"null")) == "pay"
    assert text.call("pay", msgspec.Raw(b"[1]")) == "pay([1])"
    long = text.call("pay", msgspec.Raw(msgspec.json.encode({"note": "x" * 1201})))
    assert long == f'pay(note="{"x" * 199}… (+1,003 characters))'


@pytest.mark.parametrize(
    ("microseconds", "said"),
    [
        (-5, "0 s"),
        (59_400_000, "59 s"),
        (61_000_000, "1 min 1 s"),
        (3_599_700_000, "1 h"),
        (86_399_990_000, "24 h"),
        (100 * 3_600_000_000, "4 d 4 h"),
    ],
)
def test_spans(microseconds, said):
    """A length of time in its one or two largest units, rounded as one would say it."""
    assert text.span(microseconds) == said


def test_times_since_the_start():
    """To the millisecond, with hours only where there are any."""
    assert [text.since(one) for one in (0, 4_120_900, 62_003_000, 3_723_004_000)] == [
        "0.000",
        "4.120",
        "1:02.003",
        "1:02:03.004",
    ]


def test_money_is_exact_and_unknown_where_it_is():
    """Costs add up as decimals; without any there is no sum."""
    assert text.money(["0.0012", "", "0.1"]) == "$0.1012"
    assert text.money(["1", "2.5"]) == "$3.50"
    assert text.money(["0.00000012"]) == "$0.00000012"
    assert text.money(["", ""]) == ""
