"""What may be sent, and what becomes of it. Pure."""

import enum
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from outreach.patients.rules import ConsentTopic
from outreach.telephony.gateway import DeliveryStatus

LEASE = timedelta(minutes=2)
FRESH = timedelta(seconds=10)  # a text is judged at most so long before the carrier is asked
# How many texts are claimed at a time: about what goes out in a few seconds. A statement
# costs nearly the same for a hundred as for eight hundred; but what was claimed by a process
# that dies has to be looked up at the carrier, one by one.
SMALLEST, LARGEST = 100, 800
QUICK, SLOW = timedelta(seconds=1), timedelta(seconds=3)
MAX_TRIES = 8
# A text that waits because its patient is writing is looked at again so often.
LOOK_AGAIN_AFTER = timedelta(minutes=5)


# How long a text that calls somebody to help is looked for before it is sent again: there a
# second one harms less than none.
URGENT_SETTLE_AFTER = timedelta(minutes=5)


@dataclass(frozen=True)
class Limits:
    """What a clinic sends one patient at most, and what it makes of texts that get lost.

    Source of one a day and three a week: domain.md D. ``unreachable_times``: after so many
    texts in a row that found no telephone a number gets no more. ``settle_minutes``: a text
    whose answer got lost, and which the carrier's list does not show, is sent again only so
    long after it was handed over. Lists are said to show a text at once, but no carrier
    promises it, and a list that lags on a bad day would make a second text of one that
    arrived. A reminder that comes half an hour later is as good; a second one is not.
    """

    per_day: int = 1
    per_week: int = 3
    unreachable_times: int = 3
    settle_minutes: int = 30


LIMITS = Limits()  # where a clinic has said nothing else
# The least and the most that make sense. Source: ours.
BOUNDS: dict[str, tuple[int, int]] = {
    "per_day": (1, 3),
    "per_week": (1, 10),
    "unreachable_times": (2, 10),
    "settle_minutes": (10, 240),
}


class MessageKind(enum.StrEnum):
    """Why a text is sent."""

    REMINDER = "reminder"
    CALLBACK_CONFIRMED = "callback_confirmed"
    MISSED_YOU = "missed_you"
    THANK_YOU = "thank_you"
    MEASUREMENT_DUE = "measurement_due"
    ALERT = "alert"
    DIGEST = "digest"
    DIGEST_EMAIL = "digest_email"  # no text: never due, see letters.py
    SUPPORT = "support"
    SUPPORT_EMAIL = "support_email"
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


def kind_named(typed: str | None) -> MessageKind | None:
    """Return the kind that an address names; None: every kind."""
    return MessageKind(typed) if typed in set(MessageKind) else None


# Answers to a text that came in: each belongs to one.
REPLIES = (
    MessageKind.DANGER_REPLY,
    MessageKind.STOP_REPLY,
    MessageKind.START_REPLY,
    MessageKind.HELP_REPLY,
    MessageKind.NOT_UNDERSTOOD_REPLY,
    MessageKind.OFFERED_SLOTS,
    MessageKind.CONFIRMED_REPLY,
    MessageKind.READING_RECEIVED,
    MessageKind.READING_QUESTION,
    MessageKind.ANSWER,
)
# What may go out to somebody who said stop: numbers to ring in danger, and that we stop.
AFTER_STOP = frozenset({MessageKind.DANGER_REPLY, MessageKind.STOP_REPLY})


# What a patient has to have agreed to for a text that nobody asked for just now.
TOPIC_OF: dict[MessageKind, ConsentTopic] = {
    MessageKind.REMINDER: ConsentTopic.REMINDERS,
    MessageKind.CALLBACK_CONFIRMED: ConsentTopic.REMINDERS,
    MessageKind.MISSED_YOU: ConsentTopic.MISSED_NOTES,
    MessageKind.THANK_YOU: ConsentTopic.SURVEYS,
    MessageKind.MEASUREMENT_DUE: ConsentTopic.MEASUREMENTS,
}


class MessageStatus(enum.StrEnum):
    """Where a text stands.

    SCHEDULED waits for its time. CALLING is committed before the carrier is asked, so a
    process that dies meanwhile leaves a row to be looked up, never one to be sent again.
    UNKNOWN was asked for and not answered. LOST is one of those that the carrier's list did
    not show until it was of no use any more: nobody knows whether it went out.
    """

    SCHEDULED = "scheduled"
    CALLING = "calling"
    UNKNOWN = "unknown"
    LOST = "lost"
    ACCEPTED = "accepted"
    SENT = "sent"
    DELIVERED = "delivered"
    UNDELIVERED = "undelivered"
    FAILED = "failed"
    SKIPPED = "skipped"


class TryResult(enum.StrEnum):
    """What came of one asking. FOUND and NOT_FOUND: in the carrier's list, after a lost answer."""

    TAKEN = "taken"
    REFUSED = "refused"
    NOT_TAKEN = "not_taken"
    NO_ANSWER = "no_answer"
    FOUND = "found"
    NOT_FOUND = "not_found"


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
    TAKEN_BACK = "what it was about was taken back"
    REACHED = "they were reached meanwhile"
    MEASURED = "it was measured meanwhile"


# A carrier's report moves a text on, never back.
RANKS = {
    MessageStatus.SCHEDULED: 0,
    MessageStatus.CALLING: 0,
    MessageStatus.UNKNOWN: 0,
    MessageStatus.LOST: 0,
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
    return candidate if RANKS[candidate] > RANKS[current] else current


# Where two compete for the one text of a day, the first of these goes out.
PRIORITY = {
    MessageKind.ALERT: 0,
    MessageKind.SUPPORT: 1,
    MessageKind.SUPPORT_EMAIL: 1,
    **dict.fromkeys(REPLIES, 1),
    MessageKind.DIGEST: 2,
    MessageKind.DIGEST_EMAIL: 2,
    MessageKind.REMINDER: 3,
    MessageKind.CALLBACK_CONFIRMED: 4,
    MessageKind.MISSED_YOU: 5,
    MessageKind.THANK_YOU: 6,
    MessageKind.MEASUREMENT_DUE: 7,  # of use for weeks: it can wait longest
}
URGENT = 1  # up to here, PRIORITY is of what calls for help, or answers somebody just now
LETTERS = frozenset({MessageKind.DIGEST_EMAIL, MessageKind.SUPPORT_EMAIL})
_TO_STAFF = LETTERS | {MessageKind.ALERT, MessageKind.DIGEST, MessageKind.SUPPORT}
# Sent by themselves only where a clinic wants them; reminders and alerts always are.
BY_CHOICE = (
    MessageKind.CALLBACK_CONFIRMED,
    MessageKind.MISSED_YOU,
    MessageKind.THANK_YOU,
    MessageKind.DIGEST,
    MessageKind.DIGEST_EMAIL,
    MessageKind.SUPPORT,
    MessageKind.SUPPORT_EMAIL,
)
# Of these, what is sent until a clinic says no: somebody asked for help.
UNLESS_REFUSED = frozenset({MessageKind.SUPPORT, MessageKind.SUPPORT_EMAIL})
# The hours of words to staff that can wait for the morning, on their own clock. Source: ours.
STAFF_FROM_HOUR, STAFF_UNTIL_HOUR = 9, 19


@dataclass(frozen=True, kw_only=True)
class SendFacts:
    """What is true at the moment of sending. To staff, only ``kind`` and ``expires_at`` count.

    ``allowed_at`` and ``tomorrow_at``: from when the patient may be contacted, from now and
    from the beginning of their next day. ``week_frees_at``: when the texts of the last seven
    days are fewer than the limit again. ``yields``: one that matters more is still to come
    today. ``is_conversation_open``: they wrote just now and wait for an answer.
    """

    kind: MessageKind
    expires_at: datetime | None
    has_consent: bool = False
    is_number_working: bool = False
    is_enrolled: bool = False
    sent_today: int = 0
    sent_this_week: int = 0
    limits: Limits = LIMITS
    week_frees_at: datetime | None = None
    allowed_at: datetime | None = None
    tomorrow_at: datetime | None = None
    yields: bool = False
    is_conversation_open: bool = False


@dataclass(frozen=True)
class Decision:
    """What becomes of a text now: sent, put off until a time, or dropped for a reason."""

    skip: SkipReason | None = None
    wait_until: datetime | None = None
    is_broken: bool = False

    @property
    def is_send(self) -> bool:
        """Whether it goes out now."""
        return self is _SEND or self == _SEND


_SEND = Decision()


def decide(facts: SendFacts, *, now: datetime) -> Decision:
    """Return what becomes of a text at ``now``; the first reason that holds is the reason.

    A text that can still be of use tomorrow waits for its turn; one that can't is dropped.
    """
    is_to_patient = facts.kind not in _TO_STAFF
    refused = _refusal(facts) if is_to_patient else None
    if refused is not None:
        return Decision(refused)
    if facts.expires_at is not None and now >= facts.expires_at:
        return Decision(SkipReason.TOO_LATE)
    return _in_turn(facts, now=now) if is_to_patient else _SEND


def _in_turn(facts: SendFacts, *, now: datetime) -> Decision:
    """Return whether it is a patient's turn for this text by limits and hours."""
    if facts.is_conversation_open:
        return _put_off(facts, now + LOOK_AGAIN_AFTER, SkipReason.TOO_LATE)
    if facts.sent_this_week >= facts.limits.per_week:
        return _put_off(facts, facts.week_frees_at, SkipReason.WEEK_LIMIT)
    if facts.sent_today >= facts.limits.per_day or facts.yields:
        return _put_off(facts, facts.tomorrow_at, SkipReason.DAY_LIMIT)
    if facts.allowed_at is not None and facts.allowed_at > now:
        return _put_off(facts, facts.allowed_at, SkipReason.TOO_LATE)
    return _SEND


def _refusal(facts: SendFacts) -> SkipReason | None:
    """Return what waiting would not mend."""
    if not facts.has_consent:
        return SkipReason.NO_CONSENT
    if not facts.is_number_working:
        return SkipReason.NUMBER_UNFIT
    if not facts.is_enrolled:
        return SkipReason.NOT_ENROLLED
    return None


def _put_off(facts: SendFacts, until: datetime | None, otherwise: SkipReason) -> Decision:
    if until is None or (facts.expires_at is not None and until >= facts.expires_at):
        return Decision(otherwise)
    return Decision(wait_until=until)


def may_resend(
    status: MessageStatus, provider_id: str | None, expires_at: datetime | None, *, now: datetime
) -> bool:
    """Say whether sending a text once more is safe: it certainly never went out, and is of use."""
    is_of_use = expires_at is None or now < expires_at
    return status is MessageStatus.FAILED and provider_id is None and is_of_use


def staff_hours_end(now: datetime, zone: ZoneInfo) -> datetime | None:
    """Return when the hours end in which staff are told what can wait; None: not now."""
    local = now.astimezone(zone)
    if not STAFF_FROM_HOUR <= local.hour < STAFF_UNTIL_HOUR:
        return None
    ends = datetime.combine(local.date(), time(STAFF_UNTIL_HOUR), tzinfo=zone)
    return ends.astimezone(UTC)


@dataclass(frozen=True)
class ReplyFacts:
    """What is true at the moment of sending an answer to a text that came in.

    Whoever writes to us has asked for an answer to that text, so what counts is that they
    have not said stop; limits are for what we send unasked. ``refused``: why what one of the
    staff wrote reaches nobody any more; it may have waited a night and a Sunday.
    """

    kind: MessageKind
    has_said_stop: bool
    expires_at: datetime | None
    allowed_at: datetime | None = None
    refused: SkipReason | None = None


def decide_reply(facts: ReplyFacts, *, now: datetime) -> Decision:
    """Return what becomes of an answer at ``now``. Source: docs/decisions/0012.

    What we answer by ourselves goes out at once, at whatever hour they wrote, or not at all;
    what one of the staff wrote waits for the patient's contact hours.
    """
    if facts.expires_at is not None and now >= facts.expires_at:
        return Decision(SkipReason.TOO_LATE)
    if facts.has_said_stop and facts.kind not in AFTER_STOP:
        return Decision(SkipReason.NO_CONSENT)
    if facts.refused is not None:
        return Decision(facts.refused)
    if facts.allowed_at is not None and facts.allowed_at > now:
        return Decision(wait_until=facts.allowed_at)
    return _SEND


def settle_after(kind: MessageKind, limits: Limits) -> timedelta:
    """Return how long a text is looked for before it may be sent again."""
    if kind in (MessageKind.ALERT, MessageKind.DANGER_REPLY):
        return URGENT_SETTLE_AFTER
    return timedelta(minutes=limits.settle_minutes)


def size_after(size: int, claimed_at: datetime | None, *, now: datetime) -> int:
    """Return how many texts to claim next, when ``size`` were claimed at ``claimed_at``."""
    if claimed_at is None:
        return size
    if now - claimed_at < QUICK:
        return min(size * 2, LARGEST)
    return max(size // 2, SMALLEST) if now - claimed_at > SLOW else size


def wait_before_retry(tries: int, jitter: float) -> timedelta:
    """Return how long to wait after the ``tries``-th failure; ``jitter`` in [0, 1).

    Many short steps rather than few long ones: 15 s, 30 s, 1 min ... at most 15 min.
    """
    seconds = min(15 * 2 ** (tries - 1), 15 * 60)
    return timedelta(seconds=seconds * (0.75 + jitter / 2))
