"""Readings over time as charts."""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from flask_babel import gettext as _

from outreach.measures.models import Reading
from outreach.measures.rules import FASTING, GLUCOSE, MeasureKind, glucose_mmol_l
from outreach.web.charts import Chart, Limit, Series, line_chart

# Source: domain.md E4, below 8 % and above 9 % (CMS122); C2 and ADA, 70 to 180 mg/dL.
HBA1C_LIMITS = (Decimal(8), Decimal(9))
GLUCOSE_LIMITS = (Decimal(70), Decimal(180))


def hba1c(readings: Sequence[Reading], zone: ZoneInfo) -> Chart | None:
    """Return HbA1c in percent over time; None where there is no reading."""
    points = _points(readings, (MeasureKind.HBA1C,), zone)
    target, alarm = HBA1C_LIMITS
    limits = (Limit(target, _("goal, below")), Limit(alarm, _("high, above")))
    return line_chart([Series(_("HbA1c"), points)], unit="%", label=_("HbA1c"), limits=limits)


def glucose(readings: Sequence[Reading], zone: ZoneInfo, unit: str) -> Chart | None:
    """Return glucose over time in ``unit`` (mg/dL or mmol/L), fasting values apart."""
    named = (
        (_("Any time"), [kind for kind in GLUCOSE if kind not in FASTING]),
        (_("Fasting"), FASTING),
    )
    series = [
        Series(name, [(at, _in_unit(value, unit)) for at, value in points])
        for name, kinds in named
        if (points := _points(readings, kinds, zone))
    ]
    low, high = (_in_unit(limit, unit) for limit in GLUCOSE_LIMITS)
    limits = (Limit(low, _("low, below")), Limit(high, _("high, above")))
    return line_chart(series, unit=unit, label=_("Blood sugar"), limits=limits)


def _points(
    readings: Iterable[Reading], kinds: Collection[MeasureKind], zone: ZoneInfo
) -> list[tuple[datetime, Decimal]]:
    return [
        (reading.taken_at.astimezone(zone), reading.value)
        for reading in readings
        if reading.kind in kinds and reading.bound is None  # HI and LO are no numbers
    ]


def _in_unit(mg_dl: Decimal, unit: str) -> Decimal:
    return glucose_mmol_l(mg_dl) if unit == "mmol/L" else mg_dl
