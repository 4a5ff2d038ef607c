"""What is told of it: a table for people."""

import textwrap
from collections.abc import Mapping, Sequence
from typing import Any

from benchmarks import _convention as convention
from benchmarks.agentdojo.courses import Column

_COLUMNS = (
    "asr",
    "text_asr",
    "utility",
    "utility_with_review",
    "asks_per_task",
    "asking_tasks",
    "asr_none",
    "utility_none",
)
_HEADS = ("asr", "text", "utility", "review", "asks", "asking", "asr0", "utility0")


def suites(title: str, column: Column) -> str:
    """Return the table of a column: shares in per cent, asks a task."""
    rows = [[name, *_row(found)] for name, found in column.suites.items()]
    return f"{title}\n\n{convention.table(['', *_HEADS], [*rows, ['all', *_row(column.total)]])}"


def _row(found: Mapping[str, Any]) -> list[object]:
    return [_told(name, found[name]) for name in _COLUMNS]


def _told(name: str, value: float | None) -> object:
    if value is None:
        return None
    return f"{value:.3f}" if name == "asks_per_task" else f"{100 * value:.1f} %"


def ablations(found: Mapping[str, Mapping[str, Any]]) -> str:
    """Return the table of what the parts of the guard do."""
    names = ("asr", "text_asr", "utility", "asks_per_task")
    rows = [[part, *(_told(name, one[name]) for name in names)] for part, one in found.items()]
    return convention.table(["the guard's parts", "asr", "text", "utility", "asks"], rows)


def attackers(found: Mapping[str, Mapping[str, Any]]) -> str:
    """Return the table of the attackers that know the guard."""
    rows = [
        [name, *(_told(key, one[key]) for key in ("asr", "disturbed")), one["attacks"]] for name, one in found.items()
    ]
    return convention.table(["attackers that know the guard", "asr", "disturbed", "attacks"], rows)


def published(found: Mapping[str, Any]) -> str:
    """Return the table of the published runs."""
    rows = [[name, value] for name, value in found.items() if not isinstance(value, (list, dict))]
    return convention.table(["published runs", ""], rows)


def listed(title: str, lines: Sequence[str], most: int = 40) -> str:
    """Return a list with its title, cut where it grows long; nothing for an empty one."""
    if not lines:
        return ""
    more = [f"  and {len(lines) - most} more"] if len(lines) > most else []
    return "\n".join(["", title, *(f"  {textwrap.shorten(line, 78, placeholder='…')}" for line in lines[:most]), *more])
