"""What charts of outcomes are drawn from; pages and paper say it in words of their own."""

from collections.abc import Mapping, Sequence
from statistics import fmean

from outreach.reports.rules.outcomes import WINDOWS, Outcome, Point
from outreach.reports.rules.statistics import mean_interval
from outreach.web.plots import Moment

Pairs = list[tuple[float, float]]


def moments_of(people: Sequence[Sequence[float]], words: Mapping[Point, str]) -> list[Moment]:
    """Return the mean of everybody's values at each point, baseline first, with its interval."""
    moments = []
    for point, values in zip(Point, zip(*people, strict=True), strict=False):
        interval = mean_interval(values)
        ends = (interval.low, interval.high) if interval else (None, None)
        moments.append(Moment(WINDOWS[point].target_day, words[point], fmean(values), *ends))
    return moments


def doses_of(outcome: Outcome) -> tuple[Pairs, Pairs]:
    """Return completed calls, and minutes, with the change, of everybody measured twice."""
    doses = outcome.doses
    calls = [(float(calls), change) for calls, _minutes, change in doses]
    return calls, [(float(minutes), change) for _calls, minutes, change in doses]
