"""Days and weeks that reports are about."""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outreach.reports.rules.period import Period, last_days, whole_weeks

CHICAGO = ZoneInfo("America/Chicago")


def test_the_default_ends_yesterday() -> None:
    assert last_days(28, today=date(2026, 11, 23)) == Period(date(2026, 10, 26), date(2026, 11, 22))


@pytest.mark.parametrize(
    ("from_on", "until_on", "hours"),
    [
        pytest.param(date(2026, 11, 2), date(2026, 11, 2), 24, id="an ordinary day"),
        pytest.param(date(2026, 3, 8), date(2026, 3, 8), 23, id="clocks go forward"),
        pytest.param(date(2026, 11, 1), date(2026, 11, 1), 25, id="clocks go back"),
    ],
)
def test_a_day_is_as_long_as_it_is_at_the_clinic(from_on: date, until_on: date, hours: int) -> None:
    begins_at, ends_at = Period(from_on, until_on).instants(CHICAGO)

    assert (ends_at - begins_at).total_seconds() == hours * 3600


def test_a_period_begins_at_local_midnight() -> None:
    begins_at, _ends_at = Period(date(2026, 11, 2), date(2026, 11, 3)).instants(CHICAGO)

    assert begins_at == datetime(2026, 11, 2, 6, tzinfo=UTC)


@given(st.dates(date(2001, 1, 1), date(2100, 1, 1)), st.integers(1, 60))
def test_whole_weeks_run_from_monday_to_sunday_and_are_over(until: date, count: int) -> None:
    weeks = whole_weeks(count, until=until)

    assert weeks.days == 7 * count
    assert weeks.from_on.weekday() == 0
    assert weeks.until_on <= until
    assert (until - weeks.until_on).days < 7
