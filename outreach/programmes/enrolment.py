"""Patients entering and leaving a programme."""

from datetime import date, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from outreach.errors import RuleBroken
from outreach.patients.models import Patient
from outreach.programmes import protocol
from outreach.programmes.models import Enrolment
from outreach.programmes.rules import OPEN_STATUSES, EnrolmentStatus


class AlreadyEnrolled(RuleBroken):
    """A patient is in one programme at a time."""


def current(session: Session, patient_id: int) -> Enrolment | None:
    """Return the enrolment that is open, else the latest one, else None."""
    return session.scalar(
        select(Enrolment)
        .where(Enrolment.patient_id == patient_id)
        .order_by(Enrolment.status.in_(OPEN_STATUSES).desc(), Enrolment.id.desc())
        .limit(1)
    )


def enrol(session: Session, patient: Patient, *, starts_on: date, now: datetime) -> Enrolment:
    """Enrol a patient in the default programme from ``starts_on``, their local day.

    Does not commit.

    Raises:
        AlreadyEnrolled: an enrolment of theirs is open.
    """
    # Two at once wait here for each other, so that the second one sees the first.
    session.execute(select(Patient.id).where(Patient.id == patient.id).with_for_update())
    open_one = current(session, patient.id)
    if open_one is not None and open_one.status in OPEN_STATUSES:
        raise AlreadyEnrolled("This patient is already enrolled.")
    enrolment = Enrolment(
        clinic_id=patient.clinic_id,
        patient_id=patient.id,
        version_id=protocol.newest_version(session, now=now).id,
        starts_on=starts_on,
        status=EnrolmentStatus.ACTIVE,
        status_at=now,
        status_reason="",
        enrolled_at=now,
    )
    session.add(enrolment)
    session.flush()
    return enrolment


def change_status(
    enrolment: Enrolment, status: EnrolmentStatus, *, reason: str, now: datetime
) -> None:
    """Move an enrolment to ``status``. Does not commit."""
    enrolment.status, enrolment.status_reason, enrolment.status_at = status, reason, now
