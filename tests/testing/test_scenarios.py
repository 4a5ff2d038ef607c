"""An agent's scenarios, and the report on them."""

import payments

from interlock import Proposal
from interlock.testing import Scenario, Step, assert_performed_once, faults, run_scenarios

AGENT = payments.loop_agent(payments.STRICT)
SMALL = {"to": "ann", "amount": "40"}
BIG = {"to": "bob", "amount": "140"}


def scenario(name, *steps, **more):
    return Scenario(name, AGENT, steps, deps=payments.Bank, **more)


async def test_steps():
    """Proposals in a row, each with what must come of it; people answer where a step says so."""
    report = await run_scenarios(
        [
            scenario("small ones pass", Step("pay_keyed", SMALL, says="receipt 1")),
            scenario("big ones ask", Step("pay_keyed", BIG, expect="waiting", says="approval finance")),
            scenario("finance agrees", Step("pay_keyed", BIG, answer="approve")),
            scenario("finance refuses", Step("pay_keyed", BIG, expect="denied", says="said no", answer="deny")),
            scenario("no such thing", Step("pay_keyd", expect="denied", says="did you mean 'pay_keyed'?")),
        ]
    )
    assert report.ok, report
    assert str(report).endswith("5 passed, 0 failed")
    assert str(report).startswith("ok      small ones pass (0.")


async def test_what_a_failure_shows():
    """A failing scenario is reported with the step, what came instead, and the timeline."""
    report = await run_scenarios(
        [
            scenario("wrong outcome", Step("pay_keyed", SMALL), Step("pay_keyed", BIG)),
            scenario("wrong words", Step("nothing", expect="denied", says="budget")),
        ]
    )
    assert not report.ok
    shown = str(report)
    assert "FAILED  wrong outcome" in shown
    assert "step 2, pay_keyed: expected done, got Waiting(" in shown
    assert "1 run_started" in shown
    assert "calls:\n          perform pay_keyed(to='ann'" in shown
    assert "step 1, nothing: 'budget' is not said in" in shown
    assert shown.endswith("0 passed, 2 failed")


async def test_a_function():
    """A scenario may be an async function of the runtime; what it raises is reported, the others go on."""

    async def crashing(rt):
        await rt.start("loop", run="r1")
        async with rt.crash_at("sending"), rt.session("r1") as session:
            await session.perform(Proposal("pay_keyed", SMALL, "p1"))
        async with rt.session("r1") as session:
            await rt.outcome(session, Proposal("pay_keyed", SMALL, "p1"))
        assert_performed_once(rt, "pay_keyed")

    async def broken(rt):
        raise ZeroDivisionError("oops")

    async def silent(rt):
        assert not rt.deps.doors

    async def slow(rt):
        await rt.clock.sleep(3600)

    plays = {"crash": crashing, "broken": broken, "silent": silent, "slow": slow}
    report = await run_scenarios([Scenario(name, AGENT, play, deps=payments.Bank) for name, play in plays.items()])
    assert [result.name for result in report.failed] == ["broken", "silent"]
    assert report.failed[0].problem == "ZeroDivisionError: oops"


async def test_faults():
    """What goes wrong is made for each scenario anew."""
    one = scenario(
        "the line breaks",
        Step("pay_keyed", SMALL),
        faults=lambda: [faults.lost_answer("pay_keyed")],
    )
    assert (await run_scenarios([one, one])).ok
