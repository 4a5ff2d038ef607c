"""Every place that conditions read, as unknowns of a formula, and what always holds between them."""

from collections.abc import Mapping
from datetime import date
from typing import Any, Final

import msgspec

from interlock.guardian.proofs.logic import Term, both, either, implies, negated, real, some, z3
from interlock.guardian.proofs.scan import Place, Scan
from interlock.guardian.proofs.shapes import ANY_KIND, ANYTHING, MOMENTS, Kind, Shape, Shapes, plus
from interlock.guardian.proofs.words import Words
from interlock.guardian.tree import ORIGIN

DAY: Final = 86_400_000_000
LAST_DAY: Final = date.max.toordinal()
LONGEST: Final = 999_999_999
RANGES: Final[dict[str, tuple[int, int]]] = {
    "date": (1, LAST_DAY),
    "datetime": (DAY, (LAST_DAY + 1) * DAY - 1),
    "moment": (DAY, (LAST_DAY + 1) * DAY - 1),
    "time": (0, DAY - 1),
    "duration": (-LONGEST * DAY, LONGEST * DAY + DAY - 1),
}
"""What moments are counted in: days since the year 1, or microseconds; and how far they reach."""

_WORD: Final = Shape(frozenset[Kind]({"text"}))
TRACED: Final = Shape(
    frozenset[Kind]({"record", "absent", "bad"}),
    fields={
        **dict.fromkeys(ORIGIN, _WORD),
        "trust": Shape(frozenset[Kind]({"number"}), is_whole=True, least=0, most=7),
    },
)
"""Where a value may have come from. How its parts hang together is left open: that says more than can happen."""


class Symbol(msgspec.Struct):
    """A value as a formula sees it: under which condition it is of which kind, and what it is then.

    A text is a Python text where it is known, else the number of an atom of `words`.
    """

    kinds: Mapping[Kind, Term]
    of: Mapping[Kind, Any]
    place: Place | None = None

    def has(self, *kinds: Kind) -> Term:
        """Return that the value is of one of *kinds*."""
        return some(self.kinds.get(kind, False) for kind in kinds)


class Cell(Symbol):
    """One place: its kind and value are unknown within its shape."""

    shape: Shape = ANYTHING
    own: frozenset[Kind] = ANY_KIND
    which: Any = None
    order: tuple[Kind, ...] = ()
    words: Words | None = None
    length: Any = None
    size: Any = None
    sized: Any = False
    slots: int = 0
    is_enough: bool = True


class Cells:
    """All places that conditions about one action read."""

    def __init__(self, scan: Scan, shapes: Shapes, roots: Mapping[str, Shape]) -> None:
        self._scan, self._shapes, self._roots = scan, shapes, roots
        self.all: dict[Place, Cell] = {}
        self.words: dict[Place, Words] = {}
        self.always: list[Term] = []

    def cell(self, place: Place) -> Cell:
        """Return the cell of *place*, with those above it."""
        if place not in self.all:
            self._make(place)
        return self.all[place]

    def _make(self, place: Place) -> None:
        above = self.cell(place[:-1]) if len(place) > (1 if place[0] not in ("arg", "fact", "origin") else 2) else None
        shape = self._shape(place, above)
        order = tuple(sorted(self._relevant(shape.kinds)))
        which = z3.Int(f"kind {place}") if len(order) > 1 else None
        kinds: dict[Kind, Term] = {
            kind: True if which is None else which == number for number, kind in enumerate(order)
        }
        cell = Cell(kinds, {}, place, shape, frozenset(shape.kinds), which, order)
        self.all[place] = cell
        if which is not None:
            self.always += [which >= 0, which < len(order)]
        self._payload(cell)
        if above is not None:
            self._link(above, cell)
        if place[0] == "origin" and len(place) == 2:
            self._bind(self.cell(("arg", place[1])), cell)

    def _bind(self, argument: Cell, origin: Cell) -> None:
        """Bind whether there is an origin to whether there is a value that may have one."""
        gone = origin.has("absent")
        self.always.append(implies(argument.has("absent"), gone))
        self.always.append(implies(gone, argument.has("absent", "none", "text", "list", "record")))

    def _shape(self, place: Place, above: Cell | None) -> Shape:
        if above is None:
            return self._root(place)
        step = place[-1]
        if isinstance(step, int):
            known = above.shape.element or ANYTHING
            known = plus(known, "absent") if "list" in above.kinds else known
        else:
            known = above.shape.fields.get(step) or plus(ANYTHING, "absent", "bad")
        if above.kinds.keys() & {"absent", "none"}:
            known = plus(known, "absent")
        fitting: set[Kind] = {"absent", "none", "list" if isinstance(step, int) else "record"}
        return plus(known, "bad") if set(above.kinds) - fitting else known

    def _root(self, place: Place) -> Shape:
        match place[0]:
            case "arg":
                if self._shapes.arguments is None:
                    return plus(ANYTHING, "absent")
                return self._shapes.arguments.get(place[1], Shape(frozenset({"absent"})))
            case "fact":
                return plus(ANYTHING, "bad")
            case "origin":
                return TRACED
            case "user":
                return ANYTHING
            case root:
                return self._roots.get(root, Shape(frozenset({"text"})))

    def _relevant(self, kinds: frozenset[Kind]) -> frozenset[Kind]:
        """Return *kinds* without moments that no rule tells apart; durations stand for those."""
        if not kinds >= ANY_KIND or self._scan.has_math:
            return kinds
        return kinds - (MOMENTS - self._scan.kinds - {"duration"})

    def _payload(self, cell: Cell) -> None:
        of: dict[Kind, Any] = {}
        name = repr(cell.place)
        for kind in cell.order:
            if kind == "truth":
                of[kind] = z3.Bool(f"truth {name}")
            elif kind in ("number", "text") or kind in MOMENTS:
                is_real = kind == "number" and not cell.shape.is_whole
                of[kind] = z3.Real(f"number {name}") if is_real else z3.Int(f"{kind} {name}")
            if kind in RANGES:
                low, high = RANGES[kind]
                self.always += [of[kind] >= low, of[kind] <= high]
        cell.of = of
        if "number" in of:
            self._bounds(cell.shape, of["number"])
        if "list" in cell.order:
            cell.size = z3.Int(f"size {name}")
            cell.slots, cell.is_enough = self._scan.slots(cell.place or ())
            longest = cell.shape.longest
            self.always += [cell.size >= max(cell.shape.shortest, 0)] + (
                [] if longest is None else [cell.size <= longest]
            )

    def _bounds(self, shape: Shape, number: Term) -> None:
        whole = z3.is_int(number)
        number = z3.ToReal(number) if whole else number
        if shape.least is not None:
            least = real(str(shape.least))
            self.always.append(number > least if shape.is_above else number >= least)
        if shape.most is not None:
            most = real(str(shape.most))
            self.always.append(number < most if shape.is_below else number <= most)

    def _link(self, above: Cell, cell: Cell) -> None:
        """Bind the kind of a place to the kind of what it is in."""
        assert cell.place is not None
        step = cell.place[-1]
        gone = above.has("absent", "none")
        own = set(cell.order) - {"absent", "bad"}
        if isinstance(step, int):
            inside, there = above.has("list"), above.size > step if above.size is not None else False
            self.always.append(implies(both(inside, there), cell.has(*own)))
            self.always.append(implies(both(inside, negated(there)), cell.has("absent")))
        else:
            inside = above.has("record")
            known = above.shape.fields.get(step)
            if known is not None:
                self.always.append(implies(inside, cell.has(*known.kinds)))
        self.always.append(implies(gone, cell.has("absent")))
        self.always.append(implies(negated(either(gone, inside)), cell.has("bad")))

    def settle(self) -> None:
        """Make the atoms of all texts, once every cell is there."""
        families: dict[Place, list[Cell]] = {}
        for cell in self.all.values():
            if "text" in cell.of:
                families.setdefault(self._scan.family(cell.place or ()), []).append(cell)
        for family, cells in families.items():
            literals = set(self._scan.met(family, "literals"))
            for cell in cells:
                literals.update(cell.shape.choices or ())
            used, bounds = self._scan.met(family, "patterns"), self._scan.met(family, "bounds")
            words = Words(sorted(literals), bounds, used, len(cells), repr(family))
            self.words[family] = words
            measured = self._scan.met(family, "measured")
            for cell in cells:
                self._word(cell, words, is_measured=bool(measured) or cell.shape.shortest > 0)
            if measured:
                self._alike(cells)

    def _word(self, cell: Cell, words: Words, *, is_measured: bool) -> None:
        cell.words, word = words, cell.of["text"]
        self.always += [word >= 0, word < len(words.texts)]
        if cell.shape.choices is not None:
            self.always.append(words.among(word, sorted(words.literals[text] for text in cell.shape.choices)))
        if is_measured:
            cell.length = z3.Int(f"length {cell.place!r}")
            self.always += words.lengths(word, cell.length)
            if cell.shape.choices is None and "list" not in cell.order:
                longest = cell.shape.longest
                self.always.append(cell.length >= cell.shape.shortest)
                self.always += [] if longest is None else [cell.length <= longest]

    def _alike(self, cells: list[Cell]) -> None:
        for at, one in enumerate(cells):
            for other in cells[:at]:
                if one.length is not None and other.length is not None:
                    alike = both(one.has("text"), other.has("text"), one.of["text"] == other.of["text"])
                    self.always.append(implies(alike, one.length == other.length))

    def plain(self, expected: Any) -> list[Term]:
        """Return that each place is of a kind that rules expect there: the cases that people think of first."""
        return [self._plain(cell, expected(cell.place)) for cell in self.all.values()]

    def _plain(self, cell: Cell, expected: set[Kind]) -> Term:
        usual = (expected & set(cell.order)) or (set(cell.order) & {"text", "number"})
        is_deep = isinstance((cell.place or (0,))[-1], int)
        allowed = either(cell.has(*usual), cell.has("absent") if is_deep else False) if usual else True
        return both(allowed, True if cell.size is None else cell.size <= cell.slots)
