"""The shape of a value whose Python type an author wrote, as pydantic validates it."""

import types
import typing
from collections.abc import Collection, Mapping
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from pathlib import PurePath
from typing import Any, Final, cast
from uuid import UUID

import msgspec

from interlock.guardian.proofs.shapes import ANYTHING, Kind, Shape, either

_SIMPLE: Final[tuple[tuple[type, frozenset[Kind]], ...]] = (
    (bool, frozenset({"truth"})),
    (int, frozenset({"number"})),
    (float, frozenset({"number"})),
    (Decimal, frozenset({"number"})),
    (str, frozenset({"text"})),
    (UUID, frozenset({"text"})),
    (PurePath, frozenset({"text"})),
    (datetime, frozenset({"datetime", "moment"})),
    (date, frozenset({"date"})),
    # A time of day may have a zone too, which makes it comparable with its like alone.
    (time, frozenset({"time", "duration"})),
    (timedelta, frozenset({"duration"})),
    (types.NoneType, frozenset({"none"})),
)
_BOUNDS: Final = {
    "ge": {"least": None},
    "gt": {"least": None, "is_above": True},
    "le": {"most": None},
    "lt": {"most": None, "is_below": True},
    "min_length": {"shortest": None},
    "max_length": {"longest": None},
}


def of_hint(hint: Any) -> Shape:
    """Return the shape of the values of the type *hint*; one that is not understood may be anything."""
    if typing.get_origin(hint) is typing.Annotated:
        return _annotated(hint)
    if hint is None:
        return Shape(frozenset({"none"}))
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin is typing.Literal:
        return _literal(arguments)
    if origin in (typing.Union, types.UnionType):
        return either([of_hint(one) for one in arguments])
    if isinstance(origin, type):
        return _generic(origin, arguments)
    return _plain(hint) if isinstance(hint, type) else ANYTHING


def _annotated(hint: Any) -> Shape:
    first, *metadata = typing.get_args(hint)
    shape = of_hint(first)
    for one in metadata:
        for item in (one, *getattr(one, "metadata", ())):
            shape = _bounded(shape, item)
    return shape


def _bounded(shape: Shape, item: Any) -> Shape:
    for name, change in _BOUNDS.items():
        value = getattr(item, name, None)
        if type(value) in (int, float, Decimal):
            shape = msgspec.structs.replace(
                shape, **{key: value if new is None else new for key, new in change.items()}
            )
    return shape


def _literal(values: tuple[Any, ...]) -> Shape:
    if not all(isinstance(value, str) for value in values):
        return ANYTHING
    return Shape(frozenset({"text"}), choices=tuple(str(value) for value in values))


def _generic(origin: type[Any], arguments: tuple[Any, ...]) -> Shape:
    if issubclass(origin, (list, set, frozenset)) or (issubclass(origin, tuple) and arguments[1:] == (...,)):
        return Shape(frozenset({"list"}), element=of_hint(arguments[0]))
    if issubclass(origin, tuple):
        return Shape(frozenset({"list"}), shortest=len(arguments), longest=len(arguments))
    if issubclass(origin, Mapping):
        return Shape(frozenset({"record"}))
    return Shape(frozenset({"list"})) if issubclass(origin, Collection) else ANYTHING


def _plain(hint: type[Any]) -> Shape:
    if issubclass(hint, Enum):
        return _literal(tuple(member.value for member in hint))
    for base, kinds in _SIMPLE:
        if hint is base or (issubclass(hint, base) and base is not int and base is not str):
            return Shape(kinds, is_whole=base is int)
    if issubclass(hint, (list, set, frozenset, tuple)):
        return Shape(frozenset({"record" if "_fields" in dir(cast("Any", hint)) else "list"}))
    if issubclass(hint, dict) or _is_record(hint):
        return Shape(frozenset({"record"}))
    return ANYTHING


def _is_record(hint: type[Any]) -> bool:
    names = ("__pydantic_fields__", "__struct_fields__", "__dataclass_fields__")
    return any(hasattr(hint, name) for name in names)
