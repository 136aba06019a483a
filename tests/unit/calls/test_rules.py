"""What an outcome means, and in what order to call."""

import random
from dataclasses import replace
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
    QueueFacts,
    QueueGroup,
    Why,
    group_of,
    is_early,
    minutes_since,
    order_key,
    whys_of,
)

NOW = datetime(2026, 11, 23, 16, tzinfo=UTC)
HOUR = timedelta(hours=1)
TICK = timedelta(microseconds=1)
READY = QueueFacts(
    now=NOW,
    day_ends_at=NOW + 14 * HOUR,
    dial_from_at=NOW - HOUR,
    dial_until_at=NOW + 2 * HOUR,
    lawful_until_at=NOW + 8 * HOUR,
    is_agreed=False,
    is_last_day=False,
    is_first_call=False,
    was_missed_before=False,
    dials=0,
    has_number=True,
)
HOURS = st.integers(-20, 20).map(lambda ahead: NOW + ahead * HOUR)
FACTS = st.builds(
    QueueFacts,
    now=st.just(NOW),
    day_ends_at=st.just(NOW + 14 * HOUR),
    dial_from_at=HOURS,
    dial_until_at=HOURS,
    lawful_until_at=st.none() | HOURS,
    is_agreed=st.booleans(),
    is_last_day=st.booleans(),
    is_first_call=st.booleans(),
    was_missed_before=st.booleans(),
    dials=st.integers(0, 3),
    has_number=st.booleans(),
)
# One deviation for each reason, in the order in which they press.
PRESSING = {
    Why.AGREED: replace(READY, is_agreed=True),
    Why.LAST_DAY: replace(READY, is_last_day=True),
    Why.FIRST_CALL: replace(READY, is_first_call=True),
    Why.MISSED_LAST: replace(READY, was_missed_before=True),
    Why.TRIED_BEFORE: replace(READY, dials=1),
    Why.DUE: READY,
}


def test_every_outcome_is_a_reach_or_none_and_only_reaches_complete() -> None:
    assert set(REACHED) | set(NOT_REACHED) == set(Outcome)
    assert set(REACHED).isdisjoint(NOT_REACHED)
    assert {each for each in Outcome if each.completes} == {Outcome.COMPLETED, Outcome.SAFETY}
    assert all(each.is_reached for each in Outcome if each.completes)
    assert not any(each.is_reached for each in Outcome if each.spoils_number)


@pytest.mark.parametrize(
    ("deviations", "group"),
    [
        pytest.param({}, QueueGroup.NOW, id="in its slot"),
        pytest.param({"dial_from_at": NOW}, QueueGroup.NOW, id="the first instant of its slot"),
        pytest.param({"dial_from_at": NOW + TICK}, QueueGroup.LATER, id="before its slot"),
        pytest.param({"dial_from_at": NOW + 14 * HOUR}, QueueGroup.COMING, id="after my day"),
        pytest.param({"dial_until_at": NOW - HOUR}, QueueGroup.NOW, id="slot over, still lawful"),
        pytest.param({"lawful_until_at": None}, QueueGroup.COMING, id="not lawful"),
        pytest.param(
            {"lawful_until_at": None, "is_agreed": True}, QueueGroup.NOW, id="asked for, off hours"
        ),
        pytest.param(
            {"lawful_until_at": None, "is_agreed": True, "dial_until_at": NOW},
            QueueGroup.COMING,
            id="asked for, off hours, and over",
        ),
        pytest.param({"has_number": False}, QueueGroup.NUMBER_TO_FIX, id="no number"),
    ],
)
def test_a_call_stands_in_one_part_of_the_queue(
    deviations: dict[str, object], group: QueueGroup
) -> None:
    assert group_of(replace(READY, **deviations)) is group  # type: ignore[arg-type]


def test_reasons_are_named_most_pressing_first() -> None:
    everything = replace(
        READY,
        is_agreed=True,
        is_last_day=True,
        is_first_call=True,
        was_missed_before=True,
        dials=2,
    )

    assert whys_of(everything) == tuple(Why)[:-1]
    assert whys_of(READY) == (Why.DUE,)
    assert {why: whys_of(facts) for why, facts in PRESSING.items()} == {
        why: (why,) for why in PRESSING
    }


@given(FACTS)
def test_there_is_always_a_reason_and_due_only_stands_alone(facts: QueueFacts) -> None:
    whys = whys_of(facts)

    assert whys
    assert list(whys) == sorted(whys, key=list(Why).index)
    assert Why.DUE not in whys or whys == (Why.DUE,)


def test_a_promised_time_comes_first_then_the_last_day() -> None:
    shuffled = [PRESSING[why] for why in reversed(PRESSING)]

    ordered = sorted(shuffled, key=order_key)

    assert [whys_of(facts)[0] for facts in ordered] == list(Why)


def test_among_equals_what_closes_first_comes_first() -> None:
    closing = replace(READY, lawful_until_at=NOW + HOUR)
    ending = replace(READY, dial_until_at=NOW + HOUR / 2)

    assert sorted([READY, closing, ending], key=order_key) == [ending, closing, READY]


def test_what_comes_later_is_ordered_by_its_time_whatever_presses() -> None:
    soon = replace(READY, dial_from_at=NOW + HOUR)
    promised = replace(READY, dial_from_at=NOW + 2 * HOUR, is_agreed=True, is_last_day=True)

    assert sorted([promised, soon], key=order_key) == [soon, promised]


@given(st.lists(FACTS, max_size=12), st.randoms(use_true_random=False))
def test_the_order_does_not_depend_on_how_calls_were_found(
    calls: list[QueueFacts], chance: random.Random
) -> None:
    keyed = [(*order_key(facts), place) for place, facts in enumerate(calls)]
    shuffled = list(keyed)
    chance.shuffle(shuffled)

    assert sorted(shuffled) == sorted(keyed)


@given(FACTS, FACTS)
def test_a_promised_time_now_is_never_behind_another_reason(
    facts: QueueFacts, other: QueueFacts
) -> None:
    promised = replace(facts, is_agreed=True)
    if group_of(promised) is group_of(other) is QueueGroup.NOW and not other.is_agreed:
        assert order_key(promised) < order_key(other)


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
