"""Running an author's function: with its dependencies and credentials, in its place, until its deadline."""

import asyncio
import inspect
from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager, AbstractContextManager, AsyncExitStack
from functools import lru_cache, partial
from typing import Any, NamedTuple, cast

import msgspec

from interlock.actions.action import Action
from interlock.actions.context import Ctx
from interlock.actions.way import Way
from interlock.agents import Agent
from interlock.errors import DeclarationError, DependenciesError
from interlock.journal.journal import Journal
from interlock.kernel.state import Call
from interlock.runtime.clock import Clock, within
from interlock.runtime.deadlines import Deadlines
from interlock.runtime.flight import Flight
from interlock.runtime.live import LiveRun
from interlock.runtime.options import Credentials
from interlock.runtime.pool import ThreadPool

# A function's flags don't change; looking them up anew would cost more than the call.
_is_async = lru_cache(maxsize=4096)(inspect.iscoroutinefunction)


class NeverStarted(Exception):  # noqa: N818 - an answer, not a fault
    """The function's deadline passed before a thread was free for it: it has not begun and never will."""


class Send(NamedTuple):
    """A function to run: what it is given, and how long it may take in microseconds."""

    function: Callable[..., Any]
    given: tuple[Any, ...]
    args: Mapping[str, Any]
    timeout: int


class Sender:
    """Runs authors' functions, async ones where they are called and sync ones in threads; holds dependencies.

    The mutable state: the secrets that were handed out, the dependencies that were made (by agent), the exit stack
    that takes them down, looks and performances that can't be stopped and run on, what is being sent now, by key, and
    by agent the ways that were found able to capture.
    """

    def __init__(self, pool: ThreadPool, credentials: Credentials, journal: Journal, clock: Clock) -> None:
        self.pool = pool
        self._clock = clock
        self._credentials = credentials
        self._journal = journal
        self._secrets: dict[str, str] = {}
        self._deps: dict[str, Any] = {}
        self._making: dict[str, asyncio.Lock] = {}
        self._exits = AsyncExitStack()
        self._stubborn: set[asyncio.Task[Any]] = set()
        self._stuck: set[Flight] = set()
        self._at_it: dict[str, int] = {}
        self._deadlines = Deadlines(clock)
        self._checked: set[tuple[str, Way]] = set()

    async def call(self, send: Send, abandon: Callable[[], None]) -> Any:
        """Perform an action's function, in the task of its flight, and return what it returns.

        An async function that has passed its deadline is cancelled; if it ignores that, `abandon` is called, and
        should it return some day after all, so does this.

        Raises:
            TimeoutError: it had not returned at its deadline; it was cancelled, or goes on in its thread.
            NeverStarted: it was not begun before its deadline.
            Exception: whatever it raised.
        """
        if not _is_async(send.function):
            return await self._in_thread(send, abandon)
        deadline = self._deadlines.begin(send.timeout, abandon)
        try:
            return await send.function(*send.given, **send.args)
        except asyncio.CancelledError:
            if deadline.passed():
                raise TimeoutError(f"no answer within {send.timeout / 1_000_000:g} s") from None
            if deadline.is_interrupted():
                raise
            raise RuntimeError("the action cancelled itself") from None
        finally:
            self._deadlines.end(deadline)

    async def look(self, send: Send) -> Any:
        """Run a function that changes nothing (a fact, a probe, a verification), and never wait longer than its time.

        Raises:
            TimeoutError: it had not returned in time.
            Exception: whatever it raised.
        """
        if not _is_async(send.function):
            return await self._in_thread(send)
        task = asyncio.get_running_loop().create_task(send.function(*send.given, **send.args))
        if await within(self._clock, task, send.timeout / 1_000_000):
            if task.cancelled():
                raise RuntimeError("it cancelled itself")
            return task.result()
        task.cancel()
        self._stubborn.add(task)
        task.add_done_callback(self._forget)
        raise TimeoutError(f"no answer within {send.timeout / 1_000_000:g} s")

    def _forget(self, task: asyncio.Task[Any]) -> None:
        self._stubborn.discard(task)
        if not task.cancelled():
            task.exception()

    async def _in_thread(self, send: Send, abandon: Callable[[], None] | None = None) -> Any:
        """Run a sync function in a thread; one that can't be stopped is waited for where `abandon` says that."""
        future, expire = self.pool.submit(partial(send.function, *send.given, **send.args))
        seconds = send.timeout / 1_000_000
        if await within(self._clock, future, seconds):
            return future.result()
        if not expire():
            future.cancel()
            raise NeverStarted(f"no thread was free within {seconds:g} s")
        if abandon is None:
            future.cancel()
            raise TimeoutError(f"no answer within {seconds:g} s; its thread runs on")
        abandon()
        return await future

    def begin(self, key: str) -> None:
        """Count what is sent under this idempotency key as being sent, until `end`."""
        self._at_it[key] = self._at_it.get(key, 0) + 1

    def end(self, key: str) -> None:
        """Say that a sending under this idempotency key has ended."""
        left = self._at_it.pop(key) - 1
        if left:
            self._at_it[key] = left

    def is_sending(self, key: str) -> bool:
        """Whether something in this process is still at it under this idempotency key."""
        return key in self._at_it

    def leave(self, stuck: Flight) -> None:
        """Let a performance that can't be stopped run on until it ends or the runtime closes."""
        self._stuck.add(stuck)
        stuck.when_ended(self._stuck.discard)

    def context(
        self,
        live: LiveRun,
        action: Action[Any, Any, Any],
        call: Call | None = None,
        *,
        undoes: str = "",
        key: str = "",
    ) -> Ctx[Any]:
        """Return the context in which a function of *action* runs, with this action's credentials only.

        The agent's dependencies must have been made (`make`). `call` is the open call that is sent, and None where
        nothing is (facts, reads); a look at an effect that is done gets the `key` under which it was performed.

        Raises:
            DeclarationError: a credential that the action declares is not to be had.
        """
        secrets = self.secrets(action) if action.credentials else None
        if call is None:
            return Ctx(self._deps[live.agent.name], key=key, run=live.id, user=live.user, credentials=secrets)
        return Ctx(
            self._deps[live.agent.name],
            key=call.idempotency_key,
            run=live.id,
            user=live.user,
            attempt=call.attempt,
            perform_before=call.perform_before,
            undoes=undoes,
            credentials=secrets,
        )

    def glance(self, agent: Agent, action: Action[Any, Any, Any], run: str, user: bytes, undoes: str) -> Ctx[Any]:
        """Return the context of a look at what an undo would find; *user* is the run's, as JSON.

        The agent's dependencies must have been made (`make`).

        Raises:
            DeclarationError: a credential that the action declares is not to be had.
        """
        secrets = self.secrets(action) if action.credentials else None
        given = msgspec.json.decode(user)
        return Ctx(self._deps[agent.name], run=run, user=given, undoes=undoes, credentials=secrets)

    async def check(self, agent: Agent, action: Action[Any, Any, Any], ctx: Ctx[Any]) -> None:
        """Have the action's way look, once, whether it can capture effects as things stand.

        Raises:
            Exception: it can't.
        """
        way = action.way
        if way is not None and (agent.name, way) not in self._checked:
            await self.look(Send(way.check, (ctx,), {}, action.timeout))
            self._checked.add((agent.name, way))

    def secrets(self, action: Action[Any, Any, Any]) -> dict[str, str]:
        """Return the credentials that the action declares, and see to it that they are never stored.

        Raises:
            DeclarationError: one of them is not to be had.
        """
        return {name: self._secret(action.name, name) for name in action.credentials}

    def _secret(self, action: str, name: str) -> str:
        source = self._credentials
        try:
            value = source(name) if callable(source) else source[name]
        except Exception as error:
            raise DeclarationError(
                f"action {action!r} declares the credential {name!r}, which Runtime(credentials=…) does not give"
            ) from error
        if self._secrets.get(name) != value:
            self._secrets[name] = value
            self._journal.keep_out({name: value})
        return value

    def made(self, agent: Agent) -> bool:
        """Whether the agent's dependencies are there."""
        return agent.name in self._deps

    async def make(self, agent: Agent) -> None:
        """Make the agent's dependencies by its factory, unless they are there.

        Raises:
            DependenciesError: the factory failed; the next call tries again.
        """
        if agent.name in self._deps:
            return
        async with self._making.setdefault(agent.name, asyncio.Lock()):
            if agent.name in self._deps:
                return
            try:
                self._deps[agent.name] = await self._made(agent.deps)
            except Exception as error:
                raise DependenciesError(
                    f"the dependencies of agent {agent.name!r} could not be made: "
                    f"{type(error).__name__}: {error}; nothing was started, it is tried again at the next call"
                ) from error

    async def _made(self, factory: Callable[[], Any] | None) -> Any:
        if factory is None:
            return None
        made = factory()
        if inspect.isawaitable(made):
            made = await made
        if isinstance(made, AbstractAsyncContextManager):
            return await self._exits.enter_async_context(cast("AbstractAsyncContextManager[Any]", made))
        if isinstance(made, AbstractContextManager):
            return self._exits.enter_context(cast("AbstractContextManager[Any]", made))
        return made

    async def close(self) -> None:
        """Take the dependencies down and let idle threads end."""
        for stuck in (*self._stubborn, *self._stuck):
            stuck.cancel()
        self.pool.close()
        await self._exits.aclose()
