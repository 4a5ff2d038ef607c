"""A tool call of a graph, governed: judged with the very arguments that its tool gets, journaled, performed once."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, TypedDict, cast

from langchain_core.messages import ToolMessage
from langchain_core.runnables import RunnableConfig
from langchain_core.tools import BaseTool
from langgraph.prebuilt.tool_node import ToolCallRequest, ToolRuntime
from langgraph.types import Command

from interlock.actions.tool import Tool
from interlock.adapters.governor import Governor
from interlock.adapters.langgraph.arguments import schema_of, validation_of
from interlock.adapters.langgraph.places import (
    User,
    configured_user,
    is_only_one,
    is_resumable,
    is_sent,
    key_of,
    messages_of,
    task_of,
    where_of,
)
from interlock.adapters.langgraph.proposing import Proposing
from interlock.adapters.langgraph.results import Result
from interlock.adapters.langgraph.tasks import Task, Tasks

Execute = Callable[[ToolCallRequest], ToolMessage | Command[Any]]
AsyncExecute = Callable[[ToolCallRequest], Awaitable[ToolMessage | Command[Any]]]


class Wrappers(TypedDict):
    """What a `ToolNode` takes: `ToolNode(tools, **governed(governor))`."""

    wrap_tool_call: Callable[[ToolCallRequest, Execute], ToolMessage | Command[Any]]
    awrap_tool_call: Callable[[ToolCallRequest, AsyncExecute], Awaitable[ToolMessage | Command[Any]]]


def governed(governor: Governor, *, user: User = configured_user, messages_key: str = "messages") -> Wrappers:
    """Return what makes a `ToolNode` governed: each call is judged, journaled, and performed once.

    A run is a turn of the user: the thread, and what its user has said so far. The state should keep the user's
    messages; where a graph drops them, use `GovernorMiddleware`, which counts turns for itself.

    Args:
        governor: Who judges.
        user: Whom a graph runs for, from its config and its runtime context.
        messages_key: Where the state has its messages, as for `ToolNode`.
    """
    calls = Calls(governor, user, messages_key)
    return Wrappers(wrap_tool_call=calls.wrap, awrap_tool_call=calls.awrap)


class Calls:
    """The calls of one tool node.

    Args:
        governor: Who judges.
        user: Whom a graph runs for.
        messages_key: Where the state has its messages.
        one_by_one: Whether each call is sent to the node by itself.

    The mutable state: the tools that the governor was told of, by name; and the tasks at work.
    """

    def __init__(
        self, governor: Governor, user: User, messages_key: str = "messages", *, one_by_one: bool = False
    ) -> None:
        self._governor = governor
        self._user = user
        self._messages_key = messages_key
        self._one_by_one = one_by_one
        self._bound: dict[str, tuple[BaseTool, Tool]] = {}
        self._tasks = Tasks()

    def wrap(self, request: ToolCallRequest, execute: Execute) -> ToolMessage | Command[Any]:
        """Have one call executed, with a tool that asks the governor first."""
        with self._tasks.joined(task_of(_runtime(request).config)) as task:
            proposing = self._proposing(request, task)
            if request.tool is None:
                return _one(proposing.perform_sync(request.tool_call["args"], proposing.absent))
            return execute(request.override(tool=self._stand_in(request.tool, proposing)))

    async def awrap(self, request: ToolCallRequest, execute: AsyncExecute) -> ToolMessage | Command[Any]:
        """Do the same in an event loop."""
        loop = id(asyncio.get_running_loop())
        with self._tasks.joined(f"{task_of(_runtime(request).config)}@{loop}") as task:
            proposing = self._proposing(request, task)
            async with task.leaving_together():
                if request.tool is None:
                    return _one(await proposing.perform(request.tool_call["args"], proposing.absent_async))
                return await execute(request.override(tool=self._stand_in(request.tool, proposing)))

    def bind(self, tool: BaseTool) -> Tool:
        """Tell the governor what a tool takes, unless it knows this one.

        Raises:
            DeclarationError: its schema is none, or a function attached to it does not take its arguments.
            PolicyError: a rule names an argument that it does not have.
        """
        known = self._bound.get(tool.name)
        if known is None or known[0] is not tool:
            bound = self._governor.bind(tool.name, tool.description, schema_of(tool), validate=validation_of(tool))
            known = self._bound[tool.name] = (tool, bound)
        return known[1]

    def _proposing(self, request: ToolCallRequest, task: Task) -> Proposing:
        config, context = _runtime(request).config, _runtime(request).context
        messages = messages_of(request.state, self._messages_key)
        return Proposing(
            self._governor,
            request.tool_call,
            where_of(config, context, request.state, user=self._user, messages_key=self._messages_key),
            key_of(request.tool_call, config, messages),
            task if is_resumable(config) else None,
            alone=(self._one_by_one and is_sent(config)) or is_only_one(messages),
        )

    def _stand_in(self, tool: BaseTool, proposing: Proposing) -> BaseTool:
        proposing.tool = bound = self.bind(tool)
        inner = tool
        if bound.effect != "read" and (tool.handle_tool_error or tool.handle_validation_error):
            # What the tool would make a message of is an exception of an effect: did it happen, or did it not?
            inner = tool.model_copy(update={"handle_tool_error": False, "handle_validation_error": False})
            proposing.quiet = True
        return StandIn(
            name=tool.name,
            description=tool.description,
            args_schema=tool.args_schema,
            return_direct=tool.return_direct,
            inner=inner,
            proposing=proposing,
        )


class StandIn(BaseTool):
    """Stands in a request for the tool that is called, innermost: what it is given is judged, and then performed.

    Middleware that changes a call on its way changes what is judged; middleware that repeats one gets the outcome that
    is recorded; middleware that answers in the tool's place leaves nothing to judge.
    """

    inner: BaseTool
    proposing: Any

    def invoke(self, input: Any, config: RunnableConfig | None = None, **kwargs: Any) -> Any:  # noqa: A002 - LangChain's
        """Propose the call, and perform the tool with what was judged.

        Raises:
            NotImplementedError: the tool is async only; nothing was proposed.
        """
        if getattr(self.inner, "func", self) is None:
            raise NotImplementedError(f"tool {self.name!r} is async only; use ainvoke or astream of the graph")
        shown, injected = self._parted(input["args"])

        def body(args: dict[str, Any]) -> Any:
            return self.inner.invoke({**input, "args": {**args, **injected}}, config, **kwargs)

        return self.proposing.perform_sync(shown, body)

    async def ainvoke(self, input: Any, config: RunnableConfig | None = None, **kwargs: Any) -> Any:  # noqa: A002 - the same
        """Do the same in an event loop."""
        shown, injected = self._parted(input["args"])

        async def body(args: dict[str, Any]) -> Any:
            return await self.inner.ainvoke({**input, "args": {**args, **injected}}, config, **kwargs)

        return await self.proposing.perform(shown, body)

    def get_input_schema(self, config: RunnableConfig | None = None) -> Any:
        """Return the tool's own: the tool node finds in it what to inject."""
        return self.inner.get_input_schema(config)

    @property
    def func(self) -> Any:
        """The tool's own function, for the same reason."""
        return getattr(self.inner, "func", None) or getattr(self.inner, "coroutine", None)

    def _parted(self, given: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
        """Return what the model sent, and what the graph injected; nothing that the model sent passes as injected."""
        sent: Mapping[str, Any] = self.proposing.call["args"]
        shown: dict[str, Any] = self.inner._filter_injected_args(dict(given))  # noqa: SLF001 - no public name for it
        rest = {name: value for name, value in given.items() if name not in shown}
        return shown, {name: value for name, value in rest.items() if name not in sent or sent[name] is not value}

    def _run(self, *args: Any, **kwargs: Any) -> Any:
        raise NotImplementedError("a tool is invoked by its node")


def _runtime(request: ToolCallRequest) -> "ToolRuntime[Any, Any]":
    return cast("ToolRuntime[Any, Any]", request.runtime)


def _one(result: Result) -> ToolMessage | Command[Any]:
    """Give the result of a call the type that a tool node names; it takes a list of them as well."""
    return cast("ToolMessage", result)
