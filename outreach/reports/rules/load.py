"""What weighs on a caller: signs of load, never a judgement. Pure. Source: domain.md B2."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from outreach.reports.rules.period import DAY, Period


@dataclass(frozen=True)
class Load:
    """Of one caller in some days.

    ``run``: most days in a row on which they dialled. ``concerns``: how many they raised. Of
    one clinic: what they do at others is not in it.
    """

    run: int = 0
    concerns: int = 0


def longest_stretch(days: Iterable[date]) -> Period | None:
    """Return the longest stretch of ``days`` without a gap, the latest of several; None of none."""
    longest: Period | None = None
    first: date | None = None
    last: date | None = None
    for day in sorted(set(days)):
        first = first if first is not None and last is not None and day - last == DAY else day
        last = day
        if longest is None or (day - first).days + 1 >= longest.days:
            longest = Period(first, day)
    return longest


def longest_run(days: Iterable[date]) -> int:
    """Return how many of ``days`` follow one another without a gap, at most."""
    found = longest_stretch(days)
    return found.days if found else 0
