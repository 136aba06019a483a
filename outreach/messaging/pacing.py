"""Senders whose carrier sends only so much a second: which they are, and their turns."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import ColumnElement, delete, exists, func, select, update
from sqlalchemy.orm import Session

from outreach.accounts.models import Clinic
from outreach.accounts.rules import Scope
from outreach.accounts.scoping import visible_clinics
from outreach.messaging.models import Message, SenderPace
from outreach.messaging.rules import MessageStatus
from outreach.messaging.rules.pace import Given
from outreach.orm import insert_new

_SENDER = func.coalesce(Clinic.sms_sender, "")


class Waiting(NamedTuple):
    """A sender for whose turns texts wait."""

    sender: str
    last_turn_at: datetime | None


class Line(NamedTuple):
    """How many texts wait for the turns of one sender."""

    per_second: int
    texts: int


def per_second_of(session: Session, sender: str | None) -> int | None:
    """Return how many segments a second a sender may send, None: as many as the carrier takes."""
    pace = SenderPace.per_second
    return session.scalar(select(pace).where(SenderPace.sender == (sender or "")))


def choose(
    session: Session,
    clinic: Clinic,
    sender: str | None,
    per_second: int | None,
    *,
    by_staff_id: int,
    now: datetime,
) -> None:
    """Let a clinic send by ``sender`` from now on, at that pace. Does not commit.

    The pace holds for every clinic of that sender; turns that were given stay given.
    """
    clinic.sms_sender = sender
    key = sender or ""
    if per_second is None:
        session.execute(delete(SenderPace).where(SenderPace.sender == key))
        return
    values = {"per_second": per_second, "by_staff_id": by_staff_id, "changed_at": now}
    if not insert_new(session, SenderPace, [{"sender": key, "turns": {}} | values]):
        session.execute(update(SenderPace).where(SenderPace.sender == key).values(**values))


def clinics_in_line(session: Session) -> Sequence[int]:
    """Return the clinics whose texts need a turn: none, where no sender has a pace."""
    return session.scalars(
        select(Clinic.id).join(SenderPace, SenderPace.sender == _SENDER).order_by(Clinic.id)
    ).all()


def has_pace(session: Session, clinic_id: int) -> bool:
    """Say whether a clinic's texts need a turn."""
    query = select(Clinic.id).join(SenderPace, SenderPace.sender == _SENDER)
    return session.scalar(query.where(Clinic.id == clinic_id)) is not None


def clinics_of(session: Session, sender: str) -> Sequence[int]:
    """Return the clinics that send by ``sender``."""
    return session.scalars(select(Clinic.id).where(_SENDER.in_([sender])).order_by(Clinic.id)).all()


def waiting(session: Session, *, now: datetime) -> Sequence[Waiting]:
    """Return the senders for whose turns texts wait."""
    is_due = exists(
        select(Message.id)
        .join(Clinic, Clinic.id == Message.clinic_id)
        .where(SenderPace.sender == _SENDER, *_is_due(now))
        .correlate(SenderPace)
    )
    found = session.execute(
        select(SenderPace.sender, SenderPace.last_turn_at).where(is_due).order_by(SenderPace.sender)
    )
    return [Waiting(*row) for row in found]


def lines(session: Session, scope: Scope, *, now: datetime) -> Sequence[Line]:
    """Return how long the lines are that texts of the clinics in ``scope`` stand in."""
    found = session.execute(
        select(SenderPace.per_second, func.count())
        .join(Clinic, SenderPace.sender == _SENDER)
        .join(Message, Message.clinic_id == Clinic.id)
        .where(visible_clinics(scope, Clinic.id), *_is_due(now))
        .group_by(SenderPace.sender, SenderPace.per_second)
        .order_by(SenderPace.sender)
    )
    return [Line(*row) for row in found]


def held(session: Session, sender: str) -> SenderPace | None:
    """Return the pace of ``sender``, held until the commit; None where another worker holds it."""
    return session.scalar(
        select(SenderPace)
        .where(SenderPace.sender == sender)
        .with_for_update(skip_locked=True)
        .execution_options(populate_existing=True)
    )


def note(session: Session, pace: SenderPace, given: Given) -> None:
    """Keep which turns were given. Does not commit."""
    pace.turns, pace.last_turn_at = given.as_data(), given.last_at
    session.flush()


def _is_due(now: datetime) -> tuple[ColumnElement[bool], ...]:
    return Message.status == MessageStatus.SCHEDULED, Message.send_after <= now
