"""A date of birth that tells less and leaves every figure as it is. Pure."""

import calendar
from collections.abc import Iterator, Sequence
from datetime import date, timedelta

OLDEST_TOLD = 90  # 45 CFR 164.514(b)(2)(i)(C): ages over 89 are one group


def coarser(born_on: date, first: date, last: date, edges: Sequence[int]) -> date:
    """Return the least telling date of birth with which no age group changes.

    Between ``first`` and ``last``, the days that reports ask about, somebody born then is past
    just those birthdays of ``edges`` (years of age) that somebody born on ``born_on`` is past.
    """
    for candidate in _candidates(born_on, last):
        if all(_same(born_on, candidate, first, last, edge) for edge in edges):
            return candidate
    return born_on


def _candidates(born_on: date, last: date) -> Iterator[date]:
    """Yield dates of birth, the least telling first."""
    if (last.year - born_on.year) > OLDEST_TOLD:
        yield date(last.year - OLDEST_TOLD - 1, 1, 1)
    yield date(born_on.year, 1, 1)
    yield date(born_on.year, 12, 31)
    yield born_on.replace(day=1)
    yield born_on.replace(day=calendar.monthrange(born_on.year, born_on.month)[1])


def _same(one: date, other: date, first: date, last: date, age: int) -> bool:
    """Say whether two people are of ``age`` or not on the same days from first to last."""
    begins = [
        min(max(_birthday(born, age), first), last + timedelta(days=1)) for born in (one, other)
    ]
    return begins[0] == begins[1]


def _birthday(born_on: date, age: int) -> date:
    """Return the first day on which somebody is ``age`` years old."""
    year = born_on.year + age
    if (born_on.month, born_on.day) == (2, 29) and not calendar.isleap(year):
        return date(year, 3, 1)
    return born_on.replace(year=year)
