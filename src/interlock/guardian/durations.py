"""Durations as people write them: `90s`, `10m`, `1.5h`, `30d`."""

import re
from decimal import Decimal
from typing import Final

from interlock.errors import PolicyError

_UNITS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}
_WRITTEN: Final = re.compile(r"(\d{1,9}(?:\.\d{1,6})?)([smhdw])", re.ASCII)


def seconds(duration: str) -> float:
    """Return how many seconds a *duration* such as `10m` is."""
    found = _WRITTEN.fullmatch(str(duration))
    if found is None:
        raise PolicyError(f"{duration!r} is not a duration; write a number and a unit: 90s, 10m, 1.5h or 30d")
    number, unit = found.groups()
    if not Decimal(number):
        raise PolicyError(f"{duration!r} is no time at all")
    return float(Decimal(number) * _UNITS[unit])


def written(of: float) -> str:
    """Return *of* seconds in the largest unit that gives a whole number: 600 is `10m`."""
    for unit, size in sorted(_UNITS.items(), key=lambda each: -each[1]):
        if unit != "w" and of % size == 0:
            return f"{int(of // size)}{unit}"
    return f"{of:g}s"
