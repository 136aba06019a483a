"""Keeping the roll-ups: written anew where something changed, and held against the rows.

What changed is said by triggers of the database (``models.TouchedDays``). Who rolls a clinic up
first takes away what was touched, then counts, in one transaction. Whatever said a word that
was taken away had been committed, and is counted: each statement sees what was committed
before it. The word of a change that is committed later was not there to be taken: it stays for
the next time, whether the change was counted yet or not.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import delete, func, insert, or_, select
from sqlalchemy.orm import Session

from outreach.accounts.models import Clinic
from outreach.accounts.rules import Scope
from outreach.among import among
from outreach.calls.models import Attempt
from outreach.clock import local_day
from outreach.orm import Model, insert_new
from outreach.planning.models import PlannedCall
from outreach.programmes.models import Enrolment
from outreach.reports import counted, courses
from outreach.reports.asked import Asked, Here
from outreach.reports.counted import Detail
from outreach.reports.courses import MARGIN, STAYING, EndedWeek
from outreach.reports.models import (
    DayCount,
    DialCount,
    RolledClinic,
    TouchedDays,
    TouchedEnrolment,
    WeekCount,
)
from outreach.reports.rules.period import DAY, EARLIEST, WEEK, Period, begin_of, covered
from outreach.reports.rules.tally import Tally, total_of

EVERYWHERE = Scope(0, everything=True, clinic_ids=frozenset())
# So much in one transaction. On SQLite whoever saves a call beside it waits until it ends: half
# a year of a clinic of 5,000 took 1.8 s.
DAYS_AT_ONCE, SQLITES_DAYS_AT_ONCE = 183, 31
ENROLMENTS_AT_ONCE = 200
LONGEST_WEEKS = 520  # No enrolment began more than ten years ago.

DayKey = tuple[date, int | None]
COUNTS = ("completed", "missed", "completed_by_primary", "dials", "reached")


def waiting(session: Session, clinics: Iterable[Clinic], *, now: datetime) -> list[int]:
    """Return the ids of clinics of which something is to be rolled up. Only reads."""
    touched = {
        clinic_id
        for model in (TouchedDays, TouchedEnrolment)
        for clinic_id in session.scalars(
            select(model.clinic_id).distinct().order_by(model.clinic_id)
        )
    }
    rows = session.execute(
        select(RolledClinic.clinic_id, RolledClinic.weeks_until_on).order_by(RolledClinic.clinic_id)
    )
    until = {row.clinic_id: row.weeks_until_on for row in rows}
    return [
        each.id
        for each in clinics
        if each.id in touched
        or until.get(each.id, EARLIEST) < Here.of(EVERYWHERE, each, now=now).today - DAY
    ]


def roll(session: Session, clinic_id: int, *, now: datetime) -> int:
    """Bring some of a clinic's roll-ups up to date; return how many days and enrolments.

    0: nothing is left to do. Whoever does the same at this moment waits, and so does whoever
    moves the clinic to another zone.
    """
    state = _held(session, clinic_id)
    here = Here.of(EVERYWHERE, _where_it_is(session, clinic_id), now=now)
    _turn_over(session, here, state)
    return _roll_days(session, here) + _roll_weeks(session, here)


def forget(session: Session, clinic_id: int, *, now: datetime) -> None:
    """Drop a clinic's roll-ups, so that all of them are counted anew."""
    _held(session, clinic_id).weeks_until_on = EARLIEST
    session.flush()
    for model in (DayCount, DialCount, WeekCount):
        session.execute(delete(model).where(model.clinic_id == clinic_id))
    session.add(TouchedDays(clinic_id=clinic_id, from_on=EARLIEST, until_on=None))
    _touch(session, Here.of(EVERYWHERE, _where_it_is(session, clinic_id), now=now), None)


def _held(session: Session, clinic_id: int) -> RolledClinic:
    insert_new(session, RolledClinic, [{"clinic_id": clinic_id, "weeks_until_on": EARLIEST}])
    return session.get_one(RolledClinic, clinic_id, with_for_update=True, populate_existing=True)


def _where_it_is(session: Session, clinic_id: int) -> Clinic:
    """Return a clinic whose zone stays what it is until the end of the transaction."""
    return session.get_one(
        Clinic, clinic_id, with_for_update={"read": True}, populate_existing=True
    )


def _turn_over(session: Session, here: Here, state: RolledClinic) -> None:
    """Touch the enrolments that have another week behind them since the last time.

    Or one less: who began before midnight may come after somebody who began later, and a clinic
    may move west. Weeks that were not over by this clock are taken back.
    """
    until_on = here.today - DAY
    first_on, last_on = sorted((until_on, state.weeks_until_on))
    days = (last_on - first_on).days
    if not days:
        return
    ended_on = [last_on - DAY * ago for ago in range(days)] if days < WEEK.days else None
    _touch(session, here, ended_on)
    state.weeks_until_on = until_on
    session.flush()


def _touch(session: Session, here: Here, ended_on: Sequence[date] | None) -> None:
    """Touch the clinic's enrolments, or those of which a week ended on one of these days."""
    found = select(Enrolment.clinic_id, Enrolment.id).where(here.within(Enrolment.clinic_id))
    if ended_on is not None:
        began_on = [
            day + DAY - timedelta(weeks=weeks)
            for day in ended_on
            for weeks in range(1, LONGEST_WEEKS)
        ]
        left_at = begin_of(min(ended_on), here.zone) - MARGIN
        found = found.where(
            or_(Enrolment.status.in_(STAYING), Enrolment.status_at >= left_at),
            Enrolment.starts_on.in_(began_on),
        )
    session.execute(
        insert(TouchedEnrolment).from_select(
            ["clinic_id", "enrolment_id"], found.order_by(Enrolment.id)
        )
    )


def _roll_days(session: Session, here: Here) -> int:
    touched = session.execute(
        delete(TouchedDays)
        .where(TouchedDays.clinic_id == here.clinic_id)
        .returning(TouchedDays.from_on, TouchedDays.until_on)
        .execution_options(synchronize_session=False)
    )
    stretches = {(first, last) for first, last in touched}
    if not stretches:
        return 0
    bounds = bounds_of(session, here)
    is_sqlite = session.get_bind().dialect.name == "sqlite"
    most = SQLITES_DAYS_AT_ONCE if is_sqlite else DAYS_AT_ONCE
    now_, later = _first_days(covered(stretches, bounds) if bounds else [], most)
    session.add_all(
        TouchedDays(clinic_id=here.clinic_id, from_on=each.from_on, until_on=each.until_on)
        for each in later
    )
    session.flush()
    for period in now_:
        _write_days(session, here.about(period))
    return max(1, sum(period.days for period in now_))


def _first_days(stretches: Iterable[Period], days: int) -> tuple[list[Period], list[Period]]:
    """Return the first so many days of some stretches, and the others."""
    first, others = [], []
    for each in stretches:
        if days <= 0:
            others.append(each)
        elif each.days <= days:
            first.append(each)
        else:
            last_on = each.from_on + DAY * (days - 1)
            first.append(Period(each.from_on, last_on))
            others.append(Period(last_on + DAY, each.until_on))
        days -= each.days
    return first, others


def bounds_of(session: Session, here: Here) -> Period | None:
    """Return the first and last day of which there is anything to count, or was."""
    clinic_id = here.clinic_id
    due = select(func.min(PlannedCall.due_on), func.max(PlannedCall.due_on))
    stored = select(func.min(DayCount.day), func.max(DayCount.day))
    at = select(func.min(Attempt.at), func.max(Attempt.at))
    days = [
        *session.execute(due.where(PlannedCall.clinic_id == clinic_id)).one(),
        *session.execute(stored.where(DayCount.clinic_id == clinic_id)).one(),
        *(
            each and local_day(each, here.zone)
            for each in session.execute(at.where(Attempt.clinic_id == clinic_id)).one()
        ),
    ]
    known = [day for day in days if day is not None]
    return Period(min(known), max(known)) if known else None


def _write_days(session: Session, asked: Asked) -> None:
    period = asked.period
    for model in (DayCount, DialCount):
        session.execute(
            delete(model).where(
                model.clinic_id == asked.clinic_id,
                model.day.between(period.from_on, period.until_on),
            )
        )
    days = [
        {"clinic_id": asked.clinic_id, "day": day, "caller_id": caller_id}
        | dict(zip(COUNTS, counts, strict=True))
        for (day, caller_id), counts in counted_days(session, asked).items()
    ]
    dials = [
        {"clinic_id": asked.clinic_id, "day": day, "dial": dial, "calls": calls}
        for (day, dial), (calls,) in counted_dials(session, asked).items()
    ]
    for model, rows in ((DayCount, days), (DialCount, dials)):
        _write(session, model, rows)


def counted_days(session: Session, asked: Asked) -> dict[DayKey, tuple[int, ...]]:
    """Return COUNTS of each day of the period and caller, from rows."""
    found: defaultdict[DayKey, list[Tally]] = defaultdict(list)
    for count in (counted.closed_calls, counted.dials):
        for each in count(session, asked, Detail.DAY):
            if each.day is not None:
                found[each.day, each.caller_id].append(each.tally)
    return {key: _counts(total_of(tallies)) for key, tallies in found.items()}


def _counts(tally: Tally) -> tuple[int, ...]:
    return tuple(getattr(tally, name) for name in COUNTS)


def counted_dials(session: Session, asked: Asked) -> dict[tuple[date, int], tuple[int]]:
    """Return the calls of each day of the period and dial, from rows."""
    rows = counted.by_dial(session, asked, are_open=False)
    return {(day, dial): (calls,) for day, dial, calls in rows}


def _roll_weeks(session: Session, here: Here) -> int:
    is_here = TouchedEnrolment.clinic_id == here.clinic_id
    ids = session.scalars(
        select(TouchedEnrolment.enrolment_id)
        .distinct()
        .where(is_here)
        .order_by(TouchedEnrolment.enrolment_id)
        .limit(ENROLMENTS_AT_ONCE)
    ).all()
    if not ids:
        return 0
    session.execute(
        delete(TouchedEnrolment)
        .where(is_here, among(TouchedEnrolment.enrolment_id, ids))
        .execution_options(synchronize_session=False)
    )
    session.execute(delete(WeekCount).where(among(WeekCount.enrolment_id, ids)))
    weeks = [as_row(each, here.clinic_id) for each in ended_weeks(session, here, ids)]
    _write(session, WeekCount, weeks)
    return len(ids)


def _write(session: Session, model: type[Model], rows: Sequence[dict[str, Any]]) -> None:
    """Write rows by the thousand, past what the session does for objects."""
    if rows:
        session.connection().execute(insert(model), rows)


def ended_weeks(session: Session, here: Here, ids: Sequence[int]) -> Iterator[EndedWeek]:
    """Yield every week of these enrolments that is over, from rows."""
    return courses.weeks(session, here.about(Period(EARLIEST, here.today - DAY)), ids)


def as_row(each: EndedWeek, clinic_id: int) -> dict[str, Any]:
    """Return a week as the roll-up keeps it."""
    return {
        "enrolment_id": each.enrolment_id,
        "number": each.week.number,
        "clinic_id": clinic_id,
        "patient_id": each.patient_id,
        "last_on": each.week.last_on,
        "phase": each.week.phase,
        "caller_id": each.caller_id,
        "calls": each.calls,
        "minutes": each.minutes,
        "is_kept": each.week.is_kept,
        "is_chosen": each.week.is_chosen,
    }
