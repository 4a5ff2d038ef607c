"""The runtime of a test: assertions with helpful messages, faults, crashes at a named boundary."""

import asyncio
import threading
from decimal import Decimal

import payments
import pytest

from interlock import Agent, Ctx, Failed, Policy, Proposal, action, forbid, need, permit, probe
from interlock.errors import RuntimeClosedError
from interlock.testing import (
    approving,
    assert_denied,
    assert_done,
    assert_intact,
    assert_journal_verifies,
    assert_not_performed,
    assert_performed_once,
    assert_waiting,
    crash_at,
    denying,
    faults,
    runtime,
    timeline,
)

PAY = Proposal("pay_keyed", {"to": "ann", "amount": "40"}, "p1")


@action.irreversible
def ring(ctx: Ctx[list[str]], bell: str) -> int:
    """Ring a bell; a sync function."""
    ctx.deps.append(bell)
    return len(ctx.deps)


BELLS = Agent("bells", [ring], policy=Policy(permit(ring)))


async def opened(rt, agent="loop"):
    return await rt.start(agent, run="r1")


class TestAssertions:
    async def test_done_denied_waiting(self):
        """Each assertion returns what it is about: the result, the denial, the question."""
        policy = Policy(
            permit([payments.pay_keyed, payments.balance, payments.pay_blind]),
            forbid(payments.pay_blind, because="never blindly", instead="pay with a key"),
            need.approval("finance", payments.pay_keyed),
        )
        async with runtime(payments.loop_agent(policy), deps=payments.Bank()) as rt:
            await opened(rt)
            async with rt.session("r1") as session:
                assert assert_done(await session.perform(Proposal("balance", {"of": "ann"}))) == 0
                blind = await session.perform(Proposal("pay_blind", {"to": "ann", "amount": 1}))
                assert assert_denied(blind, match="never blindly", stage="judge").instead == ("pay with a key",)
                assert assert_waiting(await session.perform(PAY), level="finance").kind == "approval"

    async def test_what_they_say_when_they_fail(self):
        """A failing assertion says what was there instead."""
        async with runtime(payments.loop_agent(payments.STRICT), deps=payments.Bank()) as rt:
            await opened(rt)
            async with rt.session("r1") as session:
                waiting = await session.perform(Proposal("pay_keyed", {"to": "ann", "amount": "140"}, "p1"))
                with pytest.raises(AssertionError, match="expected Done, got Waiting"):
                    assert_done(waiting)
                with pytest.raises(AssertionError, match="expected a denial, got Waiting"):
                    assert_denied(waiting)
                with pytest.raises(
                    AssertionError, match="level 'legal'; it waits for: <Question r1:2 approval finance"
                ):
                    assert_waiting(waiting, level="legal")
                denied = await session.perform(Proposal("pay_keyd", {}))
                with pytest.raises(AssertionError, match="nothing that was said matches 'budget':\nthere is no action"):
                    assert_denied(denied, match="budget")
                with pytest.raises(AssertionError, match="denied at stage 'resolve', not 'judge'"):
                    assert_denied(denied, stage="judge")
                with pytest.raises(AssertionError, match="expected it to wait for a person, got Denied"):
                    assert_waiting(denied)

    async def test_performed_once(self):
        """Exactly one outcome and one call with these arguments, as written or as typed."""
        async with runtime(payments.loop_agent(), deps=payments.Bank()) as rt:
            run = await opened(rt)
            async with rt.session("r1") as session:
                await session.perform(PAY)
                await session.perform(PAY)
        done = assert_performed_once(rt, "pay_keyed", to="ann", amount="40")
        assert done.via == "performed"
        assert_performed_once(run, "pay_keyed", amount=Decimal(40))
        assert_not_performed(rt, "pay_keyed", to="bob")
        with pytest.raises(
            AssertionError, match=r"to='bob'\) was performed 0 times, not once\n\nrun r1:\n .* run_started"
        ):
            assert_performed_once(rt, "pay_keyed", to="bob")
        with pytest.raises(AssertionError, match="was called 1 times, not 2:\n  perform pay_keyed"):
            assert_performed_once(rt, "pay_keyed", times_called=2)
        with pytest.raises(AssertionError, match="pay_keyed was called 1 times"):
            assert_not_performed(rt, "pay_keyed")

    async def test_performed_twice(self):
        """Two proposals of the same thing are two performances, and the message shows both."""
        async with runtime(payments.loop_agent(), deps=payments.Bank()) as rt:
            await opened(rt)
            async with rt.session("r1") as session:
                await session.perform(PAY)
                await session.perform(Proposal(PAY.action, PAY.args, "p2"))
        with pytest.raises(AssertionError, match=r"(?s)performed 2 times.*\[p1\].*\[p2\]") as caught:
            assert_performed_once(rt, "pay_keyed", to="ann")
        assert "\n" in str(caught.value)

    async def test_an_edited_journal(self):
        """`assert_journal_verifies` finds an edit, and `assert_intact` the loss of what was acknowledged."""
        async with runtime(payments.loop_agent(), deps=payments.Bank()) as rt:
            await opened(rt)
            async with rt.session("r1") as session:
                await session.perform(PAY)
            assert assert_journal_verifies(rt).events == 3
            assert_intact(rt)
            row, seal = rt.store._events[2]
            rt.store._events[2] = (
                type(row)(*(getattr(row, one) for one in row.__struct_fields__[:-1]), b"{}"),
                seal,
            )
            with pytest.raises(AssertionError, match="the journal does not verify"):
                assert_journal_verifies(rt)

    async def test_a_timeline(self):
        """A timeline has a line an event: time since the start, seq, what, which call, with what."""
        async with runtime(payments.loop_agent(payments.SLOW), deps=payments.Bank()) as rt:
            run = await opened(rt)
            async with rt.session("r1") as session:
                await rt.outcome(session, PAY)
            lines = timeline(await run.history()).splitlines()
        assert [line.split()[2] for line in lines] == ["run_started", "delayed", "intended", "done"]
        assert (
            lines[1].split(maxsplit=1)[1] == "2 delayed         [p1] pay_keyed(amount='40', to='ann') until=+600.000s"
        )
        assert (
            lines[3] == "    +600.000s    4 done            [p1] pay_keyed effect='compensable' intent=3 → 'receipt 1'"
        )


class TestPeople:
    async def test_approving_and_denying(self):
        """People say yes, or no with a note; who is not there can't be asked."""
        async with runtime(payments.loop_agent(payments.STRICT), deps=payments.Bank()) as rt:
            await opened(rt)
            async with rt.session("r1") as session:
                big = {"to": "ann", "amount": "140"}
                assert_done(await rt.outcome(session, Proposal("pay_keyed", big, "a"), approving()))
                denied = await rt.outcome(session, Proposal("pay_keyed", big, "b"), denying("eve", "too much"))
                assert_denied(denied, match=r"eve \(finance\) said no: too much")
                with pytest.raises(AssertionError, match=r"nobody answers: give person="):
                    await rt.outcome(session, Proposal("pay_keyed", big, "c"))

    async def test_who_does_not_know(self):
        """Somebody who only approves is no answer to the question whether something happened."""
        async with runtime(payments.loop_agent(), deps=payments.Bank(), faults=[faults.raises("pay_blind")]) as rt:
            await opened(rt)
            async with rt.session("r1") as session:
                with pytest.raises(AssertionError, match="is asked, and ana doesn't know"):
                    await rt.outcome(session, Proposal("pay_blind", {"to": "ann", "amount": 1}), approving())


class TestFaults:
    @pytest.mark.parametrize(
        ("fault", "reached", "events"),
        [
            (faults.raises, 1, ["outcome_unknown", "retried", "done"]),
            (faults.hangs, 1, ["outcome_unknown", "retried", "done"]),
            (faults.lost_answer, 2, ["outcome_unknown", "retried", "done"]),
        ],
    )
    async def test_an_effect_without_answer(self, fault, reached, events):
        """Raised, hung or lost: the outcome is unknown, and with a key it is sent again; paid once."""
        async with runtime(payments.loop_agent(), deps=payments.Bank(), faults=[fault("pay_keyed")]) as rt:
            run = await opened(rt)
            async with rt.session("r1") as session:
                await rt.outcome(session, PAY)
            assert len(rt.calls_of("pay_keyed")) == reached
            assert [type(one.event).__name__.lower() for one in await run.history()][2:] == [
                event.replace("_", "") for event in events
            ]
        assert len(rt.deps.payments) == 1
        assert_performed_once(rt, "pay_keyed")

    async def test_an_error_that_refuses(self):
        """`raises` with `Refused` is an answer of the other side: it failed, and that is known."""
        from interlock import Refused

        refusing = faults.raises(payments.pay_blind, Refused("no money"))
        async with runtime(payments.loop_agent(), deps=payments.Bank(), faults=[refusing]) as rt:
            await opened(rt)
            async with rt.session("r1") as session:
                outcome = await rt.outcome(session, Proposal("pay_blind", {"to": "ann", "amount": 1}))
        assert outcome == Failed("no money")
        assert repr(refusing) == "<Raises pay_blind perform [0 left]>"

    async def test_an_effect_that_is_late(self):
        """A payment that arrives within the settle time is found by the probe, and not made twice."""
        late = faults.late("pay_quick", "8s")  # sending begins within 5 s, and the settle time is 10 s
        async with runtime(payments.loop_agent(), deps=payments.Bank(), faults=[late]) as rt:
            await opened(rt)
            async with rt.session("r1") as session:
                await rt.outcome(session, Proposal("pay_quick", {"to": "ann", "amount": 1}, "p1"))
        assert assert_performed_once(rt, "pay_quick").via == "probe"
        assert len(rt.deps.payments) == 1

    async def test_an_effect_that_is_late_after_a_long_call(self):
        """A call that was given up after 30 s may still be on its way for the settle time after that."""
        late = faults.late("pay_probed", "33s")  # the time-out is 30 s, the settle time 10 s
        async with runtime(payments.loop_agent(), deps=payments.Bank(), faults=[late]) as rt:
            await opened(rt)
            async with rt.session("r1") as session:
                await rt.outcome(session, Proposal("pay_probed", {"to": "ann", "amount": 1}, "p1"))
            await rt.clock.elapse("1m")
        assert len(rt.deps.payments) == 1

    async def test_a_thread_that_runs_on(self):
        """While the thread of an action still runs, a probe that finds nothing proves nothing."""
        slow, done, calls = threading.Event(), [], []

        @action.irreversible(timeout="1s", settle="1s")
        def pay(ctx: Ctx[object], to: str) -> str:
            """Pay, slowly the first time."""
            calls.append(to)
            if len(calls) == 1:
                slow.wait()
            done.append(to)
            return "paid"

        @pay.probe
        async def _(ctx: Ctx[object], to: str) -> "probe.Answer[str]":
            return probe.done("paid") if done else probe.never

        async def person(question):
            """After half an hour of looking, a person is asked; by then the thread has come to its end."""
            slow.set()
            while not done:
                await asyncio.sleep(0.001)
            await question.happened(by="ana", result="paid")

        async with runtime(Agent("payer", [pay], policy=Policy(permit(pay)))) as rt:
            await opened(rt, "payer")
            async with rt.session("r1") as session:
                outcome = await rt.outcome(session, Proposal("pay", {"to": "ann"}, "p1"), person)
        assert assert_done(outcome) == "paid"
        assert calls == done == ["ann"]

    async def test_a_fact_that_can_not_be_had(self):
        """Faults strike facts, probes, verifications and undos, too: `part` says which."""
        rings = Agent("bells", [ring], policy=Policy(permit(ring)))
        async with runtime(rings, deps=[], faults=[faults.raises("ring", part="probe")]) as rt:
            await opened(rt, "bells")
            async with rt.session("r1") as session:
                assert_done(await session.perform(Proposal("ring", {"bell": "big"})))

    @pytest.mark.parametrize("fault", [faults.raises, faults.lost_answer, faults.hangs])
    async def test_a_sync_function(self, fault):
        """The same faults strike functions that run in a thread."""
        async with runtime(BELLS, deps=[], faults=[fault("ring")]) as rt:
            await opened(rt, "bells")

            async def answer(question):
                await (question.happened("ana", 1) if rt.deps else question.never("ana"))

            async with rt.session("r1") as session:
                assert assert_done(await rt.outcome(session, Proposal("ring", {"bell": "big"}), answer)) == 1
        assert rt.deps == ["big"]

    async def test_a_full_disk(self):
        """An intent that can't be written is not sent; nothing has happened."""
        full = faults.journal_unavailable(after=1)
        async with runtime(payments.loop_agent(), deps=payments.Bank(), faults=[full]) as rt:
            await opened(rt)
            with pytest.raises(payments.JournalError, match="the disk is full"):
                async with rt.session("r1") as session:
                    await session.perform(PAY)
            assert_not_performed(rt, "pay_keyed")
            async with rt.session("r1") as session:
                assert_done(await session.perform(PAY))


class TestCrashAt:
    async def test_the_body_is_cut_off(self):
        """At the boundary the body ends, a new process runs on what was durable; handles go on."""
        async with runtime(payments.loop_agent(), deps=payments.Bank()) as rt:
            run = await opened(rt)
            async with crash_at(rt, "after:intended"):
                async with rt.session("r1") as session:
                    await session.perform(PAY)
                raise AssertionError("not reached")
            assert rt.deps.payments == []
            async with rt.session("r1") as session:
                await session.perform(PAY)
            assert await run.status() == "idle"
        assert_performed_once(rt, "pay_keyed")
        assert_intact(rt)

    async def test_what_the_dead_left(self):
        """A session of the dead process says so when it is used."""
        async with runtime(payments.loop_agent(), deps=payments.Bank()) as rt:
            await opened(rt)
            async with rt.session("r1") as session:
                async with rt.crash_at("before:done"):
                    await session.perform(PAY)
                with pytest.raises(RuntimeClosedError, match="was killed"):
                    await session.perform(Proposal("balance", {"of": "ann"}))

    async def test_kill(self):
        """A process can also be killed anywhere, by hand."""
        async with runtime(payments.driven_agent("pay_keyed", payments.SLOW), deps=payments.Bank()) as rt:
            run = await rt.start("driven")
            await rt.settled()
            await rt.kill()
            await rt.ending(run)
        assert len(rt.deps.payments) == 2
        assert_intact(rt)

    async def test_a_thread_dies_too(self):
        """A sync action whose process dies while it returns has happened, and nobody knows."""
        async with runtime(BELLS, deps=[]) as rt:
            await opened(rt, "bells")
            async with rt.crash_at("sending"), rt.session("r1") as session:
                await session.perform(Proposal("ring", {"bell": "big"}, "k"))
            assert rt.deps == ["big"]
            assert [question.kind for question in await rt.questions()] in ([], ["unknown"])
            async with rt.session("r1"):
                (question,) = await rt.questions("r1")
                assert question.kind == "unknown"

    async def test_a_body_that_ends(self):
        """A boundary that is not crossed is an error, which names those that were."""
        async with runtime(payments.loop_agent(), deps=payments.Bank()) as rt:
            with pytest.raises(
                AssertionError,
                match="'sending' was not crossed; these were: before:run_started, after:run_started",
            ):
                async with rt.crash_at("sending"):
                    await opened(rt)

    async def test_an_error_in_the_body(self):
        """An error of the body that has nothing to do with the crash comes through."""
        async with runtime(payments.loop_agent()) as rt:
            with pytest.raises(ZeroDivisionError):
                async with rt.crash_at("sending"):
                    _ = 1 / 0

    async def test_its_own_dependencies(self):
        """Without `deps=` each life makes the agent's own, as a process that starts again does."""
        made = []

        def make():
            made.append(payments.Bank())
            return made[-1]

        agent = Agent("loop", payments.ACTIONS, policy=payments.LENIENT, deps=make)
        async with runtime(agent) as rt:
            await opened(rt)
            for number in range(2):
                async with rt.session("r1") as session:
                    await session.perform(Proposal("balance", {"of": "ann"}, f"k{number}"))
                await rt.kill()
        assert len(made) == 2


async def test_the_author_s_agent_is_left_alone():
    """Watching works on copies: the agent that was given still has its own functions."""
    agent = payments.loop_agent()
    before = agent.actions["pay_keyed"].function
    async with runtime(agent, deps=payments.Bank()) as rt:
        assert rt.agents["loop"] is not agent
    assert agent.actions["pay_keyed"].function is before
