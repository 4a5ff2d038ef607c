"""From the tree of a condition to a formula: the meaning that `evaluate` has, for all cases at once.

A condition becomes two formulas: that it is true, and that it can't be judged. What a formula can't say exactly is
left free (`Encoding.free`): it may say more than can happen, never less. So what has no solution can't happen; what has
one is only a claim once its example was judged by the evaluator itself. Cases within the evaluator's limits are
meant: lists of 100,000 elements, texts of 10,000 characters, numbers of 1,000 digits, time zones a day away from the
years 1 and 9999.
"""

# The tables at the end name methods of the class above them.
# pyright: reportPrivateUsage=false

from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final, cast
from zoneinfo import ZoneInfo

from interlock.guardian import patterns
from interlock.guardian.english import label
from interlock.guardian.proofs.cells import DAY, RANGES, Cell, Cells, Symbol
from interlock.guardian.proofs.logic import (
    Term,
    both,
    chosen,
    either,
    every,
    negated,
    real,
    same_truth,
    some,
    z3,
)
from interlock.guardian.proofs.scan import Place, Scan, kind_of
from interlock.guardian.proofs.shapes import Kind, Shape, Shapes
from interlock.guardian.proofs.terms import TESTS, TURNED, among_slot, calculated, compared, constant, of_cases, plus
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
    Tree,
    Value,
    Window,
    children,
)

Pair = tuple[Term, Term]
"""That a condition is true, and that it can't be judged."""

Bound = tuple[tuple[int, Place], ...]
"""The element that each quantifier looks at."""

_ORDERED: Final[tuple[Kind, ...]] = ("number", "text", "date", "datetime", "moment", "time", "duration")
_EQUAL: Final[tuple[Kind, ...]] = (*_ORDERED, "truth")
_PARTS: Final[tuple[Kind, ...]] = ("list", "record", "other")
_EPOCH: Final = date(1970, 1, 1).toordinal()
_HOUR: Final = 3_600_000_000
_FARTHEST: Final = 16 * _HOUR
REFERENCE: Final = datetime(2026, 1, 14, 12, tzinfo=UTC)
"""Around this moment examples play where rules leave the time open."""


class Encoding:
    """The formulas of all conditions about one action, over the same unknowns."""

    def __init__(self, trees: Iterable[Tree], shapes: Shapes, roots: Mapping[str, Shape]) -> None:
        found = tuple(trees)
        self.scan = Scan(found)
        self.cells = Cells(self.scan, shapes, roots)
        self.free: dict[Any, Term] = {}
        self.at = z3.Int("at")
        self.told = z3.Bool("the time is told")
        self.offsets: dict[str, Term] = {}
        self.windows: dict[str, tuple[Term, Term]] = {}
        self._known: dict[tuple[Tree, Bound], Any] = {}
        for tree in found:
            self._touch(tree, ())
        for name, shape in (shapes.arguments or {}).items():
            if "absent" not in shape.kinds:
                self.cells.cell(("arg", name))
        self.cells.settle()

    @property
    def is_enough(self) -> bool:
        """Whether what has no solution can't happen."""
        return all(words.is_enough for words in self.cells.words.values())

    def condition(self, tree: Tree | None) -> Pair:
        """Return when the condition *tree* is true and when it can't be judged."""
        return (True, False) if tree is None else self._truth(tree, ())

    def _touch(self, node: Tree, bound: Bound) -> None:
        """Make the cells that *node* reads."""
        if isinstance(node, (Path, Item)):
            self._place(node, bound)
        if isinstance(node, In) and not isinstance(node.among, Many):
            self._elements(self._value(node.among, bound))
        if isinstance(node, Each):
            self._touch(node.over, bound)
            for element in self._elements(self._value(node.over, bound)):
                self._touch(node.body, (*bound, (node.number, element)))
            self._known.clear()
            return
        for child in children(node):
            self._touch(child, bound)

    def _elements(self, listed: Symbol) -> list[Place]:
        """Return the places of the elements of a list that are told apart."""
        if not isinstance(listed, Cell) or "list" not in listed.kinds:
            return []
        assert listed.place is not None
        found = [(*listed.place, number) for number in range(listed.slots)]
        for place in found:
            self.cells.cell(place)
        return found

    def _place(self, node: Path | Item, bound: Bound) -> Cell:
        start: Place = (node.root,) if isinstance(node, Path) else dict(bound)[node.number]
        return self.cells.cell((*start, *node.steps))

    def _value(self, node: Tree, bound: Bound) -> Symbol:
        key = (node, bound)
        found = self._known.get(key)
        if found is None:
            is_number = isinstance(node, Each) and node.op in ("count", "sum")
            make: Any = Encoding._number_of if is_number else _VALUES.get(type(node), Encoding._judged)
            found = self._known[key] = make(self, node, bound)
        return found

    def _judged(self, node: Tree, bound: Bound) -> Symbol:
        """Return a condition as a value."""
        true, bad = self._truth(node, bound)
        return Symbol({"truth": negated(bad), "bad": bad}, {"truth": true})

    def _truth(self, node: Tree, bound: Bound) -> Pair:
        maker = _TRUTHS.get(type(node))
        if maker is None or (isinstance(node, Each) and node.op in ("count", "sum")):
            value = self._value(node, bound)
            is_truth = value.has("truth")
            return both(is_truth, value.of.get("truth", False)), negated(is_truth)
        key = (Not(node), bound)
        if key not in self._known:
            self._known[key] = maker(self, node, bound)
        return self._known[key]

    def _literal(self, node: Value, bound: Bound) -> Symbol:
        kind = kind_of(node)
        return Symbol({kind: True}, {kind: constant(kind, node.python())})

    def _math(self, node: Math, bound: Bound) -> Symbol:
        left, right = self._value(node.left, bound), self._value(node.right, bound)
        found: list[tuple[Kind, Term, Term]] = []
        for one in left.kinds:
            for other in right.kinds:
                made = calculated(node.op, one, left.of.get(one), other, right.of.get(other))
                if made is not None:
                    kind, fine, result = made
                    found.append((kind, every((left.has(one), right.has(other), fine)), result))
        return of_cases(found)

    def _length(self, node: Length, bound: Bound) -> Symbol:
        value = self._value(node.part, bound)
        found: list[tuple[Kind, Term, Term]] = []
        text = value.of.get("text")
        if isinstance(text, str):
            found.append(("number", True, z3.IntVal(len(text))))
        if isinstance(value, Cell):
            if value.length is not None:
                found.append(("number", value.has("text"), value.length))
            if value.size is not None:
                found.append(("number", value.has("list"), value.size))
            if "record" in value.kinds:
                sized, size = self._free(("sized", value.place)), self._free(("fields", value.place), z3.Int)
                self.cells.always.append(size >= 0)
                found.append(("number", both(value.has("record"), sized), size))
        return of_cases(found)

    def _free(self, key: Any, make: Any = None) -> Term:
        if key not in self.free:
            self.free[key] = (make or z3.Bool)(repr(key))
        return self.free[key]

    def _clock(self, node: Clock, bound: Bound) -> Symbol:
        local = self.at + self._offset(node.zone)
        day = local / DAY
        kind, value = cast("tuple[Kind, Term]", {
            "datetime": ("moment", self.at + _EPOCH * DAY),
            "date": ("date", day + _EPOCH),
            "time": ("time", local % DAY),
            "hour": ("number", (local % DAY) / _HOUR),
            "weekday": ("number", (day + 3) % 7 + 1),
        }[node.part])  # fmt: skip
        return Symbol({kind: self.told, "bad": negated(self.told)}, {kind: value})

    def _offset(self, zone: str) -> Term:
        if zone not in self.offsets:
            low, high = RANGES["moment"]
            if not self.offsets:
                self.cells.always += [self.at + _EPOCH * DAY > low + DAY, self.at + _EPOCH * DAY < high - DAY]
            offset = self.offsets[zone] = z3.IntVal(0) if zone == "UTC" else z3.Int(f"offset {zone}")
            if zone != "UTC":
                self.cells.always += [offset >= -_FARTHEST, offset <= _FARTHEST]
        return self.offsets[zone]

    def usual_time(self) -> Term:
        """Return that the time is told, on a winter's day, with the offsets that zones have then."""
        if not self.offsets:
            return True
        around = round(REFERENCE.timestamp() * 1_000_000)
        offsets = [
            offset
            == round((REFERENCE.astimezone(ZoneInfo(zone)).utcoffset() or timedelta()) / timedelta(microseconds=1))
            for zone, offset in self.offsets.items()
            if zone != "UTC"
        ]
        return every([self.told, self.at > around - 14 * DAY, self.at < around + 14 * DAY, *offsets])

    def _window(self, node: Window, bound: Bound) -> Symbol:
        name = label(node)
        if name not in self.windows:
            number = z3.Int(f"window {name}") if node.op == "count" else z3.Real(f"window {name}")
            if node.op == "count":
                self.cells.always.append(number >= 0)
            self.windows[name] = (z3.Bool(f"counted {name}"), number)
        counted, number = self.windows[name]
        return Symbol({"number": counted, "bad": negated(counted)}, {"number": number})

    def _compare(self, node: Compare, bound: Bound) -> Pair:
        left, right = self._value(node.left, bound), self._value(node.right, bound)
        if node.op in ("==", "!="):
            equal, bad = self._equal(left, right)
            return (equal if node.op == "==" else both(negated(equal), negated(bad))), bad
        alike: list[tuple[Kind, Term]] = [
            (kind, both(left.has(kind), right.has(kind)))
            for kind in _ORDERED
            if kind in left.kinds and kind in right.kinds
        ]
        bad = negated(some(condition for _, condition in alike))
        return some(both(condition, self._ordered(node.op, kind, left, right)) for kind, condition in alike), bad

    def _equal(self, left: Symbol, right: Symbol) -> Pair:
        apart = either(left.has("absent", "none"), right.has("absent", "none"))
        bad = some(
            (left.has("bad"), right.has("bad"), both(negated(apart), either(left.has(*_PARTS), right.has(*_PARTS))))
        )
        return self._same(left, right), bad

    def _same(self, left: Symbol, right: Symbol) -> Term:
        """Return that two values are of one kind that can be compared, and equal."""
        found = [both(left.has("none"), right.has("none"))]
        found += [
            every((left.has(kind), right.has(kind), self._equals(kind, left, right)))
            for kind in _EQUAL
            if kind in left.kinds and kind in right.kinds
        ]
        return some(found)

    def _equals(self, kind: Kind, left: Symbol, right: Symbol) -> Term:
        one, other = left.of[kind], right.of[kind]
        if kind == "truth":
            return same_truth(one, other)
        if kind == "text":
            return self._same_text(left, right)
        return compared("==", one, other)

    def _same_text(self, left: Symbol, right: Symbol) -> Term:
        one, other = left.of["text"], right.of["text"]
        if isinstance(one, str):
            return one == other if isinstance(other, str) else self._same_text(right, left)
        assert isinstance(left, Cell)
        assert left.words is not None
        return one == (left.words.literals[other] if isinstance(other, str) else other)

    def _ordered(self, op: str, kind: Kind, left: Symbol, right: Symbol) -> Term:
        one, other = left.of[kind], right.of[kind]
        if kind != "text":
            return compared(op, one, other)
        if isinstance(one, str) and isinstance(other, str):
            return TESTS[op](one, other)
        if isinstance(one, str):
            return self._ordered(TURNED[op], kind, right, left)
        assert isinstance(left, Cell)
        assert left.words is not None
        if isinstance(other, str):
            return left.words.holds(one, lambda text: TESTS[op](text, other))
        return self._ordered_texts(op, left, cast("Cell", right))

    def _ordered_texts(self, op: str, left: Cell, right: Cell) -> Term:
        """Return the order of two unknown texts, which is left free; only that it is an order is kept."""
        if left.place == right.place:
            return op in ("<=", ">=")
        if repr(left.place) > repr(right.place):
            return self._ordered_texts(TURNED[op], right, left)
        equal = left.of["text"] == right.of["text"]
        less = both(negated(equal), self._free(("less", left.place, right.place)))
        under = less if op in ("<", ">=") else either(less, equal)
        return under if op in ("<", "<=") else negated(under)

    def _and(self, node: And, bound: Bound) -> Pair:
        parts = [self._truth(part, bound) for part in node.parts]
        bad: Term = False
        for true, own in reversed(parts):
            bad = either(own, both(true, bad))
        return every(true for true, _ in parts), bad

    def _or(self, node: Or, bound: Bound) -> Pair:
        true: Term = False
        bad: Term = False
        for own, unclear in reversed([self._truth(part, bound) for part in node.parts]):
            false = both(negated(own), negated(unclear))
            true, bad = either(own, both(false, true)), either(unclear, both(false, bad))
        return true, bad

    def _not(self, node: Not, bound: Bound) -> Pair:
        true, bad = self._truth(node.part, bound)
        return both(negated(true), negated(bad)), bad

    def _in(self, node: In, bound: Bound) -> Pair:
        value = self._value(node.part, bound)
        if isinstance(node.among, Many):
            literals = [self._literal(each, bound) for each in node.among.values]
            return some(self._same(value, each) for each in literals), value.has("bad", *_PARTS)
        among = self._value(node.among, bound)
        elements = [(among_slot(among, at), self.cells.cell(place)) for at, place in enumerate(self._elements(among))]
        there = both(among.has("list"), negated(value.has("absent", "bad")))
        more, worse = self._more(node, bound, among)
        unclear = some([value.has(*_PARTS), *(both(here, one.has(*_PARTS)) for here, one in elements), worse])
        bad = some((value.has("bad"), negated(among.has("list")), both(there, unclear)))
        held = some([*(both(here, self._same(value, one)) for here, one in elements), more])
        return every((there, negated(unclear), held)), bad

    def _more(self, node: Tree, bound: Bound, listed: Symbol) -> tuple[Term, Term]:
        """Return what elements that are not told apart may add: one that holds, one that can't be judged."""
        if not isinstance(listed, Cell) or listed.is_enough or listed.size is None:
            return False, False
        beyond, name = listed.size > listed.slots, f"{label(node)} {bound}"
        return both(beyond, self._free(("more", name))), both(beyond, self._free(("worse", name)))

    def _matches(self, node: Matches, bound: Bound) -> Pair:
        value = self._value(node.part, bound)
        text = value.of.get("text")
        is_text = value.has("text")
        if text is None:
            return False, True
        if isinstance(text, str):
            return patterns.compiled(node.pattern).fullmatch(text) is not None, False
        assert isinstance(value, Cell)
        assert value.words is not None
        return both(is_text, value.words.fits(text, node.pattern)), negated(is_text)

    def _is_absent(self, node: IsAbsent, bound: Bound) -> Pair:
        value = self._value(node.part, bound)
        return value.has("absent"), value.has("bad")

    def _each(self, node: Each, bound: Bound) -> Pair:
        listed, parts = self._looked(node, bound)
        more, worse = self._more(node, bound, listed)
        bad = either(negated(listed.has("list")), some([*(both(here, unclear) for here, _, unclear in parts), worse]))
        if node.op == "any":
            held = some([*(both(here, true) for here, true, _ in parts), more])
        else:
            held = every([*(either(negated(here), true) for here, true, _ in parts), negated(more)])
        return both(negated(bad), held), bad

    def _looked(self, node: Each, bound: Bound) -> tuple[Symbol, list[tuple[Term, Term, Term]]]:
        listed = self._value(node.over, bound)
        parts: list[tuple[Term, Term, Term]] = []
        for at, place in enumerate(self._elements(listed)):
            parts.append((among_slot(listed, at), *self._truth(node.body, (*bound, (node.number, place)))))
        return listed, parts

    def _number_of(self, node: Each, bound: Bound) -> Symbol:
        """Return a count or a sum over a list; what elements that are not told apart add is left free."""
        listed = self._value(node.over, bound)
        places = self._elements(listed)
        if node.op == "count":
            listed, looked = self._looked(node, bound)
            parts = [(here, chosen(true, z3.IntVal(1), z3.IntVal(0)), bad) for here, true, bad in looked]
        else:
            values = [self._value(node.body, (*bound, (node.number, place))) for place in places]
            parts = [
                (among_slot(listed, at), value.of.get("number", z3.IntVal(0)), negated(value.has("number")))
                for at, value in enumerate(values)
            ]
        _, worse = self._more(node, bound, listed)
        bad = either(negated(listed.has("list")), some([*(both(here, unclear) for here, _, unclear in parts), worse]))
        total = self._rest(node, bound, listed)
        for here, number, _ in parts:
            total = plus(total, chosen(here, number, z3.IntVal(0)))
        return Symbol({"number": negated(bad), "bad": bad}, {"number": total})

    def _rest(self, node: Each, bound: Bound, listed: Symbol) -> Term:
        if not isinstance(listed, Cell) or listed.size is None:
            return z3.IntVal(0)
        beyond = listed.size > listed.slots
        if node.op == "sum":
            return chosen(beyond, self._free(("rest", label(node), bound), z3.Real), real(0))
        rest = self._free(("rest", label(node), bound), z3.Int)
        self.cells.always += [rest >= 0, either(negated(beyond), rest <= listed.size - listed.slots)]
        return chosen(beyond, rest, z3.IntVal(0))


_VALUES: Final[dict[type, Any]] = {
    Value: Encoding._literal,  # noqa: SLF001 - a table of its own methods
    Path: Encoding._place,  # noqa: SLF001
    Item: Encoding._place,  # noqa: SLF001
    Math: Encoding._math,  # noqa: SLF001
    Length: Encoding._length,  # noqa: SLF001
    Clock: Encoding._clock,  # noqa: SLF001
    Window: Encoding._window,  # noqa: SLF001
}
_TRUTHS: Final[dict[type, Any]] = {
    Compare: Encoding._compare,  # noqa: SLF001
    And: Encoding._and,  # noqa: SLF001
    Or: Encoding._or,  # noqa: SLF001
    Not: Encoding._not,  # noqa: SLF001
    In: Encoding._in,  # noqa: SLF001
    Matches: Encoding._matches,  # noqa: SLF001
    IsAbsent: Encoding._is_absent,  # noqa: SLF001
    Each: Encoding._each,  # noqa: SLF001
}
