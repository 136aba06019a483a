"""Who is on call by the week, and where nobody is: on the clinic's own clock."""

from datetime import UTC, date, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outreach.concerns.rules import Turn, gaps

MONDAY = date(2026, 11, 23)
BEGAN = datetime(2026, 11, 23, tzinfo=UTC)
EVENINGS = Turn(frozenset({0}), time(20), time(8), MONDAY)


@pytest.mark.parametrize(
    ("turn", "local", "expected"),
    [
        (Turn(frozenset({0}), time(8), time(20), MONDAY), "2026-11-23T08:00", True),
        (Turn(frozenset({0}), time(8), time(20), MONDAY), "2026-11-23T07:59", False),
        (Turn(frozenset({0}), time(8), time(20), MONDAY), "2026-11-23T20:00", False),
        (Turn(frozenset({0}), time(8), time(20), MONDAY), "2026-11-24T09:00", False),
        (EVENINGS, "2026-11-23T23:00", True),
        (EVENINGS, "2026-11-24T07:59", True),
        (EVENINGS, "2026-11-24T08:00", False),
        (EVENINGS, "2026-11-23T07:00", False),  # began a day before it holds
        (Turn(frozenset({0}), time(0), time(0), MONDAY), "2026-11-23T23:59", True),
        (Turn(frozenset({0}), time(0), time(0), MONDAY), "2026-11-24T00:00", False),
        (Turn(frozenset({0}), time(8), time(20), MONDAY, MONDAY), "2026-11-23T09:00", False),
    ],
)  # fmt: skip
def test_a_turn_holds_from_its_beginning_until_its_end(
    turn: Turn, local: str, *, expected: bool
) -> None:
    assert turn.holds(datetime.fromisoformat(local)) is expected


@pytest.mark.parametrize(
    ("other", "expected"),
    [
        (Turn(frozenset({1}), time(7), time(12), MONDAY), True),  # the night reaches into it
        (Turn(frozenset({1}), time(8), time(12), MONDAY), False),
        (Turn(frozenset({6}), time(8), time(20), MONDAY), False),
        (Turn(frozenset({0}), time(19), time(21), date(2027, 1, 1)), True),
    ],
)
def test_turns_meet_only_where_both_hold(other: Turn, *, expected: bool) -> None:
    assert EVENINGS.meets(other) is expected
    assert other.meets(EVENINGS) is expected


hours = st.integers(0, 72)
spans = st.lists(
    st.tuples(hours, st.integers(1, 24)).map(
        lambda span: (
            BEGAN + timedelta(hours=span[0]),
            BEGAN + timedelta(hours=span[0] + span[1]),
        )
    ),
    max_size=6,
)


@given(kept=spans)
def test_every_hour_is_either_kept_or_in_a_gap(kept: list[tuple[datetime, datetime]]) -> None:
    wanted = [
        (BEGAN + timedelta(days=day, hours=9), BEGAN + timedelta(days=day, hours=20))
        for day in range(3)
    ]

    found = gaps(wanted, kept)

    for from_at, until_at in wanted:
        for hour in range(11):
            moment = from_at + timedelta(hours=hour)
            is_kept = any(begins <= moment < ends for begins, ends in kept)
            assert any(begins <= moment < ends for begins, ends in found) is not is_kept
            assert moment < until_at
    assert all(begins < ends for begins, ends in found)
