"""Filters as conditions in SQL. Each is one predicate on the patient of the query around it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, ScalarSelect, and_, exists, false, func, or_, select
from sqlalchemy.orm import aliased

from outreach.accounts.models import Clinic
from outreach.accounts.rules import Scope
from outreach.accounts.scoping import visible
from outreach.among import among
from outreach.calls.models import LastTalk
from outreach.concerns.models import Concern
from outreach.concerns.rules import ConcernStatus
from outreach.measures.models import LatestReading
from outreach.measures.rules import MeasureKind
from outreach.panels.models import PanelMembership
from outreach.patient_list.rules import NOBODY, Filters, Numbers, Standing, Stratum
from outreach.patients import consent
from outreach.patients.models import ConsentEvent, Patient, PhoneNumber
from outreach.patients.rules import Channel, NumberHealth
from outreach.programmes.models import Enrolment
from outreach.programmes.rules import OPEN_STATUSES, EnrolmentStatus, Protocol
from outreach.searching.directory import Directory
from outreach.searching.matching import matching
from outreach.searching.rules import Asked

Condition = ColumnElement[bool]


@dataclass(frozen=True)
class Frame:
    """What the conditions are asked in: whose view, when, the programmes and names there are.

    ``today`` is the day at each clinic in scope. ``due_ids`` are the patients with something
    to measure, read only where they are asked for.
    """

    scope: Scope
    now: datetime
    clinics: Mapping[int, Clinic]
    today: Mapping[int, date]
    protocols: Mapping[int, Protocol]
    directory: Directory
    due_ids: tuple[int, ...] = ()


@dataclass(frozen=True)
class Search:
    """What was typed, understood; ``has_notes``: it is looked for in notes too."""

    asked: Asked = field(default_factory=Asked)
    has_notes: bool = False


def conditions(frame: Frame, filters: Filters, search: Search) -> list[Condition]:
    """Return the conditions that a patient is on the list, scope first."""
    found: list[Condition] = [visible(frame.scope, Patient.clinic_id, Patient.id)]
    found += matching(search.asked, Patient.id, frame.directory, has_notes=search.has_notes)
    # What is quickly said stands first: readings are asked of those who are left.
    for part in (_who, _programme, _contact, _health):
        found += part(frame, filters)
    return found


def latest_enrolment() -> ScalarSelect[int]:
    """Return the id of a patient's latest enrolment; only the latest one can be open."""
    return (
        select(func.max(Enrolment.id))
        .where(Enrolment.patient_id == Patient.id)
        .correlate(Patient)
        .scalar_subquery()
    )


def latest(column: Any, kind: MeasureKind) -> ScalarSelect[Any]:
    """Return ``column`` of a patient's last reading of ``kind`` that counts."""
    return (
        select(column)
        .where(LatestReading.patient_id == Patient.id, LatestReading.kind == kind)
        .correlate(Patient)
        .scalar_subquery()
    )


def last_reached_at() -> ScalarSelect[datetime]:
    """Return when somebody last talked with a patient."""
    return (
        select(LastTalk.at)
        .where(LastTalk.patient_id == Patient.id)
        .correlate(Patient)
        .scalar_subquery()
    )


def has_open_concern() -> Condition:
    """Return that a concern about the patient is not closed."""
    return exists().where(Concern.patient_id == Patient.id, Concern.status != ConcernStatus.CLOSED)


def has_number(*, is_working: bool) -> Condition:
    """Return that one of the patient's numbers works, or that one doesn't."""
    works = PhoneNumber.health == NumberHealth.WORKING
    return exists().where(PhoneNumber.patient_id == Patient.id, works if is_working else ~works)


def has_stopped_texts() -> Condition:
    """Return that the patient said stop to texts on one of their numbers."""
    newest = consent.newest_of(PhoneNumber, Channel.SMS)
    return exists().where(
        PhoneNumber.patient_id == Patient.id,
        ConsentEvent.patient_id == PhoneNumber.patient_id,
        ConsentEvent.id == newest,
        ConsentEvent.is_given.is_(False),
    )


def _who(frame: Frame, filters: Filters) -> Iterable[Condition]:
    if filters.clinic:
        ids = [each.id for each in frame.clinics.values() if each.code == filters.clinic]
        yield Patient.clinic_id.in_(ids)
    if filters.language:
        yield Patient.language == filters.language
    if filters.caller == NOBODY:
        yield _is_open(Enrolment.status == EnrolmentStatus.ACTIVE, ~_has_caller())
    elif filters.caller:
        caller_id = int(filters.caller)
        yield exists().where(
            PanelMembership.patient_id == Patient.id,
            PanelMembership.caller_id == caller_id,
            PanelMembership.until_at.is_(None),
        )


def _programme(frame: Frame, filters: Filters) -> Iterable[Condition]:
    match filters.standing:
        case None:
            pass
        case Standing.NEVER:
            yield ~exists().where(Enrolment.patient_id == Patient.id)
        case Standing.OPEN:
            yield _is_open()
        case standing:
            yield _is_latest(Enrolment.status == EnrolmentStatus(standing.value))
    if filters.phase:
        yield _is_open(_in_phase(frame, filters.phase))
    first, last = filters.enrolled_from, filters.enrolled_until
    if first or last:
        yield _is_latest(
            *([Enrolment.starts_on >= first] if first else []),
            *([Enrolment.starts_on <= last] if last else []),
        )


def _health(frame: Frame, filters: Filters) -> Iterable[Condition]:
    hba1c, phq9 = MeasureKind.HBA1C, MeasureKind.PHQ9_TOTAL
    if filters.hba1c_over is not None:
        yield _has_latest(hba1c, LatestReading.value > filters.hba1c_over)
    if filters.hba1c_under is not None:
        yield _has_latest(hba1c, LatestReading.value < filters.hba1c_under)
    if filters.phq9 is Stratum.UNMEASURED:
        yield ~_has_latest(phq9)
    elif filters.phq9 and filters.phq9.bounds:
        yield _has_latest(phq9, LatestReading.value.between(*filters.phq9.bounds))
    if filters.concern:
        yield has_open_concern()
    if filters.due:
        yield among(Patient.id, frame.due_ids)


def _contact(frame: Frame, filters: Filters) -> Iterable[Condition]:
    if filters.silent_days is not None:
        since = frame.now - timedelta(days=filters.silent_days)
        yield _is_open(Enrolment.enrolled_at <= since)
        yield Patient.id.not_in(select(LastTalk.patient_id).where(LastTalk.at > since))
    if filters.number is Numbers.ONE_BROKEN:
        yield has_number(is_working=False)
    elif filters.number is Numbers.NONE_WORKS:
        yield ~has_number(is_working=True)
    if filters.stopped:
        yield has_stopped_texts()


def _has_latest(kind: MeasureKind, *also: Condition) -> Condition:
    """Return that a patient's last reading of ``kind`` that counts is so; by index."""
    return Patient.id.in_(select(LatestReading.patient_id).where(LatestReading.kind == kind, *also))


def _is_open(*also: Condition) -> Condition:
    return exists().where(
        Enrolment.patient_id == Patient.id, Enrolment.status.in_(OPEN_STATUSES), *also
    )


def _is_latest(*also: Condition) -> Condition:
    later = aliased(Enrolment)
    is_last = ~exists().where(later.patient_id == Enrolment.patient_id, later.id > Enrolment.id)
    return exists().where(Enrolment.patient_id == Patient.id, *also, is_last)


def _has_caller() -> Condition:
    return exists().where(
        PanelMembership.enrolment_id == Enrolment.id, PanelMembership.until_at.is_(None)
    )


def _in_phase(frame: Frame, code: str) -> Condition:
    """Return that an enrolment is in a phase called ``code`` on the day at its clinic."""
    days: dict[date, list[int]] = {}
    for clinic_id, day in frame.today.items():
        days.setdefault(day, []).append(clinic_id)
    weeks = [
        and_(
            Enrolment.version_id == version_id,
            Enrolment.clinic_id.in_(clinic_ids),
            Enrolment.starts_on > day - timedelta(weeks=phase.last_week),
            Enrolment.starts_on <= day - timedelta(weeks=phase.first_week - 1),
        )
        for version_id, protocol in frame.protocols.items()
        for phase in protocol.phases
        if phase.code == code
        for day, clinic_ids in days.items()
    ]
    return or_(*weeks) if weeks else false()
