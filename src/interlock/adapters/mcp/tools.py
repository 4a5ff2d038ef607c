"""A server's tools as actions of our own agents."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self, cast

from interlock.actions.context import Ctx
from interlock.actions.tool import Body, Tool
from interlock.adapters.mcp import effects
from interlock.adapters.mcp.pins import Pins
from interlock.adapters.mcp.reach import Command, Http, Reach
from interlock.adapters.mcp.results import ToolError, words
from interlock.adapters.mcp.server import Server, log_withheld
from interlock.errors import DeclarationError


class McpServer:
    """A server whose tools an agent of ours may propose; used as `async with McpServer("npx", "-y", …) as files`.

    A server that has died is started again with the next call. A call that was under way then is never sent again,
    unless the tool is declared, or calls itself, idempotent.

    Args:
        command: The command and its arguments.
        url: Instead of a command, the address of a server that is spoken to over HTTP.
        headers: What is sent to it with every request.
        secrets: What only the server gets: environment variables of the command, or the secrets in *headers*, by name.
            They are taken out of what it answers.
        tools: What is known of some of its tools (`tool.compensable("pay")`); the others go by their annotations.
        lock: The file that holds the tools' definitions as a person has seen them; it is made at the first use. Without
            it, they are those that the server has when it is entered.

    Attributes:
        actions: The tools as actions, once it is entered. Those whose definition is not the pinned one are not there.

    Raises:
        DeclarationError: there are a command and an address, or neither.
    """

    def __init__(
        self,
        *command: str,
        url: str | None = None,
        headers: Mapping[str, str] | None = None,
        secrets: Mapping[str, str] | None = None,
        tools: Iterable[Tool] = (),
        lock: str | Path | None = None,
    ) -> None:
        if bool(command) == (url is not None):
            raise DeclarationError('give McpServer a command, McpServer("npx", "-y", …), or url=…')
        self._reach: Reach = Command(command, secrets) if url is None else Http(url, headers, secrets)
        self._tools = tuple(tools)
        self._lock = None if lock is None else Path(lock)
        self._server: Server | None = None
        self.actions: list[Tool] = []

    async def __aenter__(self) -> Self:
        """Connect, and find out which tools there are.

        Raises:
            InterlockError: the server can't be reached, or its tools can't be what they are declared to be.
        """
        name = str(self._reach)
        server = Server(self._reach, Pins(name, {}), log_withheld)
        try:
            server.pins.definitions.update((await self._pinned(server, name)).definitions)
            self.actions, unfit = effects.governed(server.pins.definitions, self._tools, self._body)
            server.pins.withheld |= unfit
            await server.look()
            self.actions = [one for one in self.actions if one.name not in server.pins.withheld]
        except BaseException:
            await server.close()
            raise
        self._server = server
        return self

    async def _pinned(self, server: Server, name: str) -> Pins:
        pins = Pins.read(name, self._lock) if self._lock is not None else None
        if pins is None:
            pins = await server.listed()
            if self._lock is not None:
                pins.write(self._lock)
        return pins

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the connection; a command is stopped."""
        server, self._server = self._server, None
        if server is not None:
            await server.close()

    async def call(self, tool: str, arguments: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Call one of the server's tools from an undo, a probe or a fact, and return its result as it came.

        Raises:
            DeclarationError: the server is not entered.
            ToolError: the tool answered that it went wrong.
            Refused: the server could not be reached, or did not take the call; nothing has happened.
            ConnectionError: the connection was lost before the answer came.
        """
        return await self._entered().call(tool, arguments)

    def _entered(self) -> Server:
        if self._server is None:
            raise DeclarationError(f"{self._reach} is not connected; use it inside `async with McpServer(…)`")
        return self._server

    def _body(self, tool: Tool) -> Body:
        quiet = tool.effect != "read" and ToolError not in tool.refuses

        async def perform(ctx: Ctx[Any], arguments: dict[str, Any]) -> Any:
            try:
                return _plain(await self.call(tool.name, arguments))
            except ToolError as error:
                if quiet:  # It answered; whether something happened is not known, and asking a person is too much.
                    return {"error": str(error)}
                raise

        return perform

    def __repr__(self) -> str:
        return f"<McpServer {self._reach}: {', '.join(one.name for one in self.actions)}>"


def _plain(result: Mapping[str, Any]) -> Any:
    """Return a result as a model reads it best: its data, else its text, else all of it."""
    if result.get("structuredContent") is not None:
        return result["structuredContent"]
    content = cast("list[dict[str, Any]]", result.get("content", []))
    return words(result) if all(one.get("type") == "text" for one in content) else dict(result)
