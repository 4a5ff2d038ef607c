"""The tree of a condition: plain data, the same for the evaluator, the printer and every later reader.

An `Item` is the element that a quantifier looks at. Quantifiers are numbered by height (one that holds no
other is 0), so that the same condition is the same tree however it was put together, and none reuses the
number of one around it.
"""

from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from math import isfinite
from typing import Any, Final, Literal, cast

import msgspec

from interlock.errors import PolicyError
from interlock.guardian import patterns
from interlock.guardian.values import Kind

Root = Literal["arg", "fact", "user", "origin", "agent", "tenant", "state"]
Per = Literal["run", "conversation", "user", "agent", "tenant", "everyone"]
Part = Literal["datetime", "date", "time", "hour", "weekday"]
Step = str | int

DEEPEST: Final = 100
ORIGIN: Final = ("trust", "label", "source", "how", "role")
"""What is told of where an argument's value came from."""

_LONGEST_NUMBER: Final = 1000


class Node(msgspec.Struct, frozen=True, tag_field="is", forbid_unknown_fields=True, omit_defaults=True):
    """What every node of a tree has in common: it is frozen, tagged and comparable by content."""


class Value(Node, frozen=True, tag="value"):
    """A literal; *text* is its one spelling."""

    kind: Kind
    text: str

    def python(self) -> Any:
        """Return the literal as a Python value."""
        return _SPELLED[self.kind](self.text)


class Many(Node, frozen=True, tag="list"):
    """A list of literals, for `.in_()`."""

    values: tuple[Value, ...]


class Path(Node, frozen=True, tag="path"):
    """A place in the case: `arg.amount`, `fact.booking.owner`, `user.id`, `origin.to.trust`, `state`."""

    root: Root
    steps: tuple[Step, ...] = ()


class Item(Node, frozen=True, tag="item"):
    """The element that the quantifier *number* looks at, or a place in it."""

    number: int
    steps: tuple[Step, ...] = ()


class Compare(Node, frozen=True, tag="compare"):
    """`==`, `!=` or an ordering."""

    op: Literal["==", "!=", "<", "<=", ">", ">="]
    left: "Tree"
    right: "Tree"


class Math(Node, frozen=True, tag="math"):
    """Exact arithmetic on numbers; `+` and `-` also on moments and durations."""

    op: Literal["+", "-", "*"]
    left: "Tree"
    right: "Tree"


class And(Node, frozen=True, tag="and"):
    """True when all parts are, judged from left to right."""

    parts: tuple["Tree", ...]


class Or(Node, frozen=True, tag="or"):
    """True when a part is, judged from left to right."""

    parts: tuple["Tree", ...]


class Not(Node, frozen=True, tag="not"):
    """True when the part is false."""

    part: "Tree"


class In(Node, frozen=True, tag="in"):
    """Membership in a list of literals or in a list that the case holds."""

    part: "Tree"
    among: "Tree"


class Matches(Node, frozen=True, tag="matches"):
    """A pattern for the whole text."""

    part: "Tree"
    pattern: str


class IsAbsent(Node, frozen=True, tag="absent"):
    """True when there is nothing at this place."""

    part: "Tree"


class Length(Node, frozen=True, tag="length"):
    """The number of characters or elements."""

    part: "Tree"


class Each(Node, frozen=True, tag="each"):
    """`.any()`, `.all()`, `.count()` or `.sum()` over a list."""

    op: Literal["any", "all", "count", "sum"]
    over: "Tree"
    number: int
    body: "Tree"


class Clock(Node, frozen=True, tag="clock"):
    """The moment of the judgement, or a part of it as clocks in *zone* (a name of the IANA database) show it."""

    part: Part = "datetime"
    zone: str = "UTC"


class Window(Node, frozen=True, tag="window"):
    """What was done before, as a number: how often, how much in all, or how unusually often.

    `per` is whose deeds count; `within` how far back they reach, in microseconds (0: to the beginning; for a surge,
    the length of a bucket). `same` are pairs of arguments, the earlier action's and this one's, that must be equal.
    `of` is the argument that a sum adds up. `since`: only what came after the last of these actions. `settled`: only
    what is known to have happened; otherwise also what is under way.
    """

    op: Literal["count", "sum", "surge"]
    actions: tuple[str, ...]
    per: Per = "conversation"
    within: int = 0
    same: tuple[tuple[str, str], ...] = ()
    of: str = ""
    since: tuple[str, ...] = ()
    settled: bool = False


Tree = (
    Value
    | Many
    | Path
    | Item
    | Compare
    | Math
    | And
    | Or
    | Not
    | In
    | Matches
    | IsAbsent
    | Length
    | Each
    | Clock
    | Window
)


def is_never_truth(tree: Tree) -> bool:
    """Tell whether *tree* can't be true or false, whatever the case is."""
    if isinstance(tree, Each):
        return tree.op in ("count", "sum")
    return isinstance(tree, (Many, Math, Length, Clock, Window))


def children(node: Node) -> Iterator[Tree]:
    """Yield the nodes directly below *node*."""
    for name in node.__struct_fields__:
        found = getattr(node, name)
        several = cast("tuple[Any, ...]", found if isinstance(found, tuple) else (found,))
        yield from (cast("Tree", each) for each in several if isinstance(each, Node))


def walk(node: Tree) -> Iterator[Tree]:
    """Yield *node* and every node below it."""
    yield node
    for child in children(node):
        yield from walk(child)


def renumbered(node: Any, old: int, new: int) -> Any:
    """Return *node* with the items of quantifier *old* belonging to *new*."""
    if isinstance(node, Item):
        return Item(new, node.steps) if node.number == old else node
    if isinstance(node, tuple):
        return tuple(renumbered(each, old, new) for each in cast("tuple[Any, ...]", node))
    if not isinstance(node, Node):
        return node
    fields = {name: renumbered(getattr(node, name), old, new) for name in node.__struct_fields__}
    return type(node)(**fields)


def height(node: Tree) -> int:
    """Return the number that a quantifier around *node* gets."""
    return max((below.number + 1 for below in walk(node) if isinstance(below, Each)), default=0)


def literal(value: Any) -> Value:
    """Return the node of a Python value that an author wrote."""
    if isinstance(value, Enum):
        return literal(value.value)
    for of, kind, spell in _SPELLINGS:
        if isinstance(value, of):
            return Value(kind, spell(value))
    hint = "; did you forget to call it?" if callable(value) else ""
    raise PolicyError(f"a rule can't compare with a {type(value).__name__}{hint}")


def _spell_number(value: float | Decimal) -> str:
    number = Decimal(repr(value)) if isinstance(value, float) else value
    if isinstance(number, int):
        return str(number)
    if not number.is_finite() or abs(number.adjusted()) > _LONGEST_NUMBER:
        raise PolicyError(f"{value} is not a number that a rule can compare with")
    if number == number.to_integral_value():
        return str(int(number))
    return format(number, "f").rstrip("0")


def _number(text: str) -> int | Decimal:
    number = int(text) if text.lstrip("-").isdecimal() else Decimal(text)
    if isinstance(number, Decimal) and not isfinite(number):
        raise ValueError(text)
    return number


def _spell_duration(value: timedelta) -> str:
    return str(value // timedelta(microseconds=1))


def _duration(text: str) -> timedelta:
    return timedelta(microseconds=int(text))


_SPELLINGS: Final[tuple[tuple[Any, Kind, Any], ...]] = (
    (type(None), "none", {None: ""}.__getitem__),
    (bool, "truth", {True: "true", False: "false"}.__getitem__),
    (str, "text", str.__str__),
    ((int, float, Decimal), "number", _spell_number),
    (datetime, "datetime", datetime.isoformat),
    (date, "date", date.isoformat),
    (time, "time", time.isoformat),
    (timedelta, "duration", _spell_duration),
)
_SPELLED: Final[dict[Kind, Any]] = {
    "none": {"": None}.__getitem__,
    "truth": {"true": True, "false": False}.__getitem__,
    "text": str,
    "number": _number,
    "datetime": datetime.fromisoformat,
    "date": date.fromisoformat,
    "time": time.fromisoformat,
    "duration": _duration,
}


def validated(tree: Tree) -> Tree:
    """Return *tree* if it can be evaluated; one that was read from JSON is trusted no more than a new one."""
    if is_never_truth(tree):
        raise PolicyError("a condition must be true or false; this one is a number or a list")
    _validate(tree, frozenset(), DEEPEST)
    return tree


def _validate(node: Tree, bound: frozenset[int], depth: int) -> None:
    if not depth:
        raise PolicyError(f"the condition is nested deeper than {DEEPEST} levels; split the rule")
    _validate_one(node, bound)
    _validate_shape(node)
    if isinstance(node, Each):
        _validate(node.over, bound, depth - 1)
        _validate(node.body, bound | {node.number}, depth - 1)
        return
    for child in children(node):
        _validate(child, bound, depth - 1)


def _validate_one(node: Tree, bound: frozenset[int]) -> None:
    match node:
        case Value():
            _readable(node)
        case Matches():
            patterns.compiled(node.pattern)
        case Item() if node.number not in bound:
            raise PolicyError("the element of an .any() or .all() is used outside of it")
        case Each() if node.number != height(node.body):
            raise PolicyError("the quantifiers of this condition are numbered wrongly")
        case Path():
            _reachable(node)
        case And() | Or() if not node.parts:
            raise PolicyError("an empty 'and' or 'or' says nothing")
        case Clock():
            _known_zone(node.zone)
        case Window():
            _countable(node)
        case _:
            pass


def _validate_shape(node: Tree) -> None:
    """Refuse what only a forged tree holds: lists beside operators, positions below 0."""
    among = node.among if isinstance(node, In) else None
    if any(isinstance(child, Many) and child is not among for child in children(node)):
        raise PolicyError("a list of literals stands only in .in_()")
    steps = node.steps if isinstance(node, (Path, Item)) else ()
    if any(isinstance(step, int) and step < 0 for step in steps):
        raise PolicyError("positions count from 0")


def _reachable(path: Path) -> None:
    named = bool(path.steps) and isinstance(path.steps[0], str)
    if path.root in {"arg", "fact", "user", "origin"} and not named:
        raise PolicyError(f"{path.root} alone is not a value; name one: {path.root}.name")
    if path.root in {"agent", "tenant", "state"} and path.steps:
        raise PolicyError(f"{path.root} is a text and has no fields")
    told = path.steps[1:] if path.root == "origin" else ()
    if len(told) > 1 or any(step not in ORIGIN for step in told):
        wrong = ".".join(map(str, told))
        raise PolicyError(f"an origin has no {wrong}; of where a value came from there are: {', '.join(ORIGIN)}")


def _known_zone(zone: str) -> None:
    from zoneinfo import ZoneInfo  # noqa: PLC0415 - few policies tell the time

    try:
        ZoneInfo(zone)
    except (KeyError, OSError, ValueError) as error:
        raise PolicyError(f"there is no time zone {zone!r} here; name one such as 'Europe/Berlin'") from error


def _countable(window: Window) -> None:
    if not window.actions or not all(window.actions):
        raise PolicyError("a window names the actions that it counts")
    if window.within < 0:
        raise PolicyError("a window reaches back, not forward")
    if (window.op == "sum") != bool(window.of):
        raise PolicyError("a total, and nothing else, adds up an argument: total(action, 'amount')")
    if window.op == "surge" and (not window.within or window.same or window.since):
        raise PolicyError("a surge compares the buckets of one scope: surge(action, per='agent', bucket='1m')")


def _readable(value: Value) -> None:
    try:
        value.python()
    except (ValueError, KeyError, ArithmeticError) as error:
        raise PolicyError(f"{value.text!r} is not a {value.kind}") from error
