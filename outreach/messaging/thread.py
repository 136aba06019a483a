"""Reading texts: what went out, and what became of it. E-mails, of the same table, apart."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Select, func, select
from sqlalchemy.orm import Session, joinedload

from outreach.accounts.rules import Scope
from outreach.accounts.scoping import visible_at_clinic
from outreach.messaging.models import Message
from outreach.messaging.rules import LETTERS, MessageKind, MessageStatus

PAGE = 50

IN_TROUBLE = (
    MessageStatus.UNKNOWN,
    MessageStatus.LOST,
    MessageStatus.FAILED,
    MessageStatus.UNDELIVERED,
)

SHOW_LETTERS = "emails"  # by ``show``: e-mails to staff, whatever became of them
# What else an address asks for by ``show``; anything else means every text.
SHOWN: Mapping[str, Sequence[MessageStatus]] = {
    "trouble": IN_TROUBLE,
    "waiting": (MessageStatus.SCHEDULED,),
    "delivered": (MessageStatus.DELIVERED,),
    "undelivered": (MessageStatus.UNDELIVERED,),
    "failed": (MessageStatus.FAILED,),
    "lost": (MessageStatus.LOST,),
    "skipped": (MessageStatus.SKIPPED,),
}


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
    are_letters: bool = False,
) -> Page:
    """Return texts in ``scope``, newest first, with whom they are to. One statement.

    Args:
        before_id: only those written before this one.
        statuses: none of them means any.
        kind: None means any text.
        are_letters: e-mails, where no ``kind`` is named.
    """
    query = _query(scope, statuses, _which(kind, are_letters=are_letters)).limit(PAGE + 1)
    if before_id is not None:
        query = query.where(Message.id < before_id)
    found = session.scalars(query).all()
    more = found[PAGE - 1].id if len(found) > PAGE else None
    return Page(found[:PAGE], more)


def newest(
    session: Session, scope: Scope, of: Sequence[ColumnElement[bool]], *, most: int
) -> Sequence[Message]:
    """Return the newest ``most`` texts in ``scope`` of which all of ``of`` holds, with whom to."""
    return session.scalars(_query(scope, (), *of).limit(most)).all()


def everything(
    session: Session,
    scope: Scope,
    *,
    statuses: Sequence[MessageStatus] = (),
    kind: MessageKind | None = None,
    are_letters: bool = False,
) -> tuple[int, Iterator[Message]]:
    """Return how many texts there are, and all of them, read as they are asked for."""
    query = _query(scope, statuses, _which(kind, are_letters=are_letters))
    total = (
        session.scalar(
            select(func.count()).select_from(query.with_only_columns(Message.id).subquery())
        )
        or 0
    )
    return total, iter(session.scalars(query.execution_options(yield_per=500)))


def _which(kind: MessageKind | None, *, are_letters: bool) -> ColumnElement[bool]:
    if kind is not None:
        return Message.kind == kind
    return Message.kind.in_(LETTERS) if are_letters else Message.kind.not_in(LETTERS)


def _query(
    scope: Scope, statuses: Sequence[MessageStatus], *which: ColumnElement[bool]
) -> Select[Message]:
    query = (
        select(Message)
        .options(joinedload(Message.patient), joinedload(Message.staff), joinedload(Message.clinic))
        .where(visible_at_clinic(scope, Message.clinic_id, Message.patient_id), *which)
        .order_by(Message.id.desc())
    )
    return query.where(Message.status.in_(statuses)) if statuses else query
