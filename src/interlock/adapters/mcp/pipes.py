"""Messages over pipes, one a line: to a server that runs as a command, and to the client that started this process.

The library's own transports do the same through several tasks and threads; that costs a tool call more than everything
else that happens to it here.
"""

import asyncio
import logging
import os
import signal
import stat
import sys
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from types import TracebackType
from typing import Any, Self

import anyio
from mcp.server.stdio import stdio_server
from mcp.shared.message import SessionMessage
from mcp_types import jsonrpc_message_adapter
from pydantic_core import PydanticSerializationError

LONGEST = 64 * 1024 * 1024
"""How many bytes one message may have; who sends a longer one is not listened to any more."""

GRACE = 2.0
"""How long a command has to end by itself when its input is closed, and then when it is told to, in seconds."""

LOOK = 0.01
"""How often it is looked whether a command has ended, in seconds."""

log = logging.getLogger("interlock")


class Incoming:
    """The messages that come over a pipe; one that is none comes as the error that it is."""

    def __init__(self, reader: asyncio.StreamReader) -> None:
        self._reader = reader

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> SessionMessage | Exception:
        try:
            line = await self._reader.readline()
        except ValueError:
            log.warning("a message of more than %d bytes came; the connection is given up", LONGEST)
            raise StopAsyncIteration from None
        except ConnectionError:
            raise StopAsyncIteration from None
        if not line:
            raise StopAsyncIteration
        try:
            return SessionMessage(jsonrpc_message_adapter.validate_json(line, by_name=False))
        except ValueError as error:
            return error

    async def receive(self) -> SessionMessage | Exception:
        """Return the next message."""
        try:
            return await anext(self)
        except StopAsyncIteration:
            raise anyio.EndOfStream from None

    async def aclose(self) -> None:
        """Do nothing: whoever opened the pipe closes it."""

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, exc_type: type[BaseException] | None, exc_val: BaseException | None, exc_tb: TracebackType | None
    ) -> None:
        pass


class Outgoing:
    """Where messages go over a pipe."""

    def __init__(self, writer: asyncio.StreamWriter) -> None:
        self._writer = writer

    async def send(self, item: SessionMessage, /) -> None:
        """Send a message; returns when there is room for more.

        Raises:
            BrokenResourceError: nobody reads it.
            ValueError: it has no JSON form.
        """
        try:
            line = item.message.model_dump_json(by_alias=True, exclude_unset=True)
        except PydanticSerializationError as error:
            raise ValueError(f"the message can't be written as JSON: {error}") from None
        try:
            self._writer.write(line.encode() + b"\n")
            await self._writer.drain()
        except (ConnectionError, RuntimeError):
            raise anyio.BrokenResourceError from None

    async def aclose(self) -> None:
        """Do nothing: whoever opened the pipe closes it."""

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, exc_type: type[BaseException] | None, exc_val: BaseException | None, exc_tb: TracebackType | None
    ) -> None:
        pass


@asynccontextmanager
async def started(command: Sequence[str], environment: Mapping[str, str]) -> AsyncGenerator[tuple[Incoming, Outgoing]]:
    """Start a command and speak with it; at the end it is stopped, and with it what it has started itself.

    Raises:
        OSError: it can't be started.
    """
    process = await asyncio.create_subprocess_exec(
        *command,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        env=environment,
        limit=LONGEST,
        start_new_session=True,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        yield Incoming(process.stdout), Outgoing(process.stdin)
    finally:
        await asyncio.shield(asyncio.create_task(_stopped(process)))


async def _stopped(process: asyncio.subprocess.Process) -> None:
    """Have a command end: first by closing its input, then by telling it and all that it has started."""
    assert process.stdin is not None
    process.stdin.close()
    for number in (signal.SIGTERM, signal.SIGKILL):
        if await _ended(process):
            break
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, number)
    await _ended(process)
    # A descendant may hold its output open for ever; nothing public closes this end of it.
    process._transport.close()  # noqa: SLF001  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType]


async def _ended(process: asyncio.subprocess.Process) -> bool:
    """Return whether a command ends in time; not `wait`, which also waits for whoever has inherited its output."""
    for _ in range(round(GRACE / LOOK)):
        if process.returncode is not None:
            return True
        await asyncio.sleep(LOOK)
    return process.returncode is not None


def _can_be_waited_for(descriptor: int) -> bool:
    mode = os.fstat(descriptor).st_mode
    return stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode) or os.isatty(descriptor)


@asynccontextmanager
async def standard() -> AsyncGenerator[Any]:
    """Speak with whoever started this process, over its standard input and output.

    Meanwhile nothing else of this process reads or writes there: what it prints goes to its standard error.
    """
    if not (_can_be_waited_for(0) and _can_be_waited_for(1)):
        async with stdio_server() as streams:  # It has threads wait for what an event loop can't: files.
            yield streams
        return
    loop = asyncio.get_running_loop()
    into, out = os.dup(0), os.dup(1)
    with open(os.devnull, "rb") as nothing:  # noqa: ASYNC230, PTH123 - it is there at once
        os.dup2(nothing.fileno(), 0)
    sys.stdout.flush()
    os.dup2(2, 1)
    reader = asyncio.StreamReader(limit=LONGEST)
    listening, _ = await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), os.fdopen(into, "rb"))
    writing, protocol = await loop.connect_write_pipe(asyncio.streams.FlowControlMixin, os.fdopen(out, "wb"))
    writer = asyncio.StreamWriter(writing, protocol, None, loop)
    try:
        yield Incoming(reader), Outgoing(writer)
    finally:
        listening.close()
        writing.close()
