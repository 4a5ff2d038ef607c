"""Tools of MCP servers, as the OpenAI Agents SDK calls them, behind a governor."""

from contextlib import suppress
from typing import Any

import pytest
from agents import Agent, Runner, RunState
from agents.mcp import MCPServer
from agents.testing import ScriptedModel
from mcp.types import CallToolResult, TextContent, Tool
from openai_agents_desk import SAID, CrashError, calls, outputs, pay_tool, paying, resumed, run

from interlock import Governor, Policy, arg, permit, tool
from interlock.adapters.openai_agents import govern
from interlock.errors import PolicyError

SCHEMA = {
    "type": "object",
    "properties": {"order": {"type": "string"}, "amount": {"type": "integer", "default": 10}},
    "required": ["order"],
}


class Server(MCPServer):
    """A server in this process, with one tool."""

    def __init__(self, schema: Any = SCHEMA, **options: Any) -> None:
        super().__init__(**options)
        self.schema = schema
        self.called: list[Any] = []

    @property
    def name(self) -> str:
        return "bank"

    async def connect(self) -> None: ...

    async def cleanup(self) -> None: ...

    async def list_tools(self, *_: Any, **__: Any) -> Any:
        return [Tool(name="pay", description="Pay.", input_schema=self.schema)]

    async def call_tool(self, tool_name: str, arguments: Any, meta: Any = None) -> CallToolResult:
        self.called.append((tool_name, arguments))
        return CallToolResult(content=[TextContent(type="text", text=f"paid {arguments['amount']}")])

    async def list_prompts(self, *_: Any) -> Any: ...

    async def get_prompt(self, *_: Any, **__: Any) -> Any: ...


def client(governor, server, *turns, **config):
    model = ScriptedModel(turns)
    return govern(Agent("desk", mcp_servers=[server], mcp_config=config, model=model), governor), model


async def test_a_tool_of_a_server_is_governed(governor):
    """Judged with the defaults of its schema, performed once, and not again after a crash."""
    server = Server()
    agent, _ = client(governor, server, calls(paying(amount=9999)), calls(("pay", {"order": "a"})), SAID)
    with suppress(CrashError), governor.run("r1"):
        await Runner.run(agent, "Pay a.")
        raise CrashError
    result = await run(governor, agent)
    assert server.called == [("pay", {"amount": 10, "order": "a"})]
    assert (outputs(result)[0][:16], outputs(result)[1]) == (
        "It was not done:",
        [{"type": "input_text", "text": "paid 10"}],
    )


async def test_arguments_that_do_not_fit(governor):
    """By the server's own schema, before the server hears of it."""
    server = Server()
    agent, _ = client(governor, server, calls(paying(amount="x"), ("pay", {"order": "a", "evil": 1})), SAID)
    result = await run(governor, agent)
    assert server.called == []
    assert ["don't fit" in one for one in outputs(result)] == [True, True]


async def test_an_approval(governor):
    """Interrupts, survives as JSON, and is performed by the tool that the server lists then."""
    server = Server()
    agent, _ = client(governor, server, calls(paying(amount=500)), SAID)
    result = await run(governor, agent)
    assert (len(result.interruptions), server.called) == (1, [])
    state = await RunState.from_json(agent, result.to_state().to_json())
    state.approve(state.get_interruptions()[0])
    result = await resumed(governor, agent, state)
    assert (result.final_output, len(server.called)) == ("said", 1)


async def test_names_with_the_server_before_them():
    """Where the SDK puts the server's name before a tool's, that is the name to declare."""
    pay = tool.irreversible("mcp_bank__pay")
    with Governor(":memory:", [pay], policy=Policy(permit(pay))) as governor:
        server = Server()
        turn = calls(("mcp_bank__pay", {"order": "a"}))
        agent, _ = client(governor, server, turn, SAID, include_server_in_tool_names=True)
        await run(governor, agent)
        assert server.called == [("pay", {"amount": 10, "order": "a"})]


async def test_a_server_that_asks_by_itself(governor):
    """`require_approval` of a server is kept."""
    server = Server(require_approval="always")
    agent, _ = client(governor, server, calls(paying()), SAID)
    result = await run(governor, agent)
    assert (len(result.interruptions), server.called) == (1, [])


async def test_a_schema_that_the_policy_does_not_fit():
    """A rule about an argument that the server's tool does not have ends the run before the model is asked."""
    pay = pay_tool()
    with Governor(":memory:", [pay], policy=Policy(permit(pay, when=arg.sum <= 100))) as governor:
        agent, model = client(governor, Server({**SCHEMA, "additionalProperties": False}), SAID)
        with pytest.raises(PolicyError, match="sum"):
            await run(governor, agent)
        assert model.calls == ()


async def test_a_server_that_fails(governor):
    """An answer that does not come leaves the outcome unknown: nobody tells the model to try again."""

    class Broken(Server):
        async def call_tool(self, tool_name: str, arguments: Any, meta: Any = None) -> CallToolResult:
            await super().call_tool(tool_name, arguments)
            raise ConnectionError("the line broke")

    server = Broken()
    agent, _ = client(governor, server, calls(paying()), SAID)
    result = await run(governor, agent)
    assert "Do not propose it again" in outputs(result)[0]
    assert len(server.called) == 1
