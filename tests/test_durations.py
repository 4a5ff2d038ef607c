"""Durations as people write them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from interlock.durations import microseconds, written
from interlock.errors import DeclarationError


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("250ms", 250_000),
        ("90s", 90_000_000),
        ("10m", 600_000_000),
        ("1.5h", 5_400_000_000),
        ("30d", 2_592_000_000_000),
        ("2w", 1_209_600_000_000),
        ("0.000001s", 1),
        ("0s", 0),
    ],
)
def test_it_reads_what_people_write(text, expected):
    """A number and a unit give a whole number of microseconds, exactly."""
    assert microseconds(text) == expected


@pytest.mark.parametrize(
    "text", ["", "10", "s", "10 m", "-1s", "+1s", "1e3s", "10M", "1h30m", "٣s", ".5s", "1.s", "nan s", 30]
)
def test_it_refuses_the_rest_and_shows_how(text):
    """What is not a number and a unit is refused with examples of what is."""
    with pytest.raises(DeclarationError, match="write a number and a unit: 250ms, 90s"):
        microseconds(text)


@given(st.integers(0, 10**12 - 1))
def test_what_is_written_is_read(duration):
    """A duration is written in a unit that gives a whole number, and reads back as itself."""
    text = written(duration)
    if text.endswith("µs"):
        assert text == f"{duration}µs"
    else:
        assert microseconds(text) == duration


def test_the_largest_unit_is_taken():
    """It is written as short as it can be."""
    assert [written(microseconds(text)) for text in ("600s", "3600s", "48h", "1500ms")] == [
        "10m",
        "1h",
        "2d",
        "1500ms",
    ]
