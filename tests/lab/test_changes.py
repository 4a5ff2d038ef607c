"""`changes`: the smallest changes that lead to another verdict, each of them judged."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from interlock import Policy, arg, count, fact, forbid, need, now, permit, state, user
from interlock.guardian import ABSENT, Case, agent, tenant
from interlock.guardian.english import label
from interlock.lab.candidates import OTHER
from interlock.lab.changes import LARGEST, MOST_SHOWN, changes, outcome


def found(policy, case):
    """Return the changes as (places and values, permitted, needs)."""
    return [
        (
            {label(place): value for place, value in one.changed},
            one.verdict.permitted,
            [str(one_need) for one_need in one.verdict.needs],
        )
        for one in changes(policy, case, lambda same: same).found
    ]


def permits(when, case):
    """Return the changes under which a rule with this condition permits."""
    return [changed for changed, permitted, _ in found(Policy(permit("pay", when=when)), case) if permitted]


COUNT = "count(pay, per=conversation)"
AT_NOON = int(datetime(2026, 11, 23, 12, tzinfo=UTC).timestamp()) * 1_000_000  # a Monday


@dataclass
class Booking:
    """A fact with a type."""

    owner: str
    paid: Decimal


@pytest.mark.parametrize(
    ("when", "case", "first"),
    [
        (arg.n <= 100, Case("pay", {"n": 120}), {"arg.n": 100}),
        (arg.n < 100, Case("pay", {"n": 120}), {"arg.n": 99}),
        (arg.n < Decimal("0.50"), Case("pay", {"n": 120}), {"arg.n": Decimal("0.4")}),
        (arg.n > 10**30, Case("pay", {"n": 1}), {"arg.n": 10**30 + 1}),
        (arg.n + 10 <= 100, Case("pay", {"n": 120}), {"arg.n": 90}),
        (100 - arg.n >= 10, Case("pay", {"n": 120}), {"arg.n": 90}),
        (arg.n <= fact.left, Case("pay", {"n": 120}, {"left": 50}), {"arg.n": 50}),
        (arg.n.in_(["EUR", "CHF"]), Case("pay", {"n": "USD"}), {"arg.n": "CHF"}),
        (~arg.n.in_(["EUR", "CHF"]), Case("pay", {"n": "EUR"}), {"arg.n": OTHER}),
        (arg.n.in_(fact.l), Case("pay", {"n": 1}, {"l": [2, 3]}), {"arg.n": 2}),
        (arg.n != "x", Case("pay", {"n": "x"}), {"arg.n": OTHER}),
        (arg.n.is_absent(), Case("pay", {"n": "x"}), {"arg.n": ABSENT}),
        (arg.a.b == 1, Case("pay", {"a": {"b": 2, "c": 3}}), {"arg.a.b": 1}),
        (arg.l.all(lambda it: it.n < 5), Case("pay", {"l": [{"n": 9}, {"n": 1}]}), {"arg.l[0].n": 4}),
        (arg.l.length() <= 1, Case("pay", {"l": [1, 2]}), {"arg.l": [1]}),
        (arg.t.length() <= 3, Case("pay", {"t": "abcdef"}), {"arg.t": "abc"}),
        (fact.vip, Case("pay", {}, {"vip": False}), {"fact.vip": True}),
        (fact.vip, Case("pay", {}), {"fact.vip": True}),
        (fact.b.owner == "u1", Case("pay", {}, {"b": Booking("u2", Decimal(1))}), {"fact.b.owner": "u1"}),
        (fact.day > date(2026, 1, 1), Case("pay", {}, {"day": date(2025, 1, 1)}), {"fact.day": date(2026, 1, 2)}),
        (fact.age < timedelta(minutes=1), Case("pay", {}, {"age": timedelta(1)}), {"fact.age": timedelta(seconds=59)}),
        (user.role == "boss", Case("pay", {}), {"user.role": "boss"}),
        (user.role == "boss", Case("pay", {}, user={"role": "x", "id": "u"}), {"user.role": "boss"}),
        (state == "paid", Case("pay", {}), {"state": "paid"}),
        (tenant == "acme", Case("pay", {}), {"tenant": "acme"}),
        (agent == "desk", Case("pay", {}, agent="other"), {"agent": "desk"}),
        (count("pay") < 3, Case("pay", {}, windows={COUNT: 5}), {COUNT: 2}),
        (fact.a == user.id, Case("pay", {}), {"fact.a": "x", "user.id": "x"}),
    ],
)
def test_single_changes_that_permit(when, case, first):
    """The value at the border that the rule draws, the nearest first."""
    assert permits(when, case)[0] == first


@pytest.mark.parametrize(
    ("when", "holds"),
    [
        (now.hour() == 9, lambda at: at.hour == 9),
        (now.hour("Asia/Tokyo") == 9, lambda at: at.hour == 0),
        (now.weekday() > 5, lambda at: at.isoweekday() > 5),
        (now.date() == date(2027, 2, 3), lambda at: at.date() == date(2027, 2, 3)),
        (now.time() < time(8, 0), lambda at: at.hour < 8),
        (now > datetime(2028, 1, 1, tzinfo=UTC), lambda at: at.year >= 2028),
    ],
)
def test_another_time(when, holds):
    """The moment is moved until the clock shows what is asked for, also where nobody told the time."""
    for at in (AT_NOON, None):
        policy = Policy(permit("pay", when=when))
        one = next(
            one for one in changes(policy, Case("pay", {}, at=at), lambda same: same).found if one.verdict.permitted
        )
        assert holds(datetime.fromtimestamp(one.case.at / 1_000_000, UTC))


def test_what_a_need_hangs_on():
    """Where a call is permitted with a need, what drops it comes first, and what denies it last."""
    policy = Policy(
        permit("pay", when=arg.n > 0), need.approval("boss", "pay", when=arg.n > 100), forbid("pay", when=arg.n > 900)
    )
    assert found(policy, Case("pay", {"n": 120})) == [({"arg.n": 100}, True, []), ({"arg.n": 0}, False, [])]


def test_two_changes_where_one_does_not_do():
    """Singles first; pairs only for what is better, and none that holds a smaller change."""
    policy = Policy(
        permit("pay"),
        forbid("pay", when=fact.owner != user.id),
        forbid("pay", when=arg.n > 100),
        forbid("pay", when=state == "frozen"),
    )
    case = Case("pay", {"n": 120}, {"owner": "u1"}, {"id": "u2"}, state="open")
    assert found(policy, case) == [
        ({"arg.n": 100, "fact.owner": "u2"}, True, []),
        ({"arg.n": 100, "user.id": "u1"}, True, []),
    ]


def test_nothing_helps_where_no_rule_permits():
    """Then there is no change, and it does not take long."""
    result = changes(Policy(forbid("pay", when=arg.n > 1)), Case("pay", {"n": 1}), lambda same: same)
    assert result.found == ()


def test_a_change_fits_the_action():
    """What the action does not take is not proposed."""

    def fits(case):
        if case.args["n"] > 50:
            raise ValueError("too large for the type")
        return case

    policy = Policy(permit("pay", when=(arg.n == 7) | (arg.n == 700)))
    shown = [dict(one.changed) for one in changes(policy, Case("pay", {"n": 1}), fits).found]
    assert [list(one.values()) for one in shown] == [[7]]


def test_it_is_the_same_every_time():
    """Two searches find the same in the same order."""
    policy = Policy(
        permit("pay", when=arg.a.in_(["x", "y"]) & (arg.b < 3)), need.confirmation("pay", when=fact.c.in_([1, 2]))
    )
    case = Case("pay", {"a": "z", "b": 5}, {"c": 1})
    assert found(policy, case) == found(policy, case)


def test_a_large_policy_is_bounded():
    """5,000 rules on one action: the search ends, and says how much it tried."""
    policy = Policy(*(permit("pay", when=(arg.n == n) & (fact[f"f{n}"] == 1)) for n in range(5000)))
    assert changes(policy, Case("pay", {"n": -1}), lambda same: same).tried <= 10_000


_numbers = st.integers(-3, 3)
_leaves = st.one_of(
    st.builds(lambda n: arg.a < n, _numbers),
    st.builds(lambda n: arg.a == n, _numbers),
    st.builds(lambda n: fact.b >= n, _numbers),
    st.just(arg.a + fact.b > 1),
    st.builds(lambda s: state == s, st.sampled_from(["x", "y"])),
    st.just(arg.c.is_absent()),
)
_conditions = st.recursive(
    _leaves,
    lambda inner: st.one_of(
        st.builds(lambda a, b: a & b, inner, inner),
        st.builds(lambda a, b: a | b, inner, inner),
        inner.map(lambda a: ~a),
    ),
    max_leaves=5,
)
_rules = st.one_of(
    st.builds(lambda when: permit("pay", when=when), _conditions),
    st.builds(lambda when: forbid("pay", when=when), _conditions),
    st.builds(lambda when: need.confirmation("pay", when=when), _conditions),
)


@given(st.lists(_rules, min_size=1, max_size=5), _numbers, st.sampled_from(["", "x"]))
def test_every_change_shown_is_true(rules, number, where):
    """Each was replayed: it gives the verdict that is shown, which is another one, and is no larger than allowed."""
    policy = Policy(*rules)
    case = Case("pay", {"a": number}, {"b": number}, state=where)
    shown = changes(policy, case, lambda same: same)
    kinds = [outcome(one.verdict) for one in shown.found]
    for one in shown.found:
        assert policy.judge(one.case) == one.verdict
        assert outcome(one.verdict) != outcome(policy.judge(case))
        assert len(one.changed) <= LARGEST
    assert all(kinds.count(kind) <= MOST_SHOWN for kind in kinds)
