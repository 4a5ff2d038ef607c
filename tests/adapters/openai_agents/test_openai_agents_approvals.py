"""Approvals: what a guardian needs becomes an interruption of the SDK, and an answer on either side counts on both."""

import json

import pytest
from agents import Agent, Runner, RunState, function_tool
from agents.testing import ScriptedModel
from openai_agents_desk import SAID, Bank, calls, desk, governing, history, names, outputs, paying, resumed, run

from interlock import Governor, Policy, SqliteStore, need, permit, tool
from interlock.adapters.openai_agents import govern
from interlock.kernel import events as ev

BIG = paying("big", 500)


def approve(governor, yes=True, by="ana", note=""):
    """Answer everything that is open, as `interlock approve` does."""
    for question in governor.runtime.questions():
        (question.approve if yes else question.deny)(by, note)


async def answers(governor):
    return [(one.decision, one.by) for one in await history(governor) if isinstance(one, ev.Answered)]


class TestInterruptions:
    async def test_a_call_that_needs_an_approval_interrupts(self, governor):
        """The question is in the journal, the call is an interruption, and nothing is performed."""
        bank = Bank()
        agent, model = desk(governor, bank, calls(BIG, paying("small")), SAID)
        result = await run(governor, agent)
        (item,) = result.interruptions
        assert (item.tool_name, json.loads(item.arguments)) == ("pay", {"order": "big", "amount": 500})
        (question,) = governor.runtime.questions("r1")
        assert (question.kind, question.level) == ("approval", "finance")
        assert question.says == 'pay(amount=500, order="big")'
        assert (bank.paid, len(model.calls)) == ([("small", 40)], 1)
        assert governor.runtime.run("r1").status() == "waiting"

    async def test_an_approval_of_the_sdk_answers_the_question(self, governor):
        """The call is performed once, the question is answered, and the model hears of the payment."""
        bank = Bank()
        agent, model = desk(governor, bank, calls(BIG), SAID, by="the till")
        result = await run(governor, agent)
        state = result.to_state()
        state.approve(result.interruptions[0])
        result = await resumed(governor, agent, state)
        assert (result.final_output, outputs(result)) == ("said", ["paid 500 for big"])
        assert (bank.paid, len(model.calls)) == ([("big", 500)], 2)
        assert await answers(governor) == [("approve", "the till")]
        assert governor.runtime.run("r1").status() == "done"

    async def test_the_same_effect_once_more_interrupts(self):
        """In a later turn of the run it waits for the user, and a yes performs it."""
        bank = Bank()
        with governing(pay=tool.irreversible("pay")) as governor:
            agent, _ = desk(governor, bank, calls(paying()), calls(paying()), SAID)
            result = await run(governor, agent)
            (question,) = governor.runtime.questions("r1")
            assert (question.kind, question.says) == ("confirmation", 'pay(amount=40, order="a")')
            assert bank.paid == [("a", 40)]
            state = result.to_state()
            state.approve(result.interruptions[0])
            result = await resumed(governor, agent, state)
            assert outputs(result) == ["paid 40 for a"] * 2
        assert bank.paid == [("a", 40)] * 2

    async def test_the_same_effect_beside_itself_is_told_to_the_model(self):
        """The SDK asks what interrupts before it performs anything; so one is performed, and the other waits."""
        bank = Bank()
        with governing(pay=tool.irreversible("pay")) as governor:
            agent, _ = desk(governor, bank, calls(paying(), paying()), SAID, SAID)
            result = await run(governor, agent)
            assert (result.interruptions, bank.paid) == ([], [("a", 40)])
            assert "waits for the user's confirmation" in outputs(result)[1]
            approve(governor)
            assert outputs(await run(governor, agent)) == ["paid 40 for a"] * 2
            assert governor.runtime.run("r1").status() == "done"
        assert bank.paid == [("a", 40)] * 2

    async def test_a_rejection_of_the_sdk_answers_the_question(self, governor):
        """It is a no in the journal, and nothing is performed."""
        bank = Bank()
        agent, _ = desk(governor, bank, calls(BIG), SAID)
        result = await run(governor, agent)
        state = result.to_state()
        state.reject(result.interruptions[0], rejection_message="not today")
        result = await resumed(governor, agent, state)
        assert (result.final_output, outputs(result), bank.paid) == ("said", ["not today"], [])
        assert await answers(governor) == [("deny", "the application")]
        assert governor.runtime.questions("r1") == []
        assert governor.runtime.run("r1").status() == "done"

    async def test_an_answer_in_the_journal_counts_for_the_state(self, governor):
        """Somebody approves elsewhere: the state goes on without `approve`."""
        bank = Bank()
        agent, _ = desk(governor, bank, calls(BIG), SAID)
        state = (await run(governor, agent)).to_state()
        approve(governor)
        result = await resumed(governor, agent, state)
        assert (result.final_output, outputs(result)) == ("said", ["paid 500 for big"])
        assert (bank.paid, await answers(governor)) == ([("big", 500)], [("approve", "ana")])

    async def test_a_no_in_the_journal_counts_for_the_state(self, governor):
        """The model hears who said no, and why."""
        bank = Bank()
        agent, _ = desk(governor, bank, calls(BIG), SAID)
        state = (await run(governor, agent)).to_state()
        approve(governor, yes=False, note="too much")
        result = await resumed(governor, agent, state)
        assert (outputs(result), bank.paid) == (["It was not done: ana (finance) said no: too much."], [])

    async def test_nobody_has_answered_yet(self, governor):
        """A state that goes on too early is interrupted again, by the same question."""
        agent, model = desk(governor, Bank(), calls(BIG), SAID)
        state = (await run(governor, agent)).to_state()
        result = await resumed(governor, agent, state)
        assert len(result.interruptions) == len(governor.runtime.questions("r1")) == len(model.calls) == 1

    async def test_without_a_state(self, governor):
        """A run that is started again from its beginning finds its turns, and performs what was approved meanwhile."""
        bank = Bank()
        agent, model = desk(governor, bank, calls(paying("a")), calls(BIG, paying("b")), SAID)
        await run(governor, agent)
        approve(governor)
        result = await run(governor, agent)
        assert (result.final_output, len(model.calls)) == ("said", 3)
        assert bank.paid == [("a", 40), ("b", 40), ("big", 500)]

    async def test_two_that_wait_are_answered_one_by_one(self, governor):
        """Each call has its own question; one that is open keeps the run waiting."""
        bank = Bank()
        agent, _ = desk(governor, bank, calls(BIG, BIG), SAID)
        result = await run(governor, agent)
        state = result.to_state()
        state.approve(result.interruptions[0])
        result = await resumed(governor, agent, state)
        assert (len(result.interruptions), len(bank.paid)) == (1, 1)
        state = result.to_state()
        state.reject(result.interruptions[0])
        result = await resumed(governor, agent, state)
        assert (result.final_output, len(bank.paid)) == ("said", 1)
        assert [decision for decision, _ in await answers(governor)] == ["approve", "deny"]

    async def test_an_approval_for_ever_is_for_what_was_asked(self, governor):
        """`always_approve` answers the questions that were shown; the next payment asks anew, in the journal."""
        bank = Bank()
        agent, _ = desk(governor, bank, calls(BIG), calls(paying("bigger", 900)), SAID)
        result = await run(governor, agent)
        state = result.to_state()
        state.approve(result.interruptions[0], always_approve=True)
        result = await resumed(governor, agent, state)
        assert bank.paid == [("big", 500)]
        assert "waits for the approval of finance" in outputs(result)[1]
        assert ["bigger" in one.says for one in governor.runtime.questions("r1")] == [True]

    async def test_streamed(self, governor):
        """The same in a stream, on both sides of the interruption."""
        bank = Bank()
        agent, _ = desk(governor, bank, calls(BIG), SAID)
        with governor.run("r1"):
            result = Runner.run_streamed(agent, "Pay.")
            async for _ in result.stream_events():
                pass
            state = result.to_state()
            state.approve(result.interruptions[0])
            result = Runner.run_streamed(agent, state)
            async for _ in result.stream_events():
                pass
        assert (result.final_output, bank.paid) == ("said", [("big", 500)])

    async def test_what_no_rule_permits_interrupts_nobody(self, governor):
        """A denial is told to the model at once."""
        agent, _ = desk(governor, Bank(), calls(paying(amount=5000)), SAID)
        assert (await run(governor, agent)).interruptions == []


class TestRestarts:
    async def test_a_state_survives_with_the_journal(self, tmp_path):
        """Another process with the state's JSON and the journal goes on where the first one was."""
        bank, path = Bank(), tmp_path / "desk.db"
        with governing(path) as governor:
            agent, _ = desk(governor, bank, calls(paying("a")), calls(BIG, ("nope", {})))
            kept = (await run(governor, agent)).to_state().to_json()
        with governing(path) as governor:
            agent, model = desk(governor, bank, SAID)
            state = await RunState.from_json(agent, kept)
            state.approve(state.get_interruptions()[0])
            result = await resumed(governor, agent, state)
            assert (result.final_output, len(model.calls)) == ("said", 1)
            assert bank.paid == [("a", 40), ("big", 500)]
            turns = [event.call for event in await history(governor) if isinstance(event, ev.TurnRecorded)]
            assert turns == ["0", "1", "2"]

    @pytest.mark.parametrize("yes", [True, False])
    async def test_answered_in_the_journal_while_nobody_ran(self, tmp_path, yes):
        """The state of a process that is gone, and an answer that was given by another one."""
        bank, path = Bank(), tmp_path / "desk.db"
        with governing(path) as governor:
            agent, _ = desk(governor, bank, calls(BIG))
            kept = (await run(governor, agent)).to_state().to_json()
        with governing(SqliteStore(path)) as governor:
            approve(governor, yes=yes)
        with governing(path) as governor:
            agent, _ = desk(governor, bank, SAID)
            with governor.run("r1"):
                state = await RunState.from_json(agent, kept)
                result = await Runner.run(agent, state)
            assert (result.final_output, len(bank.paid)) == ("said", int(yes))

    @pytest.mark.parametrize("yes", [True, False])
    async def test_a_rejected_state_goes_on_at_the_next_turn(self, tmp_path, yes):
        """Whichever way the answer went, the turn after it is a new one."""
        bank, path = Bank(), tmp_path / "desk.db"
        with governing(path) as governor:
            agent, _ = desk(governor, bank, calls(BIG))
            kept = (await run(governor, agent)).to_state().to_json()
        with governing(path) as governor:
            agent, model = desk(governor, bank, calls(paying("b")), SAID)
            state = await RunState.from_json(agent, kept)
            (state.approve if yes else state.reject)(state.get_interruptions()[0])
            result = await resumed(governor, agent, state)
            assert (result.final_output, len(model.calls), len(bank.paid)) == ("said", 2, 1 + yes)
            assert [decision for decision, _ in await answers(governor)] == ["approve" if yes else "deny"]

    async def test_a_state_that_goes_on_twice(self, governor):
        """The second time everything is recalled."""
        bank = Bank()
        agent, model = desk(governor, bank, calls(BIG), calls(paying("b")), SAID)
        result = await run(governor, agent)
        state = result.to_state()
        state.approve(result.interruptions[0])
        kept = state.to_json()
        with governor.run("r1"):
            for _ in range(2):
                result = await Runner.run(agent, await RunState.from_json(agent, kept))
                assert result.final_output == "said"
        assert (bank.paid, len(model.calls)) == ([("big", 500), ("b", 40)], 3)

    async def test_a_state_in_another_run(self, governor):
        """Its calls belong to the run that they were made in; elsewhere they are refused."""
        bank = Bank()
        agent, _ = desk(governor, bank, calls(BIG), SAID)
        result = await run(governor, agent)
        state = result.to_state()
        state.approve(result.interruptions[0])
        with pytest.raises(Exception, match="in the run that it was made in"):
            await resumed(governor, agent, state, run_id="r2")
        assert bank.paid == []


class TestToolsThatAskThemselves:
    async def test_a_tool_that_always_asks(self, governor):
        """The SDK's own approval is kept; no question of ours stands behind it."""
        bank = Bank()
        agent, _ = desk(governor, bank, calls(paying()), SAID, tools=bank.tools(needs_approval=True))
        result = await run(governor, agent)
        assert (len(result.interruptions), governor.runtime.questions("r1"), bank.paid) == (1, [], [])
        state = result.to_state()
        state.approve(result.interruptions[0])
        await resumed(governor, agent, state)
        assert (bank.paid, await answers(governor)) == ([("a", 40)], [])

    async def test_a_tool_that_asks_sometimes(self, governor):
        """Its own function is asked about the judged arguments."""
        bank, seen = Bank(), []

        async def asks(ctx, given, call_id):
            seen.append(given)
            return given["amount"] > 50

        turn = calls(paying("a", "40"), paying("b", "60"), paying("c", 9999))
        agent, _ = desk(governor, bank, turn, SAID, tools=bank.tools(needs_approval=asks)[:1])
        result = await run(governor, agent)
        assert [json.loads(item.arguments)["order"] for item in result.interruptions] == ["b"]
        assert sorted(one["order"] for one in seen) == ["a", "b"]
        assert {type(one["amount"]) for one in seen} == {int}

    async def test_a_yes_in_the_journal_is_none_for_the_tool(self, governor):
        """Where the tool asks by itself too, only the SDK's approval lets it go on."""
        bank = Bank()
        agent, _ = desk(governor, bank, calls(BIG), SAID, tools=bank.tools(needs_approval=True))
        state = (await run(governor, agent)).to_state()
        approve(governor)
        result = await resumed(governor, agent, state)
        assert (len(result.interruptions), bank.paid) == (1, [])
        state = result.to_state()
        state.approve(result.interruptions[0])
        await resumed(governor, agent, state)
        assert bank.paid == [("big", 500)]


class TestNested:
    def nested(self, governor, bank, inner_turns, outer_turns):
        inner, outer = ScriptedModel(inner_turns), ScriptedModel(outer_turns)
        clerk = Agent("clerk", tools=bank.tools(), model=inner)
        return govern(Agent("desk", tools=[clerk.as_tool("ask_clerk", "Ask.")], model=outer), governor), inner, outer

    @pytest.mark.parametrize("yes", [True, False])
    @pytest.mark.parametrize("restart", [True, False])
    async def test_an_agent_as_a_tool_is_interrupted(self, tmp_path, yes, restart):
        """The interruption inside reaches the outside, and the answer the inside, also in another process."""
        bank, path = Bank(), tmp_path / "desk.db"
        ask, rest = calls(("ask_clerk", {"input": "Pay."})), [SAID]
        governor = governing(path)
        agent, inner, _ = self.nested(governor, bank, [calls(BIG), *rest], [ask, *rest])
        result = await run(governor, agent)
        assert [item.agent.name for item in result.interruptions] == ["clerk"]
        state = result.to_state()
        if restart:
            kept = state.to_json()
            governor.close()
            governor = governing(path)
            agent, inner, _ = self.nested(governor, bank, rest, rest)
            state = await RunState.from_json(agent, kept)
        (state.approve if yes else state.reject)(state.get_interruptions()[0])
        result = await resumed(governor, agent, state)
        assert (result.final_output, len(bank.paid)) == ("said", int(yes))
        assert [decision for decision, _ in await answers(governor)] == ["approve" if yes else "deny"]
        turns = [event.call for event in await history(governor) if isinstance(event, ev.TurnRecorded)]
        assert turns == ["0", "0/0/0", "0/0/1", "1"]
        inner.assert_complete()
        governor.close()

    async def test_in_the_journal(self, governor):
        """An answer that was given elsewhere reaches the inside when the run is begun anew, without the state."""
        bank = Bank()
        agent, _, _ = self.nested(governor, bank, [calls(BIG), SAID], [calls(("ask_clerk", {"input": "Pay."})), SAID])
        await run(governor, agent)
        approve(governor)
        result = await run(governor, agent)
        assert (result.final_output, bank.paid) == ("said", [("big", 500)])

    async def test_behind_a_handover(self, governor):
        """The agent that was handed over to waits, and goes on."""
        bank = Bank()
        clerk = Agent("clerk", tools=bank.tools(), model=ScriptedModel([calls(BIG), SAID]))
        turns = [calls(("transfer_to_clerk", {}))]
        triage = govern(Agent("triage", handoffs=[clerk], model=ScriptedModel(turns)), governor)
        result = await run(governor, triage)
        state = result.to_state()
        state.approve(result.interruptions[0])
        result = await resumed(governor, triage, state)
        assert (result.final_output, bank.paid) == ("said", [("big", 500)])


async def test_a_delay_is_told(governor):
    """What has to wait for time, and not for a person, interrupts nobody."""
    sent = []

    @function_tool
    def send(text: str) -> str:
        sent.append(text)
        return "sent"

    made = tool.irreversible("send")
    with Governor(":memory:", [made], policy=Policy(permit(made), need.delay("1h", made))) as slow:
        agent, _ = desk(slow, Bank(), calls(("send", {"text": "x"})), SAID, tools=[send])
        result = await run(slow, agent)
        assert (result.interruptions, sent) == ([], [])
        assert "it has to wait until" in outputs(result)[0]


async def test_an_undo_takes_the_run_back(tmp_path):
    """What was performed by the SDK's agents is in the undo plan of the run."""
    undone, pay = [], tool.compensable("pay")

    @pay.undo
    def _(ctx, done, order, amount):
        undone.append((order, amount, done))

    bank = Bank()
    with governing(tmp_path / "desk.db", pay=pay) as governor:
        agent, _ = desk(governor, bank, calls(paying("a"), paying("b")), SAID)
        await run(governor, agent)
        assert governor.runtime.run("r1").undo_plan().apply(by="ana") == ()
        assert undone == [("b", 40, "paid 40 for b"), ("a", 40, "paid 40 for a")]
        assert "UndoEnded" in await names(governor)
