"""What figures around the calls are sums of: facts, each of one patient, most of one day."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from outreach.reports.breakdown import Behind


@dataclass(frozen=True)
class Fact:
    """What one thing adds to a figure.

    ``on``: the day that it is of, None where it is of no single one. ``enrolment_id``: None where
    it is of a patient, whatever enrolment they were in. ``row_id``: of what is listed one by one.
    """

    patient_id: int
    numerator: int
    denominator: int
    on: date | None = None
    enrolment_id: int | None = None
    row_id: int | None = None


def together(facts: Iterable[Fact]) -> list[Behind]:
    """Return one row a patient, those who add least of what they could first."""
    parts: Counter[int] = Counter()
    wholes: Counter[int] = Counter()
    for fact in facts:
        parts[fact.patient_id] += fact.numerator
        wholes[fact.patient_id] += fact.denominator
    found = [Behind(patient_id, parts[patient_id], whole) for patient_id, whole in wholes.items()]
    return sorted(found, key=lambda row: (row.numerator - row.denominator, row.patient_id))
