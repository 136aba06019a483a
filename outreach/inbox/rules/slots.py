"""Times to offer for a call: lawful where the patient is, while their caller works. Pure."""

from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, timedelta

from outreach.patients.rules import Daypart, Slot, slot_on
from outreach.planning.rules import Calendar

OFFERED = 3
LENGTH = timedelta(minutes=30)
_STEP = timedelta(minutes=30)


def offers(
    calendar: Calendar,
    days: tuple[date, date],
    shifts: Sequence[Slot],
    taken: Sequence[Slot],
    *,
    not_before: datetime,
) -> list[Slot]:
    """Return up to OFFERED times, in order: at most one a part of a day, liked ones first.

    Args:
        calendar: the patient's days and lawful hours.
        days: first and last day to look at, on the patient's calendar.
        shifts: when whoever is on duty for the patient works.
        taken: times promised to others by the same caller.
        not_before: aware instant.
    """
    found: list[tuple[bool, Slot]] = []
    day, last = days
    while day <= last:
        for daypart in Daypart:
            slot = _first_in(calendar, day, daypart, shifts, taken, not_before=not_before)
            if slot is not None:
                found.append((_is_liked(calendar, day, daypart), slot))
        day += timedelta(days=1)
    liked = [slot for is_liked, slot in found if is_liked]
    others = [slot for is_liked, slot in found if not is_liked]
    return sorted([*liked, *others][:OFFERED], key=lambda each: each.from_at)


def is_free(
    slot: Slot,
    calendar: Calendar,
    shifts: Sequence[Slot],
    taken: Sequence[Slot],
    *,
    now: datetime,
) -> bool:
    """Say whether an offered time can still be had."""
    day = slot.from_at.astimezone(calendar.zone).date()
    lawful = slot_on(day, calendar.zone, calendar.lawful(), None)
    return (
        slot.from_at > now
        and lawful is not None
        and _holds(lawful, slot)
        and any(_holds(shift, slot) for shift in shifts)
        and not any(_meet(slot, other) for other in taken)
    )


def _first_in(
    calendar: Calendar,
    day: date,
    daypart: Daypart,
    shifts: Sequence[Slot],
    taken: Sequence[Slot],
    *,
    not_before: datetime,
) -> Slot | None:
    lawful = slot_on(day, calendar.zone, calendar.lawful(), daypart)
    if lawful is None:
        return None
    for begins in _starts(lawful, not_before):
        slot = Slot(begins, begins + LENGTH)
        is_worked = any(_holds(shift, slot) for shift in shifts)
        if is_worked and not any(_meet(slot, other) for other in taken):
            return slot
    return None


def _starts(lawful: Slot, not_before: datetime) -> Iterator[datetime]:
    """Yield the half hours of ``lawful`` from ``not_before`` on, in UTC."""
    since = max(lawful.from_at, not_before).astimezone(UTC)
    passed = timedelta(
        minutes=since.minute % 30, seconds=since.second, microseconds=since.microsecond
    )
    begins = since if not passed else since - passed + _STEP
    while begins + LENGTH <= lawful.until_at:
        yield begins
        begins += _STEP


def _is_liked(calendar: Calendar, day: date, daypart: Daypart) -> bool:
    wishes = calendar.wishes
    is_day = not wishes.weekdays or day.weekday() in wishes.weekdays
    return is_day and (not wishes.dayparts or daypart in wishes.dayparts)


def _holds(span: Slot, slot: Slot) -> bool:
    return span.from_at <= slot.from_at and slot.until_at <= span.until_at


def _meet(one: Slot, other: Slot) -> bool:
    return one.from_at < other.until_at and other.from_at < one.until_at
