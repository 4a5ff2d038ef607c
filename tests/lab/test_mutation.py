"""Coverage by mutation: what is changed in a rule, what the examples notice, and an example for what they don't."""

import pytest

from interlock import Agent, Ctx, Policy, action, arg, fact, forbid, must, need, permit, shadow
from interlock.guardian import Case
from interlock.lab.changes import outcome
from interlock.lab.examples import Example
from interlock.lab.mutation import coverage, mutants
from interlock.lab.noticing import invented, noticing


@action.irreversible
async def pay(ctx: Ctx[None], amount: int, to: str = "x") -> None: ...


@pay.fact
async def limit(ctx: Ctx[None], amount: int, to: str = "x") -> int:
    return 1


@action.read
async def look(ctx: Ctx[None]) -> None: ...


def agent(policy):
    return Agent("desk", [pay, look], policy=policy)


def example(policy, args, facts=None, name="pay", because=""):
    """Return an example that expects what *policy* says."""
    case = Case(name, args, facts or {}, agent="desk")
    permitted, needs = outcome(policy.judge(case))
    return Example(name, "file:1", case, case, permitted, needs, because)


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        (permit("pay"), ["were dropped"]),
        (permit(["look", "pay"]), ["were dropped", "no longer named look", "no longer named pay"]),
        (need.approval("boss", "pay"), ["were dropped", "needed only a confirmation"]),
        (
            permit("pay", when=arg.amount <= 100),
            [
                "were dropped",
                "had no condition",
                "held when its condition does not",
                "said “the amount is under 100” for “the amount is at most 100”",
                "said “the amount is at most 101” for “the amount is at most 100”",
                "said “the amount is at most 99” for “the amount is at most 100”",
            ],
        ),
        (permit("pay", when=lambda case: case.agent == ""), ["were dropped", "had no condition"]),
        (shadow(permit("pay")), []),
        (must("pay"), []),
    ],
)
def test_the_changes_of_a_rule(rule, words):
    """Dropped, without its condition, without an action, at the borders; what has no effect is left alone."""
    assert [one.words for one in mutants(Policy(rule))] == words


@pytest.mark.parametrize(
    ("when", "change"),
    [
        ((arg.a > 1) & (arg.b > 2), "“the a is over 1” for “the a is over 1 and the b is over 2”"),
        ((arg.a > 1) & (arg.b > 2), "“the b is at least 2” for “the b is over 2”"),
        ((arg.a > 1) | (arg.b > 2), "“the b is over 2” for “the a is over 1 or the b is over 2”"),
        (arg.a.in_(["x", "y"]), '“the a is "y"” for “the a is "x" or "y"”'),
        (arg.a == "x", '“the a is not "x"” for “the a is "x"”'),
        (arg.a > 10**30, f"“the a is over {10**30 + 1}” for “the a is over {10**30}”"),
        (arg.a > arg.b * 3, "“the a is at least (the b times 3)” for “the a is over (the b times 3)”"),
        (~(arg.a > 1), "“the a is at least 1” for “the a is over 1”"),
        (arg.l.any(lambda it: it > 1), "“it is over 2” for “it is over 1”"),
        (arg.l.any(lambda it: it > 1), "“for every it in the l, it is over 1” for “for some it"),
        (arg.l.any(lambda it: it.m.any(lambda x: x > 1) & (it.n > 1)), "“it is over 2” for “it is over 1”"),
    ],
)
def test_the_changes_of_a_condition(when, change):
    """Each comparison, each part of an "and" or "or", each member of a list, within quantifiers too."""
    said = [one.words for one in mutants(Policy(permit("pay", when=when)))]
    assert any(change in one for one in said), said


def test_what_examples_notice():
    """A change after which an example would not hold is noticed; examples at both sides of a border notice it all."""
    policy = Policy(permit("pay", when=arg.amount <= 100))
    far = [example(policy, {"amount": 50}), example(policy, {"amount": 500})]
    found = coverage(policy, far)
    assert (found.noticed, found.total) == (3, 6)
    near = [example(policy, {"amount": 100}), example(policy, {"amount": 101})]
    assert coverage(policy, near).score == 1.0
    assert coverage(policy, []).score == 0.0
    assert coverage(Policy(), near).score == 1.0


def test_an_example_that_does_not_hold_notices_nothing():
    """It can't tell a change from what is there."""
    policy = Policy(permit("pay"))
    wrong = Example("pay", "", Case("pay", {"amount": 1}), Case("pay", {"amount": 1}), permitted=False)
    assert coverage(policy, [wrong]).noticed == 0


def test_why_counts_where_it_is_asked_for():
    """With two rules that forbid the same, only an example that names one notices that it is gone."""
    policy = Policy(permit("pay"), forbid("pay", because="no money"), forbid("pay", because="no way"))
    silent = coverage(policy, [example(policy, {"amount": 1})])
    asking = coverage(policy, [example(policy, {"amount": 1}, because="no money")])
    assert [one.rule for one in silent.unnoticed] == ["r1", "r2", "r3"]
    assert [one.rule for one in asking.unnoticed] == ["r1", "r3"]


def test_the_quick_way_says_what_the_whole_way_says():
    """A mutant is judged among the rules that apply only: with all of them the answer is the same."""
    policy = Policy(
        permit("pay", when=(arg.amount > 0) & (arg.amount <= fact.limit)),
        forbid("pay", when=arg.to.matches("[a-z]+") & (arg.amount > 10)),
        need.approval("boss", ["pay", "look"], when=arg.amount > 5),
        need.confirmation("pay", when=fact.limit > 7),
        forbid("pay", when=arg.to == "eve"),
        permit("look"),
    ).within(Policy(permit(["pay", "look"]), forbid("pay", when=arg.amount == 3)))
    examples = [
        example(policy, {"amount": amount, "to": to}, {"limit": left})
        for amount in (0, 1, 3, 6, 11)
        for to in ("bob", "B1", "eve", 5)
        for left in (6, 8)
    ]
    found = coverage(policy, examples)
    slow = [one for one in mutants(policy) if all(each.holds(one.policy(policy)) for each in examples)]
    assert list(found.unnoticed) == slow
    assert found.noticed > 20


def test_an_example_for_what_is_not_noticed():
    """It begins with an example there is, differs in little, and the two policies judge it otherwise."""
    policy = Policy(permit("pay", when=(arg.amount <= 100) & (arg.amount <= fact.limit)))
    examples = [example(policy, {"amount": 50}, {"limit": 500})]
    (mutant,) = [one for one in mutants(policy) if "under 100" in one.words]
    found = noticing(mutant, policy, examples, agent(policy))
    assert found.base is examples[0]
    assert [value for _, value in found.changed] == [100]
    assert (found.now.permitted, found.then.permitted) == (True, False)
    assert mutant.policy(policy).judge(found.case) == found.then


def test_an_example_from_nothing():
    """Where no example names the action, arguments and facts are made up."""
    policy = Policy(permit("pay", when=(arg.amount < fact.limit)), need.confirmation("pay", when=arg.amount > 90))
    for mutant in mutants(policy):
        found = noticing(mutant, policy, [], agent(policy))
        assert found is not None, mutant.words
        assert outcome(found.now) != outcome(found.then)


def test_a_change_that_no_call_can_tell():
    """Then no example is found."""
    policy = Policy(permit("pay"), forbid("pay"))
    (first, *_) = mutants(policy)
    assert noticing(first, policy, [], agent(policy)) is None


def test_made_up_arguments_fit():
    """By the schema of the action."""
    made = invented(agent(Policy()), Policy(), "pay")
    assert made.args == {"amount": 1}
