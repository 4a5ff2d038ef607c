"""What says no, as rules would: `surge(...) >= 6`, `count(..., within="1h") >= 20`, and both."""

from __future__ import annotations

import copy
from collections import deque
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from interlock.guardian.rates import Surge


class Limit(Protocol):
    """One limit of one scope; a copy of it goes on by itself."""

    def denies(self, at: int) -> bool:
        """Judge one more call at this moment."""
        ...

    def add(self, at: int) -> None:
        """Count a call that went through."""
        ...

    def cold(self, at: int) -> bool:
        """Tell whether it does not know enough yet to deny anything."""
        ...

    def __copy__(self) -> Limit: ...


class Unusual:
    """The surge detector with a threshold."""

    def __init__(self, surge: Surge, threshold: float) -> None:
        self._surge = surge
        self._threshold = threshold

    def denies(self, at: int) -> bool:
        return self._surge.above(at) >= self._threshold

    def add(self, at: int) -> None:
        self._surge.add(at)

    def cold(self, at: int) -> bool:
        return self._surge.above(at) == 0

    def __copy__(self) -> Unusual:
        return Unusual(copy.copy(self._surge), self._threshold)


class Quota:
    """At most so many calls within the time before."""

    def __init__(self, most: int, within: int, passed: deque[int] | None = None) -> None:
        self._most = most
        self._within = within
        self._passed: deque[int] = deque() if passed is None else passed

    def denies(self, at: int) -> bool:
        while self._passed and self._passed[0] <= at - self._within:
            self._passed.popleft()
        return len(self._passed) >= self._most

    def add(self, at: int) -> None:
        self._passed.append(at)

    def cold(self, at: int) -> bool:
        return False

    def __copy__(self) -> Quota:
        return Quota(self._most, self._within, self._passed.copy())


class Both:
    """Denies when one of the two does."""

    def __init__(self, unusual: Unusual, quota: Quota) -> None:
        self._unusual = unusual
        self._quota = quota

    def denies(self, at: int) -> bool:
        return self._unusual.denies(at) or self._quota.denies(at)

    def add(self, at: int) -> None:
        self._unusual.add(at)
        self._quota.add(at)

    def cold(self, at: int) -> bool:
        return False

    def __copy__(self) -> Both:
        return Both(copy.copy(self._unusual), copy.copy(self._quota))
