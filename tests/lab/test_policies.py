"""Recorded decisions judged again: the same answers as at run time, or the words that it can't be told."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

import msgspec
import pytest
from pydantic import BaseModel

from interlock import Agent, Ctx, Policy, Proposal, action, arg, fact, forbid, need, permit, state, tenant, user
from interlock.actions.recalled import restored
from interlock.lab import Decision, compare, decisions
from interlock.testing import approving, denying, runtime


class Owner(BaseModel):
    name: str
    since: date
    limit: Decimal


class Booking(msgspec.Struct):
    """What a fact may be, with records within records and lists of them."""

    owner: Owner
    prices: list[Decimal]
    note: str | None = None


@action.compensable(idempotent=True)
async def refund(ctx: Ctx[None], ref: str, amount: Decimal) -> str:
    """Refund."""
    return f"refunded {amount}"


@refund.undo
async def _(ctx: Ctx[None], done: str, ref: str, amount: Decimal) -> None: ...


@refund.fact
async def booking(ctx: Ctx[None], ref: str, amount: Decimal) -> Booking:
    return Booking(Owner(name="ann", since=date(2020, 1, 1), limit=Decimal("1000.50")), [Decimal("5.5"), Decimal(7)])


@refund.fact
async def limit(ctx: Ctx[None], ref: str, amount: Decimal) -> Decimal:
    return Decimal("99.5")


@refund.fact
async def down(ctx: Ctx[None], ref: str, amount: Decimal) -> int:
    raise ConnectionError("no line")


@refund.fact
async def untyped(ctx: Ctx[None], ref: str, amount: Decimal):
    return Decimal("1000.5")


@action.read
async def look(ctx: Ctx[None], ref: str) -> str:
    """Look."""
    return ref


ACTIONS = [refund, look]
OPEN = Policy(permit(ACTIONS))
OVER_LIMIT = need.approval("finance", refund, when=arg.amount > fact.limit)


def agent(policy=OPEN):
    return Agent("desk", ACTIONS, policy=policy)


async def history(policy, *amounts, person=None, **started):
    """Return the history of a run in which such refunds were proposed."""
    async with runtime(agent(policy)) as rt:
        run = await rt.start("desk", run="r1", user={"id": "u1", "vip": True}, **started)
        async with rt.session("r1") as session:
            for number, amount in enumerate(amounts):
                proposal = Proposal("refund", {"ref": "A", "amount": amount}, f"k{number}")
                await rt.outcome(session, proposal, person or approving())
        return await run.history()


async def compared(then, now, *amounts, known=(), **options):
    """Return what *now* says about a run that was judged by *then*."""
    judged = decisions(await history(then, *amounts, **options))
    return list(compare(judged, agent(), now, {one.hash: one for one in known}))


async def test_the_same_policy_decides_the_same():
    """Whatever was read or needed, a policy agrees with itself: facts come back with their types."""
    policy = Policy(
        permit(refund, when=(fact.booking.owner.since < date(2021, 1, 1)) & (arg.amount <= fact.booking.owner.limit)),
        forbid(refund, when=fact.booking.prices.any(lambda price: price > arg.amount), because="less than a price"),
        forbid(refund, when=fact.booking.prices[1] > 100),
        OVER_LIMIT,
        need.delay("10m", refund, when=user.vip & (tenant == "t1")),
    )
    all_of = await compared(policy, policy, "1", "50", "500", "5000", known=[policy], tenant="t1")
    assert [one.kind for one in all_of] == ["same"] * 4
    assert [one.now.permitted for one in all_of] == [False, True, True, False]
    assert all_of[2].now.needs == ("approval finance", "delay 600 s")


async def test_a_stricter_policy_denies():
    """What was permitted and would not be is told with the new reasons."""
    (small, large) = await compared(OPEN, Policy(*OPEN.rules, forbid(refund, when=arg.amount > 100)), "40", "400")
    assert (small.kind, large.kind) == ("same", "denied")
    assert str(large.then.decision) == "permitted"
    assert large.now == Decision(False, (), ("forbid refund when the amount is over 100",))


async def test_a_laxer_policy_permits():
    """What was denied and would not be is told, with what it would need."""
    then = Policy(permit(refund, when=arg.amount < 100))
    (large,) = await compared(then, Policy(*OPEN.rules, need.confirmation(refund)), "400")
    assert (large.kind, large.added) == ("permitted", ("confirmation",))


async def test_needs_that_come_and_go():
    """Another person to ask is a change, and so is one who need not be asked."""
    boss = Policy(*OPEN.rules, need.approval("boss", refund))
    (one,) = await compared(Policy(*OPEN.rules, OVER_LIMIT), boss, "400")
    assert (one.kind, one.added, one.dropped) == ("needs", ("approval boss",), ("approval finance",))


async def test_a_no_of_a_person_is_no_verdict_of_the_policy():
    """A proposal that a person turned down had been permitted, with that need."""
    (one,) = decisions(await history(Policy(*OPEN.rules, OVER_LIMIT), "400", person=denying()))
    assert one.decision == Decision(True, ("approval finance",))


async def test_a_call_judged_again_with_the_same_answer_is_one_decision():
    """Asked, approved and judged again on the same facts: one decision, not two."""
    (one,) = decisions(await history(Policy(*OPEN.rules, OVER_LIMIT), "400"))
    assert one.call == "k0"


async def test_what_was_never_judged_is_no_decision():
    """Unknown actions and wrong arguments are turned down before a policy has a say."""
    assert decisions(await history(OPEN, "much")) == []


async def test_reads_are_decisions_too():
    """A read has no intent; its judgement stands with its outcome."""
    async with runtime(agent()) as rt:
        run = await rt.start("desk", run="r1")
        async with rt.session("r1") as session:
            await session.perform(Proposal("look", {"ref": "A"}))
        judged = decisions(await run.history())
    (one,) = compare(judged, agent(), Policy(permit(refund)))
    assert (one.then.action, one.kind) == ("look", "denied")


async def test_a_fact_that_was_not_gathered_can_not_be_told():
    """A rule that reads what nobody looked up then leaves the decision open; it is neither yes nor no."""
    (one,) = await compared(OPEN, Policy(*OPEN.rules, OVER_LIMIT), "400")
    assert (one.kind, one.now, one.why) == ("unknown", None, "not recorded: fact 'limit'")


async def test_another_part_of_a_fact_can_not_be_told():
    """Only what rules read of a fact is recorded; what lies beside it is unknown, not absent."""
    then = Policy(*OPEN.rules, forbid(refund, when=fact.booking.owner.name != "ann"))
    (one,) = await compared(then, Policy(*OPEN.rules, forbid(refund, when=fact.booking.note.is_present())), "4")
    assert one.why == "not recorded: fact 'booking.note'"


async def test_a_part_of_what_was_read_whole_can_be_told():
    """A list that was gone through whole also answers for its first element."""
    then = Policy(*OPEN.rules, forbid(refund, when=fact.booking.prices.length() > 9))
    (one,) = await compared(then, Policy(permit(refund, when=fact.booking.prices[0] == Decimal("5.5"))), "4")
    assert one.kind == "same"


async def test_a_fact_that_failed_then_fails_again():
    """A fact that could not be gathered still denies whatever reads it, and nothing else."""
    then = Policy(*OPEN.rules, forbid(refund, when=fact.down > 3))
    (one,) = await compared(then, Policy(*OPEN.rules, forbid(refund, when=fact.down > 4)), "4")
    assert (one.kind, one.now.permitted) == ("same", False)
    (other,) = await compared(then, OPEN, "4")
    assert other.kind == "permitted"


async def test_null_and_not_there_are_told_apart_or_not_at_all():
    """The journal writes null for both; where that makes a difference, it can't be told."""
    then = Policy(*OPEN.rules, forbid(refund, when=fact.booking.note == "x"))
    (one,) = await compared(then, Policy(*OPEN.rules, forbid(refund, when=fact.booking.note.is_absent())), "4")
    assert one.why == "fact 'booking.note' was null or not there; the journal does not say which"
    (other,) = await compared(then, Policy(*OPEN.rules, forbid(refund, when=fact.booking.note == "y")), "4")
    assert other.kind == "same"


async def test_what_does_not_come_to_its_own_decision_again_is_not_compared():
    """A decimal of an undeclared type is only text in the journal: said, instead of a change that would be false."""
    then = Policy(permit(refund, when=arg.amount < fact.untyped))
    (one,) = await compared(then, OPEN, "4", known=[then])
    assert one.kind == "unknown"
    assert one.why.startswith("what is recorded does not suffice: judged again by the policy of then, it is denied")


async def test_a_policy_of_then_with_python_code_is_not_asked_again():
    """A predicate is not in the journal's policy, so nothing follows from what that says.

    It was denied then: a predicate may read every fact, and one of them is down.
    """
    then = Policy(permit(refund, when=lambda case: case.args["amount"] > 1))
    (one,) = await compared(then, OPEN, "4", known=[Policy.from_json(then.to_json())])
    assert one.kind == "permitted"


async def test_what_the_agent_no_longer_has_can_not_be_told():
    """An action, a fact or arguments that are gone leave the decision open."""

    @action.compensable
    async def refund(ctx: Ctx[None], ref: int) -> str:
        """Refund."""

    @refund.undo
    async def _(ctx: Ctx[None], done: str, ref: int) -> None: ...

    judged = decisions(await history(OPEN, "4"))
    (gone,) = compare(judged, Agent("desk", [look]), OPEN)
    assert gone.why == "the agent no longer has the action 'refund'"
    (other,) = compare(judged, Agent("desk", [refund]), OPEN)
    assert other.why.startswith("its arguments no longer fit 'refund': ref: ")
    judged = decisions(await history(Policy(*OPEN.rules, OVER_LIMIT), "4"))
    (bare,) = compare(judged, Agent("desk", [_without_facts()]), OPEN)
    assert bare.why == "the action 'refund' no longer has the fact 'limit'"


def _without_facts():
    @action.irreversible
    async def refund(ctx: Ctx[None], ref: str, amount: Decimal) -> str:
        """Refund."""

    return refund


async def test_the_state_of_then_is_what_rules_see():
    """A rule about the machine's state is judged in the state in which the proposal was made."""
    judged = [
        msgspec.structs.replace(one, state=place)
        for one, place in zip(decisions(await history(OPEN, "4", "5")), ("open", "shut"), strict=True)
    ]
    now = Policy(permit(refund, when=state == "open"))
    assert [one.kind for one in compare(judged, agent(), now)] == ["same", "denied"]


@dataclass
class Typed:
    when: date


def typed() -> dict[str, list[Typed]] | None: ...


def unknown() -> "Nowhere": ...  # noqa: F821 - a name that can't be resolved is what is tested


@pytest.mark.parametrize(
    ("function", "steps", "recorded", "value"),
    [
        (typed, ("a", 0, "when"), b'"2020-01-02"', date(2020, 1, 2)),
        (typed, ("a", 0), b'{"when":"2020-01-02"}', Typed(date(2020, 1, 2))),
        (typed, ("a", "b", "c"), b'"2020-01-02"', "2020-01-02"),
        (typed, ("a", 0, "when"), b"7.5e300", 7.5e300),
        (unknown, (), b'"5"', "5"),
        (booking, ("owner", "limit"), b'"5"', Decimal(5)),
        (booking, ("prices", 1), b'"5"', Decimal(5)),
        (booking, ("note",), b"null", None),
    ],
)
def test_a_part_of_a_fact_gets_its_declared_type(function, steps, recorded, value):
    """Records, mappings and lists are followed to the part; where no type is known, it is plain data."""
    assert restored(function, steps, recorded) == value
    assert type(restored(function, steps, recorded)) is type(value)
