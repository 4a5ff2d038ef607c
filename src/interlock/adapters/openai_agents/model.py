"""A model whose turns are in the journal: what it said before a crash, it is not asked again."""

from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import aclosing
from typing import Any, cast

from agents import (
    FunctionTool,
    Handoff,
    Model,
    ModelProvider,
    ModelResponse,
    MultiProvider,
    Tool,
    TResponseInputItem,
)
from agents.items import TResponseStreamEvent
from agents.retry import ModelRetryAdvice, ModelRetryAdviceRequest
from openai.types.responses import (
    ResponseCompletedEvent,
    ResponseFunctionToolCall,
    ResponseOutputItemAddedEvent,
    ResponseOutputItemDoneEvent,
)

from interlock.adapters.governor import Governor
from interlock.adapters.openai_agents import responses
from interlock.adapters.openai_agents.places import Place
from interlock.adapters.openai_agents.turns import AskedTurn

Input = str | list[TResponseInputItem]


class RecordedModel(Model):
    """The model of one agent, behind the journal.

    Each response is durable before any of its tool calls is seen, and comes back when the same turn of the same run is
    asked for again. Its calls get ids of their own, which say where in the run they stand.

    Args:
        inner: The model, or its name.
        provider: Where a name is resolved; None for the SDK's own way.
        governor: Whose journal it is.
        agent: The agent's name.
        check: Is told the tools of each turn before the model is, and raises where one is not governed.
        stranger: Makes a tool of a name that the model made up, given the names that there are.

    Attributes:
        source: The model, or its name, as the agent had it.
    """

    def __init__(
        self,
        inner: str | Model | None,
        provider: ModelProvider | None,
        governor: Governor,
        agent: str,
        *,
        check: Callable[[list[Tool]], None],
        stranger: Callable[[str, list[str]], FunctionTool],
    ) -> None:
        self.source = inner
        self._provider = provider
        self._resolved = inner if isinstance(inner, Model) else None
        self._governor = governor
        self._agent = agent
        self._check = check
        self._stranger = stranger

    @property
    def inner(self) -> Model:
        """The model itself."""
        if self._resolved is None:
            provider = self._provider if self._provider is not None else MultiProvider()
            self._resolved = provider.get_model(cast("str | None", self.source))
        return self._resolved

    @property
    def name(self) -> str:
        """What the journal calls it."""
        return str(getattr(self.inner, "model", None) or type(self.inner).__name__)

    async def get_response(  # noqa: PLR0917 - the SDK's order
        self,
        system_instructions: str | None,
        input: Input,  # noqa: A002 - the SDK calls it so
        model_settings: Any,
        tools: list[Tool],
        output_schema: Any,
        handoffs: list[Handoff[Any, Any]],
        tracing: Any,
        **provided: Any,
    ) -> ModelResponse:
        """Return the recorded response to this turn, or ask the model and record what it says."""
        self._check(tools)
        place = Place.current(self._governor, f"agent {self._agent!r}")
        with place.asking():
            turn = AskedTurn(self._governor, place, self.name, self._agent, system_instructions, input)
            response = await turn.recalled()
            if response is None:
                response = await self.inner.get_response(
                    system_instructions, turn.asked, model_settings, tools, output_schema, handoffs, tracing, **provided
                )
                response = await turn.record(response)
            return self._welcome(turn.delivered(response), tools, handoffs, output_schema)

    async def stream_response(  # noqa: PLR0917 - the same
        self,
        system_instructions: str | None,
        input: Input,  # noqa: A002 - the SDK calls it so
        model_settings: Any,
        tools: list[Tool],
        output_schema: Any,
        handoffs: list[Handoff[Any, Any]],
        tracing: Any,
        **provided: Any,
    ) -> AsyncIterator[TResponseStreamEvent]:
        """The same as a stream: its last event, with the tool calls, comes when the response is durable."""
        self._check(tools)
        place = Place.current(self._governor, f"agent {self._agent!r}")
        with place.asking():
            turn = AskedTurn(self._governor, place, self.name, self._agent, system_instructions, input)
            response = await turn.recalled()
            if response is not None:
                response = self._welcome(turn.delivered(response), tools, handoffs, output_schema)
                for event in responses.streamed(response, self.name):
                    yield event
                return
            events = self.inner.stream_response(
                system_instructions, turn.asked, model_settings, tools, output_schema, handoffs, tracing, **provided
            )
            items: list[Any] = []
            async with aclosing(cast("AsyncGenerator[TResponseStreamEvent]", events)):
                async for event in events:
                    if isinstance(event, ResponseCompletedEvent):
                        response = await turn.record(responses.streamed_response(event, items))
                        response = self._welcome(turn.delivered(response), tools, handoffs, output_schema)
                        event.response.output = response.output
                    elif isinstance(event, (ResponseOutputItemAddedEvent, ResponseOutputItemDoneEvent)):
                        if isinstance(event, ResponseOutputItemDoneEvent):
                            items.append(event.item)
                        event.item = turn.named(event.item, event.output_index)
                    yield event

    def _welcome(
        self, response: ModelResponse, tools: list[Tool], handoffs: list[Handoff[Any, Any]], output_schema: Any
    ) -> ModelResponse:
        """Put a tool that tells the model so among the tools for every name that there is none for.

        The SDK looks the response's calls up in this very list, and ends the run where it does not find one.
        """
        there = {one.name for one in tools} | {one.tool_name for one in handoffs}
        # How some providers put an answer that has a type; the SDK takes it as such.
        known = there | {"json_tool_call"} if output_schema is not None else there
        names = {one.name for one in response.output if isinstance(one, ResponseFunctionToolCall)}
        tools.extend(self._stranger(name, sorted(there)) for name in sorted(names - known))
        return response

    # what the SDK asks of a model besides

    async def close(self) -> None:
        """Close the model."""
        await self.inner.close()

    def get_retry_advice(self, request: ModelRetryAdviceRequest) -> ModelRetryAdvice | None:
        """Return the model's advice."""
        return self.inner.get_retry_advice(request)

    async def _cleanup_on_run_end(self, owner: object) -> None:
        await self.inner._cleanup_on_run_end(owner)  # noqa: SLF001 - the SDK calls it on the model that it knows
