"""What comes for a patient once a call is saved: whether anybody can ring, and when."""

from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Select, exists, select
from sqlalchemy.orm import Session

from outreach.built_once import built_once
from outreach.orm import rows_of
from outreach.patients.models import PhoneNumber
from outreach.patients.rules import NumberHealth
from outreach.planning.models import PlannedCall
from outreach.programmes.models import Enrolment


class Coming(NamedTuple):
    """``dial_from_at``: of the open call, None where none is planned."""

    has_number: bool
    dial_from_at: datetime | None


def of(session: Session, patient_id: int) -> Coming:
    """Return what comes for a patient. One statement."""
    (row,) = rows_of(session, *_of(patient_id))
    return Coming(*row)


@built_once
def _of(patient_id: Any) -> Select[bool, datetime | None]:
    has_number = exists().where(
        PhoneNumber.patient_id == patient_id, PhoneNumber.health == NumberHealth.WORKING
    )
    dial_from_at = (
        select(PlannedCall.dial_from_at)
        .join(Enrolment, Enrolment.id == PlannedCall.enrolment_id)
        .where(Enrolment.patient_id == patient_id, PlannedCall.is_open)
        .order_by(Enrolment.id.desc())
        .limit(1)
        .scalar_subquery()
    )
    return select(has_number, dial_from_at)
