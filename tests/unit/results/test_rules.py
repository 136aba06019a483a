"""Windows of measurement points: what counts within them, and what is missing."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outreach.programmes.rules import PUBLISHED_PROTOCOL, MeasurePoint
from outreach.results.rules import PointState, Taken, stand

START = date(2026, 3, 2)
POINT = MeasurePoint("month_3", "Month 3", ("hba1c", "phq9_total"), 91, 60, 120)


def on_day(day: int) -> date:
    return START + timedelta(days=day)


def taken(day: int, code: str = "hba1c") -> Taken:
    return Taken(code, on_day(day))


@pytest.mark.parametrize(
    ("day", "counts"), [(59, False), (60, True), (91, True), (120, True), (121, False)]
)
def test_what_is_measured_within_the_window_counts(day: int, *, counts: bool) -> None:
    (found,) = stand([POINT], START, [taken(day)], today=on_day(100))

    assert ("hba1c" not in found.missing) is counts
    assert "phq9_total" in found.missing


@pytest.mark.parametrize(
    ("day", "state"),
    [
        (59, PointState.AHEAD),
        (60, PointState.OPEN),
        (120, PointState.OPEN),
        (121, PointState.OVER),
    ],
)
def test_a_window_opens_and_closes_on_its_days(day: int, state: PointState) -> None:
    (found,) = stand([POINT], START, [], today=on_day(day))

    assert found.state is state
    assert found.is_due is (state is PointState.OPEN)


@pytest.mark.parametrize(
    ("days", "best"), [((60, 90), 90), ((90, 93), 90), ((90, 92), 92), ((61, 120), 120)]
)
def test_nearest_to_the_target_is_best(days: tuple[int, ...], best: int) -> None:
    (found,) = stand([POINT], START, [taken(day) for day in days], today=on_day(120))

    assert [each.on for each in found.found] == [on_day(best)]


def test_nothing_is_due_once_all_is_measured() -> None:
    all_of_it = [taken(80), taken(85, "phq9_total")]

    (found,) = stand([POINT], START, all_of_it, today=on_day(90))

    assert not found.is_due
    assert found.missing == ()


@given(
    st.lists(st.tuples(st.sampled_from(["hba1c", "phq9_total", "weight"]), st.integers(-120, 400))),
    st.integers(-120, 400),
)
def test_every_measure_is_found_or_missing_and_never_both(
    measured: list[tuple[str, int]], today: int
) -> None:
    readings = [taken(day, code) for code, day in measured]

    for each in stand(PUBLISHED_PROTOCOL.measure_points, START, readings, today=on_day(today)):
        found = {one.code for one in each.found}
        assert found | set(each.missing) == set(each.point.measures)
        assert not found & set(each.missing)
        assert all(each.from_on <= one.on <= each.until_on for one in each.found)


EIGHT_WEEKS = {"hba1c": timedelta(weeks=8)}


@pytest.mark.parametrize(
    ("last", "today", "from_day"),
    [
        (20, 60, 76),
        (20, 75, 76),
        (20, 76, None),
        (4, 60, None),
        (50, 61, 106),
        (64 - 1, 61, None),  # of a day to come nothing is known
        (59, 115, None),
    ],
)
def test_a_test_soon_after_the_last_one_tells_more_later(
    last: int, today: int, from_day: int | None
) -> None:
    readings = [taken(last - 40), taken(last), taken(last, "phq9_total")]

    (found,) = stand([POINT], START, readings, today=on_day(today), apart=EIGHT_WEEKS)

    expected = {} if from_day is None else {"hba1c": on_day(from_day)}
    assert found.told_more_from == expected


def test_nobody_waits_past_the_end_of_a_window() -> None:
    short = MeasurePoint("month_3", "Month 3", ("hba1c",), 91, 60, 100)

    (found,) = stand([short], START, [taken(50)], today=on_day(70), apart=EIGHT_WEEKS)

    assert (found.missing, dict(found.told_more_from)) == (("hba1c",), {})
