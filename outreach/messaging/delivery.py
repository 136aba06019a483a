"""What became of texts, in numbers: by the day on which they were due, and by reason."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, case, func, select
from sqlalchemy.orm import Session

from outreach.accounts.rules import Scope
from outreach.accounts.scoping import visible_at_clinic, visible_clinics
from outreach.messaging import thread
from outreach.messaging.models import DeliveryEvent, Message
from outreach.messaging.rules import LETTERS, MessageKind, MessageStatus, SkipReason
from outreach.web.bounded import whole

TAKEN = (
    MessageStatus.ACCEPTED,
    MessageStatus.SENT,
    MessageStatus.DELIVERED,
    MessageStatus.UNDELIVERED,
)
SHOWN_LOST = 10
PERIODS = (7, 14, 30, 90)  # days
_WAITING = (MessageStatus.SCHEDULED,)
_ON_ITS_WAY = (MessageStatus.CALLING, MessageStatus.UNKNOWN)


@dataclass
class Day:
    """Texts that were due on one day. ``due`` counts them all; each is in one other count.

    ``taken`` are those that the carrier took, whatever came of them: ``delivered``,
    ``undelivered``, or no word yet.
    """

    on: date | None
    due: int = 0
    waiting: int = 0
    on_its_way: int = 0
    taken: int = 0
    delivered: int = 0
    undelivered: int = 0
    failed: int = 0
    lost: int = 0
    skipped: int = 0

    @property
    def no_word(self) -> int:
        """Those that the carrier took and has said nothing final of."""
        return self.taken - self.delivered - self.undelivered

    def count(self, status: MessageStatus, number: int) -> None:
        """Add texts of one status."""
        self.due += number
        self.waiting += number * (status in _WAITING)
        self.on_its_way += number * (status in _ON_ITS_WAY)
        self.taken += number * (status in TAKEN)
        self.delivered += number * (status is MessageStatus.DELIVERED)
        self.undelivered += number * (status is MessageStatus.UNDELIVERED)
        self.failed += number * (status is MessageStatus.FAILED)
        self.lost += number * (status is MessageStatus.LOST)
        self.skipped += number * (status is MessageStatus.SKIPPED)


@dataclass
class Delivery:
    """Some days, the newest last, their sum, and why texts did not go out or arrive.

    ``lost`` are the newest of the counted ones of which nobody knows whether they went out.
    """

    days: list[Day]
    total: Day
    skipped: dict[SkipReason, int] = field(default_factory=dict)
    failures: dict[str, int] = field(default_factory=dict)
    hard_numbers: Sequence[tuple[str, int, bool]] = ()
    lost: Sequence[Message] = ()


def days_of(typed: str | None) -> int:
    """Return how many days an address asks for: one of PERIODS."""
    asked = whole(typed)
    return asked if asked in PERIODS else PERIODS[1]


def delivery(
    session: Session,
    scope: Scope,
    zone: ZoneInfo,
    *,
    today: date,
    days: int,
    kind: MessageKind | None,
) -> Delivery:
    """Return what became of the texts due on the last ``days`` days, today included.

    Days are those of ``zone``. One statement, whatever the number of texts; and one for
    numbers that can't be reached.
    """
    first = today - timedelta(days=days - 1)
    starts = [
        datetime.combine(first + timedelta(days=ahead), time(), zone) for ahead in range(days + 1)
    ]
    found = Delivery([Day(first + timedelta(days=ahead)) for ahead in range(days)], Day(None))
    number_of = case(
        *((Message.send_after < end, index) for index, end in enumerate(starts[1:])), else_=days
    ).label("day")
    counted = _counted(starts, kind)
    query = (
        select(number_of, Message.status, Message.skip_reason, Message.failure, func.count())
        .where(visible_clinics(scope, Message.clinic_id), *counted)
        .group_by(number_of, Message.status, Message.skip_reason, Message.failure)
    )
    for index, status, skip, failure, number in session.execute(query):
        found.days[index].count(status, number)
        found.total.count(status, number)
        if skip is not None:
            found.skipped[skip] = found.skipped.get(skip, 0) + number
        if status in (MessageStatus.FAILED, MessageStatus.UNDELIVERED):
            found.failures[failure] = found.failures.get(failure, 0) + number
    if found.total.lost:
        lost = (*counted, Message.status == MessageStatus.LOST)
        found.lost = thread.newest(session, scope, lost, most=SHOWN_LOST)
    found.hard_numbers = _hard_numbers(session, scope, since=starts[0])
    return found


def _counted(
    starts: Sequence[datetime], kind: MessageKind | None
) -> tuple[ColumnElement[bool], ...]:
    """Return what holds of the texts that are counted. Of an e-mail nobody reports whether it
    arrived, so e-mails are among them only where they are asked for.
    """
    return (
        Message.send_after >= starts[0],
        Message.send_after < starts[-1],
        Message.kind == kind if kind else Message.kind.not_in(LETTERS),
    )


def _hard_numbers(
    session: Session, scope: Scope, *, since: datetime
) -> Sequence[tuple[str, int, bool]]:
    """Return numbers that did not get what was sent to them: number, texts, any found nobody."""
    texts = func.count(Message.id.distinct())
    rows = session.execute(
        select(Message.to_number, texts, func.max(case((DeliveryEvent.is_unreachable, 1), else_=0)))
        .join(DeliveryEvent, DeliveryEvent.message_id == Message.id)
        .where(
            visible_at_clinic(scope, Message.clinic_id, Message.patient_id),
            Message.send_after >= since,
            Message.status.in_((MessageStatus.UNDELIVERED, MessageStatus.FAILED)),
            DeliveryEvent.error_code.is_not(None),
        )
        .group_by(Message.to_number)
        .order_by(texts.desc(), func.min(Message.id))
        .limit(20)
    )
    return [(number, count, bool(found_nobody)) for number, count, found_nobody in rows]
