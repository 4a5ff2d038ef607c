"""The values of SQLite rows as texts: exact in both directions, and readable by people."""

import base64
import math
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

_PLAIN = frozenset({str, int, type(None)})
_ROWID = '{"rowid":'


class BadText(bytes):
    """A text of the database that is not UTF-8, as its bytes."""

    __slots__ = ()


def text(raw: bytes) -> str | BadText:
    """Return a text as SQLite hands it out; a `text_factory`."""
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return BadText(raw)


def encode(columns: Sequence[str], values: Sequence[Any]) -> str:
    """Return the image of a row: a JSON object, column to value, in the order of the columns.

    What JSON can't tell apart or has no form for is wrapped: `{"blob": base64}`, `{"text": base64}` (no UTF-8),
    `{"real": "inf"}`. Floats are written with the fewest digits that read back as the same number.
    """
    return msgspec.json.encode(dict(zip(columns, wrapped(values), strict=True))).decode()


def decode(image: str) -> dict[str, Any]:
    """Return the values of an image by column, as SQLite takes them."""
    row: dict[str, Any] = msgspec.json.decode(image)
    return {column: unwrap(value) for column, value in row.items()}


def key_of(values: Sequence[Any]) -> str:
    """Return the text of a row's primary key: a JSON value, or an array of several."""
    if len(values) == 1 and type(values[0]) is int:
        return str(values[0])
    key = wrapped(values)
    return msgspec.json.encode(key[0] if len(key) == 1 else key).decode()


def rowid_key(rowid: int) -> str:
    """Return the key of a row that has no primary key."""
    return f"{_ROWID}{rowid}}}"


def rowid_of(key: str) -> int | None:
    """Return the rowid that a key consists of, None where it is a primary key."""
    return int(key[len(_ROWID) : -1]) if key.startswith(_ROWID) else None


def values_of(key: str) -> list[Any]:
    """Return the values of a primary key from its text."""
    read = msgspec.json.decode(key)
    return [unwrap(value) for value in (read if isinstance(read, list) else [read])]  # pyright: ignore[reportUnknownVariableType] - JSON


def wrapped(values: Sequence[Any]) -> Sequence[Any]:
    """Return values as JSON can hold them."""
    return [value if type(value) in _PLAIN else _wrap(value) for value in values]


def unwrap(value: Any) -> Any:
    """Return a value that was wrapped as SQLite takes it."""
    if not isinstance(value, dict):
        return value
    ((kind, coded),) = value.items()  # pyright: ignore[reportUnknownVariableType] - JSON
    if kind == "real":
        return float(coded)  # pyright: ignore[reportUnknownArgumentType] - JSON
    raw = base64.b64decode(coded)  # pyright: ignore[reportUnknownArgumentType] - JSON
    return BadText(raw) if kind == "text" else raw


def _wrap(value: Any) -> Any:
    if isinstance(value, float):
        return {"real": repr(value)} if math.isinf(value) else value
    return {"text" if isinstance(value, BadText) else "blob": base64.b64encode(value).decode()}


def plain(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return a row for people: bytes as `X'6869'`, the way that SQL writes them."""
    return {column: _shown(value) for column, value in row.items()}


def _shown(value: Any) -> Any:
    if isinstance(value, bytes):
        return f"X'{value.hex()}'"
    return repr(value) if isinstance(value, float) and math.isinf(value) else value


def slot(value: Any) -> str:
    """Return the placeholder under which a value is bound."""
    return "CAST(? AS TEXT)" if isinstance(value, BadText) else "?"
