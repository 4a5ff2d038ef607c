"""Rules that read where values came from: `origin.recipient.trust >= Trust.DIRECTORY`."""

import pytest

from interlock import Agent, Ctx, Labels, Policy, Trust, action, arg, forbid, need, origin, permit
from interlock.errors import PolicyError
from interlock.guardian import ABSENT, ANY, Case, Failed, Known
from interlock.guardian.proofs import cells
from interlock.guardian.tree import ORIGIN
from interlock.runtime.origins import told


@action.irreversible
async def send(ctx: Ctx, to: str, body: str = "", cc: list[str] | None = None) -> None:
    """Send a letter."""


MAIL = {"trust": 2, "label": "third-party text", "source": "read_file(bill.txt)", "how": "equal", "role": "sink"}
RULE = permit(send, when=origin.to.trust >= Trust.DIRECTORY)


def case(args, **origins):
    return Case("send", args, origins=origins)


def judged(when, a_case):
    """Return True or False as the condition says, and the reason where it can't be judged."""
    verdict = Policy(permit("send", when=when)).judge(a_case)
    told = "; ".join(verdict.reasons)
    return told if "could not be judged" in told else verdict.permitted


class TestReading:
    """What a condition over an origin comes to."""

    @pytest.mark.parametrize(("trust", "permitted"), [(7, True), (5, True), (4, False), (0, False)])
    def test_trust_is_compared_as_a_number(self, trust, permitted):
        """A member of Trust stands for its number."""
        assert Policy(RULE).judge(case({"to": "x"}, to={**MAIL, "trust": trust})).permitted is permitted

    @pytest.mark.parametrize("part", ORIGIN)
    def test_every_part_can_be_read(self, part):
        """Trust, label, source, how and role."""
        assert judged(origin.to[part] == MAIL[part], case({"to": "x"}, to=MAIL)) is True

    def test_an_argument_that_was_not_given_has_no_origin(self):
        """It is absent, as the argument is."""
        assert judged(origin.cc.is_absent(), case({"to": "x"}, to=MAIL)) is True

    def test_an_argument_that_holds_nothing_has_no_origin(self):
        """An empty list came from nowhere and is no danger."""
        assert judged(origin.cc.is_absent(), case({"to": "x", "cc": []}, to=MAIL, cc=ABSENT)) is True

    @pytest.mark.parametrize(
        "when",
        [origin.to.is_absent(), origin.to.trust != 2, ~(origin.to.trust == 2), origin.to.label.is_absent()],
        ids=["absent", "unequal", "not", "absent part"],
    )
    @pytest.mark.parametrize("origins", [{}, {"to": Failed("it broke")}], ids=["untraced", "failed"])
    def test_what_was_not_traced_can_not_be_judged(self, when, origins):
        """Not even by asking whether it is absent: that would permit what nobody looked at."""
        assert "it can't be told where the value of to came from" in judged(when, case({"to": "x"}, **origins))

    def test_it_says_so_in_english(self):
        """For whoever has to approve or to read the rule."""
        assert str(RULE) == "permit send when the trust (0 to 7) of where the to came from is at least 5"
        assert "the kind of source that the to came from" in str(permit("send", when=origin.to.label == "x"))

    def test_it_is_the_same_policy_after_json(self):
        """The same hash, and the same verdict."""
        policy = Policy(RULE, forbid(ANY, when=origin.body.role == "content"))
        again = Policy.from_json(policy.to_json())
        assert again == policy
        assert again.judge(case({"to": "x"}, to={**MAIL, "trust": 7})).permitted


class TestRefused:
    """What can't be meant is refused when it is written or loaded."""

    def test_an_argument_that_the_action_has_not(self):
        """With the nearest that it has."""
        with pytest.raises(PolicyError, match=r"send has no argument boddy; did you mean body\?"):
            Agent("a", [send], policy=Policy(permit(send, when=origin.boddy.trust > 4)), labels=Labels())

    def test_an_argument_that_no_action_has(self):
        """In a rule for every action."""
        with pytest.raises(PolicyError, match="no action has an argument recipient"):
            Agent("a", [send], policy=Policy(forbid(ANY, when=origin.recipient.trust < 4)), labels=Labels())

    @pytest.mark.parametrize("path", [lambda: origin.to.trusts, lambda: origin.to.trust.more, lambda: origin.to[0]])
    def test_a_part_that_an_origin_has_not(self, path):
        """The parts that there are stand in the message."""
        with pytest.raises(PolicyError, match="trust, label, source, how, role"):
            permit("send", when=path() == 1)

    def test_origin_alone(self):
        """It is no value."""
        with pytest.raises(PolicyError, match=r"name one: origin\.name"):
            _ = origin == 1

    @pytest.mark.parametrize("rule", [RULE, forbid(ANY, when=origin.to.trust < 4)], ids=["named", "any"])
    def test_an_agent_without_labels(self, rule):
        """Nobody would trace its values, so that the rule could never be judged: it is told at once."""
        with pytest.raises(PolicyError, match="they are not traced: give the agent labels="):
            Agent("a", [send], policy=Policy(rule))

    def test_a_policy_that_replaces_another(self):
        """It is checked as the first one was."""
        with pytest.raises(PolicyError, match="they are not traced"):
            Agent("a", [send], policy=Policy(permit(send))).judged_by(Policy(RULE))

    def test_rules_of_an_organisation(self):
        """They come upon agents with labels and without."""
        rules = Policy(need.approval("boss", send, when=origin.to.trust < 5))
        assert Agent("a", [send], policy=Policy(permit(send)), labels=Labels()).restricted(rules)
        with pytest.raises(PolicyError, match="they are not traced"):
            Agent("a", [send], policy=Policy(permit(send))).restricted(rules)

    def test_names_need_not_be_known(self):
        """Where any argument may come, any origin may be read; but somebody has to trace it."""
        policy = Policy(permit("send", when=origin.anything.trust > 4))
        policy.check({"send": Known(arguments=None, traced=True)})
        with pytest.raises(PolicyError, match="they are not traced"):
            policy.check({"send": Known(arguments=None)})


def test_proofs_know_all_levels_and_parts():
    """What proofs take for possible is what tracing can say."""
    assert (cells.TRACED.fields["trust"].least, cells.TRACED.fields["trust"].most) == (min(Trust), max(Trust))
    assert set(cells.TRACED.fields) == set(ORIGIN)


@pytest.mark.parametrize(
    ("rules", "kind"),
    [
        ([permit("send", when=origin.to.trust > 7)], "never applies"),
        ([permit("send", when=(origin.to.trust >= 5) & (origin.to.trust < 3))], "never applies"),
        ([permit("send", when=origin.to.trust >= 0), forbid("send", when=origin.to.trust <= 7)], ""),
    ],
    ids=["beyond", "between", "all"],
)
def test_proofs_find_rules_that_never_apply(rules, kind):
    """Trust is a whole number from 0 to 7."""
    pytest.importorskip("z3")
    from interlock.guardian.proofs import check

    found = check(Policy(*rules, permit("send", when=arg.to == "me"))).findings
    assert found if kind else found is not None


def test_the_worst_leaf_stands_for_its_argument():
    """Lists and tables are worth as much as the worst that is in them; what holds nothing is absent."""
    from interlock.provenance import Origin

    args = {"to": ["a", "b"], "cc": [], "bcc": None, "note": "", "more": {"x": {"y": 1}}, "flag": True}
    found = told(
        args,
        (
            Origin("to[0]", "sink", Trust.USER),
            Origin("to[1]", "sink", Trust.THIRD_PARTY, sources=("a.txt", "b.txt")),
            Origin("more.x.y", "selector", Trust.SYSTEM, "derived"),
            Origin("gone", "sink", Trust.NOWHERE),
        ),
    )
    assert found["to"] == {
        "trust": 2, "label": "third-party text", "source": "a.txt; b.txt", "how": "equal", "role": "sink",
    }  # fmt: skip
    assert found["more"]["trust"] == Trust.SYSTEM
    assert [name for name, one in found.items() if one is ABSENT] == ["cc", "bcc", "note"]
    assert "flag" not in found
    assert "gone" not in found
