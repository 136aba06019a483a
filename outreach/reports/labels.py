"""The words of reports: what is measured, when, and who stands behind a figure."""

from datetime import date
from decimal import Decimal

from flask_babel import format_date, format_decimal
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_babel.speaklater import LazyString

from outreach.measures.labels import measure_name, unit_name
from outreach.measures.rules import GLUCOSE, REGISTRY
from outreach.patients.rules import Sex
from outreach.reports import definitions
from outreach.reports.breakdown import Dimension
from outreach.reports.rules.board import (
    BoardFigure,
    CohortPart,
    CohortStanding,
    CohortTotal,
    Exclusion,
    Month,
    MonthPart,
    MonthTotal,
    Standing,
)
from outreach.reports.rules.glycaemic import GlycaemicGroup
from outreach.reports.rules.outcomes import (
    FROM_5_ON,
    KINDS,
    Group,
    OutcomeMeasure,
    Point,
    Stratum,
    decimals_of,
)
from outreach.reports.rules.tally import Measure as Figured
from outreach.reports.service import LeftOut, Service, ServiceMeasure
from outreach.web.template_filters import full_day, language_name

OLDEST_NAMED = 120
POINT_WORDS = {
    Point.BASELINE: _l("Baseline"),
    Point.MONTH_3: _l("Month 3"),
    Point.MONTH_6: _l("Month 6"),
}
GROUP_WORDS = {
    Group.ELIGIBLE: _l("Everybody whose window is over"),
    Group.WINDOW_OPEN: _l("Not counted: their window is still open"),
    Group.WITH_BASELINE: _l("Measured at baseline"),
    Group.MEASURED: _l("Measured at baseline and at follow-up"),
    Group.MISSING: _l("Measured at baseline, not at follow-up"),
    Group.WITHOUT_BASELINE: _l("Not measured at baseline"),
    Group.MAY_RESPOND: _l("Measured twice, and could respond"),
    Group.RESPONDED: _l("Responded"),
    Group.REMITTED: _l("Below 5 at follow-up, from 10 or more at baseline"),
    Group.FROM_5: _l("PHQ-9 of 5 or more at baseline, measured twice"),
    Group.RESPONDED_FROM_5: _l("Fell by half or more, from 5 or more at baseline"),
    Group.REMITTED_FROM_5: _l("Below 5 at follow-up, from 5 or more at baseline"),
    Group.LOW_BEFORE: _l("Below 8% at baseline"),
    Group.LOW_AFTER: _l("Below 8% at follow-up"),
    Group.HIGH_BEFORE: _l("Above 9% at baseline"),
    Group.HIGH_AFTER: _l("Above 9% at follow-up"),
}
STRATUM_WORDS = {
    Stratum.FROM_10: _l("PHQ-9 of 10 or more"),
    Stratum.FROM_5: _l("PHQ-9 of 5 to 9"),
    Stratum.BELOW_5: _l("PHQ-9 of 0 to 4"),
    Stratum.UNKNOWN: _l("No PHQ-9 at baseline"),
}
STANDING_WORDS: dict[MonthPart, LazyString] = {
    Standing.CONTROLLED: _l("Controlled: HbA1c below 8%"),
    Standing.UNCONTROLLED: _l("Not controlled: 8% or above"),
    Standing.UNREAD: _l("No HbA1c in 3 months"),
    Standing.LOST: _l("Lost at 12 months"),
}
EXCLUSION_WORDS = {
    Exclusion.NEW: _l("%(n)s new"),
    Exclusion.GONE: _l("%(n)s gone"),
}
COHORT_WORDS: dict[CohortPart, LazyString] = {
    CohortStanding.CONTROLLED: _l("Controlled: HbA1c below 8%"),
    CohortStanding.UNCONTROLLED: _l("Not controlled: 8% or above"),
    CohortStanding.UNREAD: _l("No HbA1c in the window"),
    CohortStanding.OPEN: _l("Window still open"),
}
MONTH_PART_WORDS: dict[MonthPart, LazyString] = {
    **STANDING_WORDS,
    Exclusion.NEW: _l("New: in their first three calendar months"),
    Exclusion.GONE: _l("Gone: died or left"),
    MonthTotal.UNDER_CARE: _l("Under care"),
    MonthTotal.REGISTERED: _l("Under care, or lost"),
}
COHORT_PART_WORDS: dict[CohortPart, LazyString] = {
    **COHORT_WORDS,
    CohortTotal.BEGAN: _l("Everybody who began"),
    CohortTotal.KNOWN: _l("Window over"),
}
BRIEFLY = {
    "controlled": _l("Controlled"),
    "not controlled": _l("Not controlled"),
    "no reading": _l("No HbA1c"),
    "lost": _l("Lost"),
    "window still open": _l("Still open"),
}
# Of the PHQ-9: those who began at so much, of them who fell by half, and who is below 5.
BEGAN_AT = (
    (_l("Began at 10 or more"), (Group.MAY_RESPOND, Group.RESPONDED, Group.REMITTED)),
    (_l("Began at 5 or more"), (Group.FROM_5, Group.RESPONDED_FROM_5, Group.REMITTED_FROM_5)),
)
DIMENSION_WORDS = {
    Dimension.CALLER: _l("Caller"),
    Dimension.CLINIC: _l("Clinic"),
    Dimension.REGION: _l("Region"),
    Dimension.PHASE: _l("Phase"),
    Dimension.WEEK: _l("Week"),
    Dimension.LANGUAGE: _l("Language"),
    Dimension.SEX: _l("Sex"),
    Dimension.AGE: _l("Age"),
    Dimension.PHQ9: _l("PHQ-9 at baseline"),
}
NOWHERE_WORDS = {
    Dimension.CALLER: _l("No caller"),
    Dimension.REGION: _l("In no region"),
    Dimension.PHASE: _l("Not of one phase"),
    Dimension.WEEK: _l("Not of one week"),
}
SEX_WORDS = {
    Sex.FEMALE: _l("Women"),
    Sex.MALE: _l("Men"),
    Sex.OTHER: _l("Other"),
    Sex.UNKNOWN: _l("Not known"),
}
FIGURE_WORDS = {
    Figured.COMPLETION: _l("Calls completed"),
    Figured.STILL_OPEN: _l("Calls still open"),
    Figured.CANCELLED: _l("Calls cancelled"),
    Figured.REACH_PER_DIAL: _l("Reached per dial"),
    Figured.REACH_PER_PATIENT: _l("Patients reached"),
    Figured.PROTOCOL: _l("Weeks as planned"),
    Figured.CHOSEN: _l("Weeks as chosen"),
    Figured.WEEKS_OPEN: _l("Weeks not judged yet"),
    Figured.DIALS_PER_REACH: _l("Dials per reach"),
    Figured.MINUTES_MEAN: _l("Minutes a week"),
    Figured.CALLS_MEAN: _l("Calls a week"),
    Figured.FIRST_CALL: _l("First call in time"),
    Figured.FIRST_WAITING: _l("First calls that still have time"),
    Figured.CONTINUITY: _l("Same caller"),
}
# What a list behind a figure has in its two columns.
PARTS_WORDS = {
    Figured.COMPLETION: (_l("Completed calls"), _l("Calls due")),
    Figured.STILL_OPEN: (_l("Still open"), _l("Calls planned")),
    Figured.CANCELLED: (_l("Cancelled"), _l("Calls planned")),
    Figured.REACH_PER_DIAL: (_l("Dials that reached"), _l("Dials")),
    Figured.REACH_PER_PATIENT: (_l("Reached"), _l("In the programme")),
    Figured.PROTOCOL: (_l("Weeks as planned"), _l("Weeks judged")),
    Figured.CHOSEN: (_l("Weeks as chosen"), _l("Weeks with a choice")),
    Figured.WEEKS_OPEN: (_l("Not judged yet"), _l("Weeks")),
    Figured.DIALS_PER_REACH: (_l("Dials"), _l("Dials that reached")),
    Figured.MINUTES_MEAN: (_l("Minutes"), _l("Weeks")),
    Figured.CALLS_MEAN: (_l("Completed calls"), _l("Weeks")),
    Figured.FIRST_CALL: (_l("In time"), _l("First calls due")),
    Figured.FIRST_WAITING: (_l("Wait, with time left"), _l("Enrolled")),
    Figured.CONTINUITY: (_l("By their own caller"), _l("Completed calls")),
}
DIAL_PARTS = (_l("Reached by it or before"), _l("Calls dialled"))
SERVICE_WORDS = {
    ServiceMeasure.STAYED_3: (
        _l("Still in the programme at month 3"),
        _l("Still in it"),
        _l("Reached day 91"),
    ),
    ServiceMeasure.STAYED_6: (
        _l("Still in the programme at month 6"),
        _l("Still in it"),
        _l("Reached day 182"),
    ),
    ServiceMeasure.RETURNED_90: (
        _l("Returned to care within 90 days"),
        _l("Came back"),
        _l("Out of care at enrolment"),
    ),
    ServiceMeasure.RETURNED_180: (
        _l("Returned to care within 180 days"),
        _l("Came back"),
        _l("Out of care at enrolment"),
    ),
    ServiceMeasure.HBA1C_0: (
        _l("HbA1c measured at baseline"),
        _l("Measured"),
        _l("Windows closed"),
    ),
    ServiceMeasure.HBA1C_3: (_l("HbA1c measured at month 3"), _l("Measured"), _l("Windows closed")),
    ServiceMeasure.HBA1C_6: (_l("HbA1c measured at month 6"), _l("Measured"), _l("Windows closed")),
    ServiceMeasure.PHQ9_0: (_l("PHQ-9 asked at baseline"), _l("Asked"), _l("Windows closed")),
    ServiceMeasure.PHQ9_3: (_l("PHQ-9 asked at month 3"), _l("Asked"), _l("Windows closed")),
    ServiceMeasure.PHQ9_6: (_l("PHQ-9 asked at month 6"), _l("Asked"), _l("Windows closed")),
    ServiceMeasure.DELIVERED: (_l("Texts delivered"), _l("Delivered"), _l("Taken by the carrier")),
    ServiceMeasure.ANSWERED: (_l("Patients who texted back"), _l("Texted back"), _l("Texted")),
    ServiceMeasure.STOPPED: (_l("Patients who texted STOP"), _l("Texted STOP"), _l("Texted")),
    ServiceMeasure.REFUSED: (
        _l("Refused: said STOP to the carrier (21610)"),
        _l("Refused"),
        _l("Handed to the carrier"),
    ),
    ServiceMeasure.FILTERED: (
        _l("Held back by a spam filter (30007)"),
        _l("Held back"),
        _l("Handed to the carrier"),
    ),
    ServiceMeasure.UNREGISTERED: (
        _l("Sender not registered (30034)"),
        _l("Failed"),
        _l("Handed to the carrier"),
    ),
    ServiceMeasure.IN_TIME: (_l("Concerns taken on in time"), _l("In time"), _l("Concerns")),
    ServiceMeasure.CLOSED: (_l("Concerns closed"), _l("Closed"), _l("Concerns")),
}
SERVICE_PARTS = (
    (_l("Who stays"), (ServiceMeasure.STAYED_3, ServiceMeasure.STAYED_6)),
    (_l("Who comes back"), (ServiceMeasure.RETURNED_90, ServiceMeasure.RETURNED_180)),
    (
        _l("Who is measured"),
        (
            ServiceMeasure.HBA1C_0,
            ServiceMeasure.HBA1C_3,
            ServiceMeasure.HBA1C_6,
            ServiceMeasure.PHQ9_0,
            ServiceMeasure.PHQ9_3,
            ServiceMeasure.PHQ9_6,
        ),
    ),
    (
        _l("Texts"),
        (
            ServiceMeasure.DELIVERED,
            ServiceMeasure.ANSWERED,
            ServiceMeasure.STOPPED,
            ServiceMeasure.REFUSED,
            ServiceMeasure.FILTERED,
            ServiceMeasure.UNREGISTERED,
        ),
    ),
    (_l("Concerns"), (ServiceMeasure.IN_TIME, ServiceMeasure.CLOSED)),
)
MEDIAN_TAKEN_ON = _l("Median time until taken on")
LEFT_OUT_WORDS = {
    LeftOut.IN_CARE: _l("%(n)s in care at enrolment"),
    LeftOut.NO_VISIT: _l("%(n)s without a visit on file"),
    LeftOut.AFTER_IMPORT: _l("%(n)s after the last import of visits"),
    LeftOut.NOT_TAKEN: _l("%(n)s that the carrier did not take"),
    LeftOut.UNTEXTED: _l("%(n)s to whom no text went out"),
    LeftOut.HAS_TIME: _l("%(n)s that wait within their time"),
}
GLYCAEMIC_WORDS = {
    GlycaemicGroup.PANEL: _l("Everybody enrolled, 18 to 75 years old"),
    GlycaemicGroup.POOR_OR_MISSING: _l("Above 9.0%, or not measured in 12 months"),
    GlycaemicGroup.POOR: _l("Above 9.0%"),
    GlycaemicGroup.MISSING: _l("Not measured in 12 months"),
}


def dimensions(clinics: int, *, of_patients: bool = False) -> list[Dimension]:
    """Return by what a report is broken down for a reader of so many clinics, in order."""
    return [
        each
        for each in DIMENSION_WORDS
        if (clinics > 1 or not each.is_over_clinics) and (each.groups_patients or not of_patients)
    ]


def about_groups(dimension: Dimension) -> str:
    """Return what is to be known of the groups of a report about calls; "" where nothing is."""
    if dimension.is_about_patients:
        return str(definitions.IN_CALL_GROUPS)
    if dimension.is_over_clinics:
        return str(definitions.IN_PLACES)
    return str(definitions.CALLERS_COMPARED) if dimension is Dimension.CALLER else ""


def left_out(found: Service, measure: ServiceMeasure) -> str:
    """Return what is not counted in a figure, with why; that nothing is left out, where so."""
    counts = found.left_out.get(measure, {})
    words = [LEFT_OUT_WORDS[why] % {"n": format_decimal(n)} for why, n in counts.items() if n]
    return ", ".join(words) or _("nothing")


def outcome_name(measure: OutcomeMeasure) -> str:
    """Return what people call a measure."""
    return measure_name(KINDS[measure][0])


def outcome_unit(measure: OutcomeMeasure, glucose_unit: str) -> str:
    """Return the unit in which a measure is reported, as people write it; maybe empty."""
    kind = KINDS[measure][0]
    return glucose_unit if kind in GLUCOSE else unit_name(REGISTRY[kind].unit)


def outcome_decimals(measure: OutcomeMeasure, glucose_unit: str) -> int:
    """Return with how many decimals means of a measure are shown."""
    return decimals_of(measure, glucose_unit)


def fixed(value: float | Decimal | None, decimals: int) -> str:
    """Return a number with exactly ``decimals`` decimals, by locale; a dash where missing."""
    if value is None:
        return "–"
    return format_decimal(value, format="#,##0." + "0" * decimals if decimals else "#,##0")


def signed(value: float | Decimal | None, decimals: int) -> str:
    """Return a change with its sign: '−0.70', '+1.20', '0.00'; a dash where it is missing."""
    if value is None:
        return "–"
    rounded = round(float(value), decimals)
    sign = "+" if rounded > 0 else "−" if rounded < 0 else ""
    return sign + fixed(abs(rounded), decimals)


def board_words(figure: BoardFigure) -> list[str]:
    """Return who is behind a figure of the cohort board, and in which month."""
    part = figure.part
    if figure.month is None or part is None:
        return [_("Everybody ever enrolled")]
    month = month_name(figure.month)
    if isinstance(part, CohortStanding | CohortTotal):
        return [str(COHORT_PART_WORDS[part]), _("began in %(month)s", month=month)]
    return [str(MONTH_PART_WORDS[part]), _("at the end of %(month)s", month=month)]


def month_name(month: Month, *, is_short: bool = False) -> str:
    """Return 'September 2026', or 'Sep' with the year in January only."""
    if not is_short:
        return format_date(month.first_on, "LLLL y")
    return format_date(month.first_on, "LLL ''yy" if month.first_on.month == 1 else "LLL")


def group_name(dimension: Dimension, key: str, name: str = "") -> str:
    """Return what a group is called. ``name``: of those that are data, callers and phases."""
    if key == "":
        return str(NOWHERE_WORDS.get(dimension) or _("Not known"))
    if dimension is Dimension.WEEK:
        return full_day(date.fromisoformat(key))
    if dimension is Dimension.LANGUAGE:
        return language_name(key)
    if dimension is Dimension.SEX:
        return str(SEX_WORDS[Sex(key)])
    if dimension is Dimension.PHQ9:
        if key == FROM_5_ON:
            return _("PHQ-9 of 5 or more, both together")
        return str(STRATUM_WORDS[Stratum(key)])
    if dimension is Dimension.AGE:
        return _age_words(key)
    return name


def _age_words(key: str) -> str:
    low, high = (int(part) for part in key.split("-"))
    if low == 0:
        return _("under %(age)s", age=high + 1)
    if high > OLDEST_NAMED:
        return _("%(age)s and over", age=low)
    return _("%(low)s to %(high)s", low=low, high=high)
