"""The ladder: what a reading asks for, by its own time. Pure.

Source: domain.md C2. The clinic's medical lead approves the targets; a nurse may set limits
of a patient's own (``limits``), which move the middle rungs and never the outermost ones.
"""

import enum
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from outreach.concerns.rules.kinds import ConcernKind, Urgency
from outreach.concerns.rules.limits import PUBLISHED, Limits, filled, limited_kind
from outreach.measures.rules import GLUCOSE, Bound, MeasureKind, Sign

# A reading older than this opens a task, not an alarm: what counts is when it was taken.
FRESH = timedelta(hours=24)


@dataclass(frozen=True)
class Trigger:
    """A reading that somebody must look at."""

    kind: ConcernKind
    urgency: Urgency


@dataclass(frozen=True)
class Measured:
    """A reading as the ladder looks at it: ``value`` in the canonical unit (mg/dL, mm[Hg])."""

    kind: MeasureKind
    value: Decimal
    taken_at: datetime
    signs: frozenset[Sign] = frozenset()
    bound: Bound | None = None


# What counts as the second time: ours for 300, since the source names no time; domain.md C2
# for lows.
HIGH_TWICE_WITHIN = timedelta(hours=24)
LOWS_WITHIN = timedelta(days=14)
_LEVEL_2, _LEVEL_1 = Decimal(54), Decimal(70)  # ADA: below these
_HIGH_WHEN_ILL, _HIGH, _VERY_HIGH = Decimal(240), Decimal(300), Decimal(400)
_PRESSURES = (MeasureKind.SYSTOLIC, MeasureKind.DIASTOLIC)


def trigger_of(
    kind: MeasureKind,
    value: Decimal,
    *,
    taken_at: datetime,
    now: datetime,
    signs: frozenset[Sign] = frozenset(),
    bound: Bound | None = None,
    earlier: Sequence[Measured] = (),
    own: Limits | None = None,
) -> Trigger | None:
    """Return what a reading asks for, or None. Source: domain.md C2.

    Args:
        value: in the canonical unit (mg/dL, mm[Hg]).
        taken_at: when the body was measured; an old value opens a lower-urgency task.
        signs: what was said with it. Danger is now, however old the reading.
        bound: HI or LO, where the meter showed no number.
        earlier: blood sugars of the last two weeks before it.
        own: the limits that a nurse set for this patient and this measure.
    """
    measured = Measured(kind, value, taken_at, signs, bound)
    trigger = _on_the_ladder(measured, earlier, own)
    is_old = now - taken_at > FRESH
    if trigger is None or not is_old or Sign.DANGER in signs:
        return trigger
    return Trigger(trigger.kind, Urgency.NEXT_BUSINESS_DAY)


class LowSugar(enum.StrEnum):
    """How low a blood sugar is. Source: ADA levels, domain.md C2."""

    LEVEL_1 = "level 1"  # below 70 mg/dL, or the patient's own lower limit
    LEVEL_2 = "level 2"  # below 54 mg/dL, or LO, whoever it is


def low_now(measured: Measured, *, now: datetime, own: Limits | None = None) -> LowSugar | None:
    """Return how low a fresh blood sugar is: one with which the low-sugar card is read aloud.

    An old one, however low, is nothing to treat on this call. ``own`` as in `trigger_of`.
    """
    if measured.kind not in GLUCOSE or now - measured.taken_at > FRESH:
        return None
    if is_level_2(measured):
        return LowSugar.LEVEL_2
    is_low = _is_below(measured, filled(MeasureKind.GLUCOSE, own))
    return LowSugar.LEVEL_1 if is_low else None


def lows_before(measured: Measured, earlier: Sequence[Measured]) -> int:
    """Count the level 2 lows in the two weeks before ``measured``."""
    return sum(
        is_level_2(each) and timedelta(0) < measured.taken_at - each.taken_at <= LOWS_WITHIN
        for each in earlier
    )


def is_level_2(measured: Measured) -> bool:
    """Say whether a blood sugar is below 54 mg/dL, or LO."""
    is_low = measured.bound is Bound.LOW or (measured.bound is None and measured.value < _LEVEL_2)
    return measured.kind in GLUCOSE and is_low


def _on_the_ladder(
    measured: Measured, earlier: Sequence[Measured], own: Limits | None
) -> Trigger | None:
    kept_as = limited_kind(measured.kind)
    if kept_as is None:
        return None
    limits = filled(kept_as, own)
    if measured.kind in GLUCOSE:
        return _glucose_trigger(measured, earlier, limits)
    if measured.kind in _PRESSURES:
        return _pressure_trigger(measured, limits)
    return _beyond(measured, limits)


def _pressure_trigger(measured: Measured, limits: Limits) -> Trigger | None:
    """Return what a pressure asks for; from what is published on, whatever the limits say."""
    usual, is_danger = PUBLISHED[measured.kind].high, Sign.DANGER in measured.signs
    highs = [limit for limit in (usual, limits.high) if limit is not None]
    if measured.value >= min(highs):
        return Trigger(ConcernKind.PRESSURE_HIGH, Urgency.NOW if is_danger else Urgency.SAME_DAY)
    if is_danger:
        return Trigger(ConcernKind.SAFETY, Urgency.NOW)
    return _beyond(measured, limits)


def _beyond(measured: Measured, limits: Limits) -> Trigger | None:
    """Return what a value beyond limits asks for that only a nurse's own setting knows."""
    is_low = limits.low is not None and measured.value < limits.low
    is_high = limits.high is not None and measured.value >= limits.high
    return Trigger(ConcernKind.OWN_LIMIT, Urgency.SAME_DAY) if is_low or is_high else None


def _glucose_trigger(
    measured: Measured, earlier: Sequence[Measured], limits: Limits
) -> Trigger | None:
    """Return the highest rung: severe event, lows, then highs."""
    is_severe = bool(measured.signs & {Sign.DANGER, Sign.HELP_NEEDED})
    if is_severe:
        return Trigger(_severe_kind(measured), Urgency.NOW)
    if is_level_2(measured):
        return Trigger(ConcernKind.GLUCOSE_LOW, Urgency.NOW)
    is_low = _is_below(measured, limits)
    urgency = _urgency_of_high(measured, earlier, limits.high or _HIGH)
    if urgency is Urgency.NOW or (urgency and not is_low):
        return Trigger(ConcernKind.GLUCOSE_HIGH, urgency)
    return Trigger(ConcernKind.GLUCOSE_LOW, Urgency.SAME_DAY) if is_low else None


def _is_below(measured: Measured, limits: Limits) -> bool:
    return measured.bound is None and limits.low is not None and measured.value < limits.low


def _severe_kind(measured: Measured) -> ConcernKind:
    """Return what a severe event is called: needing help is a low, whatever is measured since."""
    if _is_high(measured, _HIGH_WHEN_ILL):
        return ConcernKind.GLUCOSE_HIGH
    is_low = Sign.HELP_NEEDED in measured.signs or measured.value < _LEVEL_1
    return ConcernKind.GLUCOSE_LOW if is_low else ConcernKind.SAFETY


def _urgency_of_high(
    measured: Measured, earlier: Sequence[Measured], limit: Decimal
) -> Urgency | None:
    """Return how soon a high asks for a nurse; ``limit`` is the patient's own, or 300.

    Illness counts from the lower of the two: no limit of one's own makes it wait.
    """
    is_ill = bool(measured.signs & {Sign.ILLNESS, Sign.KETONES})
    if _is_high(measured, _VERY_HIGH) or (is_ill and _is_high(measured, min(limit, _HIGH))):
        return Urgency.NOW
    if _is_high(measured, limit):
        is_again = any(
            _is_high(each, limit) and _is_just_before(each, measured) for each in earlier
        )
        return Urgency.NOW if is_again else Urgency.SAME_DAY
    is_worrying = is_ill and _is_high(measured, _HIGH_WHEN_ILL)
    return Urgency.SAME_DAY if is_worrying or Sign.KETONES in measured.signs else None


def _is_high(measured: Measured, limit: Decimal) -> bool:
    if measured.bound is not None:
        return measured.bound is Bound.HIGH
    return measured.kind in GLUCOSE and measured.value >= limit


def _is_just_before(each: Measured, measured: Measured) -> bool:
    return timedelta(0) < measured.taken_at - each.taken_at <= HIGH_TWICE_WITHIN
