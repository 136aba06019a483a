"""What is worrying, and how soon somebody must act. Pure.

Source: domain.md C2 (glucose ladder, pressure) and C3. The clinic's medical lead approves
the targets; callers record and route, they never advise.
"""

import enum
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal

from outreach.measures.rules import GLUCOSE, Bound, MeasureKind, Sign

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


@dataclass(frozen=True)
class Trigger:
    """A reading that somebody must look at."""

    kind: ConcernKind
    urgency: Urgency


@dataclass(frozen=True)
class Measured:
    """A reading as the ladder looks at it: ``value`` in the canonical unit (mg/dL, mm[Hg])."""

    kind: MeasureKind
    value: Decimal
    taken_at: datetime
    signs: frozenset[Sign] = frozenset()
    bound: Bound | None = None


# What counts as the second time: ours for 300, since the source names no time; domain.md C2
# for lows.
HIGH_TWICE_WITHIN = timedelta(hours=24)
LOWS_WITHIN = timedelta(days=14)
_LEVEL_2, _LEVEL_1 = Decimal(54), Decimal(70)  # ADA: below these
_HIGH_WHEN_ILL, _HIGH, _VERY_HIGH = Decimal(240), Decimal(300), Decimal(400)
_PRESSURES = {MeasureKind.SYSTOLIC: Decimal(180), MeasureKind.DIASTOLIC: Decimal(120)}


def trigger_of(
    kind: MeasureKind,
    value: Decimal,
    *,
    taken_at: datetime,
    now: datetime,
    signs: frozenset[Sign] = frozenset(),
    bound: Bound | None = None,
    earlier: Sequence[Measured] = (),
) -> Trigger | None:
    """Return what a reading asks for, or None. Source: domain.md C2.

    Args:
        value: in the canonical unit (mg/dL, mm[Hg]).
        taken_at: when the body was measured; an old value opens a lower-urgency task.
        signs: what was said with it. Danger is now, however old the reading.
        bound: HI or LO, where the meter showed no number.
        earlier: blood sugars of the last two weeks before it.
    """
    measured = Measured(kind, value, taken_at, signs, bound)
    trigger = _on_the_ladder(measured, earlier)
    is_old = now - taken_at > FRESH
    if trigger is None or not is_old or Sign.DANGER in signs:
        return trigger
    return Trigger(trigger.kind, Urgency.NEXT_BUSINESS_DAY)


def lows_before(measured: Measured, earlier: Sequence[Measured]) -> int:
    """Count the level 2 lows in the two weeks before ``measured``."""
    return sum(
        is_level_2(each) and timedelta(0) < measured.taken_at - each.taken_at <= LOWS_WITHIN
        for each in earlier
    )


def is_level_2(measured: Measured) -> bool:
    """Say whether a blood sugar is below 54 mg/dL, or LO."""
    is_low = measured.bound is Bound.LOW or (measured.bound is None and measured.value < _LEVEL_2)
    return measured.kind in GLUCOSE and is_low


def _on_the_ladder(measured: Measured, earlier: Sequence[Measured]) -> Trigger | None:
    if measured.kind in GLUCOSE:
        return _glucose_trigger(measured, earlier)
    limit = _PRESSURES.get(measured.kind)
    if limit is None:
        return None
    is_high, is_danger = measured.value >= limit, Sign.DANGER in measured.signs
    if is_high:
        return Trigger(ConcernKind.PRESSURE_HIGH, Urgency.NOW if is_danger else Urgency.SAME_DAY)
    return Trigger(ConcernKind.SAFETY, Urgency.NOW) if is_danger else None


def _glucose_trigger(measured: Measured, earlier: Sequence[Measured]) -> Trigger | None:
    """Return the highest rung: severe event, lows, then highs."""
    is_severe = bool(measured.signs & {Sign.DANGER, Sign.HELP_NEEDED})
    if is_severe:
        return Trigger(_severe_kind(measured), Urgency.NOW)
    if is_level_2(measured):
        return Trigger(ConcernKind.GLUCOSE_LOW, Urgency.NOW)
    if measured.bound is None and measured.value < _LEVEL_1:
        return Trigger(ConcernKind.GLUCOSE_LOW, Urgency.SAME_DAY)
    urgency = _urgency_of_high(measured, earlier)
    return Trigger(ConcernKind.GLUCOSE_HIGH, urgency) if urgency else None


def _severe_kind(measured: Measured) -> ConcernKind:
    """Return what a severe event is called: needing help is a low, whatever is measured since."""
    if _is_high(measured, _HIGH_WHEN_ILL):
        return ConcernKind.GLUCOSE_HIGH
    is_low = Sign.HELP_NEEDED in measured.signs or measured.value < _LEVEL_1
    return ConcernKind.GLUCOSE_LOW if is_low else ConcernKind.SAFETY


def _urgency_of_high(measured: Measured, earlier: Sequence[Measured]) -> Urgency | None:
    is_ill = bool(measured.signs & {Sign.ILLNESS, Sign.KETONES})
    if _is_high(measured, _VERY_HIGH):
        return Urgency.NOW
    if _is_high(measured, _HIGH):
        is_again = any(
            _is_high(each, _HIGH) and _is_just_before(each, measured) for each in earlier
        )
        return Urgency.NOW if is_again or is_ill else Urgency.SAME_DAY
    is_worrying = is_ill and _is_high(measured, _HIGH_WHEN_ILL)
    return Urgency.SAME_DAY if is_worrying or Sign.KETONES in measured.signs else None


def _is_high(measured: Measured, limit: Decimal) -> bool:
    if measured.bound is not None:
        return measured.bound is Bound.HIGH
    return measured.kind in GLUCOSE and measured.value >= limit


def _is_just_before(each: Measured, measured: Measured) -> bool:
    return timedelta(0) < measured.taken_at - each.taken_at <= HIGH_TWICE_WITHIN
