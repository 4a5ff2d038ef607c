"""The one canonical form of a value: what digests, keys and stored bytes are made of.

Canonical JSON here means: keys sorted by code point, no insignificant space, UTF-8, decimals as strings,
dates in ISO 8601, sets sorted, and no NaN or infinity. It is what `canonical` returns and what `digest`
hashes.
"""

import os
from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from hashlib import sha256
from math import isfinite
from typing import Any, cast

import msgspec

from interlock.errors import CanonicalError

_FORMS: tuple[tuple[Any, Callable[[Any], Any]], ...] = (
    (str, str.__str__),
    (int, int.__int__),
    (float, float.__float__),
    (Mapping, dict),
    (os.PathLike, os.fspath),
)
"""What msgspec does not take, and what it becomes; of str, int and float only subclasses come here."""

_TEXT = ("ipaddress", "pydantic.networks", "pydantic_core._pydantic_core")
"""Modules whose types (addresses, URLs) are plain text in JSON."""


def _plain(value: Any) -> Any:
    dump = getattr(value, "model_dump", None)
    if dump is not None:
        # As validation takes it in again: a retried call must get the very arguments of the first.
        return dump(mode="json", by_alias=True, round_trip=True)
    for kind, form in _FORMS:
        if isinstance(value, kind):
            return form(value)
    if type(value).__module__ in _TEXT:
        return str(value)
    raise NotImplementedError(type(value).__qualname__)


_encoder = msgspec.json.Encoder(order="sorted", decimal_format="string", enc_hook=_plain)


def canonical(value: Any) -> bytes:
    """Return the canonical JSON of *value* as UTF-8 bytes.

    Raises:
        CanonicalError: *value* holds NaN, an infinity, a lone surrogate or a type that has no JSON form.
    """
    try:
        return _encoded(value)
    except CanonicalError:
        raise
    except NotImplementedError as error:
        said = f"a value of type {error} has no JSON form; return plain data or a model"
        raise CanonicalError(said) from error
    except RecursionError as error:
        raise CanonicalError("the value is nested too deeply for JSON, or holds itself") from error
    except UnicodeEncodeError as error:
        raise CanonicalError(f"half of a surrogate pair has no canonical JSON ({error.reason})") from error
    except (TypeError, ValueError, OverflowError) as error:
        raise CanonicalError(f"no canonical JSON: {error}") from error


def _encoded(value: Any) -> bytes:
    try:
        encoded = _encoder.encode(value)
    except TypeError:
        # A dict with keys that are no strings, for one: they become strings, as everywhere in JSON.
        _refuse_unreal(value)
        return _encoder.encode(msgspec.to_builtins(value, str_keys=True, order="sorted", enc_hook=_plain))
    # msgspec writes NaN and the infinities as null, decimal ones by name: only then is the slow look due.
    if b"null" in encoded or b"NaN" in encoded or b"Infinity" in encoded:
        _refuse_unreal(value)
    return encoded


def _refuse_unreal(value: Any) -> None:
    """Refuse NaN and infinities, and keys that would become the same string, anywhere in *value*."""
    if (isinstance(value, float) and not isfinite(value)) or (isinstance(value, Decimal) and not value.is_finite()):
        raise CanonicalError(f"{value} has no canonical JSON; use None or a string")
    for part in _parts(value):
        _refuse_unreal(part)


def _parts(value: Any) -> Iterable[Any]:
    """Return what *value* is made of."""
    if isinstance(value, Mapping):
        items = cast("Mapping[Any, Any]", value)
        if len({str(key) for key in items}) != len(items):
            raise CanonicalError("two keys of a mapping are the same in JSON; make them differ as strings")
        return [*items, *items.values()]
    if isinstance(value, (list, tuple, set, frozenset)):
        return cast("Iterable[Any]", value)
    if hasattr(value, "model_dump"):
        return value.model_dump().values()
    fields = getattr(value, "__struct_fields__", ()) or getattr(value, "__dataclass_fields__", ())
    return [getattr(value, name) for name in fields]


def digest(*parts: bytes) -> str:
    """Return the SHA-256 of *parts* in hex; each counts with its length, so that no two lists collide."""
    joined = b""
    for part in parts:
        joined += len(part).to_bytes(8, "big") + part
    return sha256(joined).hexdigest()
