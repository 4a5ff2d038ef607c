"""One connection to a server: opened when it is first needed, and again after it was lost."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from contextvars import Context
from itertools import count
from typing import Any, cast

import anyio
from mcp.shared.dispatcher import CallOptions, DispatchContext
from mcp.shared.exceptions import MCPError
from mcp.shared.jsonrpc_dispatcher import JSONRPCDispatcher
from mcp.shared.transport_context import TransportContext
from mcp_types import CONNECTION_CLOSED, INTERNAL_ERROR, INVALID_REQUEST, METHOD_NOT_FOUND, UNSUPPORTED_PROTOCOL_VERSION
from mcp_types.version import LATEST_HANDSHAKE_VERSION, LATEST_MODERN_VERSION

from interlock.adapters.mcp import envelope
from interlock.adapters.mcp.reach import Reach
from interlock.errors import InterlockError

Params = Mapping[str, Any]
OnRequest = Callable[[str, Params | None], Awaitable[dict[str, Any]]]
HandOn = Callable[[], Awaitable[None]]
OnNotification = Callable[[str, Params | None], HandOn | None]

NOTIFICATIONS = 1000
"""How many notifications of a server may wait to be handed on; what comes while there are as many is dropped."""

QUESTIONS = 100
"""How many requests of a server to its client may be open at once."""

log = logging.getLogger("interlock")


class UnreachableError(InterlockError, ConnectionError):
    """The server can't be reached: nothing was sent. See to it that it runs; the next call tries again."""


class LostError(InterlockError, ConnectionError):
    """The connection was lost before the server answered: nobody knows whether it did what it was asked to."""


async def _nobody_answers(method: str, params: Params | None) -> dict[str, Any]:
    if method == "roots/list":
        return {"roots": []}
    raise MCPError(METHOD_NOT_FOUND, "there is no client behind this connection", method)


def _nobody_listens(method: str, params: Params | None) -> None:
    pass


class Upstream:
    """A connection to the server, in JSON-RPC as it is: methods, and parameters and results that nobody has changed.

    The mutable state: the dispatcher while the connection is up, the task that keeps it up, the notifications that wait
    to be handed on (and how many have not been), the task that does that, how many requests of the server are open, and
    the protocol version that was agreed on.

    Args:
        reach: How the server is reached.
        hello: The parameters of `initialize`, sent whenever the connection is opened; None where a client sends them.
        on_request: Answers what the server asks its client.
        on_notification: Takes what the server tells its client, at once and in order; what it returns hands that on, in
            the same order, when there is time.
    """

    def __init__(
        self,
        reach: Reach,
        hello: Params | None = None,
        on_request: OnRequest = _nobody_answers,
        on_notification: OnNotification = _nobody_listens,
    ) -> None:
        self.reach = reach
        self.hello = hello
        self._on_request = on_request
        self._on_notification = on_notification
        self._opening = asyncio.Lock()
        self._dispatcher: JSONRPCDispatcher[TransportContext] | None = None
        self._task: asyncio.Task[None] | None = None
        self._numbers = count(1)
        self._version = ""
        self._modern: dict[str, Any] = {}
        self._told: asyncio.Queue[HandOn] = asyncio.Queue(NOTIFICATIONS)
        self._untold = 0
        self._telling: asyncio.Task[None] | None = None
        self._asked = 0
        self.schemas: dict[str, Any] = {}
        """The input schemas of the tools that were listed: over HTTP some arguments are repeated in headers."""

    @property
    def is_up(self) -> bool:
        """Whether there is a connection now."""
        return self._dispatcher is not None

    def number(self) -> int:
        """Return the id for a request that is about to be sent; no other has it."""
        return next(self._numbers)

    async def request(self, method: str, params: Params | None, number: int | None = None) -> dict[str, Any]:
        """Send a request and return its result.

        Raises:
            UnreachableError: there is no connection, and none could be opened.
            LostError: the connection was lost before the answer came.
            MCPError: the server answered with an error.
        """
        dispatcher = self._dispatcher or await self._connected()
        return await self._sent(dispatcher, method, params, number)

    async def _sent(
        self, dispatcher: JSONRPCDispatcher[TransportContext], method: str, params: Params | None, number: int | None
    ) -> dict[str, Any]:
        if self._modern:
            params = envelope.stamped(params, self._modern)
        options: CallOptions = {
            "request_id": self.number() if number is None else number,
            "headers": envelope.headers(method, params, self._version, self.schemas),
        }
        if method == "initialize":
            options["cancel_on_abandon"] = False
        try:
            result = await dispatcher.send_raw_request(method, params, options)
        except MCPError as error:
            if (error.code, error.message) == (CONNECTION_CLOSED, "Connection closed"):
                raise LostError(f"the connection to {self.reach} was lost before it answered") from None
            if (error.code, error.message) == (INVALID_REQUEST, "Session terminated"):
                self._drop()  # The server has forgotten us (it was restarted); the next call says hello again.
            raise
        if method == "initialize":
            self._version = str(result.get("protocolVersion", ""))
        return result

    async def notify(self, method: str, params: Params | None) -> None:
        """Send a notification; where there is no connection, it is dropped."""
        if self._dispatcher is not None:
            await self._dispatcher.notify(method, params, {"headers": envelope.headers(method, params, self._version)})

    async def told(self) -> None:
        """Return when all that the server has said so far was handed on: an answer does not overtake it."""
        if not self._untold or self._telling is None:
            return
        heard = asyncio.Event()

        async def hear() -> None:
            heard.set()

        self._untold += 1
        await self._told.put(hear)
        hearing = asyncio.create_task(heard.wait())
        await asyncio.wait((hearing, self._telling), return_when=asyncio.FIRST_COMPLETED)
        hearing.cancel()

    async def close(self) -> None:
        """Close the connection; a command is stopped."""
        if self._telling is not None:
            self._telling.cancel()
        await self._down()

    async def _down(self) -> None:
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            await asyncio.wait((task,))

    # being up

    async def _connected(self) -> JSONRPCDispatcher[TransportContext]:
        async with self._opening:
            if self._dispatcher is None:
                await self._down()
                up: asyncio.Future[JSONRPCDispatcher[TransportContext]] = asyncio.get_running_loop().create_future()
                # What keeps the connection up belongs to no call: not to the one that happened to open it.
                self._task = asyncio.create_task(self._keep_up(up), context=Context())
                dispatcher = await up
                await self._greet(dispatcher)
                self._dispatcher = dispatcher
            return self._dispatcher

    async def _keep_up(self, up: "asyncio.Future[JSONRPCDispatcher[TransportContext]]") -> None:
        try:
            async with self.reach.streams() as (read, write):
                dispatcher: JSONRPCDispatcher[TransportContext] = JSONRPCDispatcher(
                    read, write, on_stream_exception=self._malformed
                )
                try:
                    await dispatcher.run(self._answer, _ignore, self._note, task_status=_Started(up, dispatcher))
                finally:
                    self._dispatcher = None
        except Exception as error:  # noqa: BLE001 - whatever a transport raises, the connection is down
            why = _reason(error)
            if up.done():
                log.warning("the connection to %s failed: %s", self.reach, why)
            else:
                up.set_exception(UnreachableError(f"{self.reach} can't be reached: {why}"))
        finally:
            if not up.done():
                up.set_exception(UnreachableError(f"{self.reach} can't be reached: it is being closed"))
                up.exception()

    async def _greet(self, dispatcher: JSONRPCDispatcher[TransportContext]) -> None:
        if self.hello is None:
            return
        try:
            await self._sent(dispatcher, "initialize", self.hello, None)
        except MCPError as error:
            if error.code not in (UNSUPPORTED_PROTOCOL_VERSION, METHOD_NOT_FOUND):
                raise UnreachableError(f"{self.reach} refused to begin: {error.message}") from None
            self._modern = envelope.of(self.hello, LATEST_MODERN_VERSION)  # It knows no handshake, only envelopes.
        except LostError:
            raise UnreachableError(f"{self.reach} ended before it said hello; what it wrote stands above") from None
        else:
            await dispatcher.notify("notifications/initialized", None, {"headers": envelope.agreed(self._version)})

    def _drop(self) -> None:
        self._dispatcher = None

    # what the server says by itself

    async def _answer(
        self, context: DispatchContext[TransportContext], method: str, params: Params | None
    ) -> dict[str, Any]:
        if method == "ping":
            return {}
        if self._asked >= QUESTIONS:
            raise MCPError(INTERNAL_ERROR, f"{QUESTIONS} requests are open already")
        self._asked += 1
        try:
            return await self._on_request(method, params)
        finally:
            self._asked -= 1

    def _note(self, method: str, params: Params | None) -> bool:
        """Take a notification in the order in which it came; cancellations have been seen to by then."""
        hand_on = self._on_notification(method, params) if method != "notifications/cancelled" else None
        if hand_on is not None and not self._told.full():
            self._told.put_nowait(hand_on)
            self._untold += 1
            if self._telling is None or self._telling.done():
                self._telling = asyncio.create_task(self._tell(), context=Context())
        return True

    async def _tell(self) -> None:
        while self._untold:
            hand_on = await self._told.get()
            try:
                await hand_on()
            except Exception:
                log.exception("a notification of %s could not be handed on", self.reach)
            finally:
                self._untold -= 1

    async def _malformed(self, error: Exception) -> None:
        log.warning("%s wrote something that is no message of the protocol; it is ignored", self.reach)

    def __repr__(self) -> str:
        return f"<Upstream {self.reach} [{'up' if self._dispatcher is not None else 'down'}]>"


class _Started:
    """Tells when a dispatcher can be used."""

    def __init__(self, up: "asyncio.Future[Any]", dispatcher: JSONRPCDispatcher[TransportContext]) -> None:
        self._up = up
        self._dispatcher = dispatcher

    def started(self, value: None = None) -> None:
        if not self._up.done():
            self._up.set_result(self._dispatcher)


async def _ignore(context: DispatchContext[TransportContext], method: str, params: Params | None) -> None:
    """Every notification was taken by `_note` already."""


def _reason(error: BaseException) -> str:
    """Return what went wrong, without the groups that it comes wrapped in."""
    while isinstance(error, BaseExceptionGroup):
        error = cast("BaseExceptionGroup[BaseException]", error).exceptions[0]
    if isinstance(error, (anyio.BrokenResourceError, anyio.ClosedResourceError)):
        return "it closed the connection"
    return str(error) or type(error).__name__


def hello(name: str, version: str, capabilities: Params | None = None) -> dict[str, Any]:
    """Return the parameters with which a connection of our own says hello."""
    return {
        "protocolVersion": LATEST_HANDSHAKE_VERSION,
        "capabilities": dict(capabilities or {}),
        "clientInfo": {"name": name, "version": version},
    }
