"""`govern` of the OpenAI Agents SDK: what it takes, what it refuses, and what it leaves as it was."""

from typing import Any

import pytest
from agents import (
    Agent,
    CodeInterpreterTool,
    FunctionTool,
    GuardrailFunctionOutput,
    InputGuardrail,
    RunConfig,
    RunContextWrapper,
    Runner,
    ToolGuardrailFunctionOutput,
    WebSearchTool,
    function_tool,
    tool_input_guardrail,
)
from agents.exceptions import UserError
from agents.sandbox import SandboxAgent
from agents.testing import ScriptedModel, assistant_message
from agents.tool import tool_namespace
from openai_agents_desk import SAID, Bank, calls, desk, governing, outputs, pay_tool, paying, resumed, run
from pydantic import BaseModel

from interlock import Governor, Policy, permit, tool
from interlock.adapters.openai_agents import govern
from interlock.errors import DeclarationError, PolicyError


class Divider:
    """Divides by two."""

    def __call__(self, number: int) -> int:
        return number // 2


class TestGoverning:
    def test_a_rule_about_an_argument_that_there_is_not(self):
        """Said when the agent is governed, not when a payment goes through."""
        from interlock import arg

        pay = pay_tool()
        governor = Governor(":memory:", [pay], policy=Policy(permit(pay, when=arg.sum <= 100)))
        with pytest.raises(PolicyError, match="sum"):
            desk(governor, Bank())

    @pytest.mark.parametrize(
        "made", [WebSearchTool(), CodeInterpreterTool({"type": "code_interpreter", "container": {"type": "auto"}})]
    )
    def test_what_is_performed_elsewhere_is_refused(self, governor, made):
        """A tool of the provider is an error, unless its name says that this is known."""
        with pytest.raises(DeclarationError, match=made.name):
            govern(Agent("desk", tools=[made]), governor)
        assert govern(Agent("desk", tools=[made]), governor, ungoverned=[made.name]).tools == [made]

    async def test_one_that_is_added_later_is_refused_too(self, governor):
        """Before the model is told of it."""
        agent, model = desk(governor, Bank(), SAID)
        agent.tools.append(WebSearchTool())
        with pytest.raises(DeclarationError, match="web_search"):
            await run(governor, agent)
        assert model.calls == ()

    async def test_a_function_that_is_added_later_is_governed(self, governor):
        """By the same rules."""
        bank = Bank()
        pay, search = bank.tools()
        agent, _ = desk(governor, bank, calls(paying(amount=5000)), calls(paying()), SAID, tools=[search])
        agent.tools.append(pay)
        await run(governor, agent)
        assert bank.paid == [("a", 40)]

    async def test_a_clone_keeps_its_governor(self, governor):
        """Its tools and its model are the governed ones."""
        bank = Bank()
        agent, _ = desk(governor, bank, calls(paying(amount=5000)), calls(paying()), SAID)
        await run(governor, agent.clone(instructions="Pay more."))
        assert bank.paid == [("a", 40)]

    async def test_a_clone_that_is_governed(self, governor):
        """It has its own name in the journal, and its approvals."""
        bank = Bank()
        agent, _ = desk(governor, bank, calls(paying("big", 500)), SAID)
        clone = govern(agent.clone(name="clone"), governor)
        state = (await run(governor, clone)).to_state()
        state.approve(state.get_interruptions()[0])
        assert (await resumed(governor, clone, state)).final_output == "said"
        assert bank.paid == [("big", 500)]

    async def test_a_handover_that_is_added_later(self, governor):
        """The agent behind it is governed before anybody can hand over to it."""
        bank = Bank()
        clerk = Agent("clerk", tools=bank.tools(), model=ScriptedModel([calls(paying(amount=9999)), SAID]))
        agent, _ = desk(governor, bank, calls(("transfer_to_clerk", {})))
        agent.handoffs.append(clerk)
        assert (await run(governor, agent)).final_output == "said"
        assert bank.paid == []

    def test_one_that_could_not_be_governed_at_first(self, governor):
        """Once its tools are in order, all of it is governed."""
        clerk = Agent("clerk", tools=[*Bank().tools(), WebSearchTool()], model=ScriptedModel())
        triage = Agent("triage", handoffs=[clerk], model=ScriptedModel())
        with pytest.raises(DeclarationError, match="web_search"):
            govern(triage, governor)
        clerk.tools.pop()
        govern(triage, governor)
        assert type(clerk.model) is type(triage.model)
        assert not isinstance(clerk.model, ScriptedModel)

    async def test_a_clone_with_a_tool_that_is_not_governed(self, governor):
        """It says so before its model is asked."""
        bank = Bank()
        agent, model = desk(governor, bank, SAID)
        with pytest.raises(DeclarationError, match="not governed"):
            await run(governor, agent.clone(tools=bank.tools()))
        assert model.calls == ()

    async def test_outside_a_run(self, governor):
        """Without a run there is no key: it is said what to write."""
        agent, _ = desk(governor, Bank(), SAID)
        with pytest.raises(DeclarationError, match=r"with governor\.run"):
            await Runner.run(agent, "Pay a.")

    async def test_in_a_run_of_another_governor(self, governor):
        """It counts as none."""
        agent, _ = desk(governor, Bank(), SAID)
        with governing() as other, pytest.raises(DeclarationError, match=r"with governor\.run"):
            await run(other, agent)

    async def test_a_model_that_takes_its_place(self, governor):
        """`RunConfig(model=…)` passes the journal by: its calls are refused."""
        bank = Bank()
        agent, _ = desk(governor, bank, calls(paying()), SAID)
        plain = agent.model.inner
        with pytest.raises(UserError, match="RunConfig"):
            await run(governor, agent, run_config=RunConfig(model=plain))
        assert bank.paid == []

    def test_twice_is_once(self, governor):
        """Governing an agent again changes nothing; another governor is an error."""
        agent, _ = desk(governor, Bank())
        tools, model = agent.tools, agent.model
        assert govern(agent, governor) is agent
        assert (agent.tools, agent.model) == (tools, model)
        with governing() as other, pytest.raises(DeclarationError, match="another governor"):
            govern(agent, other)

    def test_the_tools_of_the_application_stay_as_they_are(self, governor):
        """A tool object may be used elsewhere; it is a copy that is governed."""
        tools = Bank().tools()
        invokers = [one.on_invoke_tool for one in tools]
        agent, _ = desk(governor, Bank(), tools=tools)
        assert [one.on_invoke_tool for one in tools] == invokers
        assert all(one.on_invoke_tool not in invokers for one in agent.tools)

    async def test_a_tool_that_is_made_by_hand(self, governor):
        """It has a schema and no function: it is validated by its schema."""
        got = []

        async def invoke(ctx: RunContextWrapper[Any], text: str) -> str:
            got.append(text)
            return "paid"

        schema = {"properties": {"order": {"type": "string"}, "amount": {"type": "integer"}}, "type": "object"}
        made = FunctionTool("pay", "Pay.", schema, invoke)
        agent, _ = desk(governor, Bank(), calls(paying(amount="x")), calls(paying()), SAID, tools=[made])
        result = await run(governor, agent)
        assert got == ['{"order":"a","amount":40}']
        assert "don't fit" in outputs(result)[0]

    async def test_an_object_that_can_be_called(self):
        """It is validated as the SDK does, or by its schema."""
        divide = tool.read("divide")
        with Governor(":memory:", [divide], policy=Policy(permit(divide))) as governor:
            one = function_tool(Divider(), name_override="divide")
            agent, _ = desk(governor, Bank(), calls(("divide", {"number": 6})), SAID, tools=[one])
            assert outputs(await run(governor, agent)) == ["3"]

    async def test_a_tool_whose_result_has_a_schema(self, governor):
        """A denial is no such result, and reaches the model all the same."""

        class Receipt(BaseModel):
            order: str

        @function_tool(output_type=Receipt)
        def pay(order: str, amount: int) -> Receipt:
            return Receipt(order=order)

        agent, _ = desk(governor, Bank(), calls(paying(amount=9999), paying()), SAID, tools=[pay])
        denied, done = outputs(await run(governor, agent))
        assert denied.startswith("It was not done:")
        assert "'order': 'a'" in done

    async def test_a_guardrail_that_runs_a_governed_agent(self, governor):
        """It runs beside the first turn, so it needs a run of its own."""

        async def look(ctx, agent, given):
            with governor.run("r1/guardrail"):
                said = (await Runner.run(guard, given)).final_output
            return GuardrailFunctionOutput(said, tripwire_triggered=False)

        guard, _ = desk(governor, Bank(), [assistant_message("fine")])
        agent, _ = desk(governor, Bank(), calls(paying()), SAID)
        agent.input_guardrails = [InputGuardrail(look)]
        result = await run(governor, agent)
        assert (result.final_output, result.input_guardrail_results[0].output.output_info) == ("said", "fine")

    def test_a_sandbox(self, governor):
        """What happens in a sandbox passes no governor: that is said at once."""
        with pytest.raises(DeclarationError, match="SandboxAgent"):
            govern(SandboxAgent("desk"), governor)

    def test_two_tools_of_one_name(self, governor):
        """Rules go by names: two tools that take different things can't share one."""

        @function_tool(name_override="pay")
        def other(account: str) -> str:
            return account

        one = Agent("one", tools=Bank().tools(), handoffs=[Agent("two", tools=[other])])
        with pytest.raises(DeclarationError, match="'pay'"):
            govern(one, governor)

    async def test_a_namespace_is_part_of_the_name(self):
        """Tools in a namespace of the provider are declared by their qualified name."""
        pay = tool.irreversible("bank.pay")
        with Governor(":memory:", [pay], policy=Policy(permit(pay))) as governor:
            bank = Bank()
            tools = tool_namespace(name="bank", description="Payments.", tools=[bank.tools()[0]])
            turn = calls(paying())
            turn[0].namespace = "bank"
            agent, _ = desk(governor, bank, turn, SAID, tools=tools)
            await run(governor, agent)
            assert bank.paid == [("a", 40)]

    async def test_guardrails_of_a_tool_go_on_working(self, governor):
        """One that rejects keeps the call from the governor."""

        @tool_input_guardrail
        def no(data):
            return ToolGuardrailFunctionOutput.reject_content("no")

        bank = Bank()
        agent, _ = desk(governor, bank, calls(paying()), SAID, tools=bank.tools(tool_input_guardrails=[no]))
        result = await run(governor, agent)
        assert (outputs(result), bank.paid) == (["no"], [])

    async def test_a_tool_whose_result_is_the_answer(self, governor):
        """`tool_use_behavior="stop_on_first_tool"` answers with the result, or with why there is none."""
        for amount, said in ((40, "paid 40 for a"), (5000, "It was not done")):
            agent, _ = desk(governor, Bank(), calls(paying(amount=amount)))
            agent.tool_use_behavior = "stop_on_first_tool"
            assert said in (await run(governor, agent, run_id=str(amount))).final_output
