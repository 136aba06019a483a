"""Calls whose time to dial has passed: moved on, or missed when their days are over."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from outreach.clock import local_day
from outreach.patients.rules import Slot
from outreach.planning import courses, next_call
from outreach.planning.courses import Standing
from outreach.planning.models import PlannedCall
from outreach.planning.rules import CallStatus, PastDial, next_slot, retry_slot


def overdue_ids(session: Session, *, now: datetime, limit: int) -> Sequence[int]:
    """Return open calls whose slot is over, the oldest first."""
    return session.scalars(
        select(PlannedCall.id)
        .where(PlannedCall.status == CallStatus.PLANNED, PlannedCall.dial_until_at <= now)
        .order_by(PlannedCall.dial_until_at, PlannedCall.id)
        .limit(limit)
    ).all()


def move_on(
    session: Session, call_id: int, dials: Sequence[PastDial], *, now: datetime
) -> CallStatus | None:
    """Give a call whose slot is over another one, or close it as missed and plan the next.

    ``dials`` are the tries so far. A time that the patient asked for and nobody kept is
    offered once more on the day after. Does not commit.

    Returns:
        Where the call stands now; None when somebody else dealt with it meanwhile.
    """
    call = session.scalar(
        select(PlannedCall)
        .where(PlannedCall.id == call_id, PlannedCall.status == CallStatus.PLANNED)
        .with_for_update()
    )
    if call is None or call.dial_until_at > now:
        return None
    standing = courses.standing_of(session, call.enrolment_id)
    slot = _another_slot(call, standing, dials, now=now)
    if slot is not None:
        next_call.move(session, call, slot)
        return CallStatus.PLANNED
    next_call.close(session, call, CallStatus.MISSED, now=now)
    next_call.plan(session, [call.enrolment_id], now=now)
    return CallStatus.MISSED


def _another_slot(
    call: PlannedCall, standing: Standing, dials: Sequence[PastDial], *, now: datetime
) -> Slot | None:
    calendar = standing.course.calendar
    last_day = call.complete_by_on
    if call.is_agreed:
        kept_until = local_day(call.dial_until_at, standing.zone) + timedelta(days=1)
        last_day = max(last_day, kept_until)
    days = (local_day(now, standing.zone), last_day)
    if not dials:
        return next_slot(calendar, days=days, not_before=now)
    policy = standing.course.protocol.attempts
    return retry_slot(calendar, policy, dials, days=days, not_before=now)
