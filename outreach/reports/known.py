"""What was known at an instant: a report as of a day says the same today and next year.

Rows are appended and marked, never edited, so what was known then is what had been recorded
by then, less what had been corrected or taken back by then.
"""

from datetime import datetime

from sqlalchemy import ColumnElement, and_, case, exists, func, or_, select
from sqlalchemy.orm import aliased

from outreach.calls.models import Attempt, AttemptCorrection
from outreach.measures.models import Reading
from outreach.programmes.models import Enrolment, EnrolmentEvent
from outreach.programmes.rules import EnrolmentStatus


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
    came_later = exists().where(
        AttemptCorrection.replaced_by_id == Attempt.id, AttemptCorrection.at > at
    )
    return and_(
        Attempt.at <= at,
        or_(Attempt.superseded_at.is_(None), Attempt.superseded_at > at),
        ~came_later,
    )


def status(at: datetime) -> ColumnElement[EnrolmentStatus]:
    """Return the status of an enrolment as it was at ``at``."""
    noted = (
        select(EnrolmentEvent.status)
        .where(EnrolmentEvent.enrolment_id == Enrolment.id, EnrolmentEvent.at <= at)
        .order_by(EnrolmentEvent.at.desc(), EnrolmentEvent.id.desc())
        .limit(1)
        .correlate(Enrolment)
        .scalar_subquery()
    )
    # Enrolments from before histories were kept have no event: their last change is all we know.
    unnoted = case((Enrolment.status_at <= at, Enrolment.status), else_=EnrolmentStatus.ACTIVE)
    return func.coalesce(noted, unnoted)
