"""Turns: never more than a sender's pace in any ten seconds, and no less where enough waits."""

from datetime import datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outreach.messaging.rules.pace import (
    AHEAD,
    LATE,
    SOON,
    WINDOW,
    Given,
    Turn,
    in_fair_order,
    look_again_at,
    most_texts,
    turns_for,
)
from tests.fakes import MONDAY_10_CHICAGO as NOW

SIZES = st.integers(1, 4)


def given_over(per_second: int, sizes: list[int], waits: list[float]) -> list[Turn]:
    """Return the turns of texts of these sizes, claimed again and again by whoever looks."""
    kept, found, now = Given((), {}), [], NOW
    left, pauses = list(sizes), iter(waits)
    while left:
        turns = turns_for(left[: most_texts(per_second)], kept.recent, per_second, now=now)
        kept = Given.of(kept.and_for((1, turn) for turn in turns).as_data())
        found += turns
        left = left[len(turns) :]
        now = max(now, look_again_at(kept.last_at, now=now))
        now += timedelta(seconds=next(pauses, 0.05))
    return found


def most_in_a_window(handed_over: list[tuple[datetime, int]]) -> int:
    """Return the most segments in any ten seconds: such as begin with a text."""
    return max(
        sum(segments for at, segments in handed_over if begins <= at < begins + WINDOW)
        for begins, _segments in handed_over
    )


@given(
    st.integers(1, 40),
    st.lists(SIZES, min_size=1, max_size=300),
    st.lists(st.floats(0, 15), max_size=20),
    st.randoms(use_true_random=False),
)
def test_no_ten_seconds_see_more_than_the_pace_however_late_each_leaves(
    per_second: int, sizes: list[int], waits: list[float], rng: object
) -> None:
    turns = given_over(per_second, sizes, waits)

    left_at = [
        (turn.at + LATE * rng.random(), turn.segments)  # type: ignore[attr-defined]
        for turn in turns
    ]

    assert [turn.segments for turn in turns] == sizes
    assert most_in_a_window(left_at) <= 10 * per_second


@pytest.mark.parametrize("per_second", [2, 5, 10, 50, 100])
def test_where_enough_waits_every_ten_seconds_are_used(per_second: int) -> None:
    turns = given_over(per_second, [1] * per_second * 60, [])
    last = turns[-1].at

    for turn in turns:
        if turn.at + WINDOW <= last:
            used = sum(turn.at <= each.at < turn.at + WINDOW for each in turns)
            assert 0.95 * 10 * per_second <= used <= 10 * per_second


def test_one_a_second_leaves_a_second_apart() -> None:
    turns = given_over(1, [1] * 30, [])

    gaps = [after.at - before.at for before, after in pairwise(turns)]
    assert {round(gap.total_seconds(), 2) for gap in gaps} == {1.02}


def test_a_slower_pace_counts_what_was_given_at_the_quicker_one() -> None:
    quick = turns_for([1] * 10, (), 10, now=NOW)

    slow = turns_for([1], quick, 1, now=quick[-1].at + timedelta(seconds=2))

    assert slow == [], "ten went out just now: a whole window at the new pace"


def test_a_text_larger_than_a_window_goes_alone() -> None:
    assert [turn.at for turn in turns_for([12, 1], (), 1, now=NOW)] == [NOW + SOON]


@given(st.integers(1, 100), st.lists(SIZES, max_size=250))
def test_turns_lie_ahead_but_not_far(per_second: int, sizes: list[int]) -> None:
    turns = turns_for(sizes, (), per_second, now=NOW)

    assert all(NOW + SOON <= turn.at <= NOW + AHEAD for turn in turns)
    assert len(turns) <= most_texts(per_second)


@given(st.integers(1, 50), st.lists(SIZES, max_size=120), st.data())
def test_texts_that_are_dropped_make_no_other_later(
    per_second: int, sizes: list[int], data: st.DataObject
) -> None:
    fitting = sizes[: len(turns_for(sizes, (), per_second, now=NOW))]
    is_kept = data.draw(st.lists(st.booleans(), min_size=len(fitting), max_size=len(fitting)))
    kept = [size for size, is_left in zip(fitting, is_kept, strict=True) if is_left]

    assert len(turns_for(kept, (), per_second, now=NOW)) == len(kept)


@given(st.lists(st.tuples(st.integers(1, 5), st.timedeltas(timedelta(), timedelta(days=1)))))
def test_what_was_given_is_kept_as_it_was(turns: list[tuple[int, timedelta]]) -> None:
    kept = Given((), {}).and_for((clinic, Turn(NOW + after, 1)) for clinic, after in turns)

    assert Given.of(kept.as_data()) == kept


def test_clinics_take_turns_and_who_waits_longest_begins() -> None:
    served = {1: NOW, 2: NOW - timedelta(seconds=5)}
    waiting = {1: ["a1", "a2", "a3"], 2: ["b1"], 3: ["c1", "c2"]}

    assert in_fair_order(waiting, served) == ["c1", "b1", "a1", "c2", "a2", "a3"]


def test_nobody_waits_in_no_line() -> None:
    assert in_fair_order({}, {1: NOW}) == []
