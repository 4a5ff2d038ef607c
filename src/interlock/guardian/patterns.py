r"""Patterns for whole texts: what they may contain, and what they cost.

A pattern always has to match the whole text. `.` is any character, also a line break; `\d`, `\w`, `\s` and
case folding are ASCII only, so that no look-alike passes. What needs memory of the text (back references,
look-around) is refused: such a pattern is not regular, and nothing could be proved about it.
"""

import re
from functools import lru_cache
from typing import Final

from interlock.errors import PolicyError
from interlock.guardian.values import Unjudgeable

LONGEST_PATTERN: Final = 500
LONGEST_TEXT: Final = 10_000
_FLAGS: Final = re.DOTALL | re.ASCII
_PARTS: Final = re.compile(r"\\.|\[\^?\]?(?:\\.|[^\]\\])*\]|\((?:\?(?:<[=!]|P?[=!(]|\())?|.", re.DOTALL)
_IRREGULAR: Final = re.compile(r"\\[1-9]|\(\?(?:<[=!]|P=|[=!(]).*", re.DOTALL)


@lru_cache(maxsize=1024)
def compiled(pattern: str) -> re.Pattern[str]:
    """Return the compiled *pattern*, or refuse it with a reason."""
    if len(pattern) > LONGEST_PATTERN:
        raise PolicyError(
            f"a pattern of {len(pattern)} characters is longer than {LONGEST_PATTERN}; use .in_() for lists"
        )
    for part in _PARTS.findall(pattern):
        if _IRREGULAR.fullmatch(part):
            raise PolicyError(f"the pattern {pattern!r} uses {part!r}; back references and look-around are not allowed")
    try:
        return re.compile(pattern, _FLAGS)
    except (re.error, OverflowError, RecursionError, ValueError) as error:
        raise PolicyError(f"the pattern {pattern!r} is wrong: {error}") from error


def fits(pattern: re.Pattern[str], text: str) -> bool:
    """Tell whether the whole of *text* matches."""
    if len(text) > LONGEST_TEXT:
        raise Unjudgeable(f"a text of {len(text)} characters is too long to match; the longest is {LONGEST_TEXT}")
    return pattern.fullmatch(text) is not None
