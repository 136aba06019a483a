"""Courses, scatters and columns are drawn where their values are."""

import itertools
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outreach.web.charts import Limit, RatePoint, run_chart
from outreach.web.plots import MOST_THREADS, Moment, columns, courses, scatter, thinned

MONDAY = date(2026, 8, 3)
values = st.floats(-500, 500).map(lambda each: round(each, 2))


def moments(*means: float) -> list[Moment]:
    return [
        Moment(91 * place, f"Month {3 * place}", mean, mean - 0.5, mean + 0.5)
        for place, mean in enumerate(means)
    ]


def test_a_course_starts_left_and_ends_right_and_higher_values_stand_higher() -> None:
    drawn = courses([(10.0, 8.0), (6.0, 9.0)], moments(8.0, 8.5), label="HbA1c", unit="%")

    assert drawn is not None
    first, second = drawn.threads.split(" ")
    assert (first[0], second[0]) == ("M", "M")
    (x0, high), (x1, low) = (tuple(map(float, point.split(","))) for point in first[1:].split("L"))
    assert 0 < x0 < x1 < 100
    assert high < low  # from the top: 10 stands above 8
    assert (drawn.n, drawn.drawn) == (2, 2)
    assert [dot.x for dot in drawn.dots] == [x0, x1]
    for dot in drawn.dots:
        assert dot.y_high is not None
        assert dot.y_low is not None
        assert dot.y_high < dot.y < dot.y_low


def test_levels_are_within_the_axis() -> None:
    drawn = courses(
        [(10.0, 9.5)], moments(10.0, 9.5), label="HbA1c", unit="%", limits=[Limit(8, "well")]
    )

    assert drawn is not None
    assert 0 < drawn.levels[0].y <= 100
    assert drawn.levels[0].y > max(dot.y for dot in drawn.dots)


def test_of_many_some_are_drawn_and_it_says_so() -> None:
    people = [(float(number), 1.0) for number in range(3 * MOST_THREADS)]

    drawn = courses(people, moments(1.0, 1.0), label="HbA1c", unit="%")

    assert drawn is not None
    assert (drawn.n, drawn.drawn) == (3 * MOST_THREADS, MOST_THREADS)
    assert drawn.threads.count("M") == MOST_THREADS


@given(st.integers(0, 900), st.integers(1, 300))
def test_thinning_keeps_order_and_takes_evenly(count: int, most: int) -> None:
    kept = list(thinned(range(count), most))

    assert len(kept) == min(count, most)
    assert kept == sorted(set(kept))
    if count > most:
        gaps = {after - before for before, after in itertools.pairwise(kept)}
        assert all(abs(gap - count / most) < 1 for gap in gaps)


@given(st.lists(st.tuples(values, values), min_size=1, max_size=50))
def test_every_pair_lies_within_the_plot_and_in_its_order(
    pairs: list[tuple[float, float]],
) -> None:
    drawn = scatter(pairs, label="Dose", x_label="Calls", y_label="Change")

    assert drawn is not None
    assert drawn.n == len(pairs) == len(drawn.specks)
    assert all(0 <= speck.x <= 100 and 0 <= speck.y <= 100 for speck in drawn.specks)
    assert [speck.x for speck in drawn.specks] == sorted(speck.x for speck in drawn.specks)
    assert drawn.y_zero is not None
    for (_x, y), speck in zip(sorted(pairs), drawn.specks, strict=True):
        assert (speck.y <= drawn.y_zero) if y >= 0 else (speck.y >= drawn.y_zero)


def test_nothing_has_no_plot() -> None:
    assert courses([], [], label="HbA1c", unit="%") is None
    assert scatter([], label="Dose", x_label="Calls", y_label="Change") is None
    assert columns([("Jan", [0, 0]), ("Feb", [0, 0])], ["a", "b"], label="Care") is None


@given(st.lists(st.lists(st.integers(0, 40), min_size=3, max_size=3), min_size=1, max_size=12))
def test_columns_are_full_and_their_parts_do_not_overlap(counts: list[list[int]]) -> None:
    drawn = columns(
        [(str(place), each) for place, each in enumerate(counts)], list("abc"), label="C"
    )
    if drawn is None:
        assert not any(map(sum, counts))
        return
    for column, expected in zip(drawn.columns, counts, strict=True):
        assert column.whole == sum(expected)
        assert {part.place: part.count for part in column.parts} == {
            place: count for place, count in enumerate(expected) if count
        }
        bottom = 100.0
        for part in column.parts:
            assert part.y + part.height == pytest.approx(bottom, abs=0.02)
            bottom = part.y
        if column.whole:
            assert bottom == pytest.approx(0, abs=0.02)


def test_a_week_outside_its_limits_is_marked_and_the_limits_are_drawn() -> None:
    weeks = [MONDAY + timedelta(weeks=ahead) for ahead in range(3)]
    points = [RatePoint(week, part, 10) for week, part in zip(weeks, (5, 9, 6), strict=True)]

    chart = run_chart(
        points, label="Calls", median_label="Median", bounds=dict.fromkeys(weeks, (40.0, 80.0))
    )

    assert chart is not None
    assert [dot.is_outside for dot in chart.lines[0].dots] == [False, True, False]
    low, high = ([float(point.split(",")[1]) for point in band.split(" ")] for band in chart.bands)
    assert (low, high) == ([60.0] * 3, [20.0] * 3)


def test_without_limits_nothing_is_outside() -> None:
    chart = run_chart([RatePoint(MONDAY, 1, 10)], label="Calls", median_label="Median")

    assert chart is not None
    assert chart.bands == ()
    assert not chart.lines[0].dots[0].is_outside
