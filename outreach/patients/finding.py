"""Finding a patient in order to change something: being allowed to look is not enough."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from outreach.accounts.rules import Actor, Role, Scope
from outreach.errors import NotAllowed
from outreach.patients import registry
from outreach.patients.models import Patient, PhoneNumber
from outreach.patients.registry import NoSuchPatient


class NotYoursToChange(NotAllowed):
    """The actor may look at this patient, but not change them."""


def managing(actor: Actor) -> Scope:
    """Return the scope of what ``actor`` looks after: clinics they manage, whom they call now."""
    return Scope(
        actor.staff_id,
        everything=actor.scope.everything,
        clinic_ids=actor.clinic_ids_as(Role.MANAGER),
        panel_clinic_ids=actor.clinic_ids_as(Role.CALLER),
        as_of=actor.as_of,
        opened_patients=actor.opened_patients,
    )


def may_manage(actor: Actor, clinic_id: int) -> bool:
    """Say whether ``actor`` decides who calls whom at a clinic, and who is enrolled."""
    scope = managing(actor)
    return scope.everything or clinic_id in scope.clinic_ids


def to_change(session: Session, actor: Actor, ref: str) -> Patient:
    """Return the patient with ``ref`` for their dedicated caller or a manager to change.

    Raises:
        IsAnonymised: there is nothing left to change.
        NoSuchPatient: outside what ``actor`` may see.
        NotYoursToChange: visible to ``actor`` as a nurse only.

    """
    registry.by_ref(session, actor.scope, ref)
    try:
        return registry.to_write(session, managing(actor), ref)
    except NoSuchPatient as error:
        raise NotYoursToChange("Only the caller and managers change this.") from error


def to_manage(session: Session, actor: Actor, ref: str) -> Patient:
    """Return the patient with ``ref`` for a manager of their clinic.

    Raises:
        NoSuchPatient: outside what ``actor`` may see.
        NotYoursToChange: visible to ``actor``, but of a clinic they don't manage.

    """
    patient = registry.by_ref(session, actor.scope, ref)
    if not may_manage(actor, patient.clinic_id):
        raise NotYoursToChange("Only managers of this clinic change this.")
    return patient


def number_of(session: Session, patient: Patient, number_id: int) -> PhoneNumber:
    """Return one of a patient's numbers, or raise NoSuchPatient where it is not theirs."""
    number = session.scalar(
        select(PhoneNumber).where(PhoneNumber.id == number_id, PhoneNumber.patient_id == patient.id)
    )
    if number is None:
        raise NoSuchPatient("There is no such number.")
    return number
