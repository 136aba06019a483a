"""A whole proposal worked out: who, from when, and what is said about it."""

from dataclasses import replace
from datetime import date, time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outreach.panels import proposing
from outreach.panels.proposing import Person, Place
from outreach.panels.rules.load import WEEKS_WEIGHED, coming_weeks
from outreach.panels.rules.matching import Candidate, Waiting
from outreach.programmes.rules import PUBLISHED_PROTOCOL, Protocol

MONDAY = date(2026, 11, 23)
EVERY_DAY = replace(
    PUBLISHED_PROTOCOL,
    phases=(replace(PUBLISHED_PROTOCOL.phases[0], last_week=26, choices=(7,), default=7),),
)


def _place(weekly_minutes: int) -> Place:
    load = (0.0,) * WEEKS_WEIGHED
    caller = Candidate(1, frozenset({"en"}), 20, 0, weekly_minutes, load)
    return Place(
        [caller], coming_weeks(MONDAY, WEEKS_WEIGHED), MONDAY, lambda day: day.weekday() < 6
    )


def _person(number: int, protocol: Protocol) -> Person:
    return Person(Waiting(number, "en"), protocol, MONDAY)


def test_nothing_is_called_proven_that_was_solved_again_with_less_room() -> None:
    few, many = _person(1, PUBLISHED_PROTOCOL), _person(2, EVERY_DAY)
    also_many = _person(3, EVERY_DAY)

    plan = proposing.work_out([few, many, also_many], _place(weekly_minutes=200))

    assert not plan.is_proven
    assert plan.rounds > 1
    assert len(plan.caller_of) == 2
    assert max(plan.loads[1]) <= 200


@given(st.integers(1, 12), st.integers(60, 300))
def test_no_week_passes_the_hours_after_those_that_are_shown_either(count: int, hours: int) -> None:
    people = [_person(number, PUBLISHED_PROTOCOL) for number in range(count)]

    plan = proposing.work_out(people, _place(hours))

    mondays = coming_weeks(MONDAY, 40)
    begun = [people[number].cost_from(day, mondays) for number, day in plan.starts_on.items()]
    assert all(sum(week) <= hours + 1e-6 for week in zip(*begun, strict=True))


@pytest.mark.parametrize("count", [0, 1, 5])
def test_what_fits_at_once_is_proven(count: int) -> None:
    people = [_person(number, PUBLISHED_PROTOCOL) for number in range(1, count + 1)]

    plan = proposing.work_out(people, _place(weekly_minutes=1200))

    assert plan.is_proven
    assert len(plan.caller_of) == count


def test_new_patients_begin_on_days_on_which_their_caller_works() -> None:
    people = [_person(number, PUBLISHED_PROTOCOL) for number in range(8)]
    place = _place(weekly_minutes=1200)
    shifts = tuple((weekday, time(9), time(17)) for weekday in (1, 3, 6))
    place = replace(place, callers=[replace(place.callers[0], shifts=shifts)])

    plan = proposing.work_out(people, place)

    assert len(plan.starts_on) == 8
    assert {day.weekday() for day in plan.starts_on.values()} == {1, 3}


def test_load_is_balanced_by_what_all_who_wait_cost_and_not_by_the_first() -> None:
    busy, free = (
        Candidate(number, frozenset({"en"}), 20, 0, 600, (minutes,) * WEEKS_WEIGHED)
        for number, minutes in ((1, 60.0), (2, 0.0))
    )
    place = replace(_place(600), callers=[busy, free])
    people = [_person(1, PUBLISHED_PROTOCOL), *(_person(each, EVERY_DAY) for each in (2, 3))]

    plan = proposing.work_out(people, place)

    # One of every day outweighs what the first caller has already.
    assert sorted(plan.caller_of.values()) == [1, 2, 2]
