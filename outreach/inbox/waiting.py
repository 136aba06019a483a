"""Texts that wait for a person: reading the queue, and seeing to what is in it."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, case, func, select, update
from sqlalchemy.orm import Session, joinedload

from outreach.accounts.rules import Actor, Scope
from outreach.accounts.scoping import visible
from outreach.errors import NotFound
from outreach.inbox import stopping
from outreach.inbox.models import InboxItem
from outreach.inbox.rules import OLD_AFTER, Understood
from outreach.messaging.models import InboundText
from outreach.patients.models import Patient
from outreach.patients.rules import ConsentSource

MOST = 200


class NoSuchText(NotFound):
    """No text in the actor's scope has that number."""


def items(session: Session, scope: Scope, *, only_old: bool, now: datetime) -> Sequence[InboxItem]:
    """Return the texts in ``scope`` that nobody has seen to: danger first, then the newest."""
    query = (
        select(InboxItem)
        .options(
            joinedload(InboxItem.inbound),
            joinedload(InboxItem.patient).joinedload(Patient.clinic),
        )
        .where(_in_scope(scope), InboxItem.done_at.is_(None))
        .order_by(
            case((InboxItem.understood == Understood.DANGER, 0), else_=1),
            InboxItem.at.desc(),
            InboxItem.id.desc(),
        )
        .limit(MOST)
    )
    if only_old:
        query = query.where(InboxItem.at < now - OLD_AFTER)
    return session.scalars(query).all()


def counts(session: Session, scope: Scope, *, now: datetime) -> tuple[int, int]:
    """Return how many texts in ``scope`` wait, and how many for more than a day."""
    row = session.execute(
        select(func.count(), func.count().filter(InboxItem.at < now - OLD_AFTER)).where(
            _in_scope(scope), InboxItem.done_at.is_(None)
        )
    ).one()
    return row[0], row[1]


def of_patient(session: Session, patient_id: int) -> Sequence[InboxItem]:
    """Return the texts of one patient that nobody has seen to, oldest first."""
    return session.scalars(
        select(InboxItem)
        .options(joinedload(InboxItem.inbound))
        .where(InboxItem.patient_id == patient_id, InboxItem.done_at.is_(None))
        .order_by(InboxItem.at, InboxItem.id)
    ).all()


def confirmed_at(session: Session, planned_call_id: int, slot_at: datetime) -> datetime | None:
    """Return when the patient confirmed that time of a call by text, if they did."""
    return session.scalar(
        select(InboxItem.at)
        .where(
            InboxItem.planned_call_id == planned_call_id,
            InboxItem.slot_at == slot_at,
            InboxItem.understood.in_((Understood.CONFIRMED, Understood.BOOKED)),
        )
        .order_by(InboxItem.id.desc())
        .limit(1)
    )


def item_of(session: Session, scope: Scope, item_id: int) -> InboxItem:
    """Return one text with its patient, or raise NoSuchText."""
    item = session.scalar(
        select(InboxItem)
        .options(joinedload(InboxItem.inbound), joinedload(InboxItem.patient))
        .where(InboxItem.id == item_id, _in_scope(scope))
    )
    if item is None:
        raise NoSuchText("There is no such text.")
    return item


def see_to(session: Session, item: InboxItem, staff_id: int, *, now: datetime) -> None:
    """Note that somebody has seen to a text; who did first stays. Does not commit."""
    session.execute(
        update(InboxItem)
        .where(InboxItem.id == item.id, InboxItem.done_at.is_(None))
        .values(done_at=now, done_by_id=staff_id)
    )
    _settle(session, [item.inbound_id], now=now)


def see_to_all(session: Session, patient_id: int, staff_id: int, *, now: datetime) -> None:
    """Note that somebody has answered whatever a patient wrote. Does not commit."""
    open_items = (InboxItem.patient_id == patient_id, InboxItem.done_at.is_(None))
    inbound_ids = session.scalars(select(InboxItem.inbound_id).where(*open_items)).all()
    session.execute(update(InboxItem).where(*open_items).values(done_at=now, done_by_id=staff_id))
    _settle(session, inbound_ids, now=now)


def record_stop(session: Session, item: InboxItem, actor: Actor, *, now: datetime) -> None:
    """Write down that a text asked for no more texts, and see to it. Does not commit."""
    stopping.stop_number(
        session,
        [item.clinic_id],
        item.inbound.from_number,
        source=ConsentSource.SMS,
        by_staff_id=actor.staff_id,
        now=now,
    )
    see_to(session, item, actor.staff_id, now=now)


def _settle(session: Session, inbound_ids: Sequence[int], *, now: datetime) -> None:
    """Let automatic texts go on where somebody has seen to what was written."""
    session.execute(
        update(InboundText)
        .where(InboundText.id.in_(inbound_ids), InboundText.answered_at.is_(None))
        .values(answered_at=now)
    )


def _in_scope(scope: Scope) -> ColumnElement[bool]:
    return visible(scope, InboxItem.clinic_id, InboxItem.patient_id)  # type: ignore[arg-type]
