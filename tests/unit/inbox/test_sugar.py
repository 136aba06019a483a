"""Blood sugar in a text: taken only where it can mean one thing."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outreach.inbox.rules.sugar import MG_DL, MMOL_L, Sugar, Unclear, sugar_in
from outreach.measures.rules import Bound


@pytest.mark.parametrize(
    ("text", "unit", "value"),
    [
        ("sugar 132", MG_DL, "132"),
        ("132 this morning", MG_DL, "132"),
        ("7,3", MMOL_L, "7.3"),
        ("glucosa 140", MG_DL, "140"),
        ("açúcar 98", MG_DL, "98"),
        ("132", MG_DL, "132"),
        ("My sugar was 145 at 7am", MG_DL, "145"),
        ("sugar 45", MG_DL, "45"),
        ("420", MG_DL, "420"),
        ("132 mg/dl", MG_DL, "132"),
        ("6.1 mmol/L", MMOL_L, "6.1"),
        ("azúcar en ayunas 110", MG_DL, "110"),
    ],
)
def test_clear(text: str, unit: str, value: str) -> None:
    found = sugar_in(text, MG_DL)
    assert isinstance(found, Sugar)
    assert (found.value, found.unit) == (Decimal(value), unit)


@pytest.mark.parametrize(
    "text",
    [
        "sugar 30", "sugar 25", "sugar 40", "sugar 7", "sugar 132 and 45", "sugar 132 yesterday", "sugar 1320",
        "sugar 132 not 231", "sugar -132", "sugar 120/80",
    ],
)  # fmt: skip
def test_unclear(text: str) -> None:
    assert isinstance(sugar_in(text, MG_DL), Unclear)


@pytest.mark.parametrize(
    "text", ["", "hello", "call me at 5", "I am 45 years old", "thanks", "2024-11-03"]
)
def test_no_sugar(text: str) -> None:
    found = sugar_in(text, MG_DL)
    assert found is None or (isinstance(found, Unclear) and not found.is_named)


def test_a_small_whole_number_counts_where_the_clinic_measures_so() -> None:
    found = sugar_in("7", MMOL_L)
    assert isinstance(found, Sugar)
    assert (found.value, found.unit) == (Decimal(7), MMOL_L)


def test_hi_of_a_meter() -> None:
    found = sugar_in("sugar HI", MG_DL)
    assert isinstance(found, Sugar)
    assert found.bound is Bound.HIGH
    assert sugar_in("hi, my sugar is fine", MG_DL) is None


@given(st.integers(25, 40), st.sampled_from([MG_DL, MMOL_L]))
def test_what_no_unit_can_be_told_of_is_never_taken(value: int, unit: str) -> None:
    assert not isinstance(sugar_in(f"sugar {value}", unit), Sugar)


@given(st.text(max_size=400), st.sampled_from([MG_DL, MMOL_L]))
def test_any_text_can_be_read(text: str, unit: str) -> None:
    found = sugar_in(text, unit)
    assert found is None or isinstance(found, Sugar | Unclear)
