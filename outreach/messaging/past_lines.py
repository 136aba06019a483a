"""Texts that need no turn, found past those that stand in line at senders with a pace.

A line may be long: as many texts as its carrier sends in ten hours. They are older than what
comes after them, so in the order of all texts each look would go through the whole line first.
Here it goes clinic by clinic instead, by an index that begins with the clinic.
"""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, Select, exists, select
from sqlalchemy.orm import Session

from outreach.accounts.models import Clinic
from outreach.messaging import due
from outreach.messaging.due import Due
from outreach.messaging.models import Message
from outreach.messaging.rules import URGENT


def is_any_due(session: Session, in_line: Sequence[int], *, now: datetime) -> bool:
    """Say whether the time of any text has come but of those of the clinics ``in_line``."""
    is_due = exists().where(Clinic.id.not_in(in_line), exists().where(*_waits_at(now)))
    return bool(session.scalar(select(is_due)))


def texts(
    session: Session, in_line: Sequence[int], *, now: datetime, limit: int
) -> tuple[Sequence[Due], Sequence[Due]]:
    """Lock up to ``limit`` texts that are due; return them and what can't be read.

    What is urgent comes first, whatever its clinic; then the clinic whose next text is the
    oldest, then the next clinic.
    """
    others = Message.clinic_id.not_in(in_line)
    urgent = [others, Message.rank <= URGENT]
    rows, unreadable = map(list, due.texts(session, now=now, limit=limit, which=urgent))
    for clinic_id in session.scalars(_by_next_text(in_line, now)).all():
        left = limit - len(rows) - len(unreadable)
        if left <= 0:
            break
        own = [Message.clinic_id == clinic_id, Message.rank > URGENT]
        more, broken = due.texts(session, now=now, limit=left, which=own)
        rows += more
        unreadable += broken
    return rows, unreadable


def _by_next_text(in_line: Sequence[int], now: datetime) -> Select[int]:
    """Select the clinics that have texts to send, by how long the next one of each waits."""
    next_at = (
        select(Message.send_after)
        .where(*_waits_at(now), Message.rank > URGENT)
        .order_by(Message.rank, Message.send_after, Message.id)
        .limit(1)
        .correlate(Clinic)
        .scalar_subquery()
    )
    found = select(Clinic.id, next_at.label("next_at")).where(Clinic.id.not_in(in_line)).subquery()
    return (
        select(found.c.id).where(found.c.next_at.is_not(None)).order_by(found.c.next_at, found.c.id)
    )


def _waits_at(now: datetime) -> tuple[ColumnElement[bool], ...]:
    return due.IS_WAITING, Message.clinic_id == Clinic.id, Message.send_after <= now
