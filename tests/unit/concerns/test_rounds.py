"""Who is told when, for as long as nobody takes a concern on."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outreach.concerns.rules import MOST_ROUNDS, OnCallRank, Urgency, ranks_told, round_of
from tests.fakes import MONDAY_10_CHICAGO as NOW


@pytest.mark.parametrize(
    ("minutes", "number"), [(0, 0), (14, 0), (15, 1), (29, 1), (30, 2), (-1, 0)]
)
def test_an_urgent_concern_goes_to_the_next_person_every_15_minutes(
    minutes: int, number: int
) -> None:
    later = NOW + timedelta(minutes=minutes)

    assert round_of(Urgency.NOW, raised_at=NOW, now=later) == number


@given(st.integers(-60 * 24, 60 * 24 * 30))
def test_rounds_come_to_an_end(minutes: int) -> None:
    number = round_of(Urgency.NOW, raised_at=NOW, now=NOW + timedelta(minutes=minutes))

    assert number is not None
    assert 0 <= number < MOST_ROUNDS


def test_everybody_is_told_after_the_lead() -> None:
    assert [ranks_told(number) for number in range(4)] == [
        (OnCallRank.FIRST,),
        (OnCallRank.BACKUP,),
        (OnCallRank.LEAD,),
        tuple(OnCallRank),
    ]


def test_what_waits_for_the_next_business_day_brings_no_text() -> None:
    assert round_of(Urgency.NEXT_BUSINESS_DAY, raised_at=NOW, now=NOW) is None
