"""The text of a PostgreSQL row, such as `(7,"a b",)`: exact in both directions."""

import re
from collections.abc import Sequence

_FIELD = re.compile(r'(?:"((?:[^"\\]|""|\\.)*)"|([^,()"\\]*))([,)])', re.DOTALL)
_BARE = re.compile(r'\([^()"\\]*\)')  # nothing in it is quoted, so every comma ends a field
_DOUBLED = re.compile(r'(["\\])(.)', re.DOTALL)
_SPECIAL = re.compile(r'[\s"\\(),]')


def fields(text: str) -> list[str | None]:
    """Return the texts of a row's fields, as their types write them; None is null.

    Source of the form: PostgreSQL's documentation, "Composite Type Input and Output Syntax".

    Raises:
        ValueError: the text is not a row.
    """
    if _BARE.fullmatch(text):
        return [field or None for field in text[1:-1].split(",")]
    found: list[str | None] = []
    at, end = 1, ""
    while end != ")":
        match = _FIELD.match(text, at)
        if match is None:
            raise ValueError(f"not the text of a row, from character {at} on: {text[:80]!r}")
        quoted, bare, end = match.groups()
        found.append(_DOUBLED.sub(r"\2", quoted) if quoted is not None else bare or None)
        at = match.end()
    if not text.startswith("(") or at != len(text):
        raise ValueError(f"not the text of a row: {text[:80]!r}")
    return found


def row(texts: Sequence[str | None]) -> str:
    """Return the text of a row from those of its fields."""
    return f"({','.join(map(_field, texts))})"


def _field(text: str | None) -> str:
    if text is None:
        return ""
    if text and not _SPECIAL.search(text):
        return text
    doubled = text.replace("\\", "\\\\").replace('"', '""')
    return f'"{doubled}"'
