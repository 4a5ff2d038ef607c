"""From a tool call to its outcome: which run it belongs to, and which earlier call it is, if it is one."""

import asyncio
import logging
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine, Mapping
from contextlib import asynccontextmanager, suppress
from typing import Any, TypeVar
from weakref import WeakValueDictionary

import msgspec

from interlock.adapters.mcp import earlier
from interlock.adapters.mcp.earlier import Place
from interlock.adapters.mcp.work import Work
from interlock.agents import Agent
from interlock.canonical import canonical, digest
from interlock.errors import InterlockError, RunEndedError
from interlock.models import Proposal
from interlock.runtime.outcomes import Denied, Outcome, Turn, Unknown, Waiting
from interlock.runtime.runtime import Runtime

LEFT = 600.0
"""For how long the outcome of a call whose client went away is kept for whoever makes the same call, in seconds."""

T = TypeVar("T")

log = logging.getLogger("interlock")


class Calls:
    """Takes tool calls down the path of an action, each once.

    A client that was told that its call waits, or that nobody knows what became of it, makes the same call again to
    find out; so does one that lost its connection. Such a call is the same proposal, until its outcome has been handed
    over. Any other call is a new one, whatever its arguments.

    The mutable state: the calls whose outcome nobody has been given yet (by tool and arguments), the runs that are
    held, and who is at it now where the same call must not be begun twice.
    """

    def __init__(self, runtime: Runtime, agent: Agent, user: str | None) -> None:
        self.runtime = runtime
        self.agent = agent
        self.user = user
        self._places: dict[str, list[Place]] = {}
        self._works: dict[str, Work] = {}
        self._turns: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self._tasks: set[asyncio.Task[None]] = set()
        self._asks = {name: _may_ask(agent, name) for name in agent.actions}

    async def find(self) -> None:
        """Find what clients of earlier processes have not been told yet, and end the runs that are over."""
        async for run, places in earlier.found(self.runtime.journal, self.agent, self.user, LEFT):
            for place in places:
                self._places.setdefault(place.mark, []).append(place)
            if not places:
                async with self.runtime.session(run) as session:
                    await session.finish()

    def begin(self, about: Mapping[str, Any], conversation: str | None) -> Work:
        """Return the work of one client; its run is started with its first call."""

        async def start() -> str:
            run = await self.runtime.start(self.agent.name, dict(about), user=self.user, conversation=conversation)
            return run.id

        return Work(self.runtime, start)

    def is_read(self, name: str) -> bool:
        """Whether a tool changes nothing."""
        action = self.agent.actions.get(name)
        return action is not None and action.effect == "read"

    async def refuse(self, work: Work, proposal: Proposal, reason: str, instead: str = "") -> Denied:
        """Turn a call down before anybody judges it, and return that."""
        refused = msgspec.structs.replace(proposal, key=f"{proposal.key}/refused")

        async def refuse() -> None:
            async with work.session() as session:
                self._works[session.run] = work
                await session.refuse(refused, reason, instead)

        await self._in_its_run(work, refuse)
        return Denied((reason,), (instead,) if instead else (), "validate")

    async def perform(self, work: Work, proposal: Proposal) -> Outcome:
        """Perform a call of a client, or go on with the earlier one that it is.

        Raises:
            InterlockError: the path can't be walked; nothing was done after that.
        """
        asks = self._asks.get(proposal.action, False)
        mark = self._mark(proposal) if asks or self._places else ""
        async with self._turn(mark if asks else ""):
            place = self._earlier(mark)
            if place is not None:
                with suppress(RunEndedError):
                    return await self._go_on(place, proposal)
                self._drop(place)
            return await self._in_its_run(work, lambda: self._watched(work, proposal))

    async def _go_on(self, place: Place, proposal: Proposal) -> Outcome:
        """Find out what became of an earlier call, in the run of whoever made it."""
        work = self._works.get(place.run)
        if work is None:
            work = self._works[place.run] = Work(self.runtime, run=place.run)
        try:
            return await self._watched(work, msgspec.structs.replace(proposal, key=place.key))
        finally:
            self._spawn(self._over(work))

    async def _in_its_run(self, work: Work, doing: Callable[[], Awaitable[T]]) -> T:
        run = work.run
        try:
            return await doing()
        except RunEndedError:  # Somebody ended or undid it beside us: the client goes on in another one.
            await work.restart(run)
            self._works.pop(run or "", None)
            return await doing()

    async def _watched(self, work: Work, proposal: Proposal) -> Outcome:
        """Perform it, and remember it until somebody has been told its outcome."""
        async with work.session() as session:
            self._works[session.run] = work
            place = Place(session.run, proposal.key)
            try:
                outcome = await session.perform(proposal)
            except asyncio.CancelledError:
                self._spawn(self._left(work, place, proposal))
                raise
            if isinstance(outcome, (Waiting, Unknown)):
                self._keep(place, proposal)
            elif self._places:
                self._drop(place)
            return outcome

    async def _left(self, work: Work, place: Place, proposal: Proposal) -> None:
        """Wait for a call whose client went away in the middle of it, and keep its outcome for the next such call."""
        async with work.session() as session:
            if not self.is_read(proposal.action):
                self._keep(Place(place.run, place.key, until=time.time() + LEFT), proposal)
                gone = Turn(earlier.CLIENT, response={earlier.LEFT: place.key}, key=f"left/{place.key}")
                await session.record(gone)
            await session.perform(proposal)  # It joins the performance that is under way.
        await self._over(work)

    # the end of a client's work

    def leave(self, work: Work) -> None:
        """End the work of a client that has gone, once what it began has come to its end and nothing waits."""
        work.connected = False
        self._spawn(self._over(work))

    async def close(self, seconds: float) -> None:
        """Let what is under way come to its end, for so long, and end the runs that are over."""
        for work in list(self._works.values()):
            self.leave(work)
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=seconds)
        for task in self._tasks:
            task.cancel()
        for work in self._works.values():
            self._spawn(work.rest(over=False))
        if self._tasks:
            _, stuck = await asyncio.wait(self._tasks, timeout=1)
            for task in stuck:
                task.cancel()
            await asyncio.gather(*stuck, return_exceptions=True)
        for work in self._works.values():
            work.free.set()  # Whoever waited for it need not any more: what is left is for the next start.

    async def _over(self, work: Work) -> None:
        """End a run that nobody is connected to any more, unless something of it is still open."""
        if work.connected or work.users or work.run is None or self._works.get(work.run) is not work:
            return
        over = not any(place.run == work.run for places in self._places.values() for place in places)
        await work.rest(over=over)
        if over:
            self._works.pop(work.run, None)

    def _spawn(self, doing: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(self._quietly(doing))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _quietly(self, doing: Coroutine[Any, Any, None]) -> None:
        try:
            await doing
        except InterlockError as error:
            log.warning("a client's run could not be brought to its end: %s; the next start does it", error)

    # which call it is

    def _mark(self, proposal: Proposal) -> str:
        """Return what two calls have in common that ask for the same: the digest that an approval is bound to."""
        action = self.agent.actions.get(proposal.action)
        if action is None:
            return ""
        try:
            return digest(action.name.encode(), canonical(action.signature.arguments(proposal.args)))
        except (ValueError, TypeError, RecursionError):
            return ""

    def _earlier(self, mark: str) -> Place | None:
        now = time.time()
        places = [one for one in self._places.get(mark, ()) if one.until > now]
        if not places:
            self._places.pop(mark, None)
            return None
        self._places[mark] = places
        return places[0]

    def _keep(self, place: Place, proposal: Proposal) -> None:
        mark = self._mark(proposal)
        if mark:
            kept = [one.until for one in self._places.get(mark, ()) if (one.run, one.key) == (place.run, place.key)]
            self._drop(place)
            until = max(place.until, *kept) if kept else place.until
            self._places.setdefault(mark, []).append(Place(place.run, place.key, mark, until))

    def _drop(self, place: Place) -> None:
        for mark, places in list(self._places.items()):
            left = [one for one in places if (one.run, one.key) != (place.run, place.key)]
            if left:
                self._places[mark] = left
            else:
                del self._places[mark]

    @asynccontextmanager
    async def _turn(self, mark: str) -> AsyncGenerator[None]:
        """Let equal calls that people may be asked about go one by one: the second finds what the first waits for."""
        if not mark:
            yield
            return
        lock = self._turns.get(mark)
        if lock is None:
            lock = self._turns[mark] = asyncio.Lock()
        async with lock:
            yield


def _may_ask(agent: Agent, name: str) -> bool:
    """Whether the policy may have people asked, or time pass, before the action is performed."""
    return any(rule.clause.kind not in ("permit", "forbid") and rule.concerns(name) for rule in agent.policy.rules)
