"""What can be measured: codes, units, ranges, conversions, thresholds. Pure.

Source of codes, ranges and thresholds: domain.md C.
"""

import enum
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

GLUCOSE_MG_DL_PER_MMOL_L = Decimal("18.016")
KG_PER_POUND = Decimal("0.45359237")


class MeasureKind(enum.StrEnum):
    """What a reading is of."""

    HBA1C = "hba1c"
    GLUCOSE = "glucose"
    GLUCOSE_FASTING = "glucose_fasting"
    SYSTOLIC = "systolic"
    DIASTOLIC = "diastolic"
    WEIGHT = "weight"
    PHQ2_TOTAL = "phq2_total"
    PHQ9_TOTAL = "phq9_total"
    GAD7_TOTAL = "gad7_total"
    PEG_MEAN = "peg_mean"
    PAIN = "pain"


class ReadingSource(enum.StrEnum):
    """Where a reading came from."""

    CALL = "call"
    STAFF = "staff"
    CSV = "csv"
    FHIR = "fhir"


@dataclass(frozen=True)
class Range:
    """Bounds in the canonical unit, both included."""

    low: Decimal
    high: Decimal

    def holds(self, value: Decimal) -> bool:
        """Say whether ``value`` lies within; never for NaN."""
        return value.is_finite() and self.low <= value <= self.high


@dataclass(frozen=True)
class Measure:
    """One kind of measure: its code, canonical unit, other units, and ranges.

    ``units`` maps each accepted unit (UCUM) to (factor, offset): canonical = value x factor
    + offset. Outside ``hard`` a value is refused; outside ``soft`` it is asked once more.
    """

    kind: MeasureKind
    loinc: str
    unit: str
    units: Mapping[str, tuple[Decimal, Decimal]]
    hard: Range
    soft: Range
    decimals: int
    is_whole: bool = False

    def in_canonical_unit(self, value: Decimal, unit: str) -> Decimal:
        """Return ``value`` given in ``unit`` in the canonical unit, to 3 decimals.

        Raises:
            KeyError: ``unit`` is not one of this measure's.
        """
        factor, offset = self.units[unit]
        return (value * factor + offset).quantize(Decimal("0.001"), ROUND_HALF_UP)


def _range(low: str, high: str) -> Range:
    return Range(Decimal(low), Decimal(high))


_SAME = (Decimal(1), Decimal(0))
_GLUCOSE_UNITS = {"mg/dL": _SAME, "mmol/L": (GLUCOSE_MG_DL_PER_MMOL_L, Decimal(0))}


def _whole_score(kind: MeasureKind, loinc: str, high: str) -> Measure:
    both = _range("0", high)
    return Measure(kind, loinc, "{score}", {"{score}": _SAME}, both, both, 0, is_whole=True)


REGISTRY: Mapping[MeasureKind, Measure] = {
    measure.kind: measure
    for measure in (
        # IFCC to NGSP: 0.0915 x IFCC + 2.15, the IFCC's master equation.
        Measure(
            MeasureKind.HBA1C,
            "4548-4",
            "%",
            {"%": _SAME, "mmol/mol": (Decimal("0.0915"), Decimal("2.15"))},
            _range("3.0", "20.0"),
            _range("4.0", "15.0"),
            1,
        ),
        Measure(
            MeasureKind.GLUCOSE,
            "41653-7",
            "mg/dL",
            _GLUCOSE_UNITS,
            _range("10", "1000"),
            _range("40", "400"),
            0,
        ),
        Measure(
            MeasureKind.GLUCOSE_FASTING,
            "41604-0",
            "mg/dL",
            _GLUCOSE_UNITS,
            _range("10", "1000"),
            _range("50", "350"),
            0,
        ),
        Measure(
            MeasureKind.SYSTOLIC,
            "8480-6",
            "mm[Hg]",
            {"mm[Hg]": _SAME},
            _range("50", "300"),
            _range("80", "200"),
            0,
            is_whole=True,
        ),
        Measure(
            MeasureKind.DIASTOLIC,
            "8462-4",
            "mm[Hg]",
            {"mm[Hg]": _SAME},
            _range("20", "200"),
            _range("40", "120"),
            0,
            is_whole=True,
        ),
        Measure(
            MeasureKind.WEIGHT,
            "29463-7",
            "kg",
            {"kg": _SAME, "[lb_av]": (KG_PER_POUND, Decimal(0))},
            _range("20", "400"),
            _range("35", "250"),
            1,
        ),
        _whole_score(MeasureKind.PHQ2_TOTAL, "55758-7", "6"),
        _whole_score(MeasureKind.PHQ9_TOTAL, "44261-6", "27"),
        _whole_score(MeasureKind.GAD7_TOTAL, "70274-6", "21"),
        Measure(
            MeasureKind.PEG_MEAN,
            "91147-9",
            "{score}",
            {"{score}": _SAME},
            _range("0", "10"),
            _range("0", "10"),
            1,
        ),
        _whole_score(MeasureKind.PAIN, "72514-3", "10"),
    )
}

# What a meter shows in mmol/L is below this; as mg/dL hardly anybody would be awake.
_LOOKS_LIKE_MMOL_L = Decimal(33)


class Doubt(enum.StrEnum):
    """What is wrong, or may be, with a value as entered."""

    NOT_A_NUMBER = "not a number"
    UNKNOWN_UNIT = "unknown unit"
    NOT_WHOLE = "not whole"
    LOOKS_LIKE_MMOL_L = "looks like mmol/L"
    LOOKS_LIKE_MMOL_MOL = "looks like mmol/mol"
    IMPOSSIBLE = "impossible"
    UNUSUAL = "unusual"


def doubt_about(kind: MeasureKind, value: Decimal, unit: str) -> Doubt | None:
    """Return what is wrong with ``value`` in ``unit``, or None.

    Every doubt but UNUSUAL refuses the value; UNUSUAL asks once more.
    """
    measure = REGISTRY[kind]
    if not value.is_finite() or abs(value) > Decimal(10) ** 6:
        return Doubt.NOT_A_NUMBER
    if unit not in measure.units:
        return Doubt.UNKNOWN_UNIT
    if measure.is_whole and value != value.to_integral_value():
        return Doubt.NOT_WHOLE
    likely_slip = _likely_unit_slip(kind, value, unit)
    if likely_slip:
        return likely_slip
    canonical = measure.in_canonical_unit(value, unit)
    if not measure.hard.holds(canonical):
        return Doubt.IMPOSSIBLE
    return None if measure.soft.holds(canonical) else Doubt.UNUSUAL


def _likely_unit_slip(kind: MeasureKind, value: Decimal, unit: str) -> Doubt | None:
    is_glucose = kind in (MeasureKind.GLUCOSE, MeasureKind.GLUCOSE_FASTING)
    if is_glucose and unit == "mg/dL" and value < _LOOKS_LIKE_MMOL_L:
        return Doubt.LOOKS_LIKE_MMOL_L
    if kind is MeasureKind.HBA1C and unit == "%" and value > REGISTRY[kind].hard.high:
        return Doubt.LOOKS_LIKE_MMOL_MOL
    return None


def glucose_mmol_l(mg_dl: Decimal) -> Decimal:
    """Return a glucose value in mmol/L, to one decimal as meters show it."""
    return (mg_dl / GLUCOSE_MG_DL_PER_MMOL_L).quantize(Decimal("0.1"), ROUND_HALF_UP)


def hba1c_mmol_mol(percent: Decimal) -> Decimal:
    """Return an HbA1c in mmol/mol. Source: IFCC = 10.93 x NGSP - 23.5."""
    return (percent * Decimal("10.93") - Decimal("23.5")).quantize(Decimal(1), ROUND_HALF_UP)
