"""How unusual the rate of this moment is, beside the moving average of what was before it."""

from math import sqrt
from typing import Final

from interlock.errors import PolicyError

HALF_LIFE: Final = 60
"""After how many buckets a bucket counts half."""

REACH: Final = 10 * HALF_LIFE
"""What lies further back than so many buckets weighs less than a thousandth, and need not be added again."""

WARM_UP: Final = 30
"""How many buckets have to have passed since the first moment before anything is unusual."""


class Surge:
    """The rate of one scope (an agent's refunds, a user's actions) as counts in buckets of time.

    It is a pure function of the moments that were added, in their order: whoever adds the same ones again, after
    a restart, has the same. Buckets lie at multiples of their length since the epoch. A moment before the latest
    one counts as the latest: time does not move backwards.

    Mean and variance are those of weighted data (West 1979; Finch, Incremental calculation of weighted mean and
    variance, 2009): the bucket before this one weighs 1, and each older one less by a constant factor. Empty buckets
    count like all others; any number of them is taken in at once, since they only make the sums decay.

    Args:
        bucket: The length of a bucket in microseconds.
        half_life: After how many buckets a bucket weighs half.
        warm_up: How many buckets have to have passed since the first moment; until then nothing is unusual.

    Raises:
        PolicyError: One of them is not above 0.
    """

    __slots__ = ("_bucket", "_count", "_decay", "_first", "_latest", "_squares", "_sum", "_warm_up", "_weight")

    def __init__(self, bucket: int, *, half_life: int = HALF_LIFE, warm_up: int = WARM_UP) -> None:
        if min(bucket, half_life, warm_up) <= 0:
            raise PolicyError(
                f"a surge needs buckets, a half-life and a warm-up above 0, not {bucket, half_life, warm_up}"
            )
        self._bucket = bucket
        self._decay = 0.5 ** (1 / half_life)
        self._warm_up = warm_up
        self._first: int | None = None
        self._latest = 0
        self._count = 0
        self._weight = self._sum = self._squares = 0.0

    def add(self, at: int) -> None:
        """Count the moment *at*, in microseconds since the epoch."""
        number = at // self._bucket
        if self._first is None:
            self._first = self._latest = number
        elif number > self._latest:
            self._weight, self._sum, self._squares = self._earlier(number)
            self._latest, self._count = number, 0
        self._count += 1

    def above(self, at: int) -> float:
        """Return by how many standard deviations one more moment at *at* makes its bucket exceed the earlier ones.

        The deviation is at least that of a Poisson process of this mean, and at least 1, so that two calls in a
        quiet scope are nothing unusual. 0 during the warm-up; below 0 where the bucket is under the mean.
        """
        number = max(at // self._bucket, self._latest)
        if self._first is None or number - self._first < self._warm_up:
            return 0.0
        fresh = number > self._latest
        weight, total, squares = self._earlier(number) if fresh else (self._weight, self._sum, self._squares)
        mean = total / weight
        variance = squares / weight - mean * mean
        return ((0 if fresh else self._count) + 1 - mean) / sqrt(max(1.0, mean, variance))

    def _earlier(self, number: int) -> tuple[float, float, float]:
        """Return weight, sum and sum of squares of all buckets before *number*, which is after the latest."""
        weight = self._decay * self._weight + 1
        total = self._decay * self._sum + self._count
        squares = self._decay * self._squares + self._count * self._count
        left = self._decay ** (number - self._latest - 1)
        return left * weight + (1 - left) / (1 - self._decay), left * total, left * squares
