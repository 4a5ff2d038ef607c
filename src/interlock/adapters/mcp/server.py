"""A server as actions, undo functions and probes see it: tools that can be called."""

import logging
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from importlib.metadata import version
from typing import Any, cast

from mcp.shared.dispatcher import Outbound
from mcp.shared.exceptions import MCPError
from mcp_types import (
    HEADER_MISMATCH,
    INVALID_PARAMS,
    INVALID_REQUEST,
    METHOD_NOT_FOUND,
    MISSING_REQUIRED_CLIENT_CAPABILITY,
    PARSE_ERROR,
    UNSUPPORTED_PROTOCOL_VERSION,
    URL_ELICITATION_REQUIRED,
)

from interlock.actions.action import Refused
from interlock.actions.context import Ctx
from interlock.actions.tool import Body, Tool
from interlock.adapters.mcp import envelope, upstream
from interlock.adapters.mcp.link import Asked, Link, listed
from interlock.adapters.mcp.pins import Pins
from interlock.adapters.mcp.reach import Reach
from interlock.adapters.mcp.results import ToolError, words
from interlock.adapters.mcp.upstream import Params, UnreachableError, Upstream
from interlock.errors import InterlockError

NOT_TAKEN = (
    PARSE_ERROR,
    INVALID_REQUEST,
    METHOD_NOT_FOUND,
    INVALID_PARAMS,
    HEADER_MISMATCH,
    MISSING_REQUIRED_CLIENT_CAPABILITY,
    UNSUPPORTED_PROTOCOL_VERSION,
    URL_ELICITATION_REQUIRED,
)
"""Errors that say that a request was not taken at all: nothing has happened."""

EVERYTHING: dict[str, Any] = {
    "sampling": {"context": {}, "tools": {}},
    "elicitation": {"form": {}, "url": {}},
    "roots": {"listChanged": True},
    "tasks": {
        "cancel": {},
        "list": {},
        "requests": {"sampling": {"createMessage": {}}, "elicitation": {"create": {}}},
    },
}
"""What a client can be capable of: some servers show some tools only to those that are."""


class AnsweredError(InterlockError):
    """The server answered with an error that does not say whether anything happened."""


class ToolCall:
    """A client's call of a tool while it takes its path.

    The mutable state: what the server answered last, or the error with which it did.
    """

    def __init__(self, link: Link, asked: Asked, params: Params) -> None:
        self.link = link
        self.asked = asked
        self.params = params
        self.answer: dict[str, Any] | None = None
        self.error: MCPError | None = None


current: ContextVar[ToolCall | None] = ContextVar("current", default=None)
"""The client's call on whose behalf something is performed here."""


log = logging.getLogger("interlock")


def log_withheld(definition: Mapping[str, Any], why: str) -> None:
    """Log that a tool is withheld."""
    log.warning("tool %s is withheld: %s", definition.get("name"), why)


class Server:
    """The server behind a proxy; what undo functions, probes and facts find as `ctx.deps`.

    The mutable state: the lines of the clients that are connected (in the order in which they came), and one of our own
    for what is done while there is none: looking for what became of a call after a crash, taking something back.

    Args:
        reach: How it is reached.
        pins: Its tools' definitions as they were pinned.
        told: Is called with a definition that is withheld, the first time, and why.
    """

    def __init__(self, reach: Reach, pins: Pins, told: Callable[[Mapping[str, Any], str], None]) -> None:
        self.reach = reach
        self.pins = pins
        self._told = told
        self._links: dict[Link, None] = {}
        self._own: Link | None = None

    def open(self, client: Outbound | None) -> Link:
        """Return a new line for a client; without a channel to it, it is one that clients without sessions share."""
        link = Link(self.reach, self.pins, client, self._told)
        if client is not None:
            self._links[link] = None
        return link

    async def end(self, link: Link) -> None:
        """Close the line of a client that has gone."""
        self.left(link)
        await link.upstream.close()

    def left(self, link: Link) -> None:
        """Begin nothing more on the line of a client that has gone."""
        link.is_over = True
        self._links.pop(link, None)

    async def close(self) -> None:
        """Close every line."""
        for link in [*self._links, *([self._own] if self._own is not None else [])]:
            await self.end(link)

    async def listed(self) -> Pins:
        """Return the server's tools as they are now.

        Raises:
            InterlockError: it can't be reached, or its tools can't be pinned.
        """
        return await _listed(self.pins.server, self._nearest().upstream)

    async def look(self) -> None:
        """Compare the server's tools with the pinned ones, unless that was done since it last said that they change.

        Raises:
            ConnectionError: it can't be reached.
            MCPError: it does not list its tools.
        """
        await self._nearest().look(None)

    async def call(self, tool: str, arguments: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Call one of the server's own tools, and return its result as it came. Nobody judges that: it is your code.

        Raises:
            ToolError: the tool answered that it went wrong.
            Refused: the server could not be reached, or did not take the call; nothing has happened.
            ConnectionError: the connection was lost before the answer came.
            AnsweredError: it answered with an error of the protocol.
        """
        call, params = current.get(), _asking(tool, arguments or {})
        if call is not None and (carried := envelope.carried(call.params)):
            params["_meta"] = carried
        answer = await self._performed(call.link if call is not None else None, None, params)
        if answer.get("isError"):
            raise ToolError(words(answer))
        return answer

    def body(self, tool: Tool) -> Body:
        """Return what performs a tool: as its client asked for it, or anew where there is none any more."""
        harmless = ToolError in tool.refuses

        async def perform(ctx: Ctx[Any], arguments: dict[str, Any]) -> dict[str, Any]:
            call = current.get()
            if call is None:
                answer = await self._performed(None, None, _asking(tool.name, arguments))
            else:
                answer = await self._for_client(call, arguments)
            if harmless and answer.get("isError"):
                raise ToolError(words(answer))
            return answer

        return perform

    async def _for_client(self, call: ToolCall, arguments: dict[str, Any]) -> dict[str, Any]:
        call.answer = call.error = None
        params = {**call.params, "arguments": arguments} if arguments or "arguments" in call.params else call.params
        try:
            call.answer = await self._performed(call.link, call, params)
        except (Refused, AnsweredError) as error:
            call.error = error.__cause__ if isinstance(error.__cause__, MCPError) else None
            raise
        return call.answer

    async def _performed(self, link: Link | None, call: ToolCall | None, params: Params) -> dict[str, Any]:
        """Send a call, if the tool is as it was pinned; tell the errors apart that say that nothing happened."""
        link = self._nearest() if link is None or link.is_over else link
        try:
            await link.look(params)
        except (UnreachableError, MCPError, ConnectionError) as error:
            raise Refused(str(error)) from None
        if why := self.pins.withheld.get(str(params["name"])):
            raise Refused(f"tool {params['name']!r} is withheld: {why}")
        try:
            return await link.forward(call.asked if call is not None else None, "tools/call", params)
        except UnreachableError as error:
            raise Refused(str(error)) from None
        except MCPError as error:
            if error.code in NOT_TAKEN:
                raise Refused(error.message) from error
            raise AnsweredError(f"the server answered with error {error.code}: {error.message}") from error

    def _nearest(self) -> Link:
        """Return the line of the client that came last, else one of our own: not every server can be there twice."""
        last = next(reversed(self._links), None)
        if last is not None:
            return last
        if self._own is None:
            self._own = Link(self.reach, self.pins, None, self._told)
            self._own.upstream.hello = upstream.hello("interlock", version("interlock"))
        return self._own

    def __repr__(self) -> str:
        return f"<Server {self.pins.server} [{len(self._links)} clients]>"


def _asking(tool: str, arguments: Mapping[str, Any]) -> dict[str, Any]:
    return {"name": tool, "arguments": dict(arguments)}


async def scouted(server: str, reach: Reach) -> Pins:
    """Connect to a server as a client that can do everything, and return its tools' definitions.

    Raises:
        InterlockError: it can't be reached, or its tools can't be pinned.
    """
    scout = Upstream(reach, upstream.hello("interlock", version("interlock"), EVERYTHING))
    try:
        return await _listed(server, scout)
    finally:
        await scout.close()


async def _listed(server: str, connection: Upstream) -> Pins:
    tools: list[Any] = []
    try:
        async for page in listed(connection, {}):
            tools += cast("list[Any]", page.get("tools", []))
    except MCPError as error:
        raise AnsweredError(f"{server} does not list its tools: {error.message}") from None
    return Pins.of(server, [cast("dict[str, Any]", one) for one in tools if isinstance(one, dict)])
