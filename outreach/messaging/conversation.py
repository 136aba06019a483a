"""Answers to texts that came in, and whether a patient is writing just now."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, exists, func, select
from sqlalchemy.orm import Session, aliased

from outreach.among import among_words
from outreach.messaging.models import InboundText
from outreach.messaging.rules import MessageKind, MessageStatus
from outreach.patients.models import ConsentEvent, PhoneNumber
from outreach.patients.rules import TOPICS, Channel


def new_reply(
    inbound: InboundText,
    kind: MessageKind,
    body: str,
    *,
    language: str,
    dedupe_key: str,
    window: tuple[datetime, datetime | None],
    now: datetime,
    patient_id: int | None = None,
    by_staff_id: int | None = None,
    wording_id: int | None = None,
) -> dict[str, Any]:
    """Return a row for :func:`outbox.write` that answers ``inbound``, to the number that wrote.

    Args:
        patient_id: whose text it was, None where the number is nobody's or several people's.
        by_staff_id: who wrote it, None for what we answer by ourselves.
        wording_id: the version of the words it was made from, None: as built in.
    """
    send_after, expires_at = window
    return {
        "clinic_id": inbound.clinic_id,
        "patient_id": patient_id,
        "inbound_id": inbound.id,
        "by_staff_id": by_staff_id,
        "kind": kind,
        "dedupe_key": dedupe_key,
        "cause": f"inbound:{inbound.id}",
        "to_number": inbound.from_number,
        "language": language,
        "body": body,
        "wording_id": wording_id,
        "status": MessageStatus.SCHEDULED,
        "failure": "",
        "send_after": send_after,
        "expires_at": expires_at,
        "tries": 0,
        "created_at": now,
    }


def is_open(
    clinic_id: ColumnElement[int] | Any, number: ColumnElement[str] | Any, now: datetime
) -> ColumnElement[bool]:
    """Return the condition that ``number`` wrote lately and waits for an answer.

    Args:
        clinic_id, number: values, or columns of the statement around it.
        now: aware instant.
    """
    return exists().where(
        InboundText.clinic_id == clinic_id,
        InboundText.from_number == number,
        InboundText.open_until > now,
        InboundText.answered_at.is_(None),
    )


def is_writing(session: Session, clinic_id: int, number: str, *, now: datetime) -> bool:
    """Say whether ``number`` wrote lately and waits for an answer: automatic texts wait then."""
    return bool(session.scalar(select(is_open(clinic_id, number, now))))


def has_said_stop(session: Session, clinic_id: int, number: str) -> bool:
    """Say whether anybody of a clinic with ``number`` said stop to texts on it."""
    return (clinic_id, number) in stopped(session, [number])


def stopped(session: Session, numbers: Iterable[str]) -> set[tuple[int, str]]:
    """Return (clinic, number) where anybody said stop to texts on one of ``numbers``.

    One statement, whatever the number of them.
    """
    newest = (
        select(func.max(ConsentEvent.id))
        .where(
            ConsentEvent.patient_id == PhoneNumber.patient_id,
            ConsentEvent.number == PhoneNumber.e164,
            ConsentEvent.channel == Channel.SMS,
            ConsentEvent.topic == TOPICS[Channel.SMS][0],
        )
        .correlate(PhoneNumber)
        .scalar_subquery()
    )
    event = aliased(ConsentEvent)
    rows = session.execute(
        select(PhoneNumber.clinic_id, PhoneNumber.e164)
        .join(event, event.id == newest)
        .where(among_words(PhoneNumber.e164, sorted(numbers)), event.is_given.is_(False))
    )
    return {(clinic_id, number) for clinic_id, number in rows}


def writing(
    session: Session, clinic_ids: Iterable[int], numbers: Iterable[str], *, now: datetime
) -> set[tuple[int, str]]:
    """Return which of ``numbers`` wrote lately to which of the clinics, and wait for an answer."""
    rows = session.execute(
        select(InboundText.clinic_id, InboundText.from_number).where(
            InboundText.clinic_id.in_(sorted(clinic_ids)),
            among_words(InboundText.from_number, sorted(numbers)),
            InboundText.open_until > now,
            InboundText.answered_at.is_(None),
        )
    )
    return {(clinic_id, number) for clinic_id, number in rows}
