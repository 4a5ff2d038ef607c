"""Plays the stream and the bursts against a limit, as the guardian would: what is denied is not counted."""

from __future__ import annotations

import copy
from bisect import bisect_left
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from benchmarks.limits.bursts import Burst
    from benchmarks.limits.limit import Limit
    from benchmarks.limits.stream import Call, Key, Scope

_ONE_ALARM = 600_000_000


@dataclass(frozen=True, slots=True)
class Fate:
    """Of one burst: whether any of it was denied, how many calls came before that, how many went through at all."""

    burst: Burst
    caught: bool
    before: int
    through: int


@dataclass(slots=True)
class Played:
    """What came of it; `alarms` counts the denials of one key within ten minutes once."""

    calls: int = 0
    denied: int = 0
    cold: int = 0
    alarms: int = 0
    fates: list[Fate] = field(default_factory=list)


def play(
    calls: Sequence[Call], bursts: Sequence[Burst], scope: Scope, limit: Callable[[], Limit], count_from: int
) -> Played:
    """Play all calls; what comes before *count_from* warms up only. Each burst meets the state of its moment."""
    calls = [call for call in calls if call.effect] if scope.effects else calls
    limits: dict[Key, Limit] = {}
    played, waiting = Played(), deque(bursts)
    alarms: set[tuple[Key, int]] = set()
    for place, call in enumerate(calls):
        while waiting and waiting[0].begin <= call.at:
            burst = waiting.popleft()
            meanwhile = calls[place : bisect_left(calls, burst.calls[-1])]
            played.fates.append(_fate(burst, meanwhile, limits, scope, limit))
        key = scope.key(call)
        if key not in limits:
            limits[key] = limit()
        one = limits[key]
        denied = one.denies(call.at)
        if not denied:
            one.add(call.at)
        if call.at >= count_from:
            played.calls += 1
            played.denied += denied
            played.cold += one.cold(call.at)
            if denied:
                alarms.add((key, call.at // _ONE_ALARM))
    played.alarms = len(alarms)
    return played


def _fate(
    burst: Burst, meanwhile: Sequence[Call], limits: dict[Key, Limit], scope: Scope, limit: Callable[[], Limit]
) -> Fate:
    """Play a burst among the real calls of its time, on copies of the limits that it meets."""
    keys = {scope.key(call) for call in burst.calls}
    met = {key: copy.copy(limits[key]) if key in limits else limit() for key in keys}
    real = [(call.at, False, call) for call in meanwhile if scope.key(call) in keys]
    before = through = 0
    caught = False
    for at, injected, call in sorted([*real, *((call.at, True, call) for call in burst.calls)]):
        one = met[scope.key(call)]
        if one.denies(at):
            caught = caught or injected
            continue
        one.add(at)
        through += injected
        before += injected and not caught
    return Fate(burst, caught, before, through)
