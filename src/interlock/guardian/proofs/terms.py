"""Numbers, moments and literals as terms of a formula, and what can be calculated with them."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final, cast

from interlock.guardian.proofs.cells import DAY, RANGES, Cell, Symbol
from interlock.guardian.proofs.logic import Term, as_real, both, chosen, either, negated, real, some, z3
from interlock.guardian.proofs.shapes import Kind


def among_slot(listed: Symbol, at: int) -> Term:
    """Return that a list has an element at this position."""
    return cast("Cell", listed).size > at


def constant(kind: Kind, value: Any) -> Any:
    """Return a literal of a kind as formulas have it."""
    match kind:
        case "number":
            return z3.IntVal(value) if isinstance(value, int) else real(value)
        case "none" | "text" | "truth":
            return value
        case _:
            return z3.IntVal(ticks(value))


def ticks(value: Any) -> int:
    """Return a moment or duration as the number that formulas count it in."""
    if isinstance(value, timedelta):
        return value // timedelta(microseconds=1)
    if isinstance(value, datetime):
        zero = datetime(1, 1, 1, tzinfo=UTC if value.tzinfo else None)
        return DAY + (value - zero) // timedelta(microseconds=1)
    if isinstance(value, date):
        return value.toordinal()
    if value.tzinfo is not None:
        raise NotImplementedError("a time of day with a time zone")
    return (value.hour * 3600 + value.minute * 60 + value.second) * 1_000_000 + value.microsecond


def of_cases(found: list[tuple[Kind, Term, Term]]) -> Symbol:
    """Return the value that is one of several, each under its own condition."""
    kinds: dict[Kind, Term] = {}
    of: dict[Kind, Any] = {}
    for kind, condition, given in found:
        result = given
        if kind in of and z3.is_int(of[kind]) != z3.is_int(result):
            of[kind], result = as_real(of[kind]), as_real(result)
        of[kind] = chosen(condition, result, of[kind]) if kind in of else result
        kinds[kind] = either(kinds.get(kind, False), condition)
    return Symbol({**kinds, "bad": negated(some(kinds.values()))}, of)


def calculated(op: str, one: Kind, left: Any, other: Kind, right: Any) -> tuple[Kind, Term, Term] | None:
    """Return the kind of what *op* makes of two kinds, when it can be judged, and the result."""
    if one == "number" == other:
        made = {"+": lambda: plus(left, right), "-": lambda: plus(left, -right), "*": lambda: times(left, right)}[op]()
        return "number", True, made
    if op == "+" and one == "duration" and other in ("date", "datetime", "moment"):
        return calculated(op, other, right, one, left)
    if op == "-" and one == other and one in ("date", "datetime", "moment"):
        return within("duration", (left - right) * DAY if one == "date" else left - right)
    if op == "*" or other != "duration" or one not in ("date", "datetime", "moment", "duration"):
        return None
    change = right if op == "+" else -right
    if one == "date":
        kind, inside, result = within("date", left + change / DAY)
        return kind, both(change % DAY == 0, inside), result
    return within(one, left + change)


def within(kind: Kind, result: Term) -> tuple[Kind, Term, Term]:
    """Return a result of a kind with the condition that there is such a value."""
    low, high = RANGES[kind]
    return kind, both(result >= low, result <= high), result


def times(one: Term, other: Term) -> Term:
    """Return the product of two numbers."""
    return one * other if z3.is_int(one) == z3.is_int(other) else as_real(one) * as_real(other)


def plus(one: Term, other: Term) -> Term:
    """Return the sum of two numbers."""
    return one + other if z3.is_int(one) == z3.is_int(other) else as_real(one) + as_real(other)


TESTS: Final[dict[str, Callable[[Any, Any], Any]]] = {
    "==": lambda one, other: one == other,
    "<": lambda one, other: one < other,
    "<=": lambda one, other: one <= other,
    ">": lambda one, other: one > other,
    ">=": lambda one, other: one >= other,
}
TURNED: Final = {"<": ">", "<=": ">=", ">": "<", ">=": "<="}


def compared(op: str, one: Term, other: Term) -> Term:
    """Return that two numbers compare like this."""
    if z3.is_int(one) != z3.is_int(other):
        one, other = as_real(one), as_real(other)
    found = TESTS[op](one, other)
    return found if z3.is_expr(found) else bool(found)
