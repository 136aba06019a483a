"""Promises that single rows would break, each with the statement that finds them."""

from collections.abc import Callable
from datetime import datetime, timedelta

from sqlalchemy import (
    Select,
    String,
    cast,
    exists,
    func,
    or_,
    select,
)
from sqlalchemy.orm import aliased

from outreach.calls import last_talk
from outreach.calls.models import Attempt
from outreach.calls.rules import REACHED
from outreach.concerns import alerting
from outreach.concerns.models import Concern
from outreach.concerns.rules import ConcernStatus, Urgency
from outreach.measures import newest
from outreach.measures.models import Reading
from outreach.messaging import checking as texts
from outreach.messaging.models import Message, SendTry
from outreach.messaging.rules import REPLIES, MessageKind, MessageStatus, TryResult
from outreach.orm import Model
from outreach.patients.models import Anonymised, ConsentEvent, PhoneNumber
from outreach.patients.rules import Channel
from outreach.phoning.models import PhoneCall
from outreach.planning.models import PlannedCall
from outreach.planning.rules import CallStatus
from outreach.programmes.models import Enrolment
from outreach.programmes.rules import OPEN_STATUSES

# The sweepers run every minute: what is still there after an hour is stuck.
STUCK_AFTER = timedelta(hours=1)
# A call that nothing was heard of is settled within minutes, whatever the carrier does.
CALL_STUCK_AFTER = timedelta(hours=12)
# Limits of a day and a week may hold a text back, and a weekend; longer than that it is lost.
TEXT_WAITS_AT_MOST = timedelta(days=8)
WENT_OUT = (MessageStatus.ACCEPTED, MessageStatus.SENT, MessageStatus.DELIVERED)
# Sent whatever was said before: answers to a text, and what a person wrote.
_ANSWERS = (*REPLIES, MessageKind.ANSWER)

Rows = Callable[[datetime], Select[int]]


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


def _taken_twice(_now: datetime) -> Select[int]:
    """Select texts that the carrier took at two askings, or has from two in its list."""
    return (
        select(SendTry.message_id)
        .where(SendTry.result.in_((TryResult.TAKEN, TryResult.FOUND)))
        .group_by(SendTry.message_id)
        .having(func.min(SendTry.at) < func.max(SendTry.at))
        .order_by(SendTry.message_id)
    )


def _past_its_end(now: datetime) -> Select[int]:
    return select(Message.id).where(
        Message.status == MessageStatus.SCHEDULED,
        or_(
            Message.expires_at <= now - STUCK_AFTER,
            Message.send_after <= now - TEXT_WAITS_AT_MOST,
        ),
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


def _called_nobody(_now: datetime) -> Select[int]:
    """Select numbers of patients who were anonymised."""
    return select(PhoneNumber.id).join(Anonymised, Anonymised.patient_id == PhoneNumber.patient_id)


def _enrolled_nobody(_now: datetime) -> Select[int]:
    """Select open enrolments of patients who were anonymised."""
    return (
        select(Enrolment.id)
        .join(Anonymised, Anonymised.patient_id == Enrolment.patient_id)
        .where(Enrolment.status.in_(OPEN_STATUSES))
    )


BY_ROWS: dict[str, tuple[type[Model], Rows]] = {
    "no worker holds a text for longer than its lease": (Message, _held_too_long),
    "a lost answer is looked up at the carrier": (Message, _never_looked_up),
    "the carrier takes a text once": (Message, _taken_twice),
    "no text waits past its end": (Message, _past_its_end),
    "nobody is texted without consent or after saying stop": (Message, _sent_without_consent),
    "a text never stands behind what the carrier reported of it": (
        Message,
        lambda _now: texts.gone_back(),
    ),
    "every dial that counts was recorded": (PlannedCall, _counted_without_attempt),
    "a completed call was a conversation": (PlannedCall, _completed_without_words),
    "no call stays on the line for ever": (PhoneCall, _on_the_line_for_ever),
    "somebody is told of every urgent concern": (Concern, _told_nobody),
    "of who was anonymised no number is left": (PhoneNumber, _called_nobody),
    "who was anonymised is in no programme": (Enrolment, _enrolled_nobody),
    "the last reading of each kind is kept as the readings say": (
        Reading,
        lambda _now: newest.differing(),
    ),
    "the last talk is kept as the attempts say": (Attempt, lambda _now: last_talk.differing()),
}
