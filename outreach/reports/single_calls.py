"""The single calls behind a figure of the adherence report: planned ones, or dials.

Each line says whether it is in the numerator; all lines are the denominator. Held to the report
by a test over random histories.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Date,
    Row,
    Select,
    and_,
    case,
    exists,
    func,
    literal,
    not_,
    null,
    or_,
    select,
    tuple_,
    type_coerce,
)
from sqlalchemy.orm import Session

from outreach.accounts.models import StaffMember
from outreach.accounts.rules import Scope
from outreach.accounts.scoping import visible
from outreach.among import among
from outreach.calls.models import Attempt
from outreach.calls.rules import REACHED, Outcome
from outreach.orm import UTCDateTime
from outreach.panels.models import PanelMembership
from outreach.patients.models import Patient
from outreach.planning.models import PlannedCall
from outreach.planning.rules import CallStatus
from outreach.reports import breakdown, counted, known
from outreach.reports.asked import Asked
from outreach.reports.breakdown import Dimension
from outreach.reports.known import COMPLETING
from outreach.reports.rules.period import DAY, begin_of
from outreach.reports.rules.tally import Measure
from outreach.sql import table_of_days
from outreach.web.bounded import whole

PAGE = 100
# What each figure counts: planned calls that were due or completed, or dials.
APART = frozenset({Measure.STILL_OPEN, Measure.CANCELLED})
PLANNED = frozenset({Measure.COMPLETION, Measure.CONTINUITY, *APART})
DIALS = frozenset({Measure.REACH_PER_DIAL, Measure.DIALS_PER_REACH})
COUNTED = PLANNED | DIALS

Group = tuple[Dimension, str]
Place = tuple[ColumnElement[Any], int]


@dataclass(frozen=True)
class Call:
    """One planned call, or one dial. ``id`` is that of its row.

    ``at`` and ``outcome`` are of a dial; of a planned call those with which it was completed,
    None where it wasn't. ``caller`` dialled, or had the patient as the due day ended.
    ``status`` is where a planned call stands; None of a dial.
    """

    id: int
    ref: str
    name: str
    record_number: str
    due_on: date
    phase: str
    caller: str | None
    at: datetime | None
    outcome: Outcome | None
    minutes: int | None
    status: CallStatus | None
    is_in: bool

    @property
    def ended(self) -> str:
        """How it ended in one word; "" where it was missed."""
        if self.outcome is not None:
            return self.outcome.value
        words = {CallStatus.PLANNED: "still open", CallStatus.CANCELLED: "cancelled"}
        return words.get(self.status, "") if self.status else ""


@dataclass(frozen=True)
class Page:
    """Some of ``total`` calls, the newest first; ``counted`` of all are in the numerator.

    ``mark``: after which the next page begins, as addresses carry it; None where none follows.
    """

    calls: list[Call]
    total: int
    counted: int
    mark: str | None


def page(
    session: Session,
    asked: Asked,
    measure: Measure,
    group: Group | None,
    *,
    after: str | None = None,
) -> Page:
    """Return the calls behind a figure, those that follow a :class:`Page`'s mark.

    The row of the mark may have left the list since.

    Raises:
        KeyError: no calls are behind this figure.
        ValueError: no page has such a mark.
    """
    found = _statement(session, asked, measure, group)
    total, counted = _sums(session, found)
    place = _place(measure, after) if after is not None else None
    rows = session.execute(_after(found, place).limit(PAGE + 1)).all()
    mark = f"{rows[PAGE - 1].key.isoformat()}_{rows[PAGE - 1].id}" if len(rows) > PAGE else None
    return Page([_call(row) for row in rows[:PAGE]], total, counted, mark)


def everything(
    session: Session, scope: Scope, asked: Asked, measure: Measure, group: Group | None
) -> tuple[int, Iterator[Call]]:
    """Return how many calls are behind a figure, and all of them, read as they are taken.

    Only those of patients whom ``scope`` shows: unlike a page, a file names everybody in it.
    """
    found = _statement(session, asked, measure, group).where(
        visible(scope, Patient.clinic_id, Patient.id)
    )
    rows = session.execute(_after(found, None).execution_options(yield_per=1000))
    return _sums(session, found)[0], (_call(row) for row in rows)


def _call(row: Row[*tuple[Any, ...]]) -> Call:
    _key, call_id, ref, given_name, family_name, *rest = tuple(row)
    return Call(call_id, ref, f"{given_name} {family_name}", *rest)


def _sums(session: Session, found: Select[Any]) -> tuple[int, int]:
    rows = found.order_by(None).subquery()
    counted = func.coalesce(func.sum(case((rows.c.is_in, 1), else_=0)), 0)
    total, in_it = session.execute(select(func.count(), counted).select_from(rows)).one()
    return int(total), int(in_it)


def _place(measure: Measure, mark: str) -> Place:
    """Return the place in the list that a mark tells: planned calls by day, dials by instant."""
    text, _, number = mark.partition("_")
    row_id = whole(number)
    if row_id is None:
        raise ValueError(mark)
    if measure in PLANNED:
        return literal(date.fromisoformat(text), Date), row_id
    at = datetime.fromisoformat(text)
    if at.utcoffset() != timedelta():
        raise ValueError(mark)
    return literal(at, UTCDateTime), row_id


def _after(found: Select[Any], place: Place | None) -> Select[Any]:
    rows = found.subquery()
    chosen = select(rows).order_by(rows.c.key.desc(), rows.c.id.desc())
    if place is None:
        return chosen
    key, row_id = place
    return chosen.where(tuple_(rows.c.key, rows.c.id) < tuple_(key, literal(row_id)))


def _statement(
    session: Session, asked: Asked, measure: Measure, group: Group | None
) -> Select[Any]:
    if measure in PLANNED:
        return _planned(session, asked, measure, group)
    if measure in DIALS:
        return _dials(session, asked, group)
    raise KeyError(measure)


def _planned(session: Session, asked: Asked, measure: Measure, group: Group | None) -> Select[Any]:
    """Select planned calls of the period as the report counts them: all for those kept APART."""
    days = table_of_days(asked.each_day())
    holder, done, call = PanelMembership, Attempt, PlannedCall
    status = known.call_status(asked)
    completed = status == CallStatus.COMPLETED.value
    is_open, is_late = status == CallStatus.PLANNED.value, known.last_day(asked) < asked.today
    missed = or_(status == CallStatus.MISSED.value, and_(is_open, is_late))
    has_come = call.due_on <= asked.today
    still_open = and_(is_open, not_(is_late), has_come)
    cancelled = and_(status == CallStatus.CANCELLED.value, has_come)
    completing = (
        done.planned_call_id == call.id,
        done.outcome.in_(COMPLETING),
        known.counts(asked),
    )
    own = exists().where(*completing, done.is_primary_caller.is_(True)).correlate(call)
    first = select(func.min(done.id)).where(*completing).correlate(call).scalar_subquery()
    counts: ColumnElement[bool] = {
        Measure.COMPLETION: completed,
        Measure.CONTINUITY: own,
        Measure.STILL_OPEN: still_open,
        Measure.CANCELLED: cancelled,
    }[measure]
    stands = case(
        (completed, CallStatus.COMPLETED.value),
        (cancelled, CallStatus.CANCELLED.value),
        (still_open, CallStatus.PLANNED.value),
        else_=CallStatus.MISSED.value,
    )
    listed = completed if measure is Measure.CONTINUITY else or_(completed, missed)
    if measure in APART:
        listed = or_(listed, still_open, cancelled)
    by = {
        Dimension.CALLER: holder.caller_id,
        Dimension.PHASE: call.phase,
        Dimension.WEEK: call.due_on,
    }
    return (
        select(
            call.due_on.label("key"),
            call.id.label("id"),
            *_of_patient(),
            call.due_on,
            call.phase,
            StaffMember.name.label("caller"),
            done.at,
            done.outcome,
            done.minutes,
            type_coerce(stands, call.status.type).label("status"),
            counts.label("is_in"),
        )
        .select_from(call)
        .join(days, days.c.day == call.due_on)
        .join(Patient, Patient.id == call.patient_id)
        .outerjoin(holder, counted.is_holder(asked, days.c.ends_at))
        .outerjoin(StaffMember, StaffMember.id == holder.caller_id)
        .outerjoin(done, done.id == first)
        .where(
            asked.within(call.clinic_id),
            known.is_planned(asked),
            listed,
            *_of_group(session, asked, group, call.patient_id, by),
        )
    )


def _dials(session: Session, asked: Asked, group: Group | None) -> Select[Any]:
    """Select the dials of the period that count."""
    begins_at, ends_at = asked.instants
    by = {
        Dimension.CALLER: Attempt.caller_id,
        Dimension.PHASE: PlannedCall.phase,
        Dimension.WEEK: Attempt.at,
    }
    return (
        select(
            Attempt.at.label("key"),
            Attempt.id.label("id"),
            *_of_patient(),
            PlannedCall.due_on,
            PlannedCall.phase,
            StaffMember.name.label("caller"),
            Attempt.at,
            Attempt.outcome,
            Attempt.minutes,
            null().label("status"),
            Attempt.outcome.in_(REACHED).label("is_in"),
        )
        .join(PlannedCall, PlannedCall.id == Attempt.planned_call_id)
        .join(Patient, Patient.id == Attempt.patient_id)
        .join(StaffMember, StaffMember.id == Attempt.caller_id)
        .where(
            asked.within(Attempt.clinic_id),
            Attempt.at >= begins_at,
            Attempt.at < ends_at,
            known.counts(asked),
            *_of_group(session, asked, group, Attempt.patient_id, by),
        )
    )


def _of_patient() -> tuple[ColumnElement[Any], ...]:
    return (
        Patient.ref.label("ref"),
        Patient.given_name.label("given_name"),
        Patient.family_name.label("family_name"),
        Patient.record_number.label("record"),
    )


def _of_group(
    session: Session,
    asked: Asked,
    group: Group | None,
    patient_id: Any,
    by: Mapping[Dimension, Any],
) -> Iterator[ColumnElement[bool]]:
    """Yield the condition of one group, as ``breakdown`` puts calls into it."""
    if group is None:
        return
    dimension, key = group
    if dimension.is_about_patients:
        groups = breakdown.patient_groups(
            session, asked, dimension, on=asked.period.until_on, then=asked.past
        )
        yield among(patient_id, sorted(each for each, of in groups.items() if of == key))
    elif dimension is Dimension.WEEK and key:
        monday = date.fromisoformat(key)
        if by[dimension] is Attempt.at:
            yield by[dimension] >= begin_of(monday, asked.zone)
            yield by[dimension] < begin_of(monday + 7 * DAY, asked.zone)
        else:
            yield by[dimension].between(monday, monday + 6 * DAY)
    elif not key:
        yield by[dimension].is_(None)
    else:
        yield by[dimension] == (int(key) if dimension is Dimension.CALLER else key)
