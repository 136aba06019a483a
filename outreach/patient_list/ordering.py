"""The order of the list, and where in it to go on: by keys, never by counting rows.

Names and record numbers are encrypted, and sorted by in ``by_name``.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import ColumnElement, and_, func, or_, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from outreach.accounts.rules import Scope
from outreach.accounts.scoping import visible
from outreach.measures.models import LatestReading
from outreach.measures.rules import MeasureKind
from outreach.patient_list.rules import Sort, Wanted
from outreach.patient_list.selecting import last_reached_at, latest, latest_enrolment
from outreach.patients.models import Patient
from outreach.planning.models import PlannedCall
from outreach.programmes.models import Enrolment

_FIRST = datetime(1900, 1, 1, tzinfo=UTC)
_LAST = datetime(2999, 12, 31, tzinfo=UTC)


@dataclass(frozen=True)
class Key:
    """Something to sort by, never NULL; ``is_falling``: the greatest comes first."""

    value: ColumnElement[Any] | InstrumentedAttribute[Any]
    is_falling: bool = False

    def turned(self) -> "Key":
        """Return this key the other way round."""
        return Key(self.value, not self.is_falling)

    @property
    def clause(self) -> ColumnElement[Any]:
        """The key for ORDER BY."""
        return self.value.desc() if self.is_falling else self.value.asc()

    def is_past(self, mark: Any, *, or_at: bool = False) -> ColumnElement[bool]:
        """Return that a row comes later than ``mark``."""
        if or_at:
            return self.value <= mark if self.is_falling else self.value >= mark
        return self.value < mark if self.is_falling else self.value > mark


@dataclass(frozen=True)
class Cursor:
    """Go on behind the patient with ``ref``, or with ``is_before`` end in front of them."""

    ref: str
    is_before: bool = False


def keys(wanted: Wanted) -> list[Key]:
    """Return the keys of an order, the last of them unique.

    Who has no value comes last, whichever way the list is turned; only who was never reached
    comes before all who were.
    """
    turn = wanted.is_backwards
    last = Key(Patient.id, is_falling=turn)
    match wanted.sort:
        case Sort.HBA1C:
            value = latest(LatestReading.value, MeasureKind.HBA1C)
            return [_or_last(value, (Decimal(-1), Decimal(1000)), is_falling=not turn), last]
        case Sort.REACHED:
            return [Key(func.coalesce(last_reached_at(), _FIRST), turn), last]
        case Sort.NEXT_CALL:
            return [_or_last(_next_call_at(), (_FIRST, _LAST), is_falling=turn), last]
        case Sort.ENROLLED:
            ends = (date.min, date.max)
            return [_or_last(_starts_on(), ends, is_falling=not turn), last]
        case encrypted:
            raise ValueError(f"{encrypted} has no keys in SQL.")


def order(sorted_by: Sequence[Key]) -> list[ColumnElement[Any]]:
    """Return the keys for ORDER BY."""
    return [key.clause for key in sorted_by]


def past(
    session: Session, scope: Scope, sorted_by: Sequence[Key], ref: str
) -> list[ColumnElement[bool]]:
    """Return the conditions that a patient comes later than the one with ``ref``.

    Nothing, which is the beginning, where they are not in scope (any more).
    """
    marks = session.execute(
        select(*(key.value for key in sorted_by)).where(
            Patient.ref == ref, visible(scope, Patient.clinic_id, Patient.id)
        )
    ).one_or_none()
    if marks is None:
        return []
    pairs = list(zip(sorted_by, marks, strict=True))
    steps = [
        and_(*(key.value == mark for key, mark in pairs[:place]), key.is_past(mark))
        for place, (key, mark) in enumerate(pairs)
    ]
    # The first key alone is what an index can begin from.
    return [pairs[0][0].is_past(pairs[0][1], or_at=True), or_(*steps)]


def visible_id(session: Session, scope: Scope, ref: str) -> int | None:
    """Return the patient with ``ref``, None where they are not in scope (any more)."""
    return session.scalar(
        select(Patient.id).where(Patient.ref == ref, visible(scope, Patient.clinic_id, Patient.id))
    )


def _or_last(value: ColumnElement[Any], ends: tuple[Any, Any], *, is_falling: bool) -> Key:
    """Return a key that stands behind all others where there is no value.

    One expression: each that reads a history is read once a patient.
    """
    least, most = ends
    return Key(func.coalesce(value, least if is_falling else most), is_falling)


def _next_call_at() -> ColumnElement[Any]:
    return (
        select(PlannedCall.dial_from_at)
        .where(PlannedCall.patient_id == Patient.id, PlannedCall.is_open)
        .limit(1)
        .correlate(Patient)
        .scalar_subquery()
    )


def _starts_on() -> ColumnElement[Any]:
    return (
        select(Enrolment.starts_on)
        .where(Enrolment.id == latest_enrolment())
        .correlate(Patient)
        .scalar_subquery()
    )
