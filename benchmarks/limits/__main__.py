"""Bursts injected into recorded calls: what the surge detector and quotas find: `make bench-limits`.

Buckets, thresholds and quotas are chosen on the first half of the stream; all figures are of the second half,
into which the detectors go with what they know of the first.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from benchmarks import _convention as convention
from benchmarks.limits import choose, figures
from benchmarks.limits.bursts import bursts
from benchmarks.limits.choose import BUCKETS, HOUR, THRESHOLDS, Half
from benchmarks.limits.limit import Both, Limit, Quota, Unusual
from benchmarks.limits.play import play
from benchmarks.limits.stream import DAY, MOST_DAYS, SCOPES, Call, recorded, stream
from interlock.guardian.rates import HALF_LIFE, WARM_UP, Surge

SEED = 20_26
_HEADERS = ["what is counted", "denied when", "of 1,000", "a day", "5", "10", "30", "100", "30/h", "100/h", "passed"]
_NOTES = f"""
of 1,000: real calls that were denied; a day: alarms, the denials of ten minutes taken as one
5, 10, 30, 100: percent of bursts of so many calls within a minute that were noticed; 30/h, 100/h: within an hour
passed: how many calls of a burst of 100 in a minute went through before the first denial (median of those noticed)
bursts by one user where users are counted, spread over many users where agents are; the JSON has the others too
half-life {HALF_LIFE} buckets, warm-up {WARM_UP}; an effect changes something or leaves the house; all: reads too"""


@dataclass(frozen=True, slots=True)
class Size:
    """How many days of calls, and how many bursts of each kind in each half."""

    days: int
    times: int


_FULL, _QUICK = Size(MOST_DAYS, 100), Size(4, 25)


def main() -> None:
    size = _QUICK if convention.quick() else _FULL
    calls = stream(recorded(), size.days, SEED)
    first, second = halves(calls, size)
    convention.progress(f"{len(calls):,} real calls in {size.days} days; choosing on the first half")
    chosen, quotas = choose.surges(first), {scope: choose.quota(first, scope) for scope in SCOPES if _single(scope)}
    memory = choose.memories(first)
    convention.progress("playing the second half")
    days = size.days / 2
    played = {
        (scope, bucket, threshold): figures.every(second.unusual(scope, bucket, threshold), days)
        for scope in SCOPES
        for bucket in BUCKETS
        for threshold in THRESHOLDS
    }
    limited = {scope: limits(second, scope, chosen[scope], quotas[scope], days) for scope in quotas}
    print(_text(chosen, played, quotas, limited))
    results = {
        "chosen": {scope: {"bucket": bucket, "threshold": threshold} for scope, (bucket, threshold) in chosen.items()},
        "quotas_per_hour": quotas,
        "surge": {f"{scope}, {bucket}, {threshold}": found for (scope, bucket, threshold), found in played.items()},
        "limits": limited,
        "memory_first_half": memory,
        "calls": {"all": len(calls), "effects": sum(call.effect for call in calls), "days": size.days},
        "bursts_each": size.times,
        "seed": SEED,
    }
    print(f"\n{convention.write_results('limits', results).relative_to(convention.ROOT)}")


def halves(calls: list[Call], size: Size) -> tuple[Half, Half]:
    """Return the two halves of the stream; the first quarter of the first only warms up."""
    end, middle, begin = size.days * DAY, size.days * DAY // 2, size.days * DAY // 8
    early = [call for call in calls if call.at < middle]
    return (
        Half(early, bursts(early, (begin, middle), size.times, SEED + 1), begin),
        Half(calls, bursts(calls, (middle, end), size.times, SEED + 2), middle),
    )


def limits(half: Half, scope: str, chosen: tuple[str, int], most: int, days: float) -> dict[str, Any]:
    """Play a half against the quota alone, and against the quota and the surge together."""
    bucket, threshold = chosen

    def alone() -> Limit:
        return Quota(most, HOUR)

    def both() -> Limit:
        return Both(Unusual(Surge(BUCKETS[bucket]), threshold), Quota(most, HOUR))

    found = {
        name: play(half.calls, half.bursts, SCOPES[scope], limit, half.count_from)
        for name, limit in {"quota": alone, "both": both}.items()
    }
    return {name: figures.every(each, days) | {"above_quota": _above(each, most)} for name, each in found.items()}


def _above(played: Any, most: int) -> dict[str, int]:
    """Count the bursts by one user above the quota, and those of them that were stopped at it."""
    over = [fate for fate in played.fates if fate.burst.by == "user" and fate.burst.size > most]
    return {"bursts": len(over), "stopped": sum(fate.caught and fate.through <= most for fate in over)}


def _single(scope: str) -> bool:
    return SCOPES[scope].effects


def _text(
    chosen: dict[str, tuple[str, int]],
    played: dict[tuple[str, str, int], dict[str, Any]],
    quotas: dict[str, int],
    limited: dict[str, dict[str, Any]],
) -> str:
    rows = [
        _row(scope, f"surge {bucket} ≥ {threshold}{'*' * (chosen[scope] == (bucket, threshold))}", found)
        for (scope, bucket, threshold), found in played.items()
        if SCOPES[scope].effects or bucket == chosen[scope][0]
    ]
    for scope, found in limited.items():
        rows += [
            _row(scope, f"count 1 h ≥ {quotas[scope]}", found["quota"]),
            _row(scope, "either of the two", found["both"]),
        ]
    stopped = ", ".join(
        f"{found['quota']['above_quota']['stopped']} of {found['quota']['above_quota']['bursts']} ({scope})"
        for scope, found in limited.items()
    )
    said = f"* chosen on the first half. Bursts above the quota that it stopped: {stopped}"
    return f"{convention.table(_HEADERS, rows)}\n{_NOTES}\n{said}"


def _row(scope: str, limit: str, found: dict[str, Any]) -> list[object]:
    by = SCOPES[scope].by
    burst = found["bursts"]
    shares = [burst[f"{by}, minute, {size}"]["recall"] for size in (5, 10, 30, 100)]
    slow = [burst[f"{by}, hour, {size}"]["recall"] for size in (30, 100)]
    passed = burst[f"{by}, minute, 100"]["before"]
    percents = [f"{share * 100:.0f}" for share in (*shares, *slow)]
    return [scope, limit, found["false_alarms_per_1000"], found["alarms_per_day"], *percents, passed]


if __name__ == "__main__":
    main()
