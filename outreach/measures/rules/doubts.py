"""What is wrong with a value, or may be. Pure. Source: domain.md C."""

import enum
from datetime import datetime, timedelta
from decimal import Decimal

from outreach.measures.rules.kinds import GLUCOSE, MeasureKind
from outreach.measures.rules.registry import REGISTRY

# What a meter shows in mmol/L is below this; as mg/dL hardly anybody would be awake.
_LOOKS_LIKE_MMOL_L = Decimal(33)
_LARGEST = Decimal(10) ** 6
# A change of weight by more than a tenth a month is asked about.
_MONTH = timedelta(days=30)
_CHANGE_A_MONTH = Decimal("0.1")


class Doubt(enum.StrEnum):
    """What is wrong, or may be, with a value as entered."""

    NOT_A_NUMBER = "not a number"
    UNKNOWN_UNIT = "unknown unit"
    NOT_WHOLE = "not whole"
    LOOKS_LIKE_MMOL_L = "looks like mmol/L"
    LOOKS_LIKE_MMOL_MOL = "looks like mmol/mol"
    IMPOSSIBLE = "impossible"
    MAYBE_MMOL_L = "maybe mmol/L"
    UNUSUAL = "unusual"
    BIG_CHANGE = "big change"

    @property
    def is_question(self) -> bool:
        """Whether the value is asked for once more; otherwise it is refused."""
        return self in {Doubt.MAYBE_MMOL_L, Doubt.UNUSUAL, Doubt.BIG_CHANGE}


def doubt_about(kind: MeasureKind, value: Decimal, unit: str) -> Doubt | None:
    """Return what is wrong with ``value`` in ``unit``, or None."""
    measure = REGISTRY[kind]
    if not value.is_finite() or abs(value) > _LARGEST:
        return Doubt.NOT_A_NUMBER
    if unit not in measure.units:
        return Doubt.UNKNOWN_UNIT
    if measure.is_whole and value != value.to_integral_value():
        return Doubt.NOT_WHOLE
    is_possible = measure.is_possible(value, unit)
    slip = _slip(kind, value, unit, is_possible=is_possible)
    if slip:
        return slip
    if not is_possible:
        return Doubt.IMPOSSIBLE
    return None if measure.is_usual(value, unit) else Doubt.UNUSUAL


def units_meant(
    kind: MeasureKind, value: Decimal, unit: str, *, is_confirmed: bool
) -> tuple[str, ...]:
    """Return the units in which ``value``, written in ``unit``, may have been meant.

    None where no body has it. One that looks like the other unit may be either, the likelier
    first, until it was read back (``is_confirmed``).
    """
    doubt = doubt_about(kind, value, unit)
    if doubt is Doubt.LOOKS_LIKE_MMOL_L:
        return ("mmol/L",)
    if doubt is Doubt.MAYBE_MMOL_L and not is_confirmed:
        return ("mmol/L", unit)
    return (unit,) if doubt is None or doubt.is_question else ()


def doubt_about_change(
    kind: MeasureKind,
    value: Decimal,
    *,
    taken_at: datetime,
    earlier: Decimal,
    earlier_at: datetime,
) -> Doubt | None:
    """Return BIG_CHANGE where a weight moved by more than a tenth a month.

    Values are canonical. Two within a month of each other are held against a whole month.
    """
    if kind is not MeasureKind.WEIGHT or earlier <= 0:
        return None
    between = abs(taken_at - earlier_at)
    months = max(Decimal(1), Decimal(between / _MONTH))
    is_big = abs(value - earlier) > earlier * _CHANGE_A_MONTH * months
    return Doubt.BIG_CHANGE if is_big else None


def _slip(kind: MeasureKind, value: Decimal, unit: str, *, is_possible: bool) -> Doubt | None:
    """Return what an unlikely value in ``unit`` would be in the measure's other one."""
    if kind in GLUCOSE and unit == "mg/dL" and value < _LOOKS_LIKE_MMOL_L:
        return Doubt.MAYBE_MMOL_L if is_possible else Doubt.LOOKS_LIKE_MMOL_L
    if kind is MeasureKind.HBA1C and unit == "%" and value > REGISTRY[kind].hard.high:
        return Doubt.LOOKS_LIKE_MMOL_MOL
    return None
