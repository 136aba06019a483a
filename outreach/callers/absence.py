"""Callers who are away, and who makes their calls until they are back.

Nothing needs to run when a cover ends: who is on duty is asked of the rows at that time.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from sqlalchemy import select, true
from sqlalchemy.orm import Session

from outreach.accounts.models import Clinic, StaffMember
from outreach.accounts.rules import Scope
from outreach.accounts.scoping import visible_clinics
from outreach.audit import trail
from outreach.callers import cover, proposing
from outreach.callers.cover import CoveredPatient
from outreach.callers.proposing import Line, fingerprint
from outreach.callers.rules import days_of, span_of
from outreach.errors import NotFound, RuleBroken, Stale
from outreach.panels.models import Absence
from outreach.patients.rules import Slot
from outreach.programmes.models import Enrolment
from outreach.seeing import every_clinic


class NoSuchAbsence(NotFound):
    """No absence in the actor's scope has that number."""


class AlreadyAway(RuleBroken):
    """The caller is away in some of these days already."""


class AbsenceOver(Stale):
    """The absence has ended, so there is nothing left to change."""


class PanelMoved(Stale):
    """The panel or its stand-ins are not what they were on the page; nothing was changed."""


class UnfitStandIn(RuleBroken):
    """Somebody who can't stand in: another language, untrained, away, or not of the clinic."""

    def __init__(self, enrolment_ids: Sequence[int]) -> None:
        super().__init__("Some of these stand-ins can't take these patients.")
        self.enrolment_ids = frozenset(enrolment_ids)


@dataclass(frozen=True)
class Away:
    """What a manager decided: days (both included, the caller's own), and who stands in.

    ``stand_in_of`` maps enrolment id to staff id, None for nobody; ``seen`` is the
    :func:`proposing.fingerprint` of the page on which it was decided.
    """

    from_on: date
    last_on: date
    reason: str
    note: str
    stand_in_of: Mapping[int, int | None]
    seen: str

    def span(self, caller: StaffMember) -> Slot:
        """Return the instants of these days where ``caller`` is."""
        return span_of(self.from_on, self.last_on, ZoneInfo(caller.zone))


@dataclass(frozen=True)
class AbsencePlan:
    """An absence with everybody whose calls somebody else makes meanwhile."""

    absence: Absence
    days: tuple[date, date]
    patients: Sequence[CoveredPatient]
    is_over: bool

    @property
    def uncovered(self) -> Sequence[CoveredPatient]:
        """Those whom nobody covers."""
        return [each for each in self.patients if each.stand_in is None]

    @property
    def is_cancelled(self) -> bool:
        """Whether it was called off before it began."""
        ended_at = self.absence.ended_at
        return ended_at is not None and ended_at <= self.absence.from_at


def by_id(session: Session, scope: Scope, absence_id: int) -> Absence:
    """Return an absence at a clinic of ``scope``, or raise NoSuchAbsence."""
    absence = session.scalar(
        select(Absence).where(Absence.id == absence_id, visible_clinics(scope, Absence.clinic_id))
    )
    if absence is None:
        raise NoSuchAbsence("There is no such absence.")
    return absence


def enter(
    session: Session,
    clinic: Clinic,
    caller: StaffMember,
    away: Away,
    *,
    by_staff_id: int,
    now: datetime,
) -> Absence:
    """Note that ``caller`` is away, with their stand-ins. Does not commit.

    Raises:
        AlreadyAway: another absence of theirs touches these days.
        PanelMoved: the page it was decided on is out of date.
        UnfitStandIn: somebody who was chosen can't stand in.

    """
    span = away.span(caller)
    _lock(session, caller.id, away.stand_in_of)
    _refuse_overlap(session, clinic.id, caller.id, span, None)
    lines = _lines_as_seen(session, clinic.id, caller, span, away, None, now=now)
    absence = Absence(
        clinic_id=clinic.id,
        staff_id=caller.id,
        from_at=span.from_at,
        until_at=span.until_at,
        reason=away.reason,
        by_staff_id=by_staff_id,
        created_at=now,
    )
    session.add(absence)
    session.flush()
    cover.arrange(session, absence, lines, away.note, by_staff_id=by_staff_id, now=now)
    _note(session, "entered absence", absence, by_staff_id=by_staff_id, now=now)
    return absence


def change(
    session: Session,
    absence: Absence,
    caller: StaffMember,
    away: Away,
    *,
    by_staff_id: int,
    now: datetime,
) -> int:
    """Change the days or the stand-ins of an absence that is not over. Does not commit.

    Returns how many covers ended with it, of those who were to cover for a former stand-in.
    Raises what :func:`enter` raises, and AbsenceOver.
    """
    span = away.span(caller)
    _lock(session, caller.id, away.stand_in_of)
    _refuse_over(session, absence, now=now)
    _refuse_overlap(session, absence.clinic_id, caller.id, span, absence.id)
    lines = _lines_as_seen(session, absence.clinic_id, caller, span, away, absence.id, now=now)
    absence.from_at, absence.until_at = span.from_at, span.until_at
    absence.reason = away.reason
    ended = cover.arrange(session, absence, lines, away.note, by_staff_id=by_staff_id, now=now)
    _note(session, "changed absence", absence, by_staff_id=by_staff_id, now=now)
    return ended


def end(session: Session, absence: Absence, *, by_staff_id: int, now: datetime) -> None:
    """End an absence at once, or call it off: the calls come back. Does not commit.

    Raises:
        AbsenceOver: it has ended before.

    """
    _refuse_over(session, absence, now=now)
    absence.ended_at = now
    for each in cover.of_absence(session, absence.id, now=now).values():
        cover.end(session, each, now=now)
    _note(session, "ended absence", absence, by_staff_id=by_staff_id, now=now)


def plans_of(
    session: Session, scope: Scope, caller: StaffMember, *, now: datetime
) -> list[AbsencePlan]:
    """Return a caller's absences at clinics of ``scope``, the latest first.

    The caller themselves sees them all. Those that are over come without patients.
    """
    found = session.scalars(
        select(Absence)
        .where(
            Absence.staff_id == caller.id,
            true() if scope.staff_id == caller.id else visible_clinics(scope, Absence.clinic_id),
        )
        .order_by(Absence.from_at.desc(), Absence.id.desc())
    ).all()
    zone = ZoneInfo(caller.zone)
    return [
        AbsencePlan(
            each,
            days_of(Slot(each.from_at, each.until_at), zone),
            () if is_over(each, now=now) else cover.patients_of(session, each),
            is_over(each, now=now),
        )
        for each in found
    ]


def is_over(absence: Absence, *, now: datetime) -> bool:
    """Say whether an absence has ended, or was called off."""
    return absence.ended_at is not None or absence.until_at <= now


def away_now_or_next(
    session: Session, staff_ids: Sequence[int], *, now: datetime
) -> dict[int, Absence]:
    """Return the absence of each of ``staff_ids`` that holds or comes next, where there is one."""
    asked = (
        select(Absence)
        .where(Absence.staff_id.in_(staff_ids), Absence.ended_at.is_(None), Absence.until_at > now)
        .order_by(Absence.from_at.desc(), Absence.id.desc())
    )
    with every_clinic(session, "whoever is away from one clinic is away"):
        found = session.scalars(asked).all()
    return {absence.staff_id: absence for absence in found}


def _lock(session: Session, caller_id: int, stand_in_of: Mapping[int, int | None]) -> None:
    """Hold everybody concerned, in order: two absences at once see each other."""
    wanted = {caller_id, *(each for each in stand_in_of.values() if each is not None)}
    session.execute(
        select(StaffMember.id)
        .where(StaffMember.id.in_(sorted(wanted)))
        .order_by(StaffMember.id)
        .with_for_update()
    )
    session.execute(
        select(Enrolment.id)
        .where(Enrolment.id.in_(sorted(stand_in_of)))
        .order_by(Enrolment.id)
        .with_for_update()
    )


def _refuse_over(session: Session, absence: Absence, *, now: datetime) -> None:
    session.refresh(absence, with_for_update=True)
    if is_over(absence, now=now):
        raise AbsenceOver("This absence is over.")


def _refuse_overlap(
    session: Session, clinic_id: int, caller_id: int, span: Slot, absence_id: int | None
) -> None:
    other = session.scalar(
        select(Absence.id)
        .where(
            Absence.clinic_id == clinic_id,
            Absence.staff_id == caller_id,
            Absence.id.is_distinct_from(absence_id),
            Absence.ended_at.is_(None),
            Absence.from_at < span.until_at,
            Absence.until_at > span.from_at,
        )
        .limit(1)
    )
    if other is not None:
        raise AlreadyAway("They are away in some of these days already.")


def _lines_as_seen(
    session: Session,
    clinic_id: int,
    caller: StaffMember,
    span: Slot,
    away: Away,
    absence_id: int | None,
    *,
    now: datetime,
) -> list[Line]:
    """Return the lines as decided; refuse them where the page was out of date or unfit."""
    lines = proposing.for_absence(session, clinic_id, caller, span, absence_id=absence_id, now=now)
    if fingerprint(lines) != away.seen:
        raise PanelMoved("The panel changed meanwhile.")
    decided = [line.decided(away.stand_in_of.get(line.enrolment_id)) for line in lines]
    unfit = [line.enrolment_id for line in decided if not line.is_fit]
    if unfit:
        raise UnfitStandIn(unfit)
    return decided


def _note(
    session: Session, action: str, absence: Absence, *, by_staff_id: int, now: datetime
) -> None:
    trail.record(
        session,
        action,
        actor_id=by_staff_id,
        now=now,
        clinic_id=absence.clinic_id,
        about=("caller_absence", absence.id),
    )
