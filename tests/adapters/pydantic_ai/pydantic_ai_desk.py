"""A desk that pays: what the tests of the Pydantic AI adapter govern."""

import asyncio
from dataclasses import dataclass, field
from typing import Any

from pydantic import BaseModel
from pydantic_ai import (
    Agent,
    ModelMessage,
    ModelMessagesTypeAdapter,
    ModelRequest,
    ModelResponse,
    TextPart,
    ToolCallPart,
    ToolReturnPart,
)
from pydantic_ai.models.function import AgentInfo, DeltaToolCall, FunctionModel
from pydantic_ai.tools import ToolDefinition
from pydantic_ai.toolsets import AbstractToolset, ToolsetTool
from pydantic_ai.toolsets.external import TOOL_SCHEMA_VALIDATOR

from interlock import Governor, Policy, arg, need, permit, tool
from interlock.adapters.pydantic_ai import govern
from interlock.kernel import events as ev

PAYABLE = 100
"""Up to here nobody is asked."""

opened: list[Governor] = []
"""The governors of the test at hand."""


def call(name: str, *, id: str | None = None, **args: Any) -> ToolCallPart:  # noqa: A002 - the framework's word
    """Return what a model says to call a tool."""
    return ToolCallPart(name, args) if id is None else ToolCallPart(name, args, id)


@dataclass
class Script:
    """A model that says its turns one after the other, by how often it has spoken in this history."""

    turns: list[Any]
    asked: list[list[ModelMessage]] = field(default_factory=list)

    def __call__(self, messages: list[ModelMessage], info: AgentInfo) -> ModelResponse:
        self.asked.append(messages)
        turn = self.turns[sum(isinstance(one, ModelResponse) for one in messages)]
        if callable(turn):
            turn = turn(messages)
        return ModelResponse([TextPart(turn)] if isinstance(turn, str) else list(turn))

    async def stream(self, messages: list[ModelMessage], info: AgentInfo):
        for place, part in enumerate(self(messages, info).parts):
            if isinstance(part, TextPart):
                for word in part.content.split():
                    yield f"{word} "
            else:
                yield {
                    place: DeltaToolCall(
                        name=part.tool_name, json_args=part.args_as_json_str(), tool_call_id=part.tool_call_id
                    )
                }

    @property
    def model(self) -> FunctionModel:
        return FunctionModel(self, stream_function=self.stream)


class Desk:
    """An agent with a tool to search and one to pay, its script, and what it has really done."""

    def __init__(self, *turns: Any, governor: Governor | None = None, **options: Any) -> None:
        self.script = Script(list(turns))
        self.paid: list[tuple[str, int]] = []
        self.error: Exception | None = None
        self.agent: Agent[Any, Any] = Agent(self.script.model, name="desk", **options)
        self.agent.tool_plain(self.search)
        self.agent.tool_plain(self.pay)
        self.governor = governor or governing()
        self.governed = govern(self.agent, self.governor)

    def search(self, query: str = "all") -> list[str]:
        """Search orders.

        Args:
            query: What for.
        """
        return [f"order {query}"]

    async def pay(self, order: str, amount: int) -> str:
        """Pay an order."""
        await asyncio.sleep(0)
        self.paid.append((order, amount))
        if self.error is not None:
            raise self.error
        return f"paid {amount}"

    def run(self, prompt: str | None = "hello", **options: Any) -> Any:
        return self.governed.run(prompt, **options)


def governing(journal: Any = ":memory:", pay: Any = None, tools: Any = (), rules: Any = (), **options: Any) -> Governor:
    search = tool.read("search")
    pay = pay or compensable("pay")
    policy = Policy(
        permit(search),
        permit(pay, when=(arg.amount > 0) & (arg.amount <= 1000)),
        need.approval("finance", pay, when=arg.amount > PAYABLE, because="over 100"),
        *rules,
    )
    opened.append(Governor(journal, [search, pay, *tools], policy=policy, **{"patience": "1s", **options}))
    return opened[-1]


def compensable(name: str, undone: list[Any] | None = None, **options: Any) -> Any:
    made = tool.compensable(name, repeatable=True, **options)

    @made.undo
    def _(ctx: Any, done: Any, **arguments: Any) -> None:
        if undone is not None:
            undone.append((done, arguments))

    return made


def results(messages: list[ModelMessage]) -> list[tuple[str, Any, str]]:
    """Return what the model was told of its calls: the tool, the content and the outcome."""
    return [
        (part.tool_name, part.content, part.outcome)
        for message in messages
        if isinstance(message, ModelRequest)
        for part in message.parts
        if isinstance(part, ToolReturnPart)
    ]


def stored(messages: list[ModelMessage]) -> list[ModelMessage]:
    """Return a history as it comes back from a database."""
    return ModelMessagesTypeAdapter.validate_json(ModelMessagesTypeAdapter.dump_json(messages))


def journaled(governor: Governor, run: str, *kinds: type) -> list[Any]:
    """Return a run's events, of these kinds if any are given."""

    async def history() -> list[Any]:
        return [one.event for one in await governor.runtime.inner.run(run).history()]

    return [one for one in governor.runtime.portal.run(history()) if not kinds or isinstance(one, kinds)]


def denials(governor: Governor, run: str) -> list[tuple[str, str]]:
    return [(one.action, one.stage) for one in journaled(governor, run, ev.Denied)]


class Answer(BaseModel):
    """The output of an agent."""

    text: str


class Server(AbstractToolset[Any]):
    """A toolset like that of an MCP server: a schema, and no validation on this side."""

    def __init__(self, error: Exception | None = None) -> None:
        self.sent: list[dict[str, Any]] = []
        self.error = error

    @property
    def id(self) -> str:
        return "server"

    async def get_tools(self, ctx):
        schema = {
            "type": "object",
            "properties": {"to": {"type": "string"}, "copies": {"type": "integer", "default": 1}},
            "required": ["to"],
        }
        send = ToolDefinition(name="send", parameters_json_schema=schema)
        return {"send": ToolsetTool(toolset=self, tool_def=send, max_retries=1, args_validator=TOOL_SCHEMA_VALIDATOR)}

    async def call_tool(self, name, tool_args, ctx, tool):
        self.sent.append(tool_args)
        if self.error is not None:
            raise self.error
        return "sent"
