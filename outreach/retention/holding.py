"""Legal holds: nothing of a patient is removed while one holds."""

from datetime import datetime

from sqlalchemy import exists, select
from sqlalchemy.orm import Session, joinedload

from outreach.accounts.rules import Actor
from outreach.audit import trail
from outreach.errors import RuleBroken
from outreach.patients import finding
from outreach.patients.models import Anonymised, Patient
from outreach.retention.models import LegalHold


class HeldAlready(RuleBroken):
    """A hold is on this patient."""


class NotHeld(RuleBroken):
    """No hold is on this patient."""


class TooLate(RuleBroken):
    """The patient has been anonymised."""


def lock(session: Session, patient_id: int) -> None:
    """Let nobody else hold, or anonymise, this patient until the transaction ends."""
    row = select(Patient.id).where(Patient.id == patient_id)
    session.execute(row.with_for_update(key_share=True))


def place(session: Session, actor: Actor, ref: str, reason: str, *, now: datetime) -> None:
    """Put a hold on a patient of a clinic that ``actor`` manages. Does not commit.

    Raises:
        HeldAlready
        TooLate: there is nothing left to hold.
        NotFound, NotAllowed: as :func:`finding.to_manage`.
    """
    patient = finding.to_manage(session, actor, ref)
    lock(session, patient.id)
    if session.get(Anonymised, patient.id):
        raise TooLate("This patient was anonymised.")
    if current(session, patient.id):
        raise HeldAlready("A legal hold is on this patient already.")
    hold = LegalHold(
        clinic_id=patient.clinic_id,
        patient_id=patient.id,
        reason=reason.strip(),
        placed_at=now,
        placed_by_id=actor.staff_id,
    )
    session.add(hold)
    session.flush()
    _note(session, actor, "placed a legal hold", hold, now=now)


def lift(session: Session, actor: Actor, ref: str, reason: str, *, now: datetime) -> None:
    """Lift the hold on a patient. Does not commit.

    Raises:
        NotHeld
        NotFound, NotAllowed: as :func:`finding.to_manage`.
    """
    patient = finding.to_manage(session, actor, ref)
    lock(session, patient.id)
    hold = current(session, patient.id)
    if hold is None:
        raise NotHeld("No legal hold is on this patient.")
    hold.lifted_at, hold.lifted_by_id, hold.lifting_reason = now, actor.staff_id, reason.strip()
    _note(session, actor, "lifted a legal hold", hold, now=now)


def current(session: Session, patient_id: int) -> LegalHold | None:
    """Return the hold on a patient, with who placed it."""
    return session.scalar(
        select(LegalHold)
        .options(joinedload(LegalHold.placed_by))
        .where(LegalHold.patient_id == patient_id, LegalHold.lifted_at.is_(None))
    )


def lifted(session: Session, patient_id: int) -> list[LegalHold]:
    """Return the holds that were on a patient, newest first."""
    return list(
        session.scalars(
            select(LegalHold)
            .options(joinedload(LegalHold.placed_by), joinedload(LegalHold.lifted_by))
            .where(LegalHold.patient_id == patient_id, LegalHold.lifted_at.is_not(None))
            .order_by(LegalHold.id.desc())
        )
    )


def is_on(session: Session, patient_id: int) -> bool:
    """Say whether a hold is on a patient."""
    hold = exists().where(LegalHold.patient_id == patient_id, LegalHold.lifted_at.is_(None))
    return bool(session.scalar(select(hold)))


def _note(session: Session, actor: Actor, action: str, hold: LegalHold, *, now: datetime) -> None:
    trail.record(
        session,
        action,
        actor_id=actor.staff_id,
        now=now,
        clinic_id=hold.clinic_id,
        patient_id=hold.patient_id,
        about=("legal_hold", hold.id),
    )
