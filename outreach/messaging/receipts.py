"""What carriers report: every report is kept, and status only moves on."""

from datetime import datetime

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from outreach.messaging import outbox, setting
from outreach.messaging.models import DeliveryEvent, Message
from outreach.messaging.rules import MessageStatus, advanced
from outreach.orm import insert_new
from outreach.telephony.gateway import DeliveryReport


def apply(session: Session, message_id: int, report: DeliveryReport, *, now: datetime) -> bool:
    """Take one report about a text; False when we know no such text. Does not commit.

    Repeats and late ones are kept or recognised, and change nothing.
    """
    message = session.scalar(select(Message).where(Message.id == message_id).with_for_update())
    if message is None:
        return False
    insert_new(
        session,
        DeliveryEvent,
        [
            {
                "message_id": message.id,
                "status": report.status.value,
                "error_code": report.error_code,
                "is_unreachable": report.is_unreachable,
                "received_at": now,
            }
        ],
    )
    if report.provider_id != message.provider_id:
        _take_from_twin(session, message, report.provider_id)
    status = advanced(message.status, report.status)
    if status is message.status:
        return True
    session.execute(
        update(Message)
        .where(Message.id == message.id)
        .values(
            status=status,
            provider_id=report.provider_id,
            failure=str(report.error_code or ""),
            lease_until=None,
        )
    )
    if report.is_opt_out:
        outbox.note_opt_out(session, message, now=now)
    if report.is_unreachable and _is_given_up(session, message):
        outbox.note_untextable(session, message)
    return True


def _take_from_twin(session: Session, message: Message, provider_id: str) -> None:
    """Let a text that was taken for this one be looked for again.

    A carrier's list tells texts with the same words to the same number not apart, so a lost
    one may have been given the other's id. A report comes to the address with our own id.
    """
    session.execute(
        update(Message)
        .where(
            Message.to_number == message.to_number,
            Message.provider_id == provider_id,
            Message.id != message.id,
            Message.status == MessageStatus.ACCEPTED,
        )
        .values(status=MessageStatus.UNKNOWN, provider_id=None, accepted_at=None)
    )


def _is_given_up(session: Session, message: Message) -> bool:
    """Say whether the last few texts to this number all found no telephone."""
    times = setting.limits_by(session, [message.clinic_id])[message.clinic_id].unreachable_times
    last = (
        select(Message.id)
        .where(
            Message.to_number == message.to_number,
            Message.status.in_(
                (MessageStatus.DELIVERED, MessageStatus.UNDELIVERED, MessageStatus.FAILED)
            ),
        )
        .order_by(Message.id.desc())
        .limit(times)
    )
    found = session.scalar(
        select(func.count(DeliveryEvent.message_id.distinct())).where(
            DeliveryEvent.message_id.in_(last),
            DeliveryEvent.is_unreachable.is_(True),
        )
    )
    return found == times
