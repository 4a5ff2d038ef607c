"""Whether two values are the same JSON, where they part, and taking out of their texts what may differ."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_LONGEST = 160


def leaving_out(patterns: Sequence[str]) -> Callable[[Any], Any]:
    """Return what puts a dot for every match of the patterns, in all texts of a value."""
    compiled = [re.compile(pattern) for pattern in patterns]

    def cleaned(value: Any) -> Any:
        if isinstance(value, str):
            for pattern in compiled:
                value = pattern.sub("·", value)
            return value
        if isinstance(value, dict):
            return {name: cleaned(inner) for name, inner in cast("dict[str, Any]", value).items()}
        if isinstance(value, list):
            return [cleaned(inner) for inner in cast("list[Any]", value)]
        return value

    return cleaned


def same(one: Any, other: Any) -> bool:
    """Tell whether two values are the same JSON; unlike Python, that keeps 1, 1.0 and true apart."""
    return _text(one) == _text(other)


def difference(one: Any, other: Any, path: str = "") -> str:
    """Return the first place in which two values differ, and both sides of it."""
    if isinstance(one, dict) and isinstance(other, dict):
        return _in_objects(cast("dict[str, Any]", one), cast("dict[str, Any]", other), path)
    if isinstance(one, list) and isinstance(other, list):
        return _in_lists(cast("list[Any]", one), cast("list[Any]", other), path)
    return f"{path} is {shown(one)} directly, {shown(other)} proxied"


def _in_objects(one: dict[str, Any], other: dict[str, Any], path: str) -> str:
    for name in one.keys() ^ other.keys():
        side = "directly" if name in one else "proxied"
        return f"{path}.{name} is there only {side}: {shown(one.get(name, other.get(name)))}"
    name = next(name for name, value in one.items() if not same(value, other[name]))
    return difference(one[name], other[name], f"{path}.{name}")


def _in_lists(one: list[Any], other: list[Any], path: str) -> str:
    for place, (left, right) in enumerate(zip(one, other, strict=False)):
        if not same(left, right):
            return difference(left, right, f"{path}[{place}]")
    more = (one if len(one) > len(other) else other)[min(len(one), len(other)) :]
    return f"{path} has {len(one)} elements directly, {len(other)} proxied; the others: {shown(more)}"


def shown(value: Any) -> str:
    """Return a value as JSON, cut where it is long."""
    text = _text(value)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}… ({len(text):,} characters)"


def _text(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, sort_keys=True)
