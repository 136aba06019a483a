"""What a programme gives besides calls: letters, tools, gifts, and whether it was seen to."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from outreach.errors import RuleBroken
from outreach.orm import insert_new
from outreach.programmes.models import Enrolment, MilestoneDone
from outreach.programmes.rules import OPEN_STATUSES, Milestone, Protocol


class NoSuchMilestone(RuleBroken):
    """The programme has no such milestone."""


@dataclass(frozen=True)
class DueMilestone:
    """A milestone to see to, with its days for one enrolment; late after ``until_on``."""

    milestone: Milestone
    from_on: date
    until_on: date
    is_late: bool


def due_of(
    session: Session, enrolment: Enrolment, protocol: Protocol, *, today: date
) -> Sequence[DueMilestone]:
    """Return what has begun by ``today``, the patient's local day, and nobody saw to yet."""
    if enrolment.status not in OPEN_STATUSES:
        return []
    begun = [
        each
        for each in protocol.milestones
        if enrolment.starts_on + timedelta(days=each.from_day) <= today
    ]
    if not begun:
        return []
    done = set(
        session.scalars(
            select(MilestoneDone.code).where(MilestoneDone.enrolment_id == enrolment.id)
        )
    )
    return [_due(each, enrolment.starts_on, today) for each in begun if each.code not in done]


def _due(milestone: Milestone, starts_on: date, today: date) -> DueMilestone:
    from_on = starts_on + timedelta(days=milestone.from_day)
    until_on = starts_on + timedelta(days=milestone.until_day)
    return DueMilestone(milestone, from_on, until_on, is_late=today > until_on)


def mark_done(
    session: Session,
    enrolment: Enrolment,
    protocol: Protocol,
    code: str,
    *,
    by_staff_id: int,
    now: datetime,
) -> bool:
    """Note that a milestone was seen to; return False where it was before. Does not commit.

    Raises:
        NoSuchMilestone: ``protocol`` has none with this code.
    """
    if all(each.code != code for each in protocol.milestones):
        raise NoSuchMilestone("The programme has no such milestone.")
    row = {
        "clinic_id": enrolment.clinic_id,
        "patient_id": enrolment.patient_id,
        "enrolment_id": enrolment.id,
        "code": code,
        "done_at": now,
        "by_staff_id": by_staff_id,
    }
    return insert_new(session, MilestoneDone, [row]) > 0
