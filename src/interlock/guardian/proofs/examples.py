"""From a solution of a formula to a concrete case, which the evaluator can judge."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any

import msgspec

from interlock.guardian.proofs.cells import DAY, Cell
from interlock.guardian.proofs.encode import Encoding
from interlock.guardian.proofs.logic import z3
from interlock.guardian.proofs.scan import Place
from interlock.guardian.proofs.shapes import Kind
from interlock.guardian.values import ABSENT, Failed
from interlock.guardian.verdict import Case


class Unwritable(Exception):  # noqa: N818 - it is a finding about a solution
    """The solution can't be written as a case; the message says why."""


def case_of(encoding: Encoding, model: Any, action: str) -> Case:
    """Return the case that *model* describes.

    Raises:
        Unwritable: it holds what no case can, such as a third.
    """
    reader = _Reader(encoding, model)
    args = reader.named("arg")
    facts = {name: value for name, value in reader.named("fact").items() if value is not ABSENT}
    user = reader.value(("user",)) if ("user",) in encoding.cells.all else None
    names = {
        root: reader.value((root,)) if (root,) in encoding.cells.all else "" for root in ("agent", "tenant", "state")
    }
    at = reader.whole(encoding.at) if encoding.offsets and reader.true(encoding.told) else None
    windows = {
        name: reader.number(number) if reader.true(counted) else Failed("it could not be counted")
        for name, (counted, number) in encoding.windows.items()
    }
    origins = reader.under("origin")
    return Case(action, args, facts, user, names["agent"], names["tenant"], names["state"], at, windows, origins)


class _Reader:
    def __init__(self, encoding: Encoding, model: Any) -> None:
        self._cells, self._model = encoding.cells.all, model
        self._below: dict[Place, list[Place]] = {}
        for place in self._cells:
            self._below.setdefault(place[:-1], []).append(place)

    def true(self, term: Any) -> bool:
        return term if isinstance(term, bool) else z3.is_true(self._model.eval(term, model_completion=True))

    def whole(self, term: Any) -> int:
        return self._model.eval(term, model_completion=True).as_long()

    def number(self, term: Any) -> int | Decimal:
        found = self._model.eval(term, model_completion=True)
        if z3.is_int_value(found):
            return found.as_long()
        if not z3.is_rational_value(found):
            raise Unwritable("a number in it is not rational")
        return _decimal(Fraction(found.numerator_as_long(), found.denominator_as_long()))

    def named(self, root: str) -> dict[str, Any]:
        return {name: value for name, value in self.under(root).items() if value is not ABSENT}

    def under(self, root: str) -> dict[str, Any]:
        return {place[1]: self.value(place) for place in self._below.get((root,), ()) if len(place) == 2}

    def value(self, place: Place) -> Any:  # noqa: PLR0911 - one answer a kind
        cell = self._cells[place]
        kind = cell.order[0] if cell.which is None else cell.order[self.whole(cell.which)]
        match kind:
            case "absent":
                return ABSENT
            case "none":
                return None
            case "truth":
                return self.true(cell.of["truth"])
            case "number":
                return self.number(cell.of["number"])
            case "text":
                return self._text(cell)
            case "list":
                return self._list(place, cell)
            case "record":
                return self._record(place)
            case "other":
                return float("nan")
            case "bad":
                return Failed("it could not be gathered")
            case _:
                return _moment(kind, self.whole(cell.of[kind]))

    def _text(self, cell: Cell) -> str:
        assert cell.words is not None
        length = None if cell.length is None else self.whole(cell.length)
        try:
            return cell.words.spelled(self.whole(cell.of["text"]), length)
        except LookupError as error:
            raise Unwritable(str(error)) from error

    def _list(self, place: Place, cell: Cell) -> list[Any]:
        size = self.whole(cell.size)
        if size > 10_000:
            raise Unwritable("a list in it is too long")
        there = [self.value((*place, at)) for at in range(min(size, cell.slots)) if (*place, at) in self._cells]
        filler = there[-1] if there else None
        return [*there, *[filler] * (size - len(there))]

    def _record(self, place: Place) -> Any:
        below = {each[-1]: self.value(each) for each in self._below.get(place, ()) if isinstance(each[-1], str)}
        if not any(isinstance(value, Failed) for value in below.values()):
            return {name: value for name, value in below.items() if value is not ABSENT}
        # A typed record that does not declare what was asked for.
        fields = [(name, Any, msgspec.UNSET) for name, value in below.items() if not isinstance(value, Failed)]
        try:
            record = msgspec.defstruct("Record", fields)
        except (TypeError, ValueError) as error:
            raise Unwritable(str(error)) from error
        given = {name: value for name, value in below.items() if value is not ABSENT and not isinstance(value, Failed)}
        return record(**given)


def _decimal(number: Fraction) -> int | Decimal:
    if number.denominator == 1:
        return number.numerator
    rest = number.denominator
    places = 0
    while rest % 10 == 0 or rest % 2 == 0 or rest % 5 == 0:
        rest //= 10 if rest % 10 == 0 else 2 if rest % 2 == 0 else 5
        places += 1
    if rest != 1:
        raise Unwritable(f"a number in it, {number}, has no end as a decimal")
    sign, digits = number < 0, abs(number.numerator) * 10**places // number.denominator
    return Decimal((int(sign), tuple(int(digit) for digit in str(digits)), -places))


def _moment(kind: Kind, count: int) -> Any:
    match kind:
        case "date":
            return date.fromordinal(count)
        case "duration":
            return timedelta(microseconds=count)
        case "time":
            return (datetime(1, 1, 1) + timedelta(microseconds=count)).time()  # noqa: DTZ001 - a time of day
        case "moment":
            return datetime(1, 1, 1, tzinfo=UTC) + timedelta(microseconds=count - DAY)
        case _:
            return datetime(1, 1, 1) + timedelta(microseconds=count - DAY)  # noqa: DTZ001 - one without a zone


def shown(case: Case) -> Mapping[str, Any]:
    """Return what a person has to know of *case* to see why: what is empty is left out."""
    given: dict[str, Any] = {"action": case.action, "args": case.args, "facts": case.facts, "user": case.user}
    given |= {"agent": case.agent, "tenant": case.tenant, "state": case.state, "windows": case.windows}
    given["origins"] = case.origins
    if case.at is not None:
        given["at"] = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=case.at)
    return {name: value for name, value in given.items() if value or name in ("action", "args")}
