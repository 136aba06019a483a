"""Who works here: seeing them, and giving and taking roles.

A manager looks after those of their clinics; nobody changes their own roles, and nobody lends a
power that they do not have themselves.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import ColumnElement, exists, func, or_, select, true, update
from sqlalchemy.orm import Session

from outreach.accounts import access_links, passwords, regions, sessions
from outreach.accounts.models import (
    Clinic,
    Membership,
    Region,
    RegionMembership,
    RegionRole,
    SignIn,
    StaffMember,
)
from outreach.accounts.rules import Actor, Role, in_order_of_names, may_appoint, unblinds
from outreach.accounts.sign_in import has_factor
from outreach.among import among
from outreach.audit import trail
from outreach.errors import NotAllowed, NotFound, RuleBroken
from outreach.factors import authenticator, passkeys, recovery
from outreach.orm import Model
from outreach.seeing import every_clinic

MOST_SHOWN = 200


class HasPatients(RuleBroken):
    """A caller with patients hands them over first."""


class Unblinds(RuleBroken):
    """Who measures blinded does nothing else at a clinic."""

    def __init__(self) -> None:
        super().__init__(
            "An assessor measures without knowing who is called: at a clinic they do nothing else."
        )


@dataclass(frozen=True)
class HeldRole:
    """One role that somebody holds; ``clinic`` None: at every clinic.

    ``region``: because of which region they hold it, and with which it ends; None where none.
    """

    id: int
    role: Role
    clinic_id: int | None
    clinic: str | None
    from_on: date
    region: str | None = None


@dataclass(frozen=True)
class Colleague:
    """Somebody who works here, as those who look after them see them."""

    person: StaffMember
    held: tuple[HeldRole, ...]
    has_factor: bool
    is_invited: bool
    seen_at: datetime | None


def colleagues(
    session: Session, actor: Actor, *, search: str, today: date, most: int | None = MOST_SHOWN
) -> list[Colleague]:
    """Return those whom ``actor`` looks after, by name; ``most`` None: all of them."""
    sought = search.strip().casefold()
    rows = session.execute(
        select(StaffMember.id, StaffMember.name, StaffMember.is_active, *_email_if(sought))
        .where(_is_seen(actor))
        .order_by(StaffMember.id)
    )
    # Names and addresses are encrypted: they are searched and sorted here.
    found = [row for row in rows if any(sought in each.casefold() for each in (row[1], *row[3:]))]
    found.sort(key=lambda row: (not row.is_active, *in_order_of_names(row.name, row.id)))
    return _colleagues(session, [row.id for row in found[:most]], today=today)


def _email_if(sought: str) -> list[ColumnElement[str]]:
    """Return the address where something is sought: opening it takes as long as the name."""
    return [StaffMember.email.expression] if sought else []


def colleague(session: Session, actor: Actor, staff_id: int, *, today: date) -> Colleague:
    """Return one of those whom ``actor`` looks after, or raise NotFound."""
    ids = session.scalars(
        select(StaffMember.id).where(StaffMember.id == staff_id, _is_seen(actor))
    ).all()
    found = _colleagues(session, ids, today=today)
    if not found:
        raise NotFound("No such person.")
    return found[0]


def may_look_after(actor: Actor, other: Colleague) -> bool:
    """Say whether ``actor`` may hand links to ``other``, end their sessions and change roles.

    Only where they could have given every role that the other holds; never themselves.
    """
    if actor.staff_id == other.person.id:
        return False
    return all(may_appoint(actor, held.role, held.clinic_id) for held in other.held)


def choices(session: Session, actor: Actor) -> list[tuple[Role, Clinic | None]]:
    """Return the roles that ``actor`` may give, each with its clinic, None for everywhere."""
    clinics = session.scalars(select(Clinic).order_by(Clinic.name, Clinic.id)).all()
    at_clinics: list[tuple[Role, Clinic | None]] = [
        (role, clinic) for clinic in clinics for role in Role if role is not Role.ADMINISTRATOR
    ]
    everywhere: list[tuple[Role, Clinic | None]] = [
        (Role.ADMINISTRATOR, None),
        (Role.AUDITOR, None),
    ]
    return [
        (role, clinic)
        for role, clinic in [*at_clinics, *everywhere]
        if may_appoint(actor, role, clinic.id if clinic else None)
    ]


def give(
    session: Session,
    actor: Actor,
    other: Colleague,
    role: Role,
    clinic: Clinic | None,
    *,
    now: datetime,
) -> None:
    """Give somebody one more role from today on; their sessions end. Does not commit.

    Raises:
        Unblinds: as an assessor they would learn who is called.
    """
    _allow(actor, other)
    clinic_id = clinic.id if clinic else None
    if not may_appoint(actor, role, clinic_id):
        raise NotAllowed("You can't give this role.")
    if (role, clinic_id) in {(held.role, held.clinic_id) for held in other.held}:
        raise RuleBroken("They have this role already.")
    # A region may get another clinic any day.
    if unblinds(
        role,
        clinic_id,
        [(each.role, None if each.region else each.clinic_id) for each in other.held],
    ):
        raise Unblinds
    session.add(
        Membership(staff_id=other.person.id, clinic_id=clinic_id, role=role, from_on=now.date())
    )
    _changed(session, actor, other, f"gave role {role.value}", clinic_id, now=now)


def take(
    session: Session, actor: Actor, other: Colleague, membership_id: int, *, now: datetime
) -> None:
    """Take a role from somebody from now on; their sessions end. Does not commit.

    Raises:
        HasPatients: they are a caller with patients at that clinic.
        NotFound: they hold no such role.
    """
    _allow(actor, other)
    held = next((each for each in other.held if each.id == membership_id), None)
    if held is None:
        raise NotFound("No such role.")
    if held.region is not None:
        raise RuleBroken("They have this role for a region: it ends there, under Regions.")
    if held.role is Role.CALLER and _has_patients(session, other.person.id, held.clinic_id):
        raise HasPatients("Hand over their patients first: Callers, then the person's page.")
    session.execute(update(Membership).where(Membership.id == held.id).values(until_on=now.date()))
    _changed(session, actor, other, f"took role {held.role.value}", held.clinic_id, now=now)
    session.flush()
    regions.follow(session, actor, now=now)  # they may have it for a region as well


def close(session: Session, actor: Actor, other: Colleague, *, now: datetime) -> None:
    """Close somebody's account: sessions and links end at once. Does not commit.

    Raises:
        HasPatients: they are a caller with patients.
    """
    _allow(actor, other)
    if _has_patients(session, other.person.id, None):
        raise HasPatients("Hand over their patients first: Callers, then the person's page.")
    _set_active(session, other, is_active=False)
    access_links.withdraw(session, other.person.id, now=now)
    _changed(session, actor, other, "closed account", None, now=now)


def open_again(session: Session, actor: Actor, other: Colleague, *, now: datetime) -> None:
    """Open a closed account; its owner needs a new link. Does not commit."""
    _allow(actor, other)
    _set_active(session, other, is_active=True)
    session.execute(
        update(StaffMember)
        .where(StaffMember.id == other.person.id)
        .values(password_hash=passwords.NOT_SET)
    )
    _changed(session, actor, other, "opened account again", None, now=now)


def hand_link(session: Session, actor: Actor, other: Colleague, *, now: datetime) -> str:
    """Return the token of a new link for somebody. Does not commit."""
    _allow(actor, other)
    if not other.person.is_active:
        raise RuleBroken("This account is closed.")
    token = access_links.make(session, other.person, by_staff_id=actor.staff_id, now=now)
    _note(session, actor, other, "handed out a link", None, now=now)
    return token


def end_sessions(session: Session, actor: Actor, other: Colleague, *, now: datetime) -> int:
    """Sign somebody out everywhere; return of how many sessions. Does not commit."""
    _allow(actor, other)
    ended = sessions.end_all(session, other.person.id, now=now)
    _note(session, actor, other, "ended sessions of", None, now=now)
    return ended


def end_factors(session: Session, actor: Actor, other: Colleague, *, now: datetime) -> None:
    """End the second factors of somebody who lost them; their sessions end. Does not commit."""
    _allow(actor, other)
    authenticator.end(session, other.person.id, now=now)
    passkeys.remove_all(session, other.person.id, now=now)
    recovery.end(session, other.person.id)
    _changed(session, actor, other, "ended second factors of", None, now=now)


def _allow(actor: Actor, other: Colleague) -> None:
    if not may_look_after(actor, other):
        raise NotAllowed("Only an administrator may change this person.")


def _changed(
    session: Session,
    actor: Actor,
    other: Colleague,
    action: str,
    clinic_id: int | None,
    *,
    now: datetime,
) -> None:
    sessions.end_all(session, other.person.id, now=now)
    _note(session, actor, other, action, clinic_id, now=now)


def _note(
    session: Session,
    actor: Actor,
    other: Colleague,
    action: str,
    clinic_id: int | None,
    *,
    now: datetime,
) -> None:
    trail.record(
        session,
        action,
        actor_id=actor.staff_id,
        now=now,
        clinic_id=clinic_id,
        about=("staff_member", other.person.id),
    )


def _set_active(session: Session, other: Colleague, *, is_active: bool) -> None:
    session.execute(
        update(StaffMember).where(StaffMember.id == other.person.id).values(is_active=is_active)
    )


def _has_patients(session: Session, staff_id: int, clinic_id: int | None) -> bool:
    # The table lies in a package above this one: named, not imported, as a foreign key is.
    panel = Model.metadata.tables["panel_membership"]
    conditions = [panel.c.caller_id == staff_id, panel.c.until_at.is_(None)]
    if clinic_id is not None:
        conditions.append(panel.c.clinic_id == clinic_id)
    with every_clinic(session, "nobody leaves a patient behind, at whichever clinic"):
        return bool(session.scalar(select(exists().where(*conditions))))


def _is_seen(actor: Actor) -> ColumnElement[bool]:
    if Role.ADMINISTRATOR in actor.roles:
        return true()
    clinics = sorted(actor.clinic_ids_as(Role.MANAGER))
    return exists().where(Membership.staff_id == StaffMember.id, Membership.clinic_id.in_(clinics))


def _colleagues(session: Session, ids: Sequence[int], *, today: date) -> list[Colleague]:
    seen = (
        select(func.max(SignIn.seen_at)).where(SignIn.staff_id == StaffMember.id).scalar_subquery()
    )
    rows = session.execute(
        select(StaffMember, has_factor(StaffMember.id), seen).where(among(StaffMember.id, ids))
    )
    people = {row.StaffMember.id: row for row in rows}
    with every_clinic(session, "who may look after somebody depends on all that they hold"):
        memberships = session.execute(
            select(Membership, Clinic.name, Region.name)
            .outerjoin(Clinic, Clinic.id == Membership.clinic_id)
            .outerjoin(RegionMembership, RegionMembership.membership_id == Membership.id)
            .outerjoin(RegionRole, RegionRole.id == RegionMembership.region_role_id)
            .outerjoin(Region, Region.id == RegionRole.region_id)
            .where(
                among(Membership.staff_id, ids),
                or_(Membership.until_on.is_(None), Membership.until_on > today),
            )
            .order_by(Membership.id)
        ).all()
    held: dict[int, list[HeldRole]] = {staff_id: [] for staff_id in ids}
    for membership, clinic, region in memberships:
        held[membership.staff_id].append(
            HeldRole(
                membership.id,
                membership.role,
                membership.clinic_id,
                clinic,
                membership.from_on,
                region,
            )
        )
    return [
        Colleague(
            person,
            tuple(held[person.id]),
            has_factor=factor,
            is_invited=person.password_hash == passwords.NOT_SET,
            seen_at=seen_at,
        )
        for person, factor, seen_at in (people[staff_id] for staff_id in ids)
    ]
