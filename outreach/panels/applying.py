"""Applying a proposal: all of it in one transaction, once, unless panels have changed."""

import enum
from collections.abc import Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, and_, exists, func, insert, literal, or_, select, update
from sqlalchemy.orm import Session

from outreach.accounts.models import Clinic, Language, StaffMember
from outreach.audit.models import AuditEvent
from outreach.clock import local_day
from outreach.errors import NotFound, RuleBroken, Stale
from outreach.panels import roster
from outreach.panels.models import PanelMembership, Proposal, ProposalLine
from outreach.panels.rules import ChangeReason
from outreach.patients.models import Patient
from outreach.programmes import enrolment as enrolments
from outreach.programmes.models import Enrolment
from outreach.programmes.rules import EnrolmentStatus


class NoProposal(NotFound):
    """No proposal is open at this clinic, or it has no such line."""


class Moved(enum.StrEnum):
    """What is not as it was when a proposal was made, or looked at."""

    PANELS = "panels"
    PEOPLE = "people"
    DAYS = "days"
    LINES = "lines"


class PanelsChanged(Stale):
    """Something a proposal stands on has changed; nothing was written.

    ``changes``, where it is panels: (patient, caller, whether it began), newest first; the
    first few of them.
    """

    def __init__(
        self, moved: Moved = Moved.PANELS, changes: Sequence[tuple[str, str, bool]] = ()
    ) -> None:
        super().__init__("Panels have changed since this was proposed.")
        self.moved = moved
        self.changes = changes


class AboveLimits(RuleBroken):
    """It would put callers above their cap, which somebody must want."""

    def __init__(self, caller_ids: Sequence[int]) -> None:
        super().__init__("This goes above the cap of a panel.")
        self.caller_ids = frozenset(caller_ids)


def apply(
    session: Session,
    proposal_id: int,
    clinic: Clinic,
    *,
    by_staff_id: int,
    above_cap: bool,
    seen: int,
    now: datetime,
) -> int:
    """Give everybody on the proposal their caller; return how many. Does not commit.

    A handful of statements for any number of lines, all or none. A second time does nothing
    and returns 0. ``seen``: :func:`changes_of` the proposal on the page that was looked at.

    Raises:
        NoProposal: it was dropped, or is of another clinic.
        PanelsChanged: somebody changed a panel since it was made, or a line since it was
            looked at; a patient or caller changed so that they don't fit any more; or a
            first day is over.
        AboveLimits: a panel would go above its cap.
    """
    proposal = session.scalar(
        select(Proposal)
        .where(Proposal.id == proposal_id, Proposal.clinic_id == clinic.id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    if proposal is None or proposal.dropped_at is not None:
        raise NoProposal("This proposal is not open any more.")
    if proposal.applied_at is not None:
        return 0
    _lock_enrolments(session, proposal)
    if changes_of(proposal) != seen:
        raise PanelsChanged(Moved.LINES)
    _refuse_stale(session, proposal, now=now)
    _refuse_unfit(session, proposal, now=now)
    _refuse_past(session, proposal, clinic, now=now)
    if not above_cap:
        _refuse_above_cap(session, proposal, now=now)
    count = _assign_all(session, proposal, by_staff_id=by_staff_id, now=now)
    proposal.applied_at = now
    return count


def changes_of(proposal: Proposal) -> int:
    """Return how many times a manager changed a line of a proposal."""
    return int(proposal.facts.get("changes", 0))


def signature(session: Session, clinic_id: int) -> list[int]:
    """Return what changes with every membership of a clinic that begins or ends."""
    row = session.execute(
        select(
            func.coalesce(func.max(PanelMembership.id), 0),
            func.count(PanelMembership.id).filter(PanelMembership.until_at.is_(None)),
        ).where(PanelMembership.clinic_id == clinic_id)
    ).one()
    return [int(each) for each in row]


def _lock_enrolments(session: Session, proposal: Proposal) -> None:
    """Hold the enrolments until the commit, in order, as ``assignment`` does."""
    ids = select(ProposalLine.enrolment_id).where(ProposalLine.proposal_id == proposal.id)
    session.execute(
        select(Enrolment.id)
        .where(Enrolment.id.in_(ids))
        .order_by(Enrolment.id)
        .with_for_update(of=Enrolment)
    )


def _refuse_stale(session: Session, proposal: Proposal, *, now: datetime) -> None:
    if signature(session, proposal.clinic_id) != proposal.facts["panels"]:
        raise PanelsChanged(Moved.PANELS, _changes(session, proposal))
    gone = session.scalar(
        select(func.count(ProposalLine.id))
        .join(Enrolment, Enrolment.id == ProposalLine.enrolment_id)
        .where(
            ProposalLine.proposal_id == proposal.id,
            ProposalLine.caller_id.is_not(None),
            Enrolment.status != EnrolmentStatus.ACTIVE,
        )
    )
    callers = {
        each.caller_id for each in roster.callers(session, proposal.clinic_id, on=now.date())
    }
    wanted = set(
        session.scalars(
            select(ProposalLine.caller_id)
            .where(ProposalLine.proposal_id == proposal.id, ProposalLine.caller_id.is_not(None))
            .distinct()
        )
    )
    if gone or wanted - callers:
        raise PanelsChanged(Moved.PEOPLE)


def _refuse_unfit(session: Session, proposal: Proposal, *, now: datetime) -> None:
    """Refuse where somebody's language, training or absence changed since it was made."""
    pairs = session.execute(
        select(ProposalLine.caller_id, Patient.language)
        .join(Enrolment, Enrolment.id == ProposalLine.enrolment_id)
        .join(Patient, Patient.id == Enrolment.patient_id)
        .where(ProposalLine.proposal_id == proposal.id, ProposalLine.caller_id.is_not(None))
        .distinct()
    ).all()
    ids = sorted({caller_id for caller_id, _language in pairs if caller_id is not None})
    spoken = {
        (row.staff_id, row.language)
        for row in session.execute(
            select(Language.staff_id, Language.language).where(Language.staff_id.in_(ids))
        )
    }
    ready = roster.trained(session, ids, on=now.date()) - roster.away(session, ids, now=now)
    if any(caller_id not in ready or (caller_id, of) not in spoken for caller_id, of in pairs):
        raise PanelsChanged(Moved.PEOPLE)


def _refuse_past(session: Session, proposal: Proposal, clinic: Clinic, *, now: datetime) -> None:
    """Refuse where a first day is over: week 1 would lose its calls."""
    past = session.scalar(
        select(func.count(ProposalLine.id)).where(
            ProposalLine.proposal_id == proposal.id,
            ProposalLine.caller_id.is_not(None),
            ProposalLine.starts_on < local_day(now, ZoneInfo(clinic.zone)),
            ~exists().where(PanelMembership.enrolment_id == ProposalLine.enrolment_id),
        )
    )
    if past:
        raise PanelsChanged(Moved.DAYS)


def _changes(session: Session, proposal: Proposal) -> list[tuple[str, str, bool]]:
    rows = session.execute(
        select(PanelMembership, Patient, StaffMember.name)
        .join(Patient, Patient.id == PanelMembership.patient_id)
        .join(StaffMember, StaffMember.id == PanelMembership.caller_id)
        .where(
            PanelMembership.clinic_id == proposal.clinic_id,
            or_(
                PanelMembership.id > proposal.facts["panels"][0],
                PanelMembership.until_at >= proposal.made_at,
            ),
        )
        .order_by(PanelMembership.id.desc())
        .limit(5)
    ).all()
    return [(row.Patient.full_name, row.name, row.PanelMembership.until_at is None) for row in rows]


def _refuse_above_cap(session: Session, proposal: Proposal, *, now: datetime) -> None:
    more = dict(
        session.execute(
            select(ProposalLine.caller_id, func.count(ProposalLine.id))
            .where(ProposalLine.proposal_id == proposal.id, ProposalLine.caller_id.is_not(None))
            .group_by(ProposalLine.caller_id)
        ).all()
    )
    full = [
        each.caller_id
        for each in roster.callers(session, proposal.clinic_id, on=now.date())
        if each.panel_size + more.get(each.caller_id, 0) > each.cap and each.caller_id in more
    ]
    if full:
        raise AboveLimits(full)


def _assign_all(session: Session, proposal: Proposal, *, by_staff_id: int, now: datetime) -> int:
    mine = and_(ProposalLine.proposal_id == proposal.id, ProposalLine.caller_id.is_not(None))
    had_one = exists().where(PanelMembership.enrolment_id == Enrolment.id)
    first_day = (
        select(ProposalLine.starts_on)
        .where(mine, ProposalLine.enrolment_id == Enrolment.id)
        .scalar_subquery()
    )
    is_new = and_(Enrolment.id.in_(select(ProposalLine.enrolment_id).where(mine)), ~had_one)
    enrolments.move_first_days(session, is_new, first_day, now=now)
    patients = select(Enrolment.patient_id).where(
        Enrolment.id.in_(select(ProposalLine.enrolment_id).where(mine))
    )
    # Of an earlier enrolment too: who called then has no part in this one.
    session.execute(
        update(PanelMembership)
        .where(PanelMembership.patient_id.in_(patients), PanelMembership.until_at.is_(None))
        .values(until_at=now)
        .execution_options(synchronize_session=False)
    )
    begun = session.execute(
        insert(PanelMembership).from_select(
            [
                "clinic_id",
                "patient_id",
                "enrolment_id",
                "caller_id",
                "from_at",
                "reason",
                "note",
                "by_staff_id",
            ],
            select(
                Enrolment.clinic_id,
                Enrolment.patient_id,
                Enrolment.id,
                ProposalLine.caller_id,
                literal(now, PanelMembership.from_at.type),
                literal(ChangeReason.ENROLLED, PanelMembership.reason.type),
                literal("", PanelMembership.note.type),
                literal(by_staff_id),
            )
            .join(ProposalLine, ProposalLine.enrolment_id == Enrolment.id)
            .where(mine),
        )
    )
    _audit_all(session, mine, by_staff_id=by_staff_id, now=now)
    session.expire_all()
    return int(begun.rowcount)  # type: ignore[attr-defined]


def _audit_all(
    session: Session, mine: ColumnElement[bool], *, by_staff_id: int, now: datetime
) -> None:
    session.execute(
        insert(AuditEvent).from_select(
            ["at", "actor_id", "clinic_id", "patient_id", "action", "object_kind", "object_id"],
            select(
                literal(now, AuditEvent.at.type),
                literal(by_staff_id),
                Enrolment.clinic_id,
                Enrolment.patient_id,
                literal("assigned caller"),
                literal("enrolment"),
                Enrolment.id,
            )
            .join(ProposalLine, ProposalLine.enrolment_id == Enrolment.id)
            .where(mine),
        )
    )
