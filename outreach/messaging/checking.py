"""The promises of limits, hours and reports of texts, held against their rows; reads only.

Of the last days alone: who moves lives by another clock, and a clinic changes its limits.
"""

from collections.abc import Iterator
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo, available_timezones

from sqlalchemy import Select, and_, case, func, or_, select
from sqlalchemy.orm import Session

from outreach.clock import day_began_at, local_day
from outreach.messaging.history import WENT_OUT
from outreach.messaging.models import DeliveryEvent, Message, TextLimit
from outreach.messaging.rules import LIMITS, RANKS
from outreach.patients.models import Patient
from outreach.patients.rules import EARLIEST, LATEST

_WEEK = timedelta(days=7)
_LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)
# An answer to a text that came in is asked for.
_WAS_UNASKED = (Message.status.in_(WENT_OUT), Message.inbound_id.is_(None))


def over_limits(session: Session, *, now: datetime) -> Iterator[int]:
    """Yield who got more texts unasked, in seven days or today, than their clinic sends."""
    per_week = func.coalesce(TextLimit.per_week, LIMITS.per_week)
    of_week = _unasked().where(Message.calling_at > now - _WEEK)
    yield from session.scalars(of_week.having(func.count() > func.max(per_week)))
    per_day = func.coalesce(TextLimit.per_day, LIMITS.per_day)
    for zone, began_at in _days(session, now):
        today = _unasked().where(Patient.zone == zone, Message.calling_at >= began_at)
        yield from session.scalars(today.having(func.count() > func.max(per_day)))


def _unasked() -> Select[int]:
    """Select whom we texted unasked since their clinic last changed its limits."""
    return (
        select(Patient.id)
        .join(Message, Message.patient_id == Patient.id)
        .outerjoin(TextLimit, TextLimit.clinic_id == Message.clinic_id)
        .where(*_WAS_UNASKED, Message.calling_at > func.coalesce(TextLimit.changed_at, _LONG_AGO))
        .group_by(Patient.id)
        .order_by(Patient.id)
    )


def at_night(session: Session, *, now: datetime) -> Iterator[int]:
    """Yield texts that went to a patient unasked, today or yesterday, while no hours allow any."""
    for zone, began_at in _days(session, now):
        yesterday = day_began_at(began_at - timedelta(hours=1), ZoneInfo(zone))
        nights = [*_nights_of(yesterday, ZoneInfo(zone)), *_nights_of(began_at, ZoneInfo(zone))]
        was_at_night = [
            and_(Message.calling_at >= since, Message.calling_at < until) for since, until in nights
        ]
        yield from session.scalars(
            select(Message.id)
            .join(Patient, Patient.id == Message.patient_id)
            .where(Patient.zone == zone, *_WAS_UNASKED, or_(*was_at_night))
            .order_by(Message.id)
        )


def _nights_of(began_at: datetime, zone: ZoneInfo) -> list[tuple[datetime, datetime]]:
    """Return from when until when nobody is texted, of the local day that began at an instant."""
    midnight, on = began_at.astimezone(zone), local_day(began_at, zone)
    opens, closes = (datetime.combine(on, at, tzinfo=zone) for at in (EARLIEST, LATEST))
    ends = datetime.combine(on + timedelta(days=1), time(), tzinfo=zone)
    nights = [(midnight, opens), (closes, ends)]
    return [(since.astimezone(UTC), until.astimezone(UTC)) for since, until in nights]


def _days(session: Session, now: datetime) -> Iterator[tuple[str, datetime]]:
    """Yield each zone in which patients live, and when its day began."""
    known = available_timezones()
    for zone in session.scalars(select(Patient.zone).distinct().order_by(Patient.zone)):
        if zone in known:  # the plan's promises tell of the others
            yield zone, day_began_at(now, ZoneInfo(zone))


def gone_back() -> Select[int]:
    """Select texts that stand behind what the carrier once reported of them."""
    stands = case(RANKS, value=Message.status)
    said = case({status.value: rank for status, rank in RANKS.items()}, value=DeliveryEvent.status)
    return (
        select(Message.id)
        .join(DeliveryEvent, DeliveryEvent.message_id == Message.id)
        .where(stands < said)
        .order_by(Message.id)
        .distinct()
    )
