"""A programme as data: phases and what each asks for."""

import json
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outreach.programmes.rules import (
    PUBLISHED_PROTOCOL,
    AttemptPolicy,
    Phase,
    Protocol,
    Rhythm,
    minimum_calls_in_week,
)

START = date(2026, 11, 23)
COUNTS = st.integers(1, 60)


@st.composite
def phases(draw: st.DrawFn) -> Phase:
    choices = draw(st.lists(COUNTS, min_size=1, max_size=5, unique=True).map(tuple))
    first = draw(COUNTS)
    return Phase(
        draw(st.text(min_size=1, max_size=12)),
        first,
        first + draw(st.integers(0, 30)),
        draw(st.sampled_from(Rhythm)),
        choices,
        draw(st.sampled_from(choices)),
    )


PROTOCOLS = st.builds(
    Protocol,
    phases=st.lists(phases(), min_size=1, max_size=4).map(tuple),
    attempts=st.builds(AttemptPolicy, COUNTS, COUNTS, COUNTS, COUNTS, COUNTS),
    reminder_lead_minutes=st.integers(0, 10_000),
)


@given(PROTOCOLS)
def test_a_protocol_survives_being_stored(protocol: Protocol) -> None:
    assert Protocol.from_data(json.loads(json.dumps(protocol.as_data()))) == protocol


@pytest.mark.parametrize(
    ("days", "code"),
    [
        (-1, None),
        (0, "week_1"),
        (6, "week_1"),
        (7, "weeks_2_to_4"),
        (27, "weeks_2_to_4"),
        (28, "weeks_5_to_26"),
        (26 * 7 - 1, "weeks_5_to_26"),
        (26 * 7, None),
    ],
)
def test_each_day_lies_in_one_phase_of_the_published_programme(days: int, code: str | None) -> None:
    phase = PUBLISHED_PROTOCOL.phase_on(START + timedelta(days=days), START)

    assert (phase.code if phase else None) == code


def test_the_published_programme_lasts_26_weeks_without_a_gap() -> None:
    days = range(PUBLISHED_PROTOCOL.weeks * 7)

    assert PUBLISHED_PROTOCOL.ends_on(START) == START + timedelta(weeks=26)
    assert all(PUBLISHED_PROTOCOL.phase_on(START + timedelta(days=day), START) for day in days)


@given(phases(), st.integers(-10, 700))
def test_a_phase_holds_its_days_and_no_other(phase: Phase, ahead: int) -> None:
    day = START + timedelta(days=ahead)
    week = ahead // 7 + 1

    found = Protocol((phase,)).phase_on(day, START)

    assert (found is phase) is (phase.first_week <= week <= phase.last_week)


@pytest.mark.parametrize(
    ("code", "choice", "expected"),
    [
        ("week_1", None, (3, 1)),
        ("week_1", 5, (3, 1)),
        ("weeks_2_to_4", None, (2, 1)),
        ("weeks_2_to_4", 1, (1, 1)),
        ("weeks_2_to_4", 5, (5, 1)),
        ("weeks_2_to_4", 6, (2, 1)),
        ("weeks_5_to_26", None, (1, 1)),
        ("weeks_5_to_26", 7, (1, 1)),
        ("weeks_5_to_26", 14, (1, 2)),
    ],
)
def test_a_phase_asks_for_what_was_chosen_where_it_offers_that(
    code: str, choice: int | None, expected: tuple[int, int]
) -> None:
    (phase,) = [each for each in PUBLISHED_PROTOCOL.phases if each.code == code]

    assert minimum_calls_in_week(phase, choice) == expected


@given(phases(), st.none() | COUNTS)
def test_every_phase_asks_for_something(phase: Phase, choice: int | None) -> None:
    calls, weeks = minimum_calls_in_week(phase, choice)

    assert calls >= 1
    assert weeks >= 1
    assert phase.chosen(choice) in phase.choices
