"""Calls of which nothing was heard for a while: what the carrier knows of them, decides."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from outreach.phoning import bridging, progress, returning
from outreach.phoning.models import PhoneCall
from outreach.phoning.rules import LONGEST_CALL, LOOK_AFTER, SETTLE_AFTER, Direction, Ending
from outreach.telephony.gateway import CallPicture, Leg


def quiet_ids(session: Session, *, now: datetime, limit: int = 200) -> Sequence[int]:
    """Return calls under way of which the carrier has told nothing for a while.

    One that a process is asking the carrier for just now is left to it until its lease ends.
    """
    return session.scalars(
        select(PhoneCall.id)
        .where(
            PhoneCall.ended_at.is_(None),
            PhoneCall.heard_at <= now - LOOK_AFTER,
            or_(PhoneCall.lease_until.is_(None), PhoneCall.lease_until < now),
        )
        .order_by(PhoneCall.heard_at, PhoneCall.id)
        .limit(limit)
    ).all()


def not_found(session: Session, phone_call_id: int, *, now: datetime) -> bool:
    """Note that the carrier knows no such call; say whether that settles it. No commit.

    Its list may lag behind for a moment, so one that was just asked for is looked up again.
    """
    call = progress.locked(session, phone_call_id)
    if call is None or call.ended_at is not None or now - call.asked_at < SETTLE_AFTER:
        return False
    is_known = bridging.first_sid(call) is not None
    ending = Ending.LOST if is_known else Ending.NOT_PLACED
    progress.give_up(call, ending, "the carrier knows no such call", now=now)
    returning.note_if_missed(session, call, now=now)
    return True


def apply_picture(
    session: Session, phone_call_id: int, picture: CallPicture, *, now: datetime
) -> PhoneCall | None:
    """Take a call as the carrier has it now, as if it had been reported. Does not commit."""
    call = progress.locked(session, phone_call_id)
    if call is None:
        return None
    legs = (Leg.STAFF, Leg.PATIENT)
    first, second = legs if call.direction is Direction.OUT else tuple(reversed(legs))
    if picture.second is not None:
        progress.apply(session, call, second, picture.second, now=now)
    progress.apply(session, call, first, picture.first, now=now)
    call.heard_at = now
    end_if_too_long(session, call, now=now)
    returning.note_if_missed(session, call, now=now)
    return call


def end_if_too_long(session: Session, call: PhoneCall, *, now: datetime) -> bool:
    """End a call that can't be going on any more, whatever is or isn't told. No commit."""
    if call.ended_at is not None or now - call.asked_at <= LONGEST_CALL + SETTLE_AFTER:
        return False
    progress.give_up(call, Ending.LOST, "its end was never told", now=now)
    returning.note_if_missed(session, call, now=now)
    return True
