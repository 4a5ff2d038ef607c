"""The guardian before each tool of a toolset: what is executed is what was judged."""

from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from pydantic_ai import RunContext
from pydantic_ai.exceptions import UserError
from pydantic_ai.tools import AgentDepsT
from pydantic_ai.toolsets import AbstractToolset, ToolsetTool, WrapperToolset

from interlock.adapters.governor import Governor
from interlock.adapters.pydantic_ai.calls import ToolCall
from interlock.adapters.pydantic_ai.known import Known, Valid
from interlock.adapters.pydantic_ai.trail import Trail, User


@dataclass
class GovernedToolset(WrapperToolset[AgentDepsT]):
    """A toolset whose tools are judged, journaled and performed once. `govern` makes them for all tools of an agent.

    Args:
        wrapped: The toolset. What renames its tools (`prefixed`, `renamed`) belongs inside.
        governor: Who judges them; it knows them by the names that the model sees.
        user: Whom a run acts for, from its `RunContext`.
        trail: Where the agent run stands in the journal; begun with the run where none is given.
        is_inner: Whether a governed toolset around this one knows the tools' names.
    """

    governor: Governor
    user: User | None = None
    trail: Trail | None = None
    is_inner: bool = False
    owner: object = field(default_factory=object, repr=False)

    async def for_run(self, ctx: RunContext[AgentDepsT]) -> AbstractToolset[AgentDepsT]:
        """Return the toolset for one agent run."""
        trail = self.trail or Trail.begin(ctx, self.user)
        return replace(self, wrapped=await self.wrapped.for_run(ctx), trail=trail)

    async def get_tools(self, ctx: RunContext[AgentDepsT]) -> dict[str, ToolsetTool[AgentDepsT]]:
        """Return the tools, those that nobody below performs as this toolset's own.

        Raises:
            DeclarationError: what a tool takes can't be told, or a function attached to it does not take it.
            PolicyError: a rule names an argument that a tool does not have.
        """
        return {name: self._known(name, tool) for name, tool in (await super().get_tools(ctx)).items()}

    def _known(self, name: str, tool: ToolsetTool[AgentDepsT]) -> ToolsetTool[AgentDepsT]:
        if not isinstance(tool.args_validator, Known):
            tool = replace(tool, args_validator=Known(tool, self.owner))
        known = tool.args_validator
        assert isinstance(known, Known)
        known.name = name
        if not self.is_inner:
            known.bind(self.governor, tool)
        return tool

    async def call_tool(
        self, name: str, tool_args: dict[str, Any], ctx: RunContext[AgentDepsT], tool: ToolsetTool[AgentDepsT]
    ) -> Any:
        """Propose the call, and perform it if the guardian permits it.

        Raises:
            ApprovalRequired: it waits for a person, and the agent's output may be deferred tool requests.
            CallDeferred: the tool has handed it on.
            ModelRetry: the tool wants better arguments.
            ToolFailed: it was tried and did not happen.
            InterlockError: it can't be journaled; nothing was done.
        """
        known = tool.args_validator
        if not isinstance(known, Known) or self.trail is None:
            raise UserError(f"tool {name!r} is governed, and can only be called by an agent run")
        if known.owner is not self.owner:
            return await super().call_tool(name, tool_args, ctx, tool)
        call = ToolCall(self.governor, self.trail, ctx, tool, partial(self._body, name, ctx, tool))
        # Nobody else holds the copy: what is judged can't be changed before it is executed.
        return await call.perform(known.name, Valid(deepcopy(tool_args)))

    async def _body(
        self, name: str, ctx: RunContext[AgentDepsT], tool: ToolsetTool[AgentDepsT], arguments: dict[str, Any]
    ) -> Any:
        return await super().call_tool(name, arguments, ctx, tool)

    def visit_and_replace(
        self, visitor: Callable[[AbstractToolset[AgentDepsT]], AbstractToolset[AgentDepsT]]
    ) -> AbstractToolset[AgentDepsT]:
        """Let nothing be put between the guardian and the tools."""
        return visitor(self)
