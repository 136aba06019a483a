"""Which call comes next, and when to dial."""

from collections import Counter
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outreach.patients.rules import ContactHours, Daypart, Law, Wishes, daypart_of, may_agree
from outreach.planning.rules import (
    Calendar,
    Course,
    PastDial,
    agreed_slot,
    due_days,
    first_slot,
    next_due,
    next_slot,
    retry_slot,
)
from outreach.programmes.rules import PUBLISHED_PROTOCOL, AttemptPolicy
from tests.unit.programmes.protocols import attempts

CHICAGO = ZoneInfo("America/Chicago")
MONDAY = date(2026, 11, 23)
POLICY = AttemptPolicy()


def calendar(
    zone: ZoneInfo = CHICAGO,
    weekdays: frozenset[int] = frozenset(),
    dayparts: tuple[Daypart, ...] = (),
    hours: ContactHours = ContactHours(),  # noqa: B008 - frozen
) -> Calendar:
    return Calendar(zone, Wishes(weekdays, dayparts), hours)


def course(
    starts_on: date = MONDAY,
    choices: dict[str, int] | None = None,
    weekdays: frozenset[int] = frozenset(),
) -> Course:
    return Course(PUBLISHED_PROTOCOL, starts_on, choices or {}, calendar(weekdays=weekdays))


def local(day: date, hour: int, minute: int = 0, zone: ZoneInfo = CHICAGO) -> datetime:
    return datetime.combine(day, time(hour, minute), tzinfo=zone).astimezone(UTC)


def test_the_published_protocol_has_17_to_40_calls() -> None:
    fewest = course(choices={"weeks_2_to_4": 1, "weeks_5_to_26": 14})
    most = course(choices={"weeks_2_to_4": 5, "weeks_5_to_26": 7})

    assert len(list(due_days(fewest))) == 17
    assert len(list(due_days(most))) == 40


def test_week_one_has_three_calls_spread_over_the_week() -> None:
    first_week = [day for day, phase in due_days(course()) if phase == "week_1"]

    assert len(first_week) == 3
    assert first_week[0] == MONDAY
    assert all(later - earlier >= timedelta(days=2) for earlier, later in pairwise(first_week))


def test_calls_keep_to_the_weekdays_that_the_patient_likes() -> None:
    tuesdays_and_thursdays = course(weekdays=frozenset({1, 3}))

    days = [day for day, phase in due_days(tuesdays_and_thursdays) if phase != "week_1"]

    assert {day.weekday() for day in days} == {1, 3}


def test_nobody_is_called_on_sunday_who_did_not_ask_for_it() -> None:
    starts_on_sunday = course(date(2026, 11, 22), {"weeks_2_to_4": 5})

    assert all(day.weekday() != 6 for day, _phase in due_days(starts_on_sunday))


def test_who_asked_for_sundays_is_called_on_sundays() -> None:
    sundays = course(weekdays=frozenset({6}))

    days = [day for day, phase in due_days(sundays) if phase == "weeks_5_to_26"]

    assert {day.weekday() for day in days} == {6}


@given(
    starts_on=st.dates(date(2026, 1, 1), date(2028, 12, 31)),
    weekdays=st.frozensets(st.integers(0, 6)),
    per_week=st.integers(1, 5),
    days_between=st.sampled_from([7, 14]),
)
def test_the_plan_is_in_order_inside_the_programme_and_never_twice_a_day(
    starts_on: date, weekdays: frozenset[int], per_week: int, days_between: int
) -> None:
    chosen = {"weeks_2_to_4": per_week, "weeks_5_to_26": days_between}
    plan = list(due_days(course(starts_on, chosen, weekdays=weekdays)))
    days = [day for day, _phase in plan]

    assert days == sorted(set(days))
    assert starts_on <= days[0]
    assert days[-1] < PUBLISHED_PROTOCOL.ends_on(starts_on)
    for week in range(1, 4):
        begins = starts_on + timedelta(weeks=week)
        assert sum(begins <= day < begins + timedelta(weeks=1) for day in days) == per_week


@given(
    starts_on=st.dates(date(2026, 1, 1), date(2027, 12, 31)),
    weekdays=st.frozensets(st.integers(0, 6)),
    ahead=st.integers(-10, 190),
)
def test_the_next_call_is_later_and_its_days_end_before_the_one_after(
    starts_on: date, weekdays: frozenset[int], ahead: int
) -> None:
    one = course(starts_on, weekdays=weekdays)
    after = starts_on + timedelta(days=ahead)

    due = next_due(one, after=after)

    if due is None:
        assert all(day <= after for day, _phase in due_days(one))
        return
    following = next_due(one, after=due.on)
    assert due.on > after
    assert due.on <= due.complete_by_on
    assert following is None or due.complete_by_on < following.on


def test_missed_calls_do_not_pile_up() -> None:
    one = course()

    due = next_due(one, after=MONDAY + timedelta(days=90))

    assert due is not None
    assert due.on > MONDAY + timedelta(days=90)


@pytest.mark.parametrize(
    ("dayparts", "now_hour", "expected"),
    [
        pytest.param((Daypart.EVENING,), 8, (17, 20), id="the part the patient likes"),
        pytest.param((Daypart.MORNING, Daypart.EVENING), 13, (17, 20), id="the first that is left"),
        pytest.param((Daypart.MORNING,), 13, (13, 20), id="any, when the liked one is over"),
        pytest.param((), 8, (9, 20), id="the whole day without a wish"),
    ],
)
def test_a_call_is_dialled_in_the_part_of_the_day_that_the_patient_likes(
    dayparts: tuple[Daypart, ...], now_hour: int, expected: tuple[int, int]
) -> None:
    slot = first_slot(calendar(dayparts=dayparts), MONDAY, not_before=local(MONDAY, now_hour))

    assert slot is not None
    assert (slot.from_at, slot.until_at) == (local(MONDAY, expected[0]), local(MONDAY, expected[1]))


def test_the_second_try_is_hours_later_and_the_third_on_another_day_and_part() -> None:
    tries = [PastDial(local(MONDAY, 9, 30))]
    days = (MONDAY, MONDAY + timedelta(days=2))

    second = retry_slot(calendar(), POLICY, tries, days=days, not_before=local(MONDAY, 12, 30))
    assert second is not None
    assert second.from_at == local(MONDAY, 12, 30)

    tries.append(PastDial(local(MONDAY, 11, 45)))
    third = retry_slot(calendar(), POLICY, tries, days=days, not_before=local(MONDAY, 14, 45))
    assert third is not None
    assert third.from_at == local(MONDAY + timedelta(days=1), 12)
    assert daypart_of(third.from_at, CHICAGO) is Daypart.AFTERNOON


def test_after_three_tries_it_is_given_up() -> None:
    tries = [PastDial(local(MONDAY, 9)), PastDial(local(MONDAY, 13)), PastDial(local(MONDAY, 18))]

    days = (MONDAY, MONDAY + timedelta(days=7))
    assert retry_slot(calendar(), POLICY, tries, days=days, not_before=local(MONDAY, 19)) is None


@given(
    policy=attempts(),
    dayparts=st.lists(st.sampled_from(list(Daypart)), unique=True).map(tuple),
    hour=st.integers(9, 19),
)
def test_tries_reach_as_many_days_and_parts_of_the_day_as_the_programme_asks_for(
    policy: AttemptPolicy, dayparts: tuple[Daypart, ...], hour: int
) -> None:
    theirs, pause = calendar(dayparts=dayparts), timedelta(hours=policy.hours_between)
    days = (MONDAY, MONDAY + timedelta(days=60))
    tries = [PastDial(local(MONDAY, hour))]

    while slot := retry_slot(theirs, policy, tries, days=days, not_before=tries[-1].at + pause):
        tries.append(PastDial(slot.from_at))

    by_day = Counter(each.at.astimezone(CHICAGO).date() for each in tries)
    assert len(tries) == policy.max_dials
    assert len(by_day) >= policy.min_days
    assert max(by_day.values()) <= policy.max_dials_per_day
    assert len({daypart_of(each.at, CHICAGO) for each in tries}) >= policy.min_dayparts


ZONES = (
    "America/Chicago America/Phoenix America/New_York Pacific/Honolulu Australia/Lord_Howe "
    "Pacific/Chatham Asia/Kathmandu Africa/Casablanca Europe/Lisbon Pacific/Kiritimati"
).split()


@given(
    zone=st.sampled_from(ZONES).map(ZoneInfo),
    day=st.dates(date(2026, 1, 1), date(2028, 12, 31)),
    weekdays=st.frozensets(st.integers(0, 6)),
    dayparts=st.lists(st.sampled_from(list(Daypart)), unique=True).map(tuple),
    hours_ahead=st.integers(0, 100),
)
def test_no_slot_is_ever_outside_the_lawful_hours_of_the_patients_own_day(
    zone: ZoneInfo,
    day: date,
    weekdays: frozenset[int],
    dayparts: tuple[Daypart, ...],
    hours_ahead: int,
) -> None:
    one = calendar(zone, weekdays, dayparts)
    not_before = local(day, 0, zone=zone) + timedelta(hours=hours_ahead)

    slot = next_slot(one, days=(day, day + timedelta(days=9)), not_before=not_before)

    assert slot is not None
    begins, ends = slot.from_at.astimezone(zone), slot.until_at.astimezone(zone)
    assert slot.from_at >= not_before
    assert slot.from_at < slot.until_at
    assert begins.date() == ends.date()
    assert time(9) <= begins.time() < ends.time() <= time(20)
    assert begins.weekday() != 6 or 6 in weekdays


def test_an_agreed_time_is_the_patients_wall_clock_on_both_sides_of_a_clock_change() -> None:
    before = agreed_slot(calendar(), date(2026, 3, 7), time(15))
    after = agreed_slot(calendar(), date(2026, 3, 8), time(15))

    assert after.from_at - before.from_at == timedelta(hours=23)


@pytest.mark.parametrize(
    ("zone", "is_kept"),
    [("America/Phoenix", True), ("America/Chicago", False), ("Pacific/Honolulu", True)],
)
def test_a_promised_time_is_not_kept_in_the_night_of_a_new_zone(
    zone: str,
    is_kept: bool,  # noqa: FBT001 - a parameter of pytest
) -> None:
    slot = agreed_slot(calendar(ZoneInfo("America/Phoenix")), date(2026, 11, 24), time(20, 30))

    assert may_agree(slot.from_at, ZoneInfo(zone), ContactHours()) is is_kept


def test_a_promised_time_is_not_kept_where_the_law_forbids_calls_on_that_day() -> None:
    sundays = Law(frozenset({6}), None, None, date(2020, 1, 1))
    hours = ContactHours(laws=(sundays,))
    sunday, monday = (
        agreed_slot(calendar(hours=hours), day, time(15))
        for day in (date(2026, 11, 29), date(2026, 11, 30))
    )

    assert not may_agree(sunday.from_at, CHICAGO, hours)
    assert may_agree(monday.from_at, CHICAGO, hours)


def test_two_calls_a_week_lie_days_apart_and_over_the_weekend_too() -> None:
    twice = course(choices={"weeks_2_to_4": 2})

    days = [day for day, phase in due_days(twice) if phase == "weeks_2_to_4"]

    assert {day.weekday() for day in days} == {0, 3}
    assert all(timedelta(days=3) <= later - earlier for earlier, later in pairwise(days))


@given(
    worked=st.frozensets(st.integers(0, 6)),
    weekdays=st.frozensets(st.integers(0, 6)),
    chosen=st.integers(1, 5),
)
def test_calls_keep_to_the_days_on_which_the_caller_works_where_the_patient_lets_them(
    worked: frozenset[int], weekdays: frozenset[int], chosen: int
) -> None:
    theirs = replace(calendar(weekdays=weekdays), worked=worked)
    choices = {"weeks_2_to_4": chosen}
    days = [
        day
        for day, phase in due_days(Course(PUBLISHED_PROTOCOL, MONDAY, choices, theirs))
        if phase == "weeks_2_to_4"
    ]
    lawful = frozenset(range(6)) | weekdays
    best = lawful & (weekdays or lawful) & (worked or lawful)

    assert len(days) == 3 * chosen
    if len(best) >= chosen:
        assert {day.weekday() for day in days} <= best
    else:
        assert best <= {day.weekday() for day in days}


def test_a_call_every_so_many_days_moves_to_a_day_on_which_the_caller_works() -> None:
    only_mondays = replace(calendar(), worked=frozenset({0}))
    begun_on_a_friday = Course(PUBLISHED_PROTOCOL, date(2026, 11, 27), {}, only_mondays)

    days = [day for day, phase in due_days(begun_on_a_friday) if phase == "weeks_5_to_26"]

    assert {day.weekday() for day in days} == {0}


def test_a_second_try_waits_for_a_day_on_which_the_caller_works() -> None:
    to_friday = replace(calendar(), worked=frozenset(range(5)))
    friday = date(2026, 11, 27)
    tried = [PastDial(local(friday, 17))]
    week = (friday, date(2026, 12, 1))

    slot = retry_slot(to_friday, POLICY, tried, days=week, not_before=local(friday, 20))
    weekend = retry_slot(
        to_friday, POLICY, tried, days=(friday, date(2026, 11, 28)), not_before=local(friday, 20)
    )

    assert slot is not None
    assert slot.from_at.astimezone(CHICAGO).date() == date(2026, 11, 30)
    assert weekend is not None
    assert weekend.from_at.astimezone(CHICAGO).date() == date(2026, 11, 28)
