"""Noticing that the clock was set, and only that."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from outreach.clock import Watch

BEGAN = datetime(2026, 11, 1, 5, tzinfo=UTC)  # the hour in which clocks go back in New York
SECONDS = st.integers(0, 100_000)
SET_BY = st.integers(-100_000, 100_000)


@given(st.lists(st.tuples(SECONDS, SET_BY)))
def test_a_watch_tells_by_how_much_the_clock_was_set_since_the_last_look(
    steps: list[tuple[int, int]],
) -> None:
    shown, passed = [BEGAN], [0.0]
    watch = Watch(lambda: shown[0], lambda: passed[0])

    for seconds, set_by in steps:
        shown[0] += timedelta(seconds=seconds + set_by)
        passed[0] += seconds

        assert watch.moved() == timedelta(seconds=set_by)
