"""Reading texts: what went out, and what became of it."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from outreach.accounts.rules import Scope
from outreach.accounts.scoping import visible_clinics
from outreach.messaging.models import Message
from outreach.messaging.rules import MessageKind, MessageStatus

PAGE = 50

IN_TROUBLE = (
    MessageStatus.UNKNOWN,
    MessageStatus.LOST,
    MessageStatus.FAILED,
    MessageStatus.UNDELIVERED,
)


@dataclass(frozen=True)
class Page:
    """One page of texts, newest first; ``older_than`` begins the next one."""

    messages: Sequence[Message]
    older_than: int | None


def page_of(
    session: Session,
    scope: Scope,
    *,
    before_id: int | None,
    statuses: Sequence[MessageStatus] = (),
    kind: MessageKind | None = None,
) -> Page:
    """Return texts in ``scope``, newest first, with whom they are to. One statement.

    Args:
        before_id: only those written before this one.
        statuses: none of them means any.
        kind: None means any.
    """
    query = (
        select(Message)
        .options(joinedload(Message.patient), joinedload(Message.staff), joinedload(Message.clinic))
        .where(visible_clinics(scope, Message.clinic_id))
        .order_by(Message.id.desc())
        .limit(PAGE + 1)
    )
    if before_id is not None:
        query = query.where(Message.id < before_id)
    if statuses:
        query = query.where(Message.status.in_(statuses))
    if kind is not None:
        query = query.where(Message.kind == kind)
    found = session.scalars(query).all()
    more = found[PAGE - 1].id if len(found) > PAGE else None
    return Page(found[:PAGE], more)
