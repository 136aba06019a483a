"""A page of the list; how many are on it; and all of it for a file."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Row, Select, and_, func, select
from sqlalchemy.orm import Session, aliased

from outreach.accounts.models import Clinic, StaffMember
from outreach.accounts.rules import Scope
from outreach.among import among
from outreach.callers.rules import last_day_of
from outreach.chart.rules import programme_week
from outreach.clock import local_day
from outreach.measures.models import LatestReading
from outreach.measures.rules import MeasureKind
from outreach.panels import duty
from outreach.panels.models import Cover, PanelMembership
from outreach.patient_list import by_name, ordering, selecting
from outreach.patient_list.ordering import Cursor
from outreach.patient_list.rules import Filters, Wanted
from outreach.patient_list.selecting import Condition, Frame, Search
from outreach.patients.models import Patient
from outreach.patients.rules import age_on
from outreach.planning.models import PlannedCall
from outreach.programmes.models import Enrolment, ProgrammeVersion
from outreach.programmes.rules import OPEN_STATUSES, Phase
from outreach.results import due
from outreach.searching.directory import Directory

PAGE_SIZE = 50
_Row = Row[*tuple[Any, ...]]


@dataclass(frozen=True)
class Line:
    """One patient as the list shows them. ``week`` and ``phase`` only while enrolled.

    ``hba1c`` and ``phq9`` are the last values that count, with when they were taken.
    """

    patient: Patient
    clinic_name: str
    age: int
    enrolment: Enrolment | None
    week: int | None
    phase: Phase | None
    caller_name: str | None
    stand_in_name: str | None
    covered_until_on: date | None
    next_call: PlannedCall | None
    last_reached_at: datetime | None
    hba1c: tuple[Decimal, datetime] | None
    phq9: tuple[Decimal, datetime] | None
    has_concern: bool
    has_broken_number: bool
    has_working_number: bool
    has_stopped: bool


@dataclass(frozen=True)
class Page:
    """Some lines of the list, and whether there are more in front of them and behind."""

    lines: Sequence[Line]
    has_earlier: bool
    has_more: bool


def frame(session: Session, scope: Scope, filters: Filters, *, now: datetime) -> Frame:
    """Read what the conditions are asked in: two statements, more where ``due`` is asked."""
    ids = scope.clinic_ids | scope.panel_clinic_ids
    clinics = session.scalars(
        select(Clinic)
        .where(*([] if scope.everything else [Clinic.id.in_(sorted(ids))]))
        .order_by(Clinic.name, Clinic.id)
    ).all()
    versions = session.scalars(select(ProgrammeVersion).order_by(ProgrammeVersion.id)).all()
    here = [clinic.id for clinic in clinics if filters.clinic in {None, clinic.code}]
    return Frame(
        scope,
        now,
        {clinic.id: clinic for clinic in clinics},
        {clinic.id: local_day(now, ZoneInfo(clinic.zone)) for clinic in clinics},
        {version.id: version.protocol for version in versions},
        Directory(session, here),
        _due_ids(session, scope, now) if filters.due else (),
    )


def page(
    session: Session,
    asked_in: Frame,
    wanted: Wanted,
    search: Search,
    cursor: Cursor | None = None,
    *,
    size: int = PAGE_SIZE,
) -> Page:
    """Return the page at ``cursor``."""
    is_before = cursor is not None and cursor.is_before
    met = selecting.conditions(asked_in, wanted.filters, search)
    at = cursor.ref if cursor else None
    read = _read_by_name if wanted.sort in by_name.ORDERS else _read_by_keys
    rows, is_past = read(session, asked_in, wanted, met, at, is_before=is_before, most=size + 1)
    shown = rows[:size]
    has_rest = len(rows) > size
    lines = [_line(row, asked_in) for row in (reversed(shown) if is_before else shown)]
    if is_before:
        return Page(lines, has_earlier=has_rest, has_more=True)
    return Page(lines, has_earlier=is_past, has_more=has_rest)


def _read_by_keys(
    session: Session,
    asked_in: Frame,
    wanted: Wanted,
    met: Sequence[Condition],
    at: str | None,
    *,
    is_before: bool,
    most: int,
) -> tuple[Sequence[_Row], bool]:
    """Return what a page tells, and whether it begins behind a patient: one statement.

    And one for where the patient ``at`` stands, behind whom it is read on.
    """
    sorted_by = ordering.keys(wanted)
    read_by = [key.turned() for key in sorted_by] if is_before else sorted_by
    past = ordering.past(session, asked_in.scope, read_by, at) if at else []
    ids = select(Patient.id).where(*met, *past).order_by(*ordering.order(read_by)).limit(most)
    page_ids = ids.subquery()
    on_page = _rows(asked_in.now).join(page_ids, page_ids.c.id == Patient.id)
    rows = session.execute(on_page.order_by(*ordering.order(read_by))).all()
    return rows, bool(past)


def _read_by_name(
    session: Session,
    asked_in: Frame,
    wanted: Wanted,
    met: Sequence[Condition],
    at: str | None,
    *,
    is_before: bool,
    most: int,
) -> tuple[Sequence[_Row], bool]:
    """As :func:`_read_by_keys`, in the order of the directory."""
    behind_id = ordering.visible_id(session, asked_in.scope, at) if at else None
    ids = by_name.ids_of(
        session,
        asked_in,
        wanted,
        met,
        behind_id=behind_id,
        is_turned=wanted.is_backwards != is_before,
        most=most,
    )
    place = {patient_id: number for number, patient_id in enumerate(ids)}
    rows = session.execute(_rows(asked_in.now).where(among(Patient.id, ids))).all()
    return sorted(rows, key=lambda row: place[row.Patient.id]), behind_id is not None


def count(session: Session, asked_in: Frame, filters: Filters, search: Search) -> int:
    """Count who is on the list, by the conditions that list them."""
    met = selecting.conditions(asked_in, filters, search)
    return session.scalar(select(func.count(Patient.id)).where(*met)) or 0


def everybody(
    session: Session, asked_in: Frame, wanted: Wanted, search: Search, *, size: int = 500
) -> Iterator[Sequence[Line]]:
    """Yield the whole list, some lines at a time."""
    cursor = None
    while True:
        found = page(session, asked_in, wanted, search, cursor, size=size)
        if found.lines:
            yield found.lines
        if not found.has_more:
            return
        cursor = Cursor(found.lines[-1].patient.ref)


def _due_ids(session: Session, scope: Scope, now: datetime) -> tuple[int, ...]:
    """Return whose measurement window is open with something missing, as To measure says."""
    found = due.everybody(session, scope, now=now).missing
    return tuple(sorted({each.patient.id for each in found}))


def _rows(now: datetime) -> Select[*tuple[Any, ...]]:
    """Return patients, each with all that a line tells of them."""
    stand_in = aliased(StaffMember)
    last = selecting.latest
    return (
        select(
            Patient,
            Clinic.name.label("clinic_name"),
            Enrolment,
            StaffMember.name.label("caller"),
            stand_in.name.label("stand_in"),
            stand_in.zone.label("stand_in_zone"),
            Cover.until_at.label("covered_until_at"),
            PlannedCall,
            selecting.last_reached_at().label("last_reached_at"),
            last(LatestReading.value, MeasureKind.HBA1C).label("hba1c"),
            last(LatestReading.taken_at, MeasureKind.HBA1C).label("hba1c_at"),
            last(LatestReading.value, MeasureKind.PHQ9_TOTAL).label("phq9"),
            last(LatestReading.taken_at, MeasureKind.PHQ9_TOTAL).label("phq9_at"),
            selecting.has_open_concern().label("has_concern"),
            selecting.has_number(is_working=False).label("has_broken_number"),
            selecting.has_number(is_working=True).label("has_working_number"),
            selecting.has_stopped_texts().label("has_stopped"),
        )
        .join(Clinic, Clinic.id == Patient.clinic_id)
        .outerjoin(Enrolment, Enrolment.id == selecting.latest_enrolment())
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
                PlannedCall.is_open,
            ),
        )
    )


def _line(row: Row[*tuple[Any, ...]], asked_in: Frame) -> Line:
    patient: Patient = row.Patient
    enrolment: Enrolment | None = row.Enrolment
    today = asked_in.today[patient.clinic_id]
    is_open = enrolment is not None and enrolment.status in OPEN_STATUSES
    week = phase = None
    if enrolment and is_open:
        week = programme_week(today, enrolment.starts_on)
        phase = asked_in.protocols[enrolment.version_id].phase_on(today, enrolment.starts_on)
    return Line(
        patient=patient,
        clinic_name=row.clinic_name,
        age=age_on(local_day(asked_in.now, ZoneInfo(patient.zone)), patient.date_of_birth),
        enrolment=enrolment,
        week=week,
        phase=phase,
        caller_name=row.caller,
        stand_in_name=row.stand_in,
        covered_until_on=last_day_of(row.covered_until_at, ZoneInfo(row.stand_in_zone))
        if row.stand_in
        else None,
        next_call=row.PlannedCall,
        last_reached_at=row.last_reached_at,
        hba1c=(row.hba1c, row.hba1c_at) if row.hba1c is not None else None,
        phq9=(row.phq9, row.phq9_at) if row.phq9 is not None else None,
        has_concern=row.has_concern,
        has_broken_number=row.has_broken_number,
        has_working_number=row.has_working_number,
        has_stopped=row.has_stopped,
    )
