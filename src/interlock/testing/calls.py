"""Agents whose functions are watched: every call is recorded, and faults strike where a test puts them."""

import asyncio
import copy
import functools
import inspect
from collections.abc import Callable, Mapping
from typing import Any

from msgspec import Struct

from interlock.actions.action import Action
from interlock.actions.asking import ask_user
from interlock.agents import Agent
from interlock.canonical import canonical
from interlock.errors import CanonicalError
from interlock.testing.clock import FakeClock
from interlock.testing.faults import Fault
from interlock.testing.life import Life


class Call(Struct):
    """One call of one of an action's functions, as the function saw it.

    `part` is perform, undo, probe, verify or "fact NAME"; `key` the idempotency key; `ended` is empty while
    it has not ended, "returned", or the exception that it raised. `reached` says whether the author's own
    function was entered.
    """

    action: str
    part: str
    args: dict[str, Any]
    run: str
    key: str = ""
    attempt: int = 1
    ended: str = ""
    reached: bool = False

    def __str__(self) -> str:
        shown = ", ".join(f"{name}={value!r}" for name, value in self.args.items())
        reached = "" if self.reached else ", which an injected fault kept from being reached"
        return f"{self.part} {self.action}({shown}) attempt {self.attempt}: {self.ended or 'not ended'}{reached}"


class Watch:
    """What is seen of an agent's functions, over all lives of its process.

    The mutable state: `calls` in their order, the faults that may still strike, and the life that is lived
    now.
    """

    def __init__(self, clock: FakeClock, life: Life) -> None:
        self.clock = clock
        self.life = life
        self.calls: list[Call] = []
        self.faults: list[Fault] = []
        self.loop = asyncio.get_running_loop()

    def watched(self, agent: Agent, deps: Callable[[], Any] | None) -> Agent:
        """Return a copy of *agent* whose functions are watched; *deps* makes its dependencies, if given."""
        twin = copy.copy(agent)
        twin.actions = {name: self._watched_action(action) for name, action in agent.actions.items()}
        twin.delegates = {name: self.watched(below, deps) for name, below in agent.delegates.items()}
        if deps is not None:
            twin.deps = deps
        return twin

    def of(self, action: str, part: str = "perform", args: Mapping[str, Any] | None = None) -> list[Call]:
        """Return the calls that reached one function, with at least these arguments."""
        return [
            one
            for one in self.calls
            if (one.action, one.part) == (action, part) and one.reached and matches(one.args, args or {})
        ]

    def _watched_action(self, action: Action[Any, Any, Any]) -> Action[Any, Any, Any]:
        if action is ask_user:
            return action  # The runtime asks by itself, and knows this action by what it is.
        twin = copy.copy(action)
        happened = "reading" if action.effect == "read" else "sending"
        twin.function = self._function(action.name, "perform", action.function, happened)
        twin.undo_function = self._optional(action.name, "undo", action.undo_function, "undoing")
        twin.probe_function = self._optional(action.name, "probe", action.probe_function)
        twin.verify_function = self._optional(action.name, "verify", action.verify_function)
        twin.facts = {name: self._function(action.name, f"fact {name}", look) for name, look in action.facts.items()}
        return twin

    def _optional(
        self, name: str, part: str, function: Callable[..., Any] | None, boundary: str = ""
    ) -> Callable[..., Any] | None:
        return None if function is None else self._function(name, part, function, boundary)

    def _function(self, name: str, part: str, function: Callable[..., Any], boundary: str = "") -> Callable[..., Any]:
        watched = _Async if inspect.iscoroutinefunction(function) else _Sync
        return watched(self, name, part, function, boundary).wrapper()

    def begin(self, name: str, part: str, ctx: Any, args: dict[str, Any]) -> Call:
        """Record that a function is about to be called."""
        call = Call(name, part, args, ctx.run, ctx.key, ctx.attempt)
        self.calls.append(call)
        return call

    def fault(self, name: str, part: str) -> Fault | None:
        """Return the fault that strikes now, if one does."""
        for fault in self.faults:
            if fault.times > 0 and (fault.action, fault.part) == (name, part):
                fault.times -= 1
                return fault
        return None


class _Function:
    """One watched function; `boundary` names the moment when it has returned and nobody knows yet."""

    def __init__(self, watch: Watch, name: str, part: str, function: Callable[..., Any], boundary: str) -> None:
        self.watch = watch
        self.name = name
        self.part = part
        self.function = function
        self.boundary = boundary


class _Async(_Function):
    def wrapper(self) -> Callable[..., Any]:
        @functools.wraps(self.function)
        async def watched(ctx: Any, *given: Any, **args: Any) -> Any:
            return await self._called(self.watch.life, ctx, given, args)

        return watched

    async def _called(self, life: Life, ctx: Any, given: tuple[Any, ...], args: dict[str, Any]) -> Any:
        watch = self.watch
        if life.dead:
            raise asyncio.CancelledError
        call = watch.begin(self.name, self.part, ctx, args)
        fault = watch.fault(self.name, self.part)

        async def go() -> Any:
            call.reached = True
            with watch.clock.hold():
                return await self.function(ctx, *given, **args)

        try:
            result = await (go() if fault is None else fault.strike(go, watch.clock))
        except BaseException as error:
            call.ended = repr(error)
            if fault is not None and call.reached and self.boundary:
                await life.cross(self.boundary)
            raise
        call.ended = "returned"
        if self.boundary:
            await life.cross(self.boundary)
        return result


class _Sync(_Function):
    def wrapper(self) -> Callable[..., Any]:
        @functools.wraps(self.function)
        def watched(ctx: Any, *given: Any, **args: Any) -> Any:
            return self._called(self.watch.life, ctx, given, args)

        return watched

    def _called(self, life: Life, ctx: Any, given: tuple[Any, ...], args: dict[str, Any]) -> Any:
        watch = self.watch
        if life.dead:
            raise RuntimeError("the process that this thread belongs to was killed")
        call = watch.begin(self.name, self.part, ctx, args)
        fault = watch.fault(self.name, self.part)

        def go() -> Any:
            call.reached = True
            return self.function(ctx, *given, **args)

        try:
            result = go() if fault is None else fault.strike_in_thread(go, watch.clock, watch.loop)
        except BaseException as error:
            call.ended = repr(error)
            raise
        call.ended = "returned"
        if self.boundary:
            life.cross_in_thread(self.boundary)
        return result


def matches(args: Mapping[str, Any], wanted: Mapping[str, Any]) -> bool:
    """Whether *args* hold at least what is *wanted*: equal in canonical form, or as written (40 and "40")."""
    return all(name in args and _same(args[name], value) for name, value in wanted.items())


def _same(one: Any, other: Any) -> bool:
    try:
        return canonical(one) == canonical(other) or str(one) == str(other)
    except CanonicalError:
        return False
