"""Patients by kinds of people, and by how low they felt at baseline. Pure."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from outreach.reports.rules.outcomes import (
    PHQ9_POSITIVE,
    PHQ9_REMITTED,
    Followed,
    OutcomeMeasure,
    Point,
    Stratum,
    as_columns,
    thousandths,
)

if TYPE_CHECKING:
    from outreach.reports.rules.people import People


def grouped(patients: Sequence[Followed], groups: Mapping[int, str]) -> "dict[str, People]":
    """Return the patients of each group by its key, in order; "" for those in none."""
    people = as_columns(patients)
    return people.apart([groups.get(each, "") for each in people.ids.tolist()])


def by_stratum(patients: Sequence[Followed]) -> "dict[str, People]":
    """Return the patients of each stratum, those who felt lowest first; empty ones too."""
    people = as_columns(patients)
    found = people.apart([each.value for each in strata_of(people)])
    return {stratum.value: found.get(stratum.value) or people.none() for stratum in Stratum}


def strata_of(patients: Sequence[Followed]) -> list[Stratum]:
    """Return where each patient's PHQ-9 stood at baseline, in order."""
    days, values = as_columns(patients).at(OutcomeMeasure.PHQ9, Point.BASELINE)
    return [
        _stratum(value) if day else Stratum.UNKNOWN
        for day, value in zip(days.tolist(), values.tolist(), strict=True)
    ]


def _stratum(value: int) -> Stratum:
    if value >= thousandths(PHQ9_POSITIVE):
        return Stratum.FROM_10
    return Stratum.FROM_5 if value >= thousandths(PHQ9_REMITTED) else Stratum.BELOW_5
