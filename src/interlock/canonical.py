"""The one canonical form of a value: what digests, keys and stored bytes are made of.

Canonical JSON here means: keys sorted by code point, no insignificant space, UTF-8, decimals as strings,
dates in ISO 8601, sets sorted, and no NaN or infinity. It is what `canonical` returns and what `digest` hashes.
"""

import math
from collections.abc import Mapping
from hashlib import sha256
from typing import Any

import msgspec

from interlock.errors import CanonicalError


def _plain(value: Any) -> Any:
    """Turn what msgspec does not know (pydantic models, paths, mappings) into what it does."""
    dump = getattr(value, "model_dump", None)
    if dump is not None:
        return dump(mode="json")
    if isinstance(value, Mapping):
        return dict(value)
    to_fspath = getattr(value, "__fspath__", None)
    if to_fspath is not None:
        return to_fspath()
    raise NotImplementedError(type(value).__qualname__)


_encoder = msgspec.json.Encoder(order="sorted", decimal_format="string", enc_hook=_plain)


def canonical(value: Any) -> bytes:
    """Return the canonical JSON of *value* as UTF-8 bytes.

    Raises:
        CanonicalError: *value* holds NaN, an infinity, a lone surrogate or a type that has no JSON form.
    """
    try:
        encoded = _encoder.encode(value)
    except NotImplementedError as error:
        raise CanonicalError(f"a value of type {error} has no JSON form; return plain data or a model") from error
    except (TypeError, ValueError, OverflowError, RecursionError) as error:
        raise CanonicalError(f"no canonical JSON: {error}") from error
    # msgspec writes NaN and the infinities as null: only an output with a null needs the slow look.
    if b"null" in encoded:
        _refuse_unreal(value)
    return encoded


def _refuse_unreal(value: Any) -> None:
    if isinstance(value, float):
        if not math.isfinite(value):
            raise CanonicalError(f"{value} has no canonical JSON; use None or a string")
    elif isinstance(value, Mapping):
        for item in value.values():
            _refuse_unreal(item)
    elif isinstance(value, (list, tuple, set, frozenset)):
        for item in value:
            _refuse_unreal(item)
    elif isinstance(value, msgspec.Struct):
        for name in value.__struct_fields__:
            _refuse_unreal(getattr(value, name))
    elif hasattr(value, "model_dump"):
        _refuse_unreal(value.model_dump())
    elif hasattr(value, "__dataclass_fields__"):
        for name in value.__dataclass_fields__:
            _refuse_unreal(getattr(value, name))


def digest(*parts: bytes) -> str:
    """Return the SHA-256 of *parts*, each preceded by its length so that no two lists of parts collide, in hex."""
    return sha256(b"".join([piece for part in parts for piece in (len(part).to_bytes(8, "big"), part)])).hexdigest()
