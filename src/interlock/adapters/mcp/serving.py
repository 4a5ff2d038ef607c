"""A proxy as a whole: the server behind, its pinned tools, the runtime, and clients over stdio or HTTP."""

import asyncio
import signal
import socket
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

from mcp.server.lowlevel import Server as Front
from mcp.server.runner import serve_loop
from msgspec import Struct

from interlock.actions.tool import Tool
from interlock.adapters.mcp import effects
from interlock.adapters.mcp.asking import Asking
from interlock.adapters.mcp.calls import Calls
from interlock.adapters.mcp.pins import Pins, differences
from interlock.adapters.mcp.pipes import standard
from interlock.adapters.mcp.proxy import Proxy
from interlock.adapters.mcp.reach import Reach
from interlock.adapters.mcp.server import Server, scouted
from interlock.agents import Agent
from interlock.errors import DeclarationError, PolicyError
from interlock.guardian import Policy
from interlock.journal.redact import Redactor
from interlock.runtime.runtime import Runtime

DRAIN = 5.0
"""How long a proxy that is being stopped waits for what is under way, in seconds."""

SESSIONS = 256
"""How many clients may be connected over HTTP at once: each may have a server process of its own."""

Say = Callable[[str], None]


class Settings(Struct, frozen=True):
    """What a proxy is made of.

    Attributes:
        name: How the server is called in the journal and to people.
        reach: How it is reached.
        policy: What may be done.
        tools: What is known of some of its tools; the others go by their annotations.
        journal: The file that everything is recorded in.
        lock: The file that holds the pinned definitions.
        user: Whom the clients act for.
        levels: Which approvals the person at a client may give.
        say: Tells the operator something.
    """

    name: str
    reach: Reach
    policy: Policy
    tools: Sequence[Tool]
    journal: Path
    lock: Path
    user: str | None
    levels: Sequence[str]
    say: Say


async def pinned(name: str, reach: Reach, lock: Path, say: Say) -> Pins:
    """Return a server's pinned tools; those of a server that was never seen are pinned now, and the operator is told.

    Raises:
        InterlockError: the server can't be reached, or the lock file is none.
    """
    pins = Pins.read(name, lock)
    if pins is None:
        pins = await scouted(name, reach)
        pins.write(lock)
        named = ", ".join(pins.definitions) or "none"
        say(f"first use of {name}: its tools are pinned in {lock} as they are now ({named})")
    return pins


async def changed(name: str, reach: Reach, lock: Path) -> tuple[Pins, list[str]]:
    """Return a server's tools as they are now, and how they differ from the pinned ones, one text a tool.

    Raises:
        InterlockError: the server can't be reached, or the lock file is none.
    """
    before, now = Pins.read(name, lock), await scouted(name, reach)
    return now, differences(before, now)


def made(settings: Settings, pins: Pins) -> tuple[Server, Agent, dict[str, str]]:
    """Return the server, the agent whose actions are its tools, and the tools that can't be governed.

    Raises:
        DeclarationError: policy and tools don't fit together; the message says where.
    """

    def told(definition: Mapping[str, Any], why: str) -> None:
        settings.say(
            f"tool {definition.get('name')!r} of {settings.name} is withheld: {why}\n{pins.difference(definition)}\n"
            "if that is well, stop this proxy and pin the tools anew with --pin"
        )

    server = Server(settings.reach, pins, told)
    actions, unfit = effects.governed(pins.definitions, settings.tools, server.body)
    for name, why in unfit.items():
        settings.say(f"tool {name!r} of {settings.name} is withheld: {why}")
    try:
        agent = Agent(settings.name, actions, policy=settings.policy, deps=lambda: server)
    except PolicyError as error:
        raise PolicyError(
            f"{error}\nits tools are those in {settings.lock}; if it has others now, --pin them"
        ) from None
    return server, agent, unfit


@asynccontextmanager
async def standing(settings: Settings) -> AsyncGenerator["Front[Any]"]:
    """Open the journal, find what is unfinished, and yield what clients are served by.

    Raises:
        InterlockError: policy, journal, lock file or server are not as they should be; the message says where.
    """
    pins = await pinned(settings.name, settings.reach, settings.lock, settings.say)
    server, agent, unfit = made(settings, pins)
    redactor = Redactor(secrets=settings.reach.secrets)
    try:
        async with Runtime(settings.journal, agent, redact=redactor) as runtime:
            calls = Calls(runtime, agent, settings.user)
            asking = Asking(runtime, settings.name, settings.user, settings.levels)
            proxy = Proxy(calls, server, asking, settings.journal, unfit)
            await calls.find()
            front: Front[Any] = Front("interlock")
            front.middleware = [proxy]
            try:
                yield front
            finally:
                await calls.close(DRAIN)
                await proxy.close()
    finally:
        await server.close()


async def over_stdio(settings: Settings) -> None:
    """Serve one client over standard input and output, until it leaves or the process is told to stop."""
    told = _told_to_stop()
    async with standing(settings) as front, standard() as (read, write):
        serving = asyncio.create_task(serve_loop(front, read, write, lifespan_state={}))
        stopping = asyncio.create_task(told.wait())
        await asyncio.wait((serving, stopping), return_when=asyncio.FIRST_COMPLETED)
        for task in (serving, stopping):
            task.cancel()
        for error in await asyncio.gather(serving, stopping, return_exceptions=True):
            if isinstance(error, Exception):
                raise error


async def over_http(settings: Settings, host: str, port: int) -> None:
    """Serve clients over HTTP, at the path /mcp, until the process is told to stop.

    Raises:
        DeclarationError: that address can't be listened at.
    """
    try:
        listening = socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
    except OSError as error:
        raise DeclarationError(f"{host}:{port} can't be listened at: {error.strerror}; name another address") from None
    _told_to_stop()  # uvicorn hears of it itself, and then gives the signal back: it must not end us before the rest.
    with listening:
        await _served(settings, host, listening)


async def _served(settings: Settings, host: str, listening: socket.socket) -> None:
    import uvicorn  # noqa: PLC0415 - who serves over pipes doesn't wait for it

    async with standing(settings) as front:
        app = front.streamable_http_app(host=host, max_sessions=SESSIONS)
        serving = uvicorn.Server(uvicorn.Config(app, log_level="warning", timeout_graceful_shutdown=2))
        task = asyncio.create_task(serving.serve([listening]))
        settings.say(f"{settings.name} is served at http://{host}:{listening.getsockname()[1]}/mcp")
        try:
            await asyncio.wait((task,))
        finally:
            serving.should_exit = True
            await task


def _told_to_stop() -> asyncio.Event:
    """Return an event that is set when the process is told to stop: what is under way comes to its end first."""
    told, loop = asyncio.Event(), asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        with suppress(NotImplementedError, RuntimeError, ValueError):  # not everywhere, and in the main thread only
            loop.add_signal_handler(number, told.set)
    return told
