"""Planning the next call: every active enrolment with a caller always has one."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from outreach.clock import day_began_at, local_day
from outreach.messaging import outbox
from outreach.orm import insert_new
from outreach.patients.rules import Slot
from outreach.planning import courses
from outreach.planning.courses import Standing
from outreach.planning.models import PlannedCall
from outreach.planning.rules import CallStatus, Due, first_slot, next_due, next_slot
from outreach.programmes import enrolment as enrolments
from outreach.programmes.models import Enrolment
from outreach.programmes.rules import EnrolmentStatus


def plan(
    session: Session, enrolment_ids: Sequence[int], *, now: datetime, not_today: bool = False
) -> int:
    """Give each of ``enrolment_ids`` its next call; return how many calls were planned.

    One that is not active, or has an open call, is left as it is: the database allows one
    open call. One whose programme is over becomes COMPLETED. Does not commit.

    Args:
        not_today: a dial was made today, so the next one waits for tomorrow.
    """
    rows = []
    for standing in courses.standings(session, courses.active_ids(session, enrolment_ids)):
        found = _next_of(standing, now=now, not_today=not_today)
        if found is not None:
            rows.append(_row(standing, *found, now=now))
        elif local_day(now, standing.zone) >= _end(standing):
            _finish(session, standing.enrolment_id, now=now)
    return insert_new(session, PlannedCall, rows) if rows else 0


def replan(session: Session, enrolment_id: int, *, now: datetime) -> None:
    """Make the plan fit what just changed: wishes, rhythm, zone or status.

    A call that was dialled already, or whose time the patient asked for, stays as it is.
    One that is due by now keeps its days, so that nothing due is ever planned away; only
    its slot follows. Outside ACTIVE the open call is cancelled with its unsent texts.
    Does not commit.
    """
    call = open_call(session, enrolment_id, is_locked=True)
    status = session.scalar(select(Enrolment.status).where(Enrolment.id == enrolment_id))
    if status is not EnrolmentStatus.ACTIVE:
        if call is not None:
            close(session, call, CallStatus.CANCELLED, now=now)
    elif call is None:
        plan(session, courses.assigned_ids(session, [enrolment_id]), now=now)
    elif call.dials == 0 and not call.is_agreed:
        _fit(session, call, now=now)


def open_call(
    session: Session, enrolment_id: int, *, is_locked: bool = False
) -> PlannedCall | None:
    """Return the open call of an enrolment, if it has one; ``is_locked``: to be changed."""
    query = select(PlannedCall).where(
        PlannedCall.enrolment_id == enrolment_id, PlannedCall.status == CallStatus.PLANNED
    )
    if is_locked:
        query = query.with_for_update().execution_options(populate_existing=True)
    return session.scalar(query)


def close(session: Session, call: PlannedCall, status: CallStatus, *, now: datetime) -> None:
    """Close a call and drop its unsent texts. Does not commit."""
    call.status, call.closed_at = status, now
    session.flush()
    outbox.cancel(session, cause_of(call.id), now=now)


def move(
    session: Session, call: PlannedCall, slot: Slot, *, now: datetime, is_agreed: bool = False
) -> None:
    """Move when to dial next, and drop unsent texts that name the old time. Does not commit."""
    if (call.dial_from_at, call.dial_until_at) == (slot.from_at, slot.until_at):
        call.is_agreed = is_agreed
        return
    call.dial_from_at, call.dial_until_at = slot.from_at, slot.until_at
    call.is_agreed = is_agreed
    session.flush()
    outbox.cancel(session, cause_of(call.id), now=now)


def cause_of(planned_call_id: int) -> str:
    """Return the words under which texts about a planned call are kept."""
    return f"planned_call:{planned_call_id}"


def _next_of(
    standing: Standing, *, now: datetime, not_today: bool = False
) -> tuple[Due, Slot] | None:
    """Return the next due contact and when to dial for it.

    Never a day already planned for, never the day of a completed call, never the past.
    """
    floors = [standing.course.starts_on, local_day(now, standing.zone)]
    if standing.course.last_due_on:
        floors.append(standing.course.last_due_on + timedelta(days=1))
    if standing.last_completed_at:
        floors.append(local_day(standing.last_completed_at, standing.zone) + timedelta(days=1))
    not_before = now
    if not_today:
        not_before = day_began_at(now + timedelta(days=1), standing.zone)
    return _first_possible(standing, max(floors), not_before=not_before)


def _first_possible(
    standing: Standing, day: date, *, not_before: datetime
) -> tuple[Due, Slot] | None:
    calendar = standing.course.calendar
    due = next_due(standing.course, after=day - timedelta(days=1))
    while due is not None:
        slot = first_slot(calendar, due.on, not_before=not_before) or next_slot(
            calendar, days=(due.on, due.complete_by_on), not_before=not_before
        )
        if slot is not None:
            return due, slot
        due = next_due(standing.course, after=due.on)
    return None


def _fit(session: Session, call: PlannedCall, *, now: datetime) -> None:
    """Fit an open call that nobody has dialled to the patient's wishes as they are now."""
    standing = courses.standing_of(session, call.enrolment_id)
    today = local_day(now, standing.zone)
    if call.due_on <= today:
        days = (today, call.complete_by_on)
        slot = next_slot(standing.course.calendar, days=days, not_before=now)
        if slot is not None:
            move(session, call, slot, now=now)
        return
    call.status = CallStatus.CANCELLED  # so that its own day does not count as planned for
    session.flush()
    found = _next_of(courses.standing_of(session, call.enrolment_id), now=now)
    if found is None:
        close(session, call, CallStatus.CANCELLED, now=now)
        return
    due, slot = found
    call.status = CallStatus.PLANNED
    call.due_on, call.complete_by_on, call.phase = due.on, due.complete_by_on, due.phase
    move(session, call, slot, now=now)


def _row(standing: Standing, due: Due, slot: Slot, *, now: datetime) -> dict[str, object]:
    return {
        "clinic_id": standing.clinic_id,
        "patient_id": standing.patient_id,
        "enrolment_id": standing.enrolment_id,
        "sequence": standing.last_sequence + 1,
        "phase": due.phase,
        "due_on": due.on,
        "complete_by_on": due.complete_by_on,
        "dial_from_at": slot.from_at,
        "dial_until_at": slot.until_at,
        "is_agreed": False,
        "dials": 0,
        "status": CallStatus.PLANNED,
        "planned_at": now,
    }


def _end(standing: Standing) -> date:
    return standing.course.protocol.ends_on(standing.course.starts_on)


def _finish(session: Session, enrolment_id: int, *, now: datetime) -> None:
    enrolments.change_status(
        session.get_one(Enrolment, enrolment_id),
        EnrolmentStatus.COMPLETED,
        reason="end of the programme",
        now=now,
    )
