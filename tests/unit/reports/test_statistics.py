"""Statistics against published examples, scipy's own route, and plain arithmetic."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from outreach.reports.rules.statistics import Share, change_of, mean_interval, rank_correlation

# Student's sleep data (Biometrika 1908;6:1-25): hours gained with one drug and the other.
SLEEP = (
    (0.7, -1.6, -0.2, -1.2, -0.1, 3.4, 3.7, 0.8, 0.0, 2.0),
    (1.9, 0.8, 1.1, 0.1, -0.1, 4.4, 5.5, 1.6, 4.6, 3.4),
)
values = st.floats(-50, 50).map(lambda each: round(each, 1))


@pytest.mark.parametrize(
    ("part", "whole", "low", "high"),
    [
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ],
)
def test_wilson_as_newcombe_published_it(part: int, whole: int, low: float, high: float) -> None:
    """Newcombe, Stat Med 1998;17:857-872, table I, method 3."""
    interval = Share(part, whole).interval

    assert interval is not None
    assert interval.low == pytest.approx(low, abs=5e-5)
    assert interval.high == pytest.approx(high, abs=5e-5)


@given(st.integers(1, 3000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_wilson_is_what_scipy_says(counts: tuple[int, int]) -> None:
    share = Share(*counts)
    expected = stats.binomtest(*counts).proportion_ci(method="wilson")

    assert share.interval is not None
    assert share.interval.low == pytest.approx(expected.low, abs=1e-12)
    assert share.interval.high == pytest.approx(expected.high, abs=1e-12)
    assert share.value is not None
    assert 0 <= share.interval.low <= share.value <= share.interval.high <= 1


def test_nothing_of_nothing_is_no_share() -> None:
    assert (Share(0, 0).value, Share(0, 0).interval) == (None, None)


def test_the_paired_change_of_students_sleep_data() -> None:
    """As R prints it: t.test(extra ~ group, paired = TRUE)."""
    change = change_of([after - before for before, after in zip(*SLEEP, strict=True)])

    assert change is not None
    assert change.n == 10
    assert (change.mean, change.median) == pytest.approx((1.58, 1.3))
    assert change.sd == pytest.approx(1.229995)
    assert change.interval is not None
    assert change.interval.low == pytest.approx(0.7001142)
    assert change.interval.high == pytest.approx(2.4598858)


@given(st.lists(values, min_size=2, max_size=60))
def test_the_interval_of_a_mean_is_what_scipy_says(changes: list[float]) -> None:
    change = change_of(changes)
    assert change is not None
    assert change.interval == mean_interval(changes)
    assert change.interval is not None
    if len(set(changes)) == 1:
        assert change.interval.low == pytest.approx(change.interval.high)
        return
    expected = stats.ttest_1samp(changes, 0).confidence_interval()
    assert change.interval.low == pytest.approx(expected.low, abs=1e-9)
    assert change.interval.high == pytest.approx(expected.high, abs=1e-9)


def test_one_pair_has_a_mean_and_no_spread_and_none_has_nothing() -> None:
    one = change_of([-0.5])

    assert one is not None
    assert (one.n, one.mean, one.median, one.sd, one.interval) == (1, -0.5, -0.5, None, None)
    assert change_of([]) is None
    assert mean_interval([1.0]) is None


def test_the_correlation_of_a_worked_example() -> None:
    """IQ and hours of television, the textbook example of Spearman's rho: -29/165."""
    iq = (106, 100, 86, 101, 99, 103, 97, 113, 112, 110)
    hours = (7, 27, 2, 50, 28, 29, 20, 12, 6, 17)

    found = rank_correlation(list(zip(iq, hours, strict=True)))

    assert found is not None
    assert found.n == 10
    assert found.rho == pytest.approx(-29 / 165)


@given(st.lists(st.tuples(values, values), min_size=4, max_size=60))
def test_the_correlation_is_what_scipy_says(pairs: list[tuple[float, float]]) -> None:
    found = rank_correlation(pairs)
    left, right = zip(*pairs, strict=True)
    if len(set(left)) == 1 or len(set(right)) == 1:
        assert found is None
        return
    assert found is not None
    assert found.rho == pytest.approx(stats.spearmanr(left, right).statistic, abs=1e-9)
    assert -1 <= found.interval.low <= found.rho + 1e-12
    assert found.rho - 1e-12 <= found.interval.high <= 1


def test_the_interval_of_a_correlation_is_bonett_and_wrights() -> None:
    """Two neighbours swapped twice among five: rho is 1 - 6 x 4 / (5 x 24) = 0.8."""
    pairs = [(1.0, 2.0), (2.0, 1.0), (3.0, 4.0), (4.0, 3.0), (5.0, 5.0)]

    found = rank_correlation(pairs)

    assert found is not None
    assert found.rho == pytest.approx(0.8)
    half = stats.norm.ppf(0.975) * math.sqrt((1 + 0.8**2 / 2) / 2)
    assert found.interval.low == pytest.approx(math.tanh(math.atanh(0.8) - half))
    assert found.interval.high == pytest.approx(math.tanh(math.atanh(0.8) + half))


@pytest.mark.parametrize("pairs", [[], [(1, 2), (2, 3), (3, 1)], [(1, 1), (1, 2), (1, 3), (1, 4)]])
def test_too_little_to_correlate(pairs: list[tuple[float, float]]) -> None:
    assert rank_correlation(pairs) is None
