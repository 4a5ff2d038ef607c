"""Places of a case that rules look at: what stands there, and the same case with something else there."""

import dataclasses
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Final, cast
from zoneinfo import ZoneInfo

import msgspec

from interlock.guardian import ABSENT, Case, Failed
from interlock.guardian.english import label
from interlock.guardian.tree import Clock, Path, Step, Tree, Window

Place = Path | Window | Clock

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_BEGINNING: Final = datetime(2000, 1, 1, 12, tzinfo=UTC)  # where nobody told the time, any will do
_MICROSECOND: Final = timedelta(microseconds=1)


class Unreachable(Exception):  # noqa: N818 - a finding about a place; it never leaves the lab
    """Nothing can be put there: a position far behind a list's end, a field of a text."""


def is_place(tree: Tree) -> bool:
    """Tell whether *tree* is a place of the case, and not calculated."""
    return isinstance(tree, (Path, Window, Clock))


def put(case: Case, place: Place, value: Any) -> Case:
    """Return *case* with *value* at *place*; `ABSENT` takes away what is there.

    Raises:
        Unreachable: nothing can be put there.
    """
    match place:
        case Window():
            return msgspec.structs.replace(case, windows={**case.windows, label(place): value})
        case Clock():
            return msgspec.structs.replace(case, at=_moment(case, place, value))
        case Path("agent" | "tenant" | "state" as root, _):
            return _replaced(case, root, value)
        case Path(root, steps):
            field = _FIELDS[root]
            return msgspec.structs.replace(case, **{field: _into(getattr(case, field), steps, value)})


_FIELDS: Final = {"arg": "args", "fact": "facts", "origin": "origins", "user": "user"}


def _replaced(case: Case, root: str, value: Any) -> Case:
    if not isinstance(value, str):
        raise Unreachable(f"the {root} is a text")
    return msgspec.structs.replace(case, **{root: value})


def _into(whole: Any, steps: tuple[Step, ...], value: Any) -> Any:
    if not steps:
        return value
    step, rest = steps[0], steps[1:]
    if isinstance(step, int):
        return _into_list(whole, step, rest, value)
    fields = _fields(whole)
    if not rest and value is ABSENT:
        fields.pop(step, None)
    else:
        fields[step] = _into(fields.get(step), rest, value)
    return fields


def _into_list(whole: Any, step: int, rest: tuple[Step, ...], value: Any) -> list[Any]:
    if not isinstance(whole, (list, tuple)):
        raise Unreachable("there is no list")
    elements = list(cast("list[Any]", whole))
    if step >= len(elements):
        raise Unreachable("the list is shorter")
    elements[step] = _into(elements[step], rest, value)
    return elements


def _fields(whole: Any) -> dict[str, Any]:
    """Return a copy of a table or record as a table; an empty one where there is nothing."""
    match whole:
        case None | Failed():
            return {}
        case Mapping():
            return dict(cast("Mapping[str, Any]", whole))
        case msgspec.Struct():
            return msgspec.structs.asdict(whole)
        case _ if whole is ABSENT:
            return {}
        case _ if dataclasses.is_dataclass(whole) and not isinstance(whole, type):
            return {one.name: getattr(whole, one.name) for one in dataclasses.fields(whole)}
        case _:
            return _fields_of_model(whole)


def _fields_of_model(whole: Any) -> dict[str, Any]:
    if not hasattr(whole, "model_fields_set"):
        raise Unreachable(f"a value of type {type(whole).__name__} has no fields")
    return dict(whole)


def _moment(case: Case, clock: Clock, value: Any) -> int:
    """Return the moment nearest to the case's at which clocks in the zone show *value*."""
    shift = _SHIFTS[clock.part]
    try:
        there = (_BEGINNING if case.at is None else _EPOCH + case.at * _MICROSECOND).astimezone(ZoneInfo(clock.zone))
        return (shift(there, value).astimezone(UTC) - _EPOCH) // _MICROSECOND
    except (TypeError, ValueError, OverflowError, AttributeError) as error:
        raise Unreachable(f"no clock shows {value!r}") from error


def _to_moment(there: datetime, value: datetime) -> datetime:
    return value


def _to_weekday(there: datetime, value: int) -> datetime:
    if not 1 <= value <= 7:
        raise ValueError(value)
    return there + timedelta(days=(value - there.isoweekday()) % 7)


def _to_date(there: datetime, value: date) -> datetime:
    return there.replace(year=value.year, month=value.month, day=value.day)


def _to_time(there: datetime, value: time) -> datetime:
    return datetime.combine(there, value, there.tzinfo)


_SHIFTS: Final[dict[str, Callable[[datetime, Any], datetime]]] = {
    "datetime": _to_moment,
    "date": _to_date,
    "time": _to_time,
    "hour": lambda there, value: there.replace(hour=value),
    "weekday": _to_weekday,
}
