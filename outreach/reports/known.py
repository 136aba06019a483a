"""What was known at an instant: a report as of a day says the same today and next year.

Rows are appended and marked, never edited, so what was known then is what had been recorded
by then, less what had been corrected or taken back by then. Of the few columns that are edited,
what they said before stands beside them.
"""

from datetime import date, datetime
from typing import Any, TypeVar

from sqlalchemy import (
    ColumnElement,
    ScalarSelect,
    SQLColumnExpression,
    and_,
    case,
    exists,
    func,
    or_,
    select,
    true,
)
from sqlalchemy.orm import InstrumentedAttribute, aliased

from outreach.calls.models import Attempt, AttemptBefore, AttemptCorrection
from outreach.calls.rules import Outcome
from outreach.measures.models import Reading
from outreach.patients.models import Patient, PatientBefore
from outreach.patients.rules import Sex
from outreach.planning.models import PlannedCall
from outreach.planning.rules import CallStatus
from outreach.programmes.models import Enrolment, EnrolmentBefore, EnrolmentEvent
from outreach.programmes.rules import EnrolmentStatus
from outreach.reports.asked import Asked

Value = TypeVar("Value")
COMPLETING = tuple(outcome for outcome in Outcome if outcome.completes)


def is_number(at: datetime) -> ColumnElement[bool]:
    """Return the condition that a reading counted at ``at`` and can be reckoned with.

    HI and LO are no numbers, and a value that a body makes doubtful proves nothing.
    """
    correction = aliased(Reading)
    is_corrected = exists().where(
        correction.supersedes_id == Reading.id, correction.recorded_at <= at
    )
    return and_(
        Reading.recorded_at <= at,
        ~is_corrected,
        Reading.is_void.is_(False),
        or_(Reading.withdrawn_at.is_(None), Reading.withdrawn_at > at),
        Reading.bound.is_(None),
        Reading.is_unreliable.is_(False),
    )


def is_attempt(at: datetime) -> ColumnElement[bool]:
    """Return the condition that an attempt was on record at ``at``.

    One that took another's place was not before that other was corrected.
    """
    # Not asked of each attempt: corrections are few, and not indexed by what replaced it.
    came_later = Attempt.id.in_(
        select(AttemptCorrection.replaced_by_id).where(
            AttemptCorrection.at > at, AttemptCorrection.replaced_by_id.is_not(None)
        )
    )
    return and_(
        Attempt.recorded_at <= at,
        or_(Attempt.superseded_at.is_(None), Attempt.superseded_at > at),
        ~came_later,
    )


def counts(asked: Asked) -> ColumnElement[bool]:
    """Return the condition that an attempt counts in a report."""
    return is_attempt(asked.now) if asked.is_past else Attempt.superseded_at.is_(None)


def call_status(asked: Asked) -> SQLColumnExpression[CallStatus]:
    """Return the status of a planned call as a report knows it.

    A call that was taken up again has no memory of having been closed; the attempts that
    counted then have.
    """
    if not asked.is_past:
        return PlannedCall.status
    at = asked.now
    is_completed = (
        select(Attempt.id)
        .where(
            Attempt.planned_call_id == PlannedCall.id,
            Attempt.outcome.in_(COMPLETING),
            is_attempt(at),
        )
        .correlate(PlannedCall)
        .exists()
    )
    is_open = or_(PlannedCall.closed_at.is_(None), PlannedCall.closed_at > at)
    return case(
        (is_completed, CallStatus.COMPLETED.value),
        (is_open, CallStatus.PLANNED.value),
        (PlannedCall.status == CallStatus.CANCELLED, CallStatus.CANCELLED.value),
        else_=CallStatus.MISSED.value,
    )


def is_planned(asked: Asked) -> ColumnElement[bool]:
    """Return the condition that a call had been planned."""
    return PlannedCall.planned_at <= asked.now if asked.is_past else true()


def last_day(asked: Asked) -> SQLColumnExpression[date]:
    """Return the last day on which a call is tried: the next attempt keeps what it was before."""
    if not asked.is_past:
        return PlannedCall.complete_by_on
    before = (
        select(AttemptBefore.complete_by_on)
        .join(Attempt, Attempt.id == AttemptBefore.attempt_id)
        .where(Attempt.planned_call_id == PlannedCall.id, Attempt.recorded_at > asked.now)
        .order_by(Attempt.recorded_at, Attempt.id)
        .limit(1)
        .correlate(PlannedCall)
        .scalar_subquery()
    )
    return func.coalesce(before, PlannedCall.complete_by_on)


def status_since(at: datetime) -> ColumnElement[datetime]:
    """Return since when an enrolment had the status it had at ``at``."""
    now_, other = status(at), aliased(EnrolmentEvent)
    changed = (
        select(func.max(other.at))
        .where(other.enrolment_id == Enrolment.id, other.at <= at, other.status != now_)
        .correlate(Enrolment)
        .scalar_subquery()
    )
    since = (
        select(func.min(EnrolmentEvent.at))
        .where(
            EnrolmentEvent.enrolment_id == Enrolment.id,
            EnrolmentEvent.at <= at,
            or_(changed.is_(None), EnrolmentEvent.at > changed),
        )
        .correlate(Enrolment)
        .scalar_subquery()
    )
    return func.coalesce(since, Enrolment.status_at)


def version_id(at: datetime) -> ColumnElement[int]:
    """Return the version of the programme that an enrolment was on at ``at``."""
    return func.coalesce(_newest(EnrolmentEvent.version_id, at), Enrolment.version_id)


def status(at: datetime) -> ColumnElement[EnrolmentStatus]:
    """Return the status of an enrolment as it was at ``at``."""
    # Enrolments from before histories were kept have no event: their last change is all we know.
    unnoted = case((Enrolment.status_at <= at, Enrolment.status), else_=EnrolmentStatus.ACTIVE)
    return func.coalesce(_newest(EnrolmentEvent.status, at), unnoted)


def first_day(at: datetime | None) -> SQLColumnExpression[date]:
    """Return the first day that an enrolment had at ``at``; None: that it has."""
    before = EnrolmentBefore
    return _before(before.starts_on, Enrolment.starts_on, before.enrolment_id == Enrolment.id, at)


def zone(at: datetime | None) -> SQLColumnExpression[str]:
    """Return where a patient lived as the record had it at ``at``; None: as it has it."""
    return _of_patient(PatientBefore.zone, Patient.zone, at)


def language(at: datetime | None) -> SQLColumnExpression[str]:
    """Return a patient's language as the record had it at ``at``; None: as it has it."""
    return _of_patient(PatientBefore.language, Patient.language, at)


def sex(at: datetime | None) -> SQLColumnExpression[Sex]:
    """Return a patient's sex as the record had it at ``at``; None: as it has it."""
    return _of_patient(PatientBefore.sex, Patient.sex, at)


def date_of_birth(at: datetime | None) -> SQLColumnExpression[date]:
    """Return a patient's date of birth as the record had it at ``at``; None: as it has it."""
    return _of_patient(PatientBefore.date_of_birth, Patient.date_of_birth, at)


def _of_patient(
    before: InstrumentedAttribute[Value], now_: InstrumentedAttribute[Value], at: datetime | None
) -> SQLColumnExpression[Value]:
    return _before(before, now_, PatientBefore.patient_id == Patient.id, at)


def _before(
    before: InstrumentedAttribute[Value],
    now_: InstrumentedAttribute[Value],
    is_of_row: ColumnElement[bool],
    at: datetime | None,
) -> SQLColumnExpression[Value]:
    """Return what the first change after ``at`` ended; without one, what holds now."""
    if at is None:
        return now_
    table: Any = before.class_
    ended = (
        select(before)
        .where(is_of_row, table.until_at > at)
        .order_by(table.until_at, table.id)
        .limit(1)
        .correlate(now_.class_)
        .scalar_subquery()
    )
    return func.coalesce(ended, now_)


def _newest(column: InstrumentedAttribute[Any], at: datetime) -> ScalarSelect[Any]:
    return (
        select(column)
        .where(EnrolmentEvent.enrolment_id == Enrolment.id, EnrolmentEvent.at <= at)
        .order_by(EnrolmentEvent.at.desc(), EnrolmentEvent.id.desc())
        .limit(1)
        .correlate(Enrolment)
        .scalar_subquery()
    )
