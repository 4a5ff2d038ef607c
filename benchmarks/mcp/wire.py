"""What a server says on the wire: each message that a client hears, kept as it came."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from mcp.shared.message import SessionMessage

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator
    from types import TracebackType
    from typing import Self

    from mcp.client import Transport
    from mcp.client._transport import ReadStream, TransportStreams  # what the library's own signatures name

Message = dict[str, Any]


@asynccontextmanager
async def tapped(transport: Transport, heard: list[Message]) -> AsyncGenerator[TransportStreams]:
    """Connect as `transport` does, and append every message from the server to *heard*."""
    async with transport as (read, write):
        yield _Tap(read, heard), write


class _Tap:
    """A stream of messages that writes down each one as it is read."""

    def __init__(self, inner: ReadStream[SessionMessage | Exception], heard: list[Message]) -> None:
        self._inner = inner
        self._heard = heard

    async def receive(self) -> SessionMessage | Exception:
        item = await self._inner.receive()
        self._heard.append(_plain(item))
        return item

    async def aclose(self) -> None:
        await self._inner.aclose()

    def __aiter__(self) -> ReadStream[SessionMessage | Exception]:
        return self

    async def __anext__(self) -> SessionMessage | Exception:
        item = await self._inner.__anext__()
        self._heard.append(_plain(item))
        return item

    async def __aenter__(self) -> Self:
        await self._inner.__aenter__()
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc_val: BaseException | None,
        exc_tb: TracebackType | None,
    ) -> bool | None:
        return await self._inner.__aexit__(exc_type, exc_val, exc_tb)


def _plain(item: SessionMessage | Exception) -> Message:
    """Return a message as JSON, without the numbers that requests happen to have on this connection."""
    if isinstance(item, Exception):
        return {"broken": repr(item)}
    plain = item.message.model_dump(mode="json", by_alias=True, exclude_unset=True)
    plain.pop("id", None)
    plain.get("params", {}).pop("progressToken", None)
    return plain
