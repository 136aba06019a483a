"""Regions: clinics under one name, and who manages or reads the audit trail of all of them.

A role for a region is a role at each of its clinics (:func:`follow` keeps them so), so that
nothing else needs to know of regions to decide who may see what.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import delete, exists, func, or_, select, update
from sqlalchemy.orm import Session

from outreach import orm
from outreach.accounts import sessions, sign_in
from outreach.accounts.models import (
    Clinic,
    Membership,
    Region,
    RegionClinic,
    RegionMembership,
    RegionRole,
    StaffMember,
)
from outreach.accounts.rules import FOR_REGIONS, Actor, Role, in_order_of_names
from outreach.audit import trail
from outreach.errors import NotAllowed, NotFound, RuleBroken
from outreach.seeing import every_clinic
from outreach.sent_again import one_at_a_time

# Who, at which clinic, as what.
Key = tuple[int, int, Role]


class NoSuchRegion(NotFound):
    """No region has this number, or nobody holds that role for it."""


class NameTaken(RuleBroken):
    """Another region is called so."""


@dataclass(frozen=True)
class Holder:
    """Somebody with a role for a region."""

    role_id: int
    staff_id: int
    name: str
    role: Role
    from_on: date


@dataclass(frozen=True)
class Held:
    """A role at one clinic; ``region_role_id`` says by which role for a region, if by one."""

    id: int
    staff_id: int
    clinic_id: int
    role: Role
    region_role_id: int | None


@dataclass(frozen=True)
class Picture:
    """A region with its clinics and those who answer for it."""

    region: Region
    clinics: Sequence[Clinic]
    holders: Sequence[Holder]


def pictures(session: Session) -> list[Picture]:
    """Return every region, by name."""
    regions = session.scalars(select(Region).order_by(Region.name, Region.id)).all()
    clinics = _clinics(session)
    holders = _holders(session)
    return [Picture(each, clinics.get(each.id, []), holders.get(each.id, [])) for each in regions]


def picture(session: Session, region_id: int) -> Picture:
    """Return one region, or raise NoSuchRegion."""
    for each in pictures(session):
        if each.region.id == region_id:
            return each
    raise NoSuchRegion("There is no such region.")


def region_of(session: Session, clinic_ids: Collection[int]) -> Mapping[int, Region]:
    """Return the region of each clinic that is in one."""
    rows = session.execute(
        select(RegionClinic.clinic_id, Region)
        .join(Region, Region.id == RegionClinic.region_id)
        .where(RegionClinic.clinic_id.in_(sorted(clinic_ids)))
        .order_by(RegionClinic.clinic_id)
    )
    return {row.clinic_id: row.Region for row in rows}


def make(session: Session, actor: Actor, name: str, *, now: datetime) -> Region:
    """Make a region without clinics. Does not commit.

    Raises:
        NameTaken
    """
    _allow(actor)
    if not orm.insert_new(session, Region, [{"name": name.strip()}]):
        raise NameTaken("Another region is called so.")
    region = session.scalars(select(Region).where(Region.name == name.strip())).one()
    _note(session, actor, "made a region", region.id, now=now)
    return region


def set_clinics(
    session: Session, actor: Actor, region: Region, clinic_ids: Collection[int], *, now: datetime
) -> None:
    """Let a region be of exactly these clinics; each leaves the one it was in. Does not commit.

    Whoever thereby gets or loses a role signs in anew.
    """
    _allow(actor)
    one_at_a_time(session, "regions")
    wanted = set(clinic_ids)
    before = set(
        session.scalars(select(RegionClinic.clinic_id).where(RegionClinic.region_id == region.id))
    )
    moved = wanted ^ before
    if not moved:
        return
    left = sorted((before - wanted) | wanted)
    session.execute(delete(RegionClinic).where(RegionClinic.clinic_id.in_(left)))
    session.add_all(RegionClinic(clinic_id=each, region_id=region.id) for each in sorted(wanted))
    session.flush()
    for clinic_id in sorted(moved):
        action = "put a clinic into a region" if clinic_id in wanted else "took a clinic out"
        _note(session, actor, action, region.id, now=now, clinic_id=clinic_id)
    follow(session, actor, now=now)


def give(
    session: Session, actor: Actor, region: Region, email: str, role: Role, *, now: datetime
) -> None:
    """Give somebody a role for a region from today on; they sign in anew. Does not commit.

    Raises:
        NotFound: nobody with an open account has the address.
        RuleBroken: they have it already, measure blinded, or it is the person who asks.
    """
    _allow(actor)
    if role not in FOR_REGIONS:
        raise RuleBroken("Regions have managers and auditors.")
    person = sign_in.find(session, email)
    if person is None:
        raise NotFound("Nobody with an open account has this address.")
    if person.id == actor.staff_id:
        raise RuleBroken("Somebody else changes your roles.")
    if _measures_blinded(session, person.id, now.date()):
        raise RuleBroken("An assessor measures without knowing who is called.")
    row = {"region_id": region.id, "staff_id": person.id, "role": role, "from_on": now.date()}
    if not orm.insert_new(session, RegionRole, [row]):
        raise RuleBroken("They have this role already.")
    _note(session, actor, f"gave role {role.value} for", region.id, now=now)
    follow(session, actor, now=now)


def _measures_blinded(session: Session, staff_id: int, today: date) -> bool:
    assesses = exists().where(
        Membership.staff_id == staff_id,
        Membership.role == Role.ASSESSOR,
        or_(Membership.until_on.is_(None), Membership.until_on > today),
    )
    with every_clinic(session, "nobody learns who is called whom they measure, at any clinic"):
        return bool(session.scalar(select(assesses)))


def end(session: Session, actor: Actor, region: Region, role_id: int, *, now: datetime) -> None:
    """End somebody's role for a region; they sign in anew. Does not commit.

    Raises:
        NoSuchRegion: nobody holds it.
        RuleBroken: it is the person who asks.
    """
    _allow(actor)
    held = session.scalar(
        select(RegionRole).where(
            RegionRole.id == role_id,
            RegionRole.region_id == region.id,
            RegionRole.until_on.is_(None),
        )
    )
    if held is None:
        raise NoSuchRegion("There is no such role.")
    if held.staff_id == actor.staff_id:
        raise RuleBroken("Somebody else changes your roles.")
    held.until_on = now.date()
    session.flush()
    _note(session, actor, f"took role {held.role.value} for", region.id, now=now)
    follow(session, actor, now=now)


def follow(session: Session, actor: Actor, *, now: datetime) -> None:
    """Let the roles at clinics be what regions and those who answer for them say.

    Sessions of whom it changes end. Done again it changes nothing. Does not commit.
    """
    one_at_a_time(session, "regions")
    with every_clinic(session, "who changes one role may not see all clinics of a region"):
        changed = _followed(session, actor, now=now)
        for staff_id in changed:
            sessions.end_all(session, staff_id, now=now)


def _followed(session: Session, actor: Actor, *, now: datetime) -> list[int]:
    """Write the roles at clinics, and the trail; return of whom they changed."""
    wanted = _wanted(session)
    held = _held(session, now=now)
    over = [row for key, row in held.items() if row.region_role_id and key not in wanted]
    session.execute(
        update(Membership)
        .where(Membership.id.in_([row.id for row in over]))
        .values(until_on=now.date())
    )
    for key, row in held.items():  # a clinic may have gone from one region of theirs to another
        if row.region_role_id and wanted.get(key, row.region_role_id) != row.region_role_id:
            session.execute(
                update(RegionMembership)
                .where(RegionMembership.membership_id == row.id)
                .values(region_role_id=wanted[key])
            )
    new = [key for key in wanted if key not in held]
    for key in new:
        _begin(session, key, wanted[key], now=now)
    changes = [("gave role", *key) for key in new]
    changes += [("took role", row.staff_id, row.clinic_id, row.role) for row in over]
    for words, staff_id, clinic_id, role in changes:
        trail.record(
            session,
            f"{words} {role.value} by region",
            actor_id=actor.staff_id,
            now=now,
            clinic_id=clinic_id,
            about=("staff_member", staff_id),
        )
    return sorted({staff_id for _words, staff_id, *_rest in changes})


def _begin(session: Session, key: Key, region_role_id: int, *, now: datetime) -> None:
    staff_id, clinic_id, role = key
    membership = Membership(staff_id=staff_id, clinic_id=clinic_id, role=role, from_on=now.date())
    session.add(membership)
    session.flush()
    session.add(RegionMembership(membership_id=membership.id, region_role_id=region_role_id))


def _wanted(session: Session) -> dict[Key, int]:
    """Return the roles at clinics that regions bring, each with the role for the region."""
    rows = session.execute(
        select(RegionRole.staff_id, RegionClinic.clinic_id, RegionRole.role, RegionRole.id)
        .join(RegionClinic, RegionClinic.region_id == RegionRole.region_id)
        .where(RegionRole.until_on.is_(None))
        .order_by(RegionRole.id.desc())
    )
    return {(staff_id, clinic_id, role): role_id for staff_id, clinic_id, role, role_id in rows}


def _held(session: Session, *, now: datetime) -> dict[Key, Held]:
    """Return the roles that are held at clinics, of the kinds that regions bring."""
    is_open = or_(Membership.until_on.is_(None), Membership.until_on > now.date())
    rows = session.execute(
        select(
            Membership.id,
            Membership.staff_id,
            func.coalesce(Membership.clinic_id, 0),
            Membership.role,
            RegionMembership.region_role_id,
        )
        .outerjoin(RegionMembership, RegionMembership.membership_id == Membership.id)
        .where(is_open, Membership.role.in_(FOR_REGIONS), Membership.clinic_id.is_not(None))
    )
    found = [Held(*row) for row in rows]
    return {(each.staff_id, each.clinic_id, each.role): each for each in found}


def _allow(actor: Actor) -> None:
    if Role.ADMINISTRATOR not in actor.roles:
        raise NotAllowed("Only administrators change regions.")


def _note(
    session: Session,
    actor: Actor,
    action: str,
    region_id: int,
    *,
    now: datetime,
    clinic_id: int | None = None,
) -> None:
    trail.record(
        session,
        action,
        actor_id=actor.staff_id,
        now=now,
        clinic_id=clinic_id,
        about=("region", region_id),
    )


def _clinics(session: Session) -> dict[int, list[Clinic]]:
    found: dict[int, list[Clinic]] = {}
    rows = session.execute(
        select(RegionClinic.region_id, Clinic)
        .join(Clinic, Clinic.id == RegionClinic.clinic_id)
        .order_by(Clinic.name, Clinic.id)
    )
    for region_id, clinic in rows:
        found.setdefault(region_id, []).append(clinic)
    return found


def _holders(session: Session) -> dict[int, list[Holder]]:
    found: dict[int, list[Holder]] = {}
    rows = session.execute(
        select(RegionRole, StaffMember.name)
        .join(StaffMember, StaffMember.id == RegionRole.staff_id)
        .where(RegionRole.until_on.is_(None))
    )
    for held, name in sorted(rows, key=lambda row: in_order_of_names(row.name, row.RegionRole.id)):
        found.setdefault(held.region_id, []).append(
            Holder(held.id, held.staff_id, name, held.role, held.from_on)
        )
    return found
