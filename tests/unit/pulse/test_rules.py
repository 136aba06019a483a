"""Months, and what is told of a group: nothing of a few."""

from datetime import date
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outreach.pulse.rules import (
    ANSWERS,
    Acts,
    Group,
    House,
    group_of,
    listeners,
    month_of,
    months_before,
)

MONTH = date(2026, 10, 1)
DAYS = st.dates(min_value=date(2001, 1, 1), max_value=date(2100, 12, 31))


@given(DAYS, st.integers(1, 30))
def test_months_follow_one_another_down(day: date, count: int) -> None:
    months = months_before(month_of(day), count)

    assert len(months) == count
    numbers = [each.year * 12 + each.month for each in (month_of(day), *months)]
    assert all(earlier == later - 1 for later, earlier in pairwise(numbers))
    assert {each.day for each in months} == {1}


@given(
    st.lists(st.sampled_from(ANSWERS), max_size=12), st.integers(5, 8), st.sampled_from([2, 3, 5])
)
def test_of_few_not_even_their_number_is_told(
    answers: list[int], least: int, burnout_from: int
) -> None:
    told = group_of(MONTH, 12, answers, least=least, burnout_from=burnout_from)

    if len(answers) < least:
        assert told == Group(MONTH, 12, None, None)
    else:
        assert told.answered == len(answers)
        burnt_out = len([each for each in answers if each >= burnout_from])
        assert told.burnt_out == (burnt_out if burnt_out < len(answers) - 1 else None)


@pytest.mark.parametrize(("answer", "counts"), [(2, 0), (3, 3), (5, 3)])
def test_the_third_answer_is_the_first_that_counts(answer: int, counts: int) -> None:
    assert group_of(MONTH, 5, [answer] * 3 + [1] * 2, least=5, burnout_from=3).burnt_out == counts


@given(
    st.integers(1, 6),
    st.sets(st.integers(1, 6)),
    st.none() | st.integers(1, 6),
    st.sets(st.integers(1, 6)),
)
def test_whoever_can_hear_it_hears_it_and_nobody_asks_themselves(
    asker: int, managers: set[int], lead: int | None, administrators: set[int]
) -> None:
    heard = listeners(asker, House(frozenset(managers), lead), administrators)

    assert asker not in heard
    assert bool(heard) == bool((managers | {lead} | administrators) - {asker, None})
    assert len(set(heard.values())) <= 1
    if managers - {asker}:
        assert heard == dict.fromkeys(managers - {asker}, Acts.MANAGER)
