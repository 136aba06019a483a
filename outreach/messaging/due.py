"""Texts whose time has come, each decrypted by itself: one that can't be read stops no other."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import (
    ColumnElement,
    SQLColumnExpression,
    Text,
    bindparam,
    case,
    select,
    type_coerce,
)
from sqlalchemy.orm import Session

from outreach import sealing
from outreach.accounts.models import Clinic
from outreach.encryption import CannotDecrypt
from outreach.messaging import holding
from outreach.messaging.models import Message
from outreach.messaging.rules import MessageKind, MessageStatus

# Part of the statement, not a parameter: else the index of what waits could not be used.
IS_WAITING = Message.status == bindparam(
    None, MessageStatus.SCHEDULED, type_=Message.status.type, literal_execute=True
)
_RAW_NUMBER = type_coerce(Message.to_number, Text()).label("to_number")
_RAW_BODY = type_coerce(Message.body, Text()).label("body")


class Due(NamedTuple):
    """A text whose time has come. Of one that can't be read, number and body are encrypted."""

    id: int
    clinic_id: int
    patient_id: int | None
    inbound_id: int | None
    kind: MessageKind
    to_number: str
    body: str
    send_after: datetime
    expires_at: datetime | None
    created_at: datetime
    tries: int
    sms_sender: str


def texts(
    session: Session, *, now: datetime, limit: int, which: Sequence[ColumnElement[bool]] = ()
) -> tuple[Sequence[Due], Sequence[Due]]:
    """Lock up to ``limit`` texts that are due at ``now``; return them and what can't be read.

    Args:
        which: what else holds of them.
    """
    is_closed = holding.current(session) is not None
    held_back = [Message.kind.in_(holding.NEVER_HELD)] if is_closed else []
    waiting = (
        select(
            Message.id,
            Message.clinic_id,
            Message.patient_id,
            Message.inbound_id,
            Message.kind,
            _RAW_NUMBER,
            _RAW_BODY,
            Message.send_after,
            Message.expires_at,
            Message.created_at,
            Message.tries,
            Clinic.sms_sender,
        )
        .join(Clinic, Clinic.id == Message.clinic_id)
        .where(IS_WAITING, Message.send_after <= now, *held_back, *which)
        .order_by(Message.rank, Message.send_after, Message.id)  # in_turn() of what is due
        .limit(limit)
        .with_for_update(of=Message, skip_locked=True)
    )
    open_number, open_body = sealing.opener(Message.to_number), sealing.opener(Message.body)
    readable, unreadable = [], []
    session.flush()
    for row in session.connection().execute(waiting).all():  # another statement each time
        found = Due._make(row)
        try:
            number, body = open_number(found.to_number), open_body(found.body)
        except CannotDecrypt:
            unreadable.append(found)
        else:
            readable.append(found._replace(to_number=number, body=body))
    return readable, unreadable


def in_turn(now: datetime) -> tuple[SQLColumnExpression[Any], ...]:
    """Return the order in which texts get their turn, for ``order_by``.

    Of those that are due, what matters most comes first, then the oldest; what is not due
    yet comes by its time.
    """
    is_later = case((Message.send_after <= now, 0), else_=1)
    ahead = case((is_later == 0, Message.rank), else_=0)
    return is_later, ahead, Message.send_after, Message.rank, Message.id
