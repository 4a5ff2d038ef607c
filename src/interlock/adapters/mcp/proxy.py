"""The proxy: in front of a server, with the guardian in the way of every tool call and of nothing else."""

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

from mcp.server.connection import Connection
from mcp.server.context import CallNext, ServerRequestContext
from mcp.shared.dispatcher import DispatchContext
from mcp.shared.exceptions import MCPError
from mcp_types import CONNECTION_CLOSED, INTERNAL_ERROR, INVALID_PARAMS

from interlock.adapters.mcp import results
from interlock.adapters.mcp.asking import Asking
from interlock.adapters.mcp.calls import Calls
from interlock.adapters.mcp.link import Asked, Link, Who
from interlock.adapters.mcp.server import Server, ToolCall, current
from interlock.adapters.mcp.upstream import Params
from interlock.adapters.mcp.work import Work
from interlock.errors import InterlockError
from interlock.models import Proposal
from interlock.runtime.outcomes import Done, Failed, Outcome, Waiting

PIN_ANEW = "a person looks at it and pins the tools anew: `interlock proxy --pin …`"

LINK = "interlock"
"""Under what name a connection's link is kept with it."""


class Proxy:
    """Takes what clients send: tool calls go the path of an action, everything else goes on as it is.

    It stands in `mcp.server.Server.middleware`, before anything there looks at a message.

    The mutable state: the line that clients without sessions share, their runs (by name and day), and tasks that end
    what clients have left.

    Args:
        calls: Where tool calls get their outcome.
        server: The server behind.
        asking: Puts questions to the person at a client.
        journal: Where people find the questions, for the words that a client is told.
        unfit: The tools that can't be governed, and why.
    """

    def __init__(
        self,
        calls: Calls,
        server: Server,
        asking: Asking,
        journal: Path | None,
        unfit: Mapping[str, str],
    ) -> None:
        self._calls = calls
        self._server = server
        self._asking = asking
        self._journal = journal
        self._unfit = unfit
        self._shared: Link | None = None
        self._works: dict[tuple[str, str], Work] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    async def __call__(self, ctx: ServerRequestContext[Any, Any], call_next: CallNext) -> dict[str, Any] | None:
        """Answer a message of a client."""
        channel, connection = _channels(ctx)
        link = self._link(connection)
        if ctx.request_id is None:
            if ctx.method != "notifications/cancelled":  # What it cancels is told to the server under its own id.
                await link.upstream.notify(ctx.method, ctx.params)
            return None
        asked = Asked(channel, ctx.params)
        link.opened(asked)
        try:
            answer = await self._answer(link, asked, connection, ctx.method, ctx.params)
            await link.upstream.told()
        except ConnectionError as error:
            raise MCPError(CONNECTION_CLOSED, str(error)) from None
        except InterlockError as error:
            raise MCPError(INTERNAL_ERROR, str(error)) from None
        else:
            return answer
        finally:
            link.closed(asked)

    async def _answer(
        self, link: Link, asked: Asked, connection: Connection, method: str, params: Params | None
    ) -> dict[str, Any]:
        match method:
            case "initialize":
                return await link.begin(asked, params)
            case "tools/list":
                return await link.tools(asked, params)
            case "tools/call":
                return await self._called(link, asked, connection, params or {})
            case _:
                return await link.forward(asked, method, params)

    # a tool call

    async def _called(self, link: Link, asked: Asked, connection: Connection, params: Params) -> dict[str, Any]:
        name = params.get("name")
        if not isinstance(name, str):
            raise MCPError(INVALID_PARAMS, "a tool call names its tool")
        who = link.who(params)
        taken = await self._asking.take(params, who) if who.modern else params
        work = self._work(connection, who)
        proposal = self._proposal(work, connection, asked, name, params)
        call = ToolCall(link, asked, taken)
        outcome = await self._outcome(work, call, proposal)
        theirs = self._asking.theirs(outcome, who) if isinstance(outcome, Waiting) else []
        if theirs and who.modern and taken is params:
            return self._asking.demand(theirs)
        if theirs and not who.modern and await self._asking.ask(theirs, _way_to(asked, connection), who):
            outcome = await self._outcome(work, call, proposal)
        answer = self._given(call, outcome)
        return {"resultType": "complete", **answer} if who.modern else answer

    async def _outcome(self, work: Work, call: ToolCall, proposal: Proposal) -> Outcome:
        current.set(call)
        with suppress(ConnectionError):  # Should it be sent, it is looked at again then, and the outcome says it.
            try:
                await call.link.look(call.params)
            except MCPError as error:
                return await self._calls.refuse(work, proposal, f"its tools can't be looked at: {error.message}")
        why = self._server.pins.withheld.get(proposal.action) or self._unfit.get(proposal.action)
        if why:
            return await self._calls.refuse(work, proposal, f"tool {proposal.action!r} is withheld: {why}", PIN_ANEW)
        return await self._calls.perform(work, proposal)

    def _given(self, call: ToolCall, outcome: Outcome) -> dict[str, Any]:
        """Return the server's own answer where there is one, else what is to be told of the outcome."""
        if isinstance(outcome, Failed) and call.error is not None:
            raise call.error
        if isinstance(outcome, (Done, Failed)) and call.answer is not None:
            return call.answer
        return results.answered(outcome, self._journal)

    def _proposal(self, work: Work, connection: Connection, asked: Asked, name: str, params: Params) -> Proposal:
        given = params.get("arguments")
        arguments: Any = {} if given is None else given
        key = work.keys.without_session if _is_shared(connection) else work.keys.key
        return Proposal(name, arguments, key=key(asked.id, name, arguments, read=self._calls.is_read(name)))

    # who calls

    def _link(self, connection: Connection) -> Link:
        if _is_shared(connection):
            if self._shared is None:
                self._shared = self._server.open(None)
            return self._shared
        link = connection.state.get(LINK)
        if link is None:
            link = connection.state[LINK] = self._server.open(connection.outbound)
            connection.exit_stack.push_async_callback(self._left, connection)
        return cast("Link", link)

    def _work(self, connection: Connection, who: Who) -> Work:
        """Return the run that a call belongs to: its connection's, or without sessions its client's of that day."""
        if not _is_shared(connection):
            work = connection.state.get("work")
            if work is None:
                work = connection.state["work"] = self._calls.begin(self._about(who), connection.session_id)
            return cast("Work", work)
        today = datetime.now(UTC).date().isoformat()
        work = self._works.get((who.name, today))
        if work is None:
            for old in [one for one in self._works if one[0] == who.name]:
                self._calls.leave(self._works.pop(old))
            work = self._works[who.name, today] = self._calls.begin(self._about(who), f"{who.name}/{today}")
        return work

    def _about(self, who: Who) -> dict[str, Any]:
        return {"client": who.name, "server": self._server.pins.server}

    async def _left(self, connection: Connection) -> None:
        """Let go of a client that has gone; what it began is finished without it, and needs its line for that."""
        link, work = connection.state[LINK], connection.state.get("work")
        if work is not None:
            self._calls.leave(work)
        task = asyncio.get_running_loop().create_task(self._end(link, work))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _end(self, link: Link, work: Work | None) -> None:
        self._server.left(link)
        if work is not None:
            await work.free.wait()
        await self._server.end(link)

    async def close(self) -> None:
        """Close the lines of clients that have gone, and the one that is shared."""
        if self._shared is not None:
            await self._server.end(self._shared)
        await asyncio.gather(*self._tasks)


def _channels(ctx: ServerRequestContext[Any, Any]) -> tuple[DispatchContext[Any], Connection]:
    """Return the way back to who sent a message, along its answer, and the connection that it came on.

    The library hands both to its own session object, which parses and checks what goes through it; a proxy has to pass
    on what it does not know.
    """
    session = ctx.session
    return session._request_outbound, session._connection  # noqa: SLF001 - see above  # pyright: ignore[reportPrivateUsage]


def _is_shared(connection: Connection) -> bool:
    """Whether a message came without a session: each one stands alone, and tells of itself who sends it."""
    return not connection.has_standalone_channel


def _way_to(asked: Asked, connection: Connection) -> Any:
    return asked.channel if asked.channel.can_send_request else connection.outbound
