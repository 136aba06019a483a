"""Who sees that a caller asks for support, and is told of it."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import ColumnElement, or_, select
from sqlalchemy.orm import Session

from outreach.accounts.models import Clinic, Membership, StaffMember
from outreach.accounts.rules import Role, in_order_of_names
from outreach.concerns import readiness
from outreach.pulse.rules import Acts, House, listeners
from outreach.seeing import every_clinic

REASON = "who asks for support may work at several clinics"


@dataclass(frozen=True)
class Listener:
    """Somebody who sees that a caller of ``clinic`` wants to talk, and as what."""

    person: StaffMember
    clinic: Clinic
    acts_as: Acts


def of_askers(
    session: Session, staff_ids: Collection[int], *, now: datetime
) -> Mapping[int, Sequence[Listener]]:
    """Return who sees it if ``staff_ids`` ask for support: by clinic that they call for, by name.

    Who acts at several of their clinics is there once for each. Who calls nowhere has nobody.
    """
    today = now.date()
    with every_clinic(session, REASON):
        rows = session.execute(
            select(Membership.staff_id, Clinic)
            .join(Clinic, Clinic.id == Membership.clinic_id)
            .where(
                Membership.staff_id.in_(staff_ids), Membership.role == Role.CALLER, _holds(today)
            )
            .order_by(Clinic.name, Clinic.id)
        ).all()
        if not rows:
            return {}
        clinics = {clinic.id: clinic for _asker, clinic in rows}
        people, houses, administrators = _staff(session, list(clinics), today)
    found: dict[int, list[Listener]] = {}
    for asker, clinic in rows:
        seen = listeners(asker, houses[clinic.id], administrators)
        named = sorted(
            seen.items(), key=lambda each: in_order_of_names(people[each[0]].name, each[0])
        )
        found.setdefault(asker, []).extend(
            Listener(people[staff_id], clinic, acts_as) for staff_id, acts_as in named
        )
    return found


def _staff(
    session: Session, clinic_ids: Sequence[int], today: date
) -> tuple[dict[int, StaffMember], dict[int, House], frozenset[int]]:
    """Return who could listen, by id; who acts at each clinic; and who administers them all."""
    rows = session.execute(
        select(StaffMember, Membership.clinic_id, Membership.role)
        .join(Membership, Membership.staff_id == StaffMember.id)
        .where(
            StaffMember.is_active.is_(True),
            _holds(today),
            or_(
                Membership.role == Role.ADMINISTRATOR,
                Membership.clinic_id.in_(clinic_ids)
                & Membership.role.in_([Role.MANAGER, Role.NURSE]),
            ),
        )
    ).all()
    houses = {}
    for clinic_id in clinic_ids:
        here = [(person.id, role) for person, at, role in rows if at == clinic_id]
        lead_id = readiness.net_of(session, clinic_id).lead_id
        houses[clinic_id] = House(
            frozenset(staff_id for staff_id, role in here if role is Role.MANAGER),
            lead_id if lead_id in {staff_id for staff_id, _role in here} else None,
        )
    administrators = frozenset(
        person.id for person, _at, role in rows if role is Role.ADMINISTRATOR
    )
    return {person.id: person for person, _at, _role in rows}, houses, administrators


def _holds(today: date) -> ColumnElement[bool]:
    return (Membership.from_on <= today) & or_(
        Membership.until_on.is_(None), Membership.until_on > today
    )
