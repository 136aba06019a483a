"""What one of the staff is typing to a patient, kept on the server until it is sent."""

from datetime import datetime

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from outreach.errors import RuleBroken
from outreach.inbox.models import AnswerDraft
from outreach.orm import insert_new
from outreach.patients.models import Patient

LONGEST = 640  # characters of an answer: four texts, more is a letter


class TooLong(RuleBroken):
    """An answer is longer than a few texts."""


def of(session: Session, patient_id: int, staff_id: int) -> str:
    """Return what ``staff_id`` was typing to a patient, empty where nothing."""
    kept = session.scalar(
        select(AnswerDraft.text).where(
            AnswerDraft.patient_id == patient_id, AnswerDraft.staff_id == staff_id
        )
    )
    return kept or ""


def save(session: Session, patient: Patient, staff_id: int, text: str, *, now: datetime) -> None:
    """Keep what is being typed, in place of what was. Does not commit.

    Raises:
        TooLong: more than anybody types, so that nothing endless is stored.
    """
    if len(text) > LONGEST * 4:
        raise TooLong("This is more than a text can hold.")
    row = {
        "clinic_id": patient.clinic_id,
        "patient_id": patient.id,
        "staff_id": staff_id,
        "text": text,
        "saved_at": now,
    }
    if not insert_new(session, AnswerDraft, [row]):
        session.execute(
            update(AnswerDraft)
            .where(AnswerDraft.patient_id == patient.id, AnswerDraft.staff_id == staff_id)
            .values(text=text, saved_at=now)
        )


def drop(session: Session, patient_id: int, staff_id: int) -> None:
    """Forget what was being typed: it was sent. Does not commit."""
    session.execute(
        delete(AnswerDraft).where(
            AnswerDraft.patient_id == patient_id, AnswerDraft.staff_id == staff_id
        )
    )
