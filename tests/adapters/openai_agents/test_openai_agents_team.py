"""Agents of the OpenAI Agents SDK that hand over, and agents among the tools: all behind one governor."""

from functools import partial

import pytest
from agents import (
    Agent,
    RunConfig,
    Runner,
    RunState,
    function_tool,
    handoff,
)
from agents.extensions.handoff_filters import remove_all_tools
from agents.handoffs import Handoff
from agents.testing import ScriptedModel
from openai_agents_desk import (
    CRASH,
    SAID,
    Bank,
    calls,
    crashed,
    desk,
    governing,
    history,
    names,
    outputs,
    paying,
    resumed,
    run,
)

from interlock.adapters.openai_agents import govern
from interlock.kernel import events as ev


class TestManyAgents:
    def team(self, governor, bank, *, clerk_turns, triage_turns, **options):
        clerk_model, triage_model = ScriptedModel(clerk_turns), ScriptedModel(triage_turns)
        clerk = Agent("clerk", tools=bank.tools(), model=clerk_model)
        triage = Agent("triage", handoffs=[clerk], model=triage_model)
        clerk.handoffs.append(triage)  # A circle.
        return govern(triage, governor, **options), triage_model, clerk_model

    async def test_a_handover_is_governed(self, governor):
        """The agent behind it is, and it goes on after a crash, back and forth."""
        bank = Bank()
        triage, first, second = self.team(
            governor,
            bank,
            triage_turns=[calls(("transfer_to_clerk", {})), CRASH, SAID],
            clerk_turns=[calls(paying(amount=9999)), calls(paying()), calls(("transfer_to_triage", {}))],
        )
        await crashed(governor, triage)
        result = await run(governor, triage)
        assert (result.final_output, bank.paid, result.last_agent.name) == ("said", [("a", 40)], "triage")
        assert (len(first.calls), len(second.calls)) == (3, 3)
        assert (await names(governor)).count("Denied") == 1

    @pytest.mark.parametrize("made", [handoff, partial(handoff, input_filter=remove_all_tools)])
    async def test_a_handover_that_is_an_object(self, governor, made):
        """With filters too, which may take the tool calls out of what the next model is told."""
        bank = Bank()
        clerk = Agent("clerk", tools=bank.tools(), model=ScriptedModel([calls(paying()), CRASH, SAID]))
        turns = [calls(("search", {"query": "x"})), calls(("transfer_to_clerk", {}))]
        triage = Agent("triage", tools=bank.tools(), handoffs=[made(clerk)], model=ScriptedModel(turns))
        govern(triage, governor)
        await crashed(governor, triage)
        assert (await run(governor, triage)).final_output == "said"
        assert (len(bank.paid), len(bank.searched)) == (1, 1)

    @pytest.mark.parametrize("made", [handoff, lambda to: to])
    async def test_a_state_begins_behind_a_handover(self, tmp_path, made):
        """In a new process, with the agent that was handed over to: it is governed from the beginning."""
        bank, path = Bank(), tmp_path / "desk.db"
        for turns in ([calls(paying("big", 500))], [calls(paying("c", 9999)), SAID]):
            with governing(path) as governor:
                clerk = Agent("clerk", tools=bank.tools(), model=ScriptedModel(turns))
                triage = Agent(
                    "triage", handoffs=[made(clerk)], model=ScriptedModel([calls(("transfer_to_clerk", {}))])
                )
                govern(triage, governor)
                if turns[-1] is not SAID:
                    kept = (await run(governor, triage)).to_state().to_json()
                    continue
                state = await RunState.from_json(triage, kept)
                state.approve(state.get_interruptions()[0])
                result = await resumed(governor, triage, state)
        assert (result.final_output, result.last_agent.name, bank.paid) == ("said", "clerk", [("big", 500)])

    async def test_a_handover_to_an_agent_that_is_made_on_the_way(self, governor):
        """It is governed when it appears."""
        bank, model = Bank(), ScriptedModel([calls(paying(amount=9999)), calls(paying()), SAID])

        async def meet(ctx, text):
            return Agent("clerk", tools=bank.tools(), model=model)

        made = Handoff("to_clerk", "Hand over.", {}, meet, "clerk", strict_json_schema=False)
        triage = Agent("triage", handoffs=[made], model=ScriptedModel([calls(("to_clerk", {}))]))
        await run(governor, govern(triage, governor))
        assert bank.paid == [("a", 40)]

    async def test_an_agent_as_a_tool(self, governor):
        """What it does stands within its call; the whole goes on after a crash inside."""
        bank = Bank()
        inner = ScriptedModel([calls(paying("a")), calls(paying("b")), CRASH, SAID])
        clerk = Agent("clerk", tools=bank.tools(), model=inner)
        tools = [clerk.as_tool("ask_clerk", "Ask.", failure_error_function=None)]
        outer = ScriptedModel([calls(("ask_clerk", {"input": "Pay a and b."})), SAID])
        desk = govern(Agent("desk", tools=tools, model=outer), governor)
        await_error = pytest.raises(Exception, match="ask_clerk")
        with await_error:
            await run(governor, desk)
        assert (await run(governor, desk)).final_output == "said"
        assert ([order for order, _ in bank.paid], len(inner.calls), len(outer.calls)) == (["a", "b"], 4, 2)
        keys = [event.call for event in await history(governor) if isinstance(event, ev.TurnRecorded)]
        assert keys == ["0", "0/0/0", "0/0/1", "0/0/2", "1"]

    async def test_two_agents_as_tools_at_once(self, governor):
        """Each stands within its own call, whatever their order."""
        bank = Bank()
        clerks = [
            Agent(name, tools=bank.tools(), model=ScriptedModel([calls(paying(name)), CRASH, SAID])) for name in "ab"
        ]
        tools = [clerk.as_tool(f"ask_{clerk.name}", "Ask.") for clerk in clerks]
        turn = calls(("ask_a", {"input": "Pay."}), ("ask_b", {"input": "Pay."}))
        desk = govern(Agent("desk", tools=tools, model=ScriptedModel([turn, CRASH, SAID])), governor)
        await crashed(governor, desk)
        assert (await run(governor, desk)).final_output == "said"
        assert sorted(order for order, _ in bank.paid) == ["a", "b"]

    async def test_an_agent_that_is_run_inside_a_tool(self, governor):
        """A governed tool may run a governed agent: its turns and calls stand within the tool's call."""
        bank = Bank()
        inner = govern(Agent("inner", tools=bank.tools()[:1], model=ScriptedModel([calls(paying()), SAID])), governor)

        @function_tool
        async def search(query: str) -> str:
            return (await Runner.run(inner, query)).final_output

        agent, _ = desk(governor, bank, calls(("search", {"query": "x"})), SAID, tools=[search])
        result = await run(governor, agent)
        assert (outputs(result), len(bank.paid)) == (["said"], 1)
        assert [event.call for event in await history(governor) if isinstance(event, ev.Intended)] == ["0/0/0/0"]

    async def test_agents_that_share_their_tools(self, governor):
        """One list of tools for two agents is governed for both."""
        tools = Bank().tools()
        one, two = Agent("one", tools=tools, model=ScriptedModel()), Agent("two", tools=tools, model=ScriptedModel())
        one.handoffs = [two]
        govern(one, governor)
        assert len({id(tool) for agent in (one, two) for tool in agent.tools}) == 4

    async def test_an_agent_without_a_model_of_its_own(self, governor):
        """A model that is named comes from the provider that is given, as in a `RunConfig`."""
        asked = []

        class Provider:
            def get_model(self, name):
                asked.append(name)
                return ScriptedModel([SAID])

        agent = govern(Agent("desk", model="small"), governor, provider=Provider())
        assert (await run(governor, agent, run_config=RunConfig())).final_output == "said"
        assert asked == ["small"]
