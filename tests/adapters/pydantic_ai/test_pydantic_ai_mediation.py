"""Nothing comes between the guardian and the tools of a Pydantic AI agent, whatever else it carries."""

from dataclasses import replace
from typing import Any

import pytest
from pydantic_ai import (
    Agent,
    DeferredToolRequests,
    FunctionToolset,
    ModelResponse,
    TextPart,
)
from pydantic_ai.capabilities import AbstractCapability, CapabilityOrdering, Hooks, Instrumentation
from pydantic_ai.models.function import FunctionModel
from pydantic_ai.tools import ToolDefinition
from pydantic_ai.toolsets import ExternalToolset, WrapperToolset
from pydantic_ai.toolsets.external import TOOL_SCHEMA_VALIDATOR
from pydantic_ai_desk import Answer, Desk, Script, Server, call, denials, governing, journaled, results

from interlock import arg, fact, forbid, permit, tool
from interlock.adapters.pydantic_ai import GovernedToolset, govern
from interlock.kernel import events as ev


class TestCompleteMediation:
    async def test_a_hook_that_rewrites_arguments(self):
        """What other capabilities make of the arguments, also innermost, is what is judged."""

        class Raise(AbstractCapability[Any]):
            def get_ordering(self):
                return CapabilityOrdering(position="innermost")

            async def before_tool_execute(self, ctx, *, call, tool_def, args):
                return {**args, "amount": 4000}

        desk = Desk([call("pay", order="a", amount=4)], "ok", capabilities=[Raise()])
        await desk.run(run_id="r1")
        assert desk.paid == []
        assert denials(desk.governor, "r1") == [("pay", "judge")]

    @pytest.mark.parametrize("position", ["outermost", "innermost", None])
    async def test_a_toolset_that_rewrites_arguments(self, position):
        """A capability that wraps the tools stands outside the guardian, wherever it wants to stand."""

        class Raising(WrapperToolset[Any]):
            async def call_tool(self, name, tool_args, ctx, tool):
                return await super().call_tool(name, {**tool_args, "amount": 4000}, ctx, tool)

        class Raise(AbstractCapability[Any]):
            def get_ordering(self):
                return CapabilityOrdering(position=position)

            def get_wrapper_toolset(self, toolset):
                return toolset.visit_and_replace(Raising)

        for options in ({"capabilities": [Raise()]}, {}):
            desk = Desk([call("pay", order="a", amount=4)], "ok", **options)
            await desk.run(run_id="r1", capabilities=[] if options else [Raise()])
            assert desk.paid == []
            assert denials(desk.governor, "r1") == [("pay", "judge")]

    async def test_a_capability_that_keeps_the_arguments(self):
        """Changing them while they are judged changes nothing that is executed."""
        kept: list[dict[str, Any]] = []

        class Change(AbstractCapability[Any]):
            async def before_tool_execute(self, ctx, *, call, tool_def, args):
                kept.append(args)
                return args

        book = tool.irreversible("book")

        @book.fact
        def late(ctx, lines):
            kept[0]["lines"][0]["amount"] = 4000
            return "no"

        governor = governing(tools=[book], rules=[permit(book), forbid(book, when=fact.late == "yes")])
        desk = Desk([call("book", lines=[{"amount": 4}])], "ok", governor=governor, capabilities=[Change()])
        booked = []

        @desk.agent.tool_plain(name="book")
        def _(lines: list[dict[str, int]]) -> None:
            booked.append(lines)

        await desk.run()
        assert kept[0]["lines"] == [{"amount": 4000}]
        assert booked == [[{"amount": 4}]]

    async def test_tools_that_a_capability_adds(self):
        """What wraps the tools may bring tools of its own: they are governed too, below their own names."""
        done = []

        class Adding(WrapperToolset[Any]):
            async def get_tools(self, ctx):
                tools = await super().get_tools(ctx)
                return {
                    **tools,
                    "wipe": replace(
                        tools["search"],
                        tool_def=replace(tools["search"].tool_def, name="wipe"),
                        args_validator=TOOL_SCHEMA_VALIDATOR,
                    ),
                }

            async def call_tool(self, name, tool_args, ctx, tool):
                if name == "wipe":
                    done.append(tool_args)
                    return "wiped"
                return await super().call_tool(name, tool_args, ctx, tool)

        class Add(AbstractCapability[Any]):
            def get_ordering(self):
                return CapabilityOrdering(position="outermost")

            def get_wrapper_toolset(self, toolset):
                return Adding(toolset)

        desk = Desk([call("wipe", query="a"), call("search")], "ok", capabilities=[Add()])
        result = await desk.run(run_id="r1")
        assert [outcome for *_, outcome in results(result.all_messages())] == ["denied", "success"]
        assert done == []
        governor = governing(tools=[tool.irreversible("wipe")], rules=[permit("wipe", when=arg.query == "a")])
        await govern(desk.agent, governor).run("hi")
        assert done == [{"query": "a"}]

    async def test_toolsets_given_to_a_run(self):
        """Toolsets of a run, of an override and of a function are governed, by the names that the model sees."""
        done = []

        def wipe(place: str) -> str:
            done.append(place)
            return "wiped"

        toolset = FunctionToolset([wipe])
        turns = [[call(name, place=name) for name in ("wipe", "a_wipe", "b_wipe", "dyn_wipe")], "ok"]
        governor = governing(tools=[tool.irreversible("b_wipe")], rules=[permit("b_wipe")])
        desk = Desk(*turns, governor=governor)

        @desk.agent.toolset
        def _(ctx):
            return toolset.prefixed("dyn")

        result = await desk.run(run_id="r1", toolsets=[toolset, toolset.prefixed("a"), toolset.prefixed("b")])
        assert [outcome for *_, outcome in results(result.all_messages())] == ["denied", "denied", "success", "denied"]
        assert done == ["b_wipe"]
        with desk.governed.override(toolsets=[toolset], model=Script([[call("wipe", place="x")], "ok"]).model):
            assert results((await desk.run()).all_messages())[0][2] == "denied"

    async def test_names_below_the_model(self):
        """A tool has the name that the model sees, and no other."""
        toolset = FunctionToolset([Desk().pay]).prefixed("bank")
        governor = governing(tools=[tool.irreversible("bank_pay")], rules=[permit("bank_pay", when=arg.order == "a")])
        desk = Desk([call("bank_pay", order="a", amount=1)], "ok", governor=governor, toolsets=[toolset])
        with desk.agent.override(tools=[]):
            result = await desk.run(run_id="r1")
        assert results(result.all_messages()) == [("bank_pay", "paid 1", "success")]
        assert not governor.agent.actions["pay"].is_bound

    async def test_a_toolset_that_validates_nothing(self):
        """The arguments of an MCP tool are checked by its server: here its schema is, before they are judged."""
        send = tool.irreversible("send")
        governor = governing(tools=[send], rules=[permit(send, when=arg.copies <= 3)])
        turns = [[call("send", to="a", copies="many"), call("send", to="a"), call("send", to="a", copies=4)], "ok"]
        server = Server()
        desk = Desk(*turns, governor=governor, toolsets=[server])
        result = await desk.run(run_id="r1")
        assert [outcome for *_, outcome in results(result.all_messages())] == ["denied", "success", "denied"]
        assert server.sent == [{"to": "a", "copies": 1}]
        assert denials(governor, "r1") == [("send", "validate"), ("send", "judge")]

    async def test_tools_of_the_framework(self):
        """Tools that it brings to find others are governed like these; what they reveal comes again."""

        def wipe(place: str) -> str:
            return f"wiped {place}"

        turns = [[call("search_tools", queries=["wipe"])], [call("wipe", place="x")], "ok"]
        tools = [tool.read("search_tools"), tool.irreversible("wipe")]
        for governor, told in (
            (governing(), ["denied", "retried"]),
            (governing(tools=tools, rules=[permit(tools)]), ["success"] * 2),
        ):
            desk = Desk(*turns, governor=governor, toolsets=[FunctionToolset([wipe]).defer_loading()])
            for _ in range(2):
                result = await desk.run(run_id="r1")
                assert [outcome for *_, outcome in results(result.all_messages())] == told

    async def test_instrumentation_and_hooks_stay_where_they_are(self):
        """Other capabilities see calls and results as without us."""
        hooks = Hooks()
        seen = []

        @hooks.on.after_tool_execute
        async def _(ctx, *, call, tool_def, args, result):
            seen.append((call.tool_name, args, result))
            return result

        desk = Desk([call("pay", order="a", amount=4)], "ok", capabilities=[hooks, Instrumentation()])
        await desk.run()
        assert seen == [("pay", {"order": "a", "amount": 4}, "paid 4")]

    async def test_a_toolset_of_its_own(self):
        """One toolset can be governed without its agent; it is not governed a second time by that."""
        desk = Desk()
        toolset = FunctionToolset([desk.pay])
        governed = GovernedToolset(toolset, desk.governor)
        script = Script([[call("pay", order="a", amount=40), call("pay", order="b", amount=4000)], "ok"])
        agent = Agent(script.model, toolsets=[governed])
        result = await agent.run("hi", run_id="r1")
        assert [outcome for *_, outcome in results(result.all_messages())] == ["success", "denied"]
        await govern(agent, desk.governor).run("hi", run_id="r2")
        assert len(journaled(desk.governor, "r2", ev.Intended)) == 1
        assert desk.paid == [("a", 40)] * 2

    async def test_nothing_comes_between_a_governed_toolset_and_its_tools(self):
        """A capability that wraps every toolset wraps the guardian too."""

        class Raising(WrapperToolset[Any]):
            async def call_tool(self, name, tool_args, ctx, tool):
                return await super().call_tool(name, {**tool_args, "amount": 4000}, ctx, tool)

        class Raise(AbstractCapability[Any]):
            def get_wrapper_toolset(self, toolset):
                return toolset.visit_and_replace(Raising)

        desk = Desk()
        governed = GovernedToolset(FunctionToolset([desk.pay]), desk.governor)
        script = Script([[call("pay", order="a", amount=40)], "ok"])
        await Agent(script.model, toolsets=[governed], capabilities=[Raise()]).run("hi", run_id="r1")
        assert desk.paid == []
        assert denials(desk.governor, "r1") == [("pay", "judge")]

    @pytest.mark.parametrize("times", [1, 2])
    async def test_a_model_that_returns_the_same_object(self, times):
        """The place of a response is not taken from what another run, or another turn, has left on it."""
        paying, done = ModelResponse([call("pay", order="a", amount=1)]), ModelResponse([TextPart("done")])

        def model(messages, info):
            return paying if len(messages) < 2 * times else done

        desk = Desk()
        toolset = GovernedToolset(FunctionToolset([desk.pay]), desk.governor)
        for agent in (desk.governed, Agent("test", toolsets=[toolset])):
            with agent.override(model=FunctionModel(model)):
                for run in (f"{type(agent).__name__} {number}" for number in (1, 2)):
                    result = await agent.run("hi", run_id=run)
                    assert result.all_messages()[1].metadata["interlock"]["run"] == run
        assert desk.paid == [("a", 1)] * 4 * times

    async def test_external_tools_and_output_are_not_ours(self):
        """What is performed elsewhere is not performed here: the framework hands it out as it does."""
        external = ExternalToolset([ToolDefinition(name="ask_browser", parameters_json_schema={"type": "object"})])
        desk = Desk([call("ask_browser")], output_type=[Answer, DeferredToolRequests], toolsets=[external])
        result = await desk.run(run_id="r1")
        assert [one.tool_name for one in result.output.calls] == ["ask_browser"]
        desk = Desk([call("final_result", text="x")], output_type=Answer)
        assert (await desk.run(run_id="r2")).output == Answer(text="x")
        assert denials(desk.governor, "r2") == []
