"""What a manager sees of the callers of a clinic: months that are over, never a person."""

from collections.abc import Collection, Sequence
from datetime import date, timedelta
from typing import Any

from sqlalchemy import Row, exists, or_, select
from sqlalchemy.orm import Session, aliased

from outreach.accounts.models import Membership
from outreach.accounts.rules import Role
from outreach.pulse.models import PulseAnswer
from outreach.pulse.rules import MONTHS_SHOWN, Group, group_of, month_of, months_before
from outreach.seeing import every_clinic

# A month is over for somebody in the last zone of the earth when two days of the next are.
ALL_ZONES = timedelta(days=2)


def of_clinic(
    session: Session, clinic_id: int, today: date, *, least: int, burnout_from: int
) -> Sequence[Group]:
    """Return the months of a clinic that were over before ``today``, the latest first.

    A month that goes on is never told of: with each answer, somebody could see whose it was.
    Nor is one before anybody was asked. Each caller counts at one clinic, the first that they
    call for, so that no two groups tell of the one person in whom they differ; a manager, who
    could take their own answer away, counts at none that they see.
    """
    months = months_before(month_of(today - ALL_ZONES), MONTHS_SHOWN)
    rows = _rows(session, clinic_id, months[-1])
    groups = []
    for month in months:
        held = [each for each in rows if _held_in(month, each.from_on, each.until_on)]
        callers = _callers(held, clinic_id)
        told = {
            each.staff_id: int(each.answer)
            for each in held
            if each.month == month and each.answer is not None and each.staff_id in callers
        }
        groups.append(
            group_of(month, len(callers), told.values(), least=least, burnout_from=burnout_from)
        )
    first = min((each.month for each in rows if each.answer is not None), default=today)
    return [each for each in groups if each.month >= first]


def _callers(held: Collection[Row[*tuple[Any, ...]]], clinic_id: int) -> Collection[int]:
    """Return who counts as a caller of a clinic, of those who held roles in a month."""
    first_clinic: dict[int, int] = {}
    managers = set()
    for each in held:
        if each.role is Role.MANAGER:
            managers.update([each.staff_id] if each.clinic_id == clinic_id else [])
        else:
            known = first_clinic.get(each.staff_id, each.clinic_id)
            first_clinic[each.staff_id] = min(known, each.clinic_id)
    return {who for who, where in first_clinic.items() if where == clinic_id} - managers


def _rows(session: Session, clinic_id: int, from_month: date) -> Sequence[Row[*tuple[Any, ...]]]:
    """Return the roles of who calls for a clinic, each with each of their answers."""
    here = aliased(Membership)
    calls_here = exists().where(
        here.staff_id == Membership.staff_id,
        here.clinic_id == clinic_id,
        here.role == Role.CALLER,
    )
    with every_clinic(session, "an answer is a person's own, whichever clinics they call for"):
        return session.execute(
            select(
                Membership.staff_id,
                Membership.clinic_id,
                Membership.role,
                Membership.from_on,
                Membership.until_on,
                PulseAnswer.month,
                PulseAnswer.answer,
            )
            .outerjoin(PulseAnswer, PulseAnswer.staff_id == Membership.staff_id)
            .where(
                calls_here,
                Membership.clinic_id.is_not(None),
                Membership.role.in_([Role.CALLER, Role.MANAGER]),
                or_(Membership.until_on.is_(None), Membership.until_on > from_month),
            )
        ).all()


def _held_in(month: date, from_on: date, until_on: date | None) -> bool:
    """Say whether a role was held in a month, if only for a day of it."""
    return month_of(from_on) <= month and (until_on is None or until_on > month)
