"""Durations as people write them."""

import pytest

from interlock.durations import microseconds, written
from interlock.errors import DeclarationError


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("250ms", 0.25), ("90s", 90), ("10m", 600), ("1.5h", 5400), ("30d", 2_592_000), ("2w", 1_209_600), ("0s", 0)],
)
def test_a_number_and_a_unit(text, seconds):
    """A number and a unit are a duration, exact to the microsecond."""
    assert microseconds(text) == seconds * 1_000_000


@pytest.mark.parametrize("text", ["", "10", "m", "-1m", "10 m", "10M", "1e3s", "1.s", "inf", "\u0661s", None, 60])
def test_what_is_no_duration(text):
    """Anything else is refused, with examples."""
    with pytest.raises(DeclarationError, match="10m"):
        microseconds(text)


@pytest.mark.parametrize(
    ("duration", "expected"),
    [("600s", "10m"), ("90m", "90m"), ("24h", "1d"), ("2w", "14d"), ("500ms", "500ms"), ("0s", "0d")],
)
def test_written(duration, expected):
    """A duration is written in the largest unit that gives a whole number."""
    assert written(microseconds(duration)) == expected
