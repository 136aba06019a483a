"""What an outcome means, and how long things last. In what order to call: order.py. Pure."""

import enum
from datetime import datetime, timedelta

from outreach.calls.rules.order import (
    QueueFacts,
    QueueGroup,
    Rest,
    Score,
    Why,
    group_of,
    may_wait,
    order_key,
    rest_of,
    score_of,
    whys_of,
)

__all__ = [
    "EARLY_TOLERANCE",
    "HELD_FOR",
    "LONGEST_CALL_MINUTES",
    "LONGEST_WAIT",
    "NAMES_A_TIME",
    "NOT_REACHED",
    "OPEN_FOR",
    "REACHED",
    "UNDO_FOR",
    "AskedBy",
    "Outcome",
    "QueueFacts",
    "QueueGroup",
    "Rest",
    "Score",
    "Why",
    "asked_by",
    "group_of",
    "is_early",
    "is_fresh",
    "may_wait",
    "minutes_since",
    "order_key",
    "rest_of",
    "score_of",
    "whys_of",
]

LONGEST_CALL_MINUTES = 240
HELD_FOR = timedelta(minutes=30)  # Source: peers.md (c) 3, the grace of an in-call mark.
OPEN_FOR = timedelta(minutes=10)  # ours: a screen that was opened and left
UNDO_FOR = timedelta(minutes=10)  # Source: issue 4.
LONGEST_WAIT = timedelta(hours=12)  # of Save for a connection; ours: longer than a working day
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


NAMES_A_TIME = (Outcome.CALL_BACK, Outcome.THIRD_PARTY)  # the latter where they know one


class AskedBy(enum.StrEnum):
    """Who asked for the time at which a call is now."""

    PATIENT = "patient"
    HOUSEHOLD = "household"
    BY_TEXT = "by_text"


def asked_by(last: Outcome | None, *, is_agreed: bool) -> AskedBy | None:
    """Say who asked for a call's time, by its ``last`` try; None: nobody, it is the plan's.

    A try that brings no time ends an agreed one, so that one without such a try came by text.
    """
    if not is_agreed:
        return None
    by_call = {Outcome.CALL_BACK: AskedBy.PATIENT, Outcome.THIRD_PARTY: AskedBy.HOUSEHOLD}
    return by_call.get(last, AskedBy.BY_TEXT) if last else AskedBy.BY_TEXT


def is_early(*, is_agreed: bool, dial_from_at: datetime, now: datetime) -> bool:
    """Say whether dialling at ``now`` would break a promised time."""
    return is_agreed and now < dial_from_at - EARLY_TOLERANCE


def is_fresh(recorded_at: datetime, now: datetime) -> bool:
    """Say whether whoever recorded a call may still take it back by themselves."""
    return now - recorded_at < UNDO_FOR


def minutes_since(started_at: datetime, now: datetime) -> int | None:
    """Return the length of a call in whole minutes, begun minutes counted.

    None where the clock ran longer than a call can last: somebody forgot it.
    """
    minutes = max(1, -(-int((now - started_at).total_seconds()) // 60))
    return minutes if minutes <= LONGEST_CALL_MINUTES else None
