"""The outbox: a text is a row first, and goes out once.

A row moves SCHEDULED -> CALLING in a committed step before the carrier is asked. Whoever
dies in between leaves a CALLING row whose lease runs out; it is then looked up at the
carrier (see ``jobs.settle_lost_messages``), never sent again blindly.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import and_, exists, func, or_, select, update
from sqlalchemy.orm import Session, joinedload

from outreach.accounts.models import Clinic, StaffMember
from outreach.clock import day_began_at
from outreach.messaging import conversation
from outreach.messaging.models import Message
from outreach.messaging.rules import (
    LEASE,
    LOOK_AGAIN_AFTER,
    MAX_TRIES,
    MessageKind,
    MessageStatus,
    SendFacts,
    SkipReason,
    skip_reason,
    wait_before_retry,
)
from outreach.orm import insert_new
from outreach.patients import consent, hours, registry
from outreach.patients.models import Patient, PhoneNumber
from outreach.patients.rules import (
    Channel,
    ConsentSource,
    next_allowed_at,
)
from outreach.programmes.models import Enrolment
from outreach.programmes.rules import EnrolmentStatus
from outreach.telephony.gateway import OutboundSms

# Every state in which a text has, or may have, reached the patient.
_COUNTS = (
    MessageStatus.CALLING,
    MessageStatus.UNKNOWN,
    MessageStatus.ACCEPTED,
    MessageStatus.SENT,
    MessageStatus.DELIVERED,
    MessageStatus.UNDELIVERED,
)


def new_message(
    patient: Patient,
    kind: MessageKind,
    body: str,
    *,
    dedupe_key: str,
    cause: str,
    to_number: str,
    window: tuple[datetime, datetime | None],
    now: datetime,
) -> dict[str, Any]:
    """Return a row for :func:`write`. ``window``: not before, and not from then on."""
    send_after, expires_at = window
    return {
        "clinic_id": patient.clinic_id,
        "patient_id": patient.id,
        "kind": kind,
        "dedupe_key": dedupe_key,
        "cause": cause,
        "to_number": to_number,
        "language": patient.language,
        "body": body,
        "status": MessageStatus.SCHEDULED,
        "failure": "",
        "send_after": send_after,
        "expires_at": expires_at,
        "tries": 0,
        "created_at": now,
    }


def new_alert(
    staff: StaffMember,
    clinic_id: int,
    body: str,
    *,
    dedupe_key: str,
    cause: str,
    window: tuple[datetime, datetime],
    now: datetime,
) -> dict[str, Any]:
    """Return a row for :func:`write`: a text to one of the staff, who must have a number.

    Consent, limits and contact hours are for patients: an alert goes out at any hour.
    """
    send_after, expires_at = window
    return {
        "clinic_id": clinic_id,
        "staff_id": staff.id,
        "kind": MessageKind.ALERT,
        "dedupe_key": dedupe_key,
        "cause": cause,
        "to_number": staff.phone,
        "language": "en",
        "body": body,
        "status": MessageStatus.SCHEDULED,
        "failure": "",
        "send_after": send_after,
        "expires_at": expires_at,
        "tries": 0,
        "created_at": now,
    }


def write(session: Session, messages: Sequence[Mapping[str, Any]]) -> int:
    """Put texts into the outbox; those whose key is there already are passed over.

    Does not commit: a text stands or falls with what caused it.
    """
    return insert_new(session, Message, messages)


def cancel(
    session: Session,
    cause: str,
    *,
    now: datetime,
    reason: SkipReason = SkipReason.CALL_CHANGED,
) -> None:
    """Drop the texts of ``cause`` that have not gone out. Does not commit.

    One that is on its way to the carrier, or may be, can't be called back; but it is over
    from now on, so that it is never tried again.
    """
    session.execute(
        update(Message)
        .where(
            Message.cause == cause,
            Message.status.in_((MessageStatus.CALLING, MessageStatus.UNKNOWN)),
        )
        .values(expires_at=now)
    )
    session.execute(
        update(Message)
        .where(Message.cause == cause, Message.status == MessageStatus.SCHEDULED)
        .values(status=MessageStatus.SKIPPED, skip_reason=reason)
    )


def due_ids(session: Session, *, now: datetime, limit: int = 200) -> Sequence[int]:
    """Return the texts whose time has come: alerts to staff, answers, then the oldest."""
    return session.scalars(
        select(Message.id)
        .where(Message.status == MessageStatus.SCHEDULED, Message.send_after <= now)
        .order_by(Message.staff_id.is_(None), Message.inbound_id.is_(None), Message.send_after)
        .order_by(Message.id)
        .limit(limit)
    ).all()


def lost_ids(session: Session, *, now: datetime, limit: int = 200) -> Sequence[int]:
    """Return texts of which we don't know whether they went out."""
    return session.scalars(
        select(Message.id)
        .where(
            or_(
                Message.status == MessageStatus.UNKNOWN,
                and_(Message.status == MessageStatus.CALLING, Message.lease_until < now),
            ),
        )
        .order_by(Message.calling_at, Message.id)
        .limit(limit)
    ).all()


def begin(session: Session, message_id: int, *, now: datetime) -> OutboundSms | None:
    """Take a text for sending, or return None when it must not go out now.

    To patients: consent, number, limits and contact hours are checked here, in the transaction that
    begins the sending: they may have changed since it was written, and a scheduler that was
    down all day may only get here at night. Does not commit.
    """
    message = session.scalar(
        update(Message)
        .where(Message.id == message_id, Message.status == MessageStatus.SCHEDULED)
        .values(
            status=MessageStatus.CALLING,
            calling_at=now,
            lease_until=now + LEASE,
            tries=Message.tries + 1,
        )
        .returning(Message)
    )
    if message is None:
        return None
    if message.inbound_id is not None:
        return _begin_reply(session, message, now=now)
    if message.patient_id is None:
        return _begin_alert(session, message, now=now)
    patient = session.scalars(
        select(Patient)
        .options(joinedload(Patient.clinic))
        .where(Patient.id == message.patient_id)
        .with_for_update(of=Patient)  # so that two texts can't both be the day's first
    ).one()
    facts = _facts(session, message, patient, now=now)
    reason = skip_reason(facts, now=now)
    if reason is not None:
        message.status, message.skip_reason = MessageStatus.SKIPPED, reason
        return None
    if facts.is_conversation_open:
        _wait_until(message, now + LOOK_AGAIN_AFTER)
        return None
    if _waits_for_hours(session, message, patient, now=now):
        return None
    return as_sms(message, patient.clinic)


def _begin_reply(session: Session, message: Message, *, now: datetime) -> OutboundSms | None:
    """Take an answer to a text that came in.

    What we answer by ourselves goes out at once, at whatever hour they wrote, or not at all;
    what one of the staff wrote waits for the patient's contact hours.
    """
    reason = conversation.why_not(session, message, now=now)
    if reason is not None:
        message.status, message.skip_reason = MessageStatus.SKIPPED, reason
        return None
    if message.kind is MessageKind.ANSWER and message.patient_id is not None:
        patient = session.get_one(Patient, message.patient_id)
        if _waits_for_hours(session, message, patient, now=now):
            return None
    return as_sms(message, conversation.clinic_of(session, message))


def _waits_for_hours(
    session: Session, message: Message, patient: Patient, *, now: datetime
) -> bool:
    """Put a text off until the patient's contact hours; say whether that was needed."""
    allowed_at = next_allowed_at(
        now, ZoneInfo(patient.zone), hours.hours_of(session, patient, today=now.date())
    )
    if allowed_at > now:
        _wait_until(message, allowed_at)
    return allowed_at > now


def _wait_until(message: Message, at: datetime) -> None:
    message.status, message.send_after = MessageStatus.SCHEDULED, at
    message.tries -= 1


def _begin_alert(session: Session, message: Message, *, now: datetime) -> OutboundSms | None:
    if message.expires_at is not None and now >= message.expires_at:
        message.status, message.skip_reason = MessageStatus.SKIPPED, SkipReason.TOO_LATE
        return None
    return as_sms(message, session.get_one(Clinic, message.clinic_id))


def as_sms(message: Message, clinic: Clinic) -> OutboundSms:
    """Return a text as the carrier takes it."""
    return OutboundSms(message.id, message.to_number, message.body, clinic.sms_sender)


def mark_accepted(session: Session, message_id: int, provider_id: str, *, now: datetime) -> None:
    """Note that the carrier took a text. Does not commit.

    A delivery report may have come first: status only moves on from CALLING and UNKNOWN.
    """
    session.execute(
        update(Message)
        .where(Message.id == message_id)
        .values(provider_id=provider_id, accepted_at=now, lease_until=None)
    )
    session.execute(
        update(Message)
        .where(
            Message.id == message_id,
            Message.status.in_((MessageStatus.CALLING, MessageStatus.UNKNOWN)),
        )
        .values(status=MessageStatus.ACCEPTED)
    )


def mark_unknown(session: Session, message_id: int) -> None:
    """Note that the carrier was asked and did not answer. Does not commit."""
    _leave_calling(session, message_id, status=MessageStatus.UNKNOWN)


def mark_failed(session: Session, message_id: int, failure: str) -> None:
    """Note that a text will never go out, and why. Does not commit."""
    _leave_calling(session, message_id, status=MessageStatus.FAILED, failure=failure)


def try_again(session: Session, message_id: int, *, jitter: float, now: datetime) -> None:
    """Put a text that certainly did not go out back, for a later time. Does not commit."""
    tries = session.scalar(select(Message.tries).where(Message.id == message_id)) or 1
    if tries >= MAX_TRIES:
        mark_failed(session, message_id, "the carrier did not take it")
        return
    _leave_calling(
        session,
        message_id,
        status=MessageStatus.SCHEDULED,
        send_after=now + wait_before_retry(tries, jitter),
    )


def note_opt_out(session: Session, message: Message, *, now: datetime) -> None:
    """Write down that this patient's number said stop to the carrier. Does not commit."""
    if message.patient_id is None:
        return
    patient = session.get_one(Patient, message.patient_id)
    consent.note(
        session,
        patient,
        Channel.SMS,
        message.to_number,
        is_given=False,
        source=ConsentSource.CARRIER,
        by_staff_id=None,
        now=now,
    )


def note_untextable(session: Session, message: Message) -> None:
    """Write down that a number cannot receive texts; calls go on. Does not commit."""
    session.execute(
        update(PhoneNumber)
        .where(PhoneNumber.patient_id == message.patient_id, PhoneNumber.e164 == message.to_number)
        .values(can_text=False)
    )


def known_provider_ids(session: Session, message: Message) -> list[str]:
    """Return the carrier's ids of our other texts to the same number."""
    return list(
        session.scalars(
            select(Message.provider_id).where(
                Message.to_number == message.to_number,
                Message.id != message.id,
                Message.provider_id.is_not(None),
            )
        )
    )


def _leave_calling(session: Session, message_id: int, **values: Any) -> None:
    session.execute(
        update(Message)
        .where(
            Message.id == message_id,
            Message.status.in_((MessageStatus.CALLING, MessageStatus.UNKNOWN)),
        )
        .values(lease_until=None, **values)
    )


def _is_the_number(session: Session, message: Message, patient: Patient) -> bool:
    """Say whether a text still goes to the number that the patient is reached at."""
    number = registry.working_number(session, patient.id)
    return number is not None and number.e164 == message.to_number and number.can_text


def _facts(session: Session, message: Message, patient: Patient, *, now: datetime) -> SendFacts:
    day_began = day_began_at(now, ZoneInfo(patient.zone))
    sent = select(func.count(), func.count().filter(Message.calling_at >= day_began)).where(
        Message.patient_id == patient.id,
        Message.id != message.id,
        Message.inbound_id.is_(None),  # an answer that they asked for is no text of ours unasked
        Message.calling_at > now - timedelta(days=7),
        Message.status.in_(_COUNTS),
    )
    this_week, this_day = session.execute(sent).one()
    return SendFacts(
        has_consent=consent.is_given(session, patient.id, Channel.SMS, message.to_number),
        is_number_working=_is_the_number(session, message, patient),
        is_enrolled=bool(
            session.scalar(
                select(
                    exists().where(
                        Enrolment.patient_id == patient.id,
                        Enrolment.status == EnrolmentStatus.ACTIVE,
                    )
                )
            )
        ),
        sent_today=this_day,
        sent_this_week=this_week,
        expires_at=message.expires_at,
        is_conversation_open=conversation.is_writing(
            session, message.clinic_id, message.to_number, now=now
        ),
    )
