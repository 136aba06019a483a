"""The words in which measures are shown: a value always with its unit, and both units."""

from decimal import Decimal

from flask_babel import format_decimal
from flask_babel import lazy_gettext as _l

from outreach.measures.models import Reading
from outreach.measures.rules import REGISTRY, MeasureKind, glucose_mmol_l, hba1c_mmol_mol

MEASURE_WORDS = {
    MeasureKind.HBA1C: _l("HbA1c"),
    MeasureKind.GLUCOSE: _l("Blood sugar"),
    MeasureKind.GLUCOSE_FASTING: _l("Blood sugar, fasting"),
    MeasureKind.SYSTOLIC: _l("Blood pressure, upper"),
    MeasureKind.DIASTOLIC: _l("Blood pressure, lower"),
    MeasureKind.WEIGHT: _l("Weight"),
    MeasureKind.PHQ2_TOTAL: _l("PHQ-2"),
    MeasureKind.PHQ9_TOTAL: _l("PHQ-9"),
    MeasureKind.GAD7_TOTAL: _l("GAD-7"),
    MeasureKind.PEG_MEAN: _l("PEG, pain"),
    MeasureKind.PAIN: _l("Pain, 0 to 10"),
}
UNIT_WORDS = {"mm[Hg]": "mmHg", "[lb_av]": "lb", "{score}": ""}


def measure_name(kind: MeasureKind) -> str:
    """Return what people call a measure."""
    return str(MEASURE_WORDS[kind])


def reading_words(reading: Reading) -> str:
    """Return a value in its canonical unit, and in the other one where there are two."""
    return value_words(reading.kind, reading.value)


def value_words(kind: MeasureKind, value: Decimal) -> str:
    """Return a canonical value in words: '132 mg/dL (7.3 mmol/L)'."""
    measure = REGISTRY[kind]
    pattern = "#,##0." + "0" * measure.decimals if measure.decimals else "#,##0"
    unit = UNIT_WORDS.get(measure.unit, measure.unit)
    words = f"{format_decimal(value, format=pattern)} {unit}".strip()
    if kind in (MeasureKind.GLUCOSE, MeasureKind.GLUCOSE_FASTING):
        return f"{words} ({format_decimal(glucose_mmol_l(value), format='0.0')} mmol/L)"
    if kind is MeasureKind.HBA1C:
        return f"{words} ({format_decimal(hba1c_mmol_mol(value), format='0')} mmol/mol)"
    return words
