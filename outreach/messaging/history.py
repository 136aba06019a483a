"""What went out to patients in the last seven days, and what is still to come."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Select, and_, or_, select
from sqlalchemy.orm import Session

from outreach.among import among
from outreach.built_once import built_once
from outreach.messaging.models import Message
from outreach.messaging.rules import MessageKind, MessageStatus
from outreach.orm import rows_of

# Every state in which a text has, or may have, reached the patient.
WENT_OUT = (
    MessageStatus.CALLING,
    MessageStatus.UNKNOWN,
    MessageStatus.LOST,
    MessageStatus.ACCEPTED,
    MessageStatus.SENT,
    MessageStatus.DELIVERED,
    MessageStatus.UNDELIVERED,
)


def sent_and_ahead(
    session: Session, patient_ids: Sequence[int], *, now: datetime
) -> tuple[dict[int, list[datetime]], dict[int, list[tuple[MessageKind, datetime]]]]:
    """Return two things by patient, in one statement.

    When texts of the last seven days went out, and the kinds and times of those that are
    still to come within a day. Answers are no texts of ours unasked.
    """
    others = _others(patient_ids, now - timedelta(days=7), now, now + timedelta(days=1))
    sent: dict[int, list[datetime]] = {each: [] for each in patient_ids}
    ahead: dict[int, list[tuple[MessageKind, datetime]]] = {each: [] for each in patient_ids}
    for row in rows_of(session, *others):
        if row.patient_id is None:
            continue
        if row.status is MessageStatus.SCHEDULED:
            ahead[row.patient_id].append((row.kind, row.send_after))
        elif row.calling_at is not None:
            sent[row.patient_id].append(row.calling_at)
    return sent, ahead


@built_once
def _others(patient_ids: Any, week_ago: Any, now: Any, day_ahead: Any) -> Select[*tuple[Any, ...]]:
    went_out = and_(Message.calling_at > week_ago, Message.status.in_(WENT_OUT))
    is_to_come = and_(
        Message.status == MessageStatus.SCHEDULED,
        Message.send_after > now,
        Message.send_after < day_ahead,
    )
    return select(
        Message.patient_id,
        Message.kind,
        Message.status,
        Message.calling_at,
        Message.send_after,
    ).where(
        among(Message.patient_id, patient_ids),
        Message.inbound_id.is_(None),
        or_(went_out, is_to_come),
    )
