"""Asking for support, and saying that somebody has spoken with who asked."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, delete, exists, select, update
from sqlalchemy.orm import Session, aliased

from outreach.accounts.models import Membership, StaffMember
from outreach.accounts.rules import Role
from outreach.errors import NotFound
from outreach.orm import insert_new
from outreach.pulse.models import SupportRequest
from outreach.seeing import every_clinic

REASON = "who asks for support may work at several clinics"


class NobodyAsks(NotFound):
    """This person asks for no support, or not at a clinic of this manager."""


@dataclass(frozen=True)
class Asks:
    """Somebody who wants to talk."""

    request_id: int
    name: str
    asked_at: datetime


def ask(session: Session, staff_id: int, *, now: datetime) -> None:
    """Let the managers of one's clinics know; asked twice it is once. Does not commit."""
    insert_new(session, SupportRequest, [{"staff_id": staff_id, "asked_at": now}])


def latest(session: Session, staff_id: int) -> SupportRequest | None:
    """Return what one last asked for oneself."""
    return session.scalars(
        select(SupportRequest)
        .where(SupportRequest.staff_id == staff_id)
        .order_by(SupportRequest.id.desc())
        .limit(1)
    ).first()


def somebody_sees(session: Session, staff_id: int) -> bool:
    """Say whether a clinic that somebody calls for has a manager other than themselves."""
    calls, manages = aliased(Membership), aliased(Membership)
    with every_clinic(session, REASON):
        found = session.scalar(
            select(manages.id)
            .join(calls, calls.clinic_id == manages.clinic_id)
            .where(
                calls.staff_id == staff_id,
                calls.role == Role.CALLER,
                calls.until_on.is_(None),
                manages.role == Role.MANAGER,
                manages.until_on.is_(None),
                manages.staff_id != staff_id,
            )
            .limit(1)
        )
    return found is not None


def forget(session: Session, *, before: datetime) -> int:
    """Delete who asked before ``before``, spoken with or gone; return how many requests."""
    gone = delete(SupportRequest).where(SupportRequest.asked_at < before)
    return len(session.scalars(gone.returning(SupportRequest.id)).all())


def of_clinic(session: Session, clinic_id: int) -> Sequence[Asks]:
    """Return the callers of a clinic who want to talk, who asked first first."""
    with every_clinic(session, REASON):
        rows = session.execute(
            select(SupportRequest.id, StaffMember.name, SupportRequest.asked_at)
            .join(StaffMember, StaffMember.id == SupportRequest.staff_id)
            .where(SupportRequest.spoken_at.is_(None), _calls_for({clinic_id}))
            .order_by(SupportRequest.asked_at, SupportRequest.id)
        ).all()
    return [Asks(*row) for row in rows]


def note_spoken(
    session: Session,
    request_id: int,
    clinic_ids: Collection[int],
    *,
    by_staff_id: int,
    now: datetime,
) -> None:
    """Note that a manager of one of ``clinic_ids`` has spoken with who asked. Does not commit.

    Said by two, it was the first. Raises NobodyAsks.
    """
    with every_clinic(session, REASON):
        found = session.scalar(
            select(SupportRequest.id).where(SupportRequest.id == request_id, _calls_for(clinic_ids))
        )
        if found is None:
            raise NobodyAsks("Nobody asks for support here.")
        session.execute(
            update(SupportRequest)
            .where(SupportRequest.id == found, SupportRequest.spoken_at.is_(None))
            .values(spoken_at=now, spoken_by_id=by_staff_id)
        )


def _calls_for(clinic_ids: Collection[int]) -> ColumnElement[bool]:
    return exists().where(
        Membership.staff_id == SupportRequest.staff_id,
        Membership.clinic_id.in_(clinic_ids),
        Membership.role == Role.CALLER,
        Membership.until_on.is_(None),
    )
