"""Whether a patient agreed to send blood sugar by text. Appended to; the newest counts."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from outreach.inbox.models import ReadingPermission
from outreach.patients.models import Patient
from outreach.sent_again import said_before


def is_given(session: Session, patient_id: int) -> bool:
    """Say whether a patient's blood sugars are taken by text; nothing on record means no."""
    newest = session.scalar(
        select(ReadingPermission.is_given)
        .where(ReadingPermission.patient_id == patient_id)
        .order_by(ReadingPermission.id.desc())
        .limit(1)
    )
    return bool(newest)


def note(
    session: Session,
    patient: Patient,
    *,
    is_given: bool,
    now: datetime,
    by_staff_id: int | None = None,
    inbound_id: int | None = None,
) -> None:
    """Append what a patient said, to one of the staff or by a text; sent twice, once.

    Does not commit.
    """
    row = ReadingPermission(
        clinic_id=patient.clinic_id,
        patient_id=patient.id,
        is_given=is_given,
        by_staff_id=by_staff_id,
        inbound_id=inbound_id,
        at=now,
    )
    if said_before(session, row) is None:
        session.add(row)
        session.flush()
