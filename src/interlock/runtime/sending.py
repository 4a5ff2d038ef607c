"""Running an author's function: with its dependencies and credentials, in its place, until its deadline and no longer."""

import asyncio
import inspect
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractAsyncContextManager, AbstractContextManager, AsyncExitStack, contextmanager
from functools import partial
from typing import Any, NamedTuple

from interlock.actions.action import Action
from interlock.actions.context import Ctx
from interlock.agents import Agent
from interlock.errors import DeclarationError, DependenciesError
from interlock.journal.journal import Journal
from interlock.kernel.state import Call
from interlock.runtime.clock import Clock, within
from interlock.runtime.flight import Flight
from interlock.runtime.live import LiveRun
from interlock.runtime.options import Credentials
from interlock.runtime.pool import ThreadPool

GRACE = 1.0
"""How long a cancelled action may take to end before it is given up, in seconds."""


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
    that takes them down, looks and performances that can't be stopped and run on, and what is being sent now, by key.
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
        self._at_it: Counter[str] = Counter()

    async def call(self, send: Send, abandon: Callable[[], None]) -> Any:
        """Perform an action's function, in the task of its flight, and return what it returns.

        An async function that has passed its deadline is cancelled; if it ignores that, `abandon` is called, and
        should it return some day after all, so does this.

        Raises:
            TimeoutError: it had not returned at its deadline; it was cancelled, or goes on in its thread.
            NeverStarted: it was not begun before its deadline.
            Exception: whatever it raised.
        """
        if not inspect.iscoroutinefunction(send.function):
            return await self._in_thread(send, abandon)
        deadline = _Deadline(self._clock, send.timeout / 1_000_000, abandon)
        try:
            return await send.function(*send.given, **send.args)
        except asyncio.CancelledError:
            if not deadline.passed():
                raise
            raise TimeoutError(f"no answer within {send.timeout / 1_000_000:g} s") from None
        finally:
            deadline.over()

    async def look(self, send: Send) -> Any:
        """Run a function that changes nothing (a fact, a probe, a verification), and never wait longer than its time.

        Raises:
            TimeoutError: it had not returned in time.
            Exception: whatever it raised.
        """
        if not inspect.iscoroutinefunction(send.function):
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

    @contextmanager
    def sending(self, key: str) -> Iterator[None]:
        """Count what is sent under this idempotency key as being sent, until it has ended."""
        self._at_it[key] += 1
        try:
            yield
        finally:
            self._at_it[key] -= 1
            if not self._at_it[key]:
                del self._at_it[key]

    def is_sending(self, key: str) -> bool:
        """Whether something in this process is still at it under this idempotency key."""
        return key in self._at_it

    def leave(self, stuck: Flight) -> None:
        """Let a performance that can't be stopped run on until it ends or the runtime closes."""
        self._stuck.add(stuck)
        stuck.when_ended(self._stuck.discard)

    def context(
        self, live: LiveRun, action: Action[Any, Any, Any], call: Call | None = None, undoes: str = ""
    ) -> Ctx[Any]:
        """Return the context in which a function of *action* runs, with this action's credentials only.

        The agent's dependencies must have been made (`make`). `call` is the open call that is sent, and None where
        nothing is (facts, reads).

        Raises:
            DeclarationError: a credential that the action declares is not to be had.
        """
        secrets = self.secrets(action) if action.credentials else None
        if call is None:
            return Ctx(self._deps[live.agent.name], run=live.id, user=live.user, credentials=secrets)
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
            return await self._exits.enter_async_context(made)
        if isinstance(made, AbstractContextManager):
            return self._exits.enter_context(made)
        return made

    async def close(self) -> None:
        """Take the dependencies down and let idle threads end."""
        for stuck in (*self._stubborn, *self._stuck):
            stuck.cancel()
        self.pool.close()
        await self._exits.aclose()


class _Deadline:
    """Cancels the task that made it when its time is up, and gives it up if that doesn't help."""

    __slots__ = ("_abandon", "_alarm", "_clock", "_passed", "_task")

    def __init__(self, clock: Clock, seconds: float, abandon: Callable[[], None]) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._task = task
        self._abandon = abandon
        self._passed = False
        self._clock = clock
        self._alarm = clock.call_later(seconds, self._pass)

    def _pass(self) -> None:
        self._passed = True
        self._alarm = self._clock.call_later(GRACE, self._abandon)
        self._task.cancel()

    def passed(self) -> bool:
        """Whether the cancellation that arrived is this deadline's; it is then over and done with."""
        if self._passed:
            self._task.uncancel()
        return self._passed

    def over(self) -> None:
        """Stop the clock."""
        self._alarm.cancel()
