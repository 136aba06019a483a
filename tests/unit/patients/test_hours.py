"""Hours are lawful on every day of the year, wherever the patient lives."""

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from outreach.patients.rules import (
    MONDAY_TO_SATURDAY,
    ContactHours,
    Daypart,
    Law,
    Wishes,
    hours_on,
    latest_allowed_at,
    next_allowed_at,
    slot_on,
)

# Half-hour clock changes, 45-minute offsets, none at all, and Ramadan's.
ODD_ZONES = (
    "America/Chicago",
    "America/Phoenix",
    "America/St_Johns",
    "Australia/Lord_Howe",
    "Pacific/Chatham",
    "Asia/Kathmandu",
    "Africa/Casablanca",
    "Pacific/Apia",
    "Europe/Lisbon",
)
EVERY_DAY = frozenset(range(7))
SUNDAY = frozenset({6})

zones = st.sampled_from(ODD_ZONES).map(ZoneInfo)
days = st.dates(date(2025, 1, 1), date(2028, 12, 31))
times = st.times().map(lambda at: at.replace(minute=at.minute // 15 * 15, second=0, microsecond=0))
instants = st.datetimes(datetime(2025, 1, 1), datetime(2028, 12, 31), timezones=st.just(UTC))  # noqa: DTZ001


@st.composite
def hours(draw: st.DrawFn) -> ContactHours:
    """Any hours that open at some time of some day of the week."""
    opens, closes = sorted((draw(times), draw(times)))
    laws = draw(
        st.lists(
            st.builds(
                Law,
                st.frozensets(st.integers(0, 6)),
                st.just(time(10)),
                st.just(time(18)),
                days,
                st.none() | days,
            ),
            max_size=3,
        )
    )
    weekdays = draw(st.frozensets(st.integers(0, 6), min_size=1))
    closed = draw(st.frozensets(days, max_size=3))
    return ContactHours(opens, closes, weekdays, closed, tuple(laws))


@given(days, zones, hours(), st.none() | st.sampled_from(Daypart))
@example(date(2026, 3, 8), ZoneInfo("America/Chicago"), ContactHours(time(2, 30), time(3)), None)
@example(
    date(2026, 11, 1),
    ZoneInfo("America/Chicago"),
    ContactHours(time(1, 15), time(1, 45), EVERY_DAY),
    None,
)
def test_every_minute_of_a_slot_shows_a_lawful_time_where_the_patient_is(
    day: date, zone: ZoneInfo, hours: ContactHours, daypart: Daypart | None
) -> None:
    slot = slot_on(day, zone, hours, daypart)
    if slot is None:
        return
    bounds = hours.bounds_on(day)
    assert bounds is not None
    opens, closes = bounds
    assert slot.from_at < slot.until_at
    at = slot.from_at
    while at < slot.until_at:
        local = at.astimezone(zone)
        assert local.date() == day
        assert opens <= local.time() < closes
        if daypart:
            assert daypart.begins <= local.time() < daypart.ends
        at += timedelta(minutes=15)


@given(instants, zones, hours())
def test_the_next_allowed_instant_is_one_and_never_lies_before(
    now: datetime, zone: ZoneInfo, hours: ContactHours
) -> None:
    try:
        found = next_allowed_at(now, zone, hours)
    except ValueError:
        return  # hours that never open within a year
    assert found >= now
    assert next_allowed_at(found, zone, hours) == found
    stretch = hours_on(found.astimezone(zone).date(), zone, hours)
    assert stretch is not None
    assert stretch.from_at <= found < stretch.until_at


@given(instants, st.timedeltas(timedelta(0), timedelta(days=9)), zones)
def test_whoever_asks_later_is_answered_no_earlier(
    now: datetime, later: timedelta, zone: ZoneInfo
) -> None:
    hours = ContactHours(closed_on=frozenset({date(2026, 12, 25), date(2027, 1, 1)}))

    assert next_allowed_at(now, zone, hours) <= next_allowed_at(now + later, zone, hours)


@given(instants, zones)
def test_what_would_fall_outside_is_brought_forward_into_the_hours(
    before: datetime, zone: ZoneInfo
) -> None:
    hours = ContactHours()
    found = latest_allowed_at(before, zone, hours)

    assert found <= before
    assert next_allowed_at(found, zone, hours) == found


@pytest.mark.parametrize(
    ("zone", "changes_on", "hours_long"),
    [
        ("America/Chicago", date(2026, 3, 8), 10),
        ("America/Chicago", date(2026, 11, 1), 10),
        ("Australia/Lord_Howe", date(2026, 4, 5), 10),
        ("Australia/Lord_Howe", date(2026, 10, 4), 10),
        ("Pacific/Chatham", date(2026, 4, 5), 10),
    ],
)
def test_a_day_on_which_clocks_change_is_as_long_as_any_between_10_and_20(
    zone: str, changes_on: date, hours_long: int
) -> None:
    """Clocks change at night: the hours of the day lie behind the change."""
    found = hours_on(changes_on, ZoneInfo(zone), ContactHours(time(10), time(20), EVERY_DAY))

    assert found is not None
    assert found.until_at - found.from_at == timedelta(hours=hours_long)


def test_a_law_narrows_the_clinics_hours_from_its_first_day_on() -> None:
    texas = Law(MONDAY_TO_SATURDAY, time(9), time(18), date(2026, 9, 1), date(2027, 1, 1))
    hours = ContactHours(time(8), time(20), laws=(texas,))

    assert hours.bounds_on(date(2026, 8, 31)) == (time(8), time(20))
    assert hours.bounds_on(date(2026, 9, 1)) == (time(9), time(18))
    assert hours.bounds_on(date(2026, 12, 31)) == (time(9), time(18))
    assert hours.bounds_on(date(2027, 1, 2)) == (time(8), time(20))


def test_a_law_never_widens_what_the_clinic_does() -> None:
    wide = Law(EVERY_DAY, time(6), time(23), date(2000, 1, 1))

    assert ContactHours(laws=(wide,)).bounds_on(date(2026, 11, 23)) == (time(9), time(20))


def test_sunday_is_for_those_who_asked_and_not_where_the_law_forbids_it() -> None:
    sunday = date(2026, 11, 29)
    asked = Wishes(SUNDAY)
    forbidden = Law(SUNDAY, None, None, date(2000, 1, 1))
    afternoon = Law(SUNDAY, time(12), time(21), date(2000, 1, 1))

    assert ContactHours().bounds_on(sunday) is None
    assert ContactHours().wished(asked).bounds_on(sunday) == (time(9), time(20))
    assert ContactHours(laws=(afternoon,)).wished(asked).bounds_on(sunday) == (time(12), time(20))
    assert ContactHours(laws=(forbidden,)).wished(asked).bounds_on(sunday) is None


@given(hours(), st.frozensets(st.integers(0, 6)))
def test_wishes_open_no_day_that_is_closed(hours: ContactHours, wished: frozenset[int]) -> None:
    mine = hours.wished(Wishes(wished))

    assert all(mine.bounds_on(day) is None for day in hours.closed_on)


@given(hours(), st.frozensets(st.integers(0, 6)), st.lists(days, min_size=1))
def test_hours_by_day_are_open_on_the_same_days(
    hours: ContactHours, barred: frozenset[int], asked: list[date]
) -> None:
    law = Law(barred, None, None, date(2026, 6, 1))
    hours = replace(hours, laws=(*hours.laws, law))

    by_day = hours.by_day()

    assert [by_day.is_open_day(day) for day in asked] == [hours.is_open_day(day) for day in asked]


def test_hours_that_differ_only_in_their_times_are_one_by_day() -> None:
    law = Law(EVERY_DAY, time(10), time(18), date(2026, 1, 1))
    late = ContactHours(time(11), time(21), laws=(law,))
    closed = replace(late, closed_on=frozenset({date(2026, 12, 24)}))

    assert late.by_day() == ContactHours().by_day()
    assert late.by_day() != closed.by_day()
    assert replace(late, opens=time(18)).by_day() != late.by_day()
