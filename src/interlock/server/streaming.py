"""Server-sent events on the wire: what comes, and a sign of life while nothing comes."""

import asyncio
import logging
from collections.abc import AsyncGenerator, Awaitable
from contextlib import aclosing
from typing import Any

import msgspec
from starlette.responses import StreamingResponse
from starlette.types import Send

log = logging.getLogger("interlock")

HEARTBEAT = 15.0
"""After how many seconds without an event a comment is sent, so that nobody in between takes the stream for dead."""

ROOM = 64
"""How many events wait for a slow client before their source waits too."""

_BREAKS = {sign.encode(): f"\\u{ord(sign):04x}".encode() for sign in "\x85\u2028\u2029"}
"""Line breaks to some clients, though not by the standard; JSON leaves them as they are. It has no others."""


class Told(msgspec.Struct, frozen=True):
    """An event for a client; `id` is what a client that connects again gives back as the last one it has seen."""

    event: str
    data: Any
    id: int | None = None

    def encoded(self) -> bytes:
        """Return the event as it is sent."""
        place = "" if self.id is None else f"id: {self.id}\n"
        data = msgspec.json.encode(self.data)
        for sign, escaped in _BREAKS.items():
            data = data.replace(sign, escaped)
        return f"event: {self.event}\n{place}data: ".encode() + data + b"\n\n"


class EventStream(StreamingResponse):
    """A response that ends with the events of *told*, or when the runtime closes; a client may leave at any time.

    Args:
        told: What is told.
        drafts: What is told beside that, while it goes on.
        closing: Set when the runtime closes.
    """

    def __init__(self, told: AsyncGenerator[Told], drafts: AsyncGenerator[Told] | None, closing: asyncio.Event) -> None:
        self._pieces = _pieces(told, drafts, closing)
        headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}  # No proxy keeps or collects it.
        super().__init__(self._pieces, media_type="text/event-stream", headers=headers)

    async def stream_response(self, send: Send) -> None:
        """Send it all, and stop listening to the run when the client has gone."""
        async with aclosing(self._pieces):
            await super().stream_response(send)


async def _pieces(
    told: AsyncGenerator[Told], drafts: AsyncGenerator[Told] | None, closing: asyncio.Event
) -> AsyncGenerator[bytes]:
    queue: asyncio.Queue[bytes | None] = asyncio.Queue(ROOM)
    ends = [_then_end(_pour(told, queue, closing), queue), _then_end(closing.wait(), queue)]
    if drafts is not None:
        ends.append(_pour(drafts, queue, closing))
    tasks = [asyncio.ensure_future(one) for one in ends]
    try:
        while True:
            try:
                async with asyncio.timeout(HEARTBEAT):
                    piece = await queue.get()
            except TimeoutError:
                piece = b":\n\n"
            if piece is None:
                return
            yield piece
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)


async def _then_end(first: Awaitable[Any], queue: asyncio.Queue[bytes | None]) -> None:
    await first
    await queue.put(None)


async def _pour(source: AsyncGenerator[Told], queue: asyncio.Queue[bytes | None], closing: asyncio.Event) -> None:
    """Put what comes into the queue; a source that fails has ended, and the client comes back for the rest."""
    try:
        async with aclosing(source):
            async for one in source:
                await queue.put(one.encoded())
    except Exception:
        if not closing.is_set():
            log.exception("a stream of events broke off")
