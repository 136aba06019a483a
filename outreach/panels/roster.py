"""Who calls at a clinic, with how large a panel; and who waits for a caller."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import ColumnElement, and_, exists, func, select
from sqlalchemy.orm import Session

from outreach.accounts import staff
from outreach.accounts.models import StaffMember
from outreach.accounts.rules import Scope
from outreach.accounts.scoping import visible
from outreach.panels.models import Absence, CallerProfile, PanelMembership
from outreach.panels.rules import DEFAULT_PANEL_CAP, NEW_PATIENTS_WAIT
from outreach.patients.models import Patient
from outreach.patients.rules import Wishes
from outreach.programmes.models import Enrolment
from outreach.programmes.rules import OPEN_STATUSES, EnrolmentStatus
from outreach.seeing import every_clinic


@dataclass(frozen=True)
class PanelCaller:
    """A caller with their panel. ``panel_size`` counts open enrolments at every clinic."""

    caller_id: int
    name: str
    languages: frozenset[str]
    cap: int
    panel_size: int

    @property
    def is_full(self) -> bool:
        """Whether one more patient goes above the cap."""
        return self.panel_size >= self.cap


@dataclass(frozen=True)
class OnPanel:
    """An open enrolment with its dedicated caller, None where it waits for one."""

    patient: Patient
    status: EnrolmentStatus
    starts_on: date
    caller_name: str | None
    since_at: datetime | None


@dataclass(frozen=True)
class WaitingPatient:
    """An active enrolment without a caller."""

    enrolment_id: int
    ref: str
    name: str
    language: str
    since_at: datetime
    wishes: Wishes


def waiting(session: Session, clinic_id: int, *, limit: int | None = None) -> list[WaitingPatient]:
    """Return the active enrolments of a clinic without a caller, longest waiting first."""
    rows = session.execute(
        select(Enrolment.id, Enrolment.enrolled_at, Patient)
        .join(Patient, Patient.id == Enrolment.patient_id)
        .where(*is_waiting(clinic_id))
        .order_by(Enrolment.enrolled_at, Enrolment.id)
        .limit(limit)
    ).all()
    return [
        WaitingPatient(
            row.id,
            row.Patient.ref,
            row.Patient.full_name,
            row.Patient.language,
            row.enrolled_at,
            row.Patient.wishes,
        )
        for row in rows
    ]


def everybody(session: Session, scope: Scope, clinic_id: int) -> list[OnPanel]:
    """Return every open enrolment of a clinic in ``scope`` with its caller, by patient's name."""
    rows = session.execute(
        select(
            Patient,
            Enrolment.status,
            Enrolment.starts_on,
            StaffMember.name,
            PanelMembership.from_at,
        )
        .join(Patient, Patient.id == Enrolment.patient_id)
        .outerjoin(
            PanelMembership,
            and_(PanelMembership.enrolment_id == Enrolment.id, PanelMembership.until_at.is_(None)),
        )
        .outerjoin(StaffMember, StaffMember.id == PanelMembership.caller_id)
        .where(
            Enrolment.clinic_id == clinic_id,
            Enrolment.status.in_(OPEN_STATUSES),
            visible(scope, Enrolment.clinic_id, Enrolment.patient_id),
        )
        .order_by(Patient.id)
    ).all()
    return [OnPanel(*row) for row in sorted(rows, key=lambda row: row.Patient.name_key)]


def count_waiting(session: Session, clinic_id: int) -> int:
    """Return how many active enrolments of a clinic have no caller."""
    return session.scalar(select(func.count(Enrolment.id)).where(*is_waiting(clinic_id))) or 0


def callers(session: Session, clinic_id: int, *, on: date) -> list[PanelCaller]:
    """Return the callers of a clinic on a day with their panels, by name."""
    people = staff.callers_of(session, clinic_id, on=on)
    ids = [person.id for person in people]
    spoken = staff.languages_of(session, ids)
    caps, sizes = _caps(session, ids), _panel_sizes(session, ids)
    return [
        PanelCaller(
            person.id,
            person.name,
            spoken[person.id],
            caps.get(person.id, DEFAULT_PANEL_CAP),
            sizes.get(person.id, 0),
        )
        for person in people
    ]


def able(session: Session, clinic_id: int, language: str, *, now: datetime) -> list[PanelCaller]:
    """Return who may be given a new patient who speaks ``language``, full panels included.

    They speak it, have finished training, and are here all of the coming week.
    """
    found = [
        each for each in callers(session, clinic_id, on=now.date()) if language in each.languages
    ]
    ids = [each.caller_id for each in found]
    ready = trained(session, ids, on=now.date()) - away(session, ids, now=now)
    return [each for each in found if each.caller_id in ready]


def trained(session: Session, caller_ids: Sequence[int], *, on: date) -> set[int]:
    """Return those of ``caller_ids`` whose training is complete on a day."""
    return set(
        session.scalars(
            select(CallerProfile.staff_id).where(
                CallerProfile.staff_id.in_(caller_ids), CallerProfile.trained_on <= on
            )
        )
    )


def others_than(session: Session, caller_ids: Sequence[int], patient: Patient) -> set[int]:
    """Return those of ``caller_ids`` who are not whom ``patient`` would rather speak with."""
    if patient.wished_caller is None:
        return set()
    wished = session.scalars(
        select(CallerProfile.staff_id).where(
            CallerProfile.staff_id.in_(caller_ids), CallerProfile.gender == patient.wished_caller
        )
    )
    return set(caller_ids) - set(wished)


def away(session: Session, caller_ids: Sequence[int], *, now: datetime) -> set[int]:
    """Return those of ``caller_ids`` who are away now, or at some time of the coming week."""
    asked = select(Absence.staff_id).where(
        Absence.staff_id.in_(caller_ids),
        Absence.from_at < now + NEW_PATIENTS_WAIT,
        Absence.until_at > now,
        Absence.ended_at.is_(None),
    )
    with every_clinic(session, "whoever is away from one clinic is away"):
        return set(session.scalars(asked))


def is_waiting(clinic_id: int) -> tuple[ColumnElement[bool], ...]:
    """Return the conditions that a row of Enrolment waits for a caller at a clinic."""
    return (
        Enrolment.clinic_id == clinic_id,
        Enrolment.status == EnrolmentStatus.ACTIVE,
        ~exists().where(
            PanelMembership.enrolment_id == Enrolment.id, PanelMembership.until_at.is_(None)
        ),
    )


def _caps(session: Session, caller_ids: Sequence[int]) -> dict[int, int]:
    profiles = session.scalars(
        select(CallerProfile)
        .where(CallerProfile.staff_id.in_(caller_ids))
        .order_by(CallerProfile.staff_id)
    )
    return {profile.staff_id: profile.panel_cap for profile in profiles}


def _panel_sizes(session: Session, caller_ids: Sequence[int]) -> dict[int, int]:
    asked = (
        select(PanelMembership.caller_id, func.count(PanelMembership.id).label("size"))
        .join(Enrolment, Enrolment.id == PanelMembership.enrolment_id)
        .where(
            PanelMembership.caller_id.in_(caller_ids),
            PanelMembership.until_at.is_(None),
            Enrolment.status.in_(OPEN_STATUSES),
        )
        .group_by(PanelMembership.caller_id)
        .order_by(PanelMembership.caller_id)
    )
    with every_clinic(session, "a panel may have patients of several clinics, and one cap"):
        rows = session.execute(asked).all()
    return {row.caller_id: row.size for row in rows}
