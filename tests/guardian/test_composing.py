"""Rules without effect, obligations, and policies that restrict others."""

import pytest

from interlock.errors import PolicyError
from interlock.guardian import Case, Policy, arg, fact, forbid, must, need, permit, shadow

REFUND = permit("refund", when=arg.amount <= 100)


def refund(amount: object, **facts: object) -> Case:
    """Return the proposal of a refund."""
    return Case("refund", {"amount": amount}, facts)


class TestShadow:
    """`shadow(rule)`: judged and reported, without effect."""

    def test_it_reports_what_it_would_have_done(self) -> None:
        """Each kind of rule says what it would have done; nothing of it is in force."""
        policy = Policy(
            REFUND,
            shadow(forbid("refund", when=arg.amount > 50, because="over 50")),
            shadow(need.approval("boss", "refund", because="all refunds")),
            shadow(permit("refund", when=arg.amount > 100)),
        )
        verdict = policy.judge(refund(60))
        assert verdict.permitted
        assert verdict.needs == ()
        assert verdict.rules == ("r1",)
        assert verdict.shadowed == ("r2 would deny: over 50", "r3 would need approval boss: all refunds")
        denied = policy.judge(refund(200))
        assert not denied.permitted
        assert "r4 would permit" in denied.shadowed

    def test_its_errors_deny_nothing(self) -> None:
        """A shadow rule that can't be judged is reported, and that is all."""
        verdict = Policy(REFUND, shadow(forbid("refund", when=fact.missing > 1))).judge(refund(60))
        assert verdict.permitted
        assert "could not be judged" in verdict.shadowed[0]

    def test_it_is_data(self) -> None:
        """Stored and read again it is still in shadow, and has another hash than the rule in force."""
        rule = forbid("refund", because="no")
        policy = Policy(REFUND, shadow(rule))
        again = Policy.from_json(policy.to_json())
        assert again == policy
        assert again.judge(refund(1)).permitted
        assert Policy(REFUND, rule).hash != policy.hash
        assert "in shadow: forbid refund" in str(policy)


class TestMust:
    """`must(action)`: has to be possible; grants nothing."""

    POLICY = Policy(
        REFUND,
        need.approval("finance", "refund", when=arg.amount > 50),
        must("refund", when=fact.days_late > 30, because="the law"),
    )

    def test_it_grants_nothing(self) -> None:
        """Alone it permits nothing, and where permitted it changes nothing."""
        assert not Policy(must("refund")).judge(refund(1)).permitted
        assert self.POLICY.judge(refund(1, days_late=40)) == self.POLICY.judge(refund(1, days_late=0))

    def test_a_denial_of_what_is_owed_is_a_paradox(self) -> None:
        """The denial stands, and names the obligation that it breaks."""
        verdict = self.POLICY.judge(refund(200, days_late=40))
        assert not verdict.permitted
        assert verdict.paradox == ("r3",)
        assert self.POLICY.judge(refund(200, days_late=3)).paradox == ()

    def test_it_names_its_actions(self) -> None:
        """Not everything can be owed."""
        with pytest.raises(PolicyError, match="must take"):
            must(object())
        with pytest.raises(PolicyError):
            must("*")


class TestRestricted:
    """`policy.restricted(others)`: an organisation's and a tenant's rules only narrow."""

    ORGANISATION = Policy(forbid("refund", when=arg.amount > 80, because="organisation"))
    TENANT = Policy(need.confirmation("refund"))

    def test_others_narrow(self) -> None:
        """Their forbids win and their needs add up."""
        policy = Policy(REFUND).restricted(self.ORGANISATION, self.TENANT)
        assert [need.kind for need in policy.judge(refund(80)).needs] == ["confirmation"]
        assert policy.judge(refund(81)).reasons == ("organisation",)
        assert not policy.judge(refund(101)).permitted

    def test_a_permit_in_them_is_refused(self) -> None:
        """A level that restricts can't widen: its permit is an error with its place."""
        with pytest.raises(PolicyError, match=r"test_composing\.py:\d+: permit refund.*can't permit"):
            Policy(REFUND).restricted(Policy(permit("refund")))

    def test_inside_another_policy(self) -> None:
        """What is restricted within an outer policy still obeys the outer one."""
        inside = Policy(REFUND).within(Policy(permit("refund", when=arg.amount <= 10))).restricted(self.TENANT)
        assert not inside.judge(refund(11)).permitted
        assert [need.kind for need in inside.judge(refund(10)).needs] == ["confirmation"]
        assert Policy.from_json(inside.to_json()).judge(refund(11)).permitted is False
