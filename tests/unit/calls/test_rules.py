"""What an outcome means, and how long a call was."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outreach.calls.rules import (
    EARLY_TOLERANCE,
    LONGEST_CALL_MINUTES,
    NOT_REACHED,
    REACHED,
    Outcome,
    is_early,
    minutes_since,
)

NOW = datetime(2026, 11, 23, 16, tzinfo=UTC)
HOUR = timedelta(hours=1)
TICK = timedelta(microseconds=1)


def test_every_outcome_is_a_reach_or_none_and_only_reaches_complete() -> None:
    assert set(REACHED) | set(NOT_REACHED) == set(Outcome)
    assert set(REACHED).isdisjoint(NOT_REACHED)
    assert {each for each in Outcome if each.completes} == {Outcome.COMPLETED, Outcome.SAFETY}
    assert all(each.is_reached for each in Outcome if each.completes)
    assert not any(each.is_reached for each in Outcome if each.spoils_number)


def test_a_promised_time_may_be_kept_five_minutes_early() -> None:
    at = NOW + EARLY_TOLERANCE

    assert not is_early(is_agreed=True, dial_from_at=at, now=NOW)
    assert is_early(is_agreed=True, dial_from_at=at + TICK, now=NOW)
    assert not is_early(is_agreed=False, dial_from_at=at + HOUR, now=NOW)


@pytest.mark.parametrize(
    ("seconds", "minutes"), [(-90, 1), (0, 1), (1, 1), (60, 1), (61, 2), (120, 2), (3599, 60)]
)
def test_a_minute_that_has_begun_counts(seconds: int, minutes: int) -> None:
    assert minutes_since(NOW, NOW + timedelta(seconds=seconds)) == minutes


@given(st.integers(1, LONGEST_CALL_MINUTES * 60))
def test_minutes_cover_the_call_and_less_than_a_minute_on_top(seconds: int) -> None:
    minutes = minutes_since(NOW, NOW + timedelta(seconds=seconds))

    assert minutes is not None
    assert seconds <= minutes * 60 < seconds + 60


def test_a_clock_that_somebody_forgot_tells_no_minutes() -> None:
    longest = NOW + timedelta(minutes=LONGEST_CALL_MINUTES)

    assert minutes_since(NOW, longest) == LONGEST_CALL_MINUTES
    assert minutes_since(NOW, longest + timedelta(seconds=1)) is None
