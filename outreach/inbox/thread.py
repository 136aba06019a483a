"""One conversation by text: what a patient wrote and what went out to them, in order."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import and_, or_, select
from sqlalchemy.orm import Session, joinedload

from outreach.inbox.models import InboxItem
from outreach.messaging.models import Message

MOST = 200


@dataclass(frozen=True)
class Line:
    """One text, in or out: exactly one of ``item`` and ``message`` is there."""

    at: datetime
    item: InboxItem | None = None
    message: Message | None = None


@dataclass(frozen=True)
class Conversation:
    """The newest texts of one patient, oldest of them first; ``newest_id``: the last item."""

    lines: Sequence[Line]
    has_earlier: bool

    @property
    def newest(self) -> InboxItem | None:
        """The last text that came in."""
        return next((each.item for each in reversed(self.lines) if each.item), None)

    @property
    def waiting(self) -> list[InboxItem]:
        """Texts that nobody has seen to."""
        return [each.item for each in self.lines if each.item and not each.item.done_at]


def of_patient(session: Session, patient_id: int) -> Conversation:
    """Return the conversation with one patient. Two statements.

    Answers to a number that several patients share are in each of their conversations.
    """
    items = session.scalars(
        select(InboxItem)
        .options(joinedload(InboxItem.inbound), joinedload(InboxItem.done_by))
        .where(InboxItem.patient_id == patient_id)
        .order_by(InboxItem.at.desc(), InboxItem.id.desc())
        .limit(MOST + 1)
    ).all()
    shared = select(InboxItem.inbound_id).where(InboxItem.patient_id == patient_id)
    messages = session.scalars(
        select(Message)
        .options(joinedload(Message.by))
        .where(
            or_(
                Message.patient_id == patient_id,
                and_(
                    Message.patient_id.is_(None),
                    Message.staff_id.is_(None),
                    Message.inbound_id.in_(shared),
                ),
            )
        )
        .order_by(Message.created_at.desc(), Message.id.desc())
        .limit(MOST + 1)
    ).all()
    # Queries are newest first, so that a limit leaves out the oldest.
    lines = [Line(each.at, item=each) for each in items]
    lines += [Line(each.accepted_at or each.created_at, message=each) for each in messages]
    lines.sort(key=_in_order)
    return Conversation(lines[-MOST:], has_earlier=len(lines) > MOST)


def _in_order(line: Line) -> tuple[datetime, bool, int]:
    """Return what lines are sorted by: an answer stands below what it answers."""
    row = line.item or line.message
    return line.at, line.message is not None, row.id if row else 0
