"""Which call comes next, and when to dial. Pure: the time is an argument."""

import enum
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from outreach.patients.rules import ContactHours, Daypart, Slot, Wishes, daypart_of, slot_on
from outreach.programmes.rules import AttemptPolicy, Phase, Protocol, Rhythm

WEEK = 7


class CallStatus(enum.StrEnum):
    """Where a planned call stands. COMPLETED, MISSED and CANCELLED are final.

    CANCELLED is the programme's own doing (pause, withdrawal), so it is never counted
    against anybody.
    """

    PLANNED = "planned"
    COMPLETED = "completed"
    MISSED = "missed"
    CANCELLED = "cancelled"


class FollowUpKind(enum.StrEnum):
    """What to see to when calls don't get through. Source: domain.md E2."""

    REVIEW_TIMES = "review times"
    CONTACT_CHECK = "contact check"


@dataclass(frozen=True)
class Calendar:
    """A patient's days: where they live, when they like calls, when calls are lawful."""

    zone: ZoneInfo
    wishes: Wishes
    hours: ContactHours

    def lawful(self) -> ContactHours:
        """Return the contact hours with Sunday only where the patient asked for it."""
        return ContactHours(
            self.hours.opens,
            self.hours.closes,
            self.hours.weekdays | self.wishes.weekdays,
            self.hours.closed_on,
        )


@dataclass(frozen=True)
class Course:
    """One enrolment as the planner sees it. ``choices``: phase code to the patient's choice.

    ``last_due_on`` is the day of the latest planned call, from which 'every so many days'
    is counted, so that a rhythm chosen today never brings two calls close together.
    """

    protocol: Protocol
    starts_on: date
    choices: Mapping[str, int]
    calendar: Calendar
    last_due_on: date | None = None


@dataclass(frozen=True)
class Due:
    """A contact of the plan: the day it is due, and the last day on which it still counts."""

    on: date
    complete_by_on: date
    phase: str


@dataclass(frozen=True)
class PastDial:
    """One try of the same planned call, on the patient's clock."""

    at: datetime


def due_days(course: Course) -> Iterator[tuple[date, str]]:
    """Yield every (due day, phase code) of an enrolment, in order.

    Per-week phases spread their calls over each week of the programme; phases of one call
    every so many days keep to one weekday that the patient likes.
    """
    for phase in course.protocol.phases:
        days = _weekly_days if phase.rhythm is Rhythm.CALLS_PER_WEEK else _spaced_days
        for day in days(course, phase):
            yield day, phase.code


def next_due(course: Course, *, after: date) -> Due | None:
    """Return the first contact due later than ``after``, or None when the programme is over.

    What was missed before is not made up for: calls don't pile up.
    """
    ahead = (found for found in due_days(course) if found[0] > after)
    first = next(ahead, None)
    if first is None:
        return None
    on, phase = first
    second = next(ahead, None)
    last = second[0] if second else course.protocol.ends_on(course.starts_on)
    return Due(on, max(on, last - timedelta(days=1)), phase)


def first_slot(calendar: Calendar, day: date, *, not_before: datetime) -> Slot | None:
    """Return when to dial on ``day``: the part of the day the patient likes best, if it is
    not over yet, else a later one; None when nothing is left of that day.
    """
    for daypart in (*calendar.wishes.dayparts, None):
        slot = slot_on(day, calendar.zone, calendar.lawful(), daypart)
        if slot and slot.until_at > not_before:
            return Slot(max(slot.from_at, not_before), slot.until_at)
    return None


def next_slot(calendar: Calendar, *, days: tuple[date, date], not_before: datetime) -> Slot | None:
    """Return the first slot of the days (first, last) that is not over at ``not_before``.

    Weekdays that the patient likes come first, then the others.
    """
    liked = calendar.wishes.weekdays
    for day in sorted(_days(*days), key=lambda each: (each.weekday() not in liked, each)):
        slot = first_slot(calendar, day, not_before=not_before)
        if slot:
            return slot
    return None


def retry_slot(
    calendar: Calendar,
    policy: AttemptPolicy,
    dials: Sequence[PastDial],
    *,
    days: tuple[date, date],
    not_before: datetime,
) -> Slot | None:
    """Return when to dial again after ``dials``, or None when it is given up.

    At most ``max_dials``, ``max_dials_per_day`` of them on one day; the last one brings the
    tries to ``min_days`` days and ``min_dayparts`` parts of the day.

    Args:
        calendar: the patient's days.
        policy: how hard to try.
        dials: the tries so far.
        days: first and last day to consider, on the patient's calendar.
        not_before: aware instant; the policy's hours between dials are the caller's to add.

    Source: domain.md E2.
    """
    if len(dials) >= policy.max_dials:
        return None
    zone = calendar.zone
    tried_days = [dial.at.astimezone(zone).date() for dial in dials]
    tried_parts = {daypart_of(dial.at, zone) for dial in dials}
    is_last = len(dials) + 1 == policy.max_dials
    needs_new_day = is_last and len(set(tried_days)) < policy.min_days
    needs_new_part = is_last and len(tried_parts) < policy.min_dayparts
    for day in _days(*days):
        if tried_days.count(day) >= policy.max_dials_per_day:
            continue
        if needs_new_day and day in tried_days:
            continue
        for daypart in _parts_in_order(calendar.wishes, tried_parts):
            if needs_new_part and daypart in tried_parts:
                continue
            slot = slot_on(day, zone, calendar.lawful(), daypart)
            if slot and slot.until_at > not_before:
                return Slot(max(slot.from_at, not_before), slot.until_at)
    return None


def agreed_slot(calendar: Calendar, day: date, at: time, *, minutes: int = 30) -> Slot:
    """Return the slot of a time that the patient asked for, ``minutes`` long."""
    begins = datetime.combine(day, at, tzinfo=calendar.zone).astimezone(ZoneInfo("UTC"))
    return Slot(begins, begins + timedelta(minutes=minutes))


def _weekly_days(course: Course, phase: Phase) -> Iterator[date]:
    calls = phase.chosen(course.choices.get(phase.code))
    for week in range(phase.first_week - 1, phase.last_week):
        begins = course.starts_on + timedelta(weeks=week)
        days = [begins + timedelta(days=ahead) for ahead in range(WEEK)]
        yield from _spread(days, calls, course.calendar)


def _spread(days: Sequence[date], calls: int, calendar: Calendar) -> list[date]:
    """Choose ``calls`` of ``days``: those the patient likes first, as far apart as can be."""
    open_days = [day for day in days if calendar.lawful().is_open_day(day)]
    liked = [day for day in open_days if day.weekday() in calendar.wishes.weekdays]
    if len(liked) >= calls:
        return _evenly(liked, calls)
    others = [day for day in open_days if day not in liked]
    chosen = list(liked)
    while len(chosen) < calls and others:
        # The day farthest from those already chosen; the earliest of equals.
        best = max(others, key=lambda day: (_gap(day, chosen, days), -day.toordinal()))
        chosen.append(best)
        others.remove(best)
    return sorted(chosen)


def _gap(day: date, chosen: Sequence[date], days: Sequence[date]) -> int:
    if not chosen:
        return -(day - days[0]).days  # nothing chosen yet: the earlier the better
    return min(abs((day - other).days) for other in chosen)


def _evenly(days: Sequence[date], calls: int) -> list[date]:
    return [days[index * len(days) // calls] for index in range(calls)]


def _spaced_days(course: Course, phase: Phase) -> Iterator[date]:
    step = timedelta(days=phase.chosen(course.choices.get(phase.code)))
    begins, ends = phase.first_day(course.starts_on), phase.end_day(course.starts_on)
    last = course.last_due_on
    if last is not None and begins <= last < ends:
        day = _toward_liked(last + step, course.calendar.wishes)
    else:
        first_week = [begins + timedelta(days=ahead) for ahead in range(WEEK)]
        day = next(iter(_spread(first_week, 1, course.calendar)), begins)
    while day < ends:
        shifted = _next_open(day, course.calendar, ends)
        if shifted is not None:
            yield shifted
        day += step


def _toward_liked(day: date, wishes: Wishes) -> date:
    """Return the liked weekday nearest to ``day``; ``day`` itself where none is named."""
    near = [day + timedelta(days=off) for off in (0, 1, -1, 2, -2, 3, -3)]
    return next((each for each in near if each.weekday() in wishes.weekdays), day)


def _next_open(day: date, calendar: Calendar, ends: date) -> date | None:
    """Return ``day``, or the first open day after it within the week, before ``ends``."""
    for candidate in _days(day, min(day + timedelta(days=WEEK - 1), ends - timedelta(days=1))):
        if calendar.lawful().is_open_day(candidate):
            return candidate
    return None


def _parts_in_order(wishes: Wishes, tried: set[Daypart]) -> list[Daypart]:
    """Return parts of the day: liked before others, and among others untried ones first."""
    others = [part for part in Daypart if part not in wishes.dayparts]
    return [*wishes.dayparts, *sorted(others, key=lambda part: part in tried)]


def _days(first: date, last: date) -> Iterator[date]:
    for ahead in range((last - first).days + 1):
        yield first + timedelta(days=ahead)
