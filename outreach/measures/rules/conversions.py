"""A value in its other unit, and what is worked out of values. Pure. Source: domain.md C."""

from decimal import ROUND_HALF_UP, Decimal

from outreach.measures.rules.kinds import MeasureKind
from outreach.measures.rules.registry import REGISTRY

# UCUM's codes that people write otherwise.
_PLAIN_UNITS = {"mm[Hg]": "mmHg", "[lb_av]": "lb", "{score}": "", "{Tscore}": "T"}


def in_both_units(kind: MeasureKind, entered: str, unit: str, value: Decimal) -> str:
    """Return '52 mg/dL (2.9 mmol/L)': what was ``entered`` in ``unit``, then the other unit.

    Args:
        kind: what was measured.
        entered: the value as it was written, or what a meter showed instead.
        unit: the UCUM code in which it was written.
        value: the same in the canonical unit.
    """
    if not entered[:1].isdigit():
        return entered  # HI and LO have no unit
    said = f"{entered} {_PLAIN_UNITS.get(unit, unit)}".strip()
    others = [each for each in REGISTRY[kind].units if each != unit]
    if not others:
        return said
    other = others[0]
    shown = REGISTRY[kind].units[other].from_canonical(value)
    return f"{said} ({shown} {_PLAIN_UNITS.get(other, other)})"


def weight_unit_in(region: str) -> str:
    """Return the unit in which people of a country, by its ISO code, say what they weigh."""
    return "[lb_av]" if region == "US" else "kg"


def glucose_mmol_l(mg_dl: Decimal) -> Decimal:
    """Return a glucose value in mmol/L, to one decimal as meters show it."""
    return REGISTRY[MeasureKind.GLUCOSE].units["mmol/L"].from_canonical(mg_dl)


def hba1c_mmol_mol(percent: Decimal) -> Decimal:
    """Return an HbA1c in mmol/mol. Source: IFCC = 10.93 x NGSP - 23.5."""
    return REGISTRY[MeasureKind.HBA1C].units["mmol/mol"].from_canonical(percent)


def average_glucose(percent: Decimal) -> Decimal:
    """Return the blood sugar, in mg/dL, that an HbA1c goes with on average.

    Source: domain.md C, from memory: eAG = 28.7 x HbA1c - 46.7.
    """
    return (Decimal("28.7") * percent - Decimal("46.7")).quantize(Decimal(1), ROUND_HALF_UP)


def bmi(weight_kg: Decimal, height_cm: Decimal) -> Decimal:
    """Return the body mass index: kilograms by the square of metres."""
    metres = height_cm / 100
    return (weight_kg / (metres * metres)).quantize(Decimal("0.1"), ROUND_HALF_UP)
