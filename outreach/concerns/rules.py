"""What is worrying, and how soon somebody must act. Pure.

Source: domain.md C2 (glucose ladder, pressure) and C3. The clinic's medical lead approves
the targets; callers record and route, they never advise.
"""

import enum
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from outreach.measures.rules import MeasureKind

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


@dataclass(frozen=True)
class Trigger:
    """A reading that somebody must look at."""

    kind: ConcernKind
    urgency: Urgency


_GLUCOSE = (MeasureKind.GLUCOSE, MeasureKind.GLUCOSE_FASTING)


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
    if kind in _GLUCOSE:
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
