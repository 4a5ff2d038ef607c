"""Durations as people write them."""

import re

from interlock.errors import DeclarationError

_SECONDS = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86400}
_FORM = re.compile(r"(\d+(?:\.\d+)?)\s*(ms|s|m|h|d)")


def microseconds(text: str) -> int:
    """Return a duration such as "90s", "10m", "1.5h", "30d" or "250ms" in microseconds.

    Raises:
        DeclarationError: the text is not a duration.
    """
    match = _FORM.fullmatch(text.strip())
    if match is None:
        raise DeclarationError(f"{text!r} is not a duration; write a number and ms, s, m, h or d, for example '10m'")
    return round(float(match[1]) * _SECONDS[match[2]] * 1_000_000)
