"""Run chart rules and p-chart limits against published examples."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from outreach.reports.rules.control import FEWEST_POINTS, p_chart, run_test
from outreach.reports.rules.statistics import Share

# Montgomery, Introduction to Statistical Quality Control: cans of orange juice that leak,
# of 50 in each of 30 samples. 347 of 1500; the limits are 0.0524 and 0.4102.
CANS = (
    12, 15, 8, 10, 4, 7, 16, 9, 14, 10, 5, 6, 17, 12, 22,
    8, 10, 5, 13, 11, 20, 18, 24, 15, 9, 12, 7, 13, 9, 6,
)  # fmt: skip


def test_the_limits_of_a_published_p_chart() -> None:
    bounds = p_chart([Share(cans, 50) for cans in CANS])

    assert bounds is not None
    assert {(round(each.low, 4), round(each.high, 4)) for each in bounds} == {(0.0524, 0.4102)}
    outside = [
        place
        for place, (cans, each) in enumerate(zip(CANS, bounds, strict=True), start=1)
        if not each.holds(cans / 50)
    ]
    assert outside == [15, 23]


def test_limits_are_wider_where_fewer_are_behind_a_point_and_stay_within_all_and_none() -> None:
    bounds = p_chart([Share(9, 10)] + [Share(90, 100)] * 10)

    assert bounds is not None
    assert bounds[0].low < bounds[1].low < 0.9
    assert bounds[0].high == 1.0


@pytest.mark.parametrize(
    ("useful", "longest", "crossings"),
    [
        (10, 6, 2),
        (12, 7, 3),
        (16, 7, 4),
        (20, 7, 6),
        (24, 8, 8),
        (26, 8, 8),
        (30, 8, 10),
    ],
)
def test_limits_by_the_number_of_useful_points(useful: int, longest: int, crossings: int) -> None:
    """As the authors' formulas give them: round(log2 n) + 3, and a binomial quantile."""
    found = run_test([place % 2 for place in range(useful)])

    assert found is not None
    assert found.useful == useful
    assert (found.longest_allowed, found.fewest_allowed) == (longest, crossings)
    assert (found.longest_run, found.crossings) == (1, useful - 1)
    assert not found.is_signal


def test_points_on_the_median_are_left_out() -> None:
    """One on the median between runs of five and six: the run goes on over it."""
    found = run_test([1, 1, 1, 1, 1, 3, 3, 3, 2, 3, 3])

    assert found is not None
    assert (found.median, found.useful, found.longest_run, found.crossings) == (2, 10, 5, 1)
    assert (found.is_shift, found.has_few_crossings) == (False, True)


def test_a_shift_is_a_run_that_is_too_long() -> None:
    values = [1, 5, 1, 5, 1, 5, 1, 5, *[6] * 10, 1, 5, 1, 1, 1, 1, 1, 1]
    found = run_test(values)

    assert found is not None
    assert found.median == 5
    assert found.longest_run == 10
    assert found.is_shift


@pytest.mark.parametrize("values", [[], [1, 2] * 4, [5] * 30])
def test_few_useful_points_say_nothing(values: list[float]) -> None:
    assert run_test(values) is None


@given(st.lists(st.integers(0, 100), min_size=FEWEST_POINTS, max_size=60))
def test_runs_and_crossings_equal_a_slow_recount(values: list[int]) -> None:
    found = run_test(values)
    ordered = sorted(values)
    half = len(ordered) // 2
    middle = ordered[half] if len(ordered) % 2 else (ordered[half - 1] + ordered[half]) / 2
    sides = "".join("a" if value > middle else "b" for value in values if value != middle)
    if len(sides) < FEWEST_POINTS:
        assert found is None
        return
    assert found is not None
    assert found.crossings == sides.count("ab") + sides.count("ba")
    assert (
        max(map(len, sides.replace("ab", "a b").replace("ba", "b a").split())) == found.longest_run
    )
    assert found.fewest_allowed == stats.binom.ppf(0.05, len(sides) - 1, 0.5)


def test_chance_alone_seldom_raises_a_false_sign() -> None:
    """The authors' own simulation finds about 5 in 100 at these lengths."""
    chance = random.Random(11)  # noqa: S311
    found = [run_test([chance.random() for _ in range(24)]) for _ in range(1000)]

    assert sum(each is not None and each.is_signal for each in found) < 100
