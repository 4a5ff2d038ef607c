"""How unusual a rate is: the same as by the definition, whatever the moments are."""

from math import isfinite, sqrt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from interlock.errors import PolicyError
from interlock.guardian.rates import REACH, Surge

BUCKET = 60_000_000
HALF_LIFE = 7
WARM_UP = 5

# Within a bucket, in one of the next, or after a long silence.
gaps = st.one_of(
    st.integers(0, BUCKET // 3), st.integers(0, 4 * BUCKET), st.integers(0, 400 * BUCKET), st.integers(-BUCKET, 0)
)
moments = st.lists(gaps, max_size=40).map(
    lambda found: [1_700_000_000_000_000 + sum(found[:end]) for end in range(1, len(found) + 1)]
)


def fed(found, **options):
    surge = Surge(BUCKET, **{"half_life": HALF_LIFE, "warm_up": WARM_UP} | options)
    for at in found:
        surge.add(at)
    return surge


def by_definition(found, at):
    """Weigh every bucket, the empty ones too, one by one."""
    numbers = []
    for moment in [*found, at]:
        numbers.append(max(moment // BUCKET, numbers[-1] if numbers else 0))
    *earlier, this = numbers
    if not earlier or this - earlier[0] < WARM_UP:
        return 0.0
    counts = {number: earlier.count(number) for number in range(earlier[0], this)}
    weights = {number: 0.5 ** ((this - 1 - number) / HALF_LIFE) for number in counts}
    total = sum(weights.values())
    mean = sum(weights[number] * count for number, count in counts.items()) / total
    variance = sum(weights[number] * (count - mean) ** 2 for number, count in counts.items()) / total
    return (earlier.count(this) + 1 - mean) / sqrt(max(1.0, mean, variance))


@given(found=moments, gap=gaps)
def test_it_is_what_the_definition_says(found, gap):
    """Sums that decay come to the weighted mean and variance over all buckets, silences and steps back included."""
    at = (found[-1] if found else 1_700_000_000_000_000) + gap
    assert fed(found).above(at) == pytest.approx(by_definition(found, at), rel=1e-6, abs=1e-6)


@given(found=moments, asked=st.lists(st.integers(0, 400 * BUCKET), max_size=3))
def test_asking_changes_nothing(found, asked):
    """The same moments give the very same answers, however often it was asked in between."""
    quiet, curious = fed([]), fed([])
    for at in found:
        quiet.add(at)
        for later in asked:
            curious.above(at + later)
        curious.add(at)
    end = (found[-1] if found else 0) + BUCKET
    assert curious.above(end) == quiet.above(end)


@given(old=moments, recent=st.lists(st.integers(0, REACH * BUCKET), min_size=30, max_size=60))
def test_what_is_out_of_reach_hardly_counts(old, recent):
    """Whoever reads back only so many buckets after a restart judges as before, but for a trace."""
    start = (max(old) if old else 0) + BUCKET
    kept = [start, *(start + at for at in sorted(recent))]
    now = start + (REACH + 1) * BUCKET
    everything, reread = Surge(BUCKET), Surge(BUCKET)
    for at in [*sorted(old), *kept]:
        everything.add(at)
    for at in kept:
        reread.add(at)
    assert everything.above(now) == pytest.approx(reread.above(now), abs=0.2)


def test_nothing_is_unusual_before_the_warm_up_is_over():
    """A thousand calls at once are no surge in a scope that nobody knows yet; that is what quotas are for."""
    surge = fed([0] * 1000)
    assert surge.above(WARM_UP * BUCKET - 1) == 0
    assert Surge(BUCKET).above(0) == 0


def test_a_burst_stands_out_of_a_steady_rate():
    """Four calls a minute are as always; forty are far above it."""
    surge = fed(minute * BUCKET + call for minute in range(100) for call in range(4))
    assert surge.above(100 * BUCKET) < 0
    for call in range(40):
        surge.add(100 * BUCKET + call)
    assert surge.above(100 * BUCKET + 40) > 15


def test_a_second_call_in_a_quiet_scope_is_nothing():
    """The deviation is never taken below 1: where nothing ever happens, two calls are not an anomaly."""
    surge = fed([0])
    surge.add(5000 * BUCKET)
    assert surge.above(5000 * BUCKET) == pytest.approx(2, abs=0.01)


def test_a_lively_scope_is_given_more_room():
    """Where counts always varied much, the same count is less unusual than where they never did."""
    steady = fed(minute * BUCKET + call for minute in range(200) for call in range(20))
    lively = fed(minute * BUCKET + call for minute in range(200) for call in range(40 * (minute % 2)))
    for surge in (steady, lively):
        for call in range(60):
            surge.add(200 * BUCKET + call)
    assert steady.above(200 * BUCKET) > 8
    assert 0 < lively.above(200 * BUCKET) < 3


def test_time_does_not_move_backwards():
    """A moment before the latest counts in the latest bucket, so a clock that is set back hides nothing."""
    surge = fed([0, 50 * BUCKET])
    before = surge.above(50 * BUCKET)
    surge.add(3 * BUCKET)
    assert surge.above(3 * BUCKET) == surge.above(50 * BUCKET) == pytest.approx(before + 1)


def test_a_silence_of_ages_is_taken_in_at_once():
    """Ten thousand years of empty buckets are one step, and leave a number."""
    surge = fed([0] * 1000)
    ages = 10_000 * 365 * 24 * 60 * BUCKET
    surge.add(ages)
    assert isfinite(surge.above(ages))
    assert surge.above(ages) == pytest.approx(2)


@pytest.mark.parametrize("wrong", [{"bucket": 0}, {"bucket": -1}, {"half_life": 0}, {"warm_up": 0}])
def test_buckets_of_no_length_are_refused(wrong):
    """A bucket, a half-life or a warm-up of nothing is a mistake, and said to be one."""
    with pytest.raises(PolicyError, match="above 0"):
        Surge(**{"bucket": BUCKET} | wrong)
