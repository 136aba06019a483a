"""Limits of a patient's own: when a nurse wants to hear of a value, for one measure. Pure.

They move the rungs on which a nurse acts on the same day, either way, and add some where the
ladder has none. What is dangerous for everybody stays as it is: see :data:`OUTERMOST`.
"""

import enum
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from outreach.measures.rules import GLUCOSE, REGISTRY, MeasureKind, Range


@dataclass(frozen=True)
class Limits:
    """A nurse hears of a value below ``low``, or from ``high`` on; None: of none on that side.

    In the canonical unit of the measure.
    """

    low: Decimal | None = None
    high: Decimal | None = None


class LimitTrouble(enum.StrEnum):
    """Why limits can't be kept."""

    EMPTY = "no limit was given"
    CROSSED = "the lower one is not below the upper one"
    IMPOSSIBLE = "no body has this value"
    TOO_WEAK = "beyond what is dangerous for everybody"


# What holds for whoever has no limits of their own. Source: domain.md C2.
PUBLISHED: Mapping[MeasureKind, Limits] = {
    MeasureKind.GLUCOSE: Limits(Decimal(70), Decimal(300)),
    MeasureKind.SYSTOLIC: Limits(None, Decimal(180)),
    MeasureKind.DIASTOLIC: Limits(None, Decimal(120)),
    MeasureKind.PULSE: Limits(),
    MeasureKind.WEIGHT: Limits(),
}
LIMITED = tuple(PUBLISHED)
# From here on a value is dangerous whoever it is: the ladder judges it as it does for all.
OUTERMOST: Mapping[MeasureKind, Limits] = {
    MeasureKind.GLUCOSE: Limits(Decimal(54), Decimal(400)),
    MeasureKind.SYSTOLIC: Limits(None, Decimal(180)),
    MeasureKind.DIASTOLIC: Limits(None, Decimal(120)),
}


def limited_kind(kind: MeasureKind) -> MeasureKind | None:
    """Return under which measure the limits of ``kind`` are kept: one for all blood sugars."""
    if kind in GLUCOSE:
        return MeasureKind.GLUCOSE
    return kind if kind in PUBLISHED else None


def trouble_with(kind: MeasureKind, limits: Limits) -> LimitTrouble | None:
    """Say why ``limits`` can't be kept for ``kind``, one of LIMITED; None: they can."""
    given = [each for each in (limits.low, limits.high) if each is not None]
    if not given:
        return LimitTrouble.EMPTY
    hard = REGISTRY[kind].hard
    if not all(hard.holds(each) for each in given):
        return LimitTrouble.IMPOSSIBLE
    outermost = OUTERMOST.get(kind, Limits())
    allowed = Range(outermost.low or hard.low, outermost.high or hard.high)
    if not all(allowed.holds(each) for each in given):
        return LimitTrouble.TOO_WEAK
    kept = filled(kind, limits)
    is_crossed = kept.low is not None and kept.high is not None and kept.low >= kept.high
    return LimitTrouble.CROSSED if is_crossed else None


def filled(kind: MeasureKind, own: Limits | None) -> Limits:
    """Return what holds: ``own``, and on a side where it says nothing, what is published."""
    usual = PUBLISHED[kind]
    if own is None:
        return usual
    return Limits(
        usual.low if own.low is None else own.low, usual.high if own.high is None else own.high
    )
