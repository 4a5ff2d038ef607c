"""Durations as people write them: `250ms`, `90s`, `10m`, `1.5h`, `30d`, `2w`."""

import re
from decimal import Decimal

from interlock.errors import DeclarationError

_UNITS = {
    "ms": 1_000,
    "s": 1_000_000,
    "m": 60_000_000,
    "h": 3_600_000_000,
    "d": 86_400_000_000,
    "w": 604_800_000_000,
}
_FORM = re.compile(r"(\d{1,9}(?:\.\d{1,6})?)(ms|s|m|h|d|w)", re.ASCII)


def microseconds(text: str) -> int:
    """Return a duration in microseconds.

    Raises:
        DeclarationError: the text is not a duration.
    """
    found = _FORM.fullmatch(str(text))
    if found is None:
        raise DeclarationError(
            f"{text!r} is not a duration; write a number and a unit: 250ms, 90s, 10m, 1.5h, 30d or 2w"
        )
    return int(Decimal(found[1]) * _UNITS[found[2]])


def written(duration: int) -> str:
    """Return a duration of so many microseconds in the largest unit up to a day that gives a whole number."""
    for unit in ("d", "h", "m", "s", "ms"):
        if duration % _UNITS[unit] == 0:
            return f"{duration // _UNITS[unit]}{unit}"
    return f"{duration}µs"
