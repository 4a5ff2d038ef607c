"""Numbers that follow from trusted ones: sums, differences, products, shares of a hundred; all in hundredths."""

from bisect import bisect_left
from collections.abc import Collection, Iterable, Sequence
from decimal import Decimal
from itertools import islice

MOST = 200
"""Of how many trusted numbers sums and products are tried."""

MOST_NAMED = 20
"""Of how many numbers that the user named shares and products are tried."""


MOST_AMOUNT = 10**15
"""What is larger is a code, not an amount."""


def cents(value: Decimal) -> int:
    """Return an amount in hundredths, rounded."""
    return round(value * 100)


def derived(value: Decimal, named: Collection[Decimal], seen: Iterable[int], totals: Collection[int]) -> str:
    """Return how *value* follows from numbers that the user *named* and those that systems told; empty if it doesn't.

    Args:
        value: The amount.
        named: The user's numbers.
        seen: The trusted numbers of results in hundredths, the newest first.
        totals: The totals of the lists of results in hundredths.
    """
    if abs(value) > MOST_AMOUNT:
        return ""
    wanted = cents(value)
    if wanted in totals:
        return "sum"
    users = list(named)[-MOST_NAMED:]
    trusted = {*map(cents, users), *islice(seen, MOST)}
    ordered, factors = sorted(trusted), [float(one) for one in users]
    if how := _once(wanted, factors, trusted, ordered):
        return how
    # A share of a trusted amount and a fee that the user named, as in "19.5 % of it and 5.29 on top".
    fees = (cents(one) for one in users if one)
    return "sum" if any(_once(wanted - fee, factors, trusted, ordered) for fee in fees) else ""


def _once(wanted: int, named: Iterable[float], trusted: Collection[int], ordered: Sequence[int]) -> str:
    for one in trusted:
        if one and one != wanted and wanted - one in trusted:
            return "sum"
        if one and wanted + one in trusted:
            return "difference"
    for one in named:
        if _times(wanted, one, ordered):
            return "product"
        if any(_times(wanted, share, ordered) for share in (one / 100, 1 + one / 100, 1 - one / 100)):
            return "share"
        if one and _times(wanted, 1 / one, ordered):
            return "quotient"
    return ""


def _times(wanted: int, factor: float, ordered: Sequence[int]) -> bool:
    """Whether one of the *ordered* amounts is the wanted one when multiplied, rounded to hundredths."""
    if not factor:
        return False
    low, high = sorted(((wanted - 0.5) / factor, (wanted + 0.5) / factor))
    at = bisect_left(ordered, low)
    return at < len(ordered) and ordered[at] < high
