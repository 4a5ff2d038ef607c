"""A policy as a whole: verdicts, storage, and the check of its names."""

import json
import re
from decimal import Decimal

import pytest

from interlock.errors import PolicyError
from interlock.guardian import (
    ABSENT,
    ANY,
    Case,
    Failed,
    Known,
    Need,
    Policy,
    Verdict,
    arg,
    fact,
    forbid,
    need,
    permit,
    user,
)

DESK = Policy(
    permit("find_booking"),
    permit("send_email"),
    permit("refund", when=arg.amount <= fact.booking.refundable),
    forbid(
        "refund",
        when=fact.booking.owner != user.id,
        because="not the caller's booking",
        instead="ask who is calling",
    ),
    need.confirmation("refund"),
    need.approval("finance", "refund", when=arg.amount > 100, because="over 100 EUR"),
    need.delay("10m", "send_email"),
)
BOOKING = {"refundable": Decimal(150), "owner": "u1"}


def refund(amount, booking=BOOKING, user=("u1",)):
    return Case("refund", {"ref": "AB12", "amount": Decimal(amount)}, {"booking": booking}, {"id": user[0]})


class TestVerdicts:
    def test_permit_with_needs(self):
        """The needs of all rules that apply, the rules, their reasons, and what was read."""
        assert DESK.judge(refund(140)) == Verdict(
            permitted=True,
            needs=(Need("confirmation"), Need("approval", level="finance")),
            rules=("r3", "r5", "r6"),
            reasons=("need confirmation by the user for refund", "over 100 EUR"),
            read={"booking.refundable": Decimal(150), "booking.owner": "u1"},
        )

    def test_deny_by_a_forbid(self):
        """The forbid's reason and its way forward; no needs."""
        assert DESK.judge(refund(140, user=("u2",))) == Verdict(
            permitted=False,
            rules=("r4",),
            reasons=("not the caller's booking",),
            instead=("ask who is calling",),
            read={"booking.refundable": Decimal(150), "booking.owner": "u1"},
        )

    def test_deny_by_default_says_what_would_be_permitted(self):
        """The conditions of the permits that did not hold."""
        assert DESK.judge(refund(151)).reasons[0] == (
            "no rule permits refund in this case "
            "(r3: permit refund when the amount is at most the booking's refundable)"
        )

    def test_the_same_need_is_asked_once(self):
        """Needs are a set; different levels and delays stay apart."""
        policy = Policy(
            permit("a"),
            need.approval("x", ["a", "b"]),
            need.approval("x", "a"),
            need.approval("y", ANY),
            need.delay("1m", "a"),
        )
        assert policy.judge(Case("a", {})).needs == (
            Need("approval", "x"),
            Need("approval", "y"),
            Need("delay", "", 60),
        )

    def test_a_rule_for_every_action(self):
        """ANY reaches also actions that no other rule names, and still permits none."""
        policy = Policy(permit("a"), forbid(ANY, when=arg.to == "eve", because="not eve"))
        assert policy.judge(Case("a", {"to": "bob"})).permitted
        assert policy.judge(Case("a", {"to": "eve"})).reasons == ("not eve",)
        assert policy.judge(Case("b", {"to": "bob"})).reasons == ("no rule permits b",)

    def test_what_was_read_records_absence_and_failure(self):
        """Replay under another policy has to know that there was nothing."""
        policy = Policy(permit("a", when=fact.x.y.is_absent()), forbid("a", when=fact["odd name"].z == 1))
        read = policy.judge(Case("a", {}, {"x": {}, "odd name": Failed("down")})).read
        assert read == {"x.y": ABSENT, "odd name": Failed("down")}

    def test_a_predicate_rests_on_every_fact(self):
        """Nobody sees what it looks at, so all facts are recorded and all declared ones are needed."""
        policy = Policy(permit("a", when=lambda case: case.facts["x"] > 1))
        assert policy.judge(Case("a", {}, {"x": 2, "y": 3})).read == {"x": 2, "y": 3}
        assert policy.facts_needed("a", declared=["x", "y"]) == {"x", "y"}

    def test_facts_needed(self):
        """Only what rules about the action read is gathered."""
        assert DESK.facts_needed("refund", declared=["booking", "costly"]) == {"booking"}
        assert DESK.facts_needed("find_booking") == frozenset()
        nested = Policy(permit("a", when=arg.l.any(lambda it: fact.f.any(lambda other: other == it))))
        assert nested.facts_needed("a") == {"f"}

    def test_five_thousand_rules(self):
        """Only the rules about the action are looked at."""
        policy = Policy(*(permit(f"a{n}", when=arg.x > n) for n in range(5000)))
        assert policy.judge(Case("a4999", {"x": 5000})).rules == ("r5000",)


class TestStorage:
    def test_round_trip(self):
        """The stored policy is the policy."""
        stored = Policy.from_json(DESK.to_json())
        assert stored == DESK
        assert stored.hash == DESK.hash
        assert hash(stored) == hash(DESK)
        assert stored.rules == DESK.rules
        assert stored.judge(refund(140)) == DESK.judge(refund(140))
        assert str(stored) == str(DESK)

    def test_the_hash_is_of_the_content(self):
        """It moves with what the policy says and in which order, and with nothing else."""
        assert DESK.hash == Policy(*DESK.rules).hash
        assert DESK.hash != Policy(*reversed(DESK.rules)).hash
        assert DESK.hash != Policy(*DESK.rules, permit("x")).hash
        assert re.fullmatch("[0-9a-f]{64}", DESK.hash)

    def test_the_hash_is_stable(self):
        """A stored hash names this policy for ever: this figure may never change."""
        assert Policy(permit("a", when=arg.x <= Decimal("1.50"))).hash == (
            "5ffb6893c70fa9cc23a32f8267006a4832ba2f71041a7ad670b08867a0e0c725"
        )

    def test_a_predicate_is_not_in_the_data(self):
        """Its name and digest are; the rule then denies, whatever kind it is."""
        policy = Policy(permit("a"), need.confirmation("a", when=lambda _: False))
        stored = Policy.from_json(policy.to_json())
        assert stored.hash == policy.hash
        assert policy.judge(Case("a", {})).permitted
        verdict = stored.judge(Case("a", {}))
        assert not verdict.permitted
        assert "is Python code, which a policy read from JSON does not hold" in verdict.reasons[0]

    def test_changed_code_is_another_policy(self):
        """The digest of a predicate's source is part of the content."""
        assert Policy(permit("a", when=lambda _: True)).hash != Policy(permit("a", when=lambda _: False)).hash

    @pytest.mark.parametrize(
        "data",
        [
            b"",
            b"[]",
            b"{}",
            b'{"rules":5}',
            b'{"rules":[],"version":2}',
            b'{"rules":[],"more":1}',
            b"\xff",
            b"[" * 100_000,
            b'{"rules":' + b'[{"actions":["a"],"kind":"permit","when":' + b'{"is":"not","part":' * 5000,
        ],
    )
    def test_garbage(self, data):
        """What is no policy is refused, whatever it is."""
        with pytest.raises(PolicyError):
            Policy.from_json(data)

    @pytest.mark.parametrize(
        "rule",
        [
            {"kind": "allow", "actions": ["a"]},
            {"kind": "permit", "actions": []},
            {"kind": "permit", "actions": ["*"]},
            {"kind": "forbid", "actions": ["a", "*"]},
            {"kind": "approval", "actions": ["a"]},
            {"kind": "delay", "actions": ["a"]},
            {"kind": "permit", "actions": ["a"], "seconds": 5},
            {"kind": "permit", "actions": ["a"], "place": "x"},
            {"kind": "permit", "actions": ["a"], "predicate": "x"},
        ],
    )
    def test_a_forged_rule(self, rule):
        """A rule from JSON is held to what a rule from Python is."""
        with pytest.raises(PolicyError):
            Policy.from_json(json.dumps({"rules": [rule], "version": 1}).encode())

    X = {"is": "path", "root": "arg", "steps": ["x"]}  # noqa: RUF012
    ONE = {"is": "value", "kind": "number", "text": "1"}  # noqa: RUF012

    @pytest.mark.parametrize(
        "tree",
        [
            {"is": "magic"},
            {"is": "path", "root": "os", "steps": ["x"]},
            {"is": "path", "root": "arg"},
            {"is": "path", "root": "arg", "steps": [1]},
            {"is": "path", "root": "arg", "steps": ["x", -1]},
            {"is": "path", "root": "arg", "steps": ["x", 1.5]},
            {"is": "path", "root": "state", "steps": ["x"]},
            {"is": "item", "number": 0},
            {"is": "item", "number": -9},
            {"is": "compare", "op": "is", "left": X, "right": ONE},
            {
                "is": "compare",
                "op": "<",
                "left": X,
                "right": {"is": "value", "kind": "number", "text": "NaN"},
            },
            {
                "is": "compare",
                "op": "<",
                "left": X,
                "right": {"is": "value", "kind": "number", "text": "one"},
            },
            {
                "is": "compare",
                "op": "<",
                "left": X,
                "right": {"is": "value", "kind": "truth", "text": "maybe"},
            },
            {"is": "compare", "op": "<", "left": X, "right": {"is": "value", "kind": "date", "text": "soon"}},
            {"is": "compare", "op": "<", "left": X, "right": {"is": "list", "values": [ONE]}},
            {"is": "in", "part": {"is": "list", "values": [ONE]}, "among": {"is": "list", "values": [ONE]}},
            {"is": "matches", "part": X, "pattern": "("},
            {"is": "matches", "part": X, "pattern": "x" * 501},
            {"is": "and", "parts": []},
            {"is": "math", "op": "+", "left": X, "right": ONE},
            {"is": "each", "op": "any", "over": X, "number": 7, "body": {"is": "item", "number": 7}},
            {"is": "each", "op": "any", "over": {"is": "item", "number": 0}, "number": 0, "body": X},
            {"is": "opaque", "name": 5},
        ],
        ids=lambda tree: json.dumps(tree)[:60],
    )
    def test_a_forged_condition(self, tree):
        """A tree from JSON is checked before it is compiled."""
        rule = {"kind": "permit", "actions": ["a"], "when": tree}
        with pytest.raises(PolicyError):
            Policy.from_json(json.dumps({"rules": [rule], "version": 1}).encode())


class TestPrinting:
    def test_str(self):
        """Numbered sentences."""
        assert str(Policy(permit("a"), forbid(ANY))) == "r1: permit a\nr2: forbid every action"

    def test_repr(self):
        """Short, with the version that a decision names."""
        assert repr(DESK) == f"<Policy {DESK.hash[:12]} [Rules: 7, actions: 3]>"
        assert len(DESK) == 7


class TestCheck:
    KNOWN = {  # noqa: RUF012
        "refund": Known(frozenset({"ref", "amount"}), frozenset({"booking"})),
        "find_booking": Known(frozenset({"ref"})),
        "send_email": Known(frozenset({"to", "body"})),
    }

    def test_a_policy_that_knows_its_names(self):
        """Nothing to say."""
        DESK.check(self.KNOWN)

    @pytest.mark.parametrize(
        ("rule", "problem"),
        [
            (permit("refnd"), "there is no action refnd; did you mean refund?"),
            (permit("zzz"), "there is no action zzz; there are find_booking, refund, send_email"),
            (permit("refund", when=arg.ammount > 1), "refund has no argument ammount; did you mean amount?"),
            (
                permit("refund", when=fact.bookings.x == 1),
                "refund declares no fact bookings; did you mean booking?",
            ),
            (permit("send_email", when=fact.x), "send_email declares no fact x; there are none"),
            (permit(["refund", "send_email"], when=arg.to == 1), "refund has no argument to"),
            (forbid(ANY, when=arg.toe == 1), "no action has an argument toe; did you mean to?"),
            (
                forbid(ANY, when=fact.booking.x == 1),
                "a rule for every action, but find_booking declares no fact booking",
            ),
            (
                permit("refund", when=arg.ref.any(lambda it: arg.amout == it)),
                "refund has no argument amout; did you mean amount?",
            ),
        ],
        ids=str,
    )
    def test_an_unknown_name(self, rule, problem):
        """The message names file and line, the rule, and the nearest name."""
        with pytest.raises(PolicyError) as caught:
            Policy(permit("refund"), rule).check(self.KNOWN)
        said = str(caught.value)
        assert problem in said
        assert re.match(rf".*test_policy\.py:\d+: rule r2 \({re.escape(str(rule))}\): ", said)

    def test_all_problems_at_once(self):
        """One line each."""
        with pytest.raises(PolicyError) as caught:
            Policy(permit("a"), permit("b")).check(self.KNOWN)
        assert len(str(caught.value).splitlines()) == 2

    def test_a_rule_for_every_action_may_name_an_argument_of_some(self):
        """Elsewhere the argument is absent."""
        Policy(forbid(ANY, when=arg.to == "eve")).check(self.KNOWN)
