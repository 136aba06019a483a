"""No more texts to a number, and texts again: for everybody of a clinic who has it."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from outreach.patients import consent
from outreach.patients.models import Patient, PhoneNumber
from outreach.patients.rules import FROM_THE_NUMBER, Channel, ConsentSource


def stop_number(
    session: Session,
    clinic_ids: Sequence[int],
    number: str,
    *,
    source: ConsentSource,
    by_staff_id: int | None = None,
    now: datetime,
) -> int:
    """Withdraw consent to texts on ``number``; return for how many patients. Does not commit.

    Of each patient who has it, whether or not the number turned out to be another's: whoever
    holds the telephone wants no texts on it. Who said stop before is left as they are; but a
    word from the telephone is noted even after one on a call, which may be taken back.
    """
    changed = 0
    for patient in _people(session, clinic_ids, number):
        if not _is_on_record(session, patient.id, number, source):
            consent.note(
                session,
                patient,
                Channel.SMS,
                number,
                is_given=False,
                source=source,
                by_staff_id=by_staff_id,
                now=now,
            )
            changed += 1
    return changed


def start_number(
    session: Session,
    clinic_ids: Sequence[int],
    number: str,
    *,
    source: ConsentSource,
    now: datetime,
) -> int:
    """Give consent again to those who took it back; return how many. Does not commit.

    A word never gives a consent that was not there before: for that somebody asks.
    """
    changed = 0
    for patient in _people(session, clinic_ids, number):
        changed += consent.give_back(session, patient, number, source=source, now=now)
    return changed


def _is_on_record(session: Session, patient_id: int, number: str, source: ConsentSource) -> bool:
    """Say whether a stop that reaches us by ``source`` adds nothing to what is noted."""
    if consent.held(session, patient_id, Channel.SMS, number):
        return False
    if source in FROM_THE_NUMBER:
        return consent.is_stopped_by_text(session, patient_id, number)
    return consent.is_withdrawn(session, patient_id, Channel.SMS, number)


def _people(session: Session, clinic_ids: Sequence[int], number: str) -> Sequence[Patient]:
    return session.scalars(
        select(Patient)
        .join(PhoneNumber, PhoneNumber.patient_id == Patient.id)
        .where(PhoneNumber.e164 == number, Patient.clinic_id.in_(clinic_ids))
        .order_by(Patient.id)
    ).all()
