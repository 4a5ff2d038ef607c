"""`explain`: every rule that concerns an action, whether it applies, and the part of its condition that decided."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from interlock import Policy, arg, count, fact, forbid, must, need, now, permit, shadow, state, user
from interlock.guardian import ANY, Case, Failed
from interlock.lab.explain import explain


def why(when, **case):
    """Return how a rule with this condition stands, and why."""
    (ruled,) = explain(Policy(permit("pay", when=when)), Case("pay", **{"args": {}, **case})).rules
    return ruled.standing, ruled.why


OVER = "not over 1"
YES, NO, BROKEN = "applies", "does not apply", "can't be judged"


@pytest.mark.parametrize(
    ("when", "case", "said"),
    [
        (arg.n <= 100, {"args": {"n": 120}}, (NO, "the n is 120, not at most 100")),
        (arg.n <= 100, {"args": {"n": 100}}, (YES, "the n is 100, at most 100")),
        (arg.n < 100, {"args": {"n": 7}}, (YES, "the n is 7, under 100")),
        (arg.n > 10**30, {"args": {"n": 10**29}}, (NO, f"the n is {10**29}, not over {10**30}")),
        (arg.n == "a", {"args": {"n": "b"}}, (NO, 'the n is "b", not "a"')),
        (arg.n == "a", {"args": {"n": "a"}}, (YES, 'the n is "a"')),
        (arg.n != "a", {"args": {"n": "b"}}, (YES, 'the n is "b", not "a"')),
        (arg.n != "a", {"args": {"n": "a"}}, (NO, 'the n is "a"')),
        (fact.o == user.id, {"facts": {"o": 1}, "user": {"id": 2}}, (NO, "the o is 1, not the user's id (2)")),
        (fact.o == user.id, {"facts": {"o": 1}, "user": {"id": 1}}, (YES, "the o is 1, as is the user's id")),
        (fact.o == user.id, {"facts": {"o": 1}}, (NO, "the o is 1, not the user's id (nothing)")),
        (arg.n + 1 < fact.m, {"args": {"n": 5}, "facts": {"m": 3}}, (NO, "the n plus 1 is 6, not under the m (3)")),
        (arg.n.in_(["EUR", "CHF"]), {"args": {"n": "USD"}}, (NO, 'the n is "USD", not "CHF" or "EUR"')),
        (arg.n.in_(["EUR", "CHF"]), {"args": {"n": "EUR"}}, (YES, 'the n is "EUR", "CHF" or "EUR"')),
        (arg.n.in_(fact.l), {"args": {"n": 1}, "facts": {"l": [2]}}, (NO, "the n is 1, not in the l")),
        (arg.n.matches("[A-Z]+"), {"args": {"n": "a1"}}, (NO, 'the n is "a1", which does not match "[A-Z]+"')),
        (arg.n.is_absent(), {"args": {"n": None}}, (NO, "the n is None")),
        (arg.n.is_present(), {}, (NO, "the n is not given")),
        (arg.n == 1, {}, (NO, "the n is not there, not 1")),
        (~(arg.n > 1), {"args": {"n": 2}}, (NO, "the n is 2, over 1")),
        ((arg.n > 1) & (arg.m > 1), {"args": {"n": 2, "m": 1}}, (NO, "the m is 1, not over 1")),
        ((arg.n > 1) & (arg.m > 1), {"args": {"n": 2, "m": 3}}, (YES, "the n is 2, over 1 and the m is 3, over 1")),
        ((arg.n > 1) | (arg.m > 1), {"args": {"n": 0, "m": 3}}, (YES, "the m is 3, over 1")),
        ((arg.n > 1) | (arg.m > 1), {"args": {"n": 0, "m": 1}}, (NO, f"the n is 0, {OVER} and the m is 1, {OVER}")),
        (fact.vip, {"facts": {"vip": False}}, (NO, "the vip is False")),
        (arg.l.all(lambda it: it > 1), {"args": {"l": [1, 2, 3]}}, (NO, "it is over 1: true for 2 of 3 in the l")),
        (arg.l.length() > 2, {"args": {"l": [1]}}, (NO, "the length of the l is 1, not over 2")),
        (state == "paid", {"state": "cart"}, (NO, 'the state is "cart", not "paid"')),
        (arg.n > 1, {"args": {"n": "x"}}, (BROKEN, "the n is over 1: a text and a number have no common order")),
        (arg.n > 1, {"args": {"n": float("nan")}}, (BROKEN, "arg.n: nan is not a number that can be compared")),
        (fact.m > 1, {}, (BROKEN, "the fact m could not be gathered: nobody looked it up")),
        (fact.m > 1, {"facts": {"m": Failed("timed out")}}, (BROKEN, "the fact m could not be gathered: timed out")),
        (lambda case: case.agent == "", {}, (YES, "its Python code says yes")),
        (lambda case: case.args["n"], {}, None),
    ],
)
def test_why_a_rule_stands_as_it_does(when, case, said):
    """The first part that decided, with the values found; what can't be judged says so."""
    standing, words = why(when, **case)
    if said is None:
        assert standing == BROKEN
        assert "KeyError" in words
    else:
        assert (standing, words) == said


def test_a_long_or_hostile_value_is_cut():
    """A value is shown in part; a printer that raises is told by its type."""

    class Hostile(Decimal):
        def __str__(self):
            raise RuntimeError("no")

    assert "(5,002 characters)" in why(arg.n == "a", args={"n": "x" * 5000})[1]
    assert why(arg.n == 1, args={"n": Hostile(2)})[1] == "the n is a value of type Hostile, not 1"


def test_many_parts_are_not_all_told():
    """Of a long list of alternatives that all failed, the first four and how many more."""
    when = arg.a == 0
    for n in range(1, 10):
        when |= arg.a == n
    assert why(when, args={"a": 99})[1].endswith("and 6 more")


def test_all_rules_that_concern_the_action():
    """Also those for every action and those without effect; with their place, and no others."""
    policy = Policy(
        permit(["pay", "look"]),
        permit("other"),
        forbid(ANY, when=state == "frozen", because="frozen", instead="thaw"),
        shadow(forbid("pay", when=arg.n > 1)),
        must("pay", when=arg.n == 2),
        need.confirmation("pay"),
    )
    found = explain(policy, Case("pay", {"n": 2}))
    assert [one.id for one in found.rules] == ["r1", "r3", "r4", "r5", "r6"]
    assert [one.standing for one in found.rules] == [YES, NO, YES, YES, YES]
    assert [one.shadow for one in found.rules] == [False, False, True, False, False]
    assert found.rules[1].because, found.rules[1].instead == ("frozen", "thaw")
    assert all(f"{__file__}:" in one.place for one in found.rules)
    assert found.verdict == policy.judge(Case("pay", {"n": 2}))


def test_the_policies_around_one():
    """Rules of an outer policy come after, under the ids that the verdict uses."""
    policy = Policy(permit("pay")).within(Policy(forbid("pay", when=arg.n > 1), permit("pay")))
    found = explain(policy, Case("pay", {"n": 2}))
    assert [one.id for one in found.rules] == ["r1", "outer r1", "outer r2"]
    assert found.verdict.rules == ("r1", "outer r1")


def test_what_is_missing():
    """Facts, windows and the time that rules need and nobody has told."""
    policy = Policy(
        permit("pay", when=(fact.booking.owner == user.id) & (count("pay") < 3) & (now.hour() < 18)),
        need.confirmation("pay", when=fact.limit < arg.n),
    )
    case = Case("pay", {"n": 2}, {"limit": 1})
    assert explain(policy, case).missing == (
        "the fact booking.owner",
        "the count count(pay, per=conversation)",
        "the time",
    )
    case.facts, case.at = {"booking": {"owner": "u1"}, "limit": 1}, int(datetime(2026, 1, 1, tzinfo=UTC).timestamp())
    case.windows = {"count(pay, per=conversation)": 2}
    assert explain(policy, case).missing == ()


def test_an_action_that_no_rule_concerns():
    """It is denied, and there is nothing to list."""
    found = explain(Policy(permit("look")), Case("pay", {}))
    assert (found.verdict.permitted, found.rules, found.missing) == (False, (), ())


_values = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-2, 2),
    st.sampled_from(["x", "", "А", "\u200b", float("nan"), Decimal("0.5"), [1], [{"n": 1}], {"n": 2}, [], object()]),
)
_places = st.sampled_from([arg.a, arg.b, arg.a.n, fact.f, fact.g.n, user.id, arg.b[0]])
_comparable = st.one_of(_places, st.sampled_from([arg.a + 1, arg.a.length(), arg.b.count(lambda it: it == 1)]))
_leaves = st.one_of(
    st.builds(lambda one, other: one < other, _comparable, st.integers(-2, 2) | _comparable),
    st.builds(lambda one, other: one == other, _comparable, st.sampled_from([1, "x", None, True]) | _comparable),
    st.builds(lambda one: one.is_absent(), _places),
    st.builds(lambda one: one.in_([1, "x"]), _places),
    st.builds(lambda one: one.in_(arg.b), _places),
    st.builds(lambda one: one.matches("x|y"), _places),
    st.builds(lambda one: one.any(lambda it: it.n > 0), _places),
    _places,
)
_conditions = st.recursive(
    _leaves,
    lambda inner: st.one_of(
        st.tuples(inner, inner).map(lambda two: two[0] & two[1]),
        st.tuples(inner, inner).map(lambda two: two[0] | two[1]),
        inner.map(lambda one: ~one),
    ),
    max_leaves=5,
)


@given(_conditions, st.dictionaries(st.sampled_from("ab"), _values), st.dictionaries(st.sampled_from("fg"), _values))
def test_it_says_what_the_guardian_does(when, args, facts):
    """Whatever the values are: a rule stands as the judgement takes it, and there are words for it."""
    policy = Policy(permit("pay", when=when))
    found = explain(policy, Case("pay", args, facts, {"id": "x"}))
    (ruled,) = found.rules
    expected = YES if found.verdict.permitted else BROKEN if found.verdict.rules else NO
    assert ruled.standing == expected
    assert ruled.why
