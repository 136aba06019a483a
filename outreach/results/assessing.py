"""A trial's assessor: measures patients, and learns neither arm nor caller nor what was said.

Everybody of the clinic can be measured, in the programme or not: whether somebody is found must
not tell in which arm they are. Of earlier readings an assessor sees their own alone, since where
a reading comes from tells whether somebody was called.
"""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from outreach.accounts.rules import Actor, Role
from outreach.audit import trail
from outreach.concerns import raising
from outreach.concerns.models import Concern
from outreach.concerns.raising import Raised
from outreach.concerns.rules import ConcernKind, Trigger, Urgency
from outreach.measures.models import Reading
from outreach.measures.readings import is_current
from outreach.patients import registry
from outreach.patients.models import Patient
from outreach.patients.registry import NoSuchPatient

MOST_SHOWN = 50


def by_record_number(session: Session, actor: Actor, record_number: str) -> Patient:
    """Return the patient with a record number at a clinic where ``actor`` is an assessor.

    Raises:
        NoSuchPatient: there is none, or two clinics have that number.
    """
    return _one(session, actor, Patient.record_number == record_number.strip())


def by_ref(session: Session, actor: Actor, ref: str) -> Patient:
    """Return the patient with ``ref`` at a clinic where ``actor`` is an assessor.

    Raises:
        IsAnonymised: there is nobody left to measure.
        NoSuchPatient
    """
    return _one(session, actor, Patient.ref == ref)


def own_readings(session: Session, actor: Actor, patient: Patient) -> Sequence[Reading]:
    """Return what ``actor`` measured of a patient, newest first."""
    return session.scalars(
        select(Reading)
        .where(
            Reading.patient_id == patient.id,
            Reading.recorded_by_id == actor.staff_id,
            is_current(),
        )
        .order_by(Reading.taken_at.desc(), Reading.id.desc())
        .limit(MOST_SHOWN)
    ).all()


def tell_nurse(
    session: Session, actor: Actor, patient: Patient, words: str, *, form_key: str, now: datetime
) -> Concern:
    """Raise what an assessor worries about; the nurse on call is told. Does not commit."""
    trigger = Trigger(ConcernKind.SAFETY, Urgency.NOW)
    raised = Raised(trigger, words.strip(), form_key=form_key)
    trail.record(
        session,
        "raised a concern",
        actor_id=actor.staff_id,
        now=now,
        clinic_id=patient.clinic_id,
        patient_id=patient.id,
        about=("patient", patient.id),
    )
    return raising.raise_concern(session, patient, raised, by_staff_id=actor.staff_id, now=now)


def _one(session: Session, actor: Actor, condition: object) -> Patient:
    clinics = sorted(actor.clinic_ids_as(Role.ASSESSOR))
    found = session.scalars(
        select(Patient)
        .options(joinedload(Patient.clinic))
        .where(condition, Patient.clinic_id.in_(clinics))  # type: ignore[arg-type]
        .limit(2)
    ).all()
    if len(found) != 1:
        raise NoSuchPatient("There is no such patient.")
    registry.refuse_anonymised(session, found[0].id)
    return found[0]
