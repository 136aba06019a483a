"""What is worrying, and how soon somebody must act. Pure.

``kinds`` has the words of it, ``ladder`` what a reading asks for (domain.md C2), ``limits``
what one patient's own limits may be, ``low_sugar`` what a low-sugar card may say; here is who is
told, and when (domain.md C3). The clinic's medical lead approves the targets; callers record and
route, they never advise.
"""

import enum
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from outreach.concerns.rules.kinds import ConcernKind, Urgency
from outreach.concerns.rules.ladder import (
    FRESH,
    HIGH_TWICE_WITHIN,
    LOWS_WITHIN,
    LowSugar,
    Measured,
    Trigger,
    is_level_2,
    low_now,
    lows_before,
    trigger_of,
)
from outreach.concerns.rules.limits import (
    LIMITED,
    PUBLISHED,
    Limits,
    LimitTrouble,
    limited_kind,
    trouble_with,
)
from outreach.concerns.rules.low_sugar import CardFault, Finding, faults

__all__ = [
    "CALLERS_KINDS",
    "FRESH",
    "HIGH_TWICE_WITHIN",
    "LIMITED",
    "LONGEST_UNTIL_REVIEW",
    "LOWS_WITHIN",
    "MOST_ROUNDS",
    "PUBLISHED",
    "ROUND_EVERY",
    "CardFault",
    "ConcernKind",
    "ConcernStatus",
    "Finding",
    "LimitTrouble",
    "Limits",
    "LowSugar",
    "Measured",
    "Needed",
    "OnCallRank",
    "RiskKind",
    "Span",
    "StepKind",
    "Trigger",
    "Turn",
    "Urgency",
    "faults",
    "gaps",
    "is_level_2",
    "limited_kind",
    "low_now",
    "lows_before",
    "ranks_told",
    "round_of",
    "trigger_of",
    "trouble_with",
]

# What a caller may say a worry is about, in the order in which it is asked.
CALLERS_KINDS = (
    ConcernKind.DANGER,
    ConcernKind.SELF_HARM,
    ConcernKind.MEDICAL,
    ConcernKind.ABUSE,
    ConcernKind.SAFETY,
)


class OnCallRank(enum.StrEnum):
    """In what order people are told. Source: domain.md C3: the next person, then the lead."""

    FIRST = "first"
    BACKUP = "backup"
    LEAD = "lead"


# A concern that nobody takes on is told again at each step, and to one more person: after 15
# and 30 minutes where it is urgent (domain.md C3). Then to all of them, until somebody does.
ROUND_EVERY = {Urgency.NOW: timedelta(minutes=15), Urgency.SAME_DAY: timedelta(hours=4)}
MOST_ROUNDS = 12


def round_of(urgency: Urgency, *, raised_at: datetime, now: datetime) -> int | None:
    """Return which round of alerts an unanswered concern is in, from 0; None: no texts.

    What can wait for the next business day waits on the nurses' page. A clock that is behind
    that of the machine where it was raised, or was set back, is in the first round.
    """
    every = ROUND_EVERY.get(urgency)
    if every is None:
        return None
    return max(0, min((now - raised_at) // every, MOST_ROUNDS - 1))


def ranks_told(number: int) -> tuple[OnCallRank, ...]:
    """Return who is told in a round: first, then the backup, then the lead, then everybody."""
    ranks = tuple(OnCallRank)
    return (ranks[number],) if number < len(ranks) else ranks


class Needed(enum.StrEnum):
    """Who must be on call before a call may start. Source: domain.md C3: a named person."""

    ANYBODY = "anybody"
    FIRST = "first"


Span = tuple[datetime, datetime]


@dataclass(frozen=True)
class Turn:
    """Somebody's hours on call, the same every week, on the clinic's clock.

    ``ends`` at or before ``begins`` lies on the day after: 20:00 to 8:00, or all day round.
    Holds from ``from_on``, and until ``until_on`` where there is one.
    """

    weekdays: frozenset[int]
    begins: time
    ends: time
    from_on: date
    until_on: date | None = None

    def on(self, day: date) -> tuple[datetime, datetime] | None:
        """Return from when until when it lasts, on the clock, where it begins on ``day``."""
        if day.weekday() not in self.weekdays or day < self.from_on:
            return None
        if self.until_on is not None and day >= self.until_on:
            return None
        next_day = timedelta(days=1 if self.ends <= self.begins else 0)
        return datetime.combine(day, self.begins), datetime.combine(day + next_day, self.ends)

    def holds(self, local: datetime) -> bool:
        """Say whether it holds at ``local``, a time without zone on the clinic's clock."""
        spans = (self.on(local.date() - timedelta(days=back)) for back in (0, 1))
        return any(span is not None and span[0] <= local < span[1] for span in spans)

    def meets(self, other: "Turn") -> bool:
        """Say whether both hold at some moment of a week in which both hold at all."""
        first = max(self.from_on, other.from_on)
        days = [first + timedelta(days=ahead) for ahead in range(-1, 9)]
        own = [span for span in map(self.on, days) if span]
        theirs = [span for span in map(other.on, days) if span]
        return any(a[0] < b[1] and b[0] < a[1] for a in own for b in theirs)


def gaps(wanted: Sequence[Span], kept: Collection[Span]) -> list[Span]:
    """Return the parts of ``wanted`` that nothing in ``kept`` covers, in order of time."""
    left = []
    for begins, ends in sorted(wanted):
        reached = begins
        for from_at, until_at in sorted(kept):
            if until_at <= reached or from_at >= ends:
                continue
            if from_at > reached:
                left.append((reached, from_at))
            reached = until_at
        if reached < ends:
            left.append((reached, ends))
    return left


class ConcernStatus(enum.StrEnum):
    """Where a concern stands."""

    OPEN = "open"
    ACKNOWLEDGED = "acknowledged"
    CLOSED = "closed"


class StepKind(enum.StrEnum):
    """One thing that happened to a concern."""

    RAISED = "raised"
    ACKNOWLEDGED = "acknowledged"
    NOTED = "noted"
    CALL_CORRECTED = "call corrected"
    CLOSED = "closed"
    ADDED = "added"  # by the caller, after raising it
    REVIEWED = "reviewed"
    REOPENED = "reopened"


class RiskKind(enum.StrEnum):
    """What whoever speaks with a patient should know before they dial."""

    SUICIDE = "suicide"
    ABUSE = "abuse"
    MEDICAL = "medical"
    OTHER = "other"


# A flag that nobody looks at goes stale: this is the furthest that a review may lie ahead.
LONGEST_UNTIL_REVIEW = timedelta(days=92)
