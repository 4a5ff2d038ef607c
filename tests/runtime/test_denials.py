"""Denials climb: the same again is told so, and where no permitted way leads on a person is asked."""

from typing import Any

from interlock import (
    Agent,
    Ctx,
    Denied,
    Done,
    Policy,
    Proposal,
    Runtime,
    ScriptedModel,
    action,
    arg,
    forbid,
    must,
    permit,
)
from interlock.kernel.events import Denied as DeniedEvent
from interlock.testing import runtime


class Till:
    """Pays."""


@action.irreversible(repeatable=True)
async def refund(ctx: Ctx[Till], amount: int) -> str:
    """Refund an amount."""
    return "refunded"


@refund.fact
async def days_late(ctx: Ctx[Till], amount: int) -> int:
    """How late the order is."""
    return 40


CAP = Policy(permit(refund), forbid(refund, when=arg.amount > 50, because="at most 50", instead="offer a voucher"))


def propose(amount: int, key: str = "") -> Proposal:
    """Return the proposal of a refund."""
    return Proposal("refund", {"amount": amount}, key)


async def test_the_same_again_is_told_so_and_the_third_time_parks() -> None:
    """The first denial says why and what to do instead, the second that it was denied before, the third parks."""
    async with Runtime(":memory:", Agent("desk", [refund], policy=CAP)) as rt:
        run = await rt.start("desk")
        async with rt.session(run.id) as s:
            first, second, third, fourth = [await s.perform(propose(60)) for _ in range(4)]
        assert first == Denied(("at most 50",), ("offer a voucher",), "judge")
        assert isinstance(second, Denied)
        assert second.reasons == ("at most 50", "exactly this was denied once before; proposing it again will not help")
        assert isinstance(third, Denied)
        assert "denied 2 times before" in third.reasons[1]
        assert isinstance(fourth, Denied)
        assert fourth.stage == "run"
        assert "the same proposal was denied 3 times; rules that denied: r2" in fourth.reasons[0]
        assert await run.status() == "parked"


async def test_what_was_achieved_begins_the_count_anew() -> None:
    """After an effect the world is another, and so may the verdict be."""
    async with Runtime(":memory:", Agent("desk", [refund], policy=CAP)) as rt:
        run = await rt.start("desk")
        async with rt.session(run.id) as s:
            for _ in range(5):
                assert isinstance(await s.perform(propose(60)), Denied)
                assert isinstance(await s.perform(propose(60)), Denied)
                assert isinstance(await s.perform(propose(10)), Done)
        assert await run.status() != "parked"


async def test_a_paradox_parks_at_once_and_names_the_rules() -> None:
    """What must be possible and is denied is nobody's fault but the policy's: a person sorts it out."""
    policy = Policy(*CAP.rules, must(refund, because="the law"))
    async with Runtime(":memory:", Agent("desk", [refund], policy=policy)) as rt:
        run = await rt.start("desk")
        async with rt.session(run.id) as s:
            denied = await s.perform(propose(60))
            assert isinstance(denied, Denied)
        assert await run.status() == "parked"
        (parked,) = [one.event for one in await run.history() if type(one.event).__name__ == "Parked"]
        assert parked.reason == (
            "a paradox of the policy: r3: must be able to do refund, because the law; "
            "yet r2: forbid refund when the amount is over 50, because at most 50"
        )


async def test_a_model_that_is_denied_everything_does_not_loop() -> None:
    """A run of ours in which nothing is achieved is parked after a dozen denials, however they differ."""
    turns: list[Any] = [[propose(amount)] for amount in range(100, 130)]
    agent = Agent("desk", [refund], policy=CAP, model=ScriptedModel(turns), max_turns=100)
    async with runtime(agent, deps=Till()) as rt:
        run = await rt.send("desk", "give me everything", conversation="c", user="u")
        await rt.settled()
        assert await run.status() == "parked"
        denied = [one for one in await run.history() if isinstance(one.event, DeniedEvent)]
        assert len(denied) == 12
