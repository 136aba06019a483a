"""After a backup was put back: nothing goes out twice that went out since it was made.

The rows are older than what the carrier was given. So the outbox is closed until somebody has
asked the carrier for its list, or stated that nothing was sent. Alerts to staff and answers to
patients who write go out meanwhile: of these a second one harms less than none.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import delete, exists, or_, select
from sqlalchemy.orm import Session

from outreach.among import among, among_words
from outreach.audit import trail
from outreach.messaging import outbox
from outreach.messaging.models import InboundText, Message, OutboxHold, UnrecordedText
from outreach.messaging.outbox import Asked
from outreach.messaging.rules import REPLIES, MessageKind, MessageStatus, TryResult
from outreach.orm import insert_new
from outreach.telephony import bodies
from outreach.telephony.gateway import ListedSms
from outreach.wordings import keeping
from outreach.wordings.rules import pieces

# What goes out while the outbox is closed. What a person wrote waits: it may have gone out.
NEVER_HELD = frozenset({MessageKind.ALERT, *REPLIES}) - {MessageKind.ANSWER}
# The carrier's clock need not be ours, nor a text in its list the moment we hand it over.
MARGIN = timedelta(hours=1)
_WEEK, _A_DAY = timedelta(days=7), timedelta(days=1)
# So far apart, a text in the list and a row with the same words to the same number are one.
_APART = timedelta(days=2)
_APART_OF = {MessageKind.MEASUREMENT_DUE: timedelta(days=7)}  # these name no day; weeks lie between
_EVER = datetime.max.replace(tzinfo=UTC)


class _Span(NamedTuple):
    first: datetime
    last: datetime


def current(session: Session) -> OutboxHold | None:
    """Return why the outbox is closed, None where it is open."""
    return session.scalar(
        select(OutboxHold).where(OutboxHold.ended_at.is_(None)).order_by(OutboxHold.since).limit(1)
    )


def close(session: Session, *, since: datetime, now: datetime) -> None:
    """Close the outbox of a database that is as it was at ``since``. Does not commit."""
    session.add(OutboxHold(since=since, began_at=now, ended_at=None, ended_as=""))
    session.flush()


def reconcile(session: Session, listed: Sequence[ListedSms], *, now: datetime) -> int:
    """Keep what the carrier was given and no row tells of, and open the outbox.

    Returns how many such texts there are. Does not commit.
    """
    known = set(
        session.scalars(
            select(Message.provider_id).where(
                among_words(Message.to_number, sorted({each.to for each in listed})),
                Message.provider_id.is_not(None),
            )
        )
    )
    rows = [
        {
            "provider_id": each.provider_id,
            "to_number": each.to,
            "body": each.body,
            "sent_at": each.at,
        }
        for each in listed
        if each.provider_id not in known
    ]
    kept = insert_new(session, UnrecordedText, rows)
    _open(session, "asked the carrier", now=now)
    return kept


def state_nothing_was_sent(session: Session, *, now: datetime) -> None:
    """Open the outbox on somebody's word that nothing went out since. Does not commit."""
    _open(session, "stated that nothing was sent", now=now)


def unrecorded(
    session: Session, numbers: Iterable[str], *, since: datetime
) -> list[UnrecordedText]:
    """Return the texts to ``numbers``, sent at or after ``since``, that no row tells of."""
    return list(
        session.scalars(
            select(UnrecordedText)
            .where(
                among_words(UnrecordedText.to_number, sorted(set(numbers))),
                UnrecordedText.sent_at >= since,
                ~exists().where(
                    Message.to_number == UnrecordedText.to_number,
                    Message.provider_id == UnrecordedText.provider_id,
                ),
            )
            .order_by(UnrecordedText.sent_at, UnrecordedText.id)
        )
    )


def unasked(
    session: Session, numbers: Mapping[int, str], *, now: datetime
) -> list[tuple[int, datetime]]:
    """Return whom we texted unasked in the last seven days, and when, where no row tells of it.

    Answers are not among them: they count for no limit. The list tells nothing but the words,
    so what was made from words that the clinics use, or once used, for such texts is one.

    Args:
        numbers: of patients, by their ids. Who shares a number is texted with the others.
    """
    if session.scalar(select(UnrecordedText.id).limit(1)) is None:  # nearly always
        return []
    texts = unrecorded(session, numbers.values(), since=now - _WEEK)
    words = keeping.ever_unasked(session) if texts else []
    return [
        (patient_id, text.sent_at)
        for text in texts
        if any(bodies.is_made_from(pieces(each), text.body) for each in words)
        for patient_id, number in numbers.items()
        if number == text.to_number
    ]


def forget_unrecorded(session: Session, *, now: datetime) -> int:
    """Delete texts that no row will be matched with any more. Does not commit.

    While the outbox is closed, and for as long after it was opened, rows of any age may wait.
    """
    past = now - _WEEK - _A_DAY
    is_new = exists().where(or_(OutboxHold.ended_at.is_(None), OutboxHold.ended_at > past))
    over = delete(UnrecordedText).where(UnrecordedText.sent_at <= past, ~is_new)
    return len(session.scalars(over.returning(UnrecordedText.id)).all())


def settle(session: Session, rows: Sequence[Any], *, now: datetime) -> set[int]:
    """Mark those of the texts ``rows`` that the carrier was given before; return their ids.

    Only of the kinds that a closed outbox holds back. Does not commit.
    """
    held = [row for row in rows if row.kind not in NEVER_HELD]
    hold = _newest(session) if held else None
    if hold is None:
        return set()
    wrote_at = _wrote_at(session, held)
    spans = {row.id: _span(row, wrote_at.get(row.inbound_id), hold) for row in held}
    since = min(span.first for span in spans.values())
    gone = unrecorded(session, [row.to_number for row in held], since=since)
    settled: set[int] = set()
    for row in held if gone else ():
        same = next((each for each in gone if _is_same(row, each, spans[row.id])), None)
        if same is not None:
            gone.remove(same)
            _mark(session, row.id, same, now=now)
            settled.add(row.id)
    return settled


def _newest(session: Session) -> OutboxHold | None:
    return session.scalar(select(OutboxHold).order_by(OutboxHold.id.desc()).limit(1))


def _wrote_at(session: Session, rows: Sequence[Any]) -> dict[int, datetime]:
    """Return when the texts came in that ``rows`` answer, by their ids."""
    ids = sorted({row.inbound_id for row in rows if row.inbound_id is not None})
    query = select(InboundText.id, InboundText.received_at).where(among(InboundText.id, ids))
    return {row.id: row.received_at for row in session.execute(query)} if ids else {}


def _span(row: Any, wrote_at: datetime | None, hold: OutboxHold) -> _Span:
    """Return when the text of ``row`` may have been sent, however long the outbox was closed.

    An answer goes out after what it answers: the same words sent before that answered
    something else. A row that is in the backup may have been put off any number of times
    before its text went out; what is written anew comes close to the first time.
    """
    if wrote_at is not None:
        return _Span(wrote_at, _EVER)
    apart = _APART_OF.get(row.kind, _APART)
    is_in_backup = row.created_at < hold.began_at
    return _Span(row.send_after - apart, _EVER if is_in_backup else row.send_after + apart)


def _is_same(row: Any, text: UnrecordedText, span: _Span) -> bool:
    is_near = row.to_number == text.to_number and span.first <= text.sent_at <= span.last
    return is_near and bodies.is_same(row.body, text.body)


def _mark(session: Session, message_id: int, text: UnrecordedText, *, now: datetime) -> None:
    message = session.get_one(Message, message_id)
    message.status = MessageStatus.ACCEPTED
    message.calling_at = text.sent_at
    message.accepted_at = now
    message.provider_id = text.provider_id
    session.flush()
    found = (
        Asked(message_id, text.sent_at),
        TryResult.FOUND,
        "sent before the backup was put back",
    )
    outbox.note_tries(session, [found], now=now)


def _open(session: Session, how: str, *, now: datetime) -> None:
    for hold in session.scalars(select(OutboxHold).where(OutboxHold.ended_at.is_(None))):
        hold.ended_at, hold.ended_as = now, how
    trail.record(session, f"opened the outbox: {how}", actor_id=None, now=now)
