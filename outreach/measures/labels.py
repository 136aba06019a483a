"""The words in which measures are shown: a value always with its unit, and both units."""

from decimal import Decimal

from flask_babel import format_decimal, format_percent
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from outreach.measures.models import Reading
from outreach.measures.rules import (
    REGISTRY,
    Bound,
    Doubt,
    Level,
    Measure,
    MeasureKind,
    Place,
    Sign,
    Threshold,
    average_glucose,
)
from outreach.measures.rules.kinds import Side

MEASURE_WORDS = {
    MeasureKind.HBA1C: _l("HbA1c"),
    MeasureKind.GMI: _l("GMI, from a glucose sensor"),
    MeasureKind.GLUCOSE: _l("Blood sugar"),
    MeasureKind.GLUCOSE_FASTING: _l("Blood sugar, fasting"),
    MeasureKind.GLUCOSE_LAB: _l("Blood sugar, laboratory"),
    MeasureKind.GLUCOSE_LAB_FASTING: _l("Blood sugar, laboratory, fasting"),
    MeasureKind.SYSTOLIC: _l("Blood pressure, upper"),
    MeasureKind.DIASTOLIC: _l("Blood pressure, lower"),
    MeasureKind.PULSE: _l("Pulse"),
    MeasureKind.WEIGHT: _l("Weight"),
    MeasureKind.HEIGHT: _l("Height"),
    MeasureKind.BMI: _l("BMI"),
    MeasureKind.PHQ2_TOTAL: _l("PHQ-2"),
    MeasureKind.PHQ9_TOTAL: _l("PHQ-9"),
    MeasureKind.GAD7_TOTAL: _l("GAD-7"),
    MeasureKind.PEG_MEAN: _l("PEG, pain"),
    MeasureKind.PAIN: _l("Pain, 0 to 10"),
    MeasureKind.DDS2_MEAN: _l("DDS-2, diabetes distress"),
    MeasureKind.DDS17_MEAN: _l("DDS-17, diabetes distress"),
    MeasureKind.UCLA3_TOTAL: _l("UCLA-3, loneliness"),
    MeasureKind.CARE_TOTAL: _l("CARE, empathy"),
    MeasureKind.EQ_VAS: _l("EQ VAS, health today"),
    MeasureKind.PROMIS_MENTAL: _l("PROMIS Global, mental"),
    MeasureKind.PROMIS_PHYSICAL: _l("PROMIS Global, physical"),
    MeasureKind.SELF_RATED_HEALTH: _l("Self-rated health, 1 to 5"),
    MeasureKind.PDSMS_TOTAL: _l("PDSMS, managing diabetes"),
    MeasureKind.SDSCA_GENERAL_DIET: _l("SDSCA, days of healthy eating"),
    MeasureKind.SDSCA_SPECIFIC_DIET: _l("SDSCA, days of specific diet"),
    MeasureKind.SDSCA_EXERCISE: _l("SDSCA, days of exercise"),
    MeasureKind.SDSCA_TESTING: _l("SDSCA, days of testing blood sugar"),
    MeasureKind.SDSCA_FEET: _l("SDSCA, days of foot care"),
}
UNIT_WORDS = {
    "mm[Hg]": "mmHg",
    "[lb_av]": "lb",
    "[in_i]": "in",
    "kg/m2": "kg/m²",
    "{score}": "",
    "{Tscore}": "T",
}
BOUND_WORDS = {
    Bound.HIGH: _l("HI: more than the meter can show"),
    Bound.LOW: _l("LO: less than the meter can show"),
}
SIGN_WORDS = {
    Sign.DANGER: _l("confused, very weak, vomiting, breathing hard, chest pain"),
    Sign.ILLNESS: _l("ill"),
    Sign.KETONES: _l("ketones"),
    Sign.HELP_NEEDED: _l("needed somebody's help"),
}
LEVEL_WORDS = {
    Level.VERY_LOW: _l("very low"),
    Level.LOW: _l("low"),
    Level.GOAL: _l("usual goal"),
    Level.GOOD: _l("goal"),
    Level.TRIAL_ENTRY: _l("entry of the trial"),
    Level.HIGH: _l("high"),
    Level.POOR: _l("high"),
    Level.NURSE_SAME_DAY: _l("nurse today"),
    Level.NURSE_NOW: _l("nurse now"),
    Level.STAGE_1: _l("stage 1"),
    Level.STAGE_2: _l("stage 2"),
    Level.URGENT: _l("urgent"),
    Level.OVERWEIGHT: _l("overweight"),
    Level.OBESE: _l("obesity, class 1"),
    Level.OBESE_2: _l("obesity, class 2"),
    Level.OBESE_3: _l("obesity, class 3"),
    Level.POSITIVE: _l("positive"),
    Level.MILD: _l("mild"),
    Level.MODERATE: _l("moderate"),
    Level.MODERATELY_SEVERE: _l("moderately severe"),
    Level.SEVERE: _l("severe"),
    Level.LONELY: _l("lonely"),
    Level.VERY_EMPATHIC: _l("very empathic"),
    Level.FAIR_OR_POOR: _l("fair or poor"),
}
SIDE_WORDS = {Side.BELOW: _l("below"), Side.FROM: _l("from"), Side.ABOVE: _l("above")}
PLACE_WORDS = {
    Place.CALL: _l("call"),
    Place.CHART: _l("patient page"),
    Place.REPORT: _l("reports"),
}
DOUBT_WORDS = {
    Doubt.NOT_A_NUMBER: _l("Write a number."),
    Doubt.UNKNOWN_UNIT: _l("Choose a unit."),
    Doubt.NOT_WHOLE: _l("Write a whole number."),
    Doubt.LOOKS_LIKE_MMOL_L: _l("That looks like mmol/L. Check the unit."),
    Doubt.LOOKS_LIKE_MMOL_MOL: _l("That looks like mmol/mol. Check the unit."),
    Doubt.IMPOSSIBLE: _l("No body has this value. Check the number and the unit."),
    Doubt.MAYBE_MMOL_L: _l(
        "That looks like mmol/L. Check the unit; if it is right, tick the box below."
    ),
    Doubt.UNUSUAL: _l("That is unusual. Read it back; if it is right, tick the box below."),
    Doubt.BIG_CHANGE: _l(
        "That is more than a tenth from the last weight. Read it back; if it is right, tick"
        " the box below."
    ),
}


def measure_name(kind: MeasureKind) -> str:
    """Return what people call a measure."""
    return str(MEASURE_WORDS[kind])


def unit_name(unit: str) -> str:
    """Return a unit as people write it: 'mmHg' for 'mm[Hg]'."""
    return UNIT_WORDS.get(unit, unit)


def reading_words(reading: Reading) -> str:
    """Return a value as it was entered, and in the other unit where there is one."""
    return entered_words(reading.kind, reading.value, reading.entered_unit, reading.bound)


def entered_words(kind: MeasureKind, value: Decimal, unit: str, bound: Bound | None = None) -> str:
    """Return a canonical ``value`` first in ``unit``, in which it was entered."""
    if bound is not None:
        return str(BOUND_WORDS[bound])
    return value_words(kind, value, unit if unit in REGISTRY[kind].units else None)


def value_words(kind: MeasureKind, value: Decimal, unit: str | None = None) -> str:
    """Return a canonical value in words: '132 mg/dL (7.3 mmol/L)'.

    ``unit`` is the one to say first, None for the canonical one.
    """
    measure = REGISTRY[kind]
    first = unit or measure.unit
    words = _in_unit(measure, value, first)
    others = [_in_unit(measure, value, each) for each in measure.units if each != first]
    return f"{words} ({others[0]})" if others else words


def threshold_words(measure: Measure, threshold: Threshold) -> str:
    """Return a threshold in words: 'low: below 70 mg/dL (3.9 mmol/L)'."""
    return _(
        "%(level)s: %(side)s %(value)s",
        level=LEVEL_WORDS[threshold.level],
        side=SIDE_WORDS[threshold.side],
        value=value_words(measure.kind, threshold.value),
    )


def change_words(measure: Measure) -> str:
    """Return from which difference on a change counts: '2, or 30 %'; nothing where none is."""
    change = measure.change
    if change is None:
        return ""
    points = _in_unit(measure, change.points, measure.unit) if change.points is not None else ""
    share = format_percent(change.share) if change.share is not None else ""
    return (
        _("%(points)s, or %(share)s", points=points, share=share)
        if points and share
        else (points or share)
    )


def changed_words(kind: MeasureKind, before: Decimal, after: Decimal) -> str:
    """Return '6 less than before, a change that counts'; nothing where it doesn't count."""
    measure = REGISTRY[kind]
    if measure.change is None or not measure.change.is_met(before, after):
        return ""
    by = _in_unit(measure, abs(after - before), measure.unit)
    if after < before:
        return _("%(by)s less than before, a change that counts", by=by)
    return _("%(by)s more than before, a change that counts", by=by)


def average_words(kind: MeasureKind, value: Decimal, unit: str | None = None) -> str:
    """Return 'about 240 mg/dL (13.3 mmol/L) on average' for an HbA1c; nothing for the others.

    ``unit``: the one of blood sugar to say first.
    """
    if kind is not MeasureKind.HBA1C:
        return ""
    average = average_glucose(value)
    return _("about %(value)s on average", value=value_words(MeasureKind.GLUCOSE, average, unit))


def level_words(kind: MeasureKind, value: Decimal) -> str:
    """Return what a canonical value means: 'low'; nothing where it is nothing special."""
    level = REGISTRY[kind].level_of(value)
    return str(LEVEL_WORDS[level]) if level else ""


def _in_unit(measure: Measure, value: Decimal, unit: str) -> str:
    row = measure.units[unit]
    pattern = "#,##0." + "0" * row.decimals if row.decimals else "#,##0"
    return f"{format_decimal(row.from_canonical(value), format=pattern)} {unit_name(unit)}".strip()
