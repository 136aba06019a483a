"""What the roll-ups say of some days; days and weeks that changed since are counted from rows."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Select, and_, func, not_, or_, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from outreach.among import among
from outreach.reports import counted, courses
from outreach.reports.asked import Asked, Here
from outreach.reports.counted import Counted, Detail
from outreach.reports.models import (
    DayCount,
    DialCount,
    RolledClinic,
    TouchedDays,
    TouchedEnrolment,
    WeekCount,
)
from outreach.reports.rules.period import DAY, Period, covered
from outreach.reports.rules.tally import Tally


class WeekGroup(NamedTuple):
    """``weeks`` patient-weeks that have all of this in common. None: not asked for, or nobody.

    ``is_chosen``: of a phase in which patients choose how often they are called.
    """

    weeks: int
    caller_id: int | None
    calls: int
    minutes: int
    is_kept: bool | None
    is_chosen: bool
    last_on: date | None = None
    patient_id: int | None = None
    phase: str | None = None


def closed_calls_and_dials(session: Session, asked: Asked, *, by_day: bool) -> Iterator[Counted]:
    """Count the closed calls and the dials of the period by caller, or by caller and day."""
    touched = touched_days(session, asked)
    day: tuple[InstrumentedAttribute[date], ...] = (DayCount.day,) if by_day else ()
    groups = (DayCount.caller_id, *day)
    counts = (
        DayCount.completed,
        DayCount.missed,
        DayCount.completed_by_primary,
        DayCount.dials,
        DayCount.reached,
    )
    rows = session.execute(
        select(*map(func.sum, counts), *groups)
        .where(asked.within(DayCount.clinic_id), _is_fresh(DayCount.day, asked, touched))
        .group_by(*groups)
        .order_by(*groups)
    )
    for completed, missed, own, dials, reached, *where in rows:
        tally = Tally(
            completed=int(completed),
            missed=int(missed),
            completed_by_primary=int(own),
            dials=int(dials),
            reached=int(reached),
        )
        yield Counted(tally, *where)
    detail = Detail.DAY if by_day else Detail.CALLER
    for period in touched:
        yield from counted.closed_calls(session, replace(asked, period=period), detail)
        yield from counted.dials(session, replace(asked, period=period), detail)


def each_day_dialled(
    session: Session, asked: Asked, touched: Sequence[Period]
) -> Iterator[tuple[int, date]]:
    """Yield each day of the period on which a caller dialled, with whose it is.

    ``touched``: the days whose roll-up does not hold.
    """
    touched = [asked.period] if asked.is_past else touched
    if not asked.is_past:
        rows = session.execute(
            select(DayCount.caller_id, DayCount.day)
            .where(
                asked.within(DayCount.clinic_id),
                _is_fresh(DayCount.day, asked, touched),
                DayCount.dials > 0,
                DayCount.caller_id.is_not(None),
            )
            .order_by(DayCount.caller_id, DayCount.day)
        )
        yield from ((caller_id, day) for caller_id, day in rows if caller_id is not None)
    for period in touched:
        for each in counted.dials(session, replace(asked, period=period), Detail.DAY):
            if each.caller_id is not None and each.day is not None:
                yield each.caller_id, each.day


def days_dialled_by(session: Session, asked: Asked, caller_id: int) -> dict[date, tuple[int, int]]:
    """Return (dials, dials that reached) of each day of the period on which a caller dialled."""
    touched = [asked.period] if asked.is_past else touched_days(session, asked)
    found: dict[date, tuple[int, int]] = {}
    if not asked.is_past:
        rows = session.execute(
            select(DayCount.day, DayCount.dials, DayCount.reached)
            .where(
                asked.within(DayCount.clinic_id),
                _is_fresh(DayCount.day, asked, touched),
                DayCount.dials > 0,
                DayCount.caller_id == caller_id,
            )
            .order_by(DayCount.day)
        )
        found = {day: (dials, reached) for day, dials, reached in rows}
    for period in touched:
        for each in counted.dials(session, replace(asked, period=period), Detail.DAY):
            if each.caller_id == caller_id and each.day is not None:
                found[each.day] = (each.tally.dials, each.tally.reached)
    return found


def by_dial(session: Session, asked: Asked, touched: Sequence[Period]) -> Iterator[tuple[int, int]]:
    """Yield (dial, calls) as ``counted.by_dial`` does, of calls that somebody closed."""
    rows = session.execute(
        select(DialCount.dial, func.sum(DialCount.calls))
        .where(asked.within(DialCount.clinic_id), _is_fresh(DialCount.day, asked, touched))
        .group_by(DialCount.dial)
        .order_by(DialCount.dial)
    )
    for dial, calls in rows:
        yield dial, int(calls)
    for period in touched:
        found = counted.by_dial(session, replace(asked, period=period), are_open=False)
        for _day, dial, calls in found:
            yield dial, calls


def weeks(session: Session, asked: Asked, detail: Detail) -> Iterator[WeekGroup]:
    """Yield the patient-weeks of the period that are over."""
    if asked.is_past:
        yield from _grouped(session, asked, None)
        return
    period, until_on = asked.period, rolled_until(session, asked)
    stale = _stale_enrolments(session, asked, until_on) if until_on else []
    if until_on:
        yield from _rolled_weeks(session, asked, detail, until_on, stale)
    if stale and until_on and period.from_on <= until_on:
        first = replace(asked, period=Period(period.from_on, min(period.until_on, until_on)))
        yield from _grouped(session, first, stale)
    later_on = max(period.from_on, until_on + DAY) if until_on else period.from_on
    if later_on <= min(period.until_on, asked.today - DAY):
        later = replace(asked, period=Period(later_on, period.until_on))
        yield from _grouped(session, later, None)


def _rolled_weeks(
    session: Session, asked: Asked, detail: Detail, until_on: date, stale: Sequence[int]
) -> Iterator[WeekGroup]:
    finely = {
        Detail.CALLER: (),
        Detail.DAY: (WeekCount.last_on,),
        Detail.PATIENT: (WeekCount.last_on, WeekCount.patient_id, WeekCount.phase),
    }[detail]
    groups = (
        WeekCount.caller_id,
        WeekCount.calls,
        WeekCount.minutes,
        WeekCount.is_kept,
        WeekCount.is_chosen,
        *finely,
    )
    period = asked.period
    last_on = min(period.until_on, until_on, asked.today - DAY)
    found: Select[*tuple[Any, ...]] = select(func.count(), *groups).where(
        asked.within(WeekCount.clinic_id), WeekCount.last_on.between(period.from_on, last_on)
    )
    if stale:
        found = found.where(not_(among(WeekCount.enrolment_id, stale)))
    for row in session.execute(found.group_by(*groups).order_by(*groups)):
        yield WeekGroup(*row)


def _grouped(
    session: Session, asked: Asked, enrolment_ids: Sequence[int] | None
) -> Iterator[WeekGroup]:
    for each in courses.weeks(session, asked, enrolment_ids):
        yield WeekGroup(
            1,
            each.caller_id,
            each.calls,
            each.minutes,
            each.week.is_kept,
            each.week.is_chosen,
            each.week.last_on,
            each.patient_id,
            each.week.phase,
        )


def touched_days(session: Session, asked: Asked) -> list[Period]:
    """Return the days of the period whose roll-up no longer holds."""
    period = asked.period
    rows = session.execute(
        select(TouchedDays.from_on, TouchedDays.until_on)
        .distinct()
        .where(
            TouchedDays.clinic_id == asked.clinic_id,
            TouchedDays.from_on <= period.until_on,
            or_(TouchedDays.until_on.is_(None), TouchedDays.until_on >= period.from_on),
        )
        .order_by(TouchedDays.from_on)
    )
    return covered(((first, last) for first, last in rows), period)


def _stale_enrolments(session: Session, asked: Asked, until_on: date) -> list[int]:
    """Return the enrolments whose rolled up weeks no longer hold.

    Those touched; and where days went by since, those with a week whose window was open.
    """
    touched = TouchedEnrolment
    found = set(
        session.scalars(
            select(touched.enrolment_id)
            .where(touched.clinic_id == asked.clinic_id)
            .distinct()
            .order_by(touched.enrolment_id)
        )
    )
    if until_on < asked.today - DAY:
        found.update(
            session.scalars(
                select(WeekCount.enrolment_id)
                .where(asked.within(WeekCount.clinic_id), WeekCount.is_kept.is_(None))
                .distinct()
                .order_by(WeekCount.enrolment_id)
            )
        )
    return sorted(found)


def rolled_until(session: Session, here: Here) -> date | None:
    """Return the last day whose weeks are rolled up; None where no week is."""
    return session.scalar(
        select(RolledClinic.weeks_until_on).where(here.within(RolledClinic.clinic_id))
    )


def _is_fresh(
    day: InstrumentedAttribute[date], asked: Asked, touched: Sequence[Period]
) -> ColumnElement[bool]:
    period = asked.period
    stale = (day.between(each.from_on, each.until_on) for each in touched)
    return and_(day.between(period.from_on, period.until_on), *map(not_, stale))
