"""Writing conditions and rules: what is refused, where, and with which words."""

import datetime as dt
import re
from decimal import Decimal
from types import SimpleNamespace

import pytest

from interlock.errors import PolicyError
from interlock.guardian import ANY, Expr, Policy, agent, arg, fact, forbid, need, permit, user
from interlock.guardian.expr import tree_of


class TestTraps:
    """Python that looks like a condition and is none."""

    def test_chained_comparison(self):
        """`0 <= arg.x <= 9` would silently keep only its second half."""
        with pytest.raises(PolicyError, match="split 0 <= x <= 9"):
            permit("a", when=0 <= arg.x <= 9)

    @pytest.mark.parametrize(
        "mistake",
        [
            lambda: not arg.x,
            lambda: (arg.x > 1) and (arg.x < 5),
            lambda: (arg.x > 1) or (arg.x < 5),
            lambda: arg.x in ["a", "b"],
            lambda: "a" in arg.x,
            lambda: [it for it in arg.x],  # noqa: C416
            lambda: bool(arg),
            lambda: list(arg),
            lambda: arg == 5,
            lambda: arg.x == arg,
            lambda: (arg.x > 1) & True,
            lambda: True & (arg.x > 1),
            lambda: (arg.x > 1) | False,
            lambda: arg.x == arg.y.length,
            lambda: arg.x == object(),
            lambda: arg.x == [1, 2],
            lambda: arg.x == float("nan"),  # noqa: PLW0177
            lambda: arg.x == Decimal("Infinity"),
            lambda: arg.x > Decimal("1e5000"),
            lambda: arg.x.in_("abc"),
            lambda: arg.x.in_(5),
            lambda: arg.x.in_([[1]]),
            lambda: arg.x.startswith("a"),
            lambda: arg.x.any(bool),
            lambda: arg.x[-1],
            lambda: arg.x[1.5],
            lambda: arg[0],
            lambda: (arg.x > 1).y,
            lambda: permit("a", when=True),
            lambda: permit("a", when=arg.x.y.length == 5),
            lambda: permit("a", when=arg),
            lambda: permit("a", when="arg.x > 5"),
            lambda: permit("a", when=int),
            lambda: permit("a", when=arg.x + 1),
            lambda: permit("a", when=arg.x.length()),
            lambda: permit("a", when=agent.name == "x"),
            lambda: permit([]),
            lambda: permit(""),
            lambda: permit(ANY),
            lambda: permit("*"),
            lambda: permit(["a", ANY]),
            lambda: permit(5),
            lambda: permit(lambda: None),
            lambda: need.approval("", "a"),
            lambda: need.delay("10 minutes", "a"),
            lambda: Policy("permit refund"),
            lambda: Policy([permit("a")]),
        ],
    )
    def test_it_is_refused(self, mistake):
        """Each is refused when it is written."""
        with pytest.raises(PolicyError):
            mistake()

    def test_an_element_cannot_leave_its_quantifier(self):
        """The variable of a lambda means nothing outside of it."""
        kept = []
        arg.x.any(lambda it: kept.append(it) or it == 1)
        with pytest.raises(PolicyError, match="outside of it"):
            permit("a", when=kept[0] == 1)

    def test_a_condition_cannot_be_changed(self):
        """Conditions are shared freely."""
        condition = arg.x > 1
        with pytest.raises(AttributeError):
            condition.x = 1

    def test_too_deep(self):
        """A tree that could exhaust the stack is refused; a long chain of & is flat."""
        condition = arg.x
        for _ in range(200):
            condition = ~condition
        with pytest.raises(PolicyError, match="nested deeper"):
            permit("a", when=condition)
        chain = arg.x
        for _ in range(2000):
            chain = chain & arg.x
        permit("a", when=chain)

    def test_an_async_predicate(self):
        """What has to be awaited is a fact."""

        async def later(case):
            return True

        with pytest.raises(PolicyError, match="gather what it awaits as a fact"):
            permit("a", when=later)


class TestPatterns:
    @pytest.mark.parametrize(
        "pattern",
        [
            "(",
            "a{2,1}",
            "x" * 501,
            r"(a)\1",
            "(?P<n>a)(?P=n)",
            "(?=a)a",
            "(?!a)b",
            "(?<=a)b",
            "(?<!a)b",
            "(?u)a",
        ],
    )
    def test_what_is_wrong_or_not_regular_is_refused(self, pattern):
        """A pattern is refused when the rule is written."""
        with pytest.raises(PolicyError, match="pattern"):
            permit("a", when=arg.x.matches(pattern))

    @pytest.mark.parametrize("pattern", [r"\\1", r"[(?=]+", r"\(?=", r"[^\]](?:a)", r"[]1]\.", "(?P<n>a)", "(?i)a"])
    def test_what_only_looks_irregular_is_accepted(self, pattern):
        """Escapes and character classes are told apart from look-around."""
        permit("a", when=arg.x.matches(pattern))


class TestRules:
    def test_actions_are_objects_with_a_name_or_names(self):
        """A declared action, its name, or several of either."""
        refund = SimpleNamespace(name="refund")
        assert permit(refund) == permit("refund")
        assert permit([refund, "a"]) == permit({"a", "refund"})
        assert forbid(ANY).clause.everywhere

    def test_a_rule_knows_where_it_was_written(self):
        """The place is for errors, and not part of what the rule says."""
        one, other = permit("a"), permit("a")
        assert re.fullmatch(r".*test_authoring\.py:\d+", one.place)
        assert one == other
        assert hash(one) == hash(other)
        assert Policy(one).hash == Policy(other).hash

    def test_a_mistake_says_where(self):
        """File and line come first."""
        with pytest.raises(PolicyError, match=r"test_authoring\.py:\d+: permit takes actions"):
            permit(5)

    def test_equal_conditions_are_equal_trees(self):
        """However a condition was put together, and however a number was spelt."""
        assert permit("a", when=arg.x > 100) == permit("a", when=arg.x > Decimal("100.00"))
        assert permit("a", when=100 < arg.x) == permit("a", when=arg.x > 100)  # noqa: SIM300
        assert permit("a", when=arg.x.in_(["b", "a", "a"])) == permit("a", when=arg.x.in_(("a", "b")))
        one = arg.x.any(lambda it: arg.y.all(lambda other: it == other))
        two = arg.x.any(lambda this: arg.y.all(lambda that: this == that))
        assert tree_of(one) == tree_of(two)

    @pytest.mark.parametrize(
        ("rule", "english"),
        [
            (permit("find_booking"), "permit find_booking"),
            (
                need.approval("finance", "refund", when=arg.amount > 100, because="over 100 EUR"),
                "need approval by finance for refund when the amount is over 100, because over 100 EUR",
            ),
            (need.confirmation(["b", "a"]), "need confirmation by the user for a, b"),
            (need.delay("90m", ANY), "need a delay of 90m for every action"),
            (
                forbid("refund", when=fact.booking.owner != user.id),
                "forbid refund when the booking's owner is not the user's id",
            ),
            (
                forbid("pay", when=(arg.to_iban.is_present() & ~arg.to_iban.in_(["DE1", "DE2"])) | arg.urgent),
                'forbid pay when (the to iban is given and the to iban is not "DE1" or "DE2") or the urgent',
            ),
            (
                permit("mail", when=arg.to.all(lambda it: it.matches(r".*@corp\.com"))),
                'permit mail when for every it in the to, it matches ".*@corp\\.com"',
            ),
            (
                permit("mail", when=arg.a.any(lambda a: a.b.any(lambda b: b.c + 1 == a.d))),
                "permit mail when for some x in the a, for some it in x's b, (its c plus 1) is x's d",
            ),
            (
                permit("a", when=arg.x.length() <= arg.y[0]),
                "permit a when the length of the x is at most the y's item 1",
            ),
            (permit("a", when=~(arg.x == dt.date(2026, 1, 2))), "permit a when not (the x is 2026-01-02)"),
            (
                permit("a", when=(agent == "desk") & arg.x.is_none()),
                'permit a when the agent is "desk" and the x is None',
            ),
        ],
    )
    def test_english(self, rule, english):
        """A rule reads as a sentence."""
        assert str(rule) == english
        assert repr(rule) == f"<Rule: {english}>"

    def test_the_repr_of_a_condition_is_its_english(self):
        """Conditions are pleasant to meet in a debugger."""
        assert repr(arg.amount > 5) == "<Expr: the amount is over 5>"
        assert isinstance(arg.amount, Expr)
        assert not hasattr(arg.amount, "_private")


class TestDelay:
    def test_no_time_is_no_delay(self):
        """A delay of nothing is a mistake, not a rule."""
        with pytest.raises(PolicyError, match="no time"):
            need.delay("0s", "refund")
