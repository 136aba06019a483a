"""Every promise of the product held against the rows of a database; reads only.

The plan has its own (``planning.checking``), and so has the audit trail (``audit.chain``).
Here are those of texts, calls, the safety net, and of clinics that share a database.
Operators run them after a restore, a copy or trouble: ``flask check invariants``.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    Select,
    String,
    Table,
    cast,
    exists,
    func,
    or_,
    select,
)
from sqlalchemy.orm import Session, aliased

from outreach.audit import chain
from outreach.calls.models import Attempt
from outreach.calls.rules import REACHED
from outreach.concerns import alerting
from outreach.concerns.models import Concern
from outreach.concerns.rules import ConcernStatus, Urgency
from outreach.messaging.models import Message, SendTry
from outreach.messaging.rules import REPLIES, MessageKind, MessageStatus
from outreach.orm import Model
from outreach.patients.models import ConsentEvent
from outreach.patients.rules import Channel
from outreach.phoning.models import PhoneCall
from outreach.planning import checking
from outreach.planning.models import PlannedCall
from outreach.planning.rules import CallStatus

# The sweepers run every minute: what is still there after an hour is stuck.
STUCK_AFTER = timedelta(hours=1)
# A call that nothing was heard of is settled within minutes, whatever the carrier does.
CALL_STUCK_AFTER = timedelta(hours=12)
# Limits of a day and a week may hold a text back, and a weekend; longer than that it is lost.
TEXT_WAITS_AT_MOST = timedelta(days=8)
WENT_OUT = (MessageStatus.ACCEPTED, MessageStatus.SENT, MessageStatus.DELIVERED)
# Sent whatever was said before: answers to a text, and what a person wrote.
_ANSWERS = (*REPLIES, MessageKind.ANSWER)
_OF_ONE_CAUSE = (Message.cause, Message.kind, Message.to_number, Message.body)

Rows = Callable[[datetime], Select[int]]


@dataclass(frozen=True)
class Breach:
    """A promise that is broken, and the rows of one table that break it."""

    promise: str
    table: str
    ids: tuple[int, ...]


def breaches(session: Session, *, now: datetime) -> list[Breach]:
    """Return every promise that is broken at ``now``."""
    found = [
        Breach(each.promise, "enrolment", each.enrolment_ids)
        for each in checking.breaches(session, now=now)
    ]
    for promise, (table, of) in _BY_ROWS.items():
        ids = session.scalars(of(now)).all()
        found.append(Breach(promise, table.__tablename__, tuple(ids)))
    found += _over_clinics(session.connection())
    proof = chain.prove(session)
    if proof.broken:
        promise = f"the audit trail is as it was written: {proof.broken}"
        found.append(Breach(promise, "audit_link", (proof.head.position,)))
    return [each for each in found if each.ids]


def _held_too_long(now: datetime) -> Select[int]:
    return select(Message.id).where(
        Message.status == MessageStatus.CALLING, Message.lease_until <= now - STUCK_AFTER
    )


def _never_looked_up(now: datetime) -> Select[int]:
    was_asked_after = exists().where(
        SendTry.message_id == Message.id, SendTry.at > Message.calling_at
    )
    return select(Message.id).where(
        Message.status == MessageStatus.UNKNOWN,
        Message.calling_at <= now - STUCK_AFTER,
        ~was_asked_after,
    )


def _past_its_end(now: datetime) -> Select[int]:
    return select(Message.id).where(
        Message.status == MessageStatus.SCHEDULED,
        or_(
            Message.expires_at <= now - STUCK_AFTER,
            Message.send_after <= now - TEXT_WAITS_AT_MOST,
        ),
    )


def _sent_twice(_now: datetime) -> Select[int]:
    return (
        select(func.max(Message.id))
        .where(Message.status.in_(WENT_OUT))
        .group_by(*_OF_ONE_CAUSE)
        .having(func.count() > 1)
    )


def _sent_without_consent(_now: datetime) -> Select[int]:
    """Select texts that went out while no topic was agreed to for their number."""
    given, later = aliased(ConsentEvent), aliased(ConsentEvent)
    was_taken_back = (
        exists()
        .where(
            later.patient_id == given.patient_id,
            later.channel == given.channel,
            later.number == given.number,
            later.topic == given.topic,
            later.id > given.id,
            later.at < Message.calling_at,
        )
        .correlate(given, Message)
    )
    was_agreed = (
        exists()
        .where(
            given.patient_id == Message.patient_id,
            given.channel == Channel.SMS,
            given.number == Message.to_number,
            given.is_given.is_(True),
            given.at <= Message.calling_at,
            ~was_taken_back,
        )
        .correlate(Message)
    )
    return select(Message.id).where(
        Message.status.in_(WENT_OUT),
        Message.patient_id.is_not(None),
        Message.kind.not_in(_ANSWERS),
        ~was_agreed,
    )


def _counted_without_attempt(_now: datetime) -> Select[int]:
    counted = (
        select(func.count())
        .where(Attempt.planned_call_id == PlannedCall.id, Attempt.superseded_at.is_(None))
        .correlate(PlannedCall)
        .scalar_subquery()
    )
    return select(PlannedCall.id).where(PlannedCall.dials > counted)


def _completed_without_words(_now: datetime) -> Select[int]:
    spoke = exists().where(
        Attempt.planned_call_id == PlannedCall.id,
        Attempt.superseded_at.is_(None),
        Attempt.outcome.in_(REACHED),
    )
    return select(PlannedCall.id).where(PlannedCall.status == CallStatus.COMPLETED, ~spoke)


def _on_the_line_for_ever(now: datetime) -> Select[int]:
    return select(PhoneCall.id).where(
        PhoneCall.ended_at.is_(None), PhoneCall.heard_at <= now - CALL_STUCK_AFTER
    )


def _told_nobody(now: datetime) -> Select[int]:
    """Select urgent concerns that nobody took on and about which no alert was written."""
    waits_since = func.coalesce(Concern.reopened_at, Concern.raised_at)
    was_told = exists().where(
        Message.cause == alerting.CAUSE + cast(Concern.id, String),
        Message.created_at >= waits_since,
    )
    return select(Concern.id).where(
        Concern.status == ConcernStatus.OPEN,
        Concern.urgency == Urgency.NOW,
        waits_since <= now - STUCK_AFTER,
        ~was_told,
    )


def _over_clinics(connection: Connection) -> Iterator[Breach]:
    """Yield rows of one clinic that refer to a row of another, by every foreign key."""
    for table in Model.metadata.sorted_tables:
        for column, of in _references(table):
            other = of.alias()
            ids = connection.scalars(
                select(_key(table))
                .join(other, column == other.c[_key(of).name])
                .where(table.c.clinic_id != other.c.clinic_id)
            ).all()
            promise = f"rows of one clinic refer to its own {of.name}"
            yield Breach(promise, f"{table.name}.{column.name}", tuple(ids))


def _references(table: Table) -> Sequence[tuple[ColumnElement[int], Table]]:
    if "clinic_id" not in table.c:
        return ()
    return [
        (key.parent, key.column.table)
        for key in sorted(table.foreign_keys, key=lambda each: each.parent.name)
        if "clinic_id" in key.column.table.c and key.column.primary_key
    ]


def _key(table: Table) -> Column[int]:
    return next(iter(table.primary_key.columns))


_BY_ROWS: dict[str, tuple[type[Model], Rows]] = {
    "no worker holds a text for longer than its lease": (Message, _held_too_long),
    "a lost answer is looked up at the carrier": (Message, _never_looked_up),
    "no text waits past its end": (Message, _past_its_end),
    "a text goes out once": (Message, _sent_twice),
    "nobody is texted without consent or after saying stop": (Message, _sent_without_consent),
    "every dial that counts was recorded": (PlannedCall, _counted_without_attempt),
    "a completed call was a conversation": (PlannedCall, _completed_without_words),
    "no call stays on the line for ever": (PhoneCall, _on_the_line_for_ever),
    "somebody is told of every urgent concern": (Concern, _told_nobody),
}
