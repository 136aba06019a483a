"""Which version of a programme a planned call is held to, and calls that newer ones overtook."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import or_, select, update
from sqlalchemy.orm import Session

from outreach.orm import among
from outreach.planning import next_call
from outreach.planning.models import PlannedCall
from outreach.planning.rules import CallStatus
from outreach.programmes.models import Enrolment, ProgrammeVersion
from outreach.programmes.rules import AttemptPolicy, EnrolmentStatus


def policy_of(session: Session, call: PlannedCall) -> AttemptPolicy:
    """Return how hard ``call`` is tried for: as its own version says, once it was dialled.

    A version that its enrolment was moved to meanwhile counts from the next call on. Calls
    of before versions were kept have none; theirs is the enrolment's.
    """
    version_id = call.version_id or session.get_one(Enrolment, call.enrolment_id).version_id
    return session.get_one(ProgrammeVersion, version_id).protocol.attempts


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
            PlannedCall.status == CallStatus.PLANNED,
            PlannedCall.dials == 0,
            PlannedCall.is_agreed.is_(False),
            or_(
                PlannedCall.version_id.is_(None), PlannedCall.version_id != Enrolment.version_id
            ),
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
            among(PlannedCall.enrolment_id, enrolment_ids),
            PlannedCall.status == CallStatus.PLANNED,
            PlannedCall.dials == 0,
            PlannedCall.is_agreed.is_(False),
        )
        .values(version_id=held)
        .execution_options(synchronize_session=False)
    )
    return len(enrolment_ids)
