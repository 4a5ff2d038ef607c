"""`surface`: what an agent could do at most, in each state; what it rules out never happens."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from interlock import (
    Agent,
    Ctx,
    Final,
    Machine,
    Policy,
    ScriptedModel,
    State,
    action,
    arg,
    fact,
    forbid,
    must,
    need,
    permit,
    shadow,
    state,
    user,
)
from interlock.guardian import ANY, Case
from interlock.guardian import agent as which
from interlock.guardian.expr import tree_of
from interlock.lab.folding import folded
from interlock.lab.surface import surface


@action.irreversible
async def pay(ctx: Ctx[None], amount: Decimal, to: str, fee: int | None = None) -> None: ...


@pay.fact
async def left(ctx: Ctx[None], amount: Decimal, to: str, fee: int | None = None) -> Decimal:
    return Decimal(1)


@action.read(egress=True)
async def fetch(ctx: Ctx[None], url: str) -> str:
    return ""


async def work(flow): ...


MACHINE = Machine(
    State("cart", work, offers=[fetch, pay], to=["paying"]),
    State("paying", work, offers=[pay], to=["closed"]),
    State("closed", work, offers=[pay, fetch], to=["done"]),
    Final("done"),
)


def of(*rules, machine=None, actions=(pay, fetch)):
    """Return the surface of an agent under these rules."""
    (only,) = surface(Agent("desk", actions, policy=Policy(*rules), machine=machine))
    return only


def reach(*rules, name="pay", **more):
    """Return what an agent under these rules could do with one action, where that is so in any state."""
    (situation,) = of(*rules, **more).situations
    assert situation.states == ()
    return next(one for one in situation.reach if one.action == name)


def test_what_an_action_hangs_on():
    """The rules that permit, forbid and need, each with what is left of its condition."""
    found = reach(
        permit("pay", when=arg.amount <= fact.left),
        permit("pay", when=user.role == "boss"),
        forbid("pay", when=arg.to == "eve"),
        need.approval("finance", "pay", when=arg.amount > 100),
        need.delay("10m", ANY),
        shadow(forbid("pay")),
        must("pay"),
    )
    assert [(one.rule, one.when) for one in found.permits] == [
        ("r1", "the amount is at most the left"),
        ("r2", 'the user\'s role is "boss"'),
    ]
    assert [(one.rule, one.when) for one in found.forbids] == [("r3", 'the to is "eve"')]
    assert [(one.rule, one.need, one.when) for one in found.needs] == [
        ("r4", "approval finance", "the amount is over 100"),
        ("r5", "delay 600 s", ""),
    ]
    assert (found.effect, found.possible) == ("irreversible", True)


@pytest.mark.parametrize(
    ("rules", "why"),
    [
        ([], "no rule permits it"),
        ([permit("fetch")], "no rule permits it"),
        ([need.confirmation("pay")], "no rule permits it"),
        ([permit("pay"), forbid("pay", because="not here")], "r2 forbids it: not here"),
        ([permit("pay"), forbid(ANY)], "r2 forbids it"),
        ([permit("pay", when=which == "other")], "no rule permits it"),
        ([permit("pay"), forbid("pay", when=~which.in_(["other"]))], "r2 forbids it"),
        ([shadow(permit("pay"))], "no rule permits it"),
    ],
)
def test_what_never_happens(rules, why):
    """No rule permits, or one forbids always; agent and state count as known."""
    found = reach(*rules)
    assert (found.possible, found.why, found.permits) == (False, why, ())


def test_state_by_state():
    """What a state does not offer is not there; states in which the same is possible are one."""
    found = of(
        permit("fetch"),
        permit("pay", when=state.in_(["paying", "closed"]) & (arg.amount < 5)),
        forbid("pay", when=state == "closed", because="closed"),
        machine=MACHINE,
    )
    said = {
        one.states: [(each.action, each.why or each.permits[0].when) for each in one.reach] for one in found.situations
    }
    assert said == {
        ("cart",): [("pay", "no rule permits it"), ("fetch", "")],
        ("paying",): [("pay", "the amount is under 5")],
        ("closed",): [("pay", "r3 forbids it: closed"), ("fetch", "")],
    }
    assert found.situations[0].reach[1].egress


def test_in_any_state():
    """Where no rule and no offer tells states apart, they are not named."""
    both = Machine(State("a", work, to=["b"]), State("b", work, to=["done"]), Final("done"))
    assert [one.states for one in of(permit("pay"), machine=both).situations] == [()]


@pytest.mark.parametrize(
    ("rules", "unlimited"),
    [
        ([permit("pay")], {"amount": "looks", "to": "looks", "fee": "looks"}),
        ([permit("pay", when=arg.amount > 0)], {"amount": "large", "to": "looks", "fee": "looks"}),
        ([permit("pay", when=(arg.amount > 0) & (arg.amount <= fact.left))], {"to": "looks", "fee": "looks"}),
        ([permit("pay", when=(arg.amount <= 5) | (arg.to == "x"))], {"amount": "large", "fee": "looks"}),
        ([permit("pay", when=(arg.amount <= 5) | (arg.amount == 7))], {"to": "looks", "fee": "looks"}),
        ([permit("pay", when=arg.amount.in_([5, 6]))], {"to": "looks", "fee": "looks"}),
        ([permit("pay", when=~(arg.amount > 5))], {"to": "looks", "fee": "looks"}),
        ([permit("pay"), forbid("pay", when=arg.amount > 5)], {"to": "looks", "fee": "looks"}),
        ([permit("pay"), forbid("pay", when=(arg.amount > 5) & (arg.to == "x"))], {"amount": "large", "fee": "looks"}),
        ([permit("pay"), forbid("pay", when=(arg.amount > 5) | (arg.to == "x"))], {"fee": "looks"}),
        ([permit("pay", when=arg.amount < 5), permit("pay", when=arg.to == "x")], {"amount": "large", "fee": "looks"}),
        ([permit("pay", when=arg.amount + arg.fee < 5)], {"amount": "large", "to": "looks", "fee": "large"}),
        ([permit("pay", when=arg.amount + 1 < 5)], {"to": "looks", "fee": "looks"}),
        ([permit("pay", when=arg.amount - arg.fee < 5)], {"amount": "large", "to": "looks", "fee": "large"}),
        (
            [permit("pay"), need.approval("f", "pay", when=arg.amount > 5)],
            {"amount": "looks", "to": "looks", "fee": "looks"},
        ),
        ([permit("pay", when=lambda case: case.args["amount"] < 5)], {}),
    ],
)
def test_what_no_rule_limits(rules, unlimited):
    """Arguments that no rule looks at, and numbers without an upper end; a need is no limit."""
    found = reach(*rules)
    assert {name: "large" if "large" in why else "looks" for name, why in found.unlimited} == unlimited


def test_those_it_hands_tasks_on_to():
    """A delegate is within the policy of whoever hands on; the limits of both count."""
    model = ScriptedModel(lambda request: request.messages[-1].text)
    sub = Agent(
        "payer", [pay], model=model, policy=Policy(permit("pay", when=arg.amount < 50), need.confirmation("pay"))
    )
    for outer, possible in (
        (Policy(permit(["payer", "pay"]), forbid("pay", when=arg.to == "eve")), True),
        (Policy(permit("payer")), False),
    ):
        top, below = surface(Agent("desk", [sub, fetch], model=model, policy=outer))
        (payer,) = below.situations[0].reach
        assert (top.agent, below.agent, payer.possible) == ("desk", "desk/payer", possible)
        if possible:
            assert [one.rule for one in payer.permits] == ["r1", "outer r1"]
            assert [one.rule for one in payer.forbids] == ["outer r2"]
            assert payer.unlimited == (("fee", "no rule looks at it"),)
        else:
            assert payer.why == "no rule of the policy around it permits it"


_states = st.sampled_from(["cart", "paying", "closed"])
_leaves = st.one_of(
    _states.map(lambda one: state == one),
    _states.map(lambda one: state != one),
    st.lists(_states).map(state.in_),
    st.just(which == "desk"),
    st.just(state > 5),
    st.just(user.role == "boss"),
    st.integers(-2, 2).map(lambda n: arg.amount < n),
    st.just(fact.left > 0),
)
_conditions = st.recursive(
    _leaves,
    lambda inner: st.one_of(
        st.tuples(inner, inner).map(lambda two: two[0] & two[1]),
        st.tuples(inner, inner).map(lambda two: two[0] | two[1]),
        inner.map(lambda one: ~one),
    ),
    max_leaves=6,
)
_rules = st.one_of(
    _conditions.map(lambda when: permit("pay", when=when)),
    _conditions.map(lambda when: forbid("pay", when=when)),
    _conditions.map(lambda when: need.confirmation("pay", when=when)),
)
_cases = st.builds(
    lambda where, amount, facts, role: Case("pay", {"amount": amount}, facts, {"role": role}, "desk", "", where),
    _states,
    st.one_of(st.integers(-3, 3), st.just("x")),
    st.sampled_from([{}, {"left": 1}, {"left": -1}]),
    st.sampled_from(["boss", "guest"]),
)


@given(st.lists(_rules, max_size=4), st.lists(_cases, min_size=1, max_size=8))
def test_what_is_ruled_out_never_happens(rules, cases):
    """Whatever is permitted was listed as possible, and every need that it has too."""
    policy = Policy(*rules)
    desk = Agent("desk", [pay], policy=policy, machine=_any_state())
    listed = {name: one for one in surface(desk)[0].situations for name in one.states or ("cart", "paying", "closed")}
    for case in cases:
        verdict = policy.judge(case)
        (only,) = listed[case.state].reach
        if verdict.permitted:
            assert only.possible
            assert {str(need) for need in verdict.needs} <= {one.need for one in only.needs}


def _any_state():
    ways = {"cart": ["paying", "done"], "paying": ["closed", "done"], "closed": ["done"]}
    return Machine(*(State(name, work, to=to) for name, to in ways.items()), Final("done"))


@given(_conditions, _cases)
def test_folding_keeps_the_meaning(when, case):
    """What is left of a condition says the same of a case with these places, where it can be judged."""
    left = folded(tree_of(when), case, frozenset({"state", "agent"}))
    whole = Policy(permit("pay", when=when)).judge(case)
    if isinstance(left, bool):
        assert left or not whole.permitted
    elif whole.permitted:
        from interlock.guardian import Expr

        assert Policy(permit("pay", when=Expr(left))).judge(case).permitted
