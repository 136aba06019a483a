"""Units, ranges, and doubts about what was typed."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outreach.measures.rules import (
    REGISTRY,
    Doubt,
    MeasureKind,
    average_glucose,
    doubt_about,
    glucose_mmol_l,
    hba1c_mmol_mol,
    units_meant,
)

ALL_UNITS = sorted({unit for measure in REGISTRY.values() for unit in measure.units})
KINDS = st.sampled_from(MeasureKind)
IN_RANGE = KINDS.flatmap(
    lambda kind: st.tuples(
        st.just(kind),
        st.decimals(REGISTRY[kind].hard.low, REGISTRY[kind].hard.high, places=1),
    )
)


@pytest.mark.parametrize(("percent", "mmol_mol"), [("7", 53), ("8", 64), ("9", 75), ("10", 86)])
def test_hba1c_has_the_values_of_the_published_table(percent: str, mmol_mol: int) -> None:
    assert hba1c_mmol_mol(Decimal(percent)) == mmol_mol
    back = REGISTRY[MeasureKind.HBA1C].in_canonical_unit(Decimal(mmol_mol), "mmol/mol")
    assert round(back, 1) == Decimal(percent)


@pytest.mark.parametrize(
    ("mg_dl", "mmol_l"), [("54", "3.0"), ("70", "3.9"), ("180", "10.0"), ("250", "13.9")]
)
def test_glucose_has_the_values_of_the_published_table(mg_dl: str, mmol_l: str) -> None:
    assert glucose_mmol_l(Decimal(mg_dl)) == Decimal(mmol_l)
    back = REGISTRY[MeasureKind.GLUCOSE].in_canonical_unit(Decimal(mmol_l), "mmol/L")
    assert abs(back - Decimal(mg_dl)) <= 1


@given(st.decimals(10, 1000, places=0))
def test_glucose_comes_back_from_mmol_as_it_went(mg_dl: Decimal) -> None:
    back = REGISTRY[MeasureKind.GLUCOSE].in_canonical_unit(glucose_mmol_l(mg_dl), "mmol/L")

    assert abs(back - mg_dl) <= 1


def test_pounds_become_kilograms() -> None:
    weight = REGISTRY[MeasureKind.WEIGHT]

    assert weight.in_canonical_unit(Decimal(200), "[lb_av]") == Decimal("90.718")


def test_every_kind_is_in_the_registry_with_a_soft_range_inside_the_hard_one() -> None:
    assert set(REGISTRY) == set(MeasureKind)
    for measure in REGISTRY.values():
        assert measure.unit in measure.units
        assert measure.hard.low <= measure.soft.low < measure.soft.high <= measure.hard.high
    assert len({measure.code for measure in REGISTRY.values()}) == len(REGISTRY)


# What is below the hard range of glucose, or above that of HbA1c, looks like a slip of unit.
SLIPS = {Doubt.LOOKS_LIKE_MMOL_L, Doubt.MAYBE_MMOL_L, Doubt.LOOKS_LIKE_MMOL_MOL}


@pytest.mark.parametrize("kind", MeasureKind)
def test_the_edges_of_the_ranges_belong_to_them(kind: MeasureKind) -> None:
    measure = REGISTRY[kind]
    step = Decimal(1) if measure.is_whole else Decimal("0.001")

    def doubt(value: Decimal) -> Doubt | None:
        return doubt_about(kind, value, measure.unit)

    assert doubt(measure.soft.low) is None
    assert doubt(measure.soft.high) is None
    assert doubt(measure.hard.low - step) in {Doubt.IMPOSSIBLE, *SLIPS}
    assert doubt(measure.hard.high + step) in {Doubt.IMPOSSIBLE, *SLIPS}
    if measure.soft != measure.hard:
        assert doubt(measure.soft.low - step) is Doubt.UNUSUAL
        assert doubt(measure.soft.high + step) is Doubt.UNUSUAL
        assert doubt(measure.hard.low) in {Doubt.UNUSUAL, *SLIPS}
        assert doubt(measure.hard.high) is Doubt.UNUSUAL


@pytest.mark.parametrize("text", ["NaN", "sNaN", "Infinity", "-Infinity", "1e400", "-1e400", "1e7"])
@pytest.mark.parametrize("kind", MeasureKind)
def test_what_is_no_number_is_told_apart(kind: MeasureKind, text: str) -> None:
    assert doubt_about(kind, Decimal(text), REGISTRY[kind].unit) is Doubt.NOT_A_NUMBER


@pytest.mark.parametrize(
    ("kind", "value", "unit", "doubt"),
    [
        (MeasureKind.GLUCOSE, "7.2", "mg/dL", Doubt.LOOKS_LIKE_MMOL_L),
        (MeasureKind.GLUCOSE, "10", "mg/dL", Doubt.MAYBE_MMOL_L),
        (MeasureKind.GLUCOSE, "32.9", "mg/dL", Doubt.MAYBE_MMOL_L),
        (MeasureKind.GLUCOSE, "33", "mg/dL", Doubt.UNUSUAL),
        (MeasureKind.GLUCOSE_FASTING, "5.5", "mg/dL", Doubt.LOOKS_LIKE_MMOL_L),
        (MeasureKind.GLUCOSE, "7.2", "mmol/L", None),
        (MeasureKind.GLUCOSE, "140", "mmol/L", Doubt.IMPOSSIBLE),
        (MeasureKind.HBA1C, "53", "%", Doubt.LOOKS_LIKE_MMOL_MOL),
        (MeasureKind.HBA1C, "20", "%", Doubt.UNUSUAL),
        (MeasureKind.HBA1C, "53", "mmol/mol", None),
        (MeasureKind.HBA1C, "7", "mmol/mol", Doubt.IMPOSSIBLE),
        (MeasureKind.SYSTOLIC, "120.5", "mm[Hg]", Doubt.NOT_WHOLE),
        (MeasureKind.PHQ9_TOTAL, "28", "{score}", Doubt.IMPOSSIBLE),
        (MeasureKind.WEIGHT, "180", "lbs", Doubt.UNKNOWN_UNIT),
        (MeasureKind.WEIGHT, "-80", "kg", Doubt.IMPOSSIBLE),
    ],
)
def test_a_slip_is_named(kind: MeasureKind, value: str, unit: str, doubt: Doubt | None) -> None:
    assert doubt_about(kind, Decimal(value), unit) is doubt


@pytest.mark.parametrize(
    ("value", "unit", "is_confirmed", "units"),
    [
        ("9.9", "mg/dL", False, ("mmol/L",)),
        ("9.9", "mg/dL", True, ("mmol/L",)),
        ("10", "mg/dL", False, ("mmol/L", "mg/dL")),
        ("10", "mg/dL", True, ("mg/dL",)),
        ("32.9", "mg/dL", False, ("mmol/L", "mg/dL")),
        ("33", "mg/dL", False, ("mg/dL",)),
        ("450", "mg/dL", False, ("mg/dL",)),
        ("1001", "mg/dL", True, ()),
        ("25", "mmol/L", False, ("mmol/L",)),
        ("60", "mmol/L", False, ()),
        ("5", "furlong", False, ()),
        ("NaN", "mg/dL", False, ()),
    ],
)
def test_in_which_units_a_blood_sugar_may_have_been_meant(
    *, value: str, unit: str, is_confirmed: bool, units: tuple[str, ...]
) -> None:
    found = units_meant(MeasureKind.GLUCOSE, Decimal(value), unit, is_confirmed=is_confirmed)
    assert found == units


@given(KINDS, st.decimals(), st.sampled_from(ALL_UNITS) | st.text(max_size=8))
def test_anything_typed_gets_an_answer(kind: MeasureKind, value: Decimal, unit: str) -> None:
    doubt = doubt_about(kind, value, unit)

    if doubt is None or doubt.is_question:
        measure = REGISTRY[kind]
        assert measure.is_possible(value, unit)


@given(IN_RANGE)
def test_a_value_that_is_possible_is_kept_as_typed_in_its_own_unit(
    typed: tuple[MeasureKind, Decimal],
) -> None:
    kind, value = typed

    assert REGISTRY[kind].in_canonical_unit(value, REGISTRY[kind].unit) == value


@pytest.mark.parametrize(("percent", "mg_dl"), [("10.0", 240), ("9.3", 220), ("7.0", 154)])
def test_an_hba1c_goes_with_an_average_blood_sugar(percent: str, mg_dl: int) -> None:
    assert average_glucose(Decimal(percent)) == mg_dl
