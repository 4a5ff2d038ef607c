"""Conditions over what was done before: how they are written, read and judged."""

from decimal import Decimal
from typing import Any

import pytest

from interlock.errors import PolicyError
from interlock.guardian import (
    ANY,
    Case,
    Expr,
    Failed,
    Known,
    Policy,
    Verdict,
    after,
    arg,
    before,
    count,
    forbid,
    permit,
    since,
    surge,
    total,
)
from interlock.guardian.english import label

KNOWN = {"pay": Known(arguments=frozenset({"to", "amount"})), "find": Known(arguments=frozenset({"ref"}))}


def judged(condition: Expr, windows: dict[str, Any], **args: Any) -> Verdict:
    """Return the verdict of a policy with the one condition."""
    return Policy(permit("pay", when=condition)).judge(Case("pay", args, windows=windows))


def windows_of(condition: Expr) -> list[str]:
    """Return how the windows of a condition are called."""
    return [label(window) for window in Policy(permit("pay", when=condition)).windows_needed("pay")]


@pytest.mark.parametrize(
    ("condition", "name"),
    [
        (count("pay") < 1, "count(pay, per=conversation)"),
        (count("pay", per="user", within="30d", same="to") < 1, "count(pay, per=user, within=30d, same=to)"),
        (count(["b", "a"], since="find") < 1, "count(a+b, per=conversation, since=find)"),
        (total("pay", "amount", per="tenant") < 1, "sum(pay, of=amount, per=tenant)"),
        (after("find", same={"ref": "to"}), "count(find, per=conversation, same=ref:to, settled)"),
        (before("find", per="run"), "count(find, per=run, settled)"),
        (since("find", "pay"), "count(find, per=conversation, since=pay, settled)"),
        (surge("pay", per="user", bucket="10s") > 4, "surge(pay, per=user, within=10s)"),
    ],
)
def test_each_window_has_a_name_of_its_own(condition: Expr, name: str) -> None:
    """The name says all of it, so that no two windows share one."""
    assert windows_of(condition) == [name]


def test_a_window_is_a_number_in_a_rule() -> None:
    """It compares and adds like any other, and is exact."""
    paid = "sum(pay, of=amount, per=user, within=1d)"
    condition = total("pay", "amount", per="user", within="1d") + arg.amount <= 100
    assert judged(condition, {paid: Decimal("99.90")}, amount=Decimal("0.10")).permitted
    assert not judged(condition, {paid: Decimal("99.91")}, amount=Decimal("0.10")).permitted


def test_after_and_before_are_each_others_opposite() -> None:
    """One holds exactly where the other does not."""
    name = "count(find, per=conversation, settled)"
    for done in (0, 1, 2):
        assert judged(after("find"), {name: done}).permitted is (done > 0)
        assert judged(before("find"), {name: done}).permitted is (done == 0)


def test_what_nobody_counted_denies() -> None:
    """A missing count, or one that failed, is a denial with its reason; so it is under `forbid`."""
    assert "nobody counted" in judged(count("pay") < 1, {}).reasons[0]
    failed = judged(count("pay") < 1, {"count(pay, per=conversation)": Failed("too many to count")})
    assert "too many to count" in failed.reasons[0]
    policy = Policy(permit("pay"), forbid("pay", when=count("pay") > 5))
    assert not policy.judge(Case("pay", {})).permitted


def test_what_was_counted_is_recorded() -> None:
    """The verdict names each window that a rule looked at, with its value."""
    verdict = judged((count("pay") < 3) & (count("find") < 1), {"count(pay, per=conversation)": 3})
    assert verdict.counted == {"count(pay, per=conversation)": 3}


def test_windows_are_checked_against_what_there_is() -> None:
    """An unknown action or argument in a window is refused with the nearest name."""
    wrong = Policy(
        permit("pay", when=count("pya") < 1),
        permit("pay", when=total("pay", "amont") < 1),
        permit("pay", when=after("find", same="ref")),
        forbid(ANY, when=count("pay", since="fnd") > 1),
    )
    with pytest.raises(PolicyError) as error:
        wrong.check(KNOWN)
    said = str(error.value)
    assert "no action pya; did you mean pay?" in said
    assert "pay has no argument amont; did you mean amount?" in said
    assert "pay has no argument ref" in said
    assert "no action fnd; did you mean find?" in said
    assert "test_windows.py:" in said


@pytest.mark.parametrize(
    ("write", "why"),
    [
        (lambda: count("pay", per="everybody"), "per='everybody' is nobody's"),
        (lambda: count("pay", within="0s"), "no time at all"),
        (lambda: count(7), "not 7"),
        (lambda: permit("pay", when=count([]) < 1), "names the actions"),
        (lambda: permit("pay", when=count("pay")), "must be true or false"),
        (lambda: permit("pay", when=total("pay", "") < 1), "adds up an argument"),
    ],
)
def test_what_can_not_be_counted_is_refused(write: Any, why: str) -> None:
    """A window that says nothing is an error of whoever writes it."""
    with pytest.raises(PolicyError, match=why):
        write()


def test_a_policy_with_windows_survives_json() -> None:
    """Stored and read again it says the same, in data and in English."""
    policy = Policy(
        permit("pay", when=(count("pay", per="user", within="30d", same="to") < 3) & after("find")),
        forbid("pay", when=total(["pay", "refund"], "amount", per="tenant", within="1d") > 5000),
    )
    again = Policy.from_json(policy.to_json())
    assert again == policy
    assert str(again).splitlines() == [
        (
            "r1: permit pay when the number of times that pay is done or under way for this user with the same to "
            "within 30d is under 3 and the number of times that find is done in this conversation is at least 1"
        ),
        (
            "r2: forbid pay when the sum of the amount of every pay or refund that is done or under way "
            "for this tenant within 1d is over 5000"
        ),
    ]


def test_lists_are_counted_and_added_up() -> None:
    """`count` and `sum` look at every element; a sum is exact."""
    condition = (arg.payments.count(lambda it: it.kind == "certificate") <= 1) & (
        arg.payments.sum(lambda it: it.amount) == arg.price
    )
    cash = {"kind": "card", "amount": Decimal("0.1")}
    voucher = {"kind": "certificate", "amount": Decimal("0.2")}
    assert judged(condition, {}, payments=[cash, voucher], price=Decimal("0.3")).permitted
    assert not judged(condition, {}, payments=[voucher, voucher], price=Decimal("0.4")).permitted
    assert judged(condition, {}, payments=[], price=0).permitted
    assert "not a number" in judged(condition, {}, payments=[{"kind": "x", "amount": "1"}], price=1).reasons[0]


def test_a_count_is_no_truth() -> None:
    """A number of elements is not a condition."""
    with pytest.raises(PolicyError, match="must be true or false"):
        permit("pay", when=arg.payments.count(lambda it: it.kind == "x"))
    nested = permit("pay", when=~arg.payments.count(lambda it: it.kind == "x"))
    verdict = Policy(nested).judge(Case("pay", {"payments": []}))
    assert not verdict.permitted
    assert "neither true nor false" in verdict.reasons[0]
