"""The check of one measured value, from whatever file. Pure."""

import re
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from outreach.intake.rules import IncomingReading, Refused
from outreach.intake.rules.fields import shown
from outreach.measures.rules import REGISTRY, Doubt, MeasureKind, ReadingSource, doubt_about
from outreach.measures.rules.outside import reading_named

_NUMBER = re.compile(r"[0-9]{1,9}(\.[0-9]{1,9})?")
_DECIMAL_COMMA = re.compile(r"[0-9]+,[0-9]+")

_NAMES = {
    MeasureKind.HBA1C: "HbA1c",
    MeasureKind.GLUCOSE: "glucose",
    MeasureKind.GLUCOSE_FASTING: "fasting glucose",
    MeasureKind.SYSTOLIC: "systolic pressure",
    MeasureKind.DIASTOLIC: "diastolic pressure",
    MeasureKind.WEIGHT: "weight",
    MeasureKind.GLUCOSE_LAB: "glucose",
    MeasureKind.GLUCOSE_LAB_FASTING: "fasting glucose",
    MeasureKind.GMI: "GMI",
    MeasureKind.PULSE: "pulse",
    MeasureKind.HEIGHT: "height",
    MeasureKind.BMI: "BMI",
    MeasureKind.PHQ9_TOTAL: "the PHQ-9 total",
    MeasureKind.PHQ2_TOTAL: "the PHQ-2 total",
    MeasureKind.GAD7_TOTAL: "the GAD-7 total",
    MeasureKind.PEG_MEAN: "the PEG mean",
    MeasureKind.PAIN: "pain",
    MeasureKind.DDS2_MEAN: "the DDS-2 mean",
    MeasureKind.DDS17_MEAN: "the DDS-17 mean",
    MeasureKind.UCLA3_TOTAL: "the UCLA-3 total",
    MeasureKind.CARE_TOTAL: "the CARE total",
    MeasureKind.EQ_VAS: "the EQ VAS",
    MeasureKind.PROMIS_MENTAL: "the PROMIS mental score",
    MeasureKind.PROMIS_PHYSICAL: "the PROMIS physical score",
    MeasureKind.SELF_RATED_HEALTH: "self-rated health",
    MeasureKind.PDSMS_TOTAL: "the PDSMS total",
    MeasureKind.SDSCA_GENERAL_DIET: "the SDSCA mean of general diet",
    MeasureKind.SDSCA_SPECIFIC_DIET: "the SDSCA mean of specific diet",
    MeasureKind.SDSCA_EXERCISE: "the SDSCA mean of exercise",
    MeasureKind.SDSCA_TESTING: "the SDSCA mean of testing",
    MeasureKind.SDSCA_FEET: "the SDSCA mean of foot care",
}


@dataclass(frozen=True)
class Value:
    """A value as it was given, and in the canonical unit of its kind, to 3 decimals."""

    kind: MeasureKind
    canonical: Decimal
    entered: str
    unit: str
    is_unusual: bool


def number(cell: str) -> Decimal:
    """Return a number written as 9.4."""
    text = cell.strip()
    if _DECIMAL_COMMA.fullmatch(text):
        raise Refused(f"write {text.replace(',', '.')[:20]} with a point, not with a comma")
    if not _NUMBER.fullmatch(text):
        raise Refused(f"{shown(text)} is not a number; write it as 9.4, without a unit")
    return Decimal(text)


def value(kind: MeasureKind, amount: Decimal, unit: str, *, place: str = "the column") -> Value:
    """Return ``amount`` of ``unit`` (UCUM) checked; ``place`` is what names the unit.

    Raises:
        Refused: every doubt of ``measures.rules.doubt_about`` but UNUSUAL.
    """
    doubt = doubt_about(kind, amount, unit)
    if doubt is not None and doubt is not Doubt.UNUSUAL:  # there is nobody to ask
        raise Refused(_reason(doubt, kind, amount, unit, place))
    canonical = REGISTRY[kind].in_canonical_unit(amount, unit)
    return Value(kind, canonical, str(amount)[:40], unit, is_unusual=doubt is Doubt.UNUSUAL)


def unusual(found: Value) -> str:
    """Return the words of the note about a value that was taken, but is seldom so."""
    amount = f"{plain(found.canonical)} {_unit(found.kind)}".strip()
    return f"{amount} is unusual for {_NAMES[found.kind]}; it was taken, please check it"


def csv_reading(found: Value, on: date) -> IncomingReading:
    """Return a value of a table as a reading of the day ``on``."""
    return IncomingReading(
        found.kind,
        found.canonical,
        found.entered,
        found.unit,
        on=on,
        at=None,
        source=ReadingSource.CSV,
        key=f"csv:{found.kind.value}:{on}:{plain(found.canonical)}",
    )


def fhir_key(name: str, kind: MeasureKind, *, is_part: bool) -> str:
    """Return the key of a value of the Observation ``name``, or of one part of it."""
    return f"fhir:{name}:{kind.value}" if is_part else f"fhir:{name}"


def own_id(reading: IncomingReading, patient_ref: str) -> int | None:
    """Return the id that our own reading would have of which this is told; None: it is not."""
    name = reading.key.removeprefix("fhir:").partition(":")[0]
    return reading_named(patient_ref, name) if reading.source is ReadingSource.FHIR else None


def plain(amount: Decimal) -> str:
    """Return a number without needless zeros: 9.4, never 9.400 or 1E+1."""
    return f"{amount.normalize():f}"


def _reason(doubt: Doubt, kind: MeasureKind, amount: Decimal, unit: str, place: str) -> str:
    name, given = _NAMES[kind], shown(str(amount)).strip("'")
    match doubt:
        case Doubt.NOT_A_NUMBER:
            reason = f"{given} is not a number that {name} can have"
        case Doubt.UNKNOWN_UNIT:
            known = " or ".join(REGISTRY[kind].units)
            wrong = f"{shown(unit)} is not a unit of {name}" if unit else f"{given} has no unit"
            reason = f"{wrong}; give {name} in {known}"
        case Doubt.NOT_WHOLE:
            reason = f"{given} is not a whole number; {name} is"
        case Doubt.LOOKS_LIKE_MMOL_L | Doubt.MAYBE_MMOL_L:
            reason = f"{given} looks like mmol/L; {place} is in mg/dL"
        case Doubt.LOOKS_LIKE_MMOL_MOL:
            reason = f"{given} looks like mmol/mol; {place} is in %"
        case Doubt.IMPOSSIBLE | Doubt.UNUSUAL | Doubt.BIG_CHANGE:
            hard = REGISTRY[kind].hard
            bounds = f"{hard.low} and {hard.high} {_unit(kind)}".strip()
            reason = f"{given} can't be right; {name} lies between {bounds}"
    return reason


def _unit(kind: MeasureKind) -> str:
    unit = REGISTRY[kind].unit
    return "" if unit in ("{score}", "{Tscore}") else unit
