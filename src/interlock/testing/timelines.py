"""A run's events as lines that a person reads."""

from collections.abc import Sequence
from typing import Any, cast

import msgspec

from interlock.kernel import events as ev
from interlock.kernel.codec import NAMES
from interlock.kernel.events import Event, Recorded

WIDTH = 160
"""How many characters a line has at most."""

_SHOWN_ELSEWHERE = frozenset(("call", "action", "args", "result", "judgement", "blobs"))
_FOR_MACHINES = frozenset(
    ("digest", "facts_digest", "policy", "machine", "key", "idempotent_until", "settle", "duration")
)
_TIMES = frozenset(("expires", "until", "again_at", "perform_before", "deadline"))


def timeline(history: Sequence[Recorded]) -> str:
    """Return one line an event: seconds since the start, seq, what happened to which call, with what."""
    if not history:
        return "  (nothing happened)"
    begin = history[0].at
    return "\n".join(f"  {_since(one.at, begin)} {one.seq:4} {_line(one.event, begin)}" for one in history)


def _since(at: int, begin: int) -> str:
    return f"{(at - begin) / 1_000_000:+10.3f}s"


def _line(event: Event, begin: int) -> str:
    name = event.type if isinstance(event, ev.Unrecognised) else NAMES[type(event)]
    parts = [f"{name:<15}"]
    call = getattr(event, "call", "")
    if call:
        parts.append(f"[{call}]")
    action = getattr(event, "action", "")
    if action:
        parts.append(action + _arguments(event))
    parts += [f"{name}={_field(name, getattr(event, name), begin)}" for name in _telling(event)]
    result = getattr(event, "result", ev.NOTHING)
    if bytes(result) != b"null":
        parts.append(f"→ {_short(msgspec.json.decode(bytes(result)))}")
    line = " ".join(parts)
    return line if len(line) <= WIDTH else f"{line[: WIDTH - 1]}…"


def _arguments(event: Event) -> str:
    args = getattr(event, "args", ev.NOTHING)
    if bytes(args) == b"null":
        return ""
    decoded: Any = msgspec.json.decode(bytes(args))
    if not isinstance(decoded, dict):
        return f"({_short(decoded)})"
    items = cast("dict[str, Any]", decoded).items()
    return f"({', '.join(f'{name}={_short(value)}' for name, value in items)})"


def _field(name: str, value: Any, begin: int) -> str:
    return _since(value, begin).strip() if name in _TIMES and value else _short(value)


def _telling(event: Event) -> list[str]:
    """Return the names of the fields that are not at their default and not shown elsewhere."""
    defaults = dict(zip(reversed(event.__struct_fields__), reversed(event.__struct_defaults__), strict=False))
    return [
        name
        for name in event.__struct_fields__
        if name not in _SHOWN_ELSEWHERE | _FOR_MACHINES
        and not (name in defaults and getattr(event, name) == defaults[name])
        and not isinstance(getattr(event, name), msgspec.Raw)
    ]


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:59]}…"
