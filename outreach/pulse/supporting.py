"""Asking for support, and saying that somebody has spoken with who asked."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from outreach.accounts.models import StaffMember
from outreach.errors import NotFound
from outreach.messaging import outbox
from outreach.messaging.rules import SkipReason
from outreach.orm import insert_new
from outreach.pulse import alerting, listeners
from outreach.pulse.listeners import REASON, Listener
from outreach.pulse.models import SupportRequest
from outreach.seeing import every_clinic


class NobodyAsks(NotFound):
    """There is no such request, or it is not for this person to hear."""


@dataclass(frozen=True)
class Asks:
    """Somebody who wants to talk. ``clinic``: a clinic that they call for, where one hears it."""

    request_id: int
    name: str
    clinic: str
    asked_at: datetime


def ask(session: Session, staff_id: int, *, now: datetime) -> None:
    """Let whoever is to hear it know; asked twice it is once. Does not commit."""
    insert_new(session, SupportRequest, [{"staff_id": staff_id, "asked_at": now}])


def latest(session: Session, staff_id: int) -> SupportRequest | None:
    """Return what one last asked for oneself."""
    return session.scalars(
        select(SupportRequest)
        .where(SupportRequest.staff_id == staff_id)
        .order_by(SupportRequest.id.desc())
        .limit(1)
    ).first()


def who_sees(session: Session, staff_id: int, *, now: datetime) -> Sequence[Listener]:
    """Return who sees it if somebody asks for support now."""
    return listeners.of_askers(session, [staff_id], now=now).get(staff_id, ())


def forget(session: Session, *, before: datetime) -> int:
    """Delete who asked before ``before``, spoken with or gone; return how many requests."""
    gone = delete(SupportRequest).where(SupportRequest.asked_at < before)
    return len(session.scalars(gone.returning(SupportRequest.id)).all())


def heard_by(session: Session, staff_id: int, *, now: datetime) -> Sequence[Asks]:
    """Return who wants to talk and ``staff_id`` is to hear it, who asked first first."""
    with every_clinic(session, REASON):
        rows = session.execute(
            select(SupportRequest, StaffMember.name)
            .join(StaffMember, StaffMember.id == SupportRequest.staff_id)
            .where(SupportRequest.spoken_at.is_(None))
            .order_by(SupportRequest.asked_at, SupportRequest.id)
        ).all()
    heard = listeners.of_askers(session, [asked.staff_id for asked, _name in rows], now=now)
    found = []
    for asked, name in rows:
        at = [each.clinic for each in heard.get(asked.staff_id, ()) if each.person.id == staff_id]
        found += [Asks(asked.id, name, at[0].name, asked.asked_at)] if at else []
    return found


def note_spoken(session: Session, request_id: int, *, by_staff_id: int, now: datetime) -> None:
    """Note that one who hears it has spoken with who asked. Does not commit.

    Said by two, it was the first. Raises NobodyAsks.
    """
    with every_clinic(session, REASON):
        asker_id = session.scalar(
            select(SupportRequest.staff_id).where(SupportRequest.id == request_id)
        )
    heard = [] if asker_id is None else who_sees(session, asker_id, now=now)
    if by_staff_id not in {each.person.id for each in heard}:
        raise NobodyAsks("Nobody asks for support here.")
    with every_clinic(session, REASON):
        session.execute(
            update(SupportRequest)
            .where(SupportRequest.id == request_id, SupportRequest.spoken_at.is_(None))
            .values(spoken_at=now, spoken_by_id=by_staff_id)
        )
        outbox.cancel(session, alerting.cause_of(request_id), now=now, reason=SkipReason.TAKEN_ON)
