"""What may be sent, and what becomes of it. Pure."""

import enum
from dataclasses import dataclass
from datetime import datetime, timedelta

from outreach.telephony.gateway import DeliveryStatus

PER_DAY = 1  # Source: domain.md D: at most 1 a day and 3 a week a patient.
PER_WEEK = 3
LEASE = timedelta(minutes=2)
SETTLE_AFTER = timedelta(minutes=5)  # a carrier's list shows a text well before this
MAX_TRIES = 8
# A text that waits because its patient is writing is looked at again so often.
LOOK_AGAIN_AFTER = timedelta(minutes=5)


class MessageKind(enum.StrEnum):
    """Why a text is sent."""

    REMINDER = "reminder"
    ALERT = "alert"
    ANSWER = "answer"
    DANGER_REPLY = "danger_reply"
    STOP_REPLY = "stop_reply"
    START_REPLY = "start_reply"
    HELP_REPLY = "help_reply"
    NOT_UNDERSTOOD_REPLY = "not_understood_reply"
    OFFERED_SLOTS = "offered_slots"
    CONFIRMED_REPLY = "confirmed_reply"
    READING_RECEIVED = "reading_received"
    READING_QUESTION = "reading_question"


# What may go out to somebody who said stop: numbers to ring in danger, and that we stop.
AFTER_STOP = frozenset({MessageKind.DANGER_REPLY, MessageKind.STOP_REPLY})


class MessageStatus(enum.StrEnum):
    """Where a text stands.

    SCHEDULED waits for its time. CALLING is committed before the carrier is asked, so a
    process that dies meanwhile leaves a row to be looked up, never one to be sent again.
    UNKNOWN was asked for and not answered.
    """

    SCHEDULED = "scheduled"
    CALLING = "calling"
    UNKNOWN = "unknown"
    ACCEPTED = "accepted"
    SENT = "sent"
    DELIVERED = "delivered"
    UNDELIVERED = "undelivered"
    FAILED = "failed"
    SKIPPED = "skipped"


class SkipReason(enum.StrEnum):
    """Why a text that was planned does not go out."""

    NO_CONSENT = "no consent to texts for this number"
    NUMBER_UNFIT = "the number is wrong or disconnected"
    TOO_LATE = "its time has passed"
    CALL_CHANGED = "the call was moved or made"
    WEEK_LIMIT = "enough texts this week"
    DAY_LIMIT = "already a text today"
    NOT_ENROLLED = "no longer in the programme"
    TAKEN_ON = "somebody has taken it on"


_RANK = {
    MessageStatus.SCHEDULED: 0,
    MessageStatus.CALLING: 0,
    MessageStatus.UNKNOWN: 0,
    MessageStatus.ACCEPTED: 1,
    MessageStatus.SENT: 2,
    MessageStatus.UNDELIVERED: 3,
    MessageStatus.FAILED: 3,
    MessageStatus.DELIVERED: 4,
    MessageStatus.SKIPPED: 5,
}


def advanced(current: MessageStatus, reported: DeliveryStatus) -> MessageStatus:
    """Return the status after a carrier's report; late or repeated reports change nothing.

    Reports arrive in any order and more than once, so status only moves up.
    """
    candidate = MessageStatus(reported.value)
    return candidate if _RANK[candidate] > _RANK[current] else current


@dataclass(frozen=True)
class SendFacts:
    """What is true at the moment of sending."""

    has_consent: bool
    is_number_working: bool
    is_enrolled: bool
    sent_today: int
    sent_this_week: int
    expires_at: datetime | None
    is_conversation_open: bool = False


@dataclass(frozen=True)
class ReplyFacts:
    """What is true at the moment of sending an answer to a text that came in.

    Whoever writes to us has asked for an answer to that text, so what counts is that they
    have not said stop; limits are for what we send unasked.
    """

    kind: MessageKind
    has_said_stop: bool
    expires_at: datetime | None


def reply_skip_reason(facts: ReplyFacts, *, now: datetime) -> SkipReason | None:
    """Return why an answer must not go out at ``now``, or None. Source: docs/decisions/0014."""
    if facts.expires_at is not None and now >= facts.expires_at:
        return SkipReason.TOO_LATE
    if facts.has_said_stop and facts.kind not in AFTER_STOP:
        return SkipReason.NO_CONSENT
    return None


def skip_reason(facts: SendFacts, *, now: datetime) -> SkipReason | None:
    """Return why a text must not go out at ``now``, or None."""
    if not facts.has_consent:
        return SkipReason.NO_CONSENT
    if not facts.is_number_working:
        return SkipReason.NUMBER_UNFIT
    if not facts.is_enrolled:
        return SkipReason.NOT_ENROLLED
    if facts.expires_at is not None and now >= facts.expires_at:
        return SkipReason.TOO_LATE
    if facts.sent_today >= PER_DAY:
        return SkipReason.DAY_LIMIT
    if facts.sent_this_week >= PER_WEEK:
        return SkipReason.WEEK_LIMIT
    return None


def wait_before_retry(tries: int, jitter: float) -> timedelta:
    """Return how long to wait after the ``tries``-th failure; ``jitter`` in [0, 1).

    Many short steps rather than few long ones: 15 s, 30 s, 1 min ... at most 15 min.
    """
    seconds = min(15 * 2 ** (tries - 1), 15 * 60)
    return timedelta(seconds=seconds * (0.75 + jitter / 2))
