"""When Save was pressed, by what a page says of how long it waited."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st
from werkzeug.datastructures import MultiDict

from outreach.calls.rules import LONGEST_WAIT
from outreach.calls.sent import pressed_at

NOW = datetime(2026, 11, 23, 16, tzinfo=UTC)
SINCE = st.none() | st.timedeltas(-timedelta(days=2), timedelta(hours=1)).map(NOW.__add__)


@given(st.text() | st.integers().map(str), SINCE)
def test_whatever_a_page_says_a_call_ends_between_its_beginning_and_now(
    waited: str, since: datetime | None
) -> None:
    at = pressed_at(MultiDict({"waited": waited}), since=since, now=NOW)

    assert NOW - LONGEST_WAIT <= at <= NOW
    assert since is None or at >= min(since, NOW)


@given(st.integers(0, 3600))
def test_seconds_of_waiting_are_taken_off(seconds: int) -> None:
    form = MultiDict({"waited": str(seconds)})

    assert pressed_at(form, since=None, now=NOW) == NOW - timedelta(seconds=seconds)
