"""The canonical form: equal values have equal bytes, and what has no such form is refused."""

import enum
import ipaddress
import math
import pathlib
import types
import uuid
from collections import OrderedDict, namedtuple
from dataclasses import dataclass
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import msgspec
import pydantic
import pytest
from hypothesis import given
from hypothesis import strategies as st

from interlock.canonical import canonical, digest
from interlock.errors import CanonicalError


class Text(str):
    __slots__ = ()


class Whole(int):
    pass


class Real(float):
    pass


class Colour(enum.Enum):
    RED = "red"


@dataclass
class Point:
    y: float
    x: float


class Struct(msgspec.Struct):
    y: float
    x: float


class Model(pydantic.BaseModel):
    y: float = pydantic.Field(alias="Y")
    x: Decimal = Decimal("1.10")

    @pydantic.computed_field
    @property
    def both(self) -> float:
        return self.y


class Loose(pydantic.BaseModel):
    inside: Any


Pair = namedtuple("Pair", "y x")  # noqa: PYI024

plain = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**30), 10**30)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), inner),
    max_leaves=20,
)


class TestForm:
    """What the bytes are."""

    @pytest.mark.parametrize(
        ("value", "encoded"),
        [
            ({"b": 1, "a": [1, 2.5, None, True]}, b'{"a":[1,2.5,null,true],"b":1}'),
            ('ä\n"', '"ä\\n\\""'.encode()),
            (Decimal("40.00"), b'"40.00"'),
            (10**30, b"1" + b"0" * 30),
            (-(2**63) - 1, b"-9223372036854775809"),
            ({3, 1, 2}, b"[1,2,3]"),
            (frozenset("ba"), b'["a","b"]'),
            (date(2026, 1, 31), b'"2026-01-31"'),
            (datetime(2026, 1, 31, 12, tzinfo=timezone.utc), b'"2026-01-31T12:00:00Z"'),  # noqa: UP017
            (timedelta(seconds=90), b'"PT90S"'),
            (uuid.UUID(int=1), b'"00000000-0000-0000-0000-000000000001"'),
            (b"\xff", b'"/w=="'),
            (Colour.RED, b'"red"'),
            (Text("x"), b'"x"'),
            (Whole(3), b"3"),
            (Real(2.5), b"2.5"),
            (pathlib.PurePosixPath("a/b"), b'"a/b"'),
            (ipaddress.ip_address("10.0.0.1"), b'"10.0.0.1"'),
            (pydantic.HttpUrl("http://x.y"), b'"http://x.y/"'),
            (OrderedDict(b=1, a=2), b'{"a":2,"b":1}'),
            (types.MappingProxyType({"b": 1, "a": 2}), b'{"a":2,"b":1}'),
            (Point(1.0, 2.0), b'{"x":2.0,"y":1.0}'),
            (Struct(1.0, 2.0), b'{"x":2.0,"y":1.0}'),
            (Pair(1, 2), b"[1,2]"),
            (Model(Y=1.0), b'{"Y":1.0,"x":"1.10"}'),
            ({2: "b", 1: "a"}, b'{"1":"a","2":"b"}'),
            ({"deep": [{date(2026, 1, 1): {2, 1}}]}, b'{"deep":[{"2026-01-01":[1,2]}]}'),
            ({"said": "null NaN Infinity"}, b'{"said":"null NaN Infinity"}'),
        ],
        ids=lambda value: type(value).__name__,
    )
    def test_each_kind(self, value, encoded):
        """Every kind of value that an action takes or returns has one form."""
        assert canonical(value) == encoded

    @given(plain)
    def test_it_is_json_and_stable(self, value):
        """What is read back from the bytes is the value, and has the same bytes."""
        encoded = canonical(value)
        assert msgspec.json.decode(encoded) == value
        assert canonical(msgspec.json.decode(encoded)) == encoded

    @given(st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), st.integers()), st.randoms())
    def test_order_does_not_matter(self, mapping, random):
        """Mappings with the same items have the same bytes, however they were filled."""
        items = list(mapping.items())
        random.shuffle(items)
        assert canonical(dict(items)) == canonical(mapping)


UNREAL = [math.nan, math.inf, -math.inf, Decimal("NaN"), Decimal("-Infinity"), Real("nan")]


class TestRefusals:
    """What has no canonical form."""

    @pytest.mark.parametrize("unreal", UNREAL)
    @pytest.mark.parametrize(
        "around",
        [
            lambda value: value,
            lambda value: {"a": [None, (value,)]},
            lambda value: {1: value},
            lambda value: Point(1.0, value),
            lambda value: Struct(1.0, value),
            lambda value: Pair(1, value),
            lambda value: [Loose(inside=value)],
            lambda value: {value: 1},
        ],
    )
    def test_unreal_numbers(self, unreal, around):
        """NaN and the infinities are refused wherever they stand: nothing equals them, and JSON has none."""
        with pytest.raises(CanonicalError):
            canonical(around(unreal))

    @pytest.mark.parametrize(
        ("value", "words"),
        [
            ("\ud800", "surrogate"),
            ({"\ud800": 1}, "surrogate"),
            (object(), "object has no JSON form"),
            (1j, "complex has no JSON form"),
            ((one for one in ()), "generator has no JSON form"),
            (pydantic.SecretStr("hush"), "SecretStr has no JSON form"),
            (Model, "no canonical JSON"),
            ({1, "a"}, "no canonical JSON"),
            ({(1, 2): 3}, "no canonical JSON"),
            ({1: "a", "1": "b"}, "two keys"),
            (10**5000, "no canonical JSON"),
        ],
        ids=lambda value: type(value).__name__,
    )
    def test_other_values(self, value, words):
        """A value without a JSON form is refused in words that say what is wrong."""
        with pytest.raises(CanonicalError, match=words):
            canonical(value)

    @pytest.mark.parametrize("leaf", [1, None])
    def test_depth(self, leaf):
        """Ten thousand levels, or a value that holds itself, are refused and do not end the process."""
        for _ in range(10_000):
            leaf = [leaf]
        with pytest.raises(CanonicalError, match="nested too deeply"):
            canonical(leaf)
        ring = []
        ring.append(ring)
        with pytest.raises(CanonicalError, match="nested too deeply"):
            canonical(ring)

    def test_depth_with_nulls(self):
        """The slow look at values with nulls does not recurse without end either."""
        nested = None
        for _ in range(1_000):
            nested = [nested]
        with pytest.raises(CanonicalError, match="nested too deeply"):
            canonical(nested)

    def test_it_is_a_value_error(self):
        """Callers that validate may catch the error as a ValueError."""
        assert issubclass(CanonicalError, ValueError)


class TestDigest:
    """The hash over parts."""

    def test_its_form(self):
        """It is a SHA-256 in hex, and stays what it is: approvals and idempotency keys rest on it."""
        assert digest(b"refund", b"{}") == "bf3ae2d1a65a7ac329427d0c321e84f0b60dee05ce3f165da470977fdd382c1d"

    @given(st.lists(st.binary(max_size=4), max_size=4), st.lists(st.binary(max_size=4), max_size=4))
    def test_no_two_lists_of_parts_collide(self, left, right):
        """Parts count with their bounds: moving a byte from one to the next gives another digest."""
        assert (digest(*left) == digest(*right)) is (left == right)
