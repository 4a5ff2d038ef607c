"""A provider's model: the class of pydantic-ai behind our protocol, recorded at its transport."""

from collections.abc import AsyncGenerator, Mapping
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from typing import Any, cast

import httpx2
from pydantic_ai.direct import model_request_stream
from pydantic_ai.exceptions import UnexpectedModelBehavior
from pydantic_ai.messages import (
    ModelMessage,
    ModelResponse,
    ModelResponseStreamEvent,
    PartDeltaEvent,
    PartStartEvent,
    TextPart,
    TextPartDelta,
)
from pydantic_ai.models import ModelRequestParameters, StreamedResponse
from pydantic_ai.settings import ModelSettings

from interlock.models.converting import history, parameters, refusal, response
from interlock.models.failures import failure
from interlock.models.messages import Request, Response
from interlock.models.providers import opened
from interlock.models.recording import Recording
from interlock.models.wire import RecordingTransport

CONNECT_TIMEOUT = 10.0
"""How long a connection may take, in seconds."""

LONGEST = 20 * 60.0
"""What an SDK is told as the whole time that a response may take, in seconds; some tell their server so."""

STEADY = {"openai_prompt_cache_diagnostics": False}
"""Settings that keep a request's bytes the same from turn to turn where a provider's model class would vary them."""


DONE = b"[DONE]"
"""The last event of a stream of OpenAI's chat API."""


class ProvidedModel:
    """A model of a provider.

    Keys come from the environment as each provider documents it (`OPENAI_API_KEY`, `ANTHROPIC_API_KEY`,
    `GOOGLE_API_KEY`, …). Nothing is retried here: whoever calls decides.

    Args:
        name: Provider and model, such as `openai:gpt-5`, `anthropic:claude-haiku-4-5` or `google:gemini-3.8-flash`: any
            name that pydantic-ai knows.
        base_url: Where else it is served. With `openai:…`, any server that speaks OpenAI's chat API, such as Ollama or
            vLLM; the environment's `OPENAI_API_KEY` is not sent there.
        api_key: The key, where it is not in the environment.
        settings: Settings of pydantic-ai for every request, such as `{"temperature": 0}`; only `timeout` limits time.
        timeout: How long it may be silent, in seconds, until it counts as gone; a model that thinks for minutes
            without a word needs more.

    Raises:
        DeclarationError: the name is not understood, or the provider's package or key is missing.
    """

    def __init__(
        self,
        name: str,
        *,
        base_url: str | None = None,
        api_key: str | None = None,
        settings: Mapping[str, Any] | None = None,
        timeout: float = 300.0,
    ) -> None:
        self.name = name
        self._family = name.partition(":")[0]
        timeouts = httpx2.Timeout(timeout, connect=CONNECT_TIMEOUT)
        self._transport = RecordingTransport(timeouts)
        client = httpx2.AsyncClient(
            transport=self._transport,
            timeout=httpx2.Timeout(LONGEST, connect=CONNECT_TIMEOUT),
            headers={"Accept-Encoding": "identity"},
        )
        self._opened = opened(name, base_url, api_key, client, timeouts)
        self._settings = cast(ModelSettings, {**STEADY, **(settings or {})})

    async def respond(self, request: Request) -> AsyncGenerator[str | Response]:
        """Yield the text of the answer piece by piece as it comes, and last the whole answer; see `Model.respond`.

        Raises:
            ModelError: there is no answer.
        """
        messages, told = history(request.messages, self._family), parameters(request)
        recording = Recording()
        try:
            async with AsyncExitStack() as stack:
                stream = await recording.during(stack.enter_async_context(self._stream(messages, told)))
                events = aiter(stream)
                while (event := await recording.during(anext(events, None))) is not None:
                    if piece := _piece(event):
                        yield piece
                answer = stream.get()
            _check(answer, recording)
            if refused := refusal(answer):
                yield refused
        except Exception as error:  # noqa: BLE001 - whatever an SDK raises, there is no answer
            raise failure(self.name, error, recording, self._opened.key) from None
        finally:
            await recording.close()
        yield response(answer, recording.exchanges, self._opened.unrecorded)

    def _stream(
        self, messages: list[ModelMessage], told: ModelRequestParameters
    ) -> AbstractAsyncContextManager[StreamedResponse]:
        return model_request_stream(
            self._opened.model,
            messages,
            model_settings=self._settings,
            model_request_parameters=told,
            instrument=False,
        )

    async def aclose(self) -> None:
        """Close the connections that the running event loop holds open to the provider."""
        await self._transport.aclose()

    def __repr__(self) -> str:
        return f"<ProvidedModel {self.name}>"


def _piece(event: ModelResponseStreamEvent) -> str:
    """Return the text that an event brings."""
    match event:
        case PartStartEvent(part=TextPart(content)):
            return content
        case PartDeltaEvent(delta=TextPartDelta(content)):
            return content
        case _:
            return ""


def _check(answer: ModelResponse, recording: Recording) -> None:
    """Refuse an answer whose end has not come, as where a server went away in the middle of it.

    Raises:
        UnexpectedModelBehavior: it is not whole.
    """
    reason = (answer.provider_details or {}).get("finish_reason")
    if answer.finish_reason == "error":
        raise UnexpectedModelBehavior(f"it ended with an error ({reason})")
    # Some servers of OpenAI's chat API name no reason; they say so when all is sent. What was not recorded is believed.
    named = bool(reason) or answer.finish_reason not in {None, "stop"}
    ended = named or not recording.received or recording.received.rstrip().endswith(DONE)
    if answer.state != "complete" or not ended:
        raise UnexpectedModelBehavior("the stream ended before the answer was whole")
