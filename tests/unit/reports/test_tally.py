"""Sums, medians and waits."""

from datetime import UTC, date, datetime, timedelta
from statistics import median, quantiles
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outreach.reports.rules.tally import (
    Measure,
    Tally,
    Wait,
    business_days,
    figures,
    spread,
    wait_of,
)

CHICAGO = ZoneInfo("America/Chicago")
FRIDAY = datetime(2026, 11, 6, 20, tzinfo=UTC)  # 2 in the afternoon in Chicago
COUNTS = st.integers(0, 50)
TALLIES = st.builds(
    Tally,
    completed=COUNTS,
    missed=COUNTS,
    dials=COUNTS,
    minutes=st.lists(COUNTS, max_size=4).map(tuple),
)


@given(st.lists(TALLIES, max_size=5))
def test_tallies_add_up_in_any_order(tallies: list[Tally]) -> None:
    forth, back = sum(tallies, start=Tally()), sum(reversed(tallies), start=Tally())

    assert forth.completed == back.completed == sum(each.completed for each in tallies)
    assert sorted(forth.minutes) == sorted(back.minutes)


@given(st.lists(COUNTS, min_size=2, max_size=40))
def test_quartiles_are_those_of_the_textbook(values: list[int]) -> None:
    found = spread(values)

    assert found is not None
    assert found.median == pytest.approx(median(values))
    low, _middle, high = quantiles(values, n=4, method="inclusive")
    assert found.low == pytest.approx(low)
    assert found.high == pytest.approx(high)


def test_quartiles_of_one_and_of_nothing() -> None:
    assert spread([]) is None
    one = spread([7])
    assert one is not None
    assert (one.low, one.median, one.high) == (7, 7, 7)


@given(st.dates(date(2020, 1, 1), date(2030, 1, 1)), st.integers(0, 400))
def test_business_days_are_those_from_monday_to_friday(after: date, ahead: int) -> None:
    days = [after + timedelta(days=passed) for passed in range(1, ahead + 1)]

    counted = business_days(after, after + timedelta(days=ahead))

    assert counted == sum(day.weekday() < 5 for day in days)


@pytest.mark.parametrize(
    ("reached_at", "now", "expected"),
    [
        pytest.param(FRIDAY + timedelta(hours=1), FRIDAY + timedelta(days=9), True, id="same day"),
        pytest.param(FRIDAY + timedelta(days=4), FRIDAY + timedelta(days=9), True, id="Tuesday"),
        pytest.param(FRIDAY + timedelta(days=5), FRIDAY + timedelta(days=9), False, id="Wednesday"),
        pytest.param(None, FRIDAY + timedelta(days=4), None, id="still time on Tuesday"),
        pytest.param(None, FRIDAY + timedelta(days=5), False, id="not reached by Wednesday"),
    ],
)
def test_two_business_days_from_a_friday_end_on_tuesday(
    reached_at: datetime | None, now: datetime, *, expected: bool | None
) -> None:
    wait = wait_of(FRIDAY, reached_at, zone=CHICAGO, now=now)

    assert (wait.is_in_time if wait else None) is expected


@given(
    st.datetimes(datetime(2024, 1, 1), datetime(2027, 1, 1)),  # noqa: DTZ001 - of UTC
    st.integers(0, 12 * 24 * 60),
    st.sampled_from(
        ["America/Chicago", "Australia/Lord_Howe", "Pacific/Apia", "Africa/Casablanca", "UTC"]
    ),
)
def test_whether_a_first_call_is_in_time_equals_a_count_of_days(
    begins: datetime, minutes: int, zone_name: str
) -> None:
    zone, since = ZoneInfo(zone_name), begins.replace(tzinfo=UTC)
    reached_at = since + timedelta(minutes=minutes)

    wait = wait_of(since, reached_at, zone=zone, now=reached_at)

    day, last = (each.astimezone(zone).date() for each in (since, reached_at))
    passed = 0
    while day < last:
        day += timedelta(days=1)
        passed += day.weekday() < 5
    assert wait is not None
    assert wait.is_in_time == (passed <= 2)


def test_a_median_wait_is_unknown_while_half_are_not_reached() -> None:
    reached, not_yet = Wait(1.5, is_in_time=True), Wait(None, is_in_time=False)

    assert Tally(waits=(reached, reached, not_yet)).median_wait == 1.5
    assert Tally(waits=(reached, not_yet)).median_wait is None
    assert Tally().median_wait is None


def test_every_measure_has_one_figure_and_nothing_to_divide_by_has_no_value() -> None:
    empty = list(figures(Tally()))

    assert [figure.measure for figure in empty] == list(Measure)
    assert [f.value for f in empty if f.measure is not Measure.STILL_OPEN] == [None] * (
        len(Measure) - 1
    )


def test_figures_are_rates_of_what_was_counted() -> None:
    tally = Tally(completed=3, missed=1, dials=8, reached=4, minutes=(0, 10, 20))

    found = {figure.measure: figure for figure in figures(tally)}

    completion = found[Measure.COMPLETION]
    assert (completion.numerator, completion.denominator, completion.value) == (3, 4, 0.75)
    assert found[Measure.DIALS_PER_REACH].value == 2
    assert found[Measure.MINUTES].value == 10
    assert found[Measure.MINUTES_MEAN].numerator == 30
