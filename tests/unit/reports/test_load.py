"""Days in a row, as one would count them on a calendar."""

from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from outreach.reports.rules.load import longest_run

FIRST = date(2026, 3, 1)


@given(st.lists(st.booleans(), max_size=60))
def test_it_is_the_longest_stretch_without_a_gap(worked: list[bool]) -> None:
    days = [FIRST + timedelta(days=at) for at, is_worked in enumerate(worked) if is_worked]
    stretches = "".join("x" if each else " " for each in worked).split()

    assert longest_run(days) == max(map(len, stretches), default=0)
    assert longest_run([*reversed(days), *days]) == longest_run(days)
