"""Taking texts of one sender that has a pace: as many as there are turns for.

Whoever gives turns holds the row of the sender until the turns are stored, so that any number
of workers together keep the pace.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from outreach.accounts.models import Clinic
from outreach.messaging import claiming, due, pacing
from outreach.messaging.claiming import Claim, Claimed
from outreach.messaging.due import Due
from outreach.messaging.models import Message
from outreach.messaging.rules import URGENT, MessageStatus
from outreach.messaging.rules.pace import (
    Given,
    Turn,
    in_fair_order,
    look_again_at,
    most_texts,
    turns_for,
)
from outreach.wordings.rules.segments import size_of

_Found = tuple[Sequence[Due], Sequence[Due]]  # read, and what can't be read


def claim(session: Session, sender: str, *, now: datetime, limit: int) -> Claim:
    """Take up to ``limit`` texts of ``sender``, each with its turn, in the order of turns.

    What is urgent goes first, then a text of each clinic in turn. Each is judged as any other
    text. ``has_more``: texts may be waiting. Does not commit.
    """
    pace = pacing.held(session, sender)
    if pace is None:
        return Claim([], has_more=False)
    if look_again_at(pace.last_turn_at, now=now) > now:
        return Claim([], has_more=True)
    given, per_second = Given.of(pace.turns), pace.per_second
    most = min(limit, most_texts(per_second))
    rows, unreadable = _in_line(session, pacing.clinics_of(session, sender), given, most, now)
    sizes = [size_of(row.body).messages for row in rows]
    fitting = rows[: len(turns_for(sizes, given.recent, per_second, now=now))]
    taken = claiming.take(session, fitting, unreadable, now=now)
    turns = turns_for(map(_segments, taken.texts), given.recent, per_second, now=now)
    clinics = {row.id: row.clinic_id for row in fitting}
    whose = [clinics[text.asked.message_id] for text in taken.texts]
    pacing.note(session, pace, given.and_for(zip(whose, turns, strict=True)))
    has_more = taken.has_more or len(fitting) < len(rows)  # one whose turn is too far ahead
    return Claim(_with_turns(taken.texts, turns), has_more)


def _segments(text: Claimed) -> int:
    return size_of(text.sms.body).messages


def _with_turns(texts: Sequence[Claimed], turns: Sequence[Turn]) -> list[Claimed]:
    return [replace(text, turn_at=turn.at) for text, turn in zip(texts, turns, strict=True)]


def _in_line(
    session: Session, clinic_ids: Sequence[int], given: Given, most: int, now: datetime
) -> _Found:
    """Lock and return up to ``most`` texts of some clinics, whose turn is next, in order."""
    is_theirs = Message.clinic_id.in_(clinic_ids)
    rows, unreadable = due.texts(
        session, now=now, limit=most, which=[is_theirs, Message.rank <= URGENT]
    )
    left = most - len(rows) - len(unreadable)
    waiting = _clinics_with_more(session, clinic_ids, now) if left > 0 else ()
    if not waiting:
        return rows, unreadable
    share = -(-left // len(waiting))
    by_clinic: dict[int, Sequence[Due]] = {}
    for clinic_id in waiting:
        own = [Message.clinic_id == clinic_id, Message.rank > URGENT]
        by_clinic[clinic_id], broken = due.texts(session, now=now, limit=share, which=own)
        unreadable = [*unreadable, *broken]
    return [*rows, *in_fair_order(by_clinic, given.served)], unreadable


def _clinics_with_more(session: Session, clinic_ids: Sequence[int], now: datetime) -> Sequence[int]:
    is_waiting = (
        select(Message.id)
        .where(
            Message.clinic_id == Clinic.id,
            Message.status == MessageStatus.SCHEDULED,
            Message.rank > URGENT,
            Message.send_after <= now,
        )
        .exists()
    )
    query = select(Clinic.id).where(Clinic.id.in_(clinic_ids), is_waiting).order_by(Clinic.id)
    return session.scalars(query).all()
