"""What reaches the guardian and should not: each is one clear answer, and nothing is performed that no rule permits."""

import asyncio
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from interlock import (
    Agent,
    Ctx,
    Denied,
    Done,
    MemoryStore,
    Outcome,
    Policy,
    Proposal,
    Runtime,
    action,
    arg,
    count,
    fact,
    forbid,
    limit,
    need,
    now,
    permit,
)
from interlock.errors import PolicyError
from interlock.guardian import Case, Failed
from interlock.testing import FakeClock


class World:
    """What was paid, and what the facts answer."""

    def __init__(self) -> None:
        self.paid: list[Any] = []
        self.fact: Any = 100


@action.irreversible(repeatable=True)
async def pay(ctx: Ctx[World], to: str = "ann", amount: Decimal = Decimal(1), day: date | None = None) -> str:
    """Pay somebody."""
    ctx.deps.paid.append((to, amount))
    return "paid"


@pay.fact
async def allowed(ctx: Ctx[World], to: str, amount: Decimal, day: date | None) -> Any:
    """What may be paid."""
    answer = ctx.deps.fact
    if isinstance(answer, BaseException):
        raise answer
    if answer == "hang":
        await asyncio.Event().wait()
    return answer


@action.irreversible(repeatable=True)
async def store(ctx: Ctx[World], tree: Any) -> str:
    """Store whatever comes."""
    ctx.deps.paid.append("stored")
    return "stored"


async def outcome(policy: Policy, args: dict[str, Any], world: World | None = None, name: str = "pay") -> Outcome:
    """Return what comes of one proposal."""
    here, clock = world or World(), FakeClock()
    agent = Agent("desk", [pay, store], policy=policy, deps=lambda: here)
    async with Runtime(MemoryStore(), agent, clock=clock) as rt:
        run = await rt.start("desk", user="u")
        async with rt.session(run.id) as s:
            return await clock.run(s.perform(Proposal(name, args)))


class TestNumbers:
    @pytest.mark.parametrize(("amount", "expected"), [("1" * 30, Denied), ("9" * 30 + ".01", Denied), ("99.99", Done)])
    async def test_thirty_digits_are_exact(self, amount: str, expected: type) -> None:
        """A large number is compared and multiplied exactly, and never wraps."""
        policy = Policy(permit(pay), forbid(pay, when=arg.amount * 100 > 10000, because="too much"))
        assert isinstance(await outcome(policy, {"amount": amount}), expected)

    @pytest.mark.parametrize("amount", ["NaN", "sNaN", "Infinity", "-Infinity", float("nan"), float("inf")])
    async def test_what_is_no_number_is_refused(self, amount: Any) -> None:
        """NaN and infinities are turned down before they are judged."""
        denied = await outcome(Policy(permit(pay)), {"amount": amount})
        assert isinstance(denied, Denied)
        assert denied.stage == "validate"

    async def test_a_quota_of_thirty_digits(self) -> None:
        """Sums are exact whatever their size."""
        policy = Policy(permit(pay), limit(pay, 10**30, of="amount"))
        assert isinstance(await outcome(policy, {"amount": str(10**30)}), Done)
        assert isinstance(await outcome(policy, {"amount": str(10**30 + 1)}), Denied)


class TestDates:
    async def test_the_last_day_of_the_calendar(self) -> None:
        """A date in 9999 is compared; to move it past the end has no answer, and denies."""
        late = {"day": "9999-12-31"}
        assert isinstance(await outcome(Policy(permit(pay, when=arg.day > date(2026, 1, 1))), late), Done)
        denied = await outcome(Policy(permit(pay, when=now.date() - arg.day < arg.day - arg.day)), late)
        assert isinstance(denied, Done)

    def test_a_clock_in_9999(self) -> None:
        """The guardian judges at the end of the calendar; a zone that is past it denies."""
        at = round(datetime(9999, 12, 31, 23, tzinfo=UTC).timestamp()) * 1_000_000
        assert Policy(permit("pay", when=now.hour() == 23)).judge(Case("pay", {}, at=at)).permitted
        assert not Policy(permit("pay", when=now.hour("Asia/Tokyo") == 8)).judge(Case("pay", {}, at=at)).permitted


class TestTexts:
    @pytest.mark.parametrize("to", ["аnn", "ann\u200b", "\u202eann", "ANN", "ann ", "аnn".upper(), "ann\u0000"])
    async def test_what_looks_like_a_name_is_not_it(self, to: str) -> None:
        """Look-alikes and signs that nobody sees make another text."""
        for rule in (arg.to == "ann", arg.to.in_(["ann", "bob"]), arg.to.matches("[a-z]+")):
            world = World()
            assert isinstance(await outcome(Policy(permit(pay, when=rule)), {"to": to}, world), Denied)
            assert world.paid == []


class TestSizes:
    async def test_ten_thousand_leaves(self) -> None:
        """Large arguments are judged, quantifiers and all."""
        tree = [{"n": number} for number in range(10_000)]
        policy = Policy(permit(store), forbid(store, when=arg.tree.any(lambda it: it.n == 9_999), because="found"))
        denied = await outcome(policy, {"tree": tree}, name="store")
        assert isinstance(denied, Denied)
        assert denied.reasons == ("found",)
        fine = Policy(permit(store, when=arg.tree.sum(lambda it: it.n) == sum(range(10_000))))
        assert isinstance(await outcome(fine, {"tree": tree}, name="store"), Done)

    async def test_five_thousand_rules(self) -> None:
        """All of them count, the last one too."""
        rules = [forbid(pay, when=arg.to == f"mallory {number}") for number in range(4_998)]
        policy = Policy(permit(pay), *rules, forbid(pay, when=arg.to == "eve", because="the last rule"))
        assert Policy.from_json(policy.to_json()).hash == policy.hash
        denied = await outcome(policy, {"to": "eve"})
        assert isinstance(denied, Denied)
        assert denied.reasons == ("the last rule",)
        assert isinstance(await outcome(policy, {"to": "ann"}), Done)

    async def test_a_policy_that_denies_everything(self) -> None:
        """Nothing is permitted, and the denial says that no rule does."""
        for policy in (Policy(), Policy(forbid(pay)), Policy(need.confirmation(pay))):
            world = World()
            assert isinstance(await outcome(policy, {}, world), Denied)
            assert world.paid == []


class TestFacts:
    POLICY = Policy(permit(pay, when=arg.amount <= fact.allowed), forbid(pay, when=fact.allowed == 0))

    @pytest.mark.parametrize(
        ("answer", "why"),
        [
            (ValueError("no database"), "ValueError: no database"),
            ("hang", "no answer within 10 s"),
            (None, "has no order"),
            ("1000000", "no common order"),
            (float("nan"), "not a number that can be compared"),
            (Decimal("Infinity"), "not a number that can be compared"),
            ([1], "can't be compared"),
            (object(), "can't be compared"),
            (asyncio.CancelledError(), "cancelled"),
        ],
    )
    async def test_a_fact_that_raises_hangs_or_lies_denies(self, answer: Any, why: str) -> None:
        """Whatever a look-up does, the denial says so, and nothing is done."""
        world = World()
        world.fact = answer
        denied = await outcome(self.POLICY, {}, world)
        assert isinstance(denied, Denied)
        assert why in " ".join(denied.reasons)
        assert world.paid == []

    def test_a_failed_fact_is_not_absent(self) -> None:
        """A rule can't mistake a look-up that failed for one that found nothing."""
        case = Case("pay", {"amount": 1}, {"allowed": Failed("down")})
        assert not Policy(permit("pay", when=fact.allowed.is_absent())).judge(case).permitted
        assert not Policy(permit("pay"), forbid("pay", when=fact.allowed.is_present())).judge(case).permitted


class TestLoading:
    @pytest.mark.parametrize(
        ("make", "why"),
        [
            (lambda: Policy(permit("pya")), "no action pya; did you mean pay"),
            (lambda: Policy(permit("pay", when=arg.amont < 1)), "no argument amont; did you mean amount"),
            (lambda: Policy(permit("pay", when=fact.alowed > 1)), "no fact alowed; did you mean allowed"),
            (lambda: Policy(permit("pay", when=count("pya") < 1)), "no action pya; did you mean pay"),
        ],
    )
    def test_an_unknown_name_is_refused_with_its_place(self, make: Any, why: str) -> None:
        """File and line, and the nearest name."""
        with pytest.raises(PolicyError) as refused:
            Agent("desk", [pay], policy=make())
        assert why in str(refused.value)
        assert "test_guardian_bad_input.py:" in str(refused.value)

    def test_an_unexpected_argument_denies(self) -> None:
        """What the action does not declare is turned down, whatever the rules say."""

        async def main() -> None:
            denied = await outcome(Policy(permit(pay)), {"to": "ann", "bcc": "eve"})
            assert isinstance(denied, Denied)
            assert denied.stage == "validate"

        asyncio.run(main())
