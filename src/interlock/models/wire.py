"""Records what goes over the wire, at the HTTP transport of a provider's client.

The bytes are those of the transport: what was sent after everything that an SDK does to a request, and what came in
before anything is decoded. Responses are asked for uncompressed, so that their bytes can be read; a server that
compresses all the same is recorded as it answered.
"""

import asyncio
from collections.abc import AsyncIterator
from functools import cache
from ssl import SSLContext
from weakref import WeakKeyDictionary

import httpx2

from interlock.models.bodies import is_conversation
from interlock.models.recording import Tap, current

LIMITS = httpx2.Limits(max_connections=1000, max_keepalive_connections=100)
"""What the SDKs of OpenAI and Anthropic allow themselves."""


class RecordingTransport(httpx2.AsyncBaseTransport):
    """Sends requests, and records those to a model for the call that they belong to.

    Connections belong to the event loop that opened them, so each loop has its own, and one model serves several
    loops, one after the other or in several threads.

    Args:
        timeout: The timeouts of every request, whatever an SDK asks for.
    """

    def __init__(self, timeout: httpx2.Timeout) -> None:
        self._timeout = timeout
        self._clients: WeakKeyDictionary[asyncio.AbstractEventLoop, httpx2.AsyncClient] = WeakKeyDictionary()

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """Send *request*, and tap its response where a recording listens."""
        request.extensions = {**request.extensions, "timeout": self._timeout.as_dict()}
        recording = current()
        body = b"" if recording is None else await request.aread()
        if recording is None or not is_conversation(body):
            return await self._client().send(request, stream=True)
        tap = recording.begin(request.method, str(request.url), request.headers, body)
        response = await self._client().send(request, stream=True)
        tap.status = response.status_code
        return httpx2.Response(
            response.status_code,
            headers=response.headers,
            stream=_Tapped(response, tap),
            extensions=response.extensions,
        )

    async def aclose(self) -> None:
        """Close the connections of the running event loop."""
        client = self._clients.pop(asyncio.get_running_loop(), None)
        if client is not None:
            await client.aclose()

    def _client(self) -> httpx2.AsyncClient:
        """Return the running loop's client: a whole one, because it knows the proxies of the environment."""
        loop = asyncio.get_running_loop()
        if loop not in self._clients:
            self._clients[loop] = httpx2.AsyncClient(limits=LIMITS, verify=_trust())
        return self._clients[loop]


class _Tapped(httpx2.AsyncByteStream):
    """The body of a response: passed on as it comes, and kept."""

    def __init__(self, response: httpx2.Response, tap: Tap) -> None:
        assert isinstance(response.stream, httpx2.AsyncByteStream)
        self._stream = response.stream
        self._chunks = aiter(response.stream)
        self._tap = tap
        tap.close = self.aclose

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    async def __anext__(self) -> bytes:
        try:
            chunk = await anext(self._chunks)
        except StopAsyncIteration:
            self._tap.end()
            raise
        self._tap.take(chunk)
        return chunk

    async def aclose(self) -> None:
        await self._stream.aclose()


@cache
def _trust() -> SSLContext:
    """Return whom all models trust: read once, since it takes a twentieth of a second."""
    return httpx2.create_ssl_context()
