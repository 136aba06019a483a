"""Which version of a programme a planned call is held to, and calls that newer ones overtook."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from sqlalchemy import or_, select, update
from sqlalchemy.orm import Session

from outreach.planning import next_call
from outreach.planning.courses import Standing
from outreach.planning.models import PlannedCall
from outreach.programmes.models import Enrolment, ProgrammeVersion
from outreach.programmes.rules import EnrolmentStatus


def as_planned(session: Session, call: PlannedCall, standing: Standing) -> Standing:
    """Return ``standing`` with the protocol that ``call`` was planned by.

    A version that the enrolment was moved to meanwhile counts from the next call on; how
    hard this one is tried for does not change half-way.
    """
    if call.version_id in (None, standing.version_id):
        return standing
    protocol = session.get_one(ProgrammeVersion, call.version_id).protocol
    return replace(standing, course=replace(standing.course, protocol=protocol))


def overtaken_ids(session: Session, *, after_id: int, limit: int) -> Sequence[int]:
    """Return enrolments whose open call is of another version than they are, by id.

    Only calls that nobody dialled and whose time the patient did not ask for: the others
    stay as they are.
    """
    return session.scalars(
        select(Enrolment.id)
        .join(PlannedCall, PlannedCall.enrolment_id == Enrolment.id)
        .where(
            Enrolment.id > after_id,
            Enrolment.status == EnrolmentStatus.ACTIVE,
            PlannedCall.is_open,
            PlannedCall.dials == 0,
            PlannedCall.is_agreed.is_(False),
            or_(PlannedCall.version_id.is_(None), PlannedCall.version_id != Enrolment.version_id),
        )
        .order_by(Enrolment.id)
        .limit(limit)
    ).all()


def refit(session: Session, enrolment_ids: Sequence[int], *, now: datetime) -> int:
    """Plan the open calls of ``enrolment_ids`` anew by the version that holds now.

    One that is due by now keeps its days and is tried for as the new version says. Does not
    commit. Returns how many enrolments there were.
    """
    for enrolment_id in enrolment_ids:
        next_call.replan(session, enrolment_id, now=now)
    session.flush()
    held = (
        select(Enrolment.version_id)
        .where(Enrolment.id == PlannedCall.enrolment_id)
        .correlate(PlannedCall)
        .scalar_subquery()
    )
    session.execute(
        update(PlannedCall)
        .where(
            PlannedCall.enrolment_id.in_(enrolment_ids),
            PlannedCall.is_open,
            PlannedCall.dials == 0,
            PlannedCall.is_agreed.is_(False),
        )
        .values(version_id=held)
        .execution_options(synchronize_session=False)
    )
    return len(enrolment_ids)
