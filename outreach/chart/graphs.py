"""Readings over time as charts; the levels drawn are the registry's."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from flask_babel import gettext as _

from outreach.concerns.rules import Limits
from outreach.measures.labels import LEVEL_WORDS, SIDE_WORDS, measure_name, unit_name
from outreach.measures.models import Reading
from outreach.measures.rules import (
    FASTING,
    GLUCOSE,
    REGISTRY,
    MeasureKind,
    Place,
    Side,
    Threshold,
    shown_on,
)
from outreach.web.charts import Chart, Limit, Series, line_chart

Own = Mapping[MeasureKind, Limits]
PRESSURES = (MeasureKind.SYSTOLIC, MeasureKind.DIASTOLIC)
# Height hardly changes, and BMI is worked out from it: the table shows both.
_UNDRAWN = {MeasureKind.HEIGHT, MeasureKind.BMI}


def of_patient(
    readings: Sequence[Reading], zone: ZoneInfo, glucose_unit: str, own: Own | None = None
) -> list[tuple[Chart, str]]:
    """Return every chart of a patient's readings with the caption of its table.

    ``own``: limits of the patient's own, drawn beside the registry's levels.
    """
    own = own or {}
    drawn = [
        hba1c(readings, zone),
        glucose(readings, zone, glucose_unit, own),
        pressure(readings, zone, own),
        *(each(kind, readings, zone, own) for kind in _others()),
    ]
    return [(chart, _("%(measure)s, every value", measure=chart.label)) for chart in drawn if chart]


def hba1c(readings: Sequence[Reading], zone: ZoneInfo) -> Chart | None:
    """Return HbA1c in percent over time; None where there is no reading."""
    return each(MeasureKind.HBA1C, readings, zone)


def glucose(
    readings: Sequence[Reading], zone: ZoneInfo, unit: str, own: Own | None = None
) -> Chart | None:
    """Return glucose over time in ``unit`` (mg/dL or mmol/L), fasting values apart."""
    named = (
        (_("Any time"), [kind for kind in GLUCOSE if kind not in FASTING]),
        (_("Fasting"), FASTING),
    )
    series = [
        Series(name, points)
        for name, kinds in named
        if (points := _points(readings, kinds, zone, unit))
    ]
    limits = _limits(MeasureKind.GLUCOSE, unit, own)
    return line_chart(series, unit=unit, label=_("Blood sugar"), limits=limits)


def pressure(readings: Sequence[Reading], zone: ZoneInfo, own: Own | None = None) -> Chart | None:
    """Return upper and lower blood pressure over time."""
    unit = REGISTRY[MeasureKind.SYSTOLIC].unit
    names = dict(zip(PRESSURES, (_("Upper"), _("Lower")), strict=True))
    series = [
        Series(name, points)
        for kind, name in names.items()
        if (points := _points(readings, (kind,), zone, unit))
    ]
    limits = [
        Limit(limit.value, f"{name}: {limit.label}")
        for kind, name in names.items()
        for limit in _limits(kind, unit, own)
    ]
    return line_chart(series, unit=unit_name(unit), label=_("Blood pressure"), limits=limits)


def each(
    kind: MeasureKind, readings: Sequence[Reading], zone: ZoneInfo, own: Own | None = None
) -> Chart | None:
    """Return one measure over time, in the unit in which it was entered last."""
    units = REGISTRY[kind].units
    entered = [reading.entered_unit for reading in readings if reading.kind is kind]
    is_weight = kind is MeasureKind.WEIGHT
    unit = next((unit for unit in entered if is_weight and unit in units), REGISTRY[kind].unit)
    series = [Series(measure_name(kind), _points(readings, (kind,), zone, unit))]
    limits = _limits(kind, unit, own)
    return line_chart(series, unit=unit_name(unit), label=measure_name(kind), limits=limits)


def _others() -> list[MeasureKind]:
    drawn = {MeasureKind.HBA1C, *GLUCOSE, *PRESSURES, *_UNDRAWN}
    return [kind for kind in shown_on(Place.CHART) if kind not in drawn]


def _limits(kind: MeasureKind, unit: str, own: Own | None) -> list[Limit]:
    """Return the registry's levels, and beside them the limits of the patient's own."""
    shown = REGISTRY[kind].units[unit].from_canonical
    levels = [
        Limit(shown(threshold.value), _level(threshold))
        for threshold in REGISTRY[kind].thresholds
        if threshold.is_drawn
    ]
    theirs = (own or {}).get(kind)
    if theirs is None:
        return levels
    sides = ((theirs.low, Side.BELOW), (theirs.high, Side.FROM))
    return levels + [
        Limit(shown(value), _("own limit, %(side)s", side=SIDE_WORDS[side]))
        for value, side in sides
        if value is not None
    ]


def _level(threshold: Threshold) -> str:
    return f"{LEVEL_WORDS[threshold.level]}, {SIDE_WORDS[threshold.side]}"


def _points(
    readings: Iterable[Reading], kinds: Collection[MeasureKind], zone: ZoneInfo, unit: str
) -> list[tuple[datetime, Decimal]]:
    """Return when and how much, in ``unit``; HI and LO are no numbers and stay in the table."""
    return [
        (
            reading.taken_at.astimezone(zone),
            reading.value
            if unit == REGISTRY[reading.kind].unit
            else REGISTRY[reading.kind].units[unit].from_canonical(reading.value),
        )
        for reading in readings
        if reading.kind in kinds and reading.bound is None
    ]
