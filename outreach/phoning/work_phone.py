"""The telephone of one's own on which one of the staff makes and takes calls."""

from sqlalchemy import exists, select, update
from sqlalchemy.orm import Session

from outreach.accounts.models import Clinic, StaffMember
from outreach.accounts.rules import Actor
from outreach.errors import RuleBroken
from outreach.sealing import is_either

DEFAULT_REGION = "US"


class ClinicsOwnNumber(RuleBroken):
    """A clinic's number as somebody's own telephone would ring itself."""


def region_of(session: Session, actor: Actor) -> str:
    """Return the country in which ``actor`` writes numbers: that of their first clinic."""
    ids = sorted({held.clinic_id for held in actor.held if held.clinic_id is not None})
    found = session.scalar(select(Clinic.region).where(Clinic.id.in_(ids)).order_by(Clinic.id))
    return found or DEFAULT_REGION


def keep(session: Session, staff_id: int, e164: str | None) -> None:
    """Keep the number of somebody's own telephone; None takes it away. Does not commit.

    Raises:
        ClinicsOwnNumber: it is what patients ring.
    """
    if e164 and session.scalar(select(exists().where(is_either(Clinic.phone_number, e164)))):
        raise ClinicsOwnNumber("That is a clinic's number, not a telephone of yours.")
    session.execute(update(StaffMember).where(StaffMember.id == staff_id).values(work_phone=e164))
