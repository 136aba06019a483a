"""Reading the audit trail: who did what to which record, and when."""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, Select, false, func, or_, select, true
from sqlalchemy.orm import Session

from outreach.accounts.models import Clinic, StaffMember
from outreach.accounts.rules import Actor, Role
from outreach.audit.models import AuditEvent
from outreach.oversight.looks import LOOKED
from outreach.patients.models import Patient

ON_PAGE = 100
MOST_EXPORTED = 50_000


@dataclass(frozen=True)
class Asked:
    """Which events: of days on the reader's clock, of a patient, of somebody."""

    from_on: date
    until_on: date
    zone: ZoneInfo
    record_number: str = ""
    staff: str = ""
    only_looks: bool = False


@dataclass(frozen=True)
class Event:
    """One line of the trail. The patient is named by record number alone."""

    at: datetime
    staff: str | None
    action: str
    page: str
    clinic: str | None
    record_number: str | None


@dataclass(frozen=True)
class Found:
    """The events of one page, and of how many."""

    events: list[Event]
    total: int


def find(session: Session, actor: Actor, asked: Asked, *, page: int = 1) -> Found:
    """Return the events of ``asked`` that ``actor`` may read, newest first."""
    query = _query(actor, asked)
    total = session.scalar(select(func.count()).select_from(query.subquery())) or 0
    first = (max(page, 1) - 1) * ON_PAGE
    return Found(_rows(session, query.limit(ON_PAGE).offset(first)), total)


def export(session: Session, actor: Actor, asked: Asked) -> list[Event]:
    """Return at most MOST_EXPORTED events, newest first."""
    return _rows(session, _query(actor, asked).limit(MOST_EXPORTED))


def _rows(session: Session, query: Select[*tuple[Any, ...]]) -> list[Event]:
    return [Event(*row) for row in session.execute(query).all()]


def _query(actor: Actor, asked: Asked) -> Select[*tuple[Any, ...]]:
    begins = datetime.combine(asked.from_on, time(), tzinfo=asked.zone)
    ends = datetime.combine(asked.until_on + timedelta(days=1), time(), tzinfo=asked.zone)
    query = (
        select(
            AuditEvent.at,
            StaffMember.name,
            AuditEvent.action,
            AuditEvent.object_kind,
            Clinic.name,
            Patient.record_number,
        )
        .outerjoin(StaffMember, StaffMember.id == AuditEvent.actor_id)
        .outerjoin(Patient, Patient.id == AuditEvent.patient_id)
        .outerjoin(Clinic, Clinic.id == AuditEvent.clinic_id)
        .where(_is_readable(actor), AuditEvent.at >= begins, AuditEvent.at < ends)
        .order_by(AuditEvent.at.desc(), AuditEvent.id.desc())
    )
    if asked.record_number:
        same = select(Patient.id).where(Patient.record_number == asked.record_number)
        query = query.where(AuditEvent.patient_id.in_(same))
    if asked.staff:
        text = asked.staff.lower()
        is_meant = or_(
            func.lower(StaffMember.name).contains(text, autoescape=True),
            StaffMember.email == text,
        )
        query = query.where(is_meant)
    if asked.only_looks:
        query = query.where(AuditEvent.action == LOOKED)
    return query


def _is_readable(actor: Actor) -> ColumnElement[bool]:
    """Administrators and auditors of every clinic read all; others their clinics' events."""
    if Role.ADMINISTRATOR in actor.roles:
        return true()
    if any(held.role is Role.AUDITOR and held.clinic_id is None for held in actor.held):
        return true()
    clinics = sorted(actor.clinic_ids_as(Role.AUDITOR, Role.MANAGER))
    return AuditEvent.clinic_id.in_(clinics) if clinics else false()
