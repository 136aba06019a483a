"""When a patient may be contacted, wishes as stored, and age."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outreach.patients.rules import (
    ContactHours,
    Daypart,
    Wishes,
    age_on,
    daypart_of,
    hours_on,
    is_allowed_at,
    latest_allowed_at,
    mask_of_weekdays,
    may_be_alive,
    next_allowed_at,
    slot_on,
    weekdays_from_mask,
)

CHICAGO = ZoneInfo("America/Chicago")
HOURS = ContactHours()
EVERY_DAY = ContactHours(weekdays=frozenset(range(7)))
ZONES = st.sampled_from(
    [
        "America/Chicago",
        "America/Los_Angeles",
        "America/Phoenix",
        "America/St_Johns",
        "Australia/Lord_Howe",
        "Pacific/Apia",
        "Asia/Kathmandu",
        "UTC",
    ]
).map(ZoneInfo)
INSTANTS = st.datetimes(
    datetime(2020, 1, 1),  # noqa: DTZ001 - the strategy adds the zone
    datetime(2030, 1, 1),  # noqa: DTZ001
    timezones=st.just(UTC),
)
OPENINGS = st.builds(
    ContactHours,
    opens=st.times(time(0), time(11, 59)),
    closes=st.times(time(13), time(23, 59)),
    weekdays=st.frozensets(st.integers(0, 6), min_size=1),
    closed_on=st.frozensets(st.dates(date(2024, 1, 1), date(2026, 1, 1)), max_size=5),
)


def chicago(day: int, hour: int, minute: int = 0, *, month: int = 11) -> datetime:
    """An instant of 2026 by Chicago's wall clock."""
    return datetime(2026, month, day, hour, minute, tzinfo=CHICAGO).astimezone(UTC)


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        pytest.param(chicago(23, 8, 59), chicago(23, 9), id="a minute before opening"),
        pytest.param(chicago(23, 9), chicago(23, 9), id="the opening minute counts"),
        pytest.param(chicago(23, 19, 59), chicago(23, 19, 59), id="the last minute"),
        pytest.param(chicago(23, 20), chicago(24, 9), id="the closing minute does not count"),
        pytest.param(chicago(21, 20), chicago(23, 9), id="Saturday night waits for Monday"),
        pytest.param(chicago(22, 12), chicago(23, 9), id="Sunday waits for Monday"),
    ],
)
def test_contact_waits_for_the_next_opening(now: datetime, expected: datetime) -> None:
    assert next_allowed_at(now, CHICAGO, HOURS) == expected
    assert is_allowed_at(now, CHICAGO, HOURS) is (now == expected)


@pytest.mark.parametrize(
    ("before", "expected"),
    [
        pytest.param(chicago(23, 9), chicago(23, 9), id="the opening minute counts"),
        pytest.param(chicago(23, 8, 59), chicago(21, 19), id="Monday early falls to Saturday"),
        pytest.param(chicago(24, 20), chicago(24, 19), id="the closing minute does not count"),
        pytest.param(chicago(22, 12), chicago(21, 19), id="Sunday falls to Saturday"),
    ],
)
def test_what_is_due_outside_the_hours_is_due_before(before: datetime, expected: datetime) -> None:
    assert latest_allowed_at(before, CHICAGO, HOURS) == expected


@pytest.mark.parametrize(
    ("day", "opens_utc"),
    [
        (date(2026, 3, 7), 15),
        (date(2026, 3, 8), 14),  # the clocks go forward
        (date(2026, 3, 9), 14),
        (date(2026, 10, 31), 14),
        (date(2026, 11, 1), 15),  # and back
        (date(2026, 11, 2), 15),
    ],
)
def test_nine_in_the_morning_stays_nine_when_the_clocks_change(day: date, opens_utc: int) -> None:
    midnight = datetime.combine(day, time(), tzinfo=CHICAGO)

    opening = next_allowed_at(midnight, CHICAGO, EVERY_DAY)

    assert opening == datetime.combine(day, time(opens_utc), tzinfo=UTC)
    slot = hours_on(day, CHICAGO, EVERY_DAY)
    assert slot is not None
    assert slot.until_at - slot.from_at == timedelta(hours=11)


def test_a_naive_instant_is_refused() -> None:
    with pytest.raises(ValueError, match="aware"):
        next_allowed_at(datetime(2026, 11, 23, 10), CHICAGO, HOURS)  # noqa: DTZ001
    with pytest.raises((ValueError, TypeError), match="aware"):
        latest_allowed_at(datetime(2026, 11, 23, 10), CHICAGO, HOURS)  # noqa: DTZ001


def test_hours_that_never_open_are_refused() -> None:
    never = ContactHours(weekdays=frozenset())
    for find in (next_allowed_at, latest_allowed_at):
        with pytest.raises(ValueError, match="never open"):
            find(chicago(23, 10), CHICAGO, never)


@given(INSTANTS, ZONES, OPENINGS)
def test_the_next_instant_is_allowed_not_earlier_and_its_own_next(
    now: datetime, zone: ZoneInfo, hours: ContactHours
) -> None:
    found = next_allowed_at(now, zone, hours)

    local = found.astimezone(zone)
    assert hours.opens <= local.time() < hours.closes
    assert hours.is_open_day(local.date())
    assert found >= now
    assert next_allowed_at(found, zone, hours) == found
    assert latest_allowed_at(found, zone, hours) == found


@given(INSTANTS, ZONES, OPENINGS)
def test_the_latest_instant_is_allowed_not_later_and_its_own_latest(
    before: datetime, zone: ZoneInfo, hours: ContactHours
) -> None:
    found = latest_allowed_at(before, zone, hours)

    assert is_allowed_at(found, zone, hours)
    assert found <= before
    assert latest_allowed_at(found, zone, hours) == found


@given(INSTANTS, ZONES, OPENINGS)
def test_nothing_allowed_lies_between_an_instant_and_the_next(
    now: datetime, zone: ZoneInfo, hours: ContactHours
) -> None:
    found = next_allowed_at(now, zone, hours)
    between = now + (found - now) / 2

    assert is_allowed_at(now, zone, hours) is (found == now)
    assert found == now or not is_allowed_at(between, zone, hours)


def test_a_part_of_the_day_is_cut_to_the_lawful_hours() -> None:
    short = ContactHours(opens=time(10), closes=time(17))
    monday = date(2026, 11, 23)

    morning = slot_on(monday, CHICAGO, short, Daypart.MORNING)

    assert morning is not None
    assert (morning.from_at, morning.until_at) == (chicago(23, 10), chicago(23, 12))
    assert slot_on(monday, CHICAGO, short, Daypart.EVENING) is None
    assert slot_on(monday - timedelta(days=1), CHICAGO, short, None) is None


@pytest.mark.parametrize(
    ("hour", "daypart"),
    [
        (0, Daypart.MORNING),
        (11, Daypart.MORNING),
        (12, Daypart.AFTERNOON),
        (16, Daypart.AFTERNOON),
        (17, Daypart.EVENING),
        (23, Daypart.EVENING),
    ],
)
def test_every_hour_has_its_part_of_the_day(hour: int, daypart: Daypart) -> None:
    assert daypart_of(chicago(23, hour), CHICAGO) is daypart


@given(st.frozensets(st.integers(0, 6)))
def test_weekdays_survive_being_stored(weekdays: frozenset[int]) -> None:
    mask = mask_of_weekdays(weekdays)

    assert weekdays_from_mask(mask) == weekdays
    assert 0 <= mask < 128


@given(st.integers(0, 127))
def test_masks_survive_being_read(mask: int) -> None:
    assert mask_of_weekdays(weekdays_from_mask(mask)) == mask


@given(st.frozensets(st.integers(0, 6)))
def test_sunday_counts_only_where_it_is_wished_for(weekdays: frozenset[int]) -> None:
    allowed = Wishes(weekdays).allowed_weekdays

    assert allowed >= frozenset(range(6))
    assert (6 in allowed) is (6 in weekdays)


@pytest.mark.parametrize(
    ("day", "born_on", "age"),
    [
        (date(2026, 2, 2), date(1970, 2, 3), 55),
        (date(2026, 2, 3), date(1970, 2, 3), 56),
        (date(2026, 2, 28), date(2000, 2, 29), 25),
        (date(2026, 3, 1), date(2000, 2, 29), 26),
        (date(2026, 2, 3), date(2026, 2, 3), 0),
    ],
)
def test_age_grows_on_the_birthday(day: date, born_on: date, age: int) -> None:
    assert age_on(day, born_on) == age


@pytest.mark.parametrize(
    ("born_on", "may_be"),
    [
        (date(2026, 2, 3), True),
        (date(2026, 2, 4), False),
        (date(1905, 2, 4), True),
        (date(1905, 2, 3), False),
    ],
)
def test_who_may_be_alive_was_born_within_120_years(born_on: date, *, may_be: bool) -> None:
    assert may_be_alive(date(2026, 2, 3), born_on) is may_be
