"""A first look over conditions: which values meet which others, so that few enough of each kind can stand for all."""

from collections import defaultdict
from collections.abc import Iterable
from typing import Any, Final

from interlock.guardian.proofs.shapes import MOMENTS, Kind
from interlock.guardian.tree import (
    Clock,
    Compare,
    Each,
    In,
    Item,
    Length,
    Many,
    Matches,
    Math,
    Path,
    Tree,
    Value,
    children,
    is_never_truth,
)

Place = tuple[Any, ...]
"""Where a value stands: the root, then its steps; in a pattern of places, every position of a list is `*`."""

_MOST_SLOTS: Final = 6


def pattern_of(place: Place) -> Place:
    """Return the place with every position of a list as `*`."""
    return tuple("*" if isinstance(step, int) else step for step in place)


def kind_of(value: Value) -> Kind:
    """Return the kind of a literal, moments with a time zone told apart."""
    if value.kind == "datetime" and value.python().tzinfo is not None:
        return "moment"
    return value.kind


class Scan:
    """What all conditions about one action say together of each pattern of places.

    Attributes:
        literals: The texts that values of a family are compared with; `bounds` those by order.
        patterns: The patterns that they are matched with.
        expected: The kinds that rules expect at a pattern of places.
        measured: The families of which a length is asked.
        kinds: The kinds of moments that occur.
    """

    def __init__(self, trees: Iterable[Tree]) -> None:
        self._parent: dict[Place, Place] = {}
        self._met: defaultdict[Place, dict[str, set[Any]]] = defaultdict(lambda: defaultdict(set))
        self._expected: defaultdict[Place, set[Kind]] = defaultdict(set)
        self._looks: defaultdict[Place, int] = defaultdict(int)
        self._positions: defaultdict[Place, int] = defaultdict(int)
        self.kinds: set[Kind] = set()
        self.has_math = False
        for tree in trees:
            self._truth(tree)
            self._look(tree, {}, 1)

    def family(self, place: Place) -> Place:
        """Return what stands for all patterns of places whose values are compared with those of *place*."""
        one = pattern_of(place)
        while (above := self._parent.get(one, one)) != one:
            one = above
        return one

    def met(self, family: Place, what: str) -> list[Any]:
        """Return what a family meets: its "literals", "bounds", "patterns", or whether it is "measured"."""
        members = [one for one in self._met if self.family(one) == family]
        return sorted(set[Any]().union(*(self._met[one][what] for one in members)))

    def expected(self, place: Place) -> set[Kind]:
        """Return the kinds that rules expect here."""
        return self._expected.get(pattern_of(place), set()) | self._expected.get(self.family(place), set())

    def slots(self, place: Place) -> tuple[int, bool]:
        """Return how many elements of a list have to be told apart, and whether that is enough for a proof.

        Every `.any()`, `.all()`, `.count()`, `.sum()` and `.in_()` over it needs one element as the witness of its
        outcome; what all of them say of a longer list, they say of one with these alone.
        """
        needed = self._positions[pattern_of(place)] + self._looks[pattern_of(place)]
        return min(max(needed, 1), _MOST_SLOTS), needed <= _MOST_SLOTS

    def _join(self, one: Place, other: Place) -> None:
        first, second = self.family(one), self.family(other)
        if first != second:
            self._parent[max(first, second, key=repr)] = min(first, second, key=repr)
            self._expected[self.family(first)] |= self._expected[first] | self._expected[second]

    def _expect(self, place: Place | None, *kinds: Kind) -> None:
        if place is not None:
            self._expected[place] |= set(kinds)

    def _truth(self, tree: Tree) -> None:
        if isinstance(tree, (Path, Item)) and not is_never_truth(tree):
            self._expect(_place(tree, {}), "truth")

    def _look(self, node: Tree, bound: dict[int, Place | None], weight: int) -> None:  # noqa: C901, PLR0912 - one case a node
        match node:
            case Compare(op, left, right):
                self._compared(op, left, right, bound)
            case In(part, Many(values)):
                for value in values:
                    self._compared("==", part, value, bound)
            case In(part, among):
                self._among(part, among, bound, weight)
            case Matches(part, pattern):
                self._note(_place(part, bound), "patterns", pattern, "text")
            case Length(part):
                self._note(_place(part, bound), "measured", True, "text", "list")
            case Math(_, left, right):
                self.has_math = True
                for each in (left, right):
                    self._expect(_place(each, bound), *(MOMENTS & self.kinds or frozenset[Kind]({"number"})))
            case Clock(part, _):
                self.kinds |= {"moment", "date", "time"}
            case Value():
                self.kinds.add(kind_of(node))
            case Path() | Item():
                self._path(node, bound)
            case Each():
                self._each(node, bound, weight)
                return
            case _:
                for child in children(node):
                    self._expect_truth(child, bound)
        for child in children(node):
            self._look(child, bound, weight)

    def _expect_truth(self, child: Tree, bound: dict[int, Place | None]) -> None:
        self._expect(_place(child, bound), "truth")

    def _note(self, place: Place | None, what: str, value: Any, *kinds: Kind) -> None:
        if place is not None:
            self._met[place][what].add(value)
            self._expect(place, *kinds)

    def _path(self, node: Path | Item, bound: dict[int, Place | None]) -> None:
        place = _place(node, bound)
        for at in range(1, len(place or ())):
            assert place is not None
            self._expect(place[:at], "list" if place[at] == "*" else "record")
        steps = node.steps
        for at, step in enumerate(steps):
            if isinstance(step, int) and place is not None:
                above = place[: len(place) - len(steps) + at]
                self._positions[above] = max(self._positions[above], step + 1)

    def _compared(self, op: str, left: Tree, right: Tree, bound: dict[int, Place | None]) -> None:
        one, other = _place(left, bound), _place(right, bound)
        if one is not None and other is not None:
            self._join(one, other)
            return
        place, beside = (one, right) if one is not None else (other, left)
        if place is None:
            return
        if isinstance(beside, Value):
            kind = kind_of(beside)
            what = "literals" if op in ("==", "!=") else "bounds"
            if kind == "text":
                self._met[place][what].add(beside.text)
                self._met[place]["literals"].add(beside.text)
            self._expect(place, kind)
        elif isinstance(beside, Clock):
            self._expect(place, *_CLOCK_KINDS[beside.part])
        else:
            self._expect(place, "number")

    def _among(self, part: Tree, among: Tree, bound: dict[int, Place | None], weight: int) -> None:
        one, listed = _place(part, bound), _place(among, bound)
        if listed is None:
            return
        self._expect(listed, "list")
        self._looks[listed] += weight
        if one is not None:
            self._join(one, (*listed, "*"))
        elif isinstance(part, Value):
            self._compared("==", Path("arg", ("?",)), part, bound)
            self._note((*listed, "*"), "literals", part.text, "text") if part.kind == "text" else None

    def _each(self, node: Each, bound: dict[int, Place | None], weight: int) -> None:
        over, body = node.over, node.body
        listed = _place(over, bound)
        inner = dict(bound)
        inner[node.number] = None if listed is None else (*listed, "*")
        if listed is not None:
            self._expect(listed, "list")
            self._looks[listed] += weight if "*" not in listed else 1
        self._look(over, bound, weight)
        element = _place(body, inner)
        self._expect(element, "number" if node.op == "sum" else "truth")
        more = weight * _MOST_SLOTS
        self._look(body, inner, more)


_CLOCK_KINDS: Final[dict[str, tuple[Kind, ...]]] = {
    "datetime": ("moment",),
    "date": ("date",),
    "time": ("time",),
    "hour": ("number",),
    "weekday": ("number",),
}


def _place(node: Tree, bound: dict[int, Place | None]) -> Place | None:
    """Return the pattern of places that *node* reads, or None where it reads none."""
    if isinstance(node, Path):
        return pattern_of((node.root, *node.steps))
    if isinstance(node, Item):
        element = bound.get(node.number)
        return None if element is None else (*element, *pattern_of(node.steps))
    return None
