"""From the tree of a condition to a function of the case: the meaning of every operator, in one place.

The meaning is total: for any case, a condition is true, false, or *unjudgeable*, and what is unjudgeable
denies.

**Values.** Texts, numbers, truths, None, dates, datetimes, times of day and durations are compared; an enum
member counts as its value; a UUID, path or URL as its text; a float as the decimal that it is written as (0.1
is 0.1). NaN and infinities are unjudgeable wherever they are compared. Lists, models and mappings are looked
into, not compared.

**Absence.** What isn't there is `ABSENT`: an argument that was not given, a key that a mapping does not have,
anything below None or below an absent value. `ABSENT == x` is false for every x, `ABSENT != x` is true,
`is_absent()` is true. Every other operation on it is unjudgeable. A name that a *typed* record does not
declare is a mistake, hence unjudgeable; so is a property. A fact that failed, or was not gathered, is
unjudgeable even for `is_absent()`.

- `==`, `!=`: same kind and same value; values of two kinds are unequal (`True` is not 1, `"5"` is not 5).
- `<`, `<=`, `>`, `>=`: two values of one ordered kind (not truths, not None), else unjudgeable. Texts order
  by code point.
- `+`, `-`, `*`: exact; a result that can't be exact within 1,000 digits is unjudgeable, unless
  both sides are integers, which have no end. `+` and `-` also take a moment (a datetime, or a date and whole days) and
  a duration, or two durations; `-` also two moments of one kind. A moment with a time zone and one without have
  nothing in common.
- `&`, `|`: from left to right, and no further than needed: `arg.x.is_present() & (arg.x > 1)` is judgeable.
- `&`, `|`, `~` and the condition as a whole take truths only; there are no "truthy" values.
- `.in_()`: as `==` with one of them; where it is a list of the case, every element is looked at.
- `.matches()`: texts only, the whole text. `.length()`: of a text, list or mapping.
- `.any()`, `.all()`: every element is judged, so the answer doesn't depend on their order; one unjudgeable
  element makes the whole unjudgeable. `.all()` of an empty list is true. `.count()` and `.sum()` likewise; the sum is
  exact, and 0 for an empty list.
- `origin.x` is where the value of the argument x came from. Where x was not given, or holds nothing (an empty list), it
  is absent; where nobody traced it, or tracing failed, unjudgeable even for `is_absent()`.
- `now` is the moment of the judgement; where nobody told it, unjudgeable. So is a window that nobody counted.
- One judgement looks at no more than 100,000 elements of lists, and matches texts of at most 10,000
  characters.
"""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from operator import ge, gt, le, lt
from typing import Any, Final, TypeGuard, cast

from interlock.guardian import patterns
from interlock.guardian.calculate import ZONELESS, added, calculated, exactly, number, term
from interlock.guardian.english import label
from interlock.guardian.scope import BUDGET, CASE, COUNTED, FACTS, ITEMS, MOST_ELEMENTS, ORIGINS, PLACES, READ, Scope
from interlock.guardian.tree import (
    And,
    Clock,
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
    Step,
    Tree,
    Value,
    Window,
    height,
)
from interlock.guardian.values import (
    ABSENT,
    ORDERED,
    Failed,
    Plain,
    Unjudgeable,
    field,
    items,
    length,
    named,
    plain,
    text,
)

Evaluator = Callable[[Scope], Any]

# `type`, with a type of its own that lets Any be any.
_type: Final = cast("Callable[[Any], type[Any]]", type)


def quantifiers(tree: Tree) -> int:
    """Return how many places for elements the evaluation of *tree* needs."""
    return height(tree)


def evaluator(tree: Tree) -> Callable[[Scope], bool]:
    """Return the function that judges the condition *tree*; it raises when the case is unjudgeable."""
    return _truth(tree)


def value_of(tree: Tree) -> Evaluator:
    """Return the function that evaluates *tree* to whatever it is; it raises when the case is unjudgeable."""
    return _MAKERS[type(tree)](tree)


_ALWAYS_TRUTH: Final = (Compare, And, Or, Not, In, Matches, IsAbsent)


def _truth(tree: Tree) -> Callable[[Scope], bool]:
    value = value_of(tree)
    if isinstance(tree, _ALWAYS_TRUTH) or (isinstance(tree, Each) and tree.op in ("any", "all")):
        return value

    def strict(scope: Scope) -> bool:
        found = value(scope)
        if type(found) is not bool:
            raise Unjudgeable(f"{label(tree)} is {named(found)}, neither true nor false")
        return found

    return strict


def _literal(tree: Value) -> Evaluator:
    value = tree.python()

    def constant(_: Scope) -> Any:
        return value

    return constant


def _path(tree: Path) -> Evaluator:
    place = PLACES[tree.root]
    if tree.root == "fact":
        return _fact(tree)
    if tree.root == "origin":
        return _origin(tree)
    if tree.root == "arg" and len(tree.steps) == 1:
        name = tree.steps[0]
        return lambda scope: scope[0].get(name, ABSENT)
    return _steps(place, tree.steps)


def _steps(place: int, steps: tuple[Step, ...]) -> Evaluator:
    if not steps:
        return lambda scope: scope[place]
    if len(steps) == 1:
        return _step(place, steps[0])

    def follow(scope: Scope) -> Any:
        value = scope[place]
        for step in steps:
            value = field(value, step)
        return value

    return follow


def _step(place: int, only: Step) -> Evaluator:
    if not isinstance(only, str):
        return lambda scope: field(scope[place], only)

    def named_field(scope: Scope) -> Any:
        value = scope[place]
        return value.get(only, ABSENT) if _type(value) is dict else field(value, only)

    return named_field


def _fact(tree: Path) -> Evaluator:
    name, steps = tree.steps[0], tree.steps[1:]
    written = label(tree).removeprefix("fact.")

    def look_up(scope: Scope) -> Any:
        read = scope[READ]
        value = read.get(written, _UNREAD)
        if value is not _UNREAD and type(value) is not Failed:
            return value
        value = scope[FACTS].get(name, _NOT_GATHERED)
        if type(value) is Failed:
            read[name] = value
            raise Unjudgeable(f"the fact {name} could not be gathered: {value.reason}")
        for step in steps:
            value = field(value, step)
        read[written] = value
        return value

    return look_up


def _origin(tree: Path) -> Evaluator:
    name, steps = tree.steps[0], tree.steps[1:]

    def look_up(scope: Scope) -> Any:
        value = scope[ORIGINS].get(name, _UNTRACED)
        if type(value) is Failed:
            if value is _UNTRACED and name not in scope[0]:
                return ABSENT
            raise Unjudgeable(f"it can't be told where the value of {name} came from: {value.reason}")
        for step in steps:
            value = field(value, step)
        return value

    return look_up


_UNTRACED: Final = Failed("nobody traced it")
_UNREAD: Final = object()
_NOT_GATHERED: Final = Failed("nobody looked it up")


def _item(tree: Item) -> Evaluator:
    return _steps(ITEMS + tree.number, tree.steps)


def same(left: Any, right: Any) -> bool:
    """Tell whether two values are equal in the meaning of `==`."""
    if left is ABSENT or right is ABSENT:
        return False
    if left is None or right is None:
        # None is told from anything, also from a list or a record: an optional one can be asked about.
        return left is right
    return plain(left) == plain(right)


def _at(tree: Tree, check: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Return *check*, which says in its errors where the value came from."""
    place = label(tree)

    def checked(value: Any) -> Any:
        try:
            return check(value)
        except Unjudgeable as error:
            raise Unjudgeable(f"{place}: {error}") from error

    return checked


def _ordered(value: Any) -> Plain:
    found = plain(value)
    if found[0] not in ORDERED:
        raise Unjudgeable(f"{named(value)} has no order")
    return found


def _comparer(tree: Compare, compare: Callable[[Any, Any], bool]) -> Callable[[Any, Any], bool]:
    ordered_left, ordered_right = _at(tree.left, _ordered), _at(tree.right, _ordered)

    def ordered(left: Any, right: Any) -> bool:
        kind, one = ordered_left(left)
        other_kind, other = ordered_right(right)
        if kind != other_kind:
            raise Unjudgeable(f"{label(tree)}: a {kind} and a {other_kind} have no common order")
        try:
            return compare(one, other)
        except TypeError as error:
            raise Unjudgeable(f"{label(tree)}: {ZONELESS}") from error

    return ordered


_ORDERS: Final = {"<": lt, "<=": le, ">": gt, ">=": ge}


def _compare(tree: Compare) -> Evaluator:
    left, right = value_of(tree.left), value_of(tree.right)
    if tree.op == "==":
        return _equal(left, right)
    if tree.op == "!=":
        equal = _equal(left, right)
        return lambda scope: not equal(scope)
    fast = _ORDERS[tree.op]
    slow = _comparer(tree, fast)

    limit = tree.right.python() if isinstance(tree.right, Value) else None
    if _is_finite(limit):
        return _against(left, fast, slow, limit)

    def ordering(scope: Scope) -> bool:
        one, other = left(scope), right(scope)
        if _is_finite(one) and _is_finite(other):
            return fast(one, other)
        return slow(one, other)

    return ordering


def _against(left: Evaluator, fast: Callable[..., bool], slow: Callable[..., bool], limit: int | Decimal) -> Evaluator:
    """Return the comparison with a number that the rule holds, which needs no look at every time."""
    exact = Decimal(limit)

    def under(scope: Scope) -> bool:
        value = left(scope)
        of = _type(value)
        if of is Decimal and value.is_finite():
            return fast(value, exact)
        return fast(value, limit) if of is int else slow(value, limit)

    return under


def _is_finite(value: Any) -> TypeGuard[int | Decimal]:
    return type(value) is int or (type(value) is Decimal and value.is_finite())


def _equal(left: Evaluator, right: Evaluator) -> Evaluator:
    def equal(scope: Scope) -> bool:
        one, other = left(scope), right(scope)
        of = _type(one)
        if of is _type(other) and (of is str or of is int):
            return one == other
        return same(one, other)

    return equal


def _math(tree: Math) -> Evaluator:
    left, right = value_of(tree.left), value_of(tree.right)
    left_term, right_term = _at(tree.left, term), _at(tree.right, term)
    place = label(tree)

    def compute(scope: Scope) -> Any:
        one, other = left(scope), right(scope)
        if _is_finite(one) and _is_finite(other):
            return exactly(tree.op, one, other)
        return calculated(tree.op, left_term(one), right_term(other), place)

    return compute


def _clock(tree: Clock) -> Evaluator:
    from zoneinfo import ZoneInfo  # noqa: PLC0415 - few policies tell the time

    zone, show = ZoneInfo(tree.zone), _PARTS[tree.part]

    def tell(scope: Scope) -> Any:
        at = scope[CASE].at
        if at is None:
            raise Unjudgeable("nobody told the time")
        try:
            moment = _EPOCH + timedelta(microseconds=at)
            scope[COUNTED]["now"] = moment
            return show(moment.astimezone(zone))
        except OverflowError as error:
            raise Unjudgeable("the time now is beyond the years 1 to 9999") from error

    return tell


_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_PARTS: Final[dict[str, Callable[[datetime], Any]]] = {
    "datetime": lambda moment: moment.astimezone(UTC),
    "date": datetime.date,
    "time": datetime.time,
    "hour": lambda moment: moment.hour,
    "weekday": datetime.isoweekday,
}


def _window(tree: Window) -> Evaluator:
    written = label(tree)

    def look_up(scope: Scope) -> Any:
        value = scope[COUNTED][written] = scope[CASE].windows.get(written, _NOT_COUNTED)
        if type(value) is Failed:
            raise Unjudgeable(f"{written} could not be counted: {value.reason}")
        return value

    return look_up


_NOT_COUNTED: Final = Failed("nobody counted")


def _and(tree: And) -> Evaluator:
    parts = tuple(map(_truth, tree.parts))

    def every(scope: Scope) -> bool:
        for part in parts:  # noqa: SIM110 - all() with a generator costs three times as much
            if not part(scope):
                return False
        return True

    return every


def _or(tree: Or) -> Evaluator:
    parts = tuple(map(_truth, tree.parts))

    def some(scope: Scope) -> bool:
        for part in parts:  # noqa: SIM110 - any() with a generator costs three times as much
            if part(scope):
                return True
        return False

    return some


def _not(tree: Not) -> Evaluator:
    part = _truth(tree.part)
    return lambda scope: not part(scope)


def _in(tree: In) -> Evaluator:
    value = value_of(tree.part)
    if isinstance(tree.among, Many):
        return _among(value, frozenset(plain(each.python()) for each in tree.among.values))
    among, listed = value_of(tree.among), _at(tree.among, items)

    def member(scope: Scope) -> bool:
        found, elements = value(scope), _afford(scope, listed(among(scope)))
        if found is ABSENT:
            return False
        wanted = plain(found)
        return sum(plain(element) == wanted for element in elements) > 0

    return member


def _among(value: Evaluator, known: frozenset[Plain]) -> Evaluator:
    texts = frozenset(of_kind for kind, of_kind in known if kind == "text")

    def is_known(scope: Scope) -> bool:
        found = value(scope)
        if type(found) is str:
            return found in texts
        return found is not ABSENT and plain(found) in known

    return is_known


def _afford(scope: Scope, elements: tuple[Any, ...]) -> tuple[Any, ...]:
    scope[BUDGET] -= len(elements)
    if scope[BUDGET] < 0:
        raise Unjudgeable(f"more than {MOST_ELEMENTS} elements would have to be looked at")
    return elements


def _matches(tree: Matches) -> Evaluator:
    value, pattern = value_of(tree.part), patterns.compiled(tree.pattern)
    fits = _at(tree.part, lambda found: patterns.fits(pattern, text(found)))
    return lambda scope: fits(value(scope))


def _is_absent(tree: IsAbsent) -> Evaluator:
    value = value_of(tree.part)
    return lambda scope: value(scope) is ABSENT


def _length(tree: Length) -> Evaluator:
    value, measure = value_of(tree.part), _at(tree.part, length)
    return lambda scope: measure(value(scope))


def _sum(tree: Each) -> Evaluator:
    over, listed = value_of(tree.over), _at(tree.over, items)
    body, place, summand = value_of(tree.body), ITEMS + tree.number, _at(tree.body, number)

    def add_up(scope: Scope) -> int | Decimal:
        total: int | Decimal = 0
        for element in _afford(scope, listed(over(scope))):
            scope[place] = element
            total = added(total, summand(body(scope)))
        return total

    return add_up


def _each(tree: Each) -> Evaluator:
    if tree.op == "sum":
        return _sum(tree)
    over, listed = value_of(tree.over), _at(tree.over, items)
    body, place = _truth(tree.body), ITEMS + tree.number

    def how_many(scope: Scope) -> tuple[int, int]:
        elements, held = _afford(scope, listed(over(scope))), 0
        for scope[place] in elements:
            held += body(scope)
        return held, len(elements)

    if tree.op == "any":
        return lambda scope: how_many(scope)[0] > 0
    if tree.op == "count":
        return lambda scope: how_many(scope)[0]
    return lambda scope: (found := how_many(scope))[0] == found[1]


_MAKERS: Final[dict[type, Callable[[Any], Evaluator]]] = {
    Value: _literal,
    Path: _path,
    Item: _item,
    Compare: _compare,
    Math: _math,
    And: _and,
    Or: _or,
    Not: _not,
    In: _in,
    Matches: _matches,
    IsAbsent: _is_absent,
    Length: _length,
    Each: _each,
    Clock: _clock,
    Window: _window,
}
