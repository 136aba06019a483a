"""What was known at an instant: a report as of a day says the same today and next year.

Rows are appended and marked, never edited, so what was known then is what had been recorded
by then, less what had been corrected or taken back by then.
"""

from datetime import date, datetime
from typing import Any

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
from outreach.planning.models import PlannedCall
from outreach.planning.rules import CallStatus
from outreach.programmes.models import Enrolment, EnrolmentEvent
from outreach.programmes.rules import EnrolmentStatus
from outreach.reports.asked import Asked

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


def _newest(column: InstrumentedAttribute[Any], at: datetime) -> ScalarSelect[Any]:
    return (
        select(column)
        .where(EnrolmentEvent.enrolment_id == Enrolment.id, EnrolmentEvent.at <= at)
        .order_by(EnrolmentEvent.at.desc(), EnrolmentEvent.id.desc())
        .limit(1)
        .correlate(Enrolment)
        .scalar_subquery()
    )
