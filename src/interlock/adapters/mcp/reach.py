"""How a server is reached: as a command on this machine, or over HTTP."""

import os
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any, Protocol
from urllib.parse import urlsplit

import httpx2
from mcp.client.streamable_http import streamable_http_client

from interlock.adapters.mcp.pipes import started

LARGEST_EVENT = 64 * 1024 * 1024
"""How many bytes one message of a server may have over HTTP."""

ANSWER_TIME = httpx2.Timeout(30, read=None)
"""How long a connection may take, in seconds. How long an answer may take is the action's own to say."""


class Reach(Protocol):
    """A way to a server."""

    @property
    def secrets(self) -> Mapping[str, str]:
        """What the server is given and nobody else may see, by name."""
        ...

    def streams(self) -> AbstractAsyncContextManager[Any]:
        """Open a connection: what can be read from it, and what can be written to it."""
        ...

    def __str__(self) -> str: ...


class Command:
    """A server that is started as a command and spoken to over its standard input and output.

    It has the environment of this process and, over that, *secrets*. What it writes to its standard error goes to this
    process's.
    """

    def __init__(self, command: Sequence[str], secrets: Mapping[str, str] | None = None) -> None:
        self.command = tuple(command)
        self.secrets: Mapping[str, str] = dict(secrets or {})

    @asynccontextmanager
    async def streams(self) -> AsyncGenerator[Any]:
        """Start the command; at the end it is stopped, with what it has started itself."""
        async with started(self.command, {**os.environ, **self.secrets}) as streams:
            yield streams

    def __str__(self) -> str:
        return os.path.basename(self.command[0])  # noqa: PTH119 - it is a word that a person gave, not a path


class Http:
    """A server that is spoken to over HTTP (streamable).

    Args:
        url: Its address.
        headers: What is sent with every request.
        secrets: The values in *headers* that nobody else may see, by name.
    """

    def __init__(
        self, url: str, headers: Mapping[str, str] | None = None, secrets: Mapping[str, str] | None = None
    ) -> None:
        self.url = url
        self.headers = dict(headers or {})
        self.secrets: Mapping[str, str] = dict(secrets or {})

    @asynccontextmanager
    async def streams(self) -> AsyncGenerator[Any]:
        """Open a session; at the end the server is told that it is over."""
        async with (
            httpx2.AsyncClient(headers=self.headers, timeout=ANSWER_TIME) as client,
            streamable_http_client(self.url, http_client=client, max_sse_event_size=LARGEST_EVENT) as streams,
        ):
            yield streams

    def __str__(self) -> str:
        where = urlsplit(self.url)  # Without what may be a credential in it.
        return f"{where.scheme}://{where.hostname}{f':{where.port}' if where.port else ''}{where.path}"
