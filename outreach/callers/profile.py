"""Callers: who they are, when they work, and whom they call."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from zoneinfo import ZoneInfo

from sqlalchemy import delete, exists, func, select
from sqlalchemy.orm import Session

from outreach.accounts import staff
from outreach.accounts.models import Clinic, Language, Membership, StaffMember
from outreach.accounts.rules import Actor, Role, Scope
from outreach.accounts.scoping import visible, visible_clinics
from outreach.audit import trail
from outreach.callers.rules import Stretch
from outreach.clock import local_day
from outreach.errors import NotFound
from outreach.panels import duty
from outreach.panels.models import CallerProfile, Cover, PanelMembership, Shift
from outreach.panels.rules import DEFAULT_PANEL_CAP, DEFAULT_WEEKLY_MINUTES
from outreach.patients import finding
from outreach.patients.models import Patient
from outreach.patients.rules import Sex
from outreach.planning.models import PlannedCall
from outreach.programmes.models import Enrolment
from outreach.programmes.rules import OPEN_STATUSES, EnrolmentStatus
from outreach.seeing import every_clinic

DAYS_A_WEEK = 7


class NoSuchCaller(NotFound):
    """Nobody in the actor's scope with that number is, or was, a caller."""


@dataclass(frozen=True)
class Profile:
    """What managers keep of a caller. ``shifts``: weekday (0 Monday) to hours of that day."""

    languages: frozenset[str]
    panel_cap: int = DEFAULT_PANEL_CAP
    weekly_minutes: int = DEFAULT_WEEKLY_MINUTES
    gender: Sex | None = None
    trained_on: date | None = None
    shifts: Mapping[int, tuple[Stretch, ...]] = field(default_factory=dict)

    @property
    def shift_minutes(self) -> int:
        """Minutes of all shifts of a week."""
        return sum(each.minutes for stretches in self.shifts.values() for each in stretches)


@dataclass(frozen=True)
class Caller:
    """A caller as seen by somebody. ``clinics``: those of the viewer at which they call now."""

    person: StaffMember
    clinics: Sequence[Clinic]
    profile: Profile
    may_change: bool

    @property
    def zone(self) -> ZoneInfo:
        """Where they are."""
        return ZoneInfo(self.person.zone)

    def clinic(self, code: str | None) -> Clinic:
        """Return the clinic with ``code``, the first one where none is named."""
        for clinic in self.clinics:
            if code in (None, "", clinic.code):
                return clinic
        raise NoSuchCaller("This caller does not work there.")


@dataclass(frozen=True)
class PanelLine:
    """One patient of a panel. ``on_duty`` is the stand-in who calls until ``covered_until_at``."""

    ref: str
    name: str
    zone: str
    status: EnrolmentStatus
    week: int
    next_from_at: datetime | None
    on_duty: str | None
    covered_until_at: datetime | None


def find(session: Session, actor: Actor, staff_id: int, *, now: datetime) -> Caller:
    """Return a caller to somebody who manages a clinic of theirs, or is that caller.

    Raises:
        NoSuchCaller: to everybody else; a caller who left is still there for managers.

    """
    is_self = staff_id == actor.staff_id
    scope = finding.managing(actor)
    managed = _clinics(session, staff_id, scope, now=now)
    own = _clinics(session, staff_id, None, now=now) if is_self and managed is None else managed
    person = session.get(StaffMember, staff_id)
    if person is None or own is None:
        raise NoSuchCaller("There is no such caller.")
    profile = of(session, [staff_id])[staff_id]
    return Caller(person, own, profile, may_change=managed is not None)


def of(session: Session, staff_ids: Sequence[int]) -> dict[int, Profile]:
    """Return the profiles of ``staff_ids``; the defaults where nothing is kept yet."""
    kept = {
        each.staff_id: each
        for each in session.scalars(
            select(CallerProfile).where(CallerProfile.staff_id.in_(staff_ids))
        )
    }
    spoken = staff.languages_of(session, staff_ids)
    shifts = _shifts(session, staff_ids)
    return {
        each: Profile(
            languages=spoken[each],
            panel_cap=kept[each].panel_cap if each in kept else DEFAULT_PANEL_CAP,
            weekly_minutes=kept[each].weekly_minutes if each in kept else DEFAULT_WEEKLY_MINUTES,
            gender=kept[each].gender if each in kept else None,
            trained_on=kept[each].trained_on if each in kept else None,
            shifts=shifts[each],
        )
        for each in staff_ids
    }


def change(
    session: Session, caller: Caller, profile: Profile, *, by_staff_id: int, now: datetime
) -> None:
    """Keep ``profile`` of a caller in the place of what was kept. Does not commit."""
    staff_id = caller.person.id
    kept = session.get(CallerProfile, staff_id) or CallerProfile(staff_id=staff_id)
    kept.panel_cap, kept.weekly_minutes = profile.panel_cap, profile.weekly_minutes
    kept.gender, kept.trained_on = profile.gender, profile.trained_on
    if _worked(profile.shifts) != _worked(_shifts(session, [staff_id])[staff_id]):
        kept.days_changed_at = now
    session.add(kept)
    for table in (Shift, Language):
        session.execute(delete(table).where(table.staff_id == staff_id))
    session.add_all(Language(staff_id=staff_id, language=code) for code in profile.languages)
    session.add_all(
        Shift(staff_id=staff_id, weekday=weekday, begins=each.begins, ends=each.ends)
        for weekday, stretches in profile.shifts.items()
        for each in stretches
    )
    session.flush()
    trail.record(
        session,
        "changed caller",
        actor_id=by_staff_id,
        now=now,
        clinic_id=caller.clinics[0].id if caller.clinics else None,
        about=("staff_member", staff_id),
    )


def count_unspoken(session: Session, staff_id: int) -> int:
    """Return how many patients of a panel speak a language that their caller does not."""
    spoken = exists().where(
        Language.staff_id == PanelMembership.caller_id, Language.language == Patient.language
    )
    asked = (
        select(func.count(PanelMembership.id))
        .join(Patient, Patient.id == PanelMembership.patient_id)
        .join(Enrolment, Enrolment.id == PanelMembership.enrolment_id)
        .where(
            PanelMembership.caller_id == staff_id,
            PanelMembership.until_at.is_(None),
            Enrolment.status.in_(OPEN_STATUSES),
            ~spoken,
        )
    )
    with every_clinic(session, "a language is taken from patients of every clinic at once"):
        return session.scalar(asked) or 0


def panel(session: Session, scope: Scope, staff_id: int, *, now: datetime) -> list[PanelLine]:
    """Return the patients of a caller that are in ``scope``, by name. One statement."""
    rows = session.execute(
        select(
            Patient,
            Enrolment.status,
            Enrolment.starts_on,
            PlannedCall.dial_from_at,
            Cover.until_at,
            StaffMember.name.label("stand_in"),
        )
        .select_from(PanelMembership)
        .join(Enrolment, Enrolment.id == PanelMembership.enrolment_id)
        .join(Patient, Patient.id == PanelMembership.patient_id)
        .outerjoin(
            PlannedCall,
            (PlannedCall.enrolment_id == Enrolment.id) & (PlannedCall.is_open),
        )
        .outerjoin(Cover, Cover.id == duty.cover_id_now(Enrolment.id, now))
        .outerjoin(StaffMember, StaffMember.id == Cover.stand_in_id)
        .where(
            PanelMembership.caller_id == staff_id,
            PanelMembership.until_at.is_(None),
            Enrolment.status.in_(OPEN_STATUSES),
            visible(scope, Patient.clinic_id, Patient.id),
        )
        .order_by(Patient.id)
    ).all()
    return [
        PanelLine(
            ref=row.Patient.ref,
            name=row.Patient.full_name,
            zone=row.Patient.zone,
            status=row.status,
            week=_week(row.starts_on, now, row.Patient.zone),
            next_from_at=row.dial_from_at,
            on_duty=row.stand_in,
            covered_until_at=row.until_at,
        )
        for row in sorted(rows, key=lambda row: row.Patient.name_key)
    ]


def _clinics(
    session: Session, staff_id: int, scope: Scope | None, *, now: datetime
) -> list[Clinic] | None:
    """Return the clinics of ``scope`` at which somebody calls now; None where they never did."""
    is_seen = visible_clinics(scope, Clinic.id) if scope else Clinic.id.is_not(None)
    rows = session.execute(
        select(Clinic, Membership.until_on)
        .join(Membership, Membership.clinic_id == Clinic.id)
        .where(Membership.staff_id == staff_id, Membership.role == Role.CALLER, is_seen)
        .order_by(Clinic.name, Clinic.id, Membership.id)
    ).all()
    if not rows:
        return None
    today = now.date()
    held = [row.Clinic for row in rows if row.until_on is None or row.until_on > today]
    return list(dict.fromkeys(held))


def _worked(shifts: Mapping[int, Sequence[Stretch]]) -> set[int]:
    """Return the weekdays on which there is something to work."""
    return {weekday for weekday, stretches in shifts.items() if stretches}


def _shifts(
    session: Session, staff_ids: Sequence[int]
) -> dict[int, dict[int, tuple[Stretch, ...]]]:
    found: dict[int, dict[int, list[Stretch]]] = {each: defaultdict(list) for each in staff_ids}
    for shift in session.scalars(
        select(Shift).where(Shift.staff_id.in_(staff_ids)).order_by(Shift.weekday, Shift.begins)
    ):
        found[shift.staff_id][shift.weekday].append(Stretch(shift.begins, shift.ends))
    return {
        staff_id: {day: tuple(stretches) for day, stretches in days.items()}
        for staff_id, days in found.items()
    }


def _week(starts_on: date, now: datetime, zone: str) -> int:
    """Return the week of the programme, from 1; 0 before it begins."""
    return max(0, (local_day(now, ZoneInfo(zone)) - starts_on).days // DAYS_A_WEEK + 1)
