"""Giving patients their dedicated caller, and changing who that is. History is kept."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy import Row, select, true, update
from sqlalchemy.orm import Session

from outreach.audit import trail
from outreach.clock import local_day
from outreach.errors import NotFound, RuleBroken, Stale
from outreach.panels import duty, roster
from outreach.panels.models import CallerProfile, PanelMembership
from outreach.panels.rules import ChangeReason
from outreach.patients.models import Patient
from outreach.programmes.enrolment import move_first_day
from outreach.programmes.models import Enrolment
from outreach.programmes.rules import OPEN_STATUSES


class NoSuchEnrolment(NotFound):
    """An enrolment that is not of this clinic, or of none."""


class AlreadyAssigned(Stale):
    """Somebody else gave these patients a caller meanwhile; nothing was changed."""

    def __init__(self, enrolment_ids: Sequence[int]) -> None:
        super().__init__("Somebody else chose a caller meanwhile. Nothing was changed.")
        self.enrolment_ids = frozenset(enrolment_ids)


class UnfitCaller(RuleBroken):
    """Not a caller at the patient's clinic, or without the patient's language."""

    def __init__(self, enrolment_ids: Sequence[int]) -> None:
        super().__init__("This caller does not work there or does not speak the language.")
        self.enrolment_ids = frozenset(enrolment_ids)


class PanelFull(RuleBroken):
    """It would put callers above their cap, which somebody must want."""

    def __init__(self, caller_ids: Sequence[int]) -> None:
        super().__init__("This goes above the cap of a panel.")
        self.caller_ids = frozenset(caller_ids)


@dataclass(frozen=True)
class Handover:
    """A new caller, why, and what they should know. ``from_id``: the membership that ends."""

    from_id: int | None
    caller_id: int
    reason: ChangeReason
    note: str


def assign(
    session: Session,
    caller_of: Mapping[int, int],
    *,
    by_staff_id: int | None,
    now: datetime,
    clinic_id: int | None = None,
    above_cap: bool = False,
) -> int:
    """Give each enrolment its caller, all or none; return how many. Does not commit.

    ``caller_of`` maps enrolment id to caller id. All must be of the clinic ``clinic_id``;
    None is for scripts, which may mean several. ``above_cap`` lets panels outgrow their cap.

    Raises:
        NoSuchEnrolment: one of them is not active, or not of the clinic.
        AlreadyAssigned: one of them has a caller by now.
        UnfitCaller: a caller doesn't share the language or has no role at the clinic.
        PanelFull: a panel would go above its cap.

    """
    enrolments = _lock(session, sorted(caller_of), clinic_id)
    taken = _assigned(session, sorted(caller_of))
    if taken:
        raise AlreadyAssigned(taken)
    _refuse_unfit(session, enrolments, caller_of, above_cap=above_cap, now=now)
    _begin_late_starters_today(session, enrolments, now=now)
    for row in enrolments:
        handover = Handover(None, caller_of[row.Enrolment.id], ChangeReason.ENROLLED, "")
        _begin(session, row.Enrolment, handover, by_staff_id=by_staff_id, now=now)
    return len(enrolments)


def current_membership(session: Session, enrolment_id: int) -> PanelMembership | None:
    """Return who calls an enrolment now, if anybody."""
    return session.scalar(
        select(PanelMembership).where(
            PanelMembership.enrolment_id == enrolment_id, PanelMembership.until_at.is_(None)
        )
    )


def change_caller(
    session: Session,
    enrolment_id: int,
    handover: Handover,
    *,
    by_staff_id: int,
    now: datetime,
    above_cap: bool = False,
) -> None:
    """End one membership and begin another, with a note for the new caller. Does not commit.

    Raises:
        NoSuchEnrolment: it is not active.
        AlreadyAssigned: somebody else changed the caller meanwhile.
        UnfitCaller: the new one doesn't share the language or has no role at the clinic.
        PanelFull: the new panel would go above its cap.

    """
    enrolments = _lock(session, [enrolment_id], None)
    current = current_membership(session, enrolment_id)
    if (current.id if current else None) != handover.from_id:
        raise AlreadyAssigned([enrolment_id])
    if current and current.caller_id == handover.caller_id:
        raise UnfitCaller([enrolment_id])
    wanted = {enrolment_id: handover.caller_id}
    _refuse_unfit(session, enrolments, wanted, above_cap=above_cap, now=now)
    if current is None:
        _begin_late_starters_today(session, enrolments, now=now)
    _begin(session, enrolments[0].Enrolment, handover, by_staff_id=by_staff_id, now=now)
    session.execute(
        update(CallerProfile)
        .where(CallerProfile.staff_id == handover.caller_id)
        .values(days_changed_at=now)  # the call to come may stand on a day that they don't work
    )


def _lock(
    session: Session, enrolment_ids: Sequence[int], clinic_id: int | None
) -> Sequence[Row[Enrolment, str, str]]:
    """Return the enrolments with their patients' language and zone, held until the commit.

    In order of id, so that two who assign the same patients wait instead of blocking each
    other; the second then sees what the first one did.
    """
    is_here = Enrolment.clinic_id == clinic_id if clinic_id is not None else true()
    rows = session.execute(
        select(Enrolment, Patient.language, Patient.zone)
        .join(Patient, Patient.id == Enrolment.patient_id)
        .where(Enrolment.id.in_(enrolment_ids), Enrolment.status.in_(OPEN_STATUSES), is_here)
        .order_by(Enrolment.id)
        .with_for_update(of=Enrolment)
    ).all()
    if len(rows) != len(enrolment_ids):
        raise NoSuchEnrolment("One of these patients is not in the programme here.")
    return rows


def _assigned(session: Session, enrolment_ids: Sequence[int]) -> Sequence[int]:
    return session.scalars(
        select(PanelMembership.enrolment_id)
        .where(PanelMembership.enrolment_id.in_(enrolment_ids), PanelMembership.until_at.is_(None))
        .order_by(PanelMembership.enrolment_id)
    ).all()


def _refuse_unfit(
    session: Session,
    enrolments: Sequence[Row[Enrolment, str, str]],
    caller_of: Mapping[int, int],
    *,
    above_cap: bool,
    now: datetime,
) -> None:
    clinics = {row.Enrolment.clinic_id for row in enrolments}
    known = {
        (clinic_id, caller.caller_id): caller
        for clinic_id in sorted(clinics)
        for caller in roster.callers(session, clinic_id, on=now.date())
    }
    wanted = {
        row.Enrolment.id: (row.Enrolment.clinic_id, caller_of[row.Enrolment.id])
        for row in enrolments
    }
    unfit = [
        row.Enrolment.id
        for row in enrolments
        if wanted[row.Enrolment.id] not in known
        or row.language not in known[wanted[row.Enrolment.id]].languages
    ]
    if unfit:
        raise UnfitCaller(unfit)
    more = Counter(caller_of[enrolment_id] for enrolment_id in wanted)
    chosen = {caller.caller_id: caller for caller in known.values()}
    full = [each for each in more if chosen[each].panel_size + more[each] > chosen[each].cap]
    if full and not above_cap:
        raise PanelFull(full)


def _begin_late_starters_today(
    session: Session, rows: Sequence[Row[Enrolment, str, str]], *, now: datetime
) -> None:
    """Move week 1 up to today for those who waited past it.

    Nobody is called without a caller, so whoever never had one has not begun.
    """
    ids = [row.Enrolment.id for row in rows]
    had_one = set(
        session.scalars(
            select(PanelMembership.enrolment_id).where(PanelMembership.enrolment_id.in_(ids))
        )
    )
    for row in rows:
        today = local_day(now, ZoneInfo(row.zone))
        if row.Enrolment.id not in had_one and row.Enrolment.starts_on < today:
            move_first_day(session, row.Enrolment, today, now=now)


def _begin(
    session: Session,
    enrolment: Enrolment,
    handover: Handover,
    *,
    by_staff_id: int | None,
    now: datetime,
) -> None:
    """Begin a membership, and end every other one of the patient.

    Of an earlier enrolment too: who called then has no part in this one. Who covered for
    the caller before covers no more.
    """
    duty.end_covers(session, [enrolment.id], now=now)
    session.execute(
        update(PanelMembership)
        .where(
            PanelMembership.patient_id == enrolment.patient_id,
            PanelMembership.until_at.is_(None),
        )
        .values(until_at=now)
    )
    session.add(
        PanelMembership(
            clinic_id=enrolment.clinic_id,
            patient_id=enrolment.patient_id,
            enrolment_id=enrolment.id,
            caller_id=handover.caller_id,
            from_at=now,
            reason=handover.reason,
            note=handover.note,
            by_staff_id=by_staff_id,
        )
    )
    session.flush()
    trail.record(
        session,
        "assigned caller",
        actor_id=by_staff_id,
        now=now,
        clinic_id=enrolment.clinic_id,
        patient_id=enrolment.patient_id,
        about=("enrolment", enrolment.id),
    )
