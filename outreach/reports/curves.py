"""What charts of outcomes are drawn from; pages and paper say it in words of their own."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from statistics import fmean

from outreach.reports.rules.outcomes import WINDOWS, Group, Outcome, Point
from outreach.reports.rules.statistics import mean_interval
from outreach.web.plots import Moment

Pairs = list[tuple[float, float]]


def moments_of(people: Sequence[Sequence[Decimal]], words: Mapping[Point, str]) -> list[Moment]:
    """Return the mean of everybody's values at each point, baseline first, with its interval."""
    moments = []
    for point, column in zip(Point, zip(*people, strict=True), strict=False):
        values = [float(value) for value in column]
        interval = mean_interval(values)
        ends = (interval.low, interval.high) if interval else (None, None)
        moments.append(Moment(WINDOWS[point].target_day, words[point], fmean(values), *ends))
    return moments


def doses_of(outcome: Outcome) -> tuple[Pairs, Pairs]:
    """Return completed calls, and minutes, with the change, of everybody measured twice."""
    found = [(each.dose, each.change) for each in outcome.of(Group.MEASURED)]
    given = [(dose, float(change)) for dose, change in found if dose and change is not None]
    calls = [(float(dose.calls), change) for dose, change in given]
    return calls, [(float(dose.minutes), change) for dose, change in given]
