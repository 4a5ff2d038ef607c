"""The model's turns in the journal: what it has said once is not asked again."""

import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

from pydantic_ai import RunContext
from pydantic_ai.durable_exec import JSON_CODEC
from pydantic_ai.messages import ModelMessage, ModelResponse
from pydantic_ai.models import CompletedStreamedResponse, Model, ModelRequestParameters, StreamedResponse
from pydantic_ai.models.wrapper import WrapperModel
from pydantic_ai.settings import ModelSettings

from interlock.adapters.governor import Governor
from interlock.adapters.pydantic_ai.trail import Trail
from interlock.runtime.outcomes import Turn


class JournaledModel(WrapperModel):
    """A model whose answers are in the journal before anybody acts on them.

    Args:
        wrapped: The model that is asked what has not been answered yet.
        governor: Whose journal it is.
        trail: Where the agent run stands in it.
    """

    def __init__(self, wrapped: Model, governor: Governor, trail: Trail) -> None:
        super().__init__(wrapped)
        self._governor = governor
        self._trail = trail

    async def request(
        self,
        messages: list[ModelMessage],
        model_settings: ModelSettings | None,
        model_request_parameters: ModelRequestParameters,
    ) -> ModelResponse:
        """Return the recorded answer, or ask and record."""
        key = self._trail.request
        known = await self._known(key)
        if known is not None:
            return known
        began = time.monotonic()
        response = await super().request(messages, model_settings, model_request_parameters)
        return await self._record(key, messages, began, response)

    @asynccontextmanager
    async def request_stream(
        self,
        messages: list[ModelMessage],
        model_settings: ModelSettings | None,
        model_request_parameters: ModelRequestParameters,
        run_context: RunContext[Any] | None = None,
    ) -> AsyncGenerator[StreamedResponse]:
        """The same for an answer that comes in pieces; what is recorded comes in one."""
        key = self._trail.request
        known = await self._known(key)
        if known is not None:
            yield CompletedStreamedResponse(
                known, model_request_parameters=model_request_parameters, replay_events=True
            )
            return
        # Who has heard enough leaves in the middle, and goes on with what it has heard: see `Guarding`.
        self._trail.unrecorded = partial(self._record, key, messages, time.monotonic())
        async with super().request_stream(messages, model_settings, model_request_parameters, run_context) as stream:
            yield stream
            response = stream.get()
        await self._trail.record(response)

    async def _known(self, key: str) -> ModelResponse | None:
        turn = await self._governor.recall(self._trail.where, key)
        if turn is None:
            return None
        self._trail.answer()
        self._trail.compare(turn.request["open"])
        return JSON_CODEC.load(ModelResponse, turn.response)

    async def _record(
        self, key: str, messages: list[ModelMessage], began: float, response: ModelResponse
    ) -> ModelResponse:
        turn = Turn(
            response.model_name or self.model_name,
            request={"messages": JSON_CODEC.dump(list[ModelMessage], _new(messages)), "open": sorted(self._trail.open)},
            response=JSON_CODEC.dump(ModelResponse, response),
            input_tokens=response.usage.input_tokens,
            output_tokens=response.usage.output_tokens,
            latency=time.monotonic() - began,
            key=key,
        )
        await self._governor.record(self._trail.where, turn)
        # Where the same run is at work twice, both go on from what was recorded first.
        recorded = await self._known(key)
        assert recorded is not None
        return recorded


def _new(messages: list[ModelMessage]) -> list[ModelMessage]:
    """Return the messages that are new since the model's last answer."""
    last = max((place for place, message in enumerate(messages) if isinstance(message, ModelResponse)), default=-1)
    return messages[last + 1 :]
