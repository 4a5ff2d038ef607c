"""The work of one client: a run that is started with its first call, and held while somebody is at it."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress

from interlock.adapters.mcp.keys import Keys
from interlock.errors import InterlockError
from interlock.runtime.runtime import Runtime
from interlock.runtime.session import Session


class Work:
    """A run of ours for what one client does between its first call and its leaving.

    The mutable state: the run's id once it was started, the session that holds it, how many calls use that now (`free`
    is set while there are none), and whether the client is still connected.

    Args:
        runtime: Where it runs.
        start: Starts the run and returns its id; None where *run* is there already.
        run: The id of a run that an earlier client left.
    """

    def __init__(
        self, runtime: Runtime, start: Callable[[], Awaitable[str]] | None = None, run: str | None = None
    ) -> None:
        self._runtime = runtime
        self._start = start
        self._beginning = asyncio.Lock()
        self._session: Session | None = None
        self._held = AsyncExitStack()
        self.run = run
        self.keys = Keys()
        self.connected = run is None
        self.users = 0
        self.free = asyncio.Event()
        self.free.set()

    @asynccontextmanager
    async def session(self) -> AsyncGenerator[Session]:
        """Hold the run open; it is started if it was not.

        Raises:
            RunEndedError: it was ended by somebody else.
        """
        self.users += 1
        self.free.clear()
        try:
            yield self._session or await self._begun()
        finally:
            self.users -= 1
            if not self.users:
                self.free.set()

    async def _begun(self) -> Session:
        async with self._beginning:
            if self._session is None:
                if self.run is None:
                    assert self._start is not None
                    self.run = await self._start()
                self._session = await self._held.enter_async_context(self._runtime.session(self.run))
            return self._session

    async def restart(self, ended: str | None) -> None:
        """Go on in another run, because the one that has *ended* did so without us."""
        async with self._beginning:
            if self.run == ended and self._start is not None:
                self.run, self._session = None, None
                held, self._held = self._held, AsyncExitStack()
                await held.aclose()

    async def rest(self, *, over: bool) -> None:
        """Let go of the run until somebody calls again; where it is *over* and nothing of it is open, it ends."""
        async with self._beginning:
            session, self._session = self._session, None
            if session is None:
                return
            if over and not session.is_busy:
                with suppress(InterlockError):
                    await session.finish()
            await self._held.aclose()

    def __repr__(self) -> str:
        return f"<Work {self.run or 'not begun'} [{self.users} at it]>"
