"""Offering a patient other times for their call, and booking the one they choose."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from outreach.accounts.models import StaffMember
from outreach.clock import local_day
from outreach.inbox.rules.slots import is_free, offers
from outreach.panels import duty
from outreach.panels.models import Absence, PanelMembership, Shift
from outreach.patients.rules import Slot
from outreach.planning import courses, next_call, retrying
from outreach.planning.courses import Standing
from outreach.planning.models import PlannedCall
from outreach.planning.retrying import Agreed, NeverLawful, TimePassed, TooFarAhead

DAYS_AHEAD = 7
NOTICE = timedelta(hours=1)  # an offer that is over before it is read is none


@dataclass(frozen=True)
class Diary:
    """A patient's open call, and when whoever makes it could."""

    call: PlannedCall
    standing: Standing
    caller: StaffMember
    shifts: Sequence[Slot]
    taken: Sequence[Slot]


def diary_of(session: Session, enrolment_id: int, *, now: datetime) -> Diary | None:
    """Return what offers are made from, None where no call is open or nobody makes it.

    The open call is held until the commit.
    """
    call = next_call.open_call(session, enrolment_id, is_locked=True)
    caller_id = duty.on_duty(session, enrolment_id, now=now)
    if call is None or caller_id is None:
        return None
    caller = session.get_one(StaffMember, caller_id)
    return Diary(
        call,
        courses.standing_of(session, enrolment_id, now=now),
        caller,
        _shifts(session, caller, now=now),
        _taken(session, caller.id, call, now=now),
    )


def times(diary: Diary, *, now: datetime) -> list[Slot]:
    """Return up to three times for the call: lawful, in the patient's hours, in the caller's."""
    standing, course = diary.standing, diary.standing.course
    today = local_day(now, standing.zone)
    last = min(
        today + timedelta(days=DAYS_AHEAD),
        course.protocol.ends_on(course.starts_on) - timedelta(days=1),
    )
    last = course.last_before_pause(today, last)
    return offers(
        course.calendar, (today, last), diary.shifts, diary.taken, not_before=now + NOTICE
    )


def book(session: Session, diary: Diary, slot: Slot, *, now: datetime) -> bool:
    """Move the call to an offered time; False where it can't be had any more. Does not commit."""
    calendar = diary.standing.course.calendar
    if not is_free(slot, calendar, diary.shifts, diary.taken, now=now):
        return False
    local = slot.from_at.astimezone(diary.standing.zone)
    try:
        retrying.agree(session, diary.call, Agreed(local.date(), local.time()), now=now)
    except (NeverLawful, TimePassed, TooFarAhead):
        return False
    return True


def stored(slots: Sequence[Slot]) -> dict[str, Any]:
    """Return offered times as a question keeps them."""
    return {"slots": [[each.from_at.isoformat(), each.until_at.isoformat()] for each in slots]}


def read(details: dict[str, Any]) -> list[Slot]:
    """Return offered times as they were kept."""
    return [
        Slot(datetime.fromisoformat(begins), datetime.fromisoformat(ends))
        for begins, ends in details.get("slots", [])
    ]


def _shifts(session: Session, caller: StaffMember, *, now: datetime) -> list[Slot]:
    """Return when a caller works in the coming days, absences left out."""
    zone = ZoneInfo(caller.zone)
    today = local_day(now, zone)
    rows = session.scalars(select(Shift).where(Shift.staff_id == caller.id)).all()
    spans = []
    for ahead in range(-1, DAYS_AHEAD + 2):
        day = today + timedelta(days=ahead)
        spans += [
            Slot(
                datetime.combine(day, row.begins, tzinfo=zone),
                datetime.combine(day, row.ends, tzinfo=zone),
            )
            for row in rows
            if row.weekday == day.weekday()
        ]
    away = session.execute(
        select(Absence.from_at, Absence.until_at).where(
            Absence.staff_id == caller.id, Absence.ended_at.is_(None), Absence.until_at > now
        )
    ).all()
    for from_at, until_at in away:
        spans = [part for each in spans for part in _without(each, from_at, until_at)]
    return spans


def _without(slot: Slot, from_at: datetime, until_at: datetime) -> list[Slot]:
    """Return what is left of ``slot`` outside an absence."""
    if until_at <= slot.from_at or from_at >= slot.until_at:
        return [slot]
    left = [Slot(slot.from_at, from_at), Slot(until_at, slot.until_at)]
    return [each for each in left if each.from_at < each.until_at]


def _taken(session: Session, caller_id: int, own: PlannedCall, *, now: datetime) -> list[Slot]:
    """Return the times that a caller has promised to other patients."""
    rows = session.execute(
        select(PlannedCall.dial_from_at, PlannedCall.dial_until_at)
        .join(PanelMembership, PanelMembership.enrolment_id == PlannedCall.enrolment_id)
        .where(
            PlannedCall.is_open,
            PlannedCall.is_agreed.is_(True),
            PlannedCall.dial_until_at > now,
            PlannedCall.id != own.id,
            duty.enrolments_of(caller_id, now),
        )
    ).all()
    return [Slot(*row) for row in rows]
