"""`proofs.check`: what is wrong with a policy is found, what is right is not claimed to be wrong."""

import pytest

from interlock.guardian import (
    ANY,
    Policy,
    after,
    arg,
    count,
    fact,
    forbid,
    must,
    need,
    now,
    permit,
    shadow,
    state,
    user,
)

pytest.importorskip("z3")

from interlock.guardian.proofs import Shape, Shapes, check

NUMBER = Shapes({"amount": Shape(frozenset({"number"}))})


def kinds(policy, known=None):
    report = check(policy, known)
    assert report.undecided == ()
    return [(finding.kind, finding.rules[0].rule) for finding in report.findings]


class TestSoundRules:
    """Rules of which each changes a verdict."""

    def test_nothing_is_claimed(self):
        """Bands, prohibitions and needs that all matter give no finding, and nothing undecided."""
        policy = Policy(
            permit("refund", when=(arg.amount > 0) & (arg.amount <= fact.limit)),
            permit("refund", when=(arg.amount > 0) & (user.role == "boss")),
            forbid(ANY, when=count("refund", within="1d") > 3),
            need.confirmation("refund", when=arg.amount > 50),
            need.approval("finance", "refund", when=now.hour() < 8),
            forbid("refund", when=arg.to.matches(r".*@evil\.com")),
        )
        assert kinds(policy) == []

    def test_a_rule_for_every_action_matters_if_it_does_for_one(self):
        """That a prohibition never applies to most actions is no fault."""
        policy = Policy(permit(["a", "b"]), forbid(ANY, when=arg.x == 1))
        assert kinds(policy, {"a": Shapes({"x": Shape()}), "b": Shapes({})}) == []


class TestFaults:
    """Each kind of fault, in the smallest policy that has it."""

    @pytest.mark.parametrize(
        "never",
        [
            (arg.amount < 5) & (arg.amount > 10),
            (arg.to == "a") & (arg.to == "b"),
            arg.to.matches("[a-c]+") & arg.to.matches("[d-f]+"),
            (arg.to < "b") & (arg.to > "c"),
            arg.to.matches("[A-Z]{6}") & (arg.to.length() > 6),
            arg.l.all(lambda it: it > 1) & arg.l.any(lambda it: it < 1),
            (arg.l.count(lambda it: it == 1) > 2) & (arg.l.length() < 2),
            now.hour("Europe/Berlin") > 23,
            after("a") & (count("a") < 0),
            (arg.amount == 10**30) & (arg.amount < 10**29),
            arg.to.is_absent() & (arg.to == "a"),
            (state == "x") & state.in_(["y", "z"]),
            (arg.x == arg.y) & (arg.x == "a") & (arg.y != "a"),
        ],
    )
    def test_a_rule_that_can_never_apply_is_dead(self, never):
        """Whatever the contradiction is made of: numbers, texts, patterns, lists, the time, absence."""
        assert ("dead", "r2") in kinds(Policy(permit("a"), forbid("a", when=never)))

    def test_a_permit_that_a_prohibition_swallows_is_unreachable(self):
        """The finding names the prohibition and shows a call that the permit meant."""
        policy = Policy(permit("a", when=arg.x == 1), permit("a", when=arg.x == 9), forbid("a", when=arg.x < 5))
        (finding,) = check(policy).findings
        assert (finding.kind, [place.rule for place in finding.rules]) == ("unreachable", ["r1", "r3"])
        assert finding.rules[0].where.rpartition(":")[0] == __file__
        assert finding.example is not None
        assert finding.example.args["x"] == 1
        assert not policy.judge(finding.example).permitted

    def test_what_others_cover_is_redundant(self):
        """A narrower permit, and a need that is there already; of two equal rules one is reported."""
        wide = permit("a", when=(arg.x > 0) & (arg.x < 9))
        assert kinds(Policy(wide, permit("a", when=(arg.x > 0) & (arg.x < 5)))) == [("redundant", "r2")]
        assert kinds(Policy(wide, wide)) in ([("redundant", "r1")], [("redundant", "r2")])
        needs = (need.confirmation("a", when=arg.x > 1), need.confirmation("a", when=arg.x > 3))
        assert kinds(Policy(wide, *needs)) == [("redundant", "r3")]

    def test_a_prohibition_where_nothing_is_permitted_is_vacuous(self):
        """It never changes a verdict; that it may deny by what it can't judge is said."""
        policy = Policy(permit("a", when=(arg.x > 0) & (arg.x < 9)), forbid("a", when=arg.x > 20))
        assert kinds(policy) == [("vacuous", "r2")]

    def test_a_rule_that_is_always_an_error_is_broken(self):
        """A text compared with a number can't be judged, so the action is never allowed either."""
        known = {"a": Shapes({"x": Shape(frozenset({"text"}))})}
        found = kinds(Policy(permit("a"), forbid("a", when=arg.x > 1)), known)
        assert ("broken", "r2") in found
        assert "never allowed" in [kind for kind, _ in found]

    def test_an_action_that_no_rule_permits_is_told(self):
        """Also one that no rule names at all."""
        report = check(Policy(permit("a")), {"a": Shapes({}), "b": Shapes({})})
        assert [(one.kind, one.actions) for one in report.findings] == [("never allowed", ("b",))]

    def test_an_obligation_that_no_call_meets_is_a_paradox(self):
        """The witness is a call that is denied though the obligation asks for it."""
        policy = Policy(
            permit("refund", when=(arg.amount > 0) & (arg.amount <= 50)),
            permit("other"),
            must("refund", when=(fact.days > 30) & (arg.amount == fact.price)),
        )
        (finding,) = check(policy).findings
        assert (finding.kind, finding.rules[0].rule) == ("paradox", "r3")
        assert finding.example is not None
        assert policy.judge(finding.example).paradox == ("r3",)

    def test_an_obligation_that_can_always_be_met_is_fine(self):
        """One amount within the band is enough, whatever the facts are."""
        policy = Policy(permit("a", when=(arg.x > 0) & (arg.x <= 50)), must("a", when=(fact.days > 30) & (arg.x >= 10)))
        assert kinds(policy) == []

    def test_obligations_that_ask_for_different_calls_contradict_each_other(self):
        """Both hold in one situation, and no call is what both ask for."""
        policy = Policy(
            permit("a", when=(arg.x > 0) & (arg.x < 100)),
            must("a", when=(fact.late > 1) & (arg.x == 5)),
            must("a", when=(state == "open") & (arg.x == 6)),
        )
        assert kinds(policy) == [("contradiction", "r2")]

    def test_a_policy_within_another_is_judged_with_it(self):
        """What the outer one never permits is unreachable in the inner one."""
        inner = Policy(permit("a", when=state == "x"), permit("a", when=state == "y"))
        found = kinds(inner.within(Policy(permit("a", when=state == "y"))))
        assert found == [("unreachable", "r1")]


class TestHonesty:
    """What can't be decided is said."""

    def test_python_code_is_not_analysed(self):
        """No claim is made about it, nor one that it could refute."""
        policy = Policy(permit("a"), forbid("a", when=lambda _: False))
        report = check(policy)
        assert report.findings == ()
        assert [one.rules[0].rule for one in report.unanalysed] == ["r2"]

    def test_a_pattern_that_no_automaton_can_read_is_undecided(self):
        """A word boundary; the rule is neither called dead nor fine."""
        policy = Policy(permit("a"), forbid("a", when=arg.x.matches(r"a\bb")))
        report = check(policy)
        assert report.findings == ()
        assert [one.rules[0].rule for one in report.undecided] == ["r2"]

    def test_without_time_nothing_is_claimed(self):
        """Everything is undecided, loudly."""
        report = check(Policy(permit("a"), forbid("a", when=(arg.x < 1) & (arg.x > 2))), seconds=0)
        assert report.findings == ()
        assert report.undecided

    def test_a_rule_in_shadow_is_no_effect(self):
        """It takes nothing away from others, but a dead one is told."""
        never = (arg.x < 1) & (arg.x > 2)
        policy = Policy(permit("a"), shadow(forbid("a")), shadow(forbid("a", when=never)))
        assert kinds(policy) == [("dead", "r3")]

    def test_hints_of_facts_prove_nothing(self):
        """A fact that is said to be a number may be none: the rule that guards against it stays."""
        policy = Policy(permit("a"), forbid("a", when=fact.f.is_none()))
        assert kinds(policy, {"a": Shapes({}, {"f": Shape(frozenset({"number"}))})}) == []
