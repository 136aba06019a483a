"""After a dial that did not complete the call: when to try again, or give it up."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from sqlalchemy.orm import Session

from outreach.clock import local_day
from outreach.errors import RuleBroken
from outreach.patients.rules import Slot, may_agree
from outreach.planning import courses, next_call, versions
from outreach.planning.courses import Standing
from outreach.planning.models import PlannedCall
from outreach.planning.rules import CallStatus, PastDial, agreed_slot, retry_slot

# A promise to ring back is kept within the month, or it is the plan's next call.
FARTHEST_CALL_BACK = timedelta(days=30)


class TooFarAhead(RuleBroken):
    """A call-back lies too far ahead to be one."""


class TimePassed(RuleBroken):
    """A call-back can only be agreed for a time to come."""


class NeverLawful(RuleBroken):
    """Nobody may be called at that time where the patient is, whoever asked for it."""


@dataclass(frozen=True)
class Agreed:
    """A time that the patient asked for, on their own clock."""

    on: date
    at: time


def next_try(
    standing: Standing,
    call: PlannedCall,
    dials: Sequence[PastDial],
    *,
    is_over_for_today: bool,
    now: datetime,
) -> Slot | None:
    """Return when to dial again after ``dials`` (the one just made included), if at all.

    Source: domain.md E2, next dial at least 3 hours later.
    """
    policy = standing.course.protocol.attempts
    not_before = now + timedelta(hours=policy.hours_between)
    today = local_day(now, standing.zone)
    if is_over_for_today:
        today += timedelta(days=1)
    return retry_slot(
        standing.course.calendar,
        policy,
        dials,
        days=(today, call.complete_by_on),
        not_before=not_before,
    )


def try_again_or_miss(
    session: Session,
    call: PlannedCall,
    dials: Sequence[PastDial],
    *,
    is_over_for_today: bool,
    now: datetime,
) -> None:
    """Move a call to its next try, or close it as missed and plan the next one.

    Does not commit.
    """
    standing = courses.standing_of(session, call.enrolment_id, now=now)
    standing = versions.as_planned(session, call, standing)
    slot = next_try(standing, call, dials, is_over_for_today=is_over_for_today, now=now)
    if slot is not None:
        next_call.move(session, call, slot, now=now)
        return
    next_call.close(session, call, CallStatus.MISSED, now=now)
    next_call.plan(session, [call.enrolment_id], now=now, not_today=True)


def agree(session: Session, call: PlannedCall, agreed: Agreed, *, now: datetime) -> None:
    """Move a call to the time the patient asked for, and let it count until the day after.

    Does not commit.

    Raises:
        TooFarAhead: later than FARTHEST_CALL_BACK, or after the programme's last day.
        TimePassed: that time is over.
        NeverLawful: it is night there, or the law bars that day.
    """
    standing = courses.standing_of(session, call.enrolment_id, now=now)
    course = standing.course
    latest = local_day(now, standing.zone) + FARTHEST_CALL_BACK
    if agreed.on > latest or agreed.on >= course.protocol.ends_on(course.starts_on):
        raise TooFarAhead("That day is too far ahead, or after the end of the programme.")
    slot = agreed_slot(course.calendar, agreed.on, agreed.at)
    if slot.from_at <= now:
        raise TimePassed("That time has passed where the patient is.")
    if not may_agree(slot.from_at, standing.zone, course.calendar.lawful()):
        raise NeverLawful("Nobody may be called at that time where the patient is.")
    call.complete_by_on = max(call.complete_by_on, agreed.on + timedelta(days=1))
    next_call.move(session, call, slot, now=now, is_agreed=True)
