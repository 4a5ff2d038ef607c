"""What else a case could hold at the places that rules look at: values at the borders that the rules draw."""

from collections.abc import Iterable, Iterator
from datetime import date, datetime, time, timedelta
from decimal import Context, Decimal
from typing import Any, Final

import msgspec

from interlock.guardian import ABSENT, Case
from interlock.guardian.english import label
from interlock.guardian.tree import (
    And,
    Compare,
    Each,
    In,
    IsAbsent,
    Item,
    Length,
    Many,
    Matches,
    Math,
    Not,
    Or,
    Path,
    Tree,
    Value,
    children,
    walk,
)
from interlock.guardian.values import Unjudgeable, items, plain
from interlock.lab.places import Place, is_place
from interlock.lab.reasons import value_in

MOST: Final = 200
"""So many candidates are tried at most."""

OTHER: Final = "something else"
"""Stands for any text that no rule names."""

_ANY: Final = ("x", 1)  # where both sides of a comparison are missing, any value will do for both
_EXACT: Final = Context(prec=1100)
_MOST_LISTED: Final = 12
_MOST_ELEMENTS: Final = 3
_LONGEST_TEXT: Final = 10_000


class Candidate(msgspec.Struct, frozen=True):
    """A value to try at a place; `distance` is how far it is from what is there now, for numbers."""

    place: Place
    value: Any
    distance: Decimal = Decimal(0)


def candidates(trees: Iterable[Tree], case: Case) -> list[Candidate]:
    """Return the values at the borders that *trees* draw, for every place that they look at; the nearest first."""
    found: dict[tuple[str, str, str], Candidate] = {}
    for tree in trees:
        for place, value in _of(tree, case):
            key = (label(place), type(value).__name__, repr(value))
            if key not in found and not _is_there(place, value, case):
                found[key] = Candidate(place, value, _distance(place, value, case))
    ranked = sorted(found.values(), key=lambda one: (_rank(one.place), one.value == OTHER, one.distance))
    return ranked[:MOST]


_RANKS: Final = ("arg", "fact", "origin", "state", "user", "tenant", "agent")


def _rank(place: Place) -> int:
    """Put what the caller chooses first."""
    return _RANKS.index(place.root) if isinstance(place, Path) else 2


def _is_there(place: Place, value: Any, case: Case) -> bool:
    try:
        now = value_in(place, case)
        return now is value if ABSENT in (now, value) else plain(now) == plain(value)
    except Unjudgeable:
        return False


def _distance(place: Place, value: Any, case: Case) -> Decimal:
    """Return how far *value* is from what is there; what has no distance is near."""
    try:
        (kind, now), (other, then) = plain(value_in(place, case)), plain(value)
        return abs(Decimal(then) - Decimal(now)) if kind == other == "number" else Decimal(0)
    except (Unjudgeable, ArithmeticError):
        return Decimal(0)


def _of(tree: Tree, case: Case) -> Iterator[tuple[Place, Any]]:  # noqa: C901 - one for each kind of node
    """Yield candidates for the places in *tree*; those within a list for its first elements."""
    match tree:
        case Compare(_, left, right):
            yield from _bordering(left, right, case)
            yield from _bordering(right, left, case)
        case In(part, among):
            for value in _members(among, case):
                yield from _solved(part, value, case)
            yield from _solved(part, OTHER, case)
        case IsAbsent(Path() as part):
            yield part, ABSENT
        case Matches(Path() as part):
            yield part, OTHER
        case And(parts) | Or(parts):
            yield from _truths(parts)
        case Not(part):
            yield from _truths((part,))
        case Path():
            yield from _truths((tree,))
        case Each():
            yield from _elements(tree, case)
            return
        case _:
            pass
    for child in children(tree):
        if not isinstance(child, Path):
            yield from _of(child, case)


def _truths(parts: tuple[Tree, ...]) -> Iterator[tuple[Place, Any]]:
    for part in parts:
        if isinstance(part, Path):
            yield part, True
            yield part, False


def _bordering(unknown: Tree, known: Tree, case: Case) -> Iterator[tuple[Place, Any]]:
    """Yield what would put *unknown* at, just under and just over the value of *known*."""
    if isinstance(unknown, (Value, Item)) or any(isinstance(node, Item) for node in walk(known)):
        return
    try:
        border = value_in(known, case)
        values = _ANY if border is ABSENT else (border, *_beside(border))
    except Unjudgeable:
        values = _ANY
    for value in values:
        yield from _solved(unknown, value, case)


def _beside(value: Any) -> tuple[Any, ...]:  # noqa: PLR0911 - one for each kind of value
    """Return the values on both sides of a border, and for what has no order another one."""
    if value is None:
        return ()
    kind, border = plain(value)
    match kind, border:
        case "truth", bool():
            return (not border,)
        case "text", str():
            return (OTHER,)
        case "number", _:
            return numbers_beside(border)
        case (("date" | "datetime"), (date() | datetime())):
            return _moved(border, timedelta(days=1))
        case "time", time():
            there = datetime.combine(date(2000, 1, 1), border)
            return (there + timedelta(minutes=1)).timetz(), (there - timedelta(minutes=1)).timetz()
        case "duration", timedelta():
            return _moved(border, timedelta(seconds=1))
        case _:
            return ()


def numbers_beside(border: int | Decimal) -> tuple[int | Decimal, ...]:
    """Return the numbers one step above and below, a step being 1 in the last digit behind the point.

    Where a number is too large for that, nothing.
    """
    if isinstance(border, int):
        return border + 1, border - 1
    step = Decimal((0, (1,), min(0, int(border.as_tuple().exponent))))
    try:
        return _EXACT.add(border, step), _EXACT.subtract(border, step)
    except ArithmeticError:
        return ()


def _moved(border: Any, step: timedelta) -> tuple[Any, ...]:
    try:
        return border + step, border - step
    except OverflowError:  # the end of time
        return ()


def _solved(unknown: Tree, value: Any, case: Case) -> Iterator[tuple[Place, Any]]:
    """Yield what to put at a place so that *unknown* becomes *value*."""
    match unknown:
        case Math(op, left, right):
            yield from _calculated(op, left, right, value, case)
        case Length(Path() as part) if isinstance(value, int) and 0 <= value <= _LONGEST_TEXT:
            yield from _lengthened(part, value, case)
        case _ if is_place(unknown):
            yield unknown, value  # pyright: ignore[reportReturnType] - `is_place` has just said so
        case _:
            return


def _calculated(op: str, left: Tree, right: Tree, value: Any, case: Case) -> Iterator[tuple[Place, Any]]:
    if op == "*":
        return
    try:
        if op == "+":
            yield from _solved(left, value - value_in(right, case), case)
            yield from _solved(right, value - value_in(left, case), case)
        else:
            yield from _solved(left, value + value_in(right, case), case)
            yield from _solved(right, value_in(left, case) - value, case)
    except (TypeError, ArithmeticError, Unjudgeable):
        return


def _lengthened(part: Path, length: int, case: Case) -> Iterator[tuple[Place, Any]]:
    try:
        now = value_in(part, case)
    except Unjudgeable:
        return
    if isinstance(now, str):
        yield part, now[:length].ljust(length, "x")
    elif isinstance(now, list) and length <= len(now):  # pyright: ignore[reportUnknownArgumentType]
        yield part, now[:length]


def _members(among: Tree, case: Case) -> list[Any]:
    if isinstance(among, Many):
        return [one.python() for one in among.values[:_MOST_LISTED]]
    try:
        return list(items(value_in(among, case)))[:_MOST_ELEMENTS]
    except Unjudgeable:
        return []


def _elements(tree: Each, case: Case) -> Iterator[tuple[Place, Any]]:
    """Yield candidates for the body of a quantifier, at each of the list's first elements."""
    if not isinstance(tree.over, Path):
        return
    try:
        many = len(items(value_in(tree.over, case)))
    except Unjudgeable:
        return
    for number in range(min(many, _MOST_ELEMENTS)):
        yield from _of(_at(tree.body, tree.number, tree.over, number), case)


def _at(node: Any, quantifier: int, over: Path, number: int) -> Any:
    """Return *node* with the element of *quantifier* as the place that it is."""
    if isinstance(node, Item):
        here = node.number == quantifier
        return Path(over.root, (*over.steps, number, *node.steps)) if here else node
    if isinstance(node, tuple):
        return tuple(_at(each, quantifier, over, number) for each in node)  # pyright: ignore[reportUnknownVariableType]
    if not isinstance(node, msgspec.Struct):
        return node
    fields = {name: _at(getattr(node, name), quantifier, over, number) for name in node.__struct_fields__}
    return type(node)(**fields)
