"""Writing conditions in Python: `arg.amount <= fact.booking.refundable`.

An `Expr` is a handle around a tree (see `tree`); its operators build bigger trees and nothing is computed. A
root has no operations of its own, so that an argument may have any name; below it, a field that is called
like an operation is reached by brackets: `arg.booking["length"]`.
"""

from collections.abc import Callable, Iterable
from itertools import count
from typing import Final, Literal, NoReturn

import msgspec

from interlock.errors import PolicyError
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
    Part,
    Path,
    Step,
    Tree,
    Value,
    height,
    literal,
    renumbered,
)

_CHAINED: Final = (
    "a condition has no truth before it is judged: write & | ~ for and, or, not, with brackets around each "
    "comparison, split 0 <= x <= 9 into (0 <= x) & (x <= 9), and write x.in_(list) for 'in'"
)
_ITERATED: Final = "a condition can't be looped over: write .any(lambda it: ...) or .all(lambda it: ...)"
_CALLED: Final = (
    "there is no such operation; there are in_, matches, is_absent, is_present, is_none, any, all, count, sum and "
    "length"
)
# Elements get passing numbers below zero while their quantifier is being built.
_passing = count(-1, -1)


class Expr:
    """A part of a condition; compare and combine it with operators."""

    __slots__ = ("_tree",)
    __hash__ = None  # pyright: ignore[reportAssignmentType]
    _tree: Tree

    def __init__(self, tree: Tree) -> None:
        object.__setattr__(self, "_tree", tree)

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise AttributeError("a condition can't be changed")

    def __getattr__(self, name: str) -> "Expr":
        if name.startswith("_"):
            raise AttributeError(name)
        return self[name]

    def __getitem__(self, key: Step) -> "Expr":
        tree = self._tree
        if not isinstance(tree, (Path, Item)):
            raise PolicyError(f"only a path has fields; {self!r} has no {key!r}")
        return Expr(msgspec.structs.replace(tree, steps=(*tree.steps, _step(key))))

    def __eq__(self, other: object) -> "Expr":  # type: ignore[override]
        return self._compare("==", other)

    def __ne__(self, other: object) -> "Expr":  # type: ignore[override]
        return self._compare("!=", other)

    def __lt__(self, other: object) -> "Expr":
        return self._compare("<", other)

    def __le__(self, other: object) -> "Expr":
        return self._compare("<=", other)

    def __gt__(self, other: object) -> "Expr":
        return self._compare(">", other)

    def __ge__(self, other: object) -> "Expr":
        return self._compare(">=", other)

    def _compare(self, op: Literal["==", "!=", "<", "<=", ">", ">="], other: object) -> "Expr":
        return Expr(Compare(op, self._tree, operand(other)))

    def __and__(self, other: object) -> "Expr":
        return Expr(And((*_flat(And, self._tree), *_flat(And, _condition(other)))))

    def __or__(self, other: object) -> "Expr":
        return Expr(Or((*_flat(Or, self._tree), *_flat(Or, _condition(other)))))

    def __rand__(self, other: object) -> NoReturn:
        _condition(other)
        raise AssertionError  # pragma: no cover

    __ror__ = __rand__

    def __invert__(self) -> "Expr":
        return Expr(Not(self._tree))

    def __add__(self, other: object) -> "Expr":
        return Expr(Math("+", self._tree, operand(other)))

    def __radd__(self, other: object) -> "Expr":
        return Expr(Math("+", operand(other), self._tree))

    def __sub__(self, other: object) -> "Expr":
        return Expr(Math("-", self._tree, operand(other)))

    def __rsub__(self, other: object) -> "Expr":
        return Expr(Math("-", operand(other), self._tree))

    def __mul__(self, other: object) -> "Expr":
        return Expr(Math("*", self._tree, operand(other)))

    __rmul__ = __mul__

    def in_(self, among: object) -> "Expr":
        """Hold when the value is one of *among*: literals, or a list of the case (`fact.directory`)."""
        if isinstance(among, Expr):
            return Expr(In(self._tree, tree_of(among)))
        if isinstance(among, (str, bytes)) or not isinstance(among, Iterable) or isinstance(among, Root):
            raise PolicyError(f".in_() takes a list of values, not a {type(among).__name__}")
        values = {literal(value) for value in among}  # pyright: ignore[reportUnknownVariableType]
        return Expr(In(self._tree, Many(tuple(sorted(values, key=_spelling)))))

    def matches(self, pattern: str) -> "Expr":
        """Hold when the whole text matches the regular expression *pattern* (see `patterns`)."""
        return Expr(Matches(self._tree, pattern))

    def is_absent(self) -> "Expr":
        """Hold when there is nothing here: the argument was not given, the key does not exist."""
        return Expr(IsAbsent(self._tree))

    def is_present(self) -> "Expr":
        """Hold when there is something here, and be it None."""
        return ~self.is_absent()

    def is_none(self) -> "Expr":
        """Hold when the value is None (and not absent)."""
        return self._compare("==", None)

    def any(self, condition: "Callable[[Expr], Expr]") -> "Expr":
        """Hold when *condition* holds for an element of this list; the lambda is called once, now."""
        return self._each("any", _condition, condition)

    def all(self, condition: "Callable[[Expr], Expr]") -> "Expr":
        """Hold when *condition* holds for every element of this list (and when it is empty)."""
        return self._each("all", _condition, condition)

    def count(self, condition: "Callable[[Expr], Expr]") -> "Expr":
        """Return for how many elements of this list *condition* holds."""
        return self._each("count", _condition, condition)

    def sum(self, number: "Callable[[Expr], object]") -> "Expr":
        """Return the exact sum of *number* over the elements of this list; 0 for an empty one."""
        return self._each("sum", operand, number)

    def _each(
        self,
        op: Literal["any", "all", "count", "sum"],
        as_tree: "Callable[[object], Tree]",
        of: "Callable[[Expr], object]",
    ) -> "Expr":
        passing = next(_passing)
        body = as_tree(of(Expr(Item(passing))))
        number = height(body)
        return Expr(Each(op, self._tree, number, renumbered(body, passing, number)))

    def length(self) -> "Expr":
        """Return the number of characters of a text, or of elements of a list."""
        return Expr(Length(self._tree))

    def __bool__(self) -> NoReturn:
        raise PolicyError(_CHAINED)

    def __iter__(self) -> NoReturn:
        raise PolicyError(_ITERATED)

    def __contains__(self, value: object) -> NoReturn:
        raise PolicyError(_ITERATED)

    def __call__(self, *args: object, **kwargs: object) -> NoReturn:
        """Refuse: what looks like a method is none of the operations."""
        raise PolicyError(f"{self!r}: {_CALLED}")

    def __repr__(self) -> str:
        from interlock.guardian.english import english  # noqa: PLC0415 - only for people

        return f"<Expr: {english(self._tree)}>"


class Now(Expr):
    """The moment of the judgement, in UTC, and its parts as the clocks of a time zone show them."""

    __slots__ = ()

    def date(self, zone: str = "UTC") -> Expr:
        """Return the day."""
        return _clock("date", zone)

    def time(self, zone: str = "UTC") -> Expr:
        """Return the time of day."""
        return _clock("time", zone)

    def hour(self, zone: str = "UTC") -> Expr:
        """Return the hour of the day, 0 to 23."""
        return _clock("hour", zone)

    def weekday(self, zone: str = "UTC") -> Expr:
        """Return the day of the week, from 1 for Monday to 7 for Sunday (ISO 8601)."""
        return _clock("weekday", zone)


def _clock(part: Part, zone: str) -> Expr:
    return Expr(Clock(part, zone))


class Root:
    """Where paths begin: `arg`, `fact`, `user`, `origin`; name with a dot, or with brackets for odd names."""

    __slots__ = ("_name",)
    __hash__ = None  # pyright: ignore[reportAssignmentType]

    def __init__(self, name: Literal["arg", "fact", "user", "origin"]) -> None:
        self._name: Literal["arg", "fact", "user", "origin"] = name

    def __getattr__(self, name: str) -> Expr:
        if name.startswith("_"):
            raise AttributeError(name)
        return self[name]

    def __getitem__(self, name: str) -> Expr:
        if not isinstance(name, str):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise PolicyError(f"{self._name} is reached by name, not by position: {self._name}.name")
        return Expr(Path(self._name, (name,)))

    def __eq__(self, other: object) -> NoReturn:
        raise PolicyError(f"{self._name} alone is not a value; name one: {self._name}.name")

    def __bool__(self) -> NoReturn:
        raise PolicyError(f"{self._name} alone is not a value; name one: {self._name}.name")

    def __iter__(self) -> NoReturn:
        raise PolicyError(f"{self._name} alone is not a list; name one: {self._name}.name")

    def __repr__(self) -> str:
        return f"<the names of {self._name}>"


arg = Root("arg")
fact = Root("fact")
user = Root("user")
origin = Root("origin")
agent = Expr(Path("agent"))
tenant = Expr(Path("tenant"))
state = Expr(Path("state"))
now = Now(Clock())


def tree_of(expr: Expr) -> Tree:
    """Return the tree that *expr* is a handle of."""
    return expr._tree  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]


def operand(value: object) -> Tree:
    """Return the tree of what stands beside an operator: another expression or a literal."""
    if isinstance(value, Root):
        raise PolicyError(f"{value!r} is not a value; name one of them")
    return tree_of(value) if isinstance(value, Expr) else literal(value)


def _condition(value: object) -> Tree:
    if not isinstance(value, Expr):
        raise PolicyError(
            f"{value!r} is not a condition; build one from arg, fact, user, origin, agent, tenant, state or now"
        )
    return tree_of(value)


def _flat(kind: type[And] | type[Or], tree: Tree) -> tuple[Tree, ...]:
    return tree.parts if isinstance(tree, kind) else (tree,)


def _step(key: object) -> Step:
    if isinstance(key, str) or (type(key) is int and key >= 0):
        return key
    raise PolicyError(f"{key!r} is neither a field's name nor a position from 0")


def _spelling(value: Value) -> tuple[str, str]:
    return value.kind, value.text
