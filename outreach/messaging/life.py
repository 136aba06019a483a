"""One text's whole life: why it was written, each try, each report, and what came of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from outreach.accounts.models import StaffMember
from outreach.accounts.rules import Scope
from outreach.accounts.scoping import visible_at_clinic
from outreach.audit.models import AuditEvent
from outreach.errors import NotFound
from outreach.messaging import outbox
from outreach.messaging.models import DeliveryEvent, Message, SendTry
from outreach.messaging.rules import may_resend
from outreach.telephony.gateway import DeliveryStatus

RESENT = "message resent"


class NoSuchMessage(NotFound):
    """There is no such text, or it is of a clinic outside one's scope."""


@dataclass(frozen=True)
class Life:
    """A text and all that is known about it, each in order of time.

    ``resent_as`` and ``resent_from`` are ids of texts; ``resent_by`` who asked for it.
    """

    message: Message
    tries: Sequence[SendTry]
    reports: Sequence[tuple[DeliveryStatus, DeliveryEvent]]
    resent_as: int | None
    resent_from: int | None
    resent_by: tuple[str, datetime] | None
    may_resend: bool


def by_id(session: Session, scope: Scope, message_id: int) -> Message:
    """Return a text of a clinic in ``scope``, or raise NoSuchMessage."""
    message = session.scalar(
        select(Message)
        .options(joinedload(Message.patient), joinedload(Message.staff), joinedload(Message.clinic))
        .where(
            Message.id == message_id,
            visible_at_clinic(scope, Message.clinic_id, Message.patient_id),
        )
    )
    if message is None:
        raise NoSuchMessage("There is no such text.")
    return message


def life_of(session: Session, message: Message, *, now: datetime) -> Life:
    """Return the whole life of a text."""
    tries = session.scalars(
        select(SendTry)
        .where(SendTry.message_id == message.id)
        .order_by(SendTry.answered_at, SendTry.id)
    ).all()
    reports = session.scalars(
        select(DeliveryEvent)
        .where(DeliveryEvent.message_id == message.id)
        .order_by(DeliveryEvent.received_at, DeliveryEvent.id)
    ).all()
    resent_as = session.scalar(
        select(Message.id).where(Message.dedupe_key == outbox.resend_key(message.id))
    )
    is_safe = may_resend(message.status, message.provider_id, message.expires_at, now=now)
    return Life(
        message,
        tries,
        [(DeliveryStatus(each.status), each) for each in reports],
        resent_as,
        _old_id(message),
        _resent_by(session, message),
        may_resend=is_safe and not reports and resent_as is None,
    )


def _old_id(message: Message) -> int | None:
    kind, _colon, digits = message.dedupe_key.partition(":")
    return int(digits) if kind == "resend" else None


def _resent_by(session: Session, message: Message) -> tuple[str, datetime] | None:
    if _old_id(message) is None:
        return None
    row = session.execute(
        select(StaffMember.name, AuditEvent.at)
        .join(StaffMember, StaffMember.id == AuditEvent.actor_id)
        .where(
            AuditEvent.clinic_id == message.clinic_id,
            AuditEvent.at == message.created_at,
            AuditEvent.action == RESENT,
            AuditEvent.object_kind == "message",
            AuditEvent.object_id == message.id,
        )
        .limit(1)
    ).one_or_none()
    return (row.name, row.at) if row else None
