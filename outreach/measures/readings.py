"""Readings: storing them, and reading them back."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from sqlalchemy import select, update
from sqlalchemy.orm import Session, aliased

from outreach.measures.models import Reading
from outreach.measures.rules import REGISTRY, MeasureKind, ReadingSource
from outreach.patients.models import Patient


@dataclass(frozen=True)
class ReportedReading:
    """A value as somebody said it. ``taken_at``: when the body was measured."""

    kind: MeasureKind
    value: Decimal
    unit: str
    taken_at: datetime
    is_time_known: bool


def store(
    session: Session,
    patient: Patient,
    reported: ReportedReading,
    *,
    source: ReadingSource,
    attempt_id: int | None,
    by_staff_id: int | None,
    now: datetime,
) -> Reading:
    """Keep one value, as entered and in its canonical unit. Does not commit."""
    measure = REGISTRY[reported.kind]
    reading = Reading(
        clinic_id=patient.clinic_id,
        patient_id=patient.id,
        attempt_id=attempt_id,
        kind=reported.kind,
        value=measure.in_canonical_unit(reported.value, reported.unit),
        entered_value=format(reported.value, "f"),
        entered_unit=reported.unit,
        taken_at=reported.taken_at,
        is_time_known=reported.is_time_known,
        recorded_at=now,
        recorded_by_id=by_staff_id,
        source=source,
    )
    session.add(reading)
    session.flush()
    return reading


def withdraw(session: Session, attempt_id: int, *, now: datetime) -> None:
    """Let the readings of an attempt that was taken back count no more. Does not commit."""
    session.execute(
        update(Reading)
        .where(Reading.attempt_id == attempt_id, Reading.withdrawn_at.is_(None))
        .values(withdrawn_at=now)
    )


def latest(session: Session, patient_id: int, kinds: Sequence[MeasureKind]) -> list[Reading]:
    """Return the newest reading that nothing supersedes, for each of ``kinds``, as listed."""
    newer = aliased(Reading)
    rows = session.scalars(
        select(Reading)
        .where(
            Reading.patient_id == patient_id,
            Reading.kind.in_(kinds),
            Reading.withdrawn_at.is_(None),
            ~select(newer.id).where(newer.supersedes_id == Reading.id).exists(),
        )
        .order_by(Reading.taken_at.desc(), Reading.id.desc())
    ).all()
    first: dict[MeasureKind, Reading] = {}
    for reading in rows:
        first.setdefault(reading.kind, reading)
    return [first[kind] for kind in kinds if kind in first]
