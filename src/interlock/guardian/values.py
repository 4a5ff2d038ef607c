"""The values a rule may see, and the only ways in which it may look at them.

Fields are read from mappings, pydantic models, dataclasses, msgspec structs and named tuples, never through
properties or `__getattr__`: looking at a value runs no code of its class.
"""

from collections.abc import Callable, Mapping
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from functools import lru_cache
from math import isfinite
from types import MemberDescriptorType
from typing import Any, Final, Literal, cast

import msgspec


class Absent(Enum):
    """The type of `ABSENT`, what an argument or key that isn't there evaluates to; equal to nothing."""

    ABSENT = "<absent>"

    def __repr__(self) -> str:
        return "ABSENT"


ABSENT: Final = Absent.ABSENT


class Failed(msgspec.Struct, frozen=True):
    """Stands for a fact that could not be gathered; every rule that reads it denies, with this reason."""

    reason: str


class Unjudgeable(Exception):  # noqa: N818 - it is a finding about a case, and never leaves the guardian
    """A rule has no answer for these values; its message says why, and the proposal is denied."""


Kind = Literal["text", "number", "truth", "none", "date", "datetime", "time", "duration"]
Plain = tuple[Kind, Any]

# `type`, with a type of its own that lets Any be any.
_type: Final = cast("Callable[[Any], type[Any]]", type)
_dict_get: Final = cast("Callable[[Any, str, Any], Any]", dict.get)

ORDERED: Final = frozenset[Kind]({"text", "number", "date", "datetime", "time", "duration"})
_UNCHANGED: Final[dict[type, Kind]] = {
    str: "text",
    int: "number",
    bool: "truth",
    type(None): "none",
    date: "date",
    datetime: "datetime",
    time: "time",
    timedelta: "duration",
}


def plain(value: Any) -> Plain:
    """Return *value* as a kind and a built-in value of it, so that only like is compared with like."""
    of = _type(value)
    kind = _UNCHANGED.get(of)
    if kind is not None:
        return kind, value
    if of is Decimal and value.is_finite():
        return "number", value
    return _normaliser(of)(value)


def _finite(value: Decimal) -> Plain:
    if not value.is_finite():
        raise Unjudgeable(f"{value} is not a number that can be compared")
    return "number", value


def _from_float(value: float) -> Plain:
    if not isfinite(value):
        raise Unjudgeable(f"{value} is not a number that can be compared")
    return "number", Decimal(float.__repr__(value))


def _refused(value: Any) -> Plain:
    raise Unjudgeable(f"{named(value)} can't be compared; compare a field of it, or use .any() and .all()")


def _absent(value: Any) -> Plain:
    raise Unjudgeable("what is absent can only be compared by == and !=")


# In the order in which they are tried: an enum may also be a str, a datetime is also a date.
_NORMALISERS: Final[tuple[tuple[type, Callable[[Any], Plain]], ...]] = (
    (Absent, _absent),
    (Enum, lambda value: plain(value._value_)),
    (str, lambda value: ("text", str.__str__(value))),
    (bool, lambda value: ("truth", value)),
    (int, lambda value: ("number", int.__index__(value))),
    (float, _from_float),
    (Decimal, lambda value: _finite(Decimal(value))),
    (datetime, lambda value: ("datetime", value)),
    (date, lambda value: ("date", value)),
    (time, lambda value: ("time", value)),
    (timedelta, lambda value: ("duration", value)),
)


# Values that stand for a text, known by name: importing their modules would cost more than this room.
_WRITTEN: Final = frozenset(
    {
        ("uuid", "UUID"),
        ("pathlib", "PurePath"),
        ("pydantic", "_BaseUrl"),
        ("pydantic_core", "Url"),
        ("pydantic_core", "MultiHostUrl"),
    }
)


@lru_cache(maxsize=2048)
def _normaliser(of: type[Any]) -> Callable[[Any], Plain]:
    if of is Decimal:
        return _finite
    if any((base.__module__.partition(".")[0], base.__name__) in _WRITTEN for base in of.__mro__):
        return lambda value: ("text", str(value))
    return next((normalise for base, normalise in _NORMALISERS if issubclass(of, base)), _refused)


def named(value: Any) -> str:
    """Return what *value* is in a few words, without running any of its code."""
    if value is ABSENT:
        return "what is absent"
    return f"a value of type {type(value).__name__}"


def field(value: Any, key: str | int) -> Any:
    """Return the field or position *key* of *value*; `ABSENT` where there is nothing."""
    of = _type(value)
    if of is dict and type(key) is str:
        return value.get(key, ABSENT)
    if value is None or value is ABSENT:
        return ABSENT
    return _reader(of)(value, key)


Reader = Callable[[Any, Any], Any]


@lru_cache(maxsize=2048)
def _reader(of: type[Any]) -> Reader:
    if _derives(of, list, tuple) and not hasattr(of, "_fields"):
        return _position
    if _derives(of, dict):
        return _from_dict
    fields = _fields(of)
    if fields is not None:
        return _record_reader(of, fields)
    if _derives(of, Mapping):
        return _from_mapping
    return _unreadable


def _derives(of: type[Any], *bases: type[Any]) -> bool:
    return issubclass(of, bases)


def _position(value: Any, key: str | int) -> Any:
    if isinstance(key, str):
        raise Unjudgeable(f"a list has no field {key}; use .any() or .all()")
    elements = items(value)
    return elements[key] if key < len(elements) else ABSENT


def _from_dict(value: Any, key: str | int) -> Any:
    """Read past `__missing__`, which could make up a value."""
    return _dict_get(value, _word(key), ABSENT)


def _word(key: str | int) -> str:
    if isinstance(key, int):
        raise Unjudgeable(f"only a list has a position {key}")
    return key


def _from_mapping(value: Mapping[str, Any], key: str | int) -> Any:
    try:
        return value[_word(key)]
    except KeyError:
        return ABSENT


def _unreadable(value: Any, key: str | int) -> Any:
    raise Unjudgeable(f"{named(value)} has no fields that a rule may read (looking for {key})")


def _fields(of: type[Any]) -> frozenset[str] | None:
    """Return the declared fields of a record type, or None for any other type."""
    for attribute in ("__pydantic_fields__", "__struct_fields__", "__dataclass_fields__", "model_fields"):
        declared: Any = getattr(of, attribute, None)
        if _derives(_type(declared), dict, tuple):
            return frozenset(declared)
    if _derives(of, tuple):
        return frozenset[str](getattr(of, "_fields", ()))
    return None


def _record_reader(of: type[Any], fields: frozenset[str]) -> Reader:
    readable = frozenset(name for name in fields if _derives(of, tuple) or not _computed(of, name))
    stored = _element if _derives(of, tuple) else _attribute

    def read(value: Any, key: str | int) -> Any:
        if key in readable:
            return stored(value, key)
        extra = _extra(value)
        if extra is None:
            raise Unjudgeable(f"{named(value)} has no field {key}; it has {', '.join(sorted(readable))}")
        return extra.get(key, ABSENT)

    return read


def _computed(of: type[Any], name: str) -> bool:
    """Tell whether reading *name* would run code: a property or another descriptor stands in its place."""
    found: Any = next((base.__dict__[name] for base in of.__mro__ if name in base.__dict__), None)
    return hasattr(_type(found), "__set__") and not isinstance(found, MemberDescriptorType)


def _element(value: Any, key: Any) -> Any:
    return items_of(value, tuple)[_type(value)._fields.index(key)]


def _attribute(value: Any, key: Any) -> Any:
    try:
        found = object.__getattribute__(value, key)
    except AttributeError:
        return ABSENT
    return ABSENT if found is msgspec.UNSET else found


def _extra(value: Any) -> dict[Any, Any] | None:
    try:
        extra: Any = object.__getattribute__(value, "__pydantic_extra__")
    except AttributeError:
        return None
    return extra if type(extra) is dict else None  # pyright: ignore[reportUnknownVariableType]


def items(value: Any) -> tuple[Any, ...]:
    """Return the elements of a list, tuple or set."""
    of = _type(value)
    for base in _LISTS:
        if _derives(of, base) and not hasattr(of, "_fields"):
            return items_of(value, base)
    raise Unjudgeable(f"{named(value)} is not a list")


def items_of(value: Any, base: type[Any]) -> tuple[Any, ...]:
    """Return the elements of *value* as *base* holds them, whatever a subclass says."""
    return tuple(base.__iter__(value))


_LISTS: Final[tuple[type[Any], ...]] = (list, tuple, set, frozenset)


def length(value: Any) -> int:
    """Return how many characters a text has, or how many elements a list or mapping."""
    if _derives(_type(value), Mapping):
        return len(value)
    if _derives(_type(value), *_LISTS):
        return len(items(value))
    return len(text(value))


def text(value: Any) -> str:
    """Return *value* if it is a text."""
    if type(value) is str:
        return value
    kind, of_kind = plain(value)
    if kind != "text":
        raise Unjudgeable(f"{named(value)} is not a text")
    return of_kind
