"""Whatever a run holds as text that a terminal can't be fooled by, and times, ages and money as people write them."""

import json
import re
from collections.abc import Iterable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, cast

import msgspec

SHORT = 200
"""How many characters of a value a line shows; `--json` has them all."""

# What moves a cursor, hides, or turns the order of letters around. The two joiners of scripts and emoji may stay.
_HOSTILE = re.compile(
    "[\x00-\x09\x0b-\x1f\x7f-\x9f\xad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"
    "\ud800-\udfff\U000e0000-\U000e0fff]"
)
_SECOND = 1_000_000
_MINUTE, _HOUR, _DAY = 60 * _SECOND, 3_600 * _SECOND, 86_400 * _SECOND
# From when on, in which unit, and in which one the rest.
_UNITS = (
    (2 * _DAY, _DAY, "d", _HOUR, "h"),
    (_HOUR, _HOUR, "h", _MINUTE, "min"),
    (_MINUTE, _MINUTE, "min", _SECOND, "s"),
)


def visible(text: str, *, lines: bool = False) -> str:
    r"""Return *text* with everything that a terminal would obey written out, such as `\x1b`.

    Line breaks stay where *lines* says so.
    """
    written = _HOSTILE.sub(_escaped, text)
    return written if lines else written.replace("\n", "\\n")


def _escaped(match: re.Match[str]) -> str:
    code = ord(match[0])
    if match[0] in "\t\r":
        return "\\t" if match[0] == "\t" else "\\r"
    if code < 0x100:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def safe_json(document: bytes) -> str:
    """Return JSON that means the same, with what a terminal would obey escaped within its strings."""
    return _HOSTILE.sub(lambda match: json.dumps(match[0])[1:-1], document.decode())


def cut(text: str, most: int = SHORT) -> str:
    """Return *text*, or its beginning and how much more there is."""
    return text if len(text) <= most else f"{text[:most]}… (+{len(text) - most:,} characters)"


def value(given: Any, most: int = SHORT) -> str:
    """Return a value as JSON on one line, cut where it is long."""
    return visible(cut(msgspec.json.encode(given).decode(), most))


def whole(given: Any) -> str:
    """Return a value as JSON on one line, however long."""
    return visible(msgspec.json.encode(given).decode())


def raw(given: msgspec.Raw, most: int = SHORT) -> str:
    """Return recorded JSON on one line, cut where it is long."""
    return visible(cut(bytes(given).decode(), most))


def call(action: str, args: msgspec.Raw) -> str:
    """Return a call as its author would write it: `refund(ref="AB12", amount="40")`."""
    given: Any = msgspec.json.decode(bytes(args))
    if given is None:
        return visible(action)
    if not isinstance(given, dict):
        return f"{visible(action)}({value(given)})"
    named = cast("dict[str, Any]", given)
    return f"{visible(action)}({', '.join(f'{visible(name)}={value(one)}' for name, one in named.items())})"


def moment(at: int) -> str:
    """Return a time (microseconds since the epoch) as a date and a time of day, UTC."""
    return datetime.fromtimestamp(at // _SECOND, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def clock_time(at: int) -> str:
    """Return the time of day of a time (microseconds since the epoch), UTC, to the millisecond."""
    return datetime.fromtimestamp(at / _SECOND, UTC).strftime("%H:%M:%S.%f")[:-3]


def span(microseconds: int) -> str:
    """Return a length of time in its one or two largest units, for example `1 h 36 min`."""
    for least, large, unit, small, rest_unit in _UNITS:
        rounded = (max(microseconds, 0) + small // 2) // small * small
        if rounded >= least:
            rest = rounded % large // small
            return f"{rounded // large} {unit}{f' {rest} {rest_unit}' if rest else ''}"
    return f"{max(microseconds, 0) // _SECOND} s"


def ago(microseconds: int) -> str:
    """Return how long ago something was, in its largest unit."""
    return f"{' '.join(span(microseconds).split()[:2])} ago"


def since(microseconds: int) -> str:
    """Return how long after the start something was, to the millisecond: `4.120` or `1:02:03.004`."""
    seconds, rest = divmod(max(microseconds, 0), _SECOND)
    minutes, second = divmod(seconds, 60)
    if not minutes:
        return f"{second}.{rest // 1000:03}"
    hours, minute = divmod(minutes, 60)
    head = f"{hours}:{minute:02}" if hours else str(minute)
    return f"{head}:{second:02}.{rest // 1000:03}"


def took(microseconds: int) -> str:
    """Return how long something took."""
    if microseconds >= _MINUTE:
        return span(microseconds)
    return f"{microseconds / _SECOND:.2f} s" if microseconds >= _SECOND else f"{microseconds / 1000:.0f} ms"


def money(amounts: Iterable[str]) -> str:
    """Return the sum of amounts in US dollars, exactly; nothing where none is known."""
    known = [Decimal(one) for one in amounts if one]
    if not known:
        return ""
    total = sum(known, Decimal(0))
    digits = max(2, -cast("int", total.normalize().as_tuple().exponent))
    return f"${total:.{digits}f}"


def counted(number: int, noun: str) -> str:
    """Return a number with its noun."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
