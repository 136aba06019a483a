"""What is worrying, and how soon somebody must act. Pure.

Source: domain.md C2 (glucose ladder, pressure) and C3. The clinic's medical lead approves
the targets; callers record and route, they never advise.
"""

import enum
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal

from outreach.measures.rules import GLUCOSE, MeasureKind

# A reading older than this opens a task, not an alarm: what counts is when it was taken.
FRESH = timedelta(hours=24)


class ConcernKind(enum.StrEnum):
    """What is worrying."""

    SAFETY = "safety"
    GLUCOSE_LOW = "glucose_low"
    GLUCOSE_HIGH = "glucose_high"
    PRESSURE_HIGH = "pressure_high"
    SELF_HARM = "self_harm"
    MOOD = "mood"
    DANGER = "danger"
    MEDICAL = "medical"
    ABUSE = "abuse"


# What a caller may say a worry is about, in the order in which it is asked.
CALLERS_KINDS = (
    ConcernKind.DANGER,
    ConcernKind.SELF_HARM,
    ConcernKind.MEDICAL,
    ConcernKind.ABUSE,
    ConcernKind.SAFETY,
)


class Urgency(enum.StrEnum):
    """How soon a nurse must act."""

    NOW = "now"
    SAME_DAY = "same_day"
    NEXT_BUSINESS_DAY = "next_business_day"

    @property
    def target(self) -> timedelta:
        """Time to acknowledgement that is aimed for."""
        return _TARGETS[self]


_TARGETS = {
    Urgency.NOW: timedelta(minutes=15),
    Urgency.SAME_DAY: timedelta(hours=4),
    Urgency.NEXT_BUSINESS_DAY: timedelta(days=1),
}


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

    What can wait for the next business day waits on the nurses' page.
    """
    every = ROUND_EVERY.get(urgency)
    if every is None:
        return None
    return min((now - raised_at) // every, MOST_ROUNDS - 1)


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


@dataclass(frozen=True)
class Trigger:
    """A reading that somebody must look at."""

    kind: ConcernKind
    urgency: Urgency


def trigger_of(
    kind: MeasureKind, value: Decimal, *, taken_at: datetime, now: datetime
) -> Trigger | None:
    """Return what a reading asks for, or None.

    Args:
        value: in the canonical unit (mg/dL, mm[Hg]).
        taken_at: when the body was measured; an old value opens a lower-urgency task.
    """
    trigger = _fresh_trigger(kind, value)
    if trigger is None or now - taken_at <= FRESH:
        return trigger
    return Trigger(trigger.kind, Urgency.NEXT_BUSINESS_DAY)


def _fresh_trigger(kind: MeasureKind, value: Decimal) -> Trigger | None:
    if kind in GLUCOSE:
        if value < 54:  # noqa: PLR2004 - ADA level 2
            return Trigger(ConcernKind.GLUCOSE_LOW, Urgency.NOW)
        if value < 70:  # noqa: PLR2004 - ADA level 1
            return Trigger(ConcernKind.GLUCOSE_LOW, Urgency.SAME_DAY)
        if value >= 400:  # noqa: PLR2004 - domain.md C2
            return Trigger(ConcernKind.GLUCOSE_HIGH, Urgency.NOW)
        if value >= 300:  # noqa: PLR2004 - domain.md C2
            return Trigger(ConcernKind.GLUCOSE_HIGH, Urgency.SAME_DAY)
    limit = {MeasureKind.SYSTOLIC: 180, MeasureKind.DIASTOLIC: 120}.get(kind)
    if limit is not None and value >= limit:
        return Trigger(ConcernKind.PRESSURE_HIGH, Urgency.SAME_DAY)
    return None
