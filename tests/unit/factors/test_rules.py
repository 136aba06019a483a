"""Codes that change with time: the vectors of the RFC, the window, and codes on paper."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outreach.factors.rules import (
    STEP,
    WINDOW,
    clock_error,
    code_of,
    digits_of,
    matching_step,
    new_recovery_code,
    recovery_code_of,
    shown_secret,
    step_at,
)

SECRET = b"12345678901234567890"
steps = st.integers(10, 2**33)


@pytest.mark.parametrize(
    ("seconds", "code"),
    [(59, "287082"), (1111111109, "081804"), (1234567890, "005924"), (20000000000, "353130")],
)
def test_codes_are_those_of_rfc_6238(seconds: int, code: str) -> None:
    assert code_of(SECRET, step_at(datetime.fromtimestamp(seconds, UTC))) == code


@given(steps, st.integers(-5, 5))
def test_a_code_counts_one_step_early_or_late_and_no_more(at: int, off: int) -> None:
    found = matching_step(SECRET, code_of(SECRET, at + off), at=at)

    near = {code_of(SECRET, at + each) for each in range(-WINDOW, WINDOW + 1)}
    is_near = code_of(SECRET, at + off) in near
    assert (found is not None) == is_near


@given(steps, st.integers(-1, 1))
def test_a_code_that_was_used_counts_no_more(at: int, off: int) -> None:
    code = code_of(SECRET, at + off)
    used = matching_step(SECRET, code, at=at)
    assert used is not None

    assert matching_step(SECRET, code, at=at, after=at + WINDOW) is None
    again = matching_step(SECRET, code, at=at, after=used)
    assert again is None


def test_a_telephone_five_minutes_ahead_is_told_so() -> None:
    at = step_at(datetime(2026, 3, 2, 15, tzinfo=UTC))

    assert clock_error(SECRET, code_of(SECRET, at + 10), at=at) == 10 * STEP
    assert clock_error(SECRET, code_of(SECRET, at - 8), at=at) == timedelta(minutes=-4)
    assert clock_error(SECRET, "000000", at=at) is None


@pytest.mark.parametrize(
    ("written", "code"),
    [
        ("123 456", "123456"),
        (" 123456 ", "123456"),
        ("12345", None),
        ("１２３４５６", None),
        ("", None),
    ],
)
def test_a_code_is_six_digits_however_they_are_grouped(written: str, code: str | None) -> None:
    assert digits_of(written) == code


def test_the_secret_is_shown_in_groups_that_one_can_type() -> None:
    assert shown_secret(SECRET) == "GEZD GNBV GY3T QOJQ GEZD GNBV GY3T QOJQ"


def test_recovery_codes_are_read_however_they_are_typed() -> None:
    code = new_recovery_code()

    assert recovery_code_of(code.upper().replace("-", " ")) == recovery_code_of(code)
    assert len(recovery_code_of(code)) == 12
    assert digits_of(code) is None
