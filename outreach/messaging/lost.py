"""Texts of which we don't know whether they went out, and what the carrier's list can tell.

A carrier's list holds no reference of ours, only number and words. So where two texts with
the same words to the same number are unsettled, and one of them may be on its way just now,
nothing is concluded until that one is settled by itself.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, and_, or_, select
from sqlalchemy.orm import Session

from outreach.accounts.models import Clinic
from outreach.messaging import setting
from outreach.messaging.claiming import as_sms
from outreach.messaging.models import Message
from outreach.messaging.outbox import UNSETTLED, Asked
from outreach.messaging.rules import MessageStatus, settle_after
from outreach.telephony.gateway import OutboundSms


@dataclass(frozen=True)
class Lost:
    """One text to look up. ``known_ids`` belong to other texts to the same number.

    ``settles_at``: from when on the list's silence counts. ``is_past_use``: its time is over.
    """

    sms: OutboundSms
    asked: Asked
    written_at: datetime
    known_ids: Sequence[str]
    settles_at: datetime
    is_past_use: bool


def lost_ids(session: Session, *, now: datetime, limit: int = 200) -> Sequence[int]:
    """Return texts whose answer got lost, or whose sender died, the oldest first."""
    return session.scalars(
        select(Message.id)
        .where(_is_lost(now))
        .order_by(Message.calling_at, Message.id)
        .limit(limit)
    ).all()


def one(session: Session, message_id: int, *, now: datetime) -> Lost | None:
    """Return what is needed to look one up; None where that must wait or is done already."""
    row = session.execute(
        select(
            Message.id,
            Message.to_number,
            Message.body,
            Message.calling_at,
            Message.created_at,
            Message.kind,
            Message.clinic_id,
            Message.expires_at,
            Clinic.sms_sender,
        )
        .join(Clinic, Clinic.id == Message.clinic_id)
        .where(
            Message.id == message_id,
            _is_lost(now),
        )
    ).one_or_none()
    if row is None or row.body in _being_sent(session, row.to_number, row.id, now=now):
        return None
    known = session.scalars(
        select(Message.provider_id).where(
            Message.to_number == row.to_number,
            Message.id != row.id,
            Message.provider_id.is_not(None),
        )
    )
    asked = Asked(row.id, row.calling_at)
    limits = setting.limits_by(session, [row.clinic_id])[row.clinic_id]
    return Lost(
        as_sms(row),
        asked,
        row.created_at,
        [each for each in known if each],
        settles_at=row.calling_at + settle_after(row.kind, limits),
        is_past_use=row.expires_at is not None and row.expires_at <= now,
    )


def _being_sent(session: Session, number: str, but: int, *, now: datetime) -> Sequence[str]:
    """Return what a worker is sending to a number right now, but for one text."""
    return session.scalars(
        select(Message.body).where(
            Message.id != but,
            Message.to_number == number,
            Message.status == MessageStatus.CALLING,
            Message.lease_until >= now,
        )
    ).all()


def _is_lost(now: datetime) -> ColumnElement[bool]:
    return and_(
        Message.status.in_(UNSETTLED),
        or_(Message.status == MessageStatus.UNKNOWN, Message.lease_until < now),
    )
