"""A suite's function as an action has it: with the name, parameters and docstring that a model is told."""

import inspect
from collections.abc import Awaitable, Callable
from typing import Any, Protocol

from pydantic_core import to_jsonable_python


class Function(Protocol):
    """A function of a suite: its name, docstring and the pydantic model of its parameters."""

    name: str
    full_docstring: str
    parameters: Any


Call = Callable[[Any, str, dict[str, Any]], Awaitable[str]]
"""Executes: it is given the action's context, the function's name and the arguments as JSON values."""


class FunctionError(Exception):
    """The function itself answered with an error, as it answered the model."""


def like(function: Function, call: Call) -> Any:
    """Return a coroutine function that looks like the suite's function and executes it through *call*."""

    async def perform(ctx: Any, **args: Any) -> str:
        return await call(ctx, function.name, to_jsonable_python(args))

    fields = function.parameters.model_fields
    hints = {name: field.annotation for name, field in fields.items()}
    parameters = [inspect.Parameter("ctx", inspect.Parameter.POSITIONAL_OR_KEYWORD)]
    for name, field in fields.items():
        default = inspect.Parameter.empty if field.is_required() else field.default
        keyword = inspect.Parameter.KEYWORD_ONLY
        parameters.append(inspect.Parameter(name, keyword, default=default, annotation=hints[name]))
    perform.__name__ = perform.__qualname__ = function.name
    perform.__doc__ = function.full_docstring
    perform.__annotations__ = {**hints, "return": str}
    perform.__dict__["__signature__"] = inspect.Signature(parameters, return_annotation=str)
    return perform
