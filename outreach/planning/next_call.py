"""Planning the next call: every active enrolment with a caller always has one."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from outreach.built_once import built_once
from outreach.clock import local_day
from outreach.messaging import outbox
from outreach.orm import insert_new
from outreach.patients.rules import ContactHours, Slot, is_allowed_at, may_agree
from outreach.planning import courses, follow_ups
from outreach.planning.courses import Standing
from outreach.planning.models import PlannedCall
from outreach.planning.rules import (
    CallStatus,
    Contact,
    next_contact,
    next_slot,
)
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
    rows, ids = [], courses.active_ids(session, enrolment_ids)
    for standing in courses.standings(session, ids, now=now) if ids else ():
        contact = contact_of(standing, now=now, not_today=not_today)
        if contact is not None:
            rows.append(_row(standing, contact, now=now))
        elif local_day(now, standing.zone) >= _end(standing):
            finish(session, standing.enrolment_id, now=now)
    return insert_new(session, PlannedCall, rows) if rows else 0


def replan(session: Session, enrolment_id: int, *, now: datetime) -> None:
    """Make the plan fit what just changed: wishes, rhythm, zone or status.

    A call whose time the patient asked for stays as it is, unless that is night where they
    live now; and so does one that was dialled already while its slot is lawful. One that is
    due by now keeps its days, so that nothing due is ever planned away; only its slot
    follows. Outside ACTIVE the open call is cancelled with its unsent texts. Does not commit.
    """
    call = open_call(session, enrolment_id, is_locked=True)
    status = session.scalar(select(Enrolment.status).where(Enrolment.id == enrolment_id))
    if status is not EnrolmentStatus.ACTIVE:
        if call is not None:
            close(session, call, CallStatus.CANCELLED, now=now)
        return
    if call is None:  # as it is for whoever comes back
        follow_ups.begin_anew(session, enrolment_id, now=now)
        if plan(session, courses.assigned_ids(session, [enrolment_id]), now=now):
            return
        # A planner may have been quicker, with the wishes as they were before.
        call = open_call(session, enrolment_id, is_locked=True)
    if call is not None and not _is_kept(session, call, now=now):
        _fit(session, call, now=now)


def open_call(
    session: Session, enrolment_id: int, *, is_locked: bool = False
) -> PlannedCall | None:
    """Return the open call of an enrolment, if it has one; ``is_locked``: to be changed."""
    query = select(PlannedCall).where(PlannedCall.enrolment_id == enrolment_id, PlannedCall.is_open)
    if is_locked:
        query = query.with_for_update().execution_options(populate_existing=True)
    return session.scalar(query)


def open_call_of(
    session: Session, patient_id: int, *, is_locked: bool = False
) -> PlannedCall | None:
    """Return the open call of a patient, if there is one; ``is_locked``: it is to be changed."""
    query, patient = _open_call_of(patient_id)
    if is_locked:
        query = query.with_for_update(of=PlannedCall).execution_options(populate_existing=True)
    return session.scalar(query, patient)


@built_once
def _open_call_of(patient_id: Any) -> Select[PlannedCall]:
    return (
        select(PlannedCall)
        .join(Enrolment, Enrolment.id == PlannedCall.enrolment_id)
        .where(Enrolment.patient_id == patient_id, PlannedCall.is_open)
        .order_by(Enrolment.id.desc())
        .limit(1)
    )


def lock(session: Session, enrolment_id: int) -> tuple[Enrolment, PlannedCall | None]:
    """Return an enrolment, and its open call if it has one, both locked to be changed.

    The call first, as whoever records one does: two people who lock them in different order
    would wait for each other.
    """
    call = open_call(session, enrolment_id, is_locked=True)
    enrolment = session.get_one(
        Enrolment, enrolment_id, with_for_update=True, populate_existing=True
    )
    return enrolment, call


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


def may_ring_at(call: PlannedCall, zone: ZoneInfo, lawful: ContactHours, *, now: datetime) -> bool:
    """Say whether a patient in ``zone`` may be rung about ``call`` at ``now``.

    Within their contact hours, or at a time that they asked for.
    """
    return is_agreed_now(call, zone, lawful, now=now) or is_allowed_at(now, zone, lawful)


def is_agreed_now(
    call: PlannedCall, zone: ZoneInfo, lawful: ContactHours, *, now: datetime
) -> bool:
    """Say whether this is the time that the patient asked for, and it may be kept."""
    is_its_time = call.dial_from_at <= now < call.dial_until_at
    return call.is_agreed and is_its_time and may_agree(now, zone, lawful)


def cause_of(planned_call_id: int) -> str:
    """Return the words under which texts about a planned call are kept."""
    return f"planned_call:{planned_call_id}"


def contact_of(standing: Standing, *, now: datetime, not_today: bool = False) -> Contact | None:
    """Return the next contact of an enrolment without an open call, None when none is left."""
    return next_contact(
        standing.course,
        now=now,
        is_done_today=standing.is_done_today,
        not_today=not_today,
    )


def finish(session: Session, enrolment_id: int, *, now: datetime) -> None:
    """Complete an enrolment whose programme is over. Does not commit."""
    enrolments.change_status(
        session.get_one(Enrolment, enrolment_id),
        EnrolmentStatus.COMPLETED,
        reason="end of the programme",
        now=now,
    )


def _is_kept(session: Session, call: PlannedCall, *, now: datetime) -> bool:
    """Say whether the patient asked for the time of ``call``, and still can be called then."""
    if not call.is_agreed:
        return False
    calendar = courses.standing_of(session, call.enrolment_id, now=now).course.calendar
    return may_agree(call.dial_from_at, calendar.zone, calendar.lawful())


def _fit(session: Session, call: PlannedCall, *, now: datetime) -> None:
    """Fit an open call to the patient's wishes as they are now.

    One that was dialled is only moved where its slot is no longer lawful.
    """
    standing = courses.standing_of(session, call.enrolment_id, now=now)
    calendar, today = standing.course.calendar, local_day(now, standing.zone)
    if call.dials > 0 and is_allowed_at(call.dial_from_at, standing.zone, calendar.lawful()):
        return
    if call.dials == 0 and call.due_on > today:
        _plan_anew(session, call, now=now)
        return
    call.complete_by_on = standing.course.last_before_pause(call.due_on, call.complete_by_on)
    not_before = max(now, call.dial_from_at) if call.dials else now
    first = max(today, local_day(not_before, standing.zone))
    slot = next_slot(calendar, days=(first, call.complete_by_on), not_before=not_before)
    if slot is not None:
        move(session, call, slot, now=now)
        return
    if call.dial_until_at <= now:
        return  # its time was over before: that is a missed call
    # The new wishes leave it no time: nobody missed it.
    close(session, call, CallStatus.CANCELLED, now=now)
    plan(session, [call.enrolment_id], now=now, not_today=call.dials > 0)


def _plan_anew(session: Session, call: PlannedCall, *, now: datetime) -> None:
    """Give a call that is not due yet the day and slot it would get now."""
    call.status = CallStatus.CANCELLED  # so that its own day does not count as planned for
    session.flush()
    contact = contact_of(courses.standing_of(session, call.enrolment_id, now=now), now=now)
    if contact is None:
        close(session, call, CallStatus.CANCELLED, now=now)
        return
    call.status, due = CallStatus.PLANNED, contact.due
    call.due_on, call.complete_by_on, call.phase = due.on, due.complete_by_on, due.phase
    move(session, call, contact.slot, now=now)


def _row(standing: Standing, contact: Contact, *, now: datetime) -> dict[str, object]:
    due, slot = contact.due, contact.slot
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
        "version_id": standing.version_id,
    }


def _end(standing: Standing) -> date:
    return standing.course.protocol.ends_on(standing.course.starts_on)
