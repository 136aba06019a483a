"""Which call comes next, and when to dial. Pure: the time is an argument."""

import enum
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cached_property, lru_cache
from itertools import combinations, groupby, islice
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
    WELFARE_CHECK = "welfare check"


@dataclass(frozen=True)
class Calendar:
    """A patient's days: where they live, when they like calls, when calls are lawful.

    ``worked`` are the weekdays on which their caller works, empty where nobody has said: what
    the patient wishes comes first, then these, then any lawful day.
    """

    zone: ZoneInfo
    wishes: Wishes
    hours: ContactHours
    worked: frozenset[int] = frozenset()

    def lawful(self) -> ContactHours:
        """Return the contact hours with Sunday only where the patient asked for it."""
        return self._lawful

    def is_open(self, day: date) -> bool:
        """Say whether this patient may be called on ``day`` at all."""
        if day not in self._open:
            self._open[day] = self._lawful.is_open_day(day)
        return self._open[day]

    def rank(self, day: date) -> tuple[bool, bool]:
        """Return how well ``day`` suits patient and caller: the lower the better."""
        weekday = day.weekday()
        is_disliked = bool(self.wishes.weekdays) and weekday not in self.wishes.weekdays
        return is_disliked, bool(self.worked) and weekday not in self.worked

    def spread(self, begins: date, calls: int) -> tuple[date, ...]:
        """Choose days for ``calls`` in the week from ``begins`` on.

        Those that suit best come first, and they lie as far apart as can be.
        """
        if (begins, calls) not in self._weeks:
            self._weeks[begins, calls] = _spread(begins, calls, self)
        return self._weeks[begins, calls]

    @cached_property
    def _lawful(self) -> ContactHours:
        return self.hours.wished(self.wishes)

    @cached_property
    def _open(self) -> dict[date, bool]:
        """Days asked for before: one calendar serves many patients."""
        return {}

    @cached_property
    def _weeks(self) -> dict[tuple[date, int], tuple[date, ...]]:
        """Weeks asked for before, by their first day and how many calls are in them."""
        return {}


@dataclass(frozen=True)
class Course:
    """One enrolment as the planner sees it. ``choices``: phase code to the patient's choice.

    ``last_due_on`` is the day of the latest planned call, from which 'every so many days'
    is counted, so that a rhythm chosen today never brings two calls close together.
    ``due_in_week`` counts the calls of its week, itself included, so that new wishes don't
    bring more calls into a week than were chosen. ``away`` is a pause to come: its first day,
    and the first day after it.
    """

    protocol: Protocol
    starts_on: date
    choices: Mapping[str, int]
    calendar: Calendar
    last_due_on: date | None = None
    due_in_week: int = 0
    away: tuple[date, date] | None = None

    def is_away(self, day: date) -> bool:
        """Say whether ``day`` lies in the pause to come."""
        return self.away is not None and self.away[0] <= day < self.away[1]

    def last_before_pause(self, on: date, last: date) -> date:
        """Return the last day of ``on`` to ``last`` before the pause to come begins."""
        if self.away is None or not on < self.away[0] <= last:
            return last
        return self.away[0] - timedelta(days=1)


@dataclass(frozen=True)
class Due:
    """A contact of the plan: the day it is due, and the last day on which it still counts."""

    on: date
    complete_by_on: date
    phase: str


@dataclass(frozen=True)
class Contact:
    """A contact of the plan and when to dial for it."""

    due: Due
    slot: Slot


@dataclass(frozen=True)
class PastDial:
    """One try of the same planned call, on the patient's clock."""

    at: datetime


def due_days(course: Course, *, after: date = date.min) -> Iterator[tuple[date, str]]:
    """Yield every (due day, phase code) of an enrolment later than ``after``, in order.

    Per-week phases spread their calls over each week of the programme; phases of one call
    every so many days keep to one weekday that the patient likes.
    """
    for phase in course.protocol.phases:
        if phase.end_day(course.starts_on) <= after:
            continue
        days = _weekly_days if phase.rhythm is Rhythm.CALLS_PER_WEEK else _spaced_days
        for day in days(course, phase, after):
            if day > after and not course.is_away(day):
                yield day, phase.code


def next_due(course: Course, *, after: date) -> Due | None:
    """Return the first contact due later than ``after``, or None when the programme is over.

    What was missed before is not made up for: calls don't pile up.
    """
    ahead = list(islice(due_days(course, after=after), 2))
    if not ahead:
        return None
    on, phase = ahead[0]
    last = ahead[1][0] if len(ahead) > 1 else course.protocol.ends_on(course.starts_on)
    return Due(on, course.last_before_pause(on, max(on, last - timedelta(days=1))), phase)


def next_contact(
    course: Course, *, now: datetime, is_done_today: bool = False, not_today: bool = False
) -> Contact | None:
    """Return the next contact to plan and when to dial for it, None when none is left.

    Never a day planned for before, never the past, and the slot lies within its days. This
    depends on nothing but its arguments, so it holds for everybody who shares them.

    Args:
        course: where the enrolment stands; it has no open call.
        now: aware instant.
        is_done_today: a call was completed today, so the next is due tomorrow or later.
        not_today: somebody dialled today, so that the next dial waits for tomorrow.
    """
    calendar, begins_at = course.calendar, now
    today = now.astimezone(calendar.zone).date()
    first = first_day(course.starts_on, course.last_due_on, today, is_done_today=is_done_today)
    if not_today:
        tomorrow = datetime.combine(today + timedelta(days=1), time(), tzinfo=calendar.zone)
        begins_at = tomorrow.astimezone(UTC)
    due = next_due(course, after=first - timedelta(days=1))
    while due is not None:
        slot = contact_slot(calendar, due, not_before=begins_at)
        if slot is not None:
            return Contact(due, slot)
        due = next_due(course, after=due.on)
    return None


def first_day(
    starts_on: date, last_due_on: date | None, today: date, *, is_done_today: bool
) -> date:
    """Return the first day on which the next contact may be due."""
    first = max(starts_on, today + timedelta(days=is_done_today))
    if last_due_on is not None and last_due_on >= first:
        return last_due_on + timedelta(days=1)
    return first


def contact_slot(calendar: Calendar, due: Due, *, not_before: datetime) -> Slot | None:
    """Return when to dial for ``due``: on its day, else on a later one that still counts."""
    return first_slot(calendar, due.on, not_before=not_before) or next_slot(
        calendar, days=(due.on, due.complete_by_on), not_before=not_before
    )


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

    Weekdays that suit the patient come first, then those that suit their caller.
    """
    for day in sorted(_days(*days), key=lambda each: (calendar.rank(each), each)):
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

    At most ``max_dials``, ``max_dials_per_day`` of them on one day; the last ones bring the
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
    left = policy.max_dials - len(dials)
    needs_new_day = left <= policy.min_days - len(set(tried_days))
    needs_new_part = left <= policy.min_dayparts - len(tried_parts)
    by_caller = sorted(_days(*days), key=lambda each: (calendar.rank(each)[1], each))
    for day in by_caller:
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


def _weekly_days(course: Course, phase: Phase, after: date) -> Iterator[date]:
    """Yield the days of a phase of so many calls a week, from the week after ``after`` on."""
    calls = phase.chosen(course.choices.get(phase.code))
    weeks_over = max(0, (after - course.starts_on).days // WEEK)
    for week in range(max(phase.first_week - 1, weeks_over), phase.last_week):
        begins = course.starts_on + timedelta(weeks=week)
        days = course.calendar.spread(begins, calls)
        last = course.last_due_on
        if last is not None and begins <= last < begins + timedelta(weeks=1):
            days = tuple(day for day in days if day > last)[: max(0, calls - course.due_in_week)]
        yield from days


def _spread(begins: date, calls: int, calendar: Calendar) -> tuple[date, ...]:
    days = [begins + timedelta(days=ahead) for ahead in range(WEEK)]
    left = sorted((day for day in days if calendar.is_open(day)), key=calendar.rank)
    chosen: tuple[int, ...] = ()
    for _rank, suited in groupby(left, key=calendar.rank):
        offered = tuple((day - begins).days for day in suited)
        chosen = _apart(chosen, offered, min(calls - len(chosen), len(offered)))
    return tuple(days[each] for each in chosen)


@lru_cache(maxsize=4096)
def _apart(fixed: tuple[int, ...], offered: tuple[int, ...], count: int) -> tuple[int, ...]:
    """Return days of a week: ``fixed`` and ``count`` more of ``offered``.

    The shortest gaps, over the weekend too, are as long as can be; then the earliest days.
    """
    every = (tuple(sorted(fixed + more)) for more in combinations(offered, count))
    return max(every, key=lambda chosen: (_gaps(chosen), [-day for day in chosen]))


def _gaps(chosen: tuple[int, ...]) -> list[int]:
    """Return the days from each to the next, round the week, the shortest first."""
    following = (*chosen[1:], *(day + WEEK for day in chosen[:1]))
    return sorted(later - day for day, later in zip(chosen, following, strict=True))


def _spaced_days(course: Course, phase: Phase, after: date) -> Iterator[date]:
    """Yield the days of a phase of one call every so many days, those after ``after``."""
    step = phase.chosen(course.choices.get(phase.code))
    begins, ends = phase.first_day(course.starts_on), phase.end_day(course.starts_on)
    last = course.last_due_on
    if last is not None and begins <= last < ends:
        day = _toward_liked(last + timedelta(days=step), course.calendar.wishes)
    else:
        day = next(iter(course.calendar.spread(begins, 1)), begins)
    # A closed day moves a call by less than a week, so nothing before that can count.
    steps_over = max(0, (after - day).days - WEEK) // step
    day += timedelta(days=steps_over * step)
    latest = after
    while day < ends:
        shifted = _next_open(day, course.calendar, ends)
        if shifted is not None and shifted > latest:
            yield shifted
            latest = shifted
        day += timedelta(days=step)


def _toward_liked(day: date, wishes: Wishes) -> date:
    """Return the liked weekday nearest to ``day``; ``day`` itself where none is named."""
    if not wishes.weekdays:
        return day
    for off in (0, 1, -1, 2, -2, 3, -3):
        if (day.weekday() + off) % WEEK in wishes.weekdays:
            return day + timedelta(days=off)
    return day


def _next_open(day: date, calendar: Calendar, ends: date) -> date | None:
    """Return ``day``, or the next open day within the week, before ``ends``.

    One that the patient likes or on which their caller works, before any other.
    """
    fallback = None
    for ahead in range(WEEK):
        later = day + timedelta(days=ahead)
        if later >= ends:
            break
        if not calendar.is_open(later):
            continue
        is_disliked, is_off = calendar.rank(later)
        if not is_off or (calendar.wishes.weekdays and not is_disliked):
            return later
        fallback = fallback or later
    return fallback


def _parts_in_order(wishes: Wishes, tried: set[Daypart]) -> list[Daypart]:
    """Return parts of the day: liked before others, and among others untried ones first."""
    others = [part for part in Daypart if part not in wishes.dayparts]
    return [*wishes.dayparts, *sorted(others, key=lambda part: part in tried)]


def _days(first: date, last: date) -> Iterator[date]:
    for ahead in range((last - first).days + 1):
        yield first + timedelta(days=ahead)
