"""Random conditions, and random calls: what the formula says of a call beside what the evaluator says of it."""

# Values and terms of any type pass through here.
# pyright: reportUnknownLambdaType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false

from __future__ import annotations

import operator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import reduce
from itertools import combinations, product
from typing import TYPE_CHECKING, Any

from interlock.guardian import ABSENT, Case, Failed, arg, count, fact, now, origin, state, user
from interlock.guardian.english import label
from interlock.guardian.evaluate import evaluator, quantifiers
from interlock.guardian.expr import tree_of
from interlock.guardian.proofs.encode import Encoding
from interlock.guardian.proofs.examples import Unwritable, case_of
from interlock.guardian.proofs.logic import z3
from interlock.guardian.proofs.shapes import Shapes
from interlock.guardian.proofs.terms import ticks
from interlock.guardian.scope import scope_of
from interlock.guardian.values import Unjudgeable, field, plain

if TYPE_CHECKING:
    import random
    from collections.abc import Callable, Iterator

LITERALS: list[Any] = [
    0, 1, 2, 5, Decimal("2.5"), 10**30, "", "a", "b", "corp", "x@corp.com", True, False, None, date(2026, 1, 1),
    date(9999, 12, 31), timedelta(days=1), datetime.fromisoformat("2026-01-01T00:00"), datetime(2026, 1, 1, tzinfo=UTC),
]  # fmt: skip
VALUES: list[Any] = [*LITERALS, 3, -1, "ab", "zz", "abc", "y@corp.com", float("nan"), 1.5, {}, [], {"s": 1}, {"s": "a"}]
UNUSED: dict[str, Any] = {"truth": False, "datetime": 86_400_000_000, "moment": 86_400_000_000}
"""What an unknown gets that plays no part, within its bounds."""

PATTERNS = (r"[a-c]+", r".*@corp\.com", r"a|b", r"(?i)[A-C]?", r"\w*")
PLACES: list[Any] = [
    arg.x, arg.y, arg.r.s, fact.f, fact.f.g, user.id, arg.l[0], state, arg.r, origin.x.trust, origin.y.label, origin.x,
]  # fmt: skip


def condition(rng: random.Random, depth: int = 3) -> Any:
    """Return a random condition."""
    kind = rng.random()
    if depth == 0 or kind < 0.4:
        return _simple(rng)
    if kind < 0.65:
        return condition(rng, depth - 1) & condition(rng, depth - 1)
    if kind < 0.9:
        return condition(rng, depth - 1) | condition(rng, depth - 1)
    return ~condition(rng, depth - 1)


def _simple(rng: random.Random) -> Any:
    one = _value(rng)
    other = _value(rng) if rng.random() < 0.4 else rng.choice(LITERALS)
    place = rng.choice(PLACES)
    compares = [operator.eq, operator.eq, operator.ne, operator.lt, operator.le, operator.gt, operator.ge]
    makers: list[Callable[[], Any]] = [
        *[lambda compare=compare: compare(one, other) for compare in compares],
        lambda: place.matches(rng.choice(PATTERNS)),
        place.is_absent,
        lambda: place.in_([1, "a", None, "corp"]),
        lambda: place.in_(arg.l),
        lambda: rng.choice([arg.l, arg.m]).any(lambda it: _leaf(rng, it)),
        lambda: arg.l.all(lambda it: _leaf(rng, it)),
        lambda: place,
    ]
    return rng.choice(makers)()


def _value(rng: random.Random) -> Any:
    place = rng.choice(PLACES)
    makers: list[Callable[[], Any]] = [
        lambda: place + rng.choice([1, timedelta(days=2), rng.choice(PLACES)]),
        lambda: place - rng.choice([2, date(2026, 1, 1), rng.choice(PLACES)]),
        place.length,
        now.date,
        now.hour,
        lambda: now,
        lambda: arg.l.count(lambda it: _leaf(rng, it)),
        lambda: arg.m.sum(lambda it: it),
        lambda: count("pay", within="1d"),
        lambda: place * 2,
    ]
    return place if rng.random() < 0.6 else rng.choice(makers)()


def _leaf(rng: random.Random, it: Any) -> Any:
    kind = rng.randrange(5)
    if kind == 0:
        return it == rng.choice(LITERALS)
    if kind == 1:
        return it.matches(rng.choice(PATTERNS))
    if kind == 2:
        return it > 1
    return it.z.is_absent() if kind == 3 else it == rng.choice(PLACES)


def call(rng: random.Random) -> Case:
    """Return a random call."""

    def one() -> Any:
        return rng.choice(VALUES)

    args: dict[str, Any] = {"x": one(), "y": one(), "r": rng.choice([{"s": one()}, {}, None, one()])}
    args["l"] = rng.choice([[one() for _ in range(rng.randrange(5))], ["a"] * 9, one()])
    args["m"] = rng.choice([[rng.choice([1, 2, Decimal("0.5")]) for _ in range(rng.randrange(8))], [one()], one()])
    args = {name: value for name, value in args.items() if rng.random() < 0.85}
    facts = {"f": rng.choice([one(), {"g": one()}, Failed("away")])}
    at = rng.choice([None, 1_767_225_600_000_000, 1_780_000_000_123_456, 0])
    windows = {label(tree_of(count("pay", within="1d"))): rng.choice([0, 1, 3, Failed("away")])}
    users = rng.choice([None, {"id": one()}, {}, "u1"])
    states = ["", "a", "corp", "zz"]
    return Case("pay", args, facts, users, "", "", rng.choice(states), at, windows, _origins(rng, args))


def _origins(rng: random.Random, args: dict[str, Any]) -> dict[str, Any]:
    """Return where values came from: of some nothing is known, and some hold nothing that came from anywhere."""
    words = ["", "a", "corp", "zz"]
    found = {
        name: {"trust": rng.randrange(8), "label": rng.choice(words), "source": "s", "how": "equal", "role": "sink"}
        for name in args
        if rng.random() < 0.8
    }
    told = {name: rng.choice([one, one, one, Failed("away")]) for name, one in found.items()}
    empty = [name for name, value in args.items() if type(value) in (type(None), str, list, dict) and not value]
    return told | {name: ABSENT for name in empty if rng.random() < 0.8}


class Judged:
    """One condition, with its formula and its evaluator."""

    def __init__(self, written: Any) -> None:
        self.tree = tree_of(written)
        self.encoding = Encoding([self.tree], Shapes(), {})
        true, bad = self.encoding.condition(self.tree)
        self.formula = (true, bad)
        self._true, self._bad = compiled(true), compiled(bad)
        self._always = [(term, compiled(term)) for term in self.encoding.cells.always]
        self._test, self._deep = evaluator(self.tree), quantifiers(self.tree)

    def evaluated(self, case: Case) -> str:
        """Return what the evaluator says: true, false or bad."""
        try:
            return "true" if self._test(scope_of(case, self._deep)) else "false"
        except Exception:  # noqa: BLE001 - whatever a condition raises, it can't be judged
            return "bad"

    def encoded(self, case: Case, evaluated: str) -> str:
        """Return what the formula says with the unknowns that *case* gives it; "" where it leaves that free.

        Of a list with more elements than the formula tells apart, some choice of them has to say what the evaluator
        says.
        """
        said = ""
        for elements in _choices(self.encoding, case):
            said = self._said(case, elements)
            if said in ("", evaluated):
                return said
        return said

    def _said(self, case: Case, elements: dict[Any, list[Any]]) -> str:
        known = assigned(self.encoding, case, elements)
        if known is None:
            return ""
        if not all(test(known) for _, test in self._always):
            return "impossible"
        true, bad = self._true(known), self._bad(known)
        return "both" if true and bad else "true" if true else "bad" if bad else "false"

    def examples(self) -> list[tuple[str, Case]]:
        """Return calls that solve the formula, each with what the evaluator has to say."""
        found: list[tuple[str, Case]] = []
        solver = z3.SimpleSolver()
        solver.set("timeout", 2000)
        solver.add(*self.encoding.cells.always)
        true, bad = (z3.BoolVal(term) if isinstance(term, bool) else term for term in self.formula)
        for wanted, term in (("true", true), ("bad", bad), ("false", z3.Not(z3.Or(true, bad)))):
            if solver.check(term) == z3.sat:
                try:
                    found.append((wanted, case_of(self.encoding, solver.model(), "pay")))
                except Unwritable:
                    continue
        return found


def _choices(encoding: Encoding, case: Case) -> Iterator[dict[Any, list[Any]]]:
    """Yield which elements of the lists that are too long stand for all, with those that are read by position first."""
    lists = [cell for cell in encoding.cells.all.values() if cell.size is not None]
    long = [(cell, _at(case, cell.place or ())) for cell in lists]
    long = [(cell, value) for cell, value in long if isinstance(value, list) and len(value) > cell.slots]
    choices: list[list[list[Any]]] = []
    for cell, value in long:
        first = 1 if cell.place == ("arg", "l") and cell.slots > 1 else 0
        rest = combinations(value[first:], cell.slots - first)
        choices.append([[*value[:first], *some] for some in rest])
    for chosen in product(*choices):
        yield {cell.place: some for (cell, _), some in zip(long, chosen, strict=True)}


def assigned(  # noqa: C901, PLR0912 - one branch for each thing that a cell may hold
    encoding: Encoding, case: Case, elements: dict[Any, list[Any]]
) -> dict[str, Any] | None:
    """Return the value of every unknown for *case*, or None where it has a value that no unknown stands for."""
    known: dict[str, Any] = {}
    taken: dict[int, dict[str, int]] = {}
    if elements and any(key[0] in ("rest", "more", "worse") for key in encoding.free):
        return None
    for place, cell in encoding.cells.all.items():
        value = _at(case, place, elements)
        kind = _kind(value)
        if kind in ("date", "datetime", "moment", "time") and kind not in cell.order:
            return None
        if cell.which is not None:
            if kind not in cell.order:
                return None
            known[cell.which.decl().name()] = cell.order.index(kind)
        elif cell.order != (kind,):
            return None
        for each, term in cell.of.items():
            known[term.decl().name()] = _payload(each, value) if each == kind else UNUSED.get(each, 1)
        if kind == "text" and cell.words is not None:
            atom = cell.words.atom(value, taken.setdefault(id(cell.words), {}))
            known[cell.of["text"].decl().name()] = atom
        elif cell.words is not None:
            known[cell.of["text"].decl().name()] = 0
        if cell.length is not None:
            text = cell.words.texts[0] if cell.words is not None and kind != "text" else value
            known[cell.length.decl().name()] = len(text)
        if cell.size is not None:
            known[cell.size.decl().name()] = len(value) if kind == "list" else 0
    known["at"], known["the time is told"] = case.at or 0, case.at is not None
    for key, term in encoding.free.items():
        known[term.decl().name()] = _told(case, key, elements)
    for name, (counted, number) in encoding.windows.items():
        found = case.windows[name]
        known[counted.decl().name()] = not isinstance(found, Failed)
        known[number.decl().name()] = 0 if isinstance(found, Failed) else found
    return known


def _at(case: Case, place: tuple[Any, ...], elements: dict[Any, list[Any]] | None = None) -> Any:
    roots: dict[str, Any] = {"arg": case.args, "fact": case.facts, "user": case.user, "state": case.state}
    roots["origin"] = case.origins
    if place[0] == "fact" and place[1] not in case.facts:
        return Failed("nobody looked it up")
    if place[0] == "origin" and place[1] not in case.origins and place[1] in case.args:
        return Failed("nobody traced it")
    value: Any = roots[place[0]]
    for at, step in enumerate(place[1:], 1):
        value = (elements or {}).get(place[:at], value)
        if isinstance(value, (Failed, Unjudgeable)):
            return value
        try:
            value = field(value, step)
        except Unjudgeable as error:
            return error
    return value


def _told(case: Case, key: Any, elements: dict[Any, list[Any]]) -> Any:
    """Return what *case* says of something that a formula leaves free."""
    values = [_at(case, place, elements) for place in key[1:] if key[0] in ("less", "sized", "fields")]
    match key[0]:
        case "less":
            return all(isinstance(value, str) for value in values) and values[0] < values[1]
        case "sized":
            return isinstance(values[0], dict)
        case "fields":
            return len(values[0]) if isinstance(values[0], dict) else 0
        case _:
            return 0 if key[0] == "rest" else False


def _kind(value: Any) -> str:
    if value is ABSENT:
        return "absent"
    if isinstance(value, (Failed, Unjudgeable)):
        return "bad"
    if isinstance(value, (list, dict)):
        return "list" if isinstance(value, list) else "record"
    try:
        kind, _ = plain(value)
    except Unjudgeable:
        return "other"
    return "moment" if kind == "datetime" and value.tzinfo is not None else kind


def _payload(kind: str, value: Any) -> Any:
    if kind == "number":
        return plain(value)[1]
    return value if kind in ("text", "truth") else ticks(value)


def compiled(term: Any) -> Callable[[dict[str, Any]], Any]:
    """Return a function of the unknowns that computes what the formula *term* of z3 says, exactly."""
    return _Compiler().made(term)


class _Compiler:
    """One pass over a formula; what occurs twice is made once."""

    def __init__(self) -> None:
        self._made: dict[int, Any] = {}

    def made(self, term: Any) -> Any:
        if isinstance(term, bool):
            return lambda _: term
        key = term.get_id()
        if key not in self._made:
            self._made[key] = self._make(term)
        return self._made[key]

    def _make(self, term: Any) -> Any:
        if z3.is_int_value(term):
            whole = term.as_long()
            return lambda _: whole
        if z3.is_rational_value(term):
            exact = term.as_fraction()
            return lambda _: exact
        name, kind = term.decl().name(), term.decl().kind()
        parts = [self.made(part) for part in term.children()]
        if kind == z3.Z3_OP_UNINTERPRETED:
            return lambda known: known[name]
        return _OPERATORS[kind](parts)


def _exact(value: Any) -> Any:
    from fractions import Fraction  # noqa: PLC0415 - only here

    return Fraction(value) if isinstance(value, Decimal) else value


def _two(operation: Any) -> Any:
    return lambda parts: lambda known: operation(_exact(parts[0](known)), _exact(parts[1](known)))


def _many(operation: Any) -> Any:
    return lambda parts: lambda known: reduce(operation, [_exact(part(known)) for part in parts])


_OPERATORS: dict[int, Any] = {
    z3.Z3_OP_TRUE: lambda _: lambda _: True,
    z3.Z3_OP_FALSE: lambda _: lambda _: False,
    z3.Z3_OP_AND: lambda parts: lambda known: all(part(known) for part in parts),
    z3.Z3_OP_OR: lambda parts: lambda known: any(part(known) for part in parts),
    z3.Z3_OP_NOT: lambda parts: lambda known: not parts[0](known),
    z3.Z3_OP_ITE: lambda parts: lambda known: parts[1](known) if parts[0](known) else parts[2](known),
    z3.Z3_OP_EQ: _two(operator.eq),
    z3.Z3_OP_LE: _two(operator.le),
    z3.Z3_OP_LT: _two(operator.lt),
    z3.Z3_OP_GE: _two(operator.ge),
    z3.Z3_OP_GT: _two(operator.gt),
    z3.Z3_OP_ADD: _many(operator.add),
    z3.Z3_OP_SUB: _many(operator.sub),
    z3.Z3_OP_MUL: _many(operator.mul),
    z3.Z3_OP_IDIV: _two(lambda one, other: one // other),
    z3.Z3_OP_MOD: _two(operator.mod),
    z3.Z3_OP_UMINUS: lambda parts: lambda known: -_exact(parts[0](known)),
    z3.Z3_OP_TO_REAL: lambda parts: parts[0],
}
