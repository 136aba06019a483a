"""The check of one measured value."""

from decimal import Decimal

import pytest

from outreach.intake.rules import Refused, readings
from outreach.measures.rules import REGISTRY, MeasureKind


@pytest.mark.parametrize("cell", ["9.4", "10", "0", " 7.25 "])
def test_a_number_is_written_with_a_point(cell: str) -> None:
    assert readings.number(cell) == Decimal(cell.strip())


@pytest.mark.parametrize("cell", ["9,4", "9.4%", "-1", "1e3", "NaN", "inf", ">15", "1_000", "٩"])
def test_what_is_no_plain_number_is_refused(cell: str) -> None:
    with pytest.raises(Refused):
        readings.number(cell)


@pytest.mark.parametrize(
    ("kind", "amount", "unit", "reason"),
    [
        (MeasureKind.HBA1C, "20.1", "%", "looks like mmol/mol"),
        (MeasureKind.HBA1C, "2.9", "%", "between 3.0 and 20.0 %"),
        (MeasureKind.HBA1C, "9", "mg/dL", "'mg/dL' is not a unit of HbA1c"),
        (MeasureKind.GLUCOSE, "32.9", "mg/dL", "looks like mmol/L"),
        (MeasureKind.GLUCOSE, "90", "", "has no unit"),
        (MeasureKind.PHQ9_TOTAL, "12.5", "{score}", "not a whole number"),
        (MeasureKind.PHQ9_TOTAL, "28", "{score}", "between 0 and 27"),
    ],
)
def test_a_doubtful_value_is_refused_in_plain_words(
    kind: MeasureKind, amount: str, unit: str, reason: str
) -> None:
    with pytest.raises(Refused, match=reason):
        readings.value(kind, Decimal(amount), unit)


@pytest.mark.parametrize("kind", MeasureKind)
def test_every_measure_is_named_in_a_refusal(kind: MeasureKind) -> None:
    with pytest.raises(Refused, match=r"can't be right|looks like"):
        readings.value(kind, Decimal(9999), REGISTRY[kind].unit)


def test_a_value_is_kept_as_given_and_in_the_canonical_unit() -> None:
    found = readings.value(MeasureKind.HBA1C, Decimal(79), "mmol/mol")

    assert (found.entered, found.unit) == ("79", "mmol/mol")
    assert found.canonical == Decimal("9.379")


@pytest.mark.parametrize(
    ("amount", "is_unusual"), [("3.9", True), ("4.0", False), ("15.0", False), ("15.1", True)]
)
def test_what_is_only_unusual_is_taken(amount: str, *, is_unusual: bool) -> None:
    found = readings.value(MeasureKind.HBA1C, Decimal(amount), "%")

    assert found.is_unusual is is_unusual
