"""Signs of a change in a series of rates: run chart rules and p-chart limits. Pure.

Runs and crossings: Anhøj and Olesen, "Run charts revisited" (PLoS One 2014;9:e113825), which
domain.md E4 follows; the trend rule is left out, since it finds next to nothing. Limits: three
standard errors of a binomial share around the share of all points together (Shewhart's
p-chart), wider where fewer are behind a point.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise
from statistics import median

from outreach.reports.rules.statistics import Share

FEWEST_POINTS = 10  # Source: domain.md E4.
_SIGMAS = 3
_ERROR = 0.05


@dataclass(frozen=True)
class RunTest:
    """What the run chart rules say of a series around its median.

    ``useful`` points do not lie on the median. A run longer than ``longest_allowed``, or fewer
    than ``fewest_allowed`` crossings of the median, are unlikely by chance alone.
    """

    median: float
    useful: int
    longest_run: int
    longest_allowed: int
    crossings: int
    fewest_allowed: int

    @property
    def is_shift(self) -> bool:
        """Whether too many points in a row lie on one side."""
        return self.longest_run > self.longest_allowed

    @property
    def has_few_crossings(self) -> bool:
        """Whether the median is crossed too rarely."""
        return self.crossings < self.fewest_allowed

    @property
    def is_signal(self) -> bool:
        """Whether either rule says that this is more than chance."""
        return self.is_shift or self.has_few_crossings


@dataclass(frozen=True)
class Bounds:
    """Control limits of one point, as proportions."""

    low: float
    high: float

    def holds(self, share: float) -> bool:
        """Say whether ``share`` is within, as chance would have it."""
        return self.low <= share <= self.high


def run_test(values: Sequence[float]) -> RunTest | None:
    """Return what the rules say; None of fewer than FEWEST_POINTS useful points."""
    if len(values) < FEWEST_POINTS:
        return None
    middle = median(values)
    sides = [value > middle for value in values if value != middle]
    if len(sides) < FEWEST_POINTS:
        return None
    return RunTest(
        median=middle,
        useful=len(sides),
        longest_run=max(len(list(run)) for _side, run in groupby(sides)),
        longest_allowed=round(math.log2(len(sides))) + 3,
        crossings=sum(before != after for before, after in pairwise(sides)),
        fewest_allowed=_binomial_quantile(len(sides) - 1, _ERROR),
    )


def p_chart(points: Sequence[Share]) -> list[Bounds] | None:
    """Return the limits of each point; None of fewer than FEWEST_POINTS.

    Every point has something to divide by.
    """
    if len(points) < FEWEST_POINTS:
        return None
    share = sum(point.part for point in points) / sum(point.whole for point in points)
    found = []
    for point in points:
        half = _SIGMAS * math.sqrt(share * (1 - share) / point.whole)
        found.append(Bounds(max(0.0, share - half), min(1.0, share + half)))
    return found


def _binomial_quantile(trials: int, error: float) -> int:
    """Return the least count that a fair coin reaches or stays below in more than ``error``."""
    below, heads = 0, 0
    while True:
        below += math.comb(trials, heads)
        if below >= error * 2**trials:
            return heads
        heads += 1
