"""Calls and dials of some days, counted from rows.

What stands in the roll-ups was counted here, and what does not stand there yet is.
"""

import enum
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime
from functools import lru_cache
from itertools import groupby
from typing import Any, NamedTuple

from sqlalchemy import (
    ColumnElement,
    Integer,
    Subquery,
    TextClause,
    and_,
    case,
    cast,
    exists,
    func,
    or_,
    select,
    text,
)
from sqlalchemy.orm import Session

from outreach.calls.models import Attempt
from outreach.calls.rules import REACHED
from outreach.clock import local_day
from outreach.panels.models import PanelMembership
from outreach.planning.models import PlannedCall
from outreach.planning.rules import CallStatus
from outreach.programmes.models import Enrolment
from outreach.reports import known
from outreach.reports.asked import Asked
from outreach.reports.known import COMPLETING
from outreach.reports.rules.period import DAY, Period, begin_of
from outreach.reports.rules.tally import Tally
from outreach.sql import table_of_days

# As the partial index says it: as a parameter, no database sees that one serves.
IS_CANCELLED = text("planned_call.status = 'cancelled'")
CLOSED = (CallStatus.COMPLETED.value, CallStatus.MISSED.value)


class Detail(enum.Enum):
    """How finely the database counts: by caller, by day too, by patient and phase too."""

    CALLER = 1
    DAY = 2
    PATIENT = 3


class Dialled(NamedTuple):
    """``calls`` of one patient, due on one day, by the dial that reached; 0: none did."""

    caller_id: int | None
    patient_id: int
    phase: str
    due_on: date
    dial: int
    calls: int


_DEPTH = {Detail.CALLER: 0, Detail.DAY: 1, Detail.PATIENT: 3}


@dataclass(frozen=True)
class Counted:
    """So much of something, and where it belongs; None: nobody, or not asked for."""

    tally: Tally
    caller_id: int | None
    day: date | None = None
    patient_id: int | None = None
    phase: str | None = None


def closed_calls(session: Session, asked: Asked, detail: Detail) -> Iterator[Counted]:
    """Count planned calls that were completed or missed, by who was the caller.

    That is who held the panel membership as the due day ended.
    """
    status = known.call_status(asked)
    by_primary = exists().where(
        Attempt.planned_call_id == PlannedCall.id,
        Attempt.outcome.in_(COMPLETING),
        Attempt.is_primary_caller.is_(True),
        known.counts(asked),
    )
    is_completed = status == CallStatus.COMPLETED.value
    counts = (
        _count(is_completed),
        _count(status == CallStatus.MISSED.value),
        _count(and_(is_completed, by_primary)),
    )
    rows = _calls(session, asked, detail, counts, status.in_(CLOSED))
    for completed, missed, own, *where in rows:
        tally = Tally(completed=completed, missed=missed, completed_by_primary=own)
        yield Counted(tally, *where)


def open_calls(session: Session, asked: Asked, detail: Detail) -> Iterator[Counted]:
    """Count planned calls that are open: as missed where their last day has passed.

    There is one an enrolment at most. So they are found by enrolment, and whoever was the
    caller is told here, instead of passing over all that were ever closed.
    """
    if asked.is_past:
        yield from _calls_open_then(session, asked, detail)
        return
    rows = session.execute(
        select(
            PlannedCall.id,
            PlannedCall.due_on,
            PlannedCall.complete_by_on,
            PlannedCall.patient_id,
            PlannedCall.phase,
            PanelMembership.caller_id,
            PanelMembership.from_at,
            PanelMembership.until_at,
        )
        .select_from(Enrolment)
        .join(PlannedCall, and_(PlannedCall.enrolment_id == Enrolment.id, PlannedCall.is_open))
        .outerjoin(PanelMembership, PanelMembership.enrolment_id == Enrolment.id)
        .where(
            asked.within(Enrolment.clinic_id),
            PlannedCall.due_on.between(asked.period.from_on, asked.period.until_on),
        )
        .order_by(PlannedCall.id, PanelMembership.from_at)
    )
    ends_at = lru_cache(maxsize=None)(lambda day: begin_of(day + DAY, asked.zone))
    for _call_id, held in groupby(rows, key=lambda row: row.id):
        spells = list(held)
        call = spells[0]
        holder = next((each for each in spells if _holds(each, ends_at(call.due_on))), None)
        is_late = call.complete_by_on < asked.today
        is_now = not is_late and call.due_on <= asked.today
        where = (call.due_on, call.patient_id, call.phase)[: _DEPTH[detail]]
        tally = Tally(missed=int(is_late), still_open=int(is_now))
        yield Counted(tally, holder.caller_id if holder else None, *where)


def cancelled_calls(session: Session, asked: Asked, detail: Detail) -> Iterator[Counted]:
    """Count planned calls that the programme cancelled, of those that would be due by now."""
    period = asked.period
    if period.from_on > asked.today:
        return
    # Bounded by the days it joins: see _calls.
    asked = replace(asked, period=Period(period.from_on, min(period.until_on, asked.today)))
    then = known.call_status(asked) == CallStatus.CANCELLED.value
    is_cancelled = then if asked.is_past else IS_CANCELLED
    for cancelled, *where in _calls(session, asked, detail, (func.count(),), is_cancelled):
        yield Counted(Tally(cancelled=cancelled), *where)


def _holds(spell: Any, at: datetime) -> bool:
    return (
        spell.from_at is not None
        and spell.from_at < at
        and (spell.until_at is None or spell.until_at >= at)
    )


def _calls_open_then(session: Session, asked: Asked, detail: Detail) -> Iterator[Counted]:
    last_on = known.last_day(asked)
    counts = (
        _count(last_on < asked.today),
        _count(and_(PlannedCall.due_on <= asked.today, last_on >= asked.today)),
    )
    is_open = known.call_status(asked) == CallStatus.PLANNED.value
    for missed, still_open, *where in _calls(session, asked, detail, counts, is_open):
        yield Counted(Tally(missed=missed, still_open=still_open), *where)


def dials(session: Session, asked: Asked, detail: Detail) -> Iterator[Counted]:
    """Count dials by the caller who dialled, on the clinic's day."""
    begins_at, ends_at = asked.instants
    counted = select(func.count(), _count(Attempt.outcome.in_(REACHED)), Attempt.caller_id).where(
        asked.within(Attempt.clinic_id), known.counts(asked)
    )
    finely: tuple[Any, ...] = ()
    if detail is not Detail.DAY:  # bounded by the days it joins: see _calls
        counted = counted.where(Attempt.at >= begins_at, Attempt.at < ends_at)
    if detail is Detail.DAY:
        days = table_of_days(asked.each_day())
        is_of_day = and_(Attempt.at >= days.c.begins_at, Attempt.at < days.c.ends_at)
        counted, finely = counted.join(days, is_of_day), (days.c.day,)
    elif detail is Detail.PATIENT:
        counted = counted.join(PlannedCall, PlannedCall.id == Attempt.planned_call_id)
        finely = (Attempt.at, Attempt.patient_id, PlannedCall.phase)
    groups = (Attempt.caller_id, *finely)
    rows = session.execute(counted.add_columns(*finely).group_by(*groups).order_by(*groups))
    for count, reached, caller_id, *where in rows:
        if detail is Detail.PATIENT:
            where[0] = local_day(where[0], asked.zone)
        yield Counted(Tally(dials=count, reached=reached), caller_id, *where)


def by_dial(
    session: Session, asked: Asked, *, are_open: bool | None = None
) -> Iterator[tuple[date, int, int]]:
    """Yield (day, dial, calls): of calls due on a day, with which dial the patient was reached.

    Those that were dialled and are completed or missed; dial 0: not reached. With ``are_open``
    only those that nobody closed yet, or only those that somebody did.
    """
    first = _dialled(asked, are_open=are_open)
    groups = (first.c.due_on, first.c.dial)
    counts = select(*groups, func.count()).group_by(*groups).order_by(*groups)
    yield from session.execute(counts)


def dialled(session: Session, asked: Asked) -> Iterator[Dialled]:
    """Yield the calls that were dialled and are judged, finely enough for every group."""
    first, holder = _dialled(asked, are_open=None), PanelMembership
    days = table_of_days(asked.each_day())
    groups = (
        holder.caller_id, PlannedCall.patient_id, PlannedCall.phase, PlannedCall.due_on,
        first.c.dial,
    )  # fmt: skip
    rows = session.execute(
        select(*groups, func.count())
        .select_from(first)
        .join(PlannedCall, PlannedCall.id == first.c.planned_call_id)
        .join(days, days.c.day == PlannedCall.due_on)
        .outerjoin(holder, is_holder(asked, days.c.ends_at))
        .group_by(*groups)
        .order_by(*groups)
    )
    for row in rows:
        yield Dialled(*row)


def people_by_dial(session: Session, asked: Asked, dial: int) -> list[tuple[int, int, int]]:
    """Return (patient, calls reached by a dial or an earlier one, calls dialled)."""
    first = _dialled(asked, are_open=None)
    reached = _count(first.c.dial.between(1, dial))
    rows = session.execute(
        select(first.c.patient_id, reached, func.count())
        .group_by(first.c.patient_id)
        .order_by(first.c.patient_id)
    )
    return [(patient_id, calls, dialled) for patient_id, calls, dialled in rows]


def _dialled(asked: Asked, *, are_open: bool | None) -> Subquery:
    """Return the calls that were dialled and are judged, with the dial that reached."""
    numbered = (
        select(
            Attempt.planned_call_id,
            PlannedCall.due_on,
            PlannedCall.patient_id,
            Attempt.outcome,
            func.row_number()
            .over(partition_by=Attempt.planned_call_id, order_by=(Attempt.at, Attempt.id))
            .label("dial"),
        )
        .join(PlannedCall, PlannedCall.id == Attempt.planned_call_id)
        .join(Enrolment, Enrolment.id == PlannedCall.enrolment_id)
        .where(
            asked.within((Enrolment if are_open else PlannedCall).clinic_id),
            PlannedCall.due_on.between(asked.period.from_on, asked.period.until_on),
            known.is_planned(asked),
            _is_judged(asked, are_open=are_open),
            known.counts(asked),
        )
        .subquery()
    )
    reached = case((numbered.c.outcome.in_(REACHED), numbered.c.dial))
    of_a_call = (numbered.c.planned_call_id, numbered.c.due_on, numbered.c.patient_id)
    return (
        select(*of_a_call, func.coalesce(func.min(reached), 0).label("dial"))
        .group_by(*of_a_call)
        .subquery()
    )


def _is_judged(asked: Asked, *, are_open: bool | None) -> ColumnElement[bool]:
    """Return the condition of calls of which it is known whether they were completed."""
    status = known.call_status(asked)
    is_closed = status.in_(CLOSED)
    is_open = status == CallStatus.PLANNED.value if asked.is_past else PlannedCall.is_open
    is_late = and_(is_open, known.last_day(asked) < asked.today)
    if are_open is None:
        return or_(is_closed, is_late)
    return is_late if are_open else is_closed


def _calls(
    session: Session,
    asked: Asked,
    detail: Detail,
    counts: tuple[ColumnElement[int], ...],
    condition: ColumnElement[bool] | TextClause,
) -> Iterator[Any]:
    days, holder = table_of_days(asked.each_day()), PanelMembership
    finely: tuple[Any, ...] = {
        Detail.CALLER: (),
        Detail.DAY: (PlannedCall.due_on,),
        Detail.PATIENT: (PlannedCall.due_on, PlannedCall.patient_id, PlannedCall.phase),
    }[detail]
    groups = (holder.caller_id, *finely)
    yield from session.execute(
        select(*counts, *groups)
        .select_from(PlannedCall)
        .join(days, days.c.day == PlannedCall.due_on)
        .outerjoin(holder, is_holder(asked, days.c.ends_at))
        # The days are bounded by the join. Saying it twice leads SQLite to read them all for each.
        .where(asked.within(PlannedCall.clinic_id), known.is_planned(asked), condition)
        .group_by(*groups)
        .order_by(*groups)
    )


def is_holder(asked: Asked, ends_at: ColumnElement[datetime]) -> ColumnElement[bool]:
    """Return the condition of the panel membership that held a planned call as its day ended."""
    holder, until_at = PanelMembership, PanelMembership.until_at
    conditions = [
        holder.patient_id == PlannedCall.patient_id,
        holder.enrolment_id == PlannedCall.enrolment_id,
        holder.from_at < ends_at,
        or_(until_at.is_(None), until_at >= ends_at),
    ]
    if asked.is_past:  # whoever ended later had no end yet
        conditions[-1] = or_(conditions[-1], until_at > asked.now)
        conditions.append(holder.from_at <= asked.now)
    return and_(*conditions)


def _count(condition: ColumnElement[bool]) -> ColumnElement[int]:
    return cast(func.coalesce(func.sum(case((condition, 1), else_=0)), 0), Integer)
