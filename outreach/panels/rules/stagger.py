"""When each new patient of a caller begins, so that no week passes the caller's hours. Pure.

A new patient costs three calls in week 1: twenty of them on one day would be sixty calls.
Those who wait longest begin first, and first days are spread over the days of a week.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import partial

from outreach.panels.rules.load import WEEK, WEEKS_AHEAD, Weeks, added

# Ours: so many first conversations of one caller fit into a day beside the others.
NEW_A_DAY = 3
# A rounding of shares of a call, never a call.
_SLACK_MINUTES = 1e-6


@dataclass(frozen=True)
class Begun:
    """The first day of each new patient; ``load`` is what the caller's weeks cost with them.

    ``too_many`` are those for whom no day within WEEKS_AHEAD leaves enough hours, in every week
    that ``load`` covers.
    """

    starts_on: dict[int, date]
    too_many: tuple[int, ...]
    load: Weeks


def stagger(
    enrolment_ids: Sequence[int],
    *,
    load: Weeks,
    weekly_minutes: int,
    first_day: date,
    cost_of: Callable[[int, date], Weeks],
    is_open: Callable[[date], bool],
) -> Begun:
    """Give each of ``enrolment_ids`` its first day, in the order in which they wait.

    Args:
        enrolment_ids: those who wait longest first.
        load: minutes of each coming week without them.
        weekly_minutes: the caller's hours for calls.
        first_day: the earliest day.
        cost_of: minutes of each coming week for an enrolment that begins on a day.
        is_open: whether the clinic works on a day.
    """
    starts_on: dict[int, date] = {}
    too_many: list[int] = []
    begun: Counter[date] = Counter()
    days = [
        day
        for ahead in range(WEEKS_AHEAD * WEEK)
        if is_open(day := first_day + timedelta(days=ahead))
    ]
    for enrolment_id in enrolment_ids:
        found = _first_that_fits(days, load, weekly_minutes, partial(cost_of, enrolment_id), begun)
        if found is None:
            too_many.append(enrolment_id)
            continue
        starts_on[enrolment_id] = found
        begun[found] += 1
        load = added(load, cost_of(enrolment_id, found))
    return Begun(starts_on, tuple(too_many), load)


def fits(load: Weeks, more: Weeks, weekly_minutes: int) -> bool:
    """Say whether ``more`` leaves every week it costs something within the hours."""
    return all(
        extra <= 0 or now + extra <= weekly_minutes + _SLACK_MINUTES
        for now, extra in zip(load, more, strict=True)
    )


def _first_that_fits(
    days: Sequence[date],
    load: Weeks,
    weekly_minutes: int,
    cost_of: Callable[[date], Weeks],
    begun: Counter[date],
) -> date | None:
    """Return the first day that fits; a day with NEW_A_DAY of them comes last in its week."""
    for start in range(len(days)):
        if not fits(load, cost_of(days[start]), weekly_minutes):
            continue
        within = days[start].isocalendar()[:2]
        same_week = [day for day in days[start:] if day.isocalendar()[:2] == within]
        able = [day for day in same_week if fits(load, cost_of(day), weekly_minutes)]
        return min(able, key=lambda day: (begun[day] // NEW_A_DAY, day))
    return None
