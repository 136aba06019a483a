"""A caller leaves: everybody on their panel gets a new caller in one go."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import or_, select, update
from sqlalchemy.orm import Session

from outreach.accounts.models import Clinic, Membership, StaffMember
from outreach.accounts.rules import Role
from outreach.audit import trail
from outreach.callers import cover, proposing
from outreach.callers.absence import PanelMoved
from outreach.callers.proposing import Line, fingerprint
from outreach.panels import assignment
from outreach.panels.assignment import Handover, UnfitCaller
from outreach.panels.models import Absence, Cover
from outreach.panels.rules import ChangeReason
from outreach.programmes.models import Enrolment


@dataclass(frozen=True)
class Leaving:
    """What a manager decided. ``caller_of`` maps enrolment id to the new caller, None: later.

    ``note`` goes to every new caller, ``notes`` (by enrolment id) to one; ``seen`` is the
    :func:`proposing.fingerprint` of the page on which it was decided.
    """

    caller_of: Mapping[int, int | None]
    note: str
    notes: Mapping[int, str]
    seen: str
    above_cap: bool = False

    def note_for(self, enrolment_id: int) -> str:
        """Return all that the new caller of one patient should know."""
        own = self.notes.get(enrolment_id, "")
        return "\n\n".join(part for part in (self.note, own) if part)


@dataclass(frozen=True)
class Left:
    """What came of it: patients handed over, patients who stay, covers that ended early."""

    handed_over: int
    staying: int
    uncovered: int

    @property
    def is_gone(self) -> bool:
        """Whether the caller has nobody left here, so that their role has ended."""
        return self.staying == 0


def leave(
    session: Session,
    clinic: Clinic,
    caller: StaffMember,
    leaving: Leaving,
    *,
    by_staff_id: int,
    now: datetime,
) -> Left:
    """Hand the panel of ``caller`` at a clinic over, all lines or none. Does not commit.

    Their role at the clinic ends when nobody is left on their panel there. Their calls,
    notes and memberships stay as they were.

    Raises:
        PanelMoved: the page it was decided on is out of date.
        UnfitCaller: somebody who was chosen has another language, is not trained, or is away.
        PanelFull: as :func:`panels.assignment.change_caller` says.

    """
    wanted = {each: new for each, new in leaving.caller_of.items() if new is not None}
    session.execute(
        select(Enrolment.id)
        .where(Enrolment.id.in_(sorted(leaving.caller_of)))
        .order_by(Enrolment.id)
        .with_for_update()
    )
    lines = proposing.for_leaving(session, clinic.id, caller, now=now)
    if fingerprint(lines) != leaving.seen:
        raise PanelMoved("The panel changed meanwhile.")
    going = [line for line in lines if line.enrolment_id in wanted]
    unfit = [
        line.enrolment_id for line in going if not line.decided(wanted[line.enrolment_id]).is_fit
    ]
    if unfit:
        raise UnfitCaller(unfit)
    # Not in the order of names, which the order of the rows would tell.
    for line in sorted(going, key=lambda each: each.enrolment_id):
        assignment.change_caller(
            session,
            line.enrolment_id,
            _handover(line, wanted[line.enrolment_id], leaving),
            by_staff_id=by_staff_id,
            now=now,
            above_cap=leaving.above_cap,
        )
    left = Left(len(going), len(lines) - len(going), _end_covers(session, clinic, caller, now=now))
    if left.is_gone:
        _end_role(session, clinic, caller, by_staff_id=by_staff_id, now=now)
    return left


def _handover(line: Line, caller_id: int, leaving: Leaving) -> Handover:
    return Handover(
        line.membership_id,
        caller_id,
        ChangeReason.CALLER_LEFT,
        leaving.note_for(line.enrolment_id),
    )


def _end_covers(session: Session, clinic: Clinic, caller: StaffMember, *, now: datetime) -> int:
    """End what the caller covers here; return for how many it was still to come or going on."""
    made = session.scalars(
        select(Cover)
        .where(
            Cover.stand_in_id == caller.id,
            Cover.clinic_id == clinic.id,
            Cover.ended_at.is_(None),
            Cover.until_at > now,
        )
        .order_by(Cover.id)
        .with_for_update()
    ).all()
    for each in made:
        cover.end(session, each, now=now)
    return len(made)


def _end_role(
    session: Session, clinic: Clinic, caller: StaffMember, *, by_staff_id: int, now: datetime
) -> None:
    """End the role of caller at the clinic, and the absences that were still to come."""
    session.execute(
        update(Membership)
        .where(
            Membership.staff_id == caller.id,
            Membership.clinic_id == clinic.id,
            Membership.role == Role.CALLER,
            or_(Membership.until_on.is_(None), Membership.until_on > now.date()),
        )
        .values(until_on=now.date())
    )
    session.execute(
        update(Absence)
        .where(
            Absence.staff_id == caller.id,
            Absence.clinic_id == clinic.id,
            Absence.ended_at.is_(None),
            Absence.until_at > now,
        )
        .values(ended_at=now)
    )
    trail.record(
        session,
        "caller left",
        actor_id=by_staff_id,
        now=now,
        clinic_id=clinic.id,
        about=("staff_member", caller.id),
    )
