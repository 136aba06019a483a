"""Blood sugar in a text: taken only where it can mean one thing."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outreach.inbox.rules.sugar import MG_DL, MMOL_L, Sugar, Unclear, sugar_in
from outreach.measures.rules import REGISTRY, Bound, MeasureKind


@pytest.mark.parametrize(
    ("text", "value", "unit", "is_named"),
    [
        ("sugar 132", "132", MG_DL, True),
        ("132 this morning", "132", MG_DL, False),
        ("7,3", "7.3", MMOL_L, False),
        ("7.3", "7.3", MMOL_L, False),
        ("132", "132", MG_DL, False),
        ("Glucosa 140", "140", MG_DL, True),
        ("açúcar 98", "98", MG_DL, True),
        ("mi azúcar hoy 250 mg/dl", "250", MG_DL, True),
        ("7.2 mmol/L", "7.2", MMOL_L, True),
        ("my sugar is 132 at 7 am", "132", MG_DL, True),
        ("My blood sugar was 180 after lunch", "180", MG_DL, True),
        ("sugar 45", "45", MG_DL, True),
        ("bg 600", "600", MG_DL, True),
        ("sugar ١٣٢", "132", MG_DL, True),
    ],
)
def test_a_clear_value(text: str, value: str, unit: str, is_named: bool) -> None:
    found = sugar_in(text, MG_DL)
    assert isinstance(found, Sugar)
    assert (found.value, found.unit, found.is_named) == (Decimal(value), unit, is_named)


@pytest.mark.parametrize(
    "text",
    [
        "sugar 25", "sugar 30", "sugar 40", "sugar 12", "sugar 7", "30", "sugar 132 and 145",
        "sugar was 45 now 80", "sugar 132 yesterday", "sugar 102.5", "sugar 1320", "sugar 132%",
        "my sugar is 132 I ate cake", "sugar -132",
    ],
)  # fmt: skip
def test_what_can_mean_several_things_is_not_taken(text: str) -> None:
    assert isinstance(sugar_in(text, MG_DL), Unclear)


@pytest.mark.parametrize(
    "text",
    [
        "", "hi", "1", "2", "12", "bp 130/80", "a1c 7.3", "7.3%", "180 lb", "weight 180",
        "call 512 555 0100", "room 132", "no sugar for me", "Hi my sugar",
    ],
)  # fmt: skip
def test_what_is_no_blood_sugar(text: str) -> None:
    assert sugar_in(text, MG_DL) is None


def test_a_clinic_that_measures_in_mmol_takes_small_whole_numbers() -> None:
    assert sugar_in("7", MMOL_L) == Sugar(Decimal(7), MMOL_L, is_named=False)
    assert sugar_in("132", MMOL_L) == Sugar(Decimal(132), MG_DL, is_named=False)


@pytest.mark.parametrize(
    ("text", "bound"), [("sugar HI", Bound.HIGH), ("my sugar says LO", Bound.LOW)]
)
def test_what_a_meter_shows_instead_of_a_number(text: str, bound: Bound) -> None:
    found = sugar_in(text, MG_DL)
    assert isinstance(found, Sugar)
    assert found.bound is bound


@given(st.decimals(min_value=0, max_value=2000, places=1), st.sampled_from([MG_DL, MMOL_L]))
def test_what_is_taken_is_possible_and_never_between_the_units(value: Decimal, unit: str) -> None:
    found = sugar_in(f"sugar {value}", unit)
    if isinstance(found, Sugar):
        assert REGISTRY[MeasureKind.GLUCOSE].is_possible(found.value, found.unit)
        assert not 25 <= value <= 40
        assert found.value == value


@given(st.text(max_size=200))
def test_nothing_that_comes_breaks_the_reading_of_it(text: str) -> None:
    found = sugar_in(text, MG_DL)
    assert found is None or isinstance(found, Sugar | Unclear)
