"""What weighs on a caller: signs of load, never a judgement. Pure. Source: domain.md B2."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from outreach.reports.rules.period import DAY


@dataclass(frozen=True)
class Load:
    """Of one caller in some days.

    ``run``: most days in a row on which they dialled. ``concerns``: how many they raised. Of
    one clinic: what they do at others is not in it.
    """

    run: int = 0
    concerns: int = 0


def longest_run(days: Iterable[date]) -> int:
    """Return how many of ``days`` follow one another without a gap, at most."""
    longest = current = 0
    last: date | None = None
    for day in sorted(set(days)):
        current = current + 1 if last is not None and day - last == DAY else 1
        longest, last = max(longest, current), day
    return longest
