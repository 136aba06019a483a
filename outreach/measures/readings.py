"""Readings: storing them, and reading them back."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from functools import cache
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, exists, select
from sqlalchemy.orm import Session, aliased

from outreach.among import among
from outreach.built_once import built_once
from outreach.measures.models import LatestReading, Reading
from outreach.measures.rules import REGISTRY, Bound, MeasureKind, ReadingSource, Sign
from outreach.patients.models import Patient


@dataclass(frozen=True)
class ReportedReading:
    """A value as somebody said it. ``taken_at``: when the body was measured.

    ``bound``: the meter said HI or LO, and ``value`` is the most or least that it shows.
    ``begins_on``: the first day of a value over several days.
    """

    kind: MeasureKind
    value: Decimal
    unit: str
    taken_at: datetime
    is_time_known: bool
    bound: Bound | None = None
    signs: frozenset[Sign] = frozenset()
    begins_on: date | None = None
    is_unreliable: bool = False


def store(
    session: Session,
    patient: Patient,
    reported: ReportedReading,
    *,
    source: ReadingSource,
    attempt_id: int | None,
    by_staff_id: int | None,
    now: datetime,
    external_key: str | None = None,
) -> Reading:
    """Keep one value, as entered and in its canonical unit. Does not commit."""
    reading = made(
        patient,
        reported,
        source=source,
        attempt_id=attempt_id,
        by_staff_id=by_staff_id,
        now=now,
        external_key=external_key,
    )
    return add(session, [reading])[0]


def add(session: Session, made_ones: Sequence[Reading]) -> Sequence[Reading]:
    """Keep what was :func:`made`, in one statement, and return it with its ids. No commit."""
    session.add_all(made_ones)
    session.flush()
    return made_ones


def made(
    patient: Patient,
    reported: ReportedReading,
    *,
    source: ReadingSource,
    attempt_id: int | None,
    by_staff_id: int | None,
    now: datetime,
    external_key: str | None = None,
) -> Reading:
    """Return one value as a reading that nobody keeps yet."""
    measure = REGISTRY[reported.kind]
    return Reading(
        clinic_id=patient.clinic_id,
        patient_id=patient.id,
        attempt_id=attempt_id,
        kind=reported.kind,
        value=measure.in_canonical_unit(reported.value, reported.unit),
        entered_value=entered(reported),
        entered_unit=reported.unit,
        taken_at=reported.taken_at,
        is_time_known=reported.is_time_known,
        recorded_at=now,
        recorded_by_id=by_staff_id,
        source=source,
        bound=reported.bound,
        signs=sorted(reported.signs),
        begins_on=reported.begins_on,
        is_unreliable=reported.is_unreliable,
        external_key=external_key,
    )


def entered(reported: ReportedReading) -> str:
    """Return a value as it was typed: '132', or 'HI'."""
    return reported.bound.value if reported.bound else format(reported.value, "f")


def are_kept(session: Session, patient_id: int, keys: Sequence[str]) -> bool:
    """Say whether any reading of a patient has one of these external keys already."""
    return bool(keys) and session.scalar(*_kept_by(patient_id, keys)) is not None


@built_once
def _kept_by(patient_id: Any, keys: Any) -> Select[int]:
    return (
        select(Reading.id)
        .where(Reading.patient_id == patient_id, Reading.external_key.in_(keys))
        .limit(1)
    )


@cache  # built once: it stands in most of what is asked about readings
def is_current() -> ColumnElement[bool]:
    """Return the condition that a reading counts: not corrected, not taken back."""
    return and_(is_last_word(), Reading.is_void.is_(False), Reading.withdrawn_at.is_(None))


@cache
def is_last_word() -> ColumnElement[bool]:
    """Return the condition that no correction stands in a reading's place, whether it counts."""
    correction = aliased(Reading)
    return ~exists().where(correction.supersedes_id == Reading.id)


def firsts(session: Session, patient_ids: Sequence[int]) -> dict[int, int]:
    """Return for the id of each correction of these patients that of the reading it began with."""
    earlier = aliased(Reading)
    rows = session.execute(
        select(Reading.id, earlier.id)
        .join(earlier, earlier.id == Reading.supersedes_id)
        .where(among(Reading.patient_id, patient_ids))
        .order_by(Reading.id)
    )
    first: dict[int, int] = {}
    for reading_id, earlier_id in rows:  # whatever is corrected was stored before
        first[reading_id] = first.get(earlier_id, earlier_id)
    return first


def same_as(session: Session, patient_id: int, reading_id: int) -> frozenset[int]:
    """Return a reading's number, and those of all that it corrects or that correct it."""
    first = firsts(session, [patient_id])
    began = first.get(reading_id, reading_id)
    return frozenset({began, *(each for each, from_id in first.items() if from_id == began)})


def since(
    session: Session, patient_id: int, kinds: Collection[MeasureKind], *, at: datetime
) -> Sequence[Reading]:
    """Return the readings of ``kinds`` that count and were taken from ``at`` on, in order."""
    return session.scalars(*_since(patient_id, list(kinds), at)).all()


@built_once
def _since(patient_id: Any, kinds: Any, at: Any) -> Select[Reading]:
    return (
        select(Reading)
        .where(
            Reading.patient_id == patient_id,
            Reading.kind.in_(kinds),
            Reading.taken_at >= at,
            is_current(),
        )
        .order_by(Reading.taken_at, Reading.id)
    )


def latest(session: Session, patient_id: int, kinds: Sequence[MeasureKind]) -> list[Reading]:
    """Return the newest reading that counts, for each of ``kinds``, as listed."""
    found = {reading.kind: reading for reading in session.scalars(*_latest(patient_id, kinds))}
    return [found[kind] for kind in kinds if kind in found]


@built_once
def _latest(patient_id: Any, kinds: Any) -> Select[Reading]:
    return (
        select(Reading)
        .join(LatestReading, LatestReading.reading_id == Reading.id)
        .where(LatestReading.patient_id == patient_id, LatestReading.kind.in_(kinds))
    )
