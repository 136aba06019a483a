"""What the carrier tells about calls: every report is kept, and a call only moves on."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from outreach.orm import insert_new
from outreach.phoning.models import PhoneCall, PhoneEvent
from outreach.phoning.rules import (
    Direction,
    Ending,
    advanced,
    ending_of,
    happened_at,
    is_over,
    talk_seconds,
)
from outreach.telephony.gateway import AnsweredBy, Leg, LegNews, LegStatus

# Over, by what we concluded and not by what a telephone did; what the carrier tells is better.
_CONCLUDED = (None, Ending.NOT_PLACED, Ending.LOST)


def locked(session: Session, phone_call_id: int | None) -> PhoneCall | None:
    """Return a call for changing it, None where there is no such call."""
    if phone_call_id is None:
        return None
    return session.scalar(
        select(PhoneCall)
        .where(PhoneCall.id == phone_call_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )


def apply(session: Session, call: PhoneCall, leg: Leg, news: LegNews, *, now: datetime) -> None:
    """Take one report about one telephone of ``call``, which is locked. Does not commit.

    Repeats and late ones are recognised and change nothing; those about a telephone that is
    not the one we know, as where the carrier took one press twice, are not ours.
    """
    if not _is_ours(call, leg, news.provider_id):
        return
    _keep(session, call, leg, news, now=now)
    call.heard_at = now
    if leg is Leg.STAFF:
        call.staff_leg = advanced(call.staff_leg, news.status)
    else:
        call.patient_leg = advanced(call.patient_leg, news.status)
    if call.direction is Direction.OUT and leg is Leg.PATIENT:
        _note_answer(call, news, now=now)
    if _is_other_end(call, leg) and news.status is LegStatus.COMPLETED and news.seconds:
        call.seconds = news.seconds
    _conclude(call, happened_at(news.at, now))


def note_machine(call: PhoneCall, answered_by: AnsweredBy) -> None:
    """Note whether a machine answered, which the carrier tells a little later."""
    call.answered_by = answered_by
    if call.ended_at is not None and call.ending not in _CONCLUDED:
        call.ending = ending_of(call.facts)


def note_talk(call: PhoneCall, *, now: datetime) -> None:
    """Note that the two were put through to each other."""
    call.answered_at = call.answered_at or now
    call.heard_at = now


def give_up(call: PhoneCall, ending: Ending, failure: str, *, now: datetime) -> None:
    """End a call of which nothing more will be heard, unless it has ended."""
    if call.ended_at is None:
        call.ended_at, call.ending, call.failure = now, ending, failure[:80]
        call.lease_until = None


def _is_ours(call: PhoneCall, leg: Leg, provider_id: str) -> bool:
    """Say whether ``provider_id`` is the telephone we know as ``leg``; the first one becomes it."""
    known = call.staff_sid if leg is Leg.STAFF else call.patient_sid
    if known is None and provider_id:
        if leg is Leg.STAFF:
            call.staff_sid = provider_id
        else:
            call.patient_sid = provider_id
        return True
    return bool(provider_id) and known == provider_id


def _is_other_end(call: PhoneCall, leg: Leg) -> bool:
    """Say whether ``leg`` is the telephone that was rung second: its length is the talk's."""
    return leg is (Leg.PATIENT if call.direction is Direction.OUT else Leg.STAFF)


def _keep(session: Session, call: PhoneCall, leg: Leg, news: LegNews, *, now: datetime) -> None:
    row = {
        "phone_call_id": call.id,
        "leg": leg,
        "status": news.status,
        "sequence": news.sequence,
        "seconds": news.seconds,
        "happened_at": news.at,
        "received_at": now,
    }
    insert_new(session, PhoneEvent, [row])


def _note_answer(call: PhoneCall, news: LegNews, *, now: datetime) -> None:
    """Note since when a patient is on the line, even where only the end of it was told."""
    at = happened_at(news.at, now)
    if news.status is LegStatus.ANSWERED:
        call.answered_at = call.answered_at or happened_at(news.began_at, at)
    if news.status is LegStatus.COMPLETED and call.answered_at is None:
        seconds = news.seconds or 0
        began_at = news.began_at or datetime.fromtimestamp(at.timestamp() - seconds, tz=at.tzinfo)
        call.answered_at = min(began_at, at)


def _conclude(call: PhoneCall, at: datetime) -> None:
    if not is_over(call.facts):
        return
    if call.ended_at is None:
        call.ended_at = max(at, call.answered_at or at)
    call.lease_until = None
    call.ending = ending_of(call.facts)
    if call.answered_at is not None and call.seconds is None:
        call.seconds = talk_seconds(call.answered_at, call.ended_at, call.ended_at)
