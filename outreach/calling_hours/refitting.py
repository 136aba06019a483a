"""Open calls that a change of hours left outside of them: found page by page, and moved.

A change only marks its clinics, so that it never holds up callers' saves; a job moves the
calls within minutes. Meanwhile nobody is called at a wrong hour: whoever dials, or sends,
asks what is lawful at that moment.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import ColumnElement, select, update
from sqlalchemy.orm import Session

from outreach.accounts.models import Clinic, StaffMember
from outreach.panels.models import PanelMembership
from outreach.patients.models import Patient
from outreach.patients.rules import is_allowed_at
from outreach.planning import courses, next_call
from outreach.planning.models import PlannedCall


class Changed(NamedTuple):
    """A clinic whose calls may stand outside its hours since ``at``."""

    clinic_id: int
    at: datetime


class OpenCall(NamedTuple):
    """Whose open call it is, and when it is to be dialled."""

    enrolment_id: int
    dial_from_at: datetime


class Page(NamedTuple):
    """Enrolments whose call stands outside the hours, and after which the next page begins."""

    ids: Sequence[int]
    next_after_id: int | None


class Promised(NamedTuple):
    """A time that a patient asked for, at which calls are not made any more."""

    patient: Patient
    caller: str | None
    at: datetime


def mark(session: Session, clinics: ColumnElement[bool], *, now: datetime) -> None:
    """Have the calls of ``clinics`` looked through. Does not commit."""
    session.execute(
        update(Clinic)
        .where(clinics)
        .values(hours_changed_at=now)
        .execution_options(synchronize_session="fetch")
    )


def changed(session: Session) -> Sequence[Changed]:
    """Return the clinics whose calls are to be looked through."""
    rows = session.execute(
        select(Clinic.id, Clinic.hours_changed_at)
        .where(Clinic.hours_changed_at.is_not(None))
        .order_by(Clinic.hours_changed_at, Clinic.id)
    )
    return [Changed(clinic_id, at) for clinic_id, at in rows if at is not None]


def settle(session: Session, done: Changed) -> None:
    """Note that a clinic was looked through, unless its hours changed again meanwhile."""
    session.execute(
        update(Clinic)
        .where(Clinic.id == done.clinic_id, Clinic.hours_changed_at == done.at)
        .values(hours_changed_at=None)
    )


def page_of(session: Session, clinic_id: int, *, now: datetime, after_id: int, limit: int) -> Page:
    """Return whose call is to move, among the next ``limit`` open calls of a clinic.

    Times that patients asked for stay: see :func:`promised`.
    """
    found = _open_calls(
        session,
        (
            PlannedCall.clinic_id == clinic_id,
            PlannedCall.enrolment_id > after_id,
            PlannedCall.is_agreed.is_(False),
        ),
        now=now,
        limit=limit,
    )
    last = found[-1].enrolment_id if len(found) == limit else None
    return Page([row.enrolment_id for row in _outside(session, found, now=now)], last)


def refit(session: Session, enrolment_ids: Iterable[int], *, now: datetime) -> int:
    """Move the calls of ``enrolment_ids`` into the hours; return how many. Does not commit."""
    moved = 0
    for enrolment_id in enrolment_ids:
        next_call.replan(session, enrolment_id, now=now)
        moved += 1
    return moved


def promised(session: Session, clinic_id: int, *, now: datetime, limit: int) -> list[Promised]:
    """Return promised times of a clinic outside its hours, the next first.

    They stay: somebody rings those patients about another time.
    """
    agreed = (PlannedCall.clinic_id == clinic_id, PlannedCall.is_agreed.is_(True))
    found = _open_calls(session, agreed, now=now, limit=limit)
    at_by_enrolment = {
        row.enrolment_id: row.dial_from_at for row in _outside(session, found, now=now)
    }
    rows = session.execute(
        select(Patient, StaffMember.name, PlannedCall.enrolment_id)
        .join(PlannedCall, PlannedCall.patient_id == Patient.id)
        .outerjoin(
            PanelMembership,
            (PanelMembership.enrolment_id == PlannedCall.enrolment_id)
            & PanelMembership.until_at.is_(None),
        )
        .outerjoin(StaffMember, StaffMember.id == PanelMembership.caller_id)
        .where(
            PlannedCall.enrolment_id.in_(at_by_enrolment),
            PlannedCall.is_open,
        )
    ).all()
    found_times = [
        Promised(patient, caller, at_by_enrolment[enrolment_id])
        for patient, caller, enrolment_id in rows
    ]
    return sorted(found_times, key=lambda each: each.at)


def _open_calls(
    session: Session, which: Sequence[ColumnElement[bool]], *, now: datetime, limit: int
) -> Sequence[OpenCall]:
    found = session.execute(
        select(PlannedCall.enrolment_id, PlannedCall.dial_from_at)
        .where(
            *which,
            PlannedCall.is_open,
            PlannedCall.dial_until_at > now,
        )
        .order_by(PlannedCall.enrolment_id)
        .limit(limit)
    )
    return [OpenCall(*row) for row in found]


def _outside(session: Session, found: Sequence[OpenCall], *, now: datetime) -> list[OpenCall]:
    by_enrolment = {row.enrolment_id: row for row in found}
    outside = []
    for standing in courses.standings(session, list(by_enrolment), now=now):
        row = by_enrolment[standing.enrolment_id]
        at = max(row.dial_from_at, now)
        if not is_allowed_at(at, standing.zone, standing.course.calendar.lawful()):
            outside.append(row)
    return outside
