"""The adherence report on paper."""

from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Any

from outreach.exports.paper import MISSING, Paper, paper
from outreach.exports.rules.cells import Table, Value
from outreach.reports.rules.tally import Measure

# In the words of the report's page (templates/reports/_definitions.html). Source: domain.md E3.
DEFINITIONS: Mapping[Measure, str] = {
    Measure.COMPLETION: "Completed calls of all calls due in these days, completed or missed.",
    Measure.STILL_OPEN: "Calls due in these days that can still be completed; in no rate yet.",
    Measure.CANCELLED: "Calls that the programme cancelled, of all planned; in no rate above.",
    Measure.REACH_PER_DIAL: "Dials in which the caller spoke with the patient, of all dials.",
    Measure.REACH_PER_PATIENT: "Patients spoken with at least once, of all in the programme.",
    Measure.PROTOCOL: "Patient-weeks with as many completed calls as the programme asks for.",
    Measure.CHOSEN: "Of these, weeks in which patients choose how often; kept as they chose.",
    Measure.DIALS_PER_REACH: "All dials divided by those that reached the patient.",
    Measure.MINUTES: "Minutes of conversation in a patient-week, weeks without any included.",
    Measure.CALLS: "Completed calls in a patient-week, weeks without any included.",
    Measure.FIRST_CALL: "Patients enrolled in these days who were called in time.",
    Measure.CONTINUITY: "Calls completed by the patient's own caller, of all completed.",
}

# Figures that are no share of anything, though they have a denominator.
NO_RATES = frozenset(
    {
        Measure.DIALS_PER_REACH,
        Measure.MINUTES,
        Measure.MINUTES_LOW,
        Measure.MINUTES_HIGH,
        Measure.MINUTES_MEAN,
        Measure.CALLS,
        Measure.CALLS_LOW,
        Measure.CALLS_HIGH,
        Measure.CALLS_MEAN,
        Measure.FIRST_CALL_MEDIAN,
    }
)


def adherence(table: Table) -> Paper:
    """Return the figures of ``table`` as they are set on paper."""
    rows = list(table.rows)
    definitions = [[measure.value, words] for measure, words in DEFINITIONS.items()]
    data = {"groups": _groups(rows), "definitions": definitions}
    return paper("adherence.typ", table.title, table.about, data, len(rows))


def _groups(rows: Sequence[Sequence[Value]]) -> list[dict[str, Any]]:
    return [
        {"name": caller, "rows": [figure(row) for row in own]}
        for caller, own in groupby(rows, key=lambda row: row[1])
    ]


def figure(row: Sequence[Value]) -> list[str]:
    """Return a figure as it is read: 'reach rate per dial', '22', '30', '73%'."""
    _clinic, _caller, measure, numerator, denominator, value, *_days = row
    counted = [MISSING if each is None else f"{each:,}" for each in (numerator, denominator)]
    return [str(measure), *counted, _value(str(measure), value)]


def _value(measure: str, value: Value) -> str:
    if not isinstance(value, float | int):
        return MISSING
    if measure == Measure.STILL_OPEN:
        return f"{value:,}"
    return f"{value:,.1f}" if measure in NO_RATES else f"{value:.0%}"
