"""How long things are kept, and what a date of birth tells afterwards."""

from datetime import UTC, date, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from outreach.patients.rules import age_on
from outreach.retention.rules import birth, cutoff
from outreach.retention.rules.erasing import pseudonyms

EDGES = (10, 18, 40, 55, 65, 75, 76, 80, 90)


def test_nobody_is_due_a_day_early_in_a_leap_year() -> None:
    assert cutoff(datetime(2032, 2, 29, 12, tzinfo=UTC), 6) == datetime(2026, 2, 28, 12, tzinfo=UTC)
    assert cutoff(datetime(2032, 11, 2, tzinfo=UTC), 7) == datetime(2025, 11, 2, tzinfo=UTC)


def _groups(born_on: date, day: date) -> list[bool]:
    return [age_on(day, born_on) >= edge for edge in EDGES]


@given(
    st.dates(date(1905, 1, 1), date(2010, 12, 31)),
    st.dates(date(2015, 1, 1), date(2030, 1, 1)),
    st.integers(0, 1500),
)
def test_no_age_group_changes_on_any_day_that_is_asked_about(
    born_on: date, first: date, days: int
) -> None:
    last = first + timedelta(days=days)

    told = birth.coarser(born_on, first, last, EDGES)

    for since in range(0, days + 1, 1 if days < 60 else 7):
        day = first + timedelta(days=since)
        assert _groups(told, day) == _groups(born_on, day), day
    assert _groups(told, last) == _groups(born_on, last)


def test_a_date_of_birth_tells_the_year_alone_where_no_group_is_left() -> None:
    told = birth.coarser(date(1970, 6, 15), date(2026, 1, 1), date(2027, 1, 1), EDGES)

    assert told == date(1970, 1, 1)


def test_the_oldest_are_told_apart_no_more() -> None:
    asked = date(2026, 1, 1), date(2027, 1, 1)

    assert birth.coarser(date(1925, 6, 15), *asked, EDGES) == date(1936, 1, 1)
    assert birth.coarser(date(1931, 6, 15), *asked, EDGES) == date(1936, 1, 1)


def test_a_birthday_within_the_course_stays() -> None:
    asked = date(2026, 1, 1), date(2027, 1, 1)

    assert birth.coarser(date(1961, 6, 15), *asked, EDGES) == date(1961, 6, 15)


@given(st.lists(st.text(max_size=5)))
def test_equal_numbers_stay_equal_and_others_differ(numbers: list[str]) -> None:
    instead = pseudonyms(numbers)

    assert set(instead) == set(numbers)
    assert len(set(instead.values())) == len(set(numbers))
