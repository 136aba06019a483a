"""The outbox: a text is a row first, and goes out once.

A row moves SCHEDULED -> CALLING in a committed step before the carrier is asked. Whoever
dies in between leaves a CALLING row whose lease runs out; it is then looked up at the
carrier (see ``jobs.settle_lost_messages``), never sent again blindly.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import Dialect, Update, case, or_, select, type_coerce, update
from sqlalchemy.orm import Session

from outreach.accounts.models import StaffMember
from outreach.built_once import built_once
from outreach.bulk import BulkInsert, BulkUpdate
from outreach.messaging.models import Message, SendTry
from outreach.messaging.rules import (
    MAX_TRIES,
    MessageKind,
    MessageStatus,
    SkipReason,
    TryResult,
    may_resend,
    wait_before_retry,
)
from outreach.orm import UTCDateTime, insert_new
from outreach.patients import consent
from outreach.patients.models import Patient, PhoneNumber
from outreach.patients.rules import Channel, ConsentSource
from outreach.telephony.gateway import InvalidRecipient, OptedOut, Refused

# The carrier was, or may have been, asked, and we don't know what came of it.
UNSETTLED = (MessageStatus.CALLING, MessageStatus.UNKNOWN)
# It may still go out, once more or for the first time.
NOT_YET_OUT = (MessageStatus.SCHEDULED, *UNSETTLED, MessageStatus.FAILED)


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
    wording_id: int | None = None,
) -> dict[str, Any]:
    """Return a row for :func:`write`.

    Args:
        window: not before, and not from then on.
        wording_id: the version of the words it was made from, None: as built in.
    """
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
        "wording_id": wording_id,
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
    kind: MessageKind = MessageKind.ALERT,
) -> dict[str, Any]:
    """Return a row for :func:`write`: a text to one of the staff, who must have a number.

    Consent, limits and contact hours are for patients: an alert goes out at any hour.
    """
    send_after, expires_at = window
    return {
        "clinic_id": clinic_id,
        "staff_id": staff.id,
        "kind": kind,
        "dedupe_key": dedupe_key,
        "cause": cause,
        "to_number": staff.phone,
        "language": staff.locale,
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
    kind: MessageKind | None = None,
) -> None:
    """Drop the texts of ``cause`` that have not gone out. Does not commit.

    Of one ``kind``, or of all.

    One that is on its way to the carrier, or may be, can't be called back; but it is over
    from now on, so that it is never tried again. So is one that failed: nobody sends once more
    what names a time that holds no longer.
    """
    statement, values = _cancelled(cause, reason, now)
    session.execute(statement.where(Message.kind == kind) if kind else statement, values)


@built_once
def _cancelled(of: Any, reason: Any, now: Any) -> Update:
    waits = Message.status == MessageStatus.SCHEDULED
    is_of_use = or_(Message.expires_at.is_(None), Message.expires_at > now)
    return (
        update(Message)
        .where(
            Message.cause == of,
            Message.status.in_(NOT_YET_OUT),
            or_(waits, is_of_use),
        )
        .values(
            expires_at=case((waits, Message.expires_at), else_=type_coerce(now, UTCDateTime())),
            status=case((waits, MessageStatus.SKIPPED), else_=Message.status),
            skip_reason=case(
                (waits, type_coerce(reason, Message.skip_reason.type)), else_=Message.skip_reason
            ),
        )
        .execution_options(synchronize_session="fetch")
    )


@dataclass(frozen=True)
class Asked:
    """One asking of the carrier: which text, and when it was taken for that.

    Whatever is stored about it changes only a row that is still at that asking: a process
    that slept through its lease finds the row moved on, and leaves it alone.
    """

    message_id: int
    at: datetime


def mark_accepted(
    session: Session, receipts: Sequence[tuple[Asked, str]], *, now: datetime
) -> None:
    """Note which texts the carrier took, and its ids for them. Does not commit.

    A delivery report may have come first: status only moves on from CALLING and UNKNOWN, and
    from SCHEDULED where a process with another clock held this very asking for lost, and put the
    text back: what the carrier took must not go out again. One statement for all: a worker
    stores a hundred at a time.
    """
    _accepted(session.get_bind().dialect).run(
        session.connection(),
        [(asked.message_id, asked.at, provider_id, now) for asked, provider_id in receipts],
    )


@lru_cache(maxsize=4)
def _accepted(dialect: Dialect) -> BulkUpdate:
    unsettled = ", ".join(f"'{each.value}'" for each in (*UNSETTLED, MessageStatus.SCHEDULED))
    return BulkUpdate(
        dialect,
        Message,
        own={"asked": "id", "at": "calling_at", "sid": "provider_id", "taken_at": "accepted_at"},
        sets=(
            "provider_id = coalesce(message.provider_id, own.sid), "
            "accepted_at = own.taken_at, lease_until = NULL, "
            f"status = CASE WHEN message.status IN ({unsettled}) "
            f"THEN '{MessageStatus.ACCEPTED.value}' ELSE message.status END"
        ),
        where="message.id = own.asked AND message.calling_at = own.at",
    )


def mark_unknown(session: Session, asked: Asked) -> None:
    """Note that the carrier was asked and did not answer. Does not commit."""
    _leave_calling(session, asked, status=MessageStatus.UNKNOWN)


def mark_failed(session: Session, asked: Asked, failure: str) -> None:
    """Note that a text will never go out, and why. Does not commit."""
    _leave_calling(session, asked, status=MessageStatus.FAILED, failure=failure)


def mark_lost(session: Session, asked: Asked) -> None:
    """Note that nobody knows whether a text went out, and that it is of no use any more.

    People are told of it on the page of delivery. Does not commit.
    """
    _leave_calling(session, asked, status=MessageStatus.LOST)


def put_back(session: Session, asked: Asked, *, not_before: datetime | None = None) -> None:
    """Give back a text that the carrier was never asked about. Does not commit."""
    later = {} if not_before is None else {"send_after": not_before}
    _leave_calling(session, asked, status=MessageStatus.SCHEDULED, tries=Message.tries - 1, **later)


def try_again(
    session: Session,
    asked: Asked,
    *,
    jitter: float,
    now: datetime,
    not_before: datetime | None = None,
) -> None:
    """Put a text that certainly did not go out back, for a later time. Does not commit.

    Args:
        not_before: what the carrier asked for, where it did.
    """
    tries = session.scalar(select(Message.tries).where(Message.id == asked.message_id)) or 1
    if tries >= MAX_TRIES:
        mark_failed(session, asked, "the carrier did not take it")
        return
    later = now + wait_before_retry(tries, jitter)
    _leave_calling(
        session,
        asked,
        status=MessageStatus.SCHEDULED,
        send_after=max(later, not_before or later),
    )


def note_tries(
    session: Session, tries: Sequence[tuple[Asked, TryResult, str]], *, now: datetime
) -> None:
    """Keep what came of each asking, for whoever wonders later. Does not commit."""
    insert = _tries(session.get_bind().dialect)
    answered_at = insert.stored("answered_at", now)
    at = {each: insert.stored("at", each) for each in {asked.at for asked, *_rest in tries}}
    results = {each: insert.stored("result", each) for each in TryResult}
    insert.write(
        session,
        [
            (asked.message_id, results[result], detail[:80], at[asked.at], answered_at)
            for asked, result, detail in tries
        ],
    )


@lru_cache(maxsize=4)
def _tries(dialect: Dialect) -> BulkInsert:
    columns = ("message_id", "result", "detail", "at", "answered_at")
    return BulkInsert(dialect, SendTry, columns)


def resend(session: Session, message: Message, *, now: datetime) -> int | None:
    """Write a text that certainly never went out once more; return the id of the new row.

    Its key names the old one, so there is one more and no second. Consent, limits and hours
    are judged again when it is sent. None where it is not safe. Does not commit.
    """
    if not may_resend(message.status, message.provider_id, message.expires_at, now=now):
        return None
    key = resend_key(message.id)
    again = {
        "clinic_id": message.clinic_id,
        "patient_id": message.patient_id,
        "staff_id": message.staff_id,
        "inbound_id": message.inbound_id,
        "by_staff_id": message.by_staff_id,
        "kind": message.kind,
        "dedupe_key": key,
        "cause": message.cause,
        "to_number": message.to_number,
        "language": message.language,
        "body": message.body,
        "wording_id": message.wording_id,
        "status": MessageStatus.SCHEDULED,
        "failure": "",
        "send_after": now,
        "expires_at": message.expires_at,
        "tries": 0,
        "created_at": now,
    }
    if not write(session, [again]):
        return None
    return session.scalar(select(Message.id).where(Message.dedupe_key == key))


def resend_key(message_id: int) -> str:
    """Return the key of the one text that may follow a failed one."""
    return f"resend:{message_id}"


def note_refusal(
    session: Session,
    message_id: int,
    refusal: OptedOut | InvalidRecipient | Refused,
    *,
    now: datetime,
) -> None:
    """Write down what a refusal tells about the number, if anything. Does not commit."""
    message = session.get_one(Message, message_id)
    if isinstance(refusal, OptedOut):
        note_opt_out(session, message, now=now)
    if isinstance(refusal, InvalidRecipient):
        note_untextable(session, message)


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


def _leave_calling(session: Session, asked: Asked, **values: Any) -> None:
    session.execute(
        update(Message)
        .where(
            Message.id == asked.message_id,
            Message.calling_at == asked.at,
            Message.status.in_(UNSETTLED),
        )
        .values(lease_until=None, **values)
        .execution_options(synchronize_session=False)
    )
