"""Calls of today by who is on duty for them: how many, and one by one.

Card and list have one condition: calls open and due by today, and those closed today, whoever of
them were completed or missed.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, case, func, or_, select
from sqlalchemy.orm import Session

from outreach.accounts.models import StaffMember
from outreach.accounts.rules import in_order_of_names
from outreach.panels import duty
from outreach.patients.models import Patient
from outreach.planning.models import PlannedCall
from outreach.planning.rules import CallStatus
from outreach.reports.asked import Here
from outreach.reports.rules.period import begin_of


@dataclass(frozen=True)
class CallerDay:
    """Calls on one caller's list today. ``caller_id`` and ``name`` are None of nobody's."""

    caller_id: int | None
    name: str | None
    done: int
    due: int


@dataclass(frozen=True)
class TodaysCall:
    """One call of today. ``closed_at`` is when it was completed or missed."""

    patient_id: int
    ref: str
    name: str
    record_number: str
    zone: str
    due_on: date
    from_at: datetime
    until_at: datetime
    last_on: date
    dials: int
    status: CallStatus
    closed_at: datetime | None


def by_caller(session: Session, here: Here) -> list[CallerDay]:
    """Count the calls of today by who is on duty, those of nobody last."""
    is_done = case((PlannedCall.status == CallStatus.COMPLETED, 1), else_=0)
    rows = session.execute(
        select(StaffMember.id, StaffMember.name, func.sum(is_done), func.count())
        .select_from(PlannedCall)
        .outerjoin(StaffMember, StaffMember.id == _on_duty(here))
        .where(*_of_today(here))
        .group_by(StaffMember.id, StaffMember.name)
    )
    found = [CallerDay(caller_id, name, int(done), due) for caller_id, name, done, due in rows]
    return sorted(found, key=_last_nobody_then_by_name)


def _last_nobody_then_by_name(day: CallerDay) -> tuple[Any, ...]:
    return day.caller_id is None, *in_order_of_names(day.name or "", day.caller_id or 0)


def one_by_one(session: Session, here: Here, caller_id: int | None) -> list[TodaysCall]:
    """Return the calls of today of one caller, or of nobody: open ones first, the oldest first."""
    is_open = PlannedCall.is_open
    rows = session.execute(
        select(
            Patient.id,
            Patient.ref,
            Patient.given_name,
            Patient.family_name,
            Patient.record_number,
            Patient.zone,
            PlannedCall.due_on,
            PlannedCall.dial_from_at,
            PlannedCall.dial_until_at,
            PlannedCall.complete_by_on,
            PlannedCall.dials,
            PlannedCall.status,
            PlannedCall.closed_at,
        )
        .join(Patient, Patient.id == PlannedCall.patient_id)
        .outerjoin(StaffMember, StaffMember.id == _on_duty(here))
        .where(*_of_today(here), _is_of(caller_id))
        .order_by(
            case((is_open, 0), else_=1),
            PlannedCall.complete_by_on,
            PlannedCall.dial_from_at,
            PlannedCall.id,
        )
    )
    return [_call(*row) for row in rows]


def _is_of(caller_id: int | None) -> ColumnElement[bool]:
    return StaffMember.id.is_(None) if caller_id is None else StaffMember.id == caller_id


def _call(patient_id: int, ref: str, given: str, family: str, *rest: Any) -> TodaysCall:
    return TodaysCall(patient_id, ref, f"{given} {family}", *rest)


def _on_duty(here: Here) -> Any:
    return duty.caller_on_duty(PlannedCall.enrolment_id, here.now)


def _of_today(here: Here) -> Sequence[ColumnElement[bool]]:
    is_due = and_(PlannedCall.is_open, PlannedCall.due_on <= here.today)
    was_closed = and_(
        PlannedCall.status.in_((CallStatus.COMPLETED, CallStatus.MISSED)),
        PlannedCall.closed_at >= begin_of(here.today, here.zone),
    )
    return here.within(PlannedCall.clinic_id), or_(is_due, was_closed)
