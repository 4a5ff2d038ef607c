"""Calls side by side, and a crash: what waits for a person or a time hides nothing that was sent."""

import asyncio

import pytest

from interlock import Agent, Ctx, Final, Machine, Policy, Proposal, State, action, gather, need, permit, probe
from interlock.kernel.state import unsettled
from interlock.testing import every_crash


@action.irreversible
async def mail(ctx: Ctx[list[str]], to: str) -> str:
    """Send a letter; the post office can be asked."""
    ctx.deps.append(to)
    return f"to {to}"


@mail.probe
async def _(ctx: Ctx[list[str]], to: str) -> "probe.Answer[str]":
    return probe.done(f"to {to}") if to in ctx.deps else probe.never


@action.irreversible(idempotent=True)
async def pay(ctx: Ctx[list[str]], to: str) -> str:
    """Pay."""
    return f"paid {to}"


POLICIES = {
    "asked": Policy(permit([mail, pay]), need.approval("lead", pay)),
    "delayed": Policy(permit([mail, pay]), need.delay("2h", pay)),
}


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("mode", ["session", "driven"])
@pytest.mark.parametrize("ends", [False, True])
async def test_what_was_sent_is_looked_for(policy, mode, ends):
    """After a crash the letter's outcome is found by itself, while the payment still waits (or the loop had ended)."""
    if ends and mode == "driven":
        pytest.skip("a driven run ends by itself")

    async def work(flow):
        await gather(flow.perform("pay", {"to": "ann"}), flow.perform("mail", {"to": "bob"}))

    machine = Machine(State("work", work, to=["end"]), Final("end"))
    agent = Agent(
        "clerk", [mail, pay], policy=POLICIES[policy], deps=list, machine=machine if mode == "driven" else None
    )

    async def play(rt):
        if await rt.store.row("r1") is None:
            await rt.start("clerk", run="r1")
            if mode == "session":
                async with rt.session("r1") as session:
                    await session.perform(Proposal("pay", {"to": "ann"}, "p"))
                    sending = asyncio.ensure_future(session.perform(Proposal("mail", {"to": "bob"}, "m")))
                    await asyncio.sleep(0)
                    if ends:
                        await session.finish()
                    await sending
        await rt.clock.elapse("1h")

    def check(rt):
        calls = rt.reader().state("r1").calls.values() if rt.reader().histories() else ()
        assert not [call for call in calls if unsettled(call)]

    crashes = await every_crash(agent, play, check=check, deps=list)
    assert not crashes.asked
    assert {at for (at,) in crashes.boundaries} >= {"after:intended", "sending", "before:done"}
