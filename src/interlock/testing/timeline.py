"""A run's events as lines that a person reads."""

from collections.abc import Sequence
from typing import Any

import msgspec

from interlock.kernel import events as ev
from interlock.kernel.codec import NAMES
from interlock.kernel.events import Event, Recorded

WIDTH = 160
"""How many characters a line has at most."""

_QUIET = frozenset(("call", "action", "args", "result", "digest", "judgement", "facts_digest", "blobs", "closes"))


def timeline(history: Sequence[Recorded]) -> str:
    """Return one line an event: seconds since the run's start, seq, what happened to which call, with what."""
    if not history:
        return "  (nothing happened)"
    begin = history[0].at
    return "\n".join(f"  +{(one.at - begin) / 1_000_000:9.3f}s {one.seq:4} {_line(one.event)}" for one in history)


def _line(event: Event) -> str:
    name = event.type if isinstance(event, ev.Unrecognised) else NAMES[type(event)]
    parts = [f"{name:<15}"]
    call = getattr(event, "call", "")
    if call:
        parts.append(f"[{call}]")
    action = getattr(event, "action", "")
    if action:
        parts.append(action + _arguments(event))
    parts += [f"{field}={_short(getattr(event, field))}" for field in _telling(event)]
    result = getattr(event, "result", ev.NOTHING)
    if bytes(result) != b"null":
        parts.append(f"→ {_short(msgspec.json.decode(bytes(result)))}")
    line = " ".join(parts)
    return line if len(line) <= WIDTH else f"{line[: WIDTH - 1]}…"


def _arguments(event: Event) -> str:
    args = getattr(event, "args", ev.NOTHING)
    if bytes(args) == b"null":
        return ""
    decoded = msgspec.json.decode(bytes(args))
    if not isinstance(decoded, dict):
        return f"({_short(decoded)})"
    return f"({', '.join(f'{name}={_short(value)}' for name, value in decoded.items())})"


def _telling(event: Event) -> list[str]:
    """Return the names of the fields that are not at their default and not shown elsewhere."""
    defaults = dict(zip(reversed(event.__struct_fields__), reversed(event.__struct_defaults__), strict=False))
    return [
        name
        for name in event.__struct_fields__
        if name not in _QUIET
        and not (name in defaults and getattr(event, name) == defaults[name])
        and not isinstance(getattr(event, name), msgspec.Raw)
    ]


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:59]}…"
