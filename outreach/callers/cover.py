"""Stand-ins: whose calls they make, from when to when.

History is kept: a new arrangement ends covers and begins others, it never rewrites one.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import groupby
from zoneinfo import ZoneInfo

from sqlalchemy import or_, select, true
from sqlalchemy.orm import Session, aliased

from outreach.accounts.models import StaffMember
from outreach.accounts.rules import Scope, in_order_of_names
from outreach.accounts.scoping import visible
from outreach.callers.proposing import Line
from outreach.callers.rules import days_of
from outreach.panels import duty
from outreach.panels.models import Absence, Cover, PanelMembership
from outreach.patients.models import Patient
from outreach.patients.rules import Slot, name_key
from outreach.programmes.models import Enrolment
from outreach.programmes.rules import OPEN_STATUSES


@dataclass(frozen=True)
class CoveredPatient:
    """One patient of an absence. ``stand_in`` None: not covered."""

    ref: str
    name: str
    stand_in: str | None


@dataclass(frozen=True)
class Standing:
    """Whom somebody covers for, on which days (both included, their own), and which patients."""

    for_name: str
    days: tuple[date, date]
    has_begun: bool
    patients: Sequence[tuple[str, str]]


def arrange(
    session: Session,
    absence: Absence,
    lines: Sequence[Line],
    note: str,
    *,
    by_staff_id: int,
    now: datetime,
) -> int:
    """Let those whom ``lines`` name stand in; what holds already stays as it is.

    Where the stand-in stays the same, whoever covers for them in turn does so still. Returns
    how many others were to cover for a stand-in who is none any more. Does not commit.
    """
    kept, ended = of_absence(session, absence.id, now=now), 0
    # Not in the order of names, which the order of the rows would tell.
    for line in sorted(lines, key=lambda each: each.enrolment_id):
        before, begins_at = kept.get(line.enrolment_id), max(now, line.span.from_at)
        is_same = (
            before is not None and before.stand_in_id == line.chosen_id and before.note == note
        )
        if before is not None and is_same and _spans(before, begins_at, line.span, now=now):
            continue
        within = end(session, before, now=now) if before is not None else ()
        if line.chosen_id is not None:
            session.add(
                Cover(
                    clinic_id=line.clinic_id,
                    patient_id=line.patient_id,
                    enrolment_id=line.enrolment_id,
                    absence_id=absence.id,
                    stand_in_id=line.chosen_id,
                    from_at=begins_at,
                    until_at=line.span.until_at,
                    note=note,
                    opened_at=before.opened_at if before is not None and is_same else None,
                    by_staff_id=by_staff_id,
                    created_at=now,
                )
            )
        session.flush()  # the newest counts, so those within come after
        if before is not None and before.stand_in_id == line.chosen_id:
            again = [_again(each, line.span, now=now) for each in within]
            session.add_all(each for each in again if each.from_at < each.until_at)
        else:
            ended += len(within)
    session.flush()
    return ended


def end(session: Session, cover: Cover, *, now: datetime) -> Sequence[Cover]:
    """End a cover, and return those inside it, ended too: of stand-ins covered in turn.

    Does not commit.
    """
    found = session.scalars(
        select(Cover)
        .where(
            Cover.enrolment_id == cover.enrolment_id,
            Cover.id >= cover.id,
            Cover.from_at < cover.until_at,
            Cover.until_at > now,
            Cover.ended_at.is_(None),
        )
        .order_by(Cover.id)
        .with_for_update()
    ).all()
    for each in found:
        each.ended_at = now
    session.flush()
    return [each for each in found if each is not cover]


def made_by(
    session: Session, scope: Scope, stand_in: StaffMember, *, now: datetime
) -> list[Standing]:
    """Return whom somebody covers, now or later, as far as it is in ``scope``; soonest first."""
    rows = session.execute(
        select(
            Patient.ref,
            Patient.given_name,
            Patient.family_name,
            StaffMember.name,
            StaffMember.id,
            Cover.from_at,
            Cover.until_at,
        )
        .select_from(Cover)
        .join(Patient, Patient.id == Cover.patient_id)
        .join(
            PanelMembership,
            (PanelMembership.enrolment_id == Cover.enrolment_id)
            & PanelMembership.until_at.is_(None),
        )
        .join(StaffMember, StaffMember.id == PanelMembership.caller_id)
        .where(
            Cover.stand_in_id == stand_in.id,
            Cover.ended_at.is_(None),
            Cover.until_at > now,
            true()
            if scope.staff_id == stand_in.id
            else visible(scope, Cover.clinic_id, Cover.patient_id),
        )
        .order_by(Cover.id)
    ).all()
    by_name = sorted(rows, key=lambda row: name_key(row.family_name, row.given_name))
    soonest = sorted(
        by_name,
        key=lambda row: (row.from_at, row.until_at, *in_order_of_names(row.name, row.id)),
    )
    grouped = groupby(soonest, key=lambda row: (row.name, row.from_at, row.until_at))
    return [
        Standing(
            name,
            days_of(Slot(from_at, until_at), ZoneInfo(stand_in.zone)),
            from_at <= now,
            [(row.ref, f"{row.given_name} {row.family_name}") for row in group],
        )
        for (name, from_at, until_at), group in grouped
    ]


def of_absence(session: Session, absence_id: int, *, now: datetime) -> dict[int, Cover]:
    """Return the covers of an absence that hold now or will, by enrolment; to be changed."""
    found = session.scalars(
        select(Cover)
        .where(Cover.absence_id == absence_id, Cover.ended_at.is_(None), Cover.until_at > now)
        .order_by(Cover.id)
        .with_for_update()
    )
    return {cover.enrolment_id: cover for cover in found}


def patients_of(session: Session, absence: Absence) -> list[CoveredPatient]:
    """Return whom an absence concerns, by name: the panel, and whom they would have covered."""
    own, stand_in = aliased(Cover), aliased(StaffMember)
    newest = (
        select(own.id)
        .where(
            own.enrolment_id == Enrolment.id,
            own.absence_id == absence.id,
            own.ended_at.is_(None),
        )
        .order_by(own.id.desc())
        .limit(1)
        .correlate(Enrolment)
        .scalar_subquery()
    )
    is_theirs = duty.enrolments_of(absence.staff_id, absence.from_at)
    rows = session.execute(
        select(Patient.ref, Patient.given_name, Patient.family_name, stand_in.name)
        .select_from(PanelMembership)
        .join(Enrolment, Enrolment.id == PanelMembership.enrolment_id)
        .join(Patient, Patient.id == Enrolment.patient_id)
        .outerjoin(Cover, Cover.id == newest)
        .outerjoin(stand_in, stand_in.id == Cover.stand_in_id)
        .where(
            PanelMembership.until_at.is_(None),
            Enrolment.clinic_id == absence.clinic_id,
            Enrolment.status.in_(OPEN_STATUSES),
            or_(PanelMembership.caller_id == absence.staff_id, is_theirs, newest.is_not(None)),
        )
        .order_by(Patient.id)
    ).all()
    by_name = sorted(rows, key=lambda row: name_key(row.family_name, row.given_name))
    return [CoveredPatient(ref, f"{given} {family}", name) for ref, given, family, name in by_name]


def note_of(session: Session, absence_id: int) -> str:
    """Return the note for stand-ins that an absence was last kept with."""
    note = session.scalar(
        select(Cover.note).where(Cover.absence_id == absence_id).order_by(Cover.id.desc()).limit(1)
    )
    return note or ""


def _again(cover: Cover, span: Slot, *, now: datetime) -> Cover:
    """Return a cover as it was, as far as it lies within ``span``."""
    return Cover(
        clinic_id=cover.clinic_id,
        patient_id=cover.patient_id,
        enrolment_id=cover.enrolment_id,
        absence_id=cover.absence_id,
        stand_in_id=cover.stand_in_id,
        from_at=max(now, span.from_at, cover.from_at),
        until_at=min(span.until_at, cover.until_at),
        note=cover.note,
        opened_at=cover.opened_at,
        by_staff_id=cover.by_staff_id,
        created_at=now,
    )


def _spans(cover: Cover, begins_at: datetime, span: Slot, *, now: datetime) -> bool:
    has_begun = cover.from_at <= now and begins_at <= now
    return (has_begun or cover.from_at == begins_at) and cover.until_at == span.until_at
