"""Needs: asked and awaited durably, bound to exactly this, then judged again."""

import asyncio
from decimal import Decimal

import pytest

from interlock import (
    Agent,
    Ctx,
    Denied,
    Done,
    MemoryStore,
    Policy,
    Proposal,
    Runtime,
    Waiting,
    action,
    arg,
    fact,
    need,
    permit,
)
from interlock.errors import UnknownQuestionError, UnknownRunError


def pay(key="w", amount="500"):
    return Proposal("pay", {"ref": "a", "amount": amount}, key)


class TestApproval:
    async def test_yes_performs_exactly_this_once(self, rt, bank):
        """After a yes the same key is judged again and performed; a second proposal asks again."""
        run = await rt.start("desk")
        async with rt.session(run.id) as s:
            waiting = await s.perform(pay())
            assert isinstance(waiting, Waiting)
            question = waiting.question
            assert question.reasons == ("over 100",)
            assert (question.kind, question.level, question.args) == (
                "approval",
                "finance",
                {"ref": "a", "amount": "500"},
            )
            assert (await s.perform(pay())).question.id == question.id
            assert bank.calls == []
            await question.approve(by="ana")
            assert await s.perform(pay()) == Done("receipt a")
            assert isinstance(await s.perform(pay("w2")), Waiting)
        assert bank.calls == ["pay a"]

    async def test_no_denies_with_the_note(self, rt, bank):
        """A no is a denial that carries who said it and why."""
        run = await rt.start("desk")
        async with rt.session(run.id) as s:
            await (await s.perform(pay())).question.deny(by="ana", note="ask the customer first")
            await rt.settled()
            denied = await s.perform(pay())
            assert isinstance(denied, Denied)
            assert denied.reasons == ("ana (finance) said no: ask the customer first",)
            assert await s.perform(pay()) == denied
        assert bank.calls == []

    async def test_a_yes_is_void_when_the_facts_have_changed(self, rt, bank):
        """An approval was for these facts: when they change, people are asked again."""
        run = await rt.start("desk")
        async with rt.session(run.id) as s:
            first = await s.perform(pay())
            await first.question.approve(by="ana")
            await rt.settled()
            bank.limit = Decimal(600)
            second = await s.perform(pay())
            assert isinstance(second, Waiting)
            assert second.question.id != first.question.id
            bank.limit = Decimal(100)
            assert isinstance(await s.perform(pay()), Denied)
        assert bank.calls == []

    async def test_a_yes_is_void_under_another_policy(self, bank, desk):
        """An approval was given under one policy; under the next one people are asked again."""
        store = MemoryStore()
        async with Runtime(store, desk) as rt:
            run = await rt.start("desk")
            async with rt.session(run.id) as s:
                first = await s.perform(pay())
                await first.question.approve(by="ana")
                await rt.settled()
        stricter = Agent(
            "desk",
            desk.actions.values(),
            policy=Policy(*desk.policy.rules, need.approval("boss", "pay", when=arg.amount > 400)),
            deps=lambda: bank,
        )
        async with Runtime(store.fork(), stricter) as rt, rt.session(run.id) as s:
            waiting = await s.perform(pay())
            assert sorted(question.level for question in waiting.questions) == ["boss", "finance"]
        assert bank.calls == []

    async def test_a_question_lapses(self, desk, bank):
        """A question that nobody answers in time becomes a denial."""
        async with Runtime(MemoryStore(), desk, question_ttl="20ms") as rt:
            run = await rt.start("desk")
            async with rt.session(run.id) as s:
                await s.perform(pay())
                await asyncio.sleep(0.05)
                await rt.settled()
                denied = await s.perform(pay())
        assert denied.reasons == ("nobody answered the approval in time",)
        assert bank.calls == []

    async def test_a_yes_expires(self, desk, bank):
        """A yes that is not applied in time counts no more; people are asked again."""
        async with Runtime(MemoryStore(), desk, question_ttl="60ms") as rt:
            run = await rt.start("desk")
            async with rt.session(run.id) as s:
                first = await s.perform(pay())
                await first.question.approve(by="ana")
                await rt.settled()
                await asyncio.sleep(0.08)
                again = await s.perform(pay())
                assert isinstance(again, Waiting)
                assert again.question.id != first.question.id
        assert bank.calls == []

    async def test_only_the_first_answer_counts(self, rt, bank):
        """A no after a yes changes nothing."""
        run = await rt.start("desk")
        async with rt.session(run.id) as s:
            question = (await s.perform(pay())).question
            await question.approve(by="ana")
            await rt.settled()
            await question.deny(by="bob")
            await rt.settled()
            assert await s.perform(pay()) == Done("receipt a")

    async def test_questions_are_found_by_id_and_run(self, rt):
        """What waits is listed, of one run or of all; a wrong id is an error that says so."""
        run = await rt.start("desk")
        async with rt.session(run.id) as s:
            question = (await s.perform(pay())).question
        assert [one.id for one in await rt.questions()] == [question.id]
        assert [one.id for one in await run.questions()] == [question.id]
        assert (await rt.question(question.id)).digest == question.digest
        with pytest.raises(UnknownQuestionError):
            await rt.question("nonsense")
        with pytest.raises(UnknownQuestionError):
            await rt.question(f"{run.id}:1")
        with pytest.raises(UnknownRunError):
            await rt.question("nope:3")
        with pytest.raises(UnknownQuestionError, match="approve"):
            await question.happened(by="ana")


class TestMatching:
    async def test_waiting_matches_its_question(self, rt):
        """`case Waiting(question)` binds the first question."""
        run = await rt.start("desk")
        async with rt.session(run.id) as s:
            match await s.perform(pay()):
                case Waiting(question):
                    assert question.level == "finance"
                case other:
                    raise AssertionError(other)
        with pytest.raises(LookupError):
            _ = Waiting().question


class TestConfirmationAndSets:
    async def test_needs_add_up(self, bank, desk):
        """Every need of every rule that applies has to be met; meeting one does not drop another."""
        policy = Policy(
            permit("pay"),
            need.approval("finance", "pay"),
            need.approval("boss", "pay"),
            need.confirmation("pay"),
            need.delay("30ms", "pay"),
        )
        agent = Agent("desk", desk.actions.values(), policy=policy, deps=lambda: bank)
        async with Runtime(MemoryStore(), agent) as rt:
            run = await rt.start("desk")
            async with rt.session(run.id) as s:
                waiting = await s.perform(pay())
                assert len(waiting.questions) == 3
                for question in waiting.questions[:2]:
                    await question.approve(by="ana")
                await rt.settled()
                assert len((await s.perform(pay())).questions) == 1
                await waiting.questions[2].approve(by="user")
                await rt.settled()
                delayed = await s.perform(pay())
                assert not delayed.questions
                assert delayed.until
                assert bank.calls == []
                await asyncio.sleep(0.04)
                assert await s.perform(pay()) == Done("receipt a")
        assert bank.calls == ["pay a"]

    async def test_a_failing_fact_denies(self, bank, agent_of):
        """A fact that raises, or takes too long, denies and says so."""

        @action.read
        async def peek(ctx: Ctx[None]) -> int:
            """Look."""
            bank.calls.append("peek")
            return 1

        @peek.fact
        async def allowed(ctx: Ctx[None]) -> bool:
            raise ConnectionError("the directory is down")

        policy = Policy(permit(peek, when=fact.allowed == True))  # noqa: E712 - it builds a rule
        async with Runtime(MemoryStore(), agent_of(peek, policy=policy)) as rt:
            run = await rt.start("desk")
            async with rt.session(run.id) as s:
                denied = await s.perform(Proposal("peek"))
        assert isinstance(denied, Denied)
        assert "the directory is down" in " ".join(denied.reasons)
        assert bank.calls == []
