"""The register: every patient in somebody's scope, with where they stand."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, Row, Select, and_, exists, func, or_, select
from sqlalchemy.orm import Session, aliased

from outreach.accounts.models import Clinic, StaffMember
from outreach.accounts.rules import Scope
from outreach.accounts.scoping import visible
from outreach.callers.rules import last_day_of
from outreach.calls.models import Attempt
from outreach.calls.rules import REACHED
from outreach.chart import readings
from outreach.chart.rules import Show, programme_week
from outreach.clock import local_day
from outreach.measures.rules import MeasureKind
from outreach.panels import duty
from outreach.panels.models import Cover, PanelMembership
from outreach.patients.models import Patient
from outreach.patients.rules import age_on
from outreach.planning.models import PlannedCall
from outreach.planning.rules import CallStatus
from outreach.programmes.models import Enrolment
from outreach.programmes.rules import OPEN_STATUSES, EnrolmentStatus

PAGE_SIZE = 50
FARTHEST_PAGE = 1_000_000  # beyond any register; rows times pages must be a number, too
_NAMES = (Patient.family_name, Patient.given_name, Patient.preferred_name)


@dataclass(frozen=True)
class Search:
    """What the reader asked for; ``page`` counts from 1."""

    text: str = ""
    show: Show = Show.ALL
    page: int = 1


@dataclass(frozen=True)
class Line:
    """One patient as the register shows them."""

    patient: Patient
    clinic_name: str
    age: int
    enrolment: Enrolment | None
    week: int | None
    caller_name: str | None
    stand_in_name: str | None
    covered_until_on: date | None
    next_call: PlannedCall | None
    last_reached_at: datetime | None
    hba1c: tuple[Decimal, datetime] | None


@dataclass(frozen=True)
class Page:
    """Some lines of the register, by clinic and family name."""

    lines: Sequence[Line]
    has_more: bool


def page(session: Session, scope: Scope, search: Search, *, now: datetime) -> Page:
    """Return one page of the register, in three statements whatever its length."""
    rows = session.execute(_rows(_ids(scope, search), now)).all()
    shown = rows[:PAGE_SIZE]
    patient_ids = [row.Patient.id for row in shown]
    reached = _last_reached(session, patient_ids)
    hba1c = readings.latest_of(session, patient_ids, MeasureKind.HBA1C)
    lines = [_line(row, reached.get(row.Patient.id), hba1c, now=now) for row in shown]
    return Page(lines, has_more=len(rows) > PAGE_SIZE)


def _ids(scope: Scope, search: Search) -> Select[int]:
    """Return the ids of one page and of one patient more."""
    return (
        select(Patient.id)
        .where(
            visible(scope, Patient.clinic_id, Patient.id),
            *_matching(search.text),
            *_shown(search.show),
        )
        .order_by(Patient.clinic_id, Patient.family_name, Patient.given_name, Patient.id)
        .offset((search.page - 1) * PAGE_SIZE)
        .limit(PAGE_SIZE + 1)
    )


def _matching(text: str) -> list[ColumnElement[bool]]:
    """Return that every word of ``text`` begins a name, or that it begins the record number."""
    words = text.split()
    if not words:
        return []
    by_name = and_(*(or_(*(_begins(name, word) for name in _NAMES)) for word in words))
    return [or_(by_name, Patient.record_number.istartswith(text.strip(), autoescape=True))]


def _begins(column: Any, word: str) -> ColumnElement[bool]:
    # SQLite folds the case of ASCII only: 'élo' finds 'Élodie' by its other spelling.
    spellings = {word} if word.isascii() else {word, word.capitalize(), word.upper()}
    return or_(*(column.istartswith(each, autoescape=True) for each in sorted(spellings)))


def _shown(show: Show) -> list[ColumnElement[bool]]:
    enrolled = exists().where(Enrolment.patient_id == Patient.id)
    is_open = enrolled.where(Enrolment.status.in_(OPEN_STATUSES))
    match show:
        case Show.ALL:
            return []
        case Show.ACTIVE:
            return [is_open]
        case Show.FINISHED:
            return [enrolled, ~is_open]
        case Show.WAITING:
            has_caller = exists().where(
                PanelMembership.enrolment_id == Enrolment.id, PanelMembership.until_at.is_(None)
            )
            return [enrolled.where(Enrolment.status == EnrolmentStatus.ACTIVE, ~has_caller)]


def _rows(ids: Select[int], now: datetime) -> Select[*tuple[Any, ...]]:
    """Return the patients of ``ids``, each with the latest enrolment, its callers and call.

    An enrolment can only be open if it is the latest one.
    """
    page_ids, stand_in = ids.subquery(), aliased(StaffMember)
    latest = (
        select(func.max(Enrolment.id))
        .where(Enrolment.patient_id == Patient.id)
        .correlate(Patient)
        .scalar_subquery()
    )
    return (
        select(
            Patient,
            Clinic.name,
            Enrolment,
            StaffMember.name.label("caller"),
            stand_in.name.label("stand_in"),
            stand_in.zone.label("stand_in_zone"),
            Cover.until_at.label("covered_until_at"),
            PlannedCall,
        )
        .join(page_ids, page_ids.c.id == Patient.id)
        .join(Clinic, Clinic.id == Patient.clinic_id)
        .outerjoin(Enrolment, Enrolment.id == latest)
        .outerjoin(
            PanelMembership,
            and_(PanelMembership.enrolment_id == Enrolment.id, PanelMembership.until_at.is_(None)),
        )
        .outerjoin(StaffMember, StaffMember.id == PanelMembership.caller_id)
        .outerjoin(Cover, Cover.id == duty.cover_id_now(Enrolment.id, now))
        .outerjoin(stand_in, stand_in.id == Cover.stand_in_id)
        .outerjoin(
            PlannedCall,
            and_(
                PlannedCall.enrolment_id == Enrolment.id,
                PlannedCall.status == CallStatus.PLANNED,
            ),
        )
        .order_by(Patient.clinic_id, Patient.family_name, Patient.given_name, Patient.id)
    )


def _last_reached(session: Session, patient_ids: Sequence[int]) -> dict[int, datetime]:
    rows = session.execute(
        select(Attempt.patient_id, func.max(Attempt.at).label("at"))
        .where(
            Attempt.patient_id.in_(patient_ids),
            Attempt.outcome.in_(REACHED),
            Attempt.superseded_at.is_(None),
        )
        .group_by(Attempt.patient_id)
        .order_by(Attempt.patient_id)
    ).all()
    return {row.patient_id: row.at for row in rows}


def _line(
    row: Row[*tuple[Any, ...]],
    last_reached_at: datetime | None,
    hba1c: dict[int, tuple[Decimal, datetime]],
    *,
    now: datetime,
) -> Line:
    patient: Patient = row.Patient
    enrolment: Enrolment | None = row.Enrolment
    today = local_day(now, ZoneInfo(patient.zone))
    is_open = enrolment is not None and enrolment.status in OPEN_STATUSES
    return Line(
        patient=patient,
        clinic_name=row.name,
        age=age_on(today, patient.date_of_birth),
        enrolment=enrolment,
        week=programme_week(today, enrolment.starts_on) if enrolment and is_open else None,
        caller_name=row.caller,
        stand_in_name=row.stand_in,
        covered_until_on=last_day_of(row.covered_until_at, ZoneInfo(row.stand_in_zone))
        if row.stand_in
        else None,
        next_call=row.PlannedCall,
        last_reached_at=last_reached_at,
        hba1c=hba1c.get(patient.id),
    )
