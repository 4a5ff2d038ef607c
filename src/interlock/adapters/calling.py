"""Bodies performed where their caller is: in its task or thread, with its context, while the path runs elsewhere."""

import asyncio
import queue
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import suppress
from contextvars import ContextVar
from typing import Any, NamedTuple

from interlock.actions.action import Refused
from interlock.actions.context import Ctx
from interlock.runtime.outcomes import Done, Failed, Outcome
from interlock.runtime.portal import Portal

Harmless = tuple[type[Exception], ...]
"""Exceptions of a body that say that nothing has happened: another framework's control flow, mostly."""

_current: ContextVar[Ctx[Any] | None] = ContextVar("current", default=None)


def current() -> Ctx[Any] | None:
    """Return the context of the call whose body is being performed here, with its idempotency key; else None."""
    return _current.get()


class Interrupted(Exception):  # noqa: N818 - it is told of the body, not raised at anybody's door
    """The caller was stopped in the middle of a body: nobody knows how far it came."""


class _Go(NamedTuple):
    """A body may be performed now: its intent is durable."""

    ctx: Ctx[Any]
    arguments: dict[str, Any]
    reply: "asyncio.Future[Any]"


class _Landed(NamedTuple):
    """The proposal has its outcome, or the path failed."""

    outcome: Outcome | None
    error: BaseException | None = None


class Call:
    """One proposal between the loop behind the portal, where its path is walked, and its caller.

    The mutable state: the reply that the path waits for, whether the caller has left (both belong to the loop behind
    the portal), and what the body came to last (the caller's own).
    """

    def __init__(self, portal: Portal, put: Callable[[object], object], harmless: Harmless) -> None:
        self._portal = portal
        self._put = put
        self._harmless = harmless
        self._reply: asyncio.Future[Any] | None = None
        self._left = False
        self._value: Any = None
        self._raised: Exception | None = None

    # behind the portal

    async def body(self, ctx: Ctx[Any], arguments: dict[str, Any]) -> Any:
        """Have the caller perform its body, and return what that returns.

        It can't be stopped from here: the first cancellation, which is that of a deadline, is not heard.

        Raises:
            Refused: the caller left before it began, or the body said that nothing has happened.
        """
        if self._left:
            raise Refused("its caller left before anything was sent")
        self._reply = reply = asyncio.get_running_loop().create_future()
        self._send(_Go(ctx, arguments, reply))
        try:
            return await asyncio.shield(reply)
        except asyncio.CancelledError:
            return await reply

    def land(self, outcome: Outcome | None, error: BaseException | None = None) -> None:
        """Tell the caller what came of it."""
        self._send(_Landed(outcome, error))

    def _send(self, what: object) -> None:
        with suppress(RuntimeError):  # The caller's loop has ended, and nobody listens there.
            self._put(what)
            return
        self._leave()

    def _leave(self) -> None:
        self._left = True
        if self._reply is not None and not self._reply.done():
            self._reply.set_exception(Refused("its caller left before anything was sent"))

    # where the caller is

    def leave(self) -> None:
        """Say that the caller listens no more: what has not begun won't."""
        self._tell(self._leave)

    async def serve(self, go: _Go, body: Callable[[dict[str, Any]], Awaitable[Any]]) -> None:
        """Perform an async body in the caller's task."""
        token = _current.set(go.ctx)
        try:
            self._answer(go, await body(go.arguments))
        except Exception as error:  # noqa: BLE001 - whatever it raises is what the path is told
            self._fail(go, error)
        except BaseException:
            self._reply_to(go, None, Interrupted("its caller was stopped in the middle of it"))
            raise
        finally:
            _current.reset(token)

    def serve_here(self, go: _Go, body: Callable[[dict[str, Any]], Any]) -> None:
        """Perform a sync body in the caller's thread."""
        with suppress(StopIteration):
            self.serve(go, _awaited(body)).send(None)

    def landed(self, landed: _Landed) -> Outcome:
        """Return the outcome; where the body failed and nothing happened, raise what it raised."""
        if landed.error is not None:
            raise landed.error
        assert landed.outcome is not None
        if isinstance(landed.outcome, Failed) and self._raised is not None:
            raise self._raised
        if isinstance(landed.outcome, Done) and landed.outcome.problem and self._value is not None:
            return Done(self._value, landed.outcome.problem)
        return landed.outcome

    def _answer(self, go: _Go, value: Any) -> None:
        self._value, self._raised = value, None
        self._reply_to(go, value)

    def _fail(self, go: _Go, error: Exception) -> None:
        self._raised = error
        self._reply_to(go, None, Refused(str(error)) if isinstance(error, self._harmless) else error)

    def _reply_to(self, go: _Go, value: Any, error: Exception | None = None) -> None:
        def reply() -> None:
            if go.reply.done():
                return
            if error is None:
                go.reply.set_result(value)
            else:
                go.reply.set_exception(error)

        self._tell(reply)

    def _tell(self, what: Callable[[], None]) -> None:
        with suppress(RuntimeError):  # The governor was closed meanwhile; its journal says how far it came.
            self._portal.call_soon(what)


async def in_task(
    portal: Portal,
    walk: Callable[[Call], Coroutine[Any, Any, None]],
    body: Callable[[dict[str, Any]], Awaitable[Any]],
    harmless: Harmless,
) -> Outcome:
    """Have a path walked behind the portal, perform the body in this task when its time comes; return the outcome."""
    loop = asyncio.get_running_loop()
    inbox: asyncio.Queue[Any] = asyncio.Queue()
    call = Call(portal, lambda what: loop.call_soon_threadsafe(inbox.put_nowait, what), harmless)
    portal.begin(walk(call))
    try:
        while isinstance(what := await inbox.get(), _Go):
            await call.serve(what, body)
        return call.landed(what)
    finally:
        call.leave()


def in_thread(
    portal: Portal,
    walk: Callable[[Call], Coroutine[Any, Any, None]],
    body: Callable[[dict[str, Any]], Any],
    harmless: Harmless,
) -> Outcome:
    """The same for a caller without an event loop: the body is performed in this thread."""
    inbox: queue.SimpleQueue[Any] = queue.SimpleQueue()
    call = Call(portal, inbox.put, harmless)
    portal.begin(walk(call))
    try:
        while isinstance(what := inbox.get(), _Go):
            call.serve_here(what, body)
        return call.landed(what)
    finally:
        call.leave()


def _awaited(body: Callable[[dict[str, Any]], Any]) -> Callable[[dict[str, Any]], Awaitable[Any]]:
    async def awaited(arguments: dict[str, Any]) -> Any:
        return body(arguments)

    return awaited
