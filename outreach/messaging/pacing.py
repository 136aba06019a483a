"""Senders whose carrier sends only so much a second: which they are, and their turns."""

from collections import Counter
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
from outreach.sealing import is_either


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
    return session.scalar(select(SenderPace.per_second).where(_is_of(sender or "")))


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
        session.execute(delete(SenderPace).where(_is_of(key)))
        return
    values = {"per_second": per_second, "by_staff_id": by_staff_id, "changed_at": now}
    change = update(SenderPace).where(_is_of(key)).values(**values)
    # It may be there sealed or in clear, so it is looked for before a unique key can say so.
    if not session.scalars(change.returning(SenderPace.id)).all():
        is_new = insert_new(session, SenderPace, [{"sender": key, "turns": {}} | values])
        if not is_new:
            session.execute(change)


def clinics_in_line(session: Session) -> Sequence[int]:
    """Return the clinics whose texts need a turn: none, where no sender has a pace."""
    senders = session.scalars(select(SenderPace.sender).order_by(SenderPace.id)).all()
    if not senders:
        return []
    return session.scalars(select(Clinic.id).where(_sends_by(*senders)).order_by(Clinic.id)).all()


def has_pace(session: Session, clinic_id: int) -> bool:
    """Say whether a clinic's texts need a turn."""
    return clinic_id in clinics_in_line(session)


def clinics_of(session: Session, sender: str) -> Sequence[int]:
    """Return the clinics that send by ``sender``."""
    return session.scalars(select(Clinic.id).where(_sends_by(sender)).order_by(Clinic.id)).all()


def waiting(session: Session, *, now: datetime) -> Sequence[Waiting]:
    """Return the senders for whose turns texts wait."""
    paces = _paces(session)
    is_due = exists().where(Message.clinic_id == Clinic.id, *_is_due(now))
    used = select(Clinic.sms_sender).where(_sends_by(*paces), is_due).distinct()
    in_line = {sender or "" for sender in session.scalars(used)} if paces else set()
    return [Waiting(each, paces[each].last_turn_at) for each in sorted(in_line & set(paces))]


def lines(session: Session, scope: Scope, *, now: datetime) -> Sequence[Line]:
    """Return how long the lines are that texts of the clinics in ``scope`` stand in."""
    paces = _paces(session)
    if not paces:
        return []
    found = session.execute(
        select(Clinic.sms_sender, func.count())
        .join(Message, Message.clinic_id == Clinic.id)
        .where(_sends_by(*paces), visible_clinics(scope, Clinic.id), *_is_due(now))
        .group_by(Clinic.sms_sender)
    )
    texts: Counter[str] = Counter()
    for sender, count in found:  # one sender may be there sealed and in clear
        texts[sender or ""] += count
    return [Line(paces[each].per_second, texts[each]) for each in sorted(texts)]


def _paces(session: Session) -> dict[str, SenderPace]:
    return {each.sender: each for each in session.scalars(select(SenderPace))}


def _is_of(sender: str) -> ColumnElement[bool]:
    """Return the condition that a pace is of ``sender``."""
    return is_either(SenderPace.sender, sender)


def _sends_by(*senders: str) -> ColumnElement[bool]:
    """Return the condition that a clinic sends by one of ``senders``.

    They are not joined: of the two sides one may be sealed already, and the other in clear yet.
    """
    return is_either(Clinic.sms_sender, *(sender or None for sender in senders))


def held(session: Session, sender: str) -> SenderPace | None:
    """Return the pace of ``sender``, held until the commit; None where another worker holds it."""
    return session.scalar(
        select(SenderPace)
        .where(_is_of(sender))
        .with_for_update(skip_locked=True)
        .execution_options(populate_existing=True)
    )


def note(session: Session, pace: SenderPace, given: Given) -> None:
    """Keep which turns were given. Does not commit."""
    pace.turns, pace.last_turn_at = given.as_data(), given.last_at
    session.flush()


def _is_due(now: datetime) -> tuple[ColumnElement[bool], ...]:
    return Message.status == MessageStatus.SCHEDULED, Message.send_after <= now
