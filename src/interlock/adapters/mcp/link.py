"""A client's line to the server: requests, answers and notifications in both directions, as they are."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Mapping
from typing import Any, NamedTuple, cast

from mcp.shared.dispatcher import DispatchContext, Outbound
from mcp.shared.exceptions import MCPError
from mcp.shared.subscriptions import SUBSCRIPTION_ID_META_KEY
from mcp_types import CLIENT_CAPABILITIES_META_KEY, CLIENT_INFO_META_KEY, METHOD_NOT_FOUND

from interlock.adapters.mcp import envelope
from interlock.adapters.mcp.hidden import clean
from interlock.adapters.mcp.pins import Pins
from interlock.adapters.mcp.reach import Reach
from interlock.adapters.mcp.upstream import HandOn, Params, Upstream

LONGEST_NAME = 64
"""How many characters of what a client calls itself are kept."""

MOST_PAGES = 1000
"""How many pages a list of tools may have."""


class Who(NamedTuple):
    """A client: what it calls itself, what it is capable of, and whether it says so in every request (`modern`)."""

    name: str
    capabilities: Mapping[str, Any]
    modern: bool = False


class Asked:
    """A request of a client while it is being answered."""

    __slots__ = ("channel", "id", "token")

    def __init__(self, channel: DispatchContext[Any], params: Params | None) -> None:
        self.channel = channel
        self.id = channel.request_id
        self.token = envelope.meta(params).get("progressToken")


class Link:
    """What stands between one client and the server: a connection of its own, or one for all clients without sessions.

    What is asked of the server goes on under an id and a progress token of this link's, and what comes back gets those
    of the client. A tool that is not as it was pinned does not get through.

    The mutable state: what the client said of itself, its requests that are being answered (in the order in which they
    came), those that were sent on (by their number there), and whether the tools' definitions are known to be those
    that were compared last.

    Args:
        reach: How the server is reached.
        pins: The tools' definitions as they were pinned.
        client: The channel to the client beside its requests; None where several share this link.
        told: Is called with a definition that is withheld, the first time.
    """

    def __init__(
        self,
        reach: Reach,
        pins: Pins,
        client: Outbound | None,
        told: Callable[[Mapping[str, Any], str], None],
    ) -> None:
        self.upstream = Upstream(reach, None, self._from_server, self._told_by_server)
        self._who = Who("a client", {})
        self._secrets = reach.secrets
        self._pins = pins
        self._client = client
        self._told = told
        self._open: dict[Asked, None] = {}
        self._sent: dict[int, Asked] = {}
        self._looked = False
        self._looking = asyncio.Lock()
        self.is_over = False
        """Whether the client has gone."""

    # from the client to the server

    def opened(self, asked: Asked) -> None:
        """Take note that a request of the client is being answered."""
        self._open[asked] = None

    def closed(self, asked: Asked) -> None:
        """Take note that it has been, or that the client has lost interest."""
        self._open.pop(asked, None)

    async def forward(self, asked: Asked | None, method: str, params: Params | None) -> dict[str, Any]:
        """Send a request on (of a client, or one of ours), and return what the server answers, without its secrets.

        Raises:
            MCPError: the server answered with an error.
            ConnectionError: it can't be reached, or was lost before it answered.
        """
        number = self.upstream.number()
        if asked is not None:
            self._sent[number] = asked
        try:
            return clean(await self.upstream.request(method, _with_token(params, number), number), self._secrets)
        except MCPError as error:
            raise MCPError(error.code, clean(error.message, self._secrets), clean(error.data, self._secrets)) from None
        finally:
            self._sent.pop(number, None)

    async def begin(self, asked: Asked, params: Params | None) -> dict[str, Any]:
        """Introduce the client to the server; after a lost connection it is introduced again in the same words."""
        result = await self.forward(asked, "initialize", params)
        self.upstream.hello = params
        given = params or {}
        self._who = _introduced(given.get("clientInfo"), given.get("capabilities"))
        return result

    def who(self, params: Params | None) -> Who:
        """Return who is behind a request: as it says itself, or as the client said in the beginning."""
        carried = envelope.carried(params)
        if not carried:
            return self._who
        return _introduced(carried.get(CLIENT_INFO_META_KEY), carried.get(CLIENT_CAPABILITIES_META_KEY), modern=True)

    # the tools

    async def tools(self, asked: Asked, params: Params | None) -> dict[str, Any]:
        """Return a page of the server's tools, without those that are withheld."""
        result = await self.forward(asked, "tools/list", params)
        return {**result, "tools": self._compared(result)}

    async def look(self, params: Params | None) -> None:
        """See to it that the tools' definitions were compared since the server last said that they change.

        *params* are those of the request that needs to know.

        Raises:
            MCPError: the server does not list its tools.
            ConnectionError: it can't be reached.
        """
        if self._looked and self.upstream.is_up:
            return
        async with self._looking:
            if self._looked and self.upstream.is_up:
                return
            # Set before the look: what the server says meanwhile asks for another one.
            self._looked = True
            try:
                async for one in listed(self.upstream, envelope.carried(params)):
                    self._compared(one)
            except BaseException:
                self._looked = False
                raise

    def _compared(self, page: Mapping[str, Any]) -> list[Any]:
        kept: list[Any] = []
        for one in cast("list[Any]", page.get("tools", [])):
            if not isinstance(one, Mapping):
                continue
            found = cast("Mapping[str, Any]", one)
            known = found.get("name") in self._pins.withheld
            why = self._pins.judged(found)
            if not why:
                self.upstream.schemas[str(found["name"])] = found.get("inputSchema")
                kept.append(one)
            elif not known:
                self._told(found, why)
        return kept

    # from the server to the client

    async def _from_server(self, method: str, params: Params | None) -> dict[str, Any]:
        asked = next((one for one in reversed(self._open) if one.channel.can_send_request), None)
        if asked is None and self._client is None:
            raise MCPError(METHOD_NOT_FOUND, "no client can be asked here", method)
        channel = asked.channel if asked is not None else cast("Outbound", self._client)
        return await channel.send_raw_request(method, params)

    def _told_by_server(self, method: str, params: Params | None) -> HandOn | None:
        if method == "notifications/tools/list_changed":
            self._looked = False
        asked, changed = self._concerned(method, params)
        if asked is None:
            # The newest request's answer is where a client over HTTP surely listens.
            asked = next(reversed(self._open), None) if self._client is not None else None
        channel = self._client if asked is None else asked.channel
        return None if channel is None else lambda: channel.notify(method, changed)

    def _concerned(self, method: str, params: Params | None) -> tuple[Asked | None, Params | None]:
        """Return the request that a notification is about, and its parameters with the client's own id or token."""
        if params is None:
            return None, params
        if method == "notifications/progress":
            asked = self._sent.get(_number(params.get("progressToken")))
            return asked, params if asked is None else {**params, "progressToken": asked.token}
        meta = envelope.meta(params)
        asked = self._sent.get(_number(meta.get(SUBSCRIPTION_ID_META_KEY)))
        if asked is None:
            return None, params
        return asked, {**params, "_meta": {**meta, SUBSCRIPTION_ID_META_KEY: asked.id}}

    def __repr__(self) -> str:
        return f"<Link of {self._who.name} [{len(self._open)} requests open]>"


async def listed(upstream: Upstream, meta: Mapping[str, Any]) -> AsyncGenerator[dict[str, Any]]:
    """Yield the pages of the server's list of tools."""
    cursor = None
    for _ in range(MOST_PAGES):
        params = {**({"_meta": dict(meta)} if meta else {}), **({} if cursor is None else {"cursor": cursor})}
        page = await upstream.request("tools/list", params or None)
        yield page
        cursor = page.get("nextCursor")
        if not isinstance(cursor, str):
            return


def _introduced(client: Any, capabilities: Any, *, modern: bool = False) -> Who:
    named = cast("dict[str, Any]", client if isinstance(client, dict) else {})
    able = cast("dict[str, Any]", capabilities if isinstance(capabilities, dict) else {})
    return Who(str(named.get("name", "a client"))[:LONGEST_NAME], able, modern)


def _number(value: Any) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) else 0


def _with_token(params: Params | None, number: int) -> Params | None:
    meta = envelope.meta(params)
    return params if "progressToken" not in meta else {**(params or {}), "_meta": {**meta, "progressToken": number}}
