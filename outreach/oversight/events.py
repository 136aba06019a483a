"""Reading the audit trail: who did what to which record, and when."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, Row, Select, and_, false, func, or_, select, true
from sqlalchemy.orm import Session

from outreach.access_keys.models import AccessKey
from outreach.accounts import staff
from outreach.accounts.models import Clinic, Membership, StaffMember
from outreach.accounts.rules import Actor, Role
from outreach.among import among
from outreach.audit.models import AuditEvent
from outreach.oversight.looks import BY_KEY, LOOKED, SHOWN
from outreach.patients.models import Patient

ON_PAGE = 100
MOST_FILES = 100
TOOK = "downloaded a file of "


@dataclass(frozen=True)
class Asked:
    """Which events: of days on the reader's clock, of a patient, of somebody.

    ``patient_ids``: only of these; None: of everybody, and of nobody. Two clinics may have
    patients of one record number.
    """

    from_on: date
    until_on: date
    zone: ZoneInfo
    patient_ids: tuple[int, ...] | None = None
    staff: str = ""
    only_looks: bool = False

    @property
    def begins_at(self) -> datetime:
        """The instant at which the first of the days begins."""
        return datetime.combine(self.from_on, time(), tzinfo=self.zone)

    @property
    def ends_at(self) -> datetime:
        """The instant at which the last of the days is over."""
        return datetime.combine(self.until_on + timedelta(days=1), time(), tzinfo=self.zone)

    @property
    def params(self) -> dict[str, Any]:
        """The question as plain data, without a record number: it is kept with its file."""
        return {
            "from_on": self.from_on.isoformat(),
            "until_on": self.until_on.isoformat(),
            "zone": self.zone.key,
            "patient_ids": self.patient_ids,
            "staff": self.staff,
            "only_looks": self.only_looks,
        }

    @classmethod
    def of(cls, params: Mapping[str, Any]) -> "Asked":
        """Return the question that was kept as ``params``."""
        ids = params["patient_ids"]
        return cls(
            date.fromisoformat(params["from_on"]),
            date.fromisoformat(params["until_on"]),
            ZoneInfo(params["zone"]),
            None if ids is None else tuple(ids),
            params["staff"],
            only_looks=params["only_looks"],
        )


@dataclass(frozen=True)
class Event:
    """One line of the trail. The patient is named by record number alone.

    ``staff`` is who it was: a person, another system by the name of its key, or None, ourselves.
    """

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
    query = _query(session, actor, asked)
    total = session.scalar(select(func.count()).select_from(query.subquery())) or 0
    first = (max(page, 1) - 1) * ON_PAGE
    return Found(_rows(session, query.limit(ON_PAGE).offset(first)), total)


def everything(session: Session, actor: Actor, asked: Asked) -> tuple[int, Iterator[Event]]:
    """Return how many events there are, and all of them, read as they are asked for."""
    query = _query(session, actor, asked)
    total = session.scalar(select(func.count()).select_from(query.subquery())) or 0
    rows = session.execute(query.execution_options(yield_per=1000))
    return total, (_event(row) for row in rows)


def files_of(session: Session, actor: Actor, asked: Asked) -> list[Event]:
    """Return who took files that may name the patients of ``asked``, newest first.

    Of their clinic, or of several. What a file held is not kept in the trail: it could hold all.
    """
    if not asked.patient_ids:
        return []
    clinics = select(Patient.clinic_id).where(Patient.id.in_(asked.patient_ids))
    may_name = or_(AuditEvent.clinic_id.in_(clinics), AuditEvent.clinic_id.is_(None))
    whose = or_(AuditEvent.patient_id.is_(None), AuditEvent.patient_id.in_(asked.patient_ids))
    query = _query(session, actor, replace(asked, patient_ids=None, only_looks=False)).where(
        AuditEvent.action.startswith(TOOK, autoescape=True), may_name, whose
    )
    return _rows(session, query.limit(MOST_FILES))


def patients_of(session: Session, record_number: str) -> tuple[int, ...] | None:
    """Return the patients of a record number, at any clinic; None where none is asked for."""
    if not record_number:
        return None
    found = select(Patient.id).where(Patient.record_number == record_number).order_by(Patient.id)
    return tuple(session.scalars(found))


def readable_clinics(actor: Actor) -> frozenset[int] | None:
    """Return the clinics whose events ``actor`` reads; None: all, and those of no clinic."""
    if Role.ADMINISTRATOR in actor.roles:
        return None
    if any(held.role is Role.AUDITOR and held.clinic_id is None for held in actor.held):
        return None
    return actor.clinic_ids_as(Role.AUDITOR, Role.MANAGER)


def _rows(session: Session, query: Select[*tuple[Any, ...]]) -> list[Event]:
    return [_event(row) for row in session.execute(query).all()]


def _event(row: Row[*tuple[Any, ...]]) -> Event:
    at, person, key, *rest = row
    return Event(at, key if person is None else person, *rest)


def _query(session: Session, actor: Actor, asked: Asked) -> Select[*tuple[Any, ...]]:
    query = (
        select(
            AuditEvent.at,
            StaffMember.name.label("person"),
            AccessKey.name.label("key"),
            AuditEvent.action,
            AuditEvent.object_kind,
            Clinic.name.label("clinic"),
            Patient.record_number,
        )
        .outerjoin(StaffMember, StaffMember.id == AuditEvent.actor_id)
        .outerjoin(
            AccessKey,
            and_(
                AccessKey.id == AuditEvent.object_id,
                AuditEvent.actor_id.is_(None),
                AuditEvent.object_kind.startswith(BY_KEY),
            ),
        )
        .outerjoin(Patient, Patient.id == AuditEvent.patient_id)
        .outerjoin(Clinic, Clinic.id == AuditEvent.clinic_id)
        .where(_is_readable(actor), AuditEvent.at >= asked.begins_at, AuditEvent.at < asked.ends_at)
        .order_by(AuditEvent.at.desc(), AuditEvent.id.desc())
    )
    if asked.patient_ids is not None:
        query = query.where(AuditEvent.patient_id.in_(asked.patient_ids))
    if asked.staff:
        query = query.where(_is_by(session, asked.staff))
    if asked.patient_ids is None and not asked.staff:  # dozens of lines for each list otherwise
        query = query.where(AuditEvent.action != SHOWN)
    if asked.only_looks:
        query = query.where(AuditEvent.action.in_((LOOKED, SHOWN)))
    return query


def _is_by(session: Session, text: str) -> ColumnElement[bool]:
    """Return the condition that somebody is called so, has that address, or is a key named so."""
    return or_(
        among(AuditEvent.actor_id, staff.called(session, text)),
        and_(
            AuditEvent.actor_id.is_(None),
            func.lower(AccessKey.name).contains(text.lower(), autoescape=True),
        ),
    )


def _is_readable(actor: Actor) -> ColumnElement[bool]:
    """Administrators and auditors of every clinic read all; others their clinics' events.

    And what people of their clinics did that names none: signing in, searching, taking files.
    """
    clinics = readable_clinics(actor)
    if clinics is None:
        return true()
    if not clinics:
        return false()
    people = select(Membership.staff_id).where(Membership.clinic_id.in_(sorted(clinics)))
    return or_(
        AuditEvent.clinic_id.in_(sorted(clinics)),
        and_(AuditEvent.clinic_id.is_(None), AuditEvent.actor_id.in_(people)),
    )
