"""What an outcome means, and in what order to call. Pure."""

import enum
from dataclasses import dataclass
from datetime import datetime, timedelta

LONGEST_CALL_MINUTES = 240
HELD_FOR = timedelta(minutes=30)  # Source: peers.md (c) 3, the grace of an in-call mark.
OPEN_FOR = timedelta(minutes=10)  # ours: a screen that was opened and left
EARLY_TOLERANCE = timedelta(minutes=5)  # Source: peers.md (c) 2.


class Outcome(enum.StrEnum):
    """How one dial ended. Source: domain.md E2."""

    COMPLETED = "reached_completed"
    CALL_BACK = "reached_call_back"
    DECLINED_TODAY = "reached_declined_today"
    SAFETY = "reached_safety"
    OPTED_OUT = "reached_opted_out"
    NO_ANSWER = "no_answer"
    VOICEMAIL_LEFT = "voicemail_left"
    VOICEMAIL_NOT_ALLOWED = "voicemail_not_allowed"
    BUSY = "busy"
    THIRD_PARTY = "third_party"
    WRONG_NUMBER = "wrong_number"
    DISCONNECTED = "disconnected"

    @property
    def is_reached(self) -> bool:
        """Whether the caller spoke with the *patient*."""
        return self in REACHED

    @property
    def completes(self) -> bool:
        """Whether the planned call counts as completed."""
        return self in (Outcome.COMPLETED, Outcome.SAFETY)

    @property
    def spoils_number(self) -> bool:
        """Whether the number must not be dialled again."""
        return self in (Outcome.WRONG_NUMBER, Outcome.DISCONNECTED)


REACHED = (
    Outcome.COMPLETED,
    Outcome.CALL_BACK,
    Outcome.DECLINED_TODAY,
    Outcome.SAFETY,
    Outcome.OPTED_OUT,
)
NOT_REACHED = tuple(outcome for outcome in Outcome if outcome not in REACHED)


class QueueGroup(enum.StrEnum):
    """The parts a queue is split into."""

    NOW = "now"
    LATER = "later"
    NUMBER_TO_FIX = "number_to_fix"
    COMING = "coming"


class Why(enum.StrEnum):
    """Why a patient stands where they stand, most pressing first."""

    AGREED = "agreed"
    LAST_DAY = "last_day"
    FIRST_CALL = "first_call"
    MISSED_LAST = "missed_last"
    TRIED_BEFORE = "tried_before"
    DUE = "due"


@dataclass(frozen=True)
class QueueFacts:
    """What the order of a queue depends on.

    ``lawful_until_at`` is None while calling is not lawful where the patient is.
    ``day_ends_at`` is when the caller's own day ends.
    """

    now: datetime
    day_ends_at: datetime
    dial_from_at: datetime
    dial_until_at: datetime
    lawful_until_at: datetime | None
    is_agreed: bool
    is_last_day: bool
    is_first_call: bool
    was_missed_before: bool
    dials: int
    has_number: bool


def group_of(facts: QueueFacts) -> QueueGroup:
    """Return the part of the queue that a call belongs in.

    A slot that has passed unused stays in NOW while calling is still lawful today. A time
    that the patient asked for is NOW even outside the usual hours.
    """
    if not facts.has_number:
        return QueueGroup.NUMBER_TO_FIX
    if facts.dial_from_at >= facts.day_ends_at:
        return QueueGroup.COMING
    if facts.now < facts.dial_from_at:
        return QueueGroup.LATER
    is_kept = facts.is_agreed and facts.now < facts.dial_until_at
    is_open = facts.lawful_until_at is not None or is_kept
    return QueueGroup.NOW if is_open else QueueGroup.COMING


def whys_of(facts: QueueFacts) -> tuple[Why, ...]:
    """Return every reason that holds, most pressing first; never empty."""
    holding = {
        Why.AGREED: facts.is_agreed,
        Why.LAST_DAY: facts.is_last_day,
        Why.FIRST_CALL: facts.is_first_call,
        Why.MISSED_LAST: facts.was_missed_before,
        Why.TRIED_BEFORE: facts.dials > 0,
    }
    return tuple(why for why, holds in holding.items() if holds) or (Why.DUE,)


def order_key(facts: QueueFacts) -> tuple[int, datetime, datetime]:
    """Return the sort key of a call within its group: lower is sooner.

    A promised time comes first, then what is most pressing, then what closes first.
    """
    rank = list(Why).index(whys_of(facts)[0])
    closes = min(facts.dial_until_at, facts.lawful_until_at or facts.dial_until_at)
    if group_of(facts) is not QueueGroup.NOW:
        return 0, facts.dial_from_at, closes
    return rank, closes, facts.dial_from_at


def is_early(*, is_agreed: bool, dial_from_at: datetime, now: datetime) -> bool:
    """Say whether dialling at ``now`` would break a promised time."""
    return is_agreed and now < dial_from_at - EARLY_TOLERANCE


def minutes_since(started_at: datetime, now: datetime) -> int | None:
    """Return the length of a call in whole minutes, begun minutes counted.

    None where the clock ran longer than a call can last: somebody forgot it.
    """
    minutes = max(1, -(-int((now - started_at).total_seconds()) // 60))
    return minutes if minutes <= LONGEST_CALL_MINUTES else None
