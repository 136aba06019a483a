"""Roll-ups held against the rows they were counted from, day by day and week by week."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from outreach.accounts.models import Clinic
from outreach.among import among
from outreach.programmes.models import Enrolment
from outreach.reports import rolled, rollups
from outreach.reports.asked import Asked, Here
from outreach.reports.models import DayCount, DialCount, TouchedEnrolment, WeekCount
from outreach.reports.rules.period import DAY, Period, begin_of

Place = tuple[Any, ...]
Counts = tuple[Any, ...]
_OF_WEEK = (
    WeekCount.patient_id,
    WeekCount.last_on,
    WeekCount.phase,
    WeekCount.caller_id,
    WeekCount.calls,
    WeekCount.minutes,
    WeekCount.is_kept,
    WeekCount.is_chosen,
)


@dataclass(frozen=True)
class Difference:
    """Something of a clinic for which roll-up and rows don't say the same.

    ``place`` is a day and a caller or dial, or an enrolment and a week. None: no row.
    """

    table: str
    place: Place
    rolled: Counts | None
    counted: Counts | None


def differences(session: Session, clinic: Clinic, *, now: datetime) -> Iterator[Difference]:
    """Yield where a clinic's roll-ups differ from its rows.

    What was touched and is not rolled up yet is counted from rows anyway, and left out. The
    session must see one state of the database all along.
    """
    here = Here.of(rollups.EVERYWHERE, clinic, now=now)
    bounds = rollups.bounds_of(session, here)
    if bounds is not None:
        yield from _days_that_differ(session, here.about(bounds))
    yield from _weeks_that_differ(session, here)


def _days_that_differ(session: Session, asked: Asked) -> Iterator[Difference]:
    touched = {day for each in rolled.touched_days(session, asked) for day in each.each_day()}
    for period in _months(asked.period):
        about = asked.about(period)
        yield from _differing(
            "days by caller",
            _stored_days(session, about),
            rollups.counted_days(session, about),
            touched,
        )
        yield from _differing(
            "days by dial",
            _stored_dials(session, about),
            rollups.counted_dials(session, about),
            touched,
        )


def _stored_days(session: Session, asked: Asked) -> dict[Place, Counts]:
    rows = session.execute(
        select(
            DayCount.day,
            DayCount.caller_id,
            *(getattr(DayCount, name) for name in rollups.COUNTS),
        )
        .where(
            asked.within(DayCount.clinic_id),
            DayCount.day.between(asked.period.from_on, asked.period.until_on),
        )
        .order_by(DayCount.day, DayCount.caller_id)
    )
    return {(day, caller_id): tuple(counts) for day, caller_id, *counts in rows}


def _stored_dials(session: Session, asked: Asked) -> dict[Place, Counts]:
    rows = session.execute(
        select(DialCount.day, DialCount.dial, DialCount.calls)
        .where(
            asked.within(DialCount.clinic_id),
            DialCount.day.between(asked.period.from_on, asked.period.until_on),
        )
        .order_by(DialCount.day, DialCount.dial)
    )
    return {(day, dial): (calls,) for day, dial, calls in rows}


def _months(period: Period) -> Iterator[Period]:
    first = period.from_on
    while first <= period.until_on:
        last = min(first + DAY * (rollups.DAYS_AT_ONCE - 1), period.until_on)
        yield Period(first, last)
        first = last + DAY


def _weeks_that_differ(session: Session, here: Here) -> Iterator[Difference]:
    touched = select(TouchedEnrolment.enrolment_id).where(
        TouchedEnrolment.clinic_id == here.clinic_id
    )
    ids = session.scalars(
        select(Enrolment.id)
        .where(here.within(Enrolment.clinic_id), Enrolment.id.not_in(touched))
        .order_by(Enrolment.id)
    ).all()
    until_on = rolled.rolled_until(session, here)
    if until_on is None:
        return
    # As it stood then: a window of two weeks may have closed since.
    here = replace(here, now=begin_of(until_on + DAY, here.zone))
    for first in range(0, len(ids), rollups.ENROLMENTS_AT_ONCE):
        some = ids[first : first + rollups.ENROLMENTS_AT_ONCE]
        stored = session.execute(
            select(WeekCount.enrolment_id, WeekCount.number, *_OF_WEEK)
            .where(among(WeekCount.enrolment_id, some))
            .order_by(WeekCount.enrolment_id, WeekCount.number)
        )
        ours = {(one, number): tuple(rest) for one, number, *rest in stored}
        theirs = {
            (each.enrolment_id, each.week.number): tuple(
                rollups.as_row(each, here.clinic_id)[column.key] for column in _OF_WEEK
            )
            for each in rollups.ended_weeks(session, here, some)
        }
        yield from _differing("weeks by enrolment", ours, theirs, set())


def _differing(
    table: str, ours: Mapping[Any, Counts], theirs: Mapping[Any, Counts], touched: Collection[date]
) -> Iterator[Difference]:
    for place in sorted({*ours, *theirs}, key=lambda place: (place[0], place[1] or 0)):
        if place[0] not in touched and ours.get(place) != theirs.get(place):
            yield Difference(table, place, ours.get(place), theirs.get(place))
