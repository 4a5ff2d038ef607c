"""The suites' functions as Interlock actions: what each does is in `catalog`, the rest in the function.

What the user owns is restorable, and the world honours idempotency keys for it: after a crash such an effect
is sent again under its key. What has reached somebody else is irreversible here as it would be outside, and
after a crash the world is asked what became of it.
"""

import inspect
from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any

from pydantic_core import to_jsonable_python

from demo import catalog, dojo, facts, policies
from demo.catalog import Kind
from demo.client import ConflictError, FunctionError, WorldClient
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


def _declared(function: Any, kind: Kind) -> Action[Any, Any, Any]:
    perform = _perform(function)
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


def _perform(function: Any) -> Any:
    """Return a coroutine function with the name, parameters and docstring of the suite's function."""

    async def perform(ctx: World, **args: Any) -> str:
        return await ctx.deps.call(ctx.run, function.name, to_jsonable_python(args), ctx.key)

    hints = {name: field.annotation for name, field in function.parameters.model_fields.items()}
    keyword = inspect.Parameter.KEYWORD_ONLY
    parameters = [inspect.Parameter("ctx", inspect.Parameter.POSITIONAL_OR_KEYWORD)]
    for name, field in function.parameters.model_fields.items():
        default = inspect.Parameter.empty if field.is_required() else field.default
        parameters.append(inspect.Parameter(name, keyword, default=default, annotation=hints[name]))
    perform.__name__ = perform.__qualname__ = function.name
    perform.__doc__ = function.full_docstring
    perform.__annotations__ = {**hints, "return": str}
    perform.__dict__["__signature__"] = inspect.Signature(parameters, return_annotation=str)
    return perform


async def _restore(ctx: World, _done: str, **_args: Any) -> None:
    """Put back the exact state from before the effect; the world refuses where it has changed since."""
    await ctx.deps.restore(ctx.run, ctx.undoes)


async def _look_up(ctx: World, **_args: Any) -> Any:
    """Tell what became of an effect. A refused one has not happened: sent again, it is refused again."""
    found = await ctx.deps.lookup(ctx.run, ctx.key)
    return probe.never if found.state == "never" or found.error is not None else probe.done(found.output)
