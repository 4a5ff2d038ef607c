"""A crash at every boundary, for every kind of service, driven and session runs, with and without needs."""

import logging

import payments
import pytest

from interlock import Agent, Policy, Proposal, permit
from interlock.testing import assert_performed_once, crash, every_crash, faults, runtime
from interlock.testing.crashes import questions_about_unknowns

POLICIES = {"free": payments.LENIENT, "approved": payments.STRICT, "delayed": payments.SLOW}


def case(mode, kind, policy):
    """Return an agent and the scenario that pays two people with the action of that kind."""
    name = f"pay_{kind}"
    if mode == "session":
        return payments.loop_agent(POLICIES[policy]), payments.paying_loop(name, payments.knowing)
    return payments.driven_agent(name, POLICIES[policy]), payments.driving(payments.knowing)


SENT = {"after:intended", "sending", "before:done"}
"""Where a crash leaves an intent without an outcome."""


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("mode", ["session", "driven"])
class TestMatrix:
    """After a crash at any boundary, short or long, both payments were made exactly once."""

    async def test_with_idempotency_keys(self, mode, policy):
        """A service that honours keys is sent to again under the same key; nobody is ever asked."""
        agent, play = case(mode, "keyed", policy)
        crashes = await every_crash(agent, play, check=payments.paid_once, deps=payments.Bank, down=("0s", "1h"))
        assert not crashes.asked
        assert {boundary for (boundary,) in crashes.boundaries} >= SENT

    async def test_with_a_probe_only(self, mode, policy):
        """A service that can be asked is asked, and not sent to again too soon; no person is asked."""
        agent, play = case(mode, "probed", policy)
        crashes = await every_crash(agent, play, check=payments.paid_once, deps=payments.Bank, down=("0s", "1h"))
        assert not crashes.asked

    async def test_with_neither(self, mode, policy):
        """Without key and probe a person is asked after exactly those crashes that left it unknown."""
        agent, play = case(mode, "blind", policy)
        crashes = await every_crash(agent, play, check=payments.paid_once, deps=payments.Bank, down=("0s", "1h"))
        assert {boundary.partition("#")[0] for (boundary,) in crashes.asked} == SENT
        unknown = {at for at in crashes.boundaries if at[0].partition("#")[0] in SENT}
        # The third outcome of a driven run is that of a read: nothing is ever unknown of it.
        assert unknown - set(crashes.asked) == ({("before:done#3",)} if mode == "driven" else set())


@pytest.mark.parametrize("mode", ["session", "driven"])
@pytest.mark.parametrize("kind", payments.KINDS)
async def test_two_crashes(mode, kind):
    """Recovery survives crashes of its own: a second one at every boundary of the life after the first."""
    agent, play = case(mode, kind, "free")
    crashes = await every_crash(agent, play, check=payments.paid_once, deps=payments.Bank, twice=True, every=7)
    assert any(len(at) == 2 for at in crashes.boundaries)
    assert bool(crashes.asked) == (kind == "blind")


@pytest.mark.parametrize("mode", ["session", "driven"])
@pytest.mark.parametrize("kind", payments.KINDS)
@pytest.mark.parametrize("fault", ["raises", "lost_answer", "hangs", "late"])
async def test_a_faulty_service_and_a_crash(mode, kind, fault):
    """A service that fails, falls silent or is late, and a crash on top: paid once all the same."""
    agent, play = case(mode, kind, "approved")

    async def faulty(rt):
        if not rt.deps.notes:
            rt.deps.notes.append("a fault was injected")
            name = f"pay_{kind}"
            rt.inject(faults.late(name, "4s") if fault == "late" else getattr(faults, fault)(name))
        await play(rt)
        await rt.clock.elapse("10s")

    # Who is asked about a payment that is still on its way can't know; so much is said in the docs.
    check = None if (fault, kind) == ("late", "blind") else payments.paid_once
    crashes = await every_crash(agent, faulty, check=check, deps=payments.Bank)
    assert bool(crashes.asked) == (kind == "blind")


async def undoing(rt):
    """Open a door, pay, open the door again, and take it all back."""
    run = await rt.start("loop", run="r1")
    if await run.status() not in ("done", "undoing"):
        async with rt.session("r1") as session:
            await rt.outcome(session, Proposal("open_door", {"name": "front"}, "d1"))
            await rt.outcome(session, Proposal("pay_keyed", {"to": "ann", "amount": "40"}, "p1"))
            await rt.outcome(session, Proposal("open_door", {"name": "front"}, "d2"))
            await session.finish()
    assert await rt.undo(run, "ana") == ()


def all_undone(rt):
    """The door is as it was, and the payment was reversed once."""
    assert rt.deps.doors == {"front": "closed"}, rt.deps.doors
    assert (len(rt.deps.payments), len(rt.deps.reversed)) == (1, 1)


class TestUndo:
    """An undo survives a crash at any boundary: exact state restored, compensated once."""

    @pytest.mark.parametrize("twice", [False, True])
    async def test_every_crash(self, twice):
        """Whenever the process is killed (also while recovering), the undo comes to its end by itself."""
        crashes = await every_crash(
            payments.loop_agent(),
            undoing,
            check=all_undone,
            deps=payments.Bank,
            down=("0s",),
            twice=twice,
            every=7,
        )
        assert any("undoing" in at[0] for at in crashes.boundaries)
        assert not crashes.asked

    @pytest.mark.parametrize("fault", ["raises", "lost_answer", "hangs"])
    @pytest.mark.parametrize("action", ["pay_keyed", "open_door"])
    async def test_a_faulty_way_back(self, fault, action):
        """An undo whose function fails or falls silent is sent again under its key, crash or no crash."""

        async def faulty(rt):
            if not rt.deps.notes:
                rt.deps.notes.append("a fault was injected")
                rt.inject(getattr(faults, fault)(action, part="undo"))
            await undoing(rt)

        await every_crash(payments.loop_agent(), faulty, check=all_undone, deps=payments.Bank)


class TestCancel:
    async def test_every_crash(self):
        """A cancelled run ends as cancelled after any crash, and what it had sent is known."""
        agent = payments.driven_agent("pay_keyed", payments.STRICT)

        async def play(rt):
            run = await rt.start("driven", run="r1")
            if await run.status() != "cancelled":
                await rt.clock.run(run.result())
                await run.cancel("ana", "changed her mind")
            await rt.clock.elapse("1m")
            assert await run.status() == "cancelled"

        def check(rt):
            assert [to for to, _ in rt.deps.payments] == ["ann"], rt.deps.payments

        await every_crash(agent, play, check=check, deps=payments.Bank, down=("0s", "1h"))


@pytest.mark.parametrize("mode", ["session", "driven", "undo"])
class TestFullDisk:
    """A journal that can't be written for a while loses nothing and does nothing twice."""

    async def ended(self, mode, failing, at=""):
        """Play until the journal lets it through; with a crash first, if it says where."""
        agent, play = (payments.loop_agent(), undoing) if mode == "undo" else case(mode, "keyed", "approved")
        async with runtime(agent, deps=payments.Bank()) as rt:
            if at:
                async with rt.crash_at(at):
                    await rt.clock.run(play(rt))
            rt.inject(failing)
            for _ in range(5):
                try:
                    await rt.clock.run(play(rt), at_most="1h")
                    break
                except payments.JournalError:
                    await rt.clock.elapse("5s")
            (all_undone if mode == "undo" else payments.paid_once)(rt)
            return rt

    @pytest.mark.parametrize("times", [1, 3])
    async def test_whenever_it_happens(self, mode, times, caplog):
        """Whichever writes are refused, the run comes to its end once the disk has room again."""
        caplog.set_level(logging.CRITICAL, "interlock")
        for after in range(16):
            await self.ended(mode, faults.journal_unavailable(times, after=after))

    async def test_while_recovering(self, mode, caplog):
        """The same right after a crash, while the next process takes the run over."""
        caplog.set_level(logging.CRITICAL, "interlock")
        for after in range(8):
            await self.ended(mode, faults.journal_unavailable(after=after), at="sending")


class TestDefinitions:
    async def test_they_are_stored_once_it_can_be(self):
        """The policy is in the journal even if a full disk refused the first start of a run."""
        agent = payments.loop_agent()
        async with runtime(agent, faults=[faults.journal_unavailable()]) as rt:
            with pytest.raises(payments.JournalError):
                await rt.start("loop")
            await rt.start("loop")
            assert [data async for _, data in rt.store.blobs()] == [agent.policy.to_json()]


class TestHarness:
    async def test_one_crash(self):
        """`crash` kills at one boundary, runs the scenario again, and returns the runtime to look at."""
        agent, play = case("session", "keyed", "free")
        rt = await crash(agent, play, at="sending", deps=payments.Bank, check=payments.paid_once)
        assert len(rt.calls_of("pay_keyed", to="ann")) == 2
        assert_performed_once(rt, "pay_keyed", to="ann")

    async def test_a_question_to_a_person(self):
        """What a person was asked about an unknown outcome can be looked at."""
        agent, play = case("session", "blind", "free")
        rt = await crash(agent, play, at="sending", deps=payments.Bank)
        (asked,) = questions_about_unknowns(rt)
        assert (asked.action, asked.kind) == ("pay_blind", "unknown")

    async def test_a_boundary_that_is_not_there(self):
        """A boundary that the scenario doesn't cross is an error that names those that it does."""
        agent, play = case("session", "keyed", "free")
        with pytest.raises(AssertionError, match=r"'before:dome' was not crossed; .*before:done"):
            await crash(agent, play, at="before:dome", deps=payments.Bank)

    async def test_a_broken_invariant(self):
        """A check that fails is reported for each crash at which it did, with timeline and calls."""
        action = payments.pay_blind

        async def careless(rt):
            await rt.start("careless", run="r1")
            async with rt.session("r1") as session:
                key = f"k{len(rt.deps.notes)}"  # A loop that makes up a new key each time it starts.
                rt.deps.notes.append(key)
                await rt.outcome(
                    session, Proposal("pay_blind", {"to": "ann", "amount": "40"}, key), payments.knowing(rt)
                )

        def check(rt):
            assert len(rt.deps.payments) == 1, f"paid {len(rt.deps.payments)} times"

        agent = Agent("careless", [action], policy=Policy(permit(action)))
        with pytest.raises(AssertionError) as caught:
            await every_crash(agent, careless, check=check, deps=payments.Bank)
        text = str(caught.value)
        assert "crash at after:done:\nAssertionError: paid 2 times\n" in text
        assert "perform pay_blind(to='ann', amount=Decimal('40')) attempt 1: returned" in text

    async def test_two_runs_in_one_process(self):
        """A crash takes all runs of the process along, and all of them go on."""
        agent = payments.driven_agent("pay_keyed")

        async def play(rt):
            runs = [await rt.start("driven", run=f"r{number}") for number in range(3)]
            for run in runs:
                await rt.ending(run)

        def check(rt):
            assert len(rt.deps.payments) == 6

        await every_crash(agent, play, check=check, deps=payments.Bank)
