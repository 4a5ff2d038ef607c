"""Plays a script to a server through the official client, and keeps what came back on the wire for each step."""

from __future__ import annotations

import asyncio
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TextIO

import mcp_types as types
from mcp import Client, MCPError, StdioServerParameters
from mcp.client.stdio import stdio_client
from mcp_types.version import MODERN_PROTOCOL_VERSIONS
from pydantic import FileUrl

from benchmarks.mcp.wire import Message, tapped

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence
    from pathlib import Path

    from mcp.client.session import ClientRequestContext
    from mcp.shared.dispatcher import ProgressFnT

    from benchmarks.mcp.script import Step

PATIENCE_S = 30
"""How long one step may take before it counts as unanswered."""

_NEWEST: dict[str, Callable[..., Awaitable[Any]]] = {
    "tools/list": Client.list_tools,
    "resources/list": Client.list_resources,
    "resources/templates/list": Client.list_resource_templates,
    "resources/read": Client.read_resource,
    "prompts/list": Client.list_prompts,
    "prompts/get": Client.get_prompt,
    "completion/complete": Client.complete,
}
_LEGACY: dict[str, Callable[..., Awaitable[Any]]] = {
    "ping": Client.send_ping,  # pyright: ignore[reportDeprecated]
    "logging/setLevel": Client.set_logging_level,  # pyright: ignore[reportDeprecated]
    "resources/subscribe": Client.subscribe_resource,  # pyright: ignore[reportDeprecated]
    "resources/unsubscribe": Client.unsubscribe_resource,  # pyright: ignore[reportDeprecated]
}
"""What the newest version of the protocol has no more."""

_WAYS = _NEWEST | _LEGACY


@dataclass(frozen=True)
class Answer:
    """What came back for a step: the messages of the server, and what the client made of them."""

    step: Step | None
    heard: Sequence[Message]
    raised: str = ""
    progress: Sequence[tuple[float, float | None, str | None]] = ()


@dataclass(frozen=True)
class Played:
    """A script as it was answered on one connection."""

    protocol: str
    answers: Sequence[Answer]


async def play(command: Sequence[str], world: Path, mode: str, steps: Sequence[Step], errors: TextIO) -> Played:
    """Start a command, play the steps one after the other, and return what came back.

    The first answer is that of the connection itself.
    """
    heard: list[Message] = []
    program, *words = command
    # The whole environment, because both commands get the same and the proxy's package may need more than the default.
    started = StdioServerParameters(command=program, args=words, env=dict(os.environ))
    transport = tapped(stdio_client(started, errlog=errors), heard)
    async with _client(transport, mode, world) as client:
        answers = [Answer(None, _taken(heard))]
        modern = client.protocol_version in MODERN_PROTOCOL_VERSIONS
        wanted = [step for step in steps if not (modern and step.method in _LEGACY)]
        answers += [await _answer(client, step, heard) for step in wanted]
        return Played(client.protocol_version, answers)


def _client(transport: Any, mode: str, world: Path) -> Client:
    async def roots(context: ClientRequestContext) -> types.ListRootsResult:
        return types.ListRootsResult(roots=[types.Root(uri=FileUrl(world.as_uri()), name="world")])

    return Client(
        transport,
        mode=mode,
        cache=None,
        client_info=types.Implementation(name="bench", version="1"),
        sampling_callback=_sample,
        elicitation_callback=_elicit,
        list_roots_callback=roots,
        logging_callback=_ignore,
    )


async def _answer(client: Client, step: Step, heard: list[Message]) -> Answer:
    raised = ""
    noted: list[tuple[float, float | None, str | None]] = []

    async def note(progress: float, total: float | None, message: str | None) -> None:
        noted.append((progress, total, message))

    try:
        async with asyncio.timeout(PATIENCE_S):
            await _send(client, step, note)
    except MCPError:
        pass  # an answer like any other: it is on the wire
    except Exception as error:  # noqa: BLE001 - what the client makes of an answer is part of the comparison
        raised = f"{type(error).__name__}: {error}"
    return Answer(step, _taken(heard), raised, noted)


async def _send(client: Client, step: Step, note: ProgressFnT) -> None:
    """Send one request by the client's own method for it."""
    asked: dict[str, Any] = dict(step.params)
    if step.method == "tools/call":
        await client.call_tool(asked["name"], asked["arguments"], progress_callback=note)
    else:
        await _WAYS[step.method](client, **asked)


def _taken(heard: list[Message]) -> list[Message]:
    taken = list(heard)
    heard.clear()
    return taken


async def _sample(context: ClientRequestContext, params: Any) -> types.CreateMessageResult:
    said = types.TextContent(type="text", text="a scripted answer — ünïcode")
    return types.CreateMessageResult(role="assistant", content=said, model="scripted", stop_reason="endTurn")


async def _elicit(context: ClientRequestContext, params: Any) -> types.ElicitResult:
    form = isinstance(params, types.ElicitRequestFormParams)
    return types.ElicitResult(action="accept", content={"name": "Ana Müller", "check": True} if form else None)


async def _ignore(params: types.LoggingMessageNotificationParams) -> None:
    """Take log messages; they are on the wire."""
