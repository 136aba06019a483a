"""What a patient costs week by week, and when the new ones begin."""

from collections import Counter
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outreach.panels.rules.load import (
    WEEKS_AHEAD,
    Weeks,
    coming_weeks,
    in_minutes,
    projected_calls,
)
from outreach.panels.rules.stagger import NEW_A_DAY, fits, stagger
from outreach.programmes.rules import PUBLISHED_PROTOCOL

MONDAY = date(2026, 11, 23)
WEEKS = coming_weeks(MONDAY)
NOTHING = (0.0,) * WEEKS_AHEAD


def cost_of(_enrolment_id: int, day: date) -> Weeks:
    return in_minutes(projected_calls(PUBLISHED_PROTOCOL, day, {}, WEEKS), 20)


def test_a_new_patient_costs_three_calls_then_two_then_one_a_week() -> None:
    calls = projected_calls(PUBLISHED_PROTOCOL, MONDAY, {}, WEEKS)

    assert calls == pytest.approx((3, 2, 2, 2, 1, 1, 1, 1))


def test_what_the_patient_chose_counts() -> None:
    chosen = {"weeks_2_to_4": 5, "weeks_5_to_26": 14}

    calls = projected_calls(PUBLISHED_PROTOCOL, MONDAY, chosen, WEEKS)

    assert calls == pytest.approx((3, 5, 5, 5, 0.5, 0.5, 0.5, 0.5))


@given(st.integers(-200, 60))
def test_a_programme_costs_nothing_outside_its_weeks(days: int) -> None:
    starts_on = MONDAY + timedelta(days=days)
    calls = projected_calls(PUBLISHED_PROTOCOL, starts_on, {}, WEEKS)

    for monday, each in zip(WEEKS, calls, strict=True):
        is_outside = monday + timedelta(days=7) <= starts_on or (
            monday >= PUBLISHED_PROTOCOL.ends_on(starts_on)
        )
        assert (each == 0) == is_outside


@given(st.integers(0, 40), st.integers(60, 1500), st.integers(0, 600))
def test_no_week_ever_passes_the_callers_hours(new: int, hours: int, now: int) -> None:
    load = (float(min(now, hours)),) * WEEKS_AHEAD

    begun = stagger(
        list(range(new)),
        load=load,
        weekly_minutes=hours,
        first_day=MONDAY,
        cost_of=cost_of,
        is_open=lambda day: day.weekday() < 6,
    )

    assert len(begun.starts_on) + len(begun.too_many) == new
    assert all(each <= hours + 0.01 for each in begun.load)
    assert all(day >= MONDAY and day.weekday() < 6 for day in begun.starts_on.values())


def test_twenty_new_patients_do_not_all_begin_on_one_day() -> None:
    """Twenty on one day would be sixty calls, 20 hours, in one week."""
    begun = stagger(
        list(range(20)),
        load=NOTHING,
        weekly_minutes=600,
        first_day=MONDAY,
        cost_of=cost_of,
        is_open=lambda day: day.weekday() < 6,
    )

    first_week = [day for day in begun.starts_on.values() if day < MONDAY + timedelta(days=7)]
    assert begun.too_many == ()
    assert 0 < len(first_week) < 20
    assert max(Counter(first_week).values()) <= NEW_A_DAY
    assert next(iter(begun.starts_on.values())) == min(begun.starts_on.values())


def test_a_week_that_is_full_already_is_no_trouble_for_who_costs_it_nothing() -> None:
    full_now = (700.0, *NOTHING[1:])

    assert fits(full_now, (0.0, *(60.0,) * (WEEKS_AHEAD - 1)), 600)
    assert not fits(full_now, (20.0, *NOTHING[1:]), 600)
