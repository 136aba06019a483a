"""Who was out of care, and who came back."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outreach.visits.rules import Seen, VisitKind, seen

FIRST = date(2026, 6, 1)


def ago(days: int) -> date:
    return FIRST - timedelta(days=days)


@pytest.mark.parametrize(
    ("days_ago", "expected"),
    [
        ([], Seen(None, came_back=False)),
        ([365], Seen(was_out=False, came_back=False)),
        ([366], Seen(was_out=True, came_back=False)),
        ([0], Seen(was_out=False, came_back=False)),
        ([400, -1], Seen(was_out=True, came_back=True)),
        ([400, -90], Seen(was_out=True, came_back=True)),
        ([400, -91], Seen(was_out=True, came_back=False)),
        ([-1], Seen(was_out=True, came_back=True)),
    ],
)
def test_a_year_before_and_ninety_days_after(days_ago: list[int], expected: Seen) -> None:
    assert seen([ago(days) for days in days_ago], enrolled_on=FIRST, within_days=90) == expected


@given(st.sets(st.integers(-400, 800)), st.integers(0, 200), st.integers(0, 200))
def test_longer_is_never_fewer(days: set[int], shorter: int, more: int) -> None:
    visits = [ago(each) for each in days]
    early = seen(visits, enrolled_on=FIRST, within_days=shorter)
    late = seen(visits, enrolled_on=FIRST, within_days=shorter + more)
    assert late.was_out == early.was_out
    assert late.came_back or not early.came_back


def test_a_stay_in_hospital_is_no_care() -> None:
    assert {kind for kind in VisitKind if not kind.is_care} == {
        VisitKind.EMERGENCY,
        VisitKind.INPATIENT,
    }
