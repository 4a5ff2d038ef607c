"""What a short text is by its grammar; read once, however often it comes back."""

from decimal import Decimal
from functools import lru_cache

import msgspec

from interlock.provenance import shapes
from interlock.provenance.normal import code, days, has_digit, number, plain


class Short(msgspec.Struct, frozen=True, gc=False):
    """A short text: its one spelling, whether it can be a field and is an address, and the code, number, days it is."""

    text: str
    is_field: bool
    is_address: bool
    code: str = ""
    number: Decimal | None = None
    days: frozenset[tuple[int, int]] = frozenset()


@lru_cache(maxsize=4096)
def read(value: str) -> Short:
    """Return what a text of at most `shapes.LONGEST_FIELD` characters is; rows of a table share many of theirs."""
    what = (plain(value), shapes.is_field(value), shapes.is_address(value))
    return Short(*what, code(value), number(value), days(value)) if has_digit(value) else Short(*what)
