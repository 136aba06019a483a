"""Calls whose time to dial has passed: moved on, or missed when their days are over."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import select, tuple_
from sqlalchemy.orm import Session

from outreach.clock import local_day
from outreach.patients.rules import Slot
from outreach.planning import courses, next_call, versions
from outreach.planning.courses import Standing
from outreach.planning.models import PlannedCall
from outreach.planning.rules import CallStatus, PastDial, next_slot, retry_slot


class Overdue(NamedTuple):
    """An open call whose slot was over at ``until_at``."""

    until_at: datetime
    call_id: int


def overdue(session: Session, *, now: datetime, after: Overdue | None, limit: int) -> list[Overdue]:
    """Return open calls whose slot is over, the oldest first, those that follow ``after``."""
    query = (
        select(PlannedCall.dial_until_at, PlannedCall.id)
        .where(PlannedCall.is_open, PlannedCall.dial_until_at <= now)
        .order_by(PlannedCall.dial_until_at, PlannedCall.id)
        .limit(limit)
    )
    if after is not None:
        query = query.where(tuple_(PlannedCall.dial_until_at, PlannedCall.id) > tuple_(*after))
    return [Overdue(*row) for row in session.execute(query)]


def move_on(
    session: Session, call_id: int, dials: Sequence[PastDial], *, now: datetime
) -> CallStatus | None:
    """Give a call whose slot is over another one, or close it as missed and plan the next.

    ``dials`` are the tries so far. One whose patient left the programme is cancelled.
    Does not commit.

    Returns:
        Where the call stands now; None when somebody else dealt with it meanwhile.
    """
    call = session.scalar(
        select(PlannedCall).where(PlannedCall.id == call_id, PlannedCall.is_open).with_for_update()
    )
    if call is None or call.dial_until_at > now:
        return None
    if not courses.active_ids(session, [call.enrolment_id]):
        next_call.close(session, call, CallStatus.CANCELLED, now=now)
        return CallStatus.CANCELLED
    standing = courses.standing_of(session, call.enrolment_id, now=now)
    standing = versions.as_planned(session, call, standing)
    slot = _another_slot(call, standing, dials, now=now)
    if slot is not None:
        next_call.move(session, call, slot, now=now)
        return CallStatus.PLANNED
    next_call.close(session, call, CallStatus.MISSED, now=now)
    next_call.plan(session, [call.enrolment_id], now=now)
    return CallStatus.MISSED


def _another_slot(
    call: PlannedCall, standing: Standing, dials: Sequence[PastDial], *, now: datetime
) -> Slot | None:
    calendar = standing.course.calendar
    days = (local_day(now, standing.zone), call.complete_by_on)
    if not dials:
        return next_slot(calendar, days=days, not_before=now)
    policy = standing.course.protocol.attempts
    return retry_slot(calendar, policy, dials, days=days, not_before=now)
