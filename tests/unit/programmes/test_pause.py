"""A pause has days that somebody can mean."""

from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from outreach.programmes.rules import LONGEST_PAUSE, PauseTrouble, trouble_with_pause

TODAY = date(2026, 11, 30)
DAYS = st.none() | st.dates()


@given(DAYS, DAYS)
def test_a_pause_that_is_taken_begins_now_or_later_and_ends_within_a_year(
    first: date | None, until: date | None
) -> None:
    if trouble_with_pause(first, until, TODAY) is None:
        begins = first or TODAY
        assert begins >= TODAY
        assert until is not None or first is None
        assert until is None or begins < until <= TODAY + LONGEST_PAUSE


def test_a_year_is_a_pause_and_a_slip_of_the_keyboard_is_none() -> None:
    longest = TODAY + LONGEST_PAUSE

    assert trouble_with_pause(None, longest, TODAY) is None
    for until in (longest + timedelta(days=1), date(2062, 1, 1), date.max):
        assert trouble_with_pause(None, until, TODAY) is PauseTrouble.ENDS_LATE


def test_without_an_end_it_lasts_until_somebody_resumes_them() -> None:
    assert trouble_with_pause(None, None, TODAY) is None
    assert trouble_with_pause(TODAY + timedelta(days=1), None, TODAY) is PauseTrouble.HAS_NO_END
