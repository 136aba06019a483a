"""What stands in the way of a text to one patient now, by the very rules that send it."""

from dataclasses import dataclass
from datetime import datetime
from types import SimpleNamespace
from zoneinfo import ZoneInfo

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from outreach.clock import day_began_at
from outreach.messaging import pacing
from outreach.messaging.claiming import BatchFacts
from outreach.messaging.due import in_turn
from outreach.messaging.history import WENT_OUT
from outreach.messaging.models import Message
from outreach.messaging.rules import Decision, MessageKind, MessageStatus, SkipReason
from outreach.patients import registry
from outreach.patients.models import Patient


@dataclass(frozen=True)
class TextOutlook:
    """What would become of a text to a patient now.

    ``waiting_at``: when the next one that is written already falls due. ``sent_at``: when
    the latest one of their day went out, as far as we know. ``has_pace``: its sender sends
    only so many a second.
    """

    decision: Decision
    waiting_at: datetime | None
    sent_at: datetime | None
    has_pace: bool


def outlook(session: Session, patient: Patient, *, now: datetime) -> TextOutlook:
    """Judge the text whose turn is next, else a reminder that would be; changes nothing."""
    waiting = session.scalar(
        select(Message)
        .where(
            Message.patient_id == patient.id,
            Message.inbound_id.is_(None),
            Message.status == MessageStatus.SCHEDULED,
        )
        .order_by(*in_turn(now))
        .limit(1)
    )
    text = waiting or _would_be(session, patient)
    numbers = [text.to_number] if text.to_number else []
    facts = BatchFacts(session, [patient.id], numbers=numbers, now=now, is_held=False)
    is_week_full = facts.is_week_full(patient)  # before it is decided: what goes out counts
    decision = facts.decide(text) or Decision()
    if waiting is None and decision.skip is None and is_week_full:
        decision = Decision(SkipReason.WEEK_LIMIT)  # what is not written waits for nothing
    began = day_began_at(now, ZoneInfo(patient.zone))
    sent_at = session.scalar(
        select(func.max(Message.calling_at)).where(
            Message.patient_id == patient.id,
            Message.calling_at >= began,
            Message.status.in_(WENT_OUT),
        )
    )
    waiting_at = waiting.send_after if waiting else None
    has_pace = waiting is not None and pacing.has_pace(session, patient.clinic_id)
    return TextOutlook(decision, waiting_at, sent_at, has_pace)


def refusal(
    session: Session,
    patient: Patient,
    kind: MessageKind,
    number: str,
    *,
    until: datetime,
    now: datetime,
) -> SkipReason | None:
    """Return why a text that is of use until ``until`` would not go out, None where it would."""
    facts = BatchFacts(session, [patient.id], numbers=[number], now=now, is_held=False)
    decision = facts.decide(_text(patient, kind, number, until))
    return decision.skip if decision else None


def _would_be(session: Session, patient: Patient) -> SimpleNamespace:
    number = registry.working_number(session, patient.id)
    return _text(patient, MessageKind.REMINDER, number.e164 if number else None, None)


def _text(
    patient: Patient, kind: MessageKind, number: str | None, until: datetime | None
) -> SimpleNamespace:
    """Return a text that is not written, as the sender would judge it."""
    return SimpleNamespace(
        clinic_id=patient.clinic_id,
        patient_id=patient.id,
        inbound_id=None,
        kind=kind,
        to_number=number,
        expires_at=until,
    )
