"""Which weeks of the programme were kept to."""

from dataclasses import replace
from datetime import date, timedelta

import pytest

from outreach.programmes.rules import PUBLISHED_PROTOCOL
from outreach.reports.rules.period import Period
from outreach.reports.rules.weeks import Course, weeks_of

START = date(2026, 3, 4)
LATER = date(2027, 1, 1)
EVER = Period(START, LATER)


def course(left_on: date | None = None, *choices: tuple[int, str, int]) -> Course:
    """An enrolment; choices are (days after the start, phase, number)."""
    made = tuple((START + timedelta(days=day), phase, number) for day, phase, number in choices)
    return Course(PUBLISHED_PROTOCOL, START, left_on, made)


def kept(
    of: Course, completed: dict[int, int], *, today: date = LATER, period: Period = EVER
) -> dict[int, bool | None]:
    return {week.number: week.is_kept for week in weeks_of(of, period, completed, today=today)}


@pytest.mark.parametrize(("calls", "is_kept"), [(2, False), (3, True), (4, True)])
def test_week_one_asks_for_three_calls(calls: int, *, is_kept: bool) -> None:
    assert kept(course(), {1: calls})[1] is is_kept


def test_weeks_two_to_four_ask_for_what_was_chosen_before_the_week_began() -> None:
    # Two until chosen; four chosen on the first day of week 3 holds from week 4 on.
    judged = kept(course(None, (14, "weeks_2_to_4", 4)), {2: 2, 3: 2, 4: 3})

    assert (judged[2], judged[3], judged[4]) == (True, True, False)


def test_later_weeks_ask_for_one_call_each() -> None:
    judged = kept(course(), {5: 1, 7: 1})

    assert [judged[week] for week in (5, 6, 7, 8)] == [True, False, True, False]


def test_one_call_in_fourteen_days_is_judged_over_both_weeks_of_a_pair() -> None:
    fortnightly = course(None, (20, "weeks_5_to_26", 14))

    judged = kept(fortnightly, {6: 1, 9: 1})

    assert [judged[week] for week in range(5, 11)] == [True, True, False, False, True, True]


def test_a_pair_that_is_not_over_is_not_judged() -> None:
    fortnightly = course(None, (20, "weeks_5_to_26", 14))

    assert kept(fortnightly, {5: 1}, today=START + timedelta(weeks=5)) == {
        1: False,
        2: False,
        3: False,
        4: False,
        5: None,
    }


def test_weeks_count_where_they_end() -> None:
    ends_on = START + timedelta(days=13)

    assert list(kept(course(), {}, period=Period(ends_on, ends_on))) == [2]
    day_before = ends_on - timedelta(days=1)
    assert list(kept(course(), {}, period=Period(day_before, day_before))) == []


def test_a_week_counts_only_when_it_is_over_with_the_patient_enrolled() -> None:
    second_week_ends_on = START + timedelta(days=13)

    assert list(kept(course(second_week_ends_on), {})) == [1]
    assert list(kept(course(second_week_ends_on + timedelta(days=1)), {})) == [1, 2]
    assert list(kept(course(), {}, today=second_week_ends_on)) == [1]


def test_the_programme_has_twenty_six_weeks() -> None:
    assert list(kept(course(), {})) == list(range(1, 27))


def test_is_active_from_the_first_day_to_the_day_of_leaving() -> None:
    left_on = START + timedelta(days=30)
    left = course(left_on)

    assert left.is_active_in(Period(START, START), today=LATER)
    assert not left.is_active_in(Period(date(2026, 1, 1), START - timedelta(days=1)), today=LATER)
    assert left.is_active_in(Period(left_on, LATER), today=LATER)
    assert not left.is_active_in(Period(left_on + timedelta(days=1), LATER), today=LATER)
    assert not course().is_active_in(EVER, today=START - timedelta(days=1))
    assert not course().is_active_in(Period(START + timedelta(weeks=26), LATER), today=LATER)


def test_a_week_is_chosen_where_its_own_programme_lets_choose() -> None:
    first, second, third = PUBLISHED_PROTOCOL.phases
    bound = replace(
        PUBLISHED_PROTOCOL, phases=(first, replace(second, choices=second.choices[:1]), third)
    )

    chosen = {}
    for protocol in (PUBLISHED_PROTOCOL, bound):
        weeks = weeks_of(replace(course(), protocol=protocol), EVER, {}, today=LATER)
        chosen[protocol.phases[1].choices] = {week.number for week in weeks if week.is_chosen}

    assert list(chosen.values()) == [set(range(2, 27)), set(range(5, 27))]
