"""The ledger of consents: appended to, never changed; the newest event counts."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import ScalarSelect, func, select
from sqlalchemy.orm import Session, aliased

from outreach.patients.models import ConsentEvent, Patient, PhoneNumber
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


def newest_of(number: type[PhoneNumber], channel: Channel) -> ScalarSelect[int]:
    """Return the id of the event that counts now for ``number`` of the query around it."""
    event = aliased(ConsentEvent)
    return (
        select(func.max(event.id))
        .where(
            event.patient_id == number.patient_id,
            event.channel == channel,
            event.number == number.e164,
        )
        .correlate(number)
        .scalar_subquery()
    )


def given_numbers(
    session: Session, patient_ids: Sequence[int], channel: Channel
) -> set[tuple[int, str]]:
    """Return which numbers of which patients consent to ``channel`` holds for."""
    newest = (
        select(func.max(ConsentEvent.id))
        .where(ConsentEvent.patient_id.in_(patient_ids), ConsentEvent.channel == channel)
        .group_by(ConsentEvent.patient_id, ConsentEvent.number)
    )
    rows = session.execute(
        select(ConsentEvent.patient_id, ConsentEvent.number).where(
            ConsentEvent.id.in_(newest), ConsentEvent.is_given.is_(True)
        )
    )
    return {(patient_id, number) for patient_id, number in rows}


def is_given(session: Session, patient_id: int, channel: Channel, number: str) -> bool:
    """Say whether consent to ``channel`` on ``number`` holds; nothing on record means no."""
    return bool(_newest(session, patient_id, channel, number))


def is_withdrawn(session: Session, patient_id: int, channel: Channel, number: str) -> bool:
    """Say whether they said stop to ``channel`` on ``number``; nothing on record is no stop."""
    return _newest(session, patient_id, channel, number) is False


def _newest(session: Session, patient_id: int, channel: Channel, number: str) -> bool | None:
    return session.scalar(
        select(ConsentEvent.is_given)
        .where(
            ConsentEvent.patient_id == patient_id,
            ConsentEvent.channel == channel,
            ConsentEvent.number == number,
        )
        .order_by(ConsentEvent.id.desc())
        .limit(1)
    )


def ledger(session: Session, patient_id: int) -> Sequence[ConsentEvent]:
    """Return every event of a patient, newest first."""
    return session.scalars(
        select(ConsentEvent)
        .where(ConsentEvent.patient_id == patient_id)
        .order_by(ConsentEvent.id.desc())
    ).all()
