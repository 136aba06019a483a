"""Who is on call, when, and at which number they are told."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select, or_, select, update
from sqlalchemy.orm import Session, joinedload

from outreach.accounts.models import Clinic, Membership, StaffMember
from outreach.accounts.rules import Role, in_order_of_names
from outreach.built_once import built_once
from outreach.concerns.models import OnCall, OnCallWeek
from outreach.concerns.rules import OnCallRank
from outreach.errors import NotFound, RuleBroken

# Nurses answer; a manager may be the lead.
MAY_BE_ON_CALL = (Role.NURSE, Role.MANAGER)


class NoSuchDuty(NotFound):
    """No time on call of this clinic has that number."""


class UnfitForDuty(RuleBroken):
    """Not a nurse or manager of this clinic."""


class Overlaps(RuleBroken):
    """Somebody is on call in that rank for part of that time already."""

    def __init__(self, other: OnCall | OnCallWeek) -> None:
        super().__init__("Somebody is on call then already.")
        self.other = other


@dataclass(frozen=True)
class Duty:
    """Somebody on call in one rank, [from_at, until_at)."""

    staff_id: int
    rank: OnCallRank
    from_at: datetime
    until_at: datetime


def add(session: Session, clinic: Clinic, duty: Duty, *, by_staff_id: int, now: datetime) -> OnCall:
    """Put somebody on call. Does not commit.

    Raises:
        UnfitForDuty: not a nurse or manager of the clinic.
        Overlaps: the rank is taken for part of that time.
    """
    # Two at once wait here for each other, so that the second one sees the first.
    own = select(Clinic.id).where(Clinic.id == clinic.id)
    session.execute(own.with_for_update(key_share=True))
    refuse_unfit(session, clinic.id, duty.staff_id, now=now)
    other = session.scalar(
        select(OnCall)
        .options(joinedload(OnCall.staff))
        .where(
            OnCall.clinic_id == clinic.id,
            OnCall.rank == duty.rank,
            OnCall.from_at < duty.until_at,
            OnCall.until_at > duty.from_at,
        )
        .order_by(OnCall.from_at)
        .limit(1)
    )
    if other is not None:
        raise Overlaps(other)
    row = OnCall(clinic_id=clinic.id, by_staff_id=by_staff_id, **vars(duty))
    session.add(row)
    session.flush()
    return row


def end(session: Session, clinic_id: int, duty_id: int, *, now: datetime) -> None:
    """End a time on call now; one that has not begun goes altogether. Does not commit.

    Raises:
        NoSuchDuty: it is another clinic's, or over.
    """
    row = session.scalar(
        select(OnCall)
        .where(OnCall.id == duty_id, OnCall.clinic_id == clinic_id, OnCall.until_at > now)
        .with_for_update()
    )
    if row is None:
        raise NoSuchDuty("That time on call is over, or was never there.")
    if row.from_at >= now:
        session.delete(row)
    else:
        row.until_at = now
    session.flush()


def coming(session: Session, clinic_id: int, *, now: datetime) -> Sequence[OnCall]:
    """Return who is on call now and later, in order of time."""
    return session.scalars(
        select(OnCall)
        .options(joinedload(OnCall.staff))
        .where(OnCall.clinic_id == clinic_id, OnCall.until_at > now)
        .order_by(OnCall.from_at, OnCall.id)
    ).all()


def people(
    session: Session,
    clinic_id: int,
    *,
    now: datetime,
    roles: Sequence[Role] = MAY_BE_ON_CALL,
) -> Sequence[StaffMember]:
    """Return the nurses and managers of a clinic, or those in other ``roles``, by name."""
    found = session.scalars(*_people(clinic_id, roles, now.date()))
    return sorted(found, key=lambda person: in_order_of_names(person.name, person.id))


@built_once
def _people(clinic_id: Any, roles: Any, today: Any) -> Select[StaffMember]:
    return (
        select(StaffMember)
        .join(Membership)
        .where(
            Membership.clinic_id == clinic_id,
            Membership.role.in_(roles),
            Membership.from_on <= today,
            or_(Membership.until_on.is_(None), Membership.until_on > today),
            StaffMember.is_active.is_(True),
        )
        .distinct()
    )


def refuse_unfit(session: Session, clinic_id: int, staff_id: int, *, now: datetime) -> None:
    """Raise UnfitForDuty unless somebody is a nurse or manager of a clinic."""
    if staff_id not in {person.id for person in people(session, clinic_id, now=now)}:
        raise UnfitForDuty("Only nurses and managers of this clinic can be on call.")


def keep_number(session: Session, staff_id: int, e164: str | None) -> None:
    """Keep the number at which one of the staff is told of concerns. Does not commit."""
    session.execute(update(StaffMember).where(StaffMember.id == staff_id).values(phone=e164))
