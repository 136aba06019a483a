"""Open calls on days on which their caller does not work: found, and moved.

Whoever changes a caller's hours, or gives somebody another caller, only marks the caller; a
job moves the calls within minutes. Until then, and where nothing better is found, the call
stands in the queue from its day on, as before.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import ColumnElement, exists, select, update
from sqlalchemy.orm import Session

from outreach.clock import local_day
from outreach.messaging.models import Message
from outreach.messaging.rules import MessageStatus
from outreach.panels.models import CallerProfile, PanelMembership
from outreach.planning import courses, next_call
from outreach.planning.models import PlannedCall
from outreach.planning.reminders import cause_column

# A text that waits is dropped when its call moves; the others told nobody anything.
_NEVER_ARRIVED = (
    MessageStatus.SCHEDULED,
    MessageStatus.SKIPPED,
    MessageStatus.FAILED,
    MessageStatus.UNDELIVERED,
)


class Changed(NamedTuple):
    """A caller whose days, or whose panel, are others since ``at``."""

    staff_id: int
    at: datetime


def changed(session: Session) -> Sequence[Changed]:
    """Return the callers whose calls are to be looked through, the longest waiting first."""
    rows = session.execute(
        select(CallerProfile.staff_id, CallerProfile.days_changed_at)
        .where(CallerProfile.days_changed_at.is_not(None))
        .order_by(CallerProfile.days_changed_at, CallerProfile.staff_id)
    )
    return [Changed(staff_id, at) for staff_id, at in rows if at is not None]


def settle(session: Session, done: Changed) -> None:
    """Note that a caller's calls were looked through, unless the days changed again."""
    session.execute(
        update(CallerProfile)
        .where(CallerProfile.staff_id == done.staff_id, CallerProfile.days_changed_at == done.at)
        .values(days_changed_at=None)
    )


def misfits(session: Session, staff_id: int, *, now: datetime) -> Sequence[int]:
    """Return enrolments of a panel with a call to come on a day its caller does not work.

    Only calls that nobody dialled and whose time the patient did not ask for; none of today
    or tomorrow, and none of which the patient was told by text.
    """
    rows = session.execute(
        select(PlannedCall.enrolment_id, PlannedCall.due_on)
        .join(PanelMembership, PanelMembership.enrolment_id == PlannedCall.enrolment_id)
        .where(
            PanelMembership.caller_id == staff_id,
            PanelMembership.until_at.is_(None),
            PlannedCall.is_open,
            PlannedCall.dials == 0,
            PlannedCall.is_agreed.is_(False),
            PlannedCall.dial_from_at > now,
            ~_was_told(),
        )
    )
    due_on = {row.enrolment_id: row.due_on for row in rows}
    found = []
    for standing in courses.standings(session, sorted(due_on), now=now) if due_on else ():
        day, calendar = due_on[standing.enrolment_id], standing.course.calendar
        is_soon = (day - local_day(now, standing.zone)).days <= 1
        _, is_off = calendar.rank(day)
        if is_off and not is_soon:
            found.append(standing.enrolment_id)
    return found


def refit(session: Session, enrolment_ids: Sequence[int], *, now: datetime) -> int:
    """Plan the calls of ``enrolment_ids`` anew, but those that a text told of meanwhile.

    Returns how many. Does not commit.
    """
    moved = 0
    for enrolment_id in enrolment_ids:
        next_call.open_call(session, enrolment_id, is_locked=True)
        told = select(PlannedCall.id).where(
            PlannedCall.enrolment_id == enrolment_id,
            PlannedCall.is_open,
            _was_told(),
        )
        if session.scalar(told) is None:
            next_call.replan(session, enrolment_id, now=now)
            moved += 1
    return moved


def _was_told() -> ColumnElement[bool]:
    """Return the condition that the patient had a text about a planned call."""
    return exists().where(
        Message.cause == cause_column(PlannedCall.id), Message.status.not_in(_NEVER_ARRIVED)
    )
