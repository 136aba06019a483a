"""For any programme, wishes, history and place on earth the next call is a lawful one."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise, product
from zoneinfo import ZoneInfo

import holidays
import pytest
from hypothesis import given
from hypothesis import strategies as st

from outreach.clock import local_day
from outreach.patients.rules import ContactHours, Daypart, Law, Wishes, is_allowed_at
from outreach.planning.rules import Calendar, Contact, Course, due_days, next_contact
from outreach.programmes.rules import PUBLISHED_PROTOCOL, Phase, Protocol, Rhythm
from outreach.programmes.rules.checking import problems

ZONES = (
    "Australia/Lord_Howe Pacific/Chatham Asia/Kathmandu America/Phoenix Africa/Casablanca "
    "America/New_York Europe/Berlin Pacific/Apia"
).split()
SUNDAY = 6
FEDERAL = frozenset(holidays.country_holidays("US", years=range(2025, 2029)))
SUNDAY_AFTERNOON = Law(frozenset({SUNDAY}), time(12), time(20), date(2020, 1, 1))
NO_SUNDAY = Law(frozenset({SUNDAY}), None, None, date(2026, 9, 1), date(2027, 4, 1))

zones = st.sampled_from(ZONES).map(ZoneInfo)
wishes = st.builds(
    Wishes,
    st.frozensets(st.integers(0, 6)),
    st.lists(st.sampled_from(Daypart), unique=True).map(tuple),
)
hours = st.builds(
    ContactHours,
    st.sampled_from((time(8), time(9), time(10, 30))),
    st.sampled_from((time(17), time(20), time(21))),
    closed_on=st.sampled_from((frozenset(), FEDERAL)),
    laws=st.sampled_from(((), (SUNDAY_AFTERNOON,), (NO_SUNDAY,))),
)
calendars = st.builds(Calendar, zones, wishes, hours)
# Every clock change of 2026 and 2027, on both halves of the earth, lies between these.
starts = st.dates(date(2026, 1, 1), date(2027, 10, 31))


@st.composite
def protocols(draw: st.DrawFn) -> Protocol:
    """Any programme that the editor would publish."""
    phases, first = [], 1
    for number in range(draw(st.integers(1, 4))):
        last = first + draw(st.integers(0, 7))
        rhythm = draw(st.sampled_from(Rhythm))
        most = 7 if rhythm is Rhythm.CALLS_PER_WEEK else 28
        choices = tuple(
            sorted(draw(st.lists(st.integers(1, most), min_size=1, max_size=4, unique=True)))
        )
        default = draw(st.sampled_from(choices))
        phases.append(Phase(f"p{number}", first, last, rhythm, choices, default, f"P{number}"))
        first = last + 1
    return Protocol(tuple(phases))


@st.composite
def courses(draw: st.DrawFn) -> Course:
    """Any enrolment without calls so far."""
    protocol = draw(st.just(PUBLISHED_PROTOCOL) | protocols())
    chosen = {each.code: draw(st.sampled_from(each.choices)) for each in protocol.phases}
    starts_on, away = draw(starts), None
    if draw(st.booleans()):  # a pause is to come
        first = starts_on + timedelta(days=draw(st.integers(0, 60)))
        away = (first, first + timedelta(days=draw(st.integers(1, 40))))
    return Course(protocol, starts_on, chosen, draw(calendars), away=away)


def lived(
    course: Course, now: datetime, waits: Iterator[timedelta]
) -> Iterator[tuple[Course, datetime, Contact]]:
    """Plan one call after another, each completed after a wait; yield each as it was planned."""
    is_done_today = False
    while (found := next_contact(course, now=now, is_done_today=is_done_today)) is not None:
        yield course, now, found
        week = (found.due.on - course.starts_on).days // 7
        last = course.last_due_on
        is_same_week = last is not None and (last - course.starts_on).days // 7 == week
        course = replace(
            course,
            last_due_on=found.due.on,
            due_in_week=course.due_in_week * is_same_week + 1,
        )
        now = found.slot.from_at + next(waits)
        is_done_today = True


def check(course: Course, now: datetime, found: Contact) -> None:
    """Hold one planned call against the promises of the plan."""
    calendar, due, slot = course.calendar, found.due, found.slot
    zone = calendar.zone
    on = local_day(slot.from_at, zone)
    last = slot.until_at - timedelta(seconds=1)
    assert slot.from_at >= now
    assert slot.from_at < slot.until_at
    assert is_allowed_at(slot.from_at, zone, calendar.lawful())
    assert is_allowed_at(last, zone, calendar.lawful())
    assert local_day(last, zone) == on
    assert due.on <= on <= due.complete_by_on
    assert course.starts_on <= due.on
    assert due.complete_by_on < course.protocol.ends_on(course.starts_on)
    assert on.weekday() != SUNDAY or SUNDAY in calendar.wishes.weekdays
    assert course.last_due_on is None or due.on > course.last_due_on
    assert not any(map(course.is_away, (due.on, on, due.complete_by_on)))


@given(courses(), st.integers(-48, 24 * 120), st.data())
def test_every_call_of_a_programme_is_lawful_ahead_and_on_a_day_of_its_own(
    course: Course, hours_in: int, data: st.DataObject
) -> None:
    began = datetime.combine(course.starts_on, time(), tzinfo=UTC) + timedelta(hours=hours_in)
    waits = st.sampled_from((0, 1, 30, 700, 3000, 20_000)).map(lambda each: timedelta(minutes=each))
    days, slots = [], []
    for planned_by, now, found in lived(course, began, iter(lambda: data.draw(waits), None)):
        check(planned_by, now, found)
        days.append(found.due.on)
        slots.append(found.slot)

    assert problems(course.protocol) == []
    assert days == sorted(set(days))
    assert all(one.from_at < other.from_at for one, other in pairwise(slots))
    for phase in course.protocol.phases:
        if phase.rhythm is Rhythm.CALLS_PER_WEEK:
            most = phase.chosen(course.choices[phase.code])
            for week in range(phase.first_week - 1, phase.last_week):
                begins = course.starts_on + timedelta(weeks=week)
                ends = begins + timedelta(weeks=1)
                assert sum(begins <= day < ends for day in days) <= most


@given(courses(), st.integers(-48, 24 * 120), st.integers(0, 20), wishes, zones)
def test_planning_twice_is_planning_once_and_depends_on_nothing_else(
    course: Course, hours_in: int, calls_before: int, others: Wishes, elsewhere: ZoneInfo
) -> None:
    now = datetime.combine(course.starts_on, time(), tzinfo=UTC) + timedelta(hours=hours_in)
    for _call, (planned_by, then, _found) in zip(
        range(calls_before + 1), lived(course, now, iter(lambda: timedelta(0), None)), strict=False
    ):
        course, now = planned_by, then
    first = next_contact(course, now=now)
    used = replace(course, calendar=Calendar(elsewhere, others, course.calendar.hours))
    next_contact(used, now=now)  # what is remembered of one calendar is not of another

    assert next_contact(course, now=now) == first


@given(courses(), st.lists(st.tuples(st.integers(0, 40), calendars), min_size=1, max_size=4))
def test_who_moves_or_thinks_again_in_mid_programme_keeps_every_promise(
    course: Course, moves: list[tuple[int, Calendar]]
) -> None:
    now = datetime.combine(course.starts_on, time(15), tzinfo=UTC)
    days = []
    for calls, calendar in moves:
        course = replace(course, calendar=calendar)
        steps = lived(course, now, iter(lambda: timedelta(hours=2), None))
        for _call, (planned_by, then, found) in zip(range(calls), steps, strict=False):
            check(planned_by, then, found)
            days.append(found.due.on)
            course, now = planned_by, then
            course = replace(course, last_due_on=found.due.on)
            now = found.slot.from_at

    assert days == sorted(set(days))
    assert all(course.starts_on <= day for day in days)


# On every weekday, over a year with all its holidays.
STARTS = [date(2026, 11, 23) + timedelta(days=ahead) for ahead in range(0, 371, 53)]


@pytest.mark.parametrize(("per_week", "days_between"), list(product((1, 2, 3, 4, 5), (7, 14))))
def test_the_published_protocol_has_17_to_40_calls_whatever_a_patient_chooses(
    per_week: int, days_between: int
) -> None:
    """Every choice and every set of weekdays, from each weekday on, in years with holidays."""
    chosen = {"weeks_2_to_4": per_week, "weeks_5_to_26": days_between}
    assert {day.weekday() for day in STARTS} == set(range(7))
    hours = ContactHours(closed_on=FEDERAL)
    counts = set()
    for mask, starts_on in product(range(128), STARTS):
        liked = frozenset(day for day in range(7) if mask >> day & 1)
        calendar = Calendar(ZoneInfo("America/New_York"), Wishes(liked), hours)
        course = Course(PUBLISHED_PROTOCOL, starts_on, chosen, calendar)
        counts.add(sum(1 for _due in due_days(course)))

    assert 17 <= min(counts) <= max(counts) <= 40
