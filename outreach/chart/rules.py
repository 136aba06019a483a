"""What a patient's page decides by itself. Pure."""

import enum
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from outreach.messaging.rules import Decision, SkipReason
from outreach.patients.rules import FROM_THE_NUMBER, ConsentSource
from outreach.programmes.rules import OPEN_STATUSES, EnrolmentStatus

DAYS_A_WEEK = 7


class Texts(enum.StrEnum):
    """Whether one number may be texted."""

    YES = "yes"
    NO = "no"
    STOPPED = "stopped"


@dataclass(frozen=True)
class ConsentFact:
    """One event of the consent ledger, as far as it matters here."""

    number: str
    is_given: bool
    source: ConsentSource
    at: datetime


def texts_to(number: str, ledger: Sequence[ConsentFact]) -> tuple[Texts, datetime | None]:
    """Return whether ``number`` may be texted, and since when that holds.

    ``ledger`` is every event, newest first; the newest of the number counts.
    """
    of_number = [fact for fact in ledger if fact.number == number]
    if not of_number:
        return Texts.NO, None
    newest = of_number[0]
    if newest.is_given:
        return Texts.YES, newest.at
    is_stop = newest.source in FROM_THE_NUMBER
    return (Texts.STOPPED if is_stop else Texts.NO), newest.at


def programme_week(day: date, starts_on: date) -> int | None:
    """Return the week of the programme that ``day`` lies in, from 1; None before it."""
    return (day - starts_on).days // DAYS_A_WEEK + 1 if day >= starts_on else None


# What was entered by mistake can be undone; the end of the programme can't.
_NEXT: dict[EnrolmentStatus, tuple[EnrolmentStatus, ...]] = {
    EnrolmentStatus.ACTIVE: (
        EnrolmentStatus.PAUSED,
        EnrolmentStatus.WITHDRAWN,
        EnrolmentStatus.DIED,
    ),
    EnrolmentStatus.PAUSED: (
        EnrolmentStatus.ACTIVE,
        EnrolmentStatus.PAUSED,  # until another day
        EnrolmentStatus.WITHDRAWN,
        EnrolmentStatus.DIED,
    ),
    EnrolmentStatus.UNREACHABLE: (
        EnrolmentStatus.ACTIVE,
        EnrolmentStatus.WITHDRAWN,
        EnrolmentStatus.DIED,
    ),
    EnrolmentStatus.WITHDRAWN: (EnrolmentStatus.ACTIVE, EnrolmentStatus.DIED),
    EnrolmentStatus.DIED: (EnrolmentStatus.ACTIVE,),
    EnrolmentStatus.COMPLETED: (),
}


def next_statuses(
    status: EnrolmentStatus, *, is_pause_to_come: bool = False
) -> tuple[EnrolmentStatus, ...]:
    """Return what an enrolment that stands at ``status`` may be moved to by hand.

    A pause that is to come can be called off: ACTIVE goes on as ACTIVE.
    """
    if is_pause_to_come and status is EnrolmentStatus.ACTIVE:
        return (EnrolmentStatus.ACTIVE, *_NEXT[status])
    return _NEXT[status]


def may_enrol(latest: EnrolmentStatus | None) -> bool:
    """Say whether a patient whose latest enrolment stands at ``latest`` may be enrolled."""
    return latest is None or latest not in (*OPEN_STATUSES, EnrolmentStatus.DIED)


class TodayReason(enum.StrEnum):
    """How it stands today with a call, or with a text, to one patient."""

    NOT_ENROLLED = "not_enrolled"
    PAUSED = "paused"
    ENDED = "ended"
    NO_NUMBER = "no_number"
    NO_CALLER = "no_caller"
    REACHED = "reached"
    NOT_PLANNED_YET = "not_planned_yet"
    CLOSED_DAY = "closed_day"
    DUE_LATER = "due_later"
    LATER_TODAY = "later_today"
    DUE_NOW = "due_now"
    TIME_PASSED = "time_passed"
    SKIPPED = "skipped"
    SENT = "sent"
    WAITS = "waits"
    NO_CALL_AHEAD = "no_call_ahead"
    REMINDED = "reminded"
    WRITTEN_LATER = "written_later"
    ANY_MINUTE = "any_minute"
    IN_LINE = "in_line"


@dataclass(frozen=True)
class Today:
    """The first reason that holds, and the time that belongs to it, where one does.

    ``skip`` is what the sender itself would say, where the reason is SKIPPED.
    """

    reason: TodayReason
    at: datetime | None = None
    skip: SkipReason | None = None


@dataclass(frozen=True, kw_only=True)
class CallFacts:
    """What decides whether a patient is called today. ``status`` None: never enrolled."""

    status: EnrolmentStatus | None
    has_caller: bool
    has_number: bool
    reached_at: datetime | None
    is_open_day: bool
    due_on: date | None
    dial_from_at: datetime | None
    dial_until_at: datetime | None


@dataclass(frozen=True, kw_only=True)
class TextFacts:
    """What decides whether a patient is texted today; ``decision`` is the sender's own."""

    decision: Decision
    waiting_at: datetime | None
    sent_at: datetime | None
    has_call: bool
    reminder_at: datetime | None
    has_pace: bool = False  # its sender sends only so many a second


def call_today(facts: CallFacts, zone: ZoneInfo, *, now: datetime) -> Today:
    """Return how it stands with a call to a patient in ``zone`` today."""
    standing = _STANDING.get(facts.status) if facts.status else TodayReason.NOT_ENROLLED
    if standing is not None:
        return Today(standing)
    if not facts.has_number:
        return Today(TodayReason.NO_NUMBER)
    if not facts.has_caller:
        return Today(TodayReason.NO_CALLER)
    if facts.reached_at is not None:
        return Today(TodayReason.REACHED, facts.reached_at)
    if facts.dial_from_at is None or facts.dial_until_at is None:
        return Today(TodayReason.NOT_PLANNED_YET)
    return _by_slot(facts, facts.dial_from_at, facts.dial_until_at, zone, now=now)


def _by_slot(
    facts: CallFacts, from_at: datetime, until_at: datetime, zone: ZoneInfo, *, now: datetime
) -> Today:
    today = now.astimezone(zone).date()
    if from_at.astimezone(zone).date() > today:
        is_moved = not facts.is_open_day and facts.due_on is not None and facts.due_on <= today
        reason = TodayReason.CLOSED_DAY if is_moved else TodayReason.DUE_LATER
        return Today(reason, from_at)
    if now < from_at:
        return Today(TodayReason.LATER_TODAY, from_at)
    return Today(TodayReason.DUE_NOW if now < until_at else TodayReason.TIME_PASSED, until_at)


def text_today(facts: TextFacts, *, now: datetime) -> Today:
    """Return how it stands with a text to a patient today."""
    decision = facts.decision
    if facts.sent_at is not None:
        return Today(TodayReason.SENT, facts.sent_at)
    if decision.skip is not None:
        return Today(TodayReason.SKIPPED, skip=decision.skip)
    if facts.waiting_at is not None:
        at = max(facts.waiting_at, decision.wait_until or now)
        if at > now:
            return Today(TodayReason.WAITS, at)
        return Today(TodayReason.IN_LINE if facts.has_pace else TodayReason.ANY_MINUTE, at)
    if not facts.has_call:
        return Today(TodayReason.NO_CALL_AHEAD)
    if facts.reminder_at is None:
        return Today(TodayReason.REMINDED)
    at = max(facts.reminder_at, decision.wait_until or now)
    return Today(TodayReason.WRITTEN_LATER if at > now else TodayReason.ANY_MINUTE, at)


_STANDING = {
    EnrolmentStatus.PAUSED: TodayReason.PAUSED,
    **{each: TodayReason.ENDED for each in EnrolmentStatus if each not in OPEN_STATUSES},
}
