"""Emergency access: an administrator opens one patient, with a reason, for an hour."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select, true
from sqlalchemy.orm import Session

from outreach.accounts.models import Clinic, EmergencyAccess, StaffMember
from outreach.accounts.rules import EMERGENCY_LASTS, Actor, Role
from outreach.audit import trail
from outreach.errors import NotAllowed, NotFound
from outreach.patients.models import Patient
from outreach.sent_again import said_before

SHOWN = timedelta(days=90)
MOST_SHOWN = 200


class NoSuchRecord(NotFound):
    """No patient of that clinic has the record number."""


@dataclass(frozen=True)
class Wanted:
    """Which patient, and why."""

    clinic_id: int
    record_number: str
    reason: str


@dataclass(frozen=True)
class Line:
    """One emergency access, for those who answer for the clinic."""

    at: datetime
    until: datetime
    staff: str
    clinic: str
    record_number: str
    reason: str


def open_patient(session: Session, actor: Actor, wanted: Wanted, *, now: datetime) -> str:
    """Open a patient for EMERGENCY_LASTS; return their ref. Does not commit.

    Raises:
        NotAllowed: ``actor`` is no administrator.
        NoSuchRecord
    """
    if Role.ADMINISTRATOR not in actor.roles:
        raise NotAllowed("Only administrators open patients in an emergency.")
    patient = session.scalar(
        select(Patient).where(
            Patient.clinic_id == wanted.clinic_id,
            Patient.record_number == wanted.record_number.strip(),
        )
    )
    if patient is None:
        raise NoSuchRecord("No patient of this clinic has that record number.")
    access = EmergencyAccess(
        staff_id=actor.staff_id,
        clinic_id=patient.clinic_id,
        patient_id=patient.id,
        reason=wanted.reason.strip(),
        from_at=now,
    )
    if said_before(session, access, at="from_at") is not None:
        return patient.ref  # sent twice: the hour that began goes on
    access.until_at = now + EMERGENCY_LASTS
    session.add(access)
    trail.record(
        session,
        "opened in an emergency",
        actor_id=actor.staff_id,
        now=now,
        clinic_id=patient.clinic_id,
        patient_id=patient.id,
    )
    return patient.ref


def recent(
    session: Session,
    clinic_ids: Collection[int] | None,
    *,
    now: datetime,
    most: int | None = MOST_SHOWN,
) -> list[Line]:
    """Return the emergency accesses at some clinics, newest first.

    ``clinic_ids`` None: of every clinic; ``most`` None: all of them.
    """
    is_theirs = true() if clinic_ids is None else EmergencyAccess.clinic_id.in_(sorted(clinic_ids))
    rows = session.execute(
        select(
            EmergencyAccess.from_at,
            EmergencyAccess.until_at,
            StaffMember.name,
            Clinic.name,
            Patient.record_number,
            EmergencyAccess.reason,
        )
        .join(StaffMember, StaffMember.id == EmergencyAccess.staff_id)
        .join(Clinic, Clinic.id == EmergencyAccess.clinic_id)
        .join(Patient, Patient.id == EmergencyAccess.patient_id)
        .where(
            is_theirs,
            EmergencyAccess.from_at > now - SHOWN,
        )
        .order_by(EmergencyAccess.from_at.desc(), EmergencyAccess.id.desc())
        .limit(most)
    ).all()
    return [Line(*row) for row in rows]
