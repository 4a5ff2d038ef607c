"""Undo: planned first, then in reverse order, journaled, once."""

import asyncio

import pytest

from interlock import Ctx, Finished, MemoryStore, Proposal, Refused, Runtime, action
from interlock.errors import RunEndedError


async def three_effects(rt, bank):
    run = await rt.start("desk")
    async with rt.session(run.id) as s:
        await s.perform(Proposal("pay", {"ref": "a", "amount": 1}))
        await s.perform(Proposal("pay", {"ref": "b", "amount": 2}))
        key = next(iter(bank.paid))
        await s.perform(Proposal("rename", {"key": key, "name": "c"}))
        await s.finish("ok")
    return run


class TestPlan:
    async def test_the_plan_says_what_comes_back_and_how(self, rt, bank):
        """The plan lists the effects, the last one first: restoring and compensating have their own names."""
        run = await three_effects(rt, bank)
        plan = await run.undo_plan()
        assert [(item.action, item.way) for item in plan.items] == [
            ("rename", "restore"),
            ("pay", "compensate"),
            ("pay", "compensate"),
        ]
        assert "3 of 3 effects can be taken back" in str(plan)
        assert bank.calls == ["pay a", "pay b"]

    async def test_what_is_irreversible_is_named(self, rt):
        """The plan names what can't be taken back, and why."""
        run = await rt.start("desk")
        async with rt.session(run.id) as s:
            waiting = await s.perform(Proposal("mail", {"to": "x", "text": "y"}, "m"))
            await waiting.question.approve(by="user")
            await rt.settled()
            await s.perform(Proposal("mail", {"to": "x", "text": "y"}, "m"))
        plan = await run.undo_plan()
        assert [(item.way, item.why) for item in plan.items] == [("cannot", "it is irreversible")]
        assert await plan.apply(by="ana") == ()


class TestApply:
    async def test_effects_are_taken_back_in_reverse_order(self, rt, bank):
        """All that can be taken back is, the last one first, and the run keeps its end."""
        run = await three_effects(rt, bank)
        assert await (await run.undo_plan()).apply(by="ana") == ()
        assert bank.paid == {}
        assert bank.calls == ["pay a", "pay b", "reverse b", "reverse a"]
        assert await run.result() == Finished("ok")
        assert (await run.undo_plan()).items == ()

    async def test_two_people_who_undo_the_same_do_it_once(self, rt, bank):
        """A plan that was made before another was applied takes nothing back twice."""
        run = await three_effects(rt, bank)
        one, two = await run.undo_plan(), await run.undo_plan()
        await asyncio.gather(one.apply(by="ana"), two.apply(by="bob"))
        assert bank.calls.count("reverse a") == 1
        await two.apply(by="bob")
        assert bank.calls.count("reverse a") == 1

    async def test_no_proposal_can_pass_for_an_undo(self, rt, bank):
        """A key that looks like the runtime's own is a proposal's key like any other."""
        run = await rt.start("desk")
        async with rt.session(run.id) as s:
            await s.perform(Proposal("pay", {"ref": "a", "amount": 1}, "first"))
            await s.perform(Proposal("pay", {"ref": "b", "amount": 1}, "~undo/3"))
            await s.perform(Proposal("pay", {"ref": "c", "amount": 1}, "undo/3"))
        assert await (await run.undo_plan()).apply(by="ana") == ()
        assert bank.calls[3:] == ["reverse c", "reverse b", "reverse a"]

    async def test_a_run_that_is_still_going_is_not_undone(self, rt):
        """Undoing under a running loop is refused; end or cancel it first."""
        run = await rt.start("desk")
        async with rt.session(run.id) as s:
            await s.perform(Proposal("pay", {"ref": "a", "amount": 1}))
            plan = await run.undo_plan()
            with pytest.raises(RunEndedError, match="cancel"):
                await plan.apply(by="ana")

    async def test_an_undo_that_is_refused_stops_and_is_reported(self, bank, agent_of):
        """What can't be taken back is reported, and what came before it is left for a person to decide."""
        done = []

        @action.compensable
        async def ship(ctx: Ctx[None], what: str) -> None:
            """Ship."""
            done.append(what)

        @ship.undo
        async def _(ctx: Ctx[None], result: None, what: str) -> None:
            if what == "b":
                raise Refused("it has left the country")
            done.remove(what)

        async with Runtime(MemoryStore(), agent_of(ship)) as rt:
            run = await rt.start("desk")
            async with rt.session(run.id) as s:
                for what in "abc":
                    await s.perform(Proposal("ship", {"what": what}))
            plan = await run.undo_plan()
            failed = await plan.apply(by="ana")
            assert failed == plan.items[1:]
            assert done == ["a", "b"]
            assert [item.args["what"] for item in (await run.undo_plan()).items] == ["b", "a"]

    async def test_an_undo_whose_outcome_is_unknown_asks(self, agent_of):
        """A counter-action that has no key to be sent again under is not sent twice: a person is asked."""
        reversals = []

        @action.compensable
        async def ship(ctx: Ctx[None]) -> None:
            """Ship."""

        @ship.undo
        async def _(ctx: Ctx[None], result: None) -> None:
            reversals.append(1)
            raise ConnectionError("no answer")

        async with Runtime(MemoryStore(), agent_of(ship)) as rt:
            run = await rt.start("desk")
            async with rt.session(run.id) as s:
                await s.perform(Proposal("ship"))
            undoing = asyncio.create_task((await run.undo_plan()).apply(by="ana"))
            while not (questions := await run.questions()):
                await asyncio.sleep(0.01)
            assert questions[0].kind == "unknown"
            await questions[0].happened(by="ana")
            assert await undoing == ()
            assert (await run.undo_plan()).items == ()
        assert reversals == [1]
