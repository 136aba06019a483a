"""The ledger of consents: appended to, never changed; the newest event counts."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from outreach.patients.models import ConsentEvent, Patient
from outreach.patients.rules import Channel, ConsentSource

REMINDERS = "reminders"
WORDING = "2026-11"  # version of the words read or shown when asking; see docs/operations.md


def note(
    session: Session,
    patient: Patient,
    channel: Channel,
    number: str,
    *,
    is_given: bool,
    source: ConsentSource,
    by_staff_id: int | None,
    now: datetime,
) -> None:
    """Append that consent was given or withdrawn for one number. Does not commit."""
    session.add(
        ConsentEvent(
            clinic_id=patient.clinic_id,
            patient_id=patient.id,
            channel=channel,
            topic=REMINDERS,
            is_given=is_given,
            number=number,
            source=source,
            wording=WORDING,
            by_staff_id=by_staff_id,
            at=now,
        )
    )


def newest(channel: Channel) -> Select[int]:
    """Return the ids of the events that count now, one per patient and number."""
    return (
        select(func.max(ConsentEvent.id))
        .where(ConsentEvent.channel == channel)
        .group_by(ConsentEvent.patient_id, ConsentEvent.number)
    )


def is_given(session: Session, patient_id: int, channel: Channel, number: str) -> bool:
    """Say whether consent to ``channel`` on ``number`` holds; nothing on record means no."""
    newest_one = session.scalar(
        select(ConsentEvent.is_given)
        .where(
            ConsentEvent.patient_id == patient_id,
            ConsentEvent.channel == channel,
            ConsentEvent.number == number,
        )
        .order_by(ConsentEvent.id.desc())
        .limit(1)
    )
    return bool(newest_one)


def ledger(session: Session, patient_id: int) -> Sequence[ConsentEvent]:
    """Return every event of a patient, newest first."""
    return session.scalars(
        select(ConsentEvent)
        .where(ConsentEvent.patient_id == patient_id)
        .order_by(ConsentEvent.id.desc())
    ).all()
