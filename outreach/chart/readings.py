"""Readings that count: those that no correction has replaced."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from sqlalchemy import func, select
from sqlalchemy.orm import Session, aliased

from outreach.measures.models import Reading
from outreach.measures.readings import is_current
from outreach.measures.rules import GLUCOSE, MeasureKind, bmi

MOST = 200


@dataclass(frozen=True)
class Line:
    """One line of the table of readings; with what stands in its place, where it was corrected.

    ``before``: the value of the one of its kind that counts before it.
    """

    reading: Reading
    correction: Reading | None = None
    before: Decimal | None = None


def of_patient(session: Session, patient_id: int) -> Sequence[Reading]:
    """Return a patient's readings, newest first: at most MOST of glucose, and of the rest."""
    found: list[Reading] = []
    for is_kind in (Reading.kind.in_(GLUCOSE), Reading.kind.not_in(GLUCOSE)):
        found += session.scalars(
            select(Reading)
            .where(Reading.patient_id == patient_id, is_kind, is_current())
            .order_by(Reading.taken_at.desc(), Reading.id.desc())
            .limit(MOST)
        ).all()
    return sorted(found, key=lambda reading: (reading.taken_at, reading.id), reverse=True)


def table_of(session: Session, patient_id: int, current: Sequence[Reading]) -> list[Line]:
    """Return the readings that count together with those that were corrected, newest first."""
    correction = aliased(Reading)
    corrected = session.execute(
        select(Reading, correction)
        .join(correction, correction.supersedes_id == Reading.id)
        .where(Reading.patient_id == patient_id)
        .order_by(Reading.taken_at.desc(), Reading.id.desc())
        .limit(MOST)
    ).all()
    lines = [*_counting(current), *(Line(old, new) for old, new in corrected)]
    return sorted(lines, key=lambda line: (line.reading.taken_at, line.reading.id), reverse=True)


def _counting(current: Sequence[Reading]) -> list[Line]:
    """Return the readings that count, each with the one before it; ``current`` is newest first."""
    lines, before = [], dict[MeasureKind, Decimal]()
    for reading in reversed(current):
        known = None if reading.bound else before.get(reading.kind)
        lines.append(Line(reading, before=known))
        if not reading.bound:
            before[reading.kind] = reading.value
    return lines


def body_mass(current: Sequence[Reading]) -> Decimal | None:
    """Return the BMI of the latest weight and height; ``current`` is newest first."""
    newest: dict[MeasureKind, Decimal] = {}
    for reading in current:
        newest.setdefault(reading.kind, reading.value)
    if MeasureKind.WEIGHT not in newest or MeasureKind.HEIGHT not in newest:
        return None
    return bmi(newest[MeasureKind.WEIGHT], newest[MeasureKind.HEIGHT])


def latest_of(
    session: Session, patient_ids: Sequence[int], kind: MeasureKind
) -> dict[int, tuple[Decimal, datetime]]:
    """Return the latest value of ``kind``, and when it was taken, for each patient with one."""
    place = func.row_number().over(
        partition_by=Reading.patient_id,
        order_by=(Reading.taken_at.desc(), Reading.id.desc()),
    )
    ranked = (
        select(Reading.id, place.label("place"))
        .where(Reading.patient_id.in_(patient_ids), Reading.kind == kind, is_current())
        .subquery()
    )
    rows = session.execute(
        select(Reading.patient_id, Reading.value, Reading.taken_at)
        .join(ranked, ranked.c.id == Reading.id)
        .where(ranked.c.place == 1)
        .order_by(Reading.patient_id)
    ).all()
    return {row.patient_id: (row.value, row.taken_at) for row in rows}
