"""What follows when calls don't get through."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from outreach.planning.rules.silence import (
    Cause,
    Follow,
    Rest,
    Silence,
    Step,
    parsed_reason,
    silent_days,
    silent_for_at,
    steps,
)
from outreach.programmes.rules import FollowUpPolicy

POLICY = FollowUpPolicy()
BEGAN_AT = datetime(2026, 11, 23, 6, tzinfo=UTC)  # midnight in Chicago
DAY = timedelta(days=1)
SILENCE = Silence(BEGAN_AT, date(2026, 11, 23), ZoneInfo("America/Chicago"), is_dialled=True)
LATE = replace(SILENCE, starts_on=date(2026, 6, 1))


def asked(silence: Silence, days: float, policy: FollowUpPolicy = POLICY) -> set[Step]:
    now = silence.since_at + timedelta(days=days)
    return {follow.step for follow in steps(silence, policy, now=now)}


def missed(count: int, *, since: datetime = BEGAN_AT) -> tuple[datetime, ...]:
    return tuple(since + timedelta(hours=20 * each) for each in range(1, count + 1))


@pytest.mark.parametrize(
    ("count", "expected"),
    [
        (1, set()),
        (2, {Step.REVIEW_TIMES}),
        (3, {Step.REVIEW_TIMES, Step.CONTACT_CHECK}),
    ],
)
def test_missed_calls_in_a_row_ask_first_the_caller_and_then_the_coordinator(
    count: int, expected: set[Step]
) -> None:
    assert asked(replace(LATE, missed_at=missed(count)), 5) == expected


@pytest.mark.parametrize(
    ("silence", "days", "expected"),
    [
        (SILENCE, 13.9, False),
        (SILENCE, 14, True),
        (LATE, 29.9, False),
        (LATE, 30, True),
    ],
)
def test_silence_asks_sooner_in_the_first_weeks(
    silence: Silence, days: float, *, expected: bool
) -> None:
    assert (Step.CONTACT_CHECK in asked(silence, days)) is expected


def test_fourteen_days_that_end_after_week_4_are_not_early() -> None:
    began = replace(SILENCE, since_at=BEGAN_AT + 15 * DAY)

    assert asked(began, 20) == set()
    assert asked(began, 30) == {Step.CONTACT_CHECK}


def test_an_early_silence_is_found_however_late_the_planner_looks() -> None:
    assert asked(SILENCE, 29) == {Step.CONTACT_CHECK}


def test_after_60_days_who_was_tried_is_unreachable_and_who_was_not_is_not() -> None:
    assert Step.UNREACHABLE not in asked(LATE, 59.9)
    assert Step.UNREACHABLE in asked(LATE, 60)
    assert Step.UNREACHABLE not in asked(replace(LATE, is_dialled=False), 90)


def test_what_was_seen_to_is_not_asked_for_again() -> None:
    three = replace(LATE, missed_at=missed(3))
    seen_to = replace(three, is_reviewed=True, checked_at=BEGAN_AT + 4 * DAY)

    assert asked(replace(three, is_reviewed=True, is_in_check=True), 5) == set()
    assert asked(seen_to, 5) == set()
    assert asked(seen_to, 33) == set()


def test_a_check_is_asked_for_again_after_as_much_again() -> None:
    checked_at = BEGAN_AT + 4 * DAY
    silence = replace(LATE, is_reviewed=True, checked_at=checked_at)
    two_more = replace(silence, missed_at=missed(3) + missed(2, since=checked_at))
    three_more = replace(silence, missed_at=missed(3) + missed(3, since=checked_at))

    assert asked(two_more, 10) == set()
    assert asked(three_more, 10) == {Step.CONTACT_CHECK}
    assert asked(silence, 34) == {Step.CONTACT_CHECK}


def test_the_programmes_own_numbers_count() -> None:
    policy = FollowUpPolicy(missed_to_review=1, missed_to_check=5, unreachable_days=40)

    assert asked(replace(LATE, missed_at=missed(4)), 10, policy) == {Step.REVIEW_TIMES}
    assert Step.UNREACHABLE in asked(LATE, 40, policy)


def test_the_reason_names_what_it_was_and_how_many() -> None:
    (review, check) = steps(replace(LATE, missed_at=missed(3)), POLICY, now=BEGAN_AT + 5 * DAY)

    assert parsed_reason(review.reason) == (Cause.MISSED, 3)
    assert check == Follow(Step.CONTACT_CHECK, Cause.MISSED, 3)


QUARTER = timedelta(hours=6)
spans = st.integers(0, 100 * 4).map(lambda each: each * QUARTER)


@st.composite
def rests(draw: st.DrawFn) -> tuple[Rest, ...]:
    """Times that follow each other, from before the silence to long after it."""
    at, found = BEGAN_AT - 20 * DAY, []
    for gap, length in draw(st.lists(st.tuples(spans, spans), max_size=4)):
        found.append(Rest(at + gap, at + gap + length))
        at = found[-1].until_at
    return tuple(found)


def unrested(since_at: datetime, until_at: datetime, away: tuple[Rest, ...]) -> timedelta:
    """Count a quarter of a day at a time, the slow way."""
    count, at = 0, since_at
    while at < until_at:
        count += not any(rest.from_at <= at < rest.until_at for rest in away)
        at += QUARTER
    return count * QUARTER


@settings(deadline=None)
@given(away=rests(), days=st.integers(1, 60))
def test_time_at_rest_is_not_silence(away: tuple[Rest, ...], days: int) -> None:
    at = silent_for_at(BEGAN_AT, days, away)

    assert unrested(BEGAN_AT, at, away) == timedelta(days=days)
    assert at >= BEGAN_AT + timedelta(days=days)
    resting = replace(SILENCE, rests=away)
    assert silent_days(resting, now=at) == days
    assert silent_days(resting, now=at - timedelta(seconds=1)) == days - 1


@given(away=rests(), count=st.integers(0, 6), spent=spans, more=spans)
def test_a_step_that_is_asked_for_stays_so_until_it_is_taken(
    away: tuple[Rest, ...], count: int, spent: timedelta, more: timedelta
) -> None:
    silence = replace(SILENCE, rests=away, missed_at=missed(count))
    sooner = {each.step for each in steps(silence, POLICY, now=BEGAN_AT + spent)}
    later = {each.step for each in steps(silence, POLICY, now=BEGAN_AT + spent + more)}

    assert sooner <= later


@given(away=rests(), count=st.integers(0, 6), spent=spans)
def test_taking_the_steps_leaves_nothing_to_ask_for(
    away: tuple[Rest, ...], count: int, spent: timedelta
) -> None:
    now = BEGAN_AT + spent
    silence = replace(SILENCE, rests=away, missed_at=missed(count))
    taken = {each.step for each in steps(silence, POLICY, now=now)}
    after = replace(
        silence,
        is_reviewed=Step.REVIEW_TIMES in taken,
        is_in_check=Step.CONTACT_CHECK in taken,
    )
    done = replace(
        after,
        is_in_check=False,
        checked_at=now if Step.CONTACT_CHECK in taken else None,
    )

    for each in (after, done):
        assert {again.step for again in steps(each, POLICY, now=now)} <= {Step.UNREACHABLE}


WATCHFUL = FollowUpPolicy(missed_to_welfare=4, silent_days_welfare=20)
AGREED = replace(LATE, is_welfare_agreed=True)


@pytest.mark.parametrize(
    ("silence", "days", "expected"),
    [
        (replace(AGREED, missed_at=missed(3)), 5, False),
        (replace(AGREED, missed_at=missed(4)), 5, True),
        (AGREED, 19.9, False),
        (AGREED, 20, True),
        (replace(AGREED, is_dialled=False), 40, False),
        (replace(AGREED, is_welfare_agreed=False, missed_at=missed(9)), 40, False),
        (replace(AGREED, has_welfare=True, missed_at=missed(9)), 40, False),
    ],
)
def test_a_nurse_makes_sure_once_that_who_was_tried_and_agreed_is_well(
    silence: Silence, days: float, *, expected: bool
) -> None:
    assert (Step.WELFARE_CHECK in asked(silence, days, WATCHFUL)) is expected


@given(st.floats(0, 300), st.integers(0, 12))
def test_a_programme_without_the_rule_asks_for_no_welfare_check(days: float, count: int) -> None:
    silence = replace(AGREED, missed_at=missed(count))

    assert Step.WELFARE_CHECK not in asked(silence, days, FollowUpPolicy())
