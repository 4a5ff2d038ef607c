"""The suites' functions as Interlock actions: what each does is in `catalog`, the rest in the function.

What the user owns is restorable, and the world honours idempotency keys for it: after a crash such an effect
is sent again under its key. What has reached somebody else is irreversible here as it would be outside, and
after a crash the world is asked what became of it.
"""

from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any

from benchmarks.replay import catalog, dojo, functions
from benchmarks.replay.catalog import Kind
from benchmarks.replay.functions import FunctionError
from benchmarks.replay.show import facts, policies
from benchmarks.replay.show.client import ConflictError, WorldClient
from interlock import Action, Agent, Ctx, action, probe

World = Ctx[WorldClient]


def agents(socket: Path) -> list[Agent]:
    """Return one agent per suite, each with a connection of its own to the world at *socket*."""
    return [
        Agent(suite, actions(suite), policy=policies.POLICIES[suite], deps=_connection(socket))
        for suite in catalog.CATALOG
    ]


def actions(suite: str) -> list[Action[Any, Any, Any]]:
    """Declare every function of a suite."""
    return [_declared(function, catalog.CATALOG[suite][function.name]) for function in dojo.functions(suite)]


def _connection(socket: Path) -> Callable[[], AbstractAsyncContextManager[WorldClient]]:
    @asynccontextmanager
    async def connection() -> AsyncGenerator[WorldClient, None]:
        world = await WorldClient.connect(socket)
        try:
            yield world
        finally:
            await world.close()

    return connection


def _declared(function: functions.Function, kind: Kind) -> Action[Any, Any, Any]:
    perform = functions.like(function, _call)
    if not kind.effect:
        declared = action.read(perform)
    elif kind is Kind.CHANGE:
        declared = action.reversible(refuses=(FunctionError, ConflictError), settle="0s", idempotent=True)(perform)
        declared.undo(_restore)
    else:
        declared = action.irreversible(refuses=(FunctionError,), settle="0s")(perform)
    if kind.effect:
        declared.probe(_look_up)
    for fact in facts.of(function.name):
        declared.fact(fact)
    return declared


async def _call(ctx: World, name: str, args: dict[str, Any]) -> str:
    return await ctx.deps.call(ctx.run, name, args, ctx.key)


async def _restore(ctx: World, _done: str, **_args: Any) -> None:
    """Put back the exact state from before the effect; the world refuses where it has changed since."""
    await ctx.deps.restore(ctx.run, ctx.undoes)


async def _look_up(ctx: World, **_args: Any) -> Any:
    """Tell what became of an effect. A refused one has not happened: sent again, it is refused again."""
    found = await ctx.deps.lookup(ctx.run, ctx.key)
    return probe.never if found.state == "never" or found.error is not None else probe.done(found.output)
