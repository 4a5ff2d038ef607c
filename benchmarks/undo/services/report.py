"""The figures as people read them."""

from collections.abc import Mapping
from typing import Any

from benchmarks import _convention as convention

HEADERS = (
    "service",
    "effects",
    "objects",
    "as before",
    "others' kept",
    "conflict: kept",
    "race: kept",
    "after kill -9",
)


def text(found: Mapping[str, Any]) -> str:
    """Return the table and what stands below it."""
    rows = [_row(name, one, found["kill_points"]) for name, one in found["services"].items()]
    notes = [
        f"{found['taken_back']} of {found['actions']} effects taken back",
        f"the mail that has left is named as what can't be: {_word(found['mail_named'])}",
        f"conflicts found: {found['conflicts_found']} of {found['conflicts_expected']}",
        f"conflicts where there was none: {found['conflicts_false']}",
        f"kill -9 in the middle of the undo, and again in the middle of what went on with it: {found['kills']} times",
    ]
    return "\n".join([convention.table(HEADERS, rows), "", *notes, *found["wrong"]])


def _row(name: str, one: Mapping[str, Any], points: int) -> tuple[object, ...]:
    words = (_word(one[key]) for key in ("as_before", "others_kept", "theirs_kept", "race_kept"))
    return (name, one["effects"], one["objects"], *words, f"{one['exact_after_kills']} of {points}")


def _word(good: bool | None) -> str:
    return "-" if good is None else "yes" if good else "NO"
