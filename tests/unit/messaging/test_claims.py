"""How many texts are claimed at a time: what goes out in a few seconds."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outreach.messaging.rules import LARGEST, SMALLEST, size_after
from tests.fakes import MONDAY_10_CHICAGO as NOW


@pytest.mark.parametrize(
    ("seconds", "size"), [(0, 400), (0.9, 400), (1, 200), (3, 200), (3.1, 100), (60, 100)]
)
def test_more_where_the_carrier_is_quick_and_fewer_where_it_is_slow(
    seconds: float, size: int
) -> None:
    assert size_after(200, NOW - timedelta(seconds=seconds), now=NOW) == size


def test_the_first_claim_is_as_large_as_it_is() -> None:
    assert size_after(SMALLEST, None, now=NOW) == SMALLEST


@given(st.lists(st.floats(0, 100)))
def test_never_too_many_nor_too_few(waits: list[float]) -> None:
    size = SMALLEST
    for seconds in waits:
        size = size_after(size, NOW - timedelta(seconds=seconds), now=NOW)
        assert SMALLEST <= size <= LARGEST
