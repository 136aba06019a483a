"""Charts keep every point inside and every tick in order, whatever the values."""

import math
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outreach.web.charts import (
    MEDIAN_FROM,
    Chart,
    Limit,
    RatePoint,
    Series,
    bar_rows,
    line_chart,
    run_chart,
)

DAYS = st.dates()
INSTANTS = st.datetimes(timezones=st.just(UTC))
VALUES = st.one_of(
    st.floats(allow_nan=False, allow_infinity=False),
    st.decimals(-500, 500, places=2),
    st.integers(0, 400).map(float),
)
POINTS = st.lists(st.tuples(st.one_of(DAYS, INSTANTS), VALUES), max_size=30)
MONDAY = date(2026, 5, 25)


def drawn(chart: Chart | None) -> Chart:
    assert chart is not None
    return chart


@given(st.lists(POINTS, min_size=1, max_size=2), st.lists(VALUES, max_size=2))
def test_every_point_lies_within_the_plot(
    points: list[list[tuple[date, Decimal | float]]], limits: list[Decimal | float]
) -> None:
    chart = line_chart(
        [Series(f"s{index}", each) for index, each in enumerate(points)],
        unit="%",
        label="HbA1c",
        limits=[Limit(value, "target") for value in limits],
    )

    if chart is None:
        assert not any(points)
        return
    dots = [dot for line in chart.lines for dot in line.dots]
    assert len(dots) == sum(len(each) for each in points)
    assert all(0 <= at <= 100 for dot in dots for at in (dot.x, dot.y))
    assert all(0 <= level.y <= 100 for level in chart.levels)
    in_rows = [dot for row in chart.rows for dot in row.dots if dot]
    assert sorted(map(id, in_rows)) == sorted(map(id, dots))


@given(POINTS.filter(bool))
def test_ticks_ascend_and_cover_the_values(points: list[tuple[date, Decimal | float]]) -> None:
    chart = drawn(line_chart([Series("s", points)], unit="", label="x"))

    ticks = [tick.value for tick in chart.y_ticks]
    values = [Decimal(repr(float(value))) for _at, value in points]
    assert 2 <= len(ticks) <= 8
    assert all(before < after for before, after in pairwise(ticks))
    assert ticks[0] <= min(values)
    assert ticks[-1] >= max(values)
    assert [tick.y for tick in chart.y_ticks] == sorted((t.y for t in chart.y_ticks), reverse=True)


@given(POINTS.filter(bool))
def test_days_under_the_axis_ascend_within_it(points: list[tuple[date, Decimal | float]]) -> None:
    chart = drawn(line_chart([Series("s", points)], unit="", label="x"))

    assert 1 <= len(chart.x_ticks) <= 6
    days = [tick.day for tick in chart.x_ticks]
    assert days == sorted(set(days))
    assert all(0 <= tick.x <= 100 for tick in chart.x_ticks)
    across = [tick.x for tick in chart.x_ticks]
    assert across == sorted(across)


@given(POINTS.filter(bool))
def test_a_later_point_is_never_left_of_an_earlier_one(
    points: list[tuple[date, Decimal | float]],
) -> None:
    chart = drawn(line_chart([Series("s", points)], unit="", label="x"))

    across = [dot.x for dot in chart.lines[0].dots]
    assert across == sorted(across)


def test_nothing_to_show_is_no_chart() -> None:
    assert line_chart([Series("s", [])], unit="%", label="HbA1c") is None
    assert line_chart([], unit="%", label="HbA1c") is None
    assert run_chart([RatePoint(MONDAY, 0, 0)], label="x", median_label="m") is None


def test_a_single_point_stands_in_the_middle() -> None:
    chart = drawn(
        line_chart([Series("s", [(date(2026, 11, 2), Decimal("9.8"))])], unit="%", label="HbA1c")
    )

    (dot,) = chart.lines[0].dots
    assert dot.x == 50
    assert 30 < dot.y < 70
    assert [tick.day.day for tick in chart.x_ticks] == [1, 2, 3]


def test_values_are_written_with_no_more_decimals_than_the_ticks_need() -> None:
    points = [(date(2026, 1, 1), Decimal("9.8")), (date(2026, 6, 1), Decimal("8.1"))]

    chart = drawn(line_chart([Series("s", points)], unit="%", label="HbA1c"))

    assert [str(tick.value) for tick in chart.y_ticks] == ["8.0", "8.5", "9.0", "9.5", "10.0"]
    assert chart.decimals == 1
    assert [(tick.day.month, tick.pattern) for tick in chart.x_ticks] == [
        (1, "MMM ''yy"),
        (2, "MMM"),
        (3, "MMM"),
        (4, "MMM"),
        (5, "MMM"),
        (6, "MMM"),
    ]


def test_two_series_share_the_rows_of_one_moment() -> None:
    at = datetime(2026, 11, 2, 15, tzinfo=UTC)
    chart = drawn(
        line_chart(
            [Series("upper", [(at, 140)]), Series("lower", [(at, 90), (at, 85)])],
            unit="mm[Hg]",
            label="Blood pressure",
        )
    )

    assert [[dot and dot.value for dot in row.dots] for row in chart.rows] == [
        [140, 90],
        [None, 85],
    ]
    assert [line.is_second for line in chart.lines] == [False, True]


@pytest.mark.parametrize("value", [math.nan, math.inf, Decimal("NaN")])
def test_refuses_what_is_no_number(value: Decimal | float) -> None:
    with pytest.raises(ValueError, match="no number"):
        line_chart([Series("s", [(MONDAY, value)])], unit="", label="x")


def test_refuses_naive_instants_and_a_third_series() -> None:
    with pytest.raises(ValueError, match="aware"):
        line_chart([Series("s", [(datetime(2026, 1, 1), 1.0)])], unit="", label="x")  # noqa: DTZ001
    with pytest.raises(ValueError, match="two series"):
        line_chart([Series("s", [])] * 3, unit="", label="x")


@pytest.mark.parametrize("weeks", [MEDIAN_FROM - 1, MEDIAN_FROM])
def test_a_run_chart_draws_its_median_only_from_ten_points_on(weeks: int) -> None:
    points = [RatePoint(MONDAY + timedelta(weeks=week), week, 20) for week in range(weeks)]

    chart = drawn(run_chart(points, label="Completion", median_label="Median"))

    assert len(chart.levels) == (weeks >= MEDIAN_FROM)
    assert [weight.n for weight in chart.weights] == [20] * weeks
    assert all(0 <= each.x <= each.x + each.width <= 100 for each in chart.weights)


def test_a_run_chart_leaves_out_weeks_with_nothing_due() -> None:
    points = [RatePoint(MONDAY, 3, 4), RatePoint(MONDAY + timedelta(weeks=1), 0, 0)]

    chart = drawn(run_chart(points, label="Completion", median_label="Median"))

    assert [(dot.part, dot.whole, dot.value) for dot in chart.lines[0].dots] == [(3, 4, 75.0)]
    assert [float(tick.value) for tick in chart.y_ticks] == [0, 20, 40, 60, 80, 100]


def test_a_missing_month_is_a_gap_and_no_zero() -> None:
    shares = [(1, 5), (2, 5), (0, 0), (0, 5), (0, 0), (5, 6), (1, 6)]
    months = [date(2026, month, 1) for month in range(4, 11)]
    points = [RatePoint(on, *share) for on, share in zip(months, shares, strict=True)]

    chart = drawn(run_chart(points, label="Months", median_label="Median", is_monthly=True))

    assert [(dot.part, dot.whole) for dot in chart.lines[0].dots] == [s for s in shares if s[1]]
    assert [row.day for row in chart.rows] == months
    assert [row.dots[0] and row.dots[0].whole for row in chart.rows] == [5, 5, None, 5, None, 6, 6]
    assert [len(path.split()) for path in chart.lines[0].paths] == [2, 1, 2]


@given(st.lists(st.sampled_from([0, 4, 7]), min_size=1, max_size=14))
def test_no_line_bridges_a_missing_month(wholes: list[int]) -> None:
    months = [date(2025 + at // 12, at % 12 + 1, 1) for at in range(len(wholes))]
    points = [RatePoint(on, min(2, whole), whole) for on, whole in zip(months, wholes, strict=True)]

    chart = run_chart(points, label="Months", median_label="Median", is_monthly=True)

    if chart is None:
        assert not any(wholes)
        return
    drawn_in = [len(path.split()) for path in chart.lines[0].paths]
    stretches = "".join("x" if whole else " " for whole in wholes).split()
    assert drawn_in == [len(each) for each in stretches]
    assert len(chart.rows) == len(wholes)


@given(st.lists(st.tuples(st.text(), st.integers(0, 99), st.integers(0, 99)), max_size=9))
def test_bars_share_one_scale(rows: list[tuple[str, int, int]]) -> None:
    bars = bar_rows(rows)

    assert all(0 <= bar.value_width <= bar.whole_width <= 100 for bar in bars)
    if any(whole for _label, _value, whole in rows):
        assert max(bar.whole_width for bar in bars) == 100
