"""Facts as the journal holds them, given back the types that the author's functions declare.

pydantic is imported here when the first fact is restored, as in `schema.py`.
"""

# ruff: noqa: PLC0415  # see above

import types
import typing
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec


def restored(function: Callable[..., Any], steps: Sequence[str | int], recorded: bytes) -> Any:
    """Return a part of a fact that was recorded as JSON with its declared type; as plain data where none is known.

    *function* looks the fact up, *steps* lead from what it returns to the part.
    """
    hint = _hint(function)
    for step in steps:
        hint = _inner(hint, step)
    if hint is not None:
        from pydantic import TypeAdapter
        from pydantic.errors import PydanticUserError

        try:
            return TypeAdapter[Any](hint).validate_json(recorded)
        except (ValueError, PydanticUserError):
            pass
    return msgspec.json.decode(recorded)


def _hint(function: Callable[..., Any]) -> Any:
    return _hints(function).get("return")


def _hints(of: Any) -> dict[str, Any]:
    try:
        return typing.get_type_hints(of, include_extras=True)
    except (NameError, AttributeError, SyntaxError, TypeError):  # a name that only type checkers know
        return {}


def _inner(hint: Any, step: str | int) -> Any:
    """Return the type of a field or element of a *hint*, None where it can't be told."""
    hint = _bare(hint)
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin is None:
        return _hints(hint).get(step) if isinstance(step, str) and isinstance(hint, type) else None
    if not isinstance(origin, type):
        return None
    if issubclass(origin, Mapping):
        return arguments[1] if len(arguments) == 2 else None
    if issubclass(origin, tuple) and Ellipsis not in arguments:
        return arguments[step] if isinstance(step, int) and step < len(arguments) else None
    if issubclass(origin, Sequence):
        return arguments[0] if isinstance(step, int) and arguments else None
    return _hints(origin).get(str(step))


def _bare(hint: Any) -> Any:
    """Return a hint without `Annotated` and without None."""
    while typing.get_origin(hint) is typing.Annotated:
        hint = typing.get_args(hint)[0]
    if typing.get_origin(hint) in (typing.Union, types.UnionType):
        left = [one for one in typing.get_args(hint) if one is not type(None)]
        return _bare(left[0]) if len(left) == 1 else None
    return hint
