"""Govern an agent, and whatever it hands over to."""

import copy
from collections.abc import Awaitable, Callable, Collection
from typing import Any, TypeVar

from agents import Agent, FunctionTool, Handoff, ModelProvider, RunContextWrapper, Tool, ToolOriginType
from agents.sandbox import SandboxAgent
from agents.tool import ToolSearchTool, get_function_tool_origin
from agents.tool_context import ToolContext

from interlock.adapters.governor import Governor, here
from interlock.adapters.openai_agents.approvals import settle
from interlock.adapters.openai_agents.model import RecordedModel
from interlock.adapters.openai_agents.tools import GovernedInvoker, Refusing, governed, refusing, standing
from interlock.errors import DeclarationError

TContext = TypeVar("TContext")


def govern(
    agent: Agent[TContext],
    governor: Governor,
    *,
    ungoverned: Collection[str] = (),
    by: str = "the application",
    provider: ModelProvider | None = None,
) -> Agent[TContext]:
    """Put an agent, and every agent that it can reach, behind a governor; the agents themselves are changed.

    Each call of a function tool, also those of MCP servers, is judged, journaled and performed once; each model turn is
    journaled, and comes back when the run is started again after a crash. Runs are named by
    `with governor.run("some id"):` around `Runner.run`.

    Args:
        agent: The agent that is run; those that it hands over to and those among its tools are governed with it.
        governor: Who judges.
        ungoverned: The names of tools that nobody can judge here, because the provider performs them or the SDK does
            by itself (`web_search`, `shell`, …), and that may be used all the same.
        by: Who the journal says has answered when it was done by `RunState.approve` or `reject`.
        provider: The model provider of your `RunConfig`, if it has one: models that are named are looked up there.

    Raises:
        DeclarationError: an agent has a tool that can't be judged here, or another governor.
        PolicyError: a rule names an argument that a tool does not have.
    """
    _Governing(governor, frozenset(ungoverned), by, provider).agent(agent)
    return agent


class _Governing:
    """What all agents of one `govern` share."""

    def __init__(self, governor: Governor, ungoverned: frozenset[str], by: str, provider: ModelProvider | None) -> None:
        self._governor = governor
        self._ungoverned = ungoverned
        self.by = by
        self._provider = provider

    def agent(self, agent: Agent[Any]) -> None:
        """Govern an agent and those behind it; what is governed already stays as it is."""
        waiting, seen = [agent], list[Agent[Any]]()
        while waiting:
            one = waiting.pop()
            if not any(one is other for other in seen):
                seen.append(one)
                waiting += self._one(one)

    def _one(self, agent: Agent[Any]) -> list[Agent[Any]]:
        """Govern one agent, and return those that are directly behind it."""
        if isinstance(agent, SandboxAgent):
            raise DeclarationError(
                f"agent {agent.name!r} is a SandboxAgent: what it does in its sandbox passes nobody here"
            )
        found = vars(agent).get("get_all_tools")
        if isinstance(found, _Tools) and found.governor is not self._governor:
            raise DeclarationError(f"agent {agent.name!r} has another governor already")
        tools = [self.tool(agent, one) for one in agent.tools]
        if any(new is not old for new, old in zip(tools, agent.tools, strict=True)):
            agent.tools = tools
        if not isinstance(found, _Tools):
            vars(agent)["get_all_tools"] = _Tools(self, self._governor, agent)
            agent.model = self._recorded(agent)
        within = [_behind(agent, one) for one in tools if isinstance(one, FunctionTool) and _is_agent(one)]
        return within + [target for one in agent.handoffs if (target := self._target(one)) is not None]

    def _recorded(self, agent: Agent[Any]) -> RecordedModel:
        """Return the agent's model behind the journal; a clone of a governed agent has one that knows another agent."""
        return RecordedModel(
            agent.model.source if isinstance(agent.model, RecordedModel) else agent.model,
            self._provider,
            self._governor,
            agent.name,
            check=lambda tools: self.check(agent, tools),
            stranger=lambda name, there: refusing(self._governor, agent.name, name, there),
        )

    def tool(self, agent: Agent[Any], tool: Tool) -> Tool:
        """Return a tool in its governed form."""
        if not isinstance(tool, FunctionTool):
            self._allow(agent, tool)
            return tool
        if not _is_agent(tool):
            return governed(tool, self._governor)
        if isinstance(tool.on_invoke_tool, _Within):
            return tool
        made = copy.copy(tool)
        made.on_invoke_tool = _Within(self._governor, tool.on_invoke_tool)
        return made

    def check(self, agent: Agent[Any], tools: list[Tool]) -> None:
        """Raise if one of the tools that a model is about to be told of is not governed."""
        for tool in tools:
            if not isinstance(tool, FunctionTool):
                self._allow(agent, tool)
            elif not isinstance(tool.on_invoke_tool, (GovernedInvoker, Refusing, _Within)):
                raise DeclarationError(
                    f"agent {agent.name!r}: its tool {tool.name!r} is not governed; govern an agent when it is "
                    "complete, and clones of it too"
                )

    def _allow(self, agent: Agent[Any], tool: Tool) -> None:
        if tool.name not in self._ungoverned and not isinstance(tool, ToolSearchTool):
            raise DeclarationError(
                f"agent {agent.name!r}: its tool {tool.name!r} ({type(tool).__name__}) is performed where no governor "
                f"stands; remove it, or say that you know: govern(…, ungoverned=[{tool.name!r}])"
            )

    def _target(self, handoff: Agent[Any] | Handoff[Any, Any]) -> Agent[Any] | None:
        """Return whom a handoff hands over to, if that is known: a state may go on with it in a new process."""
        if isinstance(handoff, Agent):
            return handoff
        if not isinstance(handoff.on_invoke_handoff, _Handing):
            handoff.on_invoke_handoff = _Handing(self, handoff.on_invoke_handoff)
        known: Callable[[], Agent[Any] | None] | None = getattr(handoff, "_agent_ref", None)
        return known() if known is not None else None


class _Tools:
    """Stands for an agent's `get_all_tools`: governs what MCP servers list, and whatever was added since."""

    def __init__(self, governing: _Governing, governor: Governor, agent: Agent[Any]) -> None:
        self.governor = governor
        self._governing = governing
        self._agent = agent

    async def __call__(self, run_context: RunContextWrapper[Any]) -> list[Tool]:
        self._governing.agent(self._agent)
        tools = await type(self._agent).get_all_tools(self._agent, run_context)
        tools = [self._governing.tool(self._agent, one) for one in tools]
        block = here()
        if block is not None and block.governor is self.governor:
            await settle(self.governor, self._agent, run_context, tools, self._governing.by)
        return tools


class _Within:
    """Stands for what invokes an agent as a tool: what that does stands within this call."""

    def __init__(self, governor: Governor, invoke: Callable[[ToolContext[Any], str], Awaitable[Any]]) -> None:
        self._governor = governor
        self._invoke = invoke

    async def __call__(self, ctx: ToolContext[Any], arguments: str) -> Any:
        place, call = standing(self._governor, ctx.tool_name, ctx.tool_call_id)
        with place.body_of(call):
            return await self._invoke(ctx, arguments)


class _Handing:
    """Stands for what hands over: the agent that it hands over to is governed."""

    def __init__(
        self, governing: _Governing, invoke: Callable[[RunContextWrapper[Any], str], Awaitable[Agent[Any]]]
    ) -> None:
        self._governing = governing
        self._invoke = invoke

    async def __call__(self, ctx: RunContextWrapper[Any], arguments: str) -> Agent[Any]:
        agent = await self._invoke(ctx, arguments)
        self._governing.agent(agent)
        return agent


def _behind(agent: Agent[Any], tool: FunctionTool) -> Agent[Any]:
    """Return the agent that a tool runs."""
    found: Agent[Any] | None = getattr(tool, "_agent_instance", None)
    if found is None:
        raise DeclarationError(f"agent {agent.name!r}: the agent behind its tool {tool.name!r} can't be found")
    return found


def _is_agent(tool: FunctionTool) -> bool:
    origin = get_function_tool_origin(tool)
    return origin is not None and origin.type is ToolOriginType.AGENT_AS_TOOL
