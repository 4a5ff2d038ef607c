"""Time in rules: the moment of the judgement, its parts, and calculating with moments and durations."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from interlock.errors import PolicyError
from interlock.guardian import Case, Expr, Policy, fact, forbid, now, permit

MIDNIGHT_BERLIN = datetime(2026, 3, 28, 23, 30, tzinfo=UTC)
"""A Saturday in UTC; in Berlin it is Sunday, half past midnight, in the night in which summer time begins."""


def holds(condition: Expr, at: datetime | int | None = MIDNIGHT_BERLIN, **facts: Any) -> bool:
    """Return whether *condition* permits at this time."""
    return verdict(condition, at, **facts).permitted


def verdict(condition: Expr, at: datetime | int | None = MIDNIGHT_BERLIN, **facts: Any) -> Any:
    """Return the verdict of a policy with the one condition."""
    moment = at if at is None or isinstance(at, int) else round(at.timestamp() * 1_000_000)
    return Policy(permit("pay", when=condition)).judge(Case("pay", {}, facts, at=moment))


def test_the_parts_are_those_of_the_zone() -> None:
    """Hour, weekday and date are what a clock on the wall of the zone shows."""
    assert holds((now.hour() == 23) & (now.weekday() == 6) & (now.date() == date(2026, 3, 28)))
    assert holds((now.hour("Europe/Berlin") == 0) & (now.weekday("Europe/Berlin") == 7))
    assert holds(now.date("Europe/Berlin") == date(2026, 3, 29))
    assert holds(now.time("Asia/Kolkata").is_present())


def test_moments_are_moved_and_measured() -> None:
    """A moment and a duration make a moment, two moments a duration."""
    booked = MIDNIGHT_BERLIN - timedelta(hours=23)
    assert holds(now - fact.booked <= timedelta(hours=24), booked=booked)
    assert not holds(now - fact.booked <= timedelta(hours=22), booked=booked)
    assert holds(fact.booked + timedelta(days=1) > now, booked=booked)
    assert holds(now.date() - fact.day == timedelta(days=27), day=date(2026, 3, 1))
    assert holds(fact.day + timedelta(days=28) == date(2026, 3, 29), day=date(2026, 3, 1))
    assert holds(fact.a - fact.b == timedelta(seconds=1), a=timedelta(seconds=3), b=timedelta(seconds=2))


@pytest.mark.parametrize(
    ("condition", "facts", "why"),
    [
        (now > fact.day, {"day": datetime(2026, 1, 1)}, "time zone"),  # noqa: DTZ001 - without one is the point
        (now - fact.day > timedelta(0), {"day": datetime(2026, 1, 1)}, "time zone"),  # noqa: DTZ001 - as above
        (now + fact.far > now, {"far": timedelta(days=3_000_000)}, "beyond the years"),
        (fact.day + timedelta(hours=1) > fact.day, {"day": date(2026, 1, 1)}, "whole days"),
        (now * 2 > now, {}, "can't take"),
        (now + 5 > now, {}, "can't take"),
        (now.time() + timedelta(hours=1) > now.time(), {}, "not a number"),
    ],
)
def test_what_has_no_answer_denies(condition: Expr, facts: dict[str, Any], why: str) -> None:
    """A calculation without an answer denies, and says why."""
    answer = verdict(condition, **facts)
    assert not answer.permitted
    assert why in answer.reasons[0]


def test_time_that_nobody_told_denies() -> None:
    """A rule that tells the time denies where there is none, or none that has a date."""
    assert "nobody told the time" in verdict(now.hour() >= 0, None).reasons[0]
    assert "beyond the years" in verdict(now.hour() >= 0, 2**62).reasons[0]
    ninety_nine = round(datetime(9999, 12, 31, 23, tzinfo=UTC).timestamp()) * 1_000_000
    assert holds(now.hour() == 23, ninety_nine)
    assert "beyond the years" in verdict(now.hour("Asia/Tokyo") >= 0, ninety_nine).reasons[0]


def test_the_moment_is_part_of_what_was_read() -> None:
    """A decision that told the time records which time it was."""
    assert verdict(now.hour() >= 0).counted == {"now": MIDNIGHT_BERLIN}


def test_an_unknown_zone_is_refused_when_the_rule_is_written() -> None:
    """A zone that the database does not know is no zone."""
    with pytest.raises(PolicyError, match="no time zone 'Europe/Bärlin'"):
        forbid("pay", when=now.hour("Europe/Bärlin") > 22)


def test_a_policy_with_time_survives_json() -> None:
    """Stored and read again it says the same, in data and in English."""
    policy = Policy(permit("pay", when=(now.hour("Europe/Berlin") < 6) & (now - fact.x < timedelta(days=1))))
    again = Policy.from_json(policy.to_json())
    assert again == policy
    assert str(again) == (
        "r1: permit pay when the hour of the day in Europe/Berlin is under 6 and (the time now minus the x) is under 1d"
    )
