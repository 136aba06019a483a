"""Statistics of outcomes: paired changes, shares with their intervals, correlations. Pure.

Quantiles of Student's t come from ``scipy.special``, which loads in a tenth of the memory of
``scipy.stats``; the tests hold every result to ``scipy.stats``. Source of what is reported:
domain.md E4.
"""

import math
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist, correlation, fmean, median

CONFIDENCE = 0.95
_TAIL = (1 + CONFIDENCE) / 2
_Z = NormalDist().inv_cdf(_TAIL)
FEWEST_FOR_SPREAD = 2
FEWEST_FOR_CORRELATION = 4


@dataclass(frozen=True)
class Interval:
    """A 95% confidence interval."""

    low: float
    high: float


@dataclass(frozen=True)
class Change:
    """Follow-up less baseline over ``n`` pairs. ``sd`` and ``interval`` need two pairs."""

    n: int
    mean: float
    median: float
    sd: float | None
    interval: Interval | None


@dataclass(frozen=True)
class Share:
    """``part`` of ``whole``; the interval is Wilson's. Nothing of nothing has none."""

    part: int
    whole: int

    @property
    def value(self) -> float | None:
        """The share as a proportion."""
        return self.part / self.whole if self.whole else None

    @property
    def interval(self) -> Interval | None:
        """Wilson's score interval, without continuity correction."""
        if not self.whole:
            return None
        z = _Z
        n, p = self.whole, self.part / self.whole
        middle = (p + z * z / (2 * n)) / (1 + z * z / n)
        half = z * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n)) / (1 + z * z / n)
        # At the ends the formula is exact; its rounding is not.
        low = 0.0 if self.part == 0 else max(0.0, middle - half)
        high = 1.0 if self.part == n else min(1.0, middle + half)
        return Interval(low, high)


@dataclass(frozen=True)
class Correlation:
    """Spearman's rank correlation of ``n`` pairs."""

    n: int
    rho: float
    interval: Interval


def change_of(changes: Sequence[float]) -> Change | None:
    """Return what is said of paired changes, follow-up less baseline; None of no pairs."""
    if not changes:
        return None
    n, mean, middle = len(changes), fmean(changes), median(changes)
    if n < FEWEST_FOR_SPREAD:
        return Change(n, mean, middle, None, None)
    sd = _spread(changes, mean)
    return Change(n, mean, middle, sd, _around(mean, sd, n))


def mean_interval(values: Sequence[float]) -> Interval | None:
    """Return the 95% confidence interval (t) of a mean; None of fewer than two values."""
    if len(values) < FEWEST_FOR_SPREAD:
        return None
    mean = fmean(values)
    return _around(mean, _spread(values, mean), len(values))


def rank_correlation(pairs: Sequence[tuple[float, float]]) -> Correlation | None:
    """Return Spearman's correlation with its interval; None where it is not defined.

    That is so of fewer than FEWEST_FOR_CORRELATION pairs, and where all values of one side are
    the same. The interval is Bonett and Wright's (Psychometrika 2000;65:23-28): Fisher's z
    with a variance of (1 + rho² / 2) / (n - 3).
    """
    n = len(pairs)
    if n < FEWEST_FOR_CORRELATION:
        return None
    left, right = [pair[0] for pair in pairs], [pair[1] for pair in pairs]
    if len(set(left)) == 1 or len(set(right)) == 1:
        return None
    rho = min(1.0, max(-1.0, correlation(_ranks(left), _ranks(right))))
    if abs(rho) == 1:
        return Correlation(n, rho, Interval(rho, rho))
    half = _Z * math.sqrt((1 + rho * rho / 2) / (n - 3))
    z = math.atanh(rho)
    return Correlation(n, rho, Interval(math.tanh(z - half), math.tanh(z + half)))


def _spread(values: Sequence[float], mean: float) -> float:
    """Return the standard deviation of a sample; ``statistics.stdev`` takes ten times as long."""
    return math.sqrt(math.fsum([(each - mean) ** 2 for each in values]) / (len(values) - 1))


def _ranks(values: Sequence[float]) -> list[float]:
    """Return the rank of each value, from 1; equal ones share the mean of their ranks."""
    ordered = sorted(values)
    return [(bisect_left(ordered, each) + bisect_right(ordered, each) + 1) / 2 for each in values]


def _around(mean: float, sd: float, n: int) -> Interval:
    # SciPy takes longer to load than a whole page takes; few pages need it.
    from scipy.special import stdtrit  # noqa: PLC0415

    half = float(stdtrit(n - 1, _TAIL)) * sd / math.sqrt(n)
    return Interval(mean - half, mean + half)
