"""What can be measured: kinds, units, ranges, thresholds, doubts. Pure.

``kinds`` has the words of it, ``registry`` the data, ``conversions`` the other units, ``doubts``
what is asked of a value.
"""

from outreach.measures.rules.conversions import (
    average_glucose,
    bmi,
    glucose_mmol_l,
    hba1c_mmol_mol,
    in_both_units,
    weight_unit_in,
)
from outreach.measures.rules.doubts import (
    Doubt,
    doubt_about,
    doubt_about_change,
    units_meant,
)
from outreach.measures.rules.kinds import (
    FASTING,
    GLUCOSE,
    Bound,
    Change,
    Level,
    Measure,
    MeasureKind,
    Place,
    Range,
    ReadingSource,
    Side,
    Sign,
    Threshold,
    Unit,
)
from outreach.measures.rules.registry import METER_SHOWS, REGISTRY, entered_by, shown_on

__all__ = [
    "FASTING",
    "GLUCOSE",
    "METER_SHOWS",
    "REGISTRY",
    "Bound",
    "Change",
    "Doubt",
    "Level",
    "Measure",
    "MeasureKind",
    "Place",
    "Range",
    "ReadingSource",
    "Side",
    "Sign",
    "Threshold",
    "Unit",
    "average_glucose",
    "bmi",
    "doubt_about",
    "doubt_about_change",
    "entered_by",
    "glucose_mmol_l",
    "hba1c_mmol_mol",
    "in_both_units",
    "shown_on",
    "units_meant",
    "weight_unit_in",
]
