"""How many calls an enrolment costs in each of the coming weeks. Pure.

A new patient costs three calls in the first week and fewer later on, so what counts for a
caller is calls and minutes, not heads. Source: domain.md A1, call volume on protocol.
"""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from functools import lru_cache

from outreach.programmes.rules import Protocol, Rhythm

WEEK = 7
WEEKS_AHEAD = 8
# Whoever begins in the last of these has the full weeks after it: those are weighed as well.
WEEKS_WEIGHED = 12

Weeks = tuple[float, ...]


def coming_weeks(today: date, count: int = WEEKS_AHEAD) -> tuple[date, ...]:
    """Return the Mondays of this week and the following ones, ``count`` in all."""
    monday = today - timedelta(days=today.weekday())
    return tuple(monday + timedelta(weeks=ahead) for ahead in range(count))


def projected_calls(
    protocol: Protocol, starts_on: date, choices: Mapping[str, int], mondays: Sequence[date]
) -> Weeks:
    """Return the calls that fall into each week, as the protocol spreads them over its days.

    Args:
        protocol: the programme.
        starts_on: first day of week 1.
        choices: phase code to the patient's choice.
        mondays: first day of each week asked for.
    """
    return _projected(protocol, starts_on, tuple(sorted(choices.items())), tuple(mondays))


@lru_cache(maxsize=65_536)
def _projected(
    protocol: Protocol,
    starts_on: date,
    choices: tuple[tuple[str, int], ...],
    mondays: tuple[date, ...],
) -> Weeks:
    chosen = dict(choices)
    calls = [0.0] * len(mondays)
    for phase in protocol.phases:
        value = phase.chosen(chosen.get(phase.code))
        a_day = value / WEEK if phase.rhythm is Rhythm.CALLS_PER_WEEK else 1 / value
        begins, ends = phase.first_day(starts_on), phase.end_day(starts_on)
        for index, monday in enumerate(mondays):
            calls[index] += a_day * _days_in(begins, ends, monday)
    return tuple(calls)


def in_minutes(calls: Sequence[float], minutes_per_call: int) -> Weeks:
    """Return calls a week as minutes a week."""
    return tuple(each * minutes_per_call for each in calls)


def added(first: Sequence[float], second: Sequence[float]) -> Weeks:
    """Return the sum of two loads, week by week."""
    return tuple(one + other for one, other in zip(first, second, strict=True))


def _days_in(begins: date, ends: date, monday: date) -> int:
    first = max(begins, monday)
    last = min(ends, monday + timedelta(days=WEEK))
    return max(0, (last - first).days)
