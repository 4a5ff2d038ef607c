"""Exact arithmetic: numbers without rounding, moments and durations, and nothing else."""

from collections.abc import Callable
from datetime import date, datetime, timedelta
from decimal import (
    MAX_EMAX,
    MIN_EMIN,
    Clamped,
    Context,
    Decimal,
    DecimalException,
    Inexact,
    InvalidOperation,
    Overflow,
    Subnormal,
    Underflow,
)
from operator import add, mul, sub
from typing import Any, Final, Literal

from interlock.guardian.values import Plain, Unjudgeable, named, plain

_EXACT: Final = Context(
    prec=1000,
    Emax=MAX_EMAX,
    Emin=MIN_EMIN,
    traps=[Inexact, InvalidOperation, Overflow, Underflow, Subnormal, Clamped],
)
_OPERATIONS: Final[dict[str, tuple[Callable[..., int], Callable[..., Decimal]]]] = {
    "+": (add, _EXACT.add),
    "-": (sub, _EXACT.subtract),
    "*": (mul, _EXACT.multiply),
}
_CALCULABLE: Final = frozenset({"number", "date", "datetime", "duration"})
_MOVES: Final = frozenset(
    {
        ("datetime", "+", "duration"),
        ("duration", "+", "datetime"),
        ("datetime", "-", "duration"),
        ("datetime", "-", "datetime"),
        ("date", "+", "duration"),
        ("duration", "+", "date"),
        ("date", "-", "duration"),
        ("date", "-", "date"),
        ("duration", "+", "duration"),
        ("duration", "-", "duration"),
    }
)
_DAY: Final = timedelta(days=1)
ZONELESS: Final = "one moment has a time zone and the other has none"


def term(value: Any) -> Plain:
    """Return *value* as something that can be calculated with."""
    found = plain(value)
    if found[0] not in _CALCULABLE:
        raise Unjudgeable(f"{named(value)} is not a number")
    return found


def number(value: Any) -> int | Decimal:
    """Return *value* as a number."""
    kind, of_kind = plain(value)
    if kind != "number":
        raise Unjudgeable(f"{named(value)} is not a number")
    return of_kind


def added(one: int | Decimal, other: int | Decimal) -> int | Decimal:
    """Return the exact sum of two numbers."""
    return exactly("+", one, other)


def calculated(op: Literal["+", "-", "*"], left: Plain, right: Plain, place: str) -> Any:
    """Return what *op* makes of two terms; *place* names the calculation in what can't be judged."""
    if left[0] == "number" == right[0]:
        return exactly(op, left[1], right[1])
    if (left[0], op, right[0]) not in _MOVES:
        raise Unjudgeable(f"{place}: {op} can't take a {left[0]} and a {right[0]}")
    return _moved(op, left, right, place)


def exactly(op: str, one: int | Decimal, other: int | Decimal) -> int | Decimal:
    """Return the exact result of two finite numbers."""
    whole, exact = _OPERATIONS[op]
    if type(one) is int and type(other) is int:
        return whole(one, other)
    try:
        return exact(one, other)
    except DecimalException as error:
        raise Unjudgeable("the result has too many digits to be exact") from error


def _moved(op: str, left: Plain, right: Plain, place: str) -> datetime | date | timedelta:
    """Return a moment moved by a duration, or the duration between two."""
    (one_kind, one), (other_kind, other) = left, right
    if "date" in (one_kind, other_kind) and any(isinstance(each, timedelta) and each % _DAY for each in (one, other)):
        raise Unjudgeable(f"{place}: a day is moved by whole days only")
    try:
        return one + other if op == "+" else one - other
    except TypeError as error:
        raise Unjudgeable(f"{place}: {ZONELESS}") from error
    except OverflowError as error:
        raise Unjudgeable(f"{place} is beyond the years 1 to 9999") from error
