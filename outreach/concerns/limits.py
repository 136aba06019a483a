"""Limits of a patient's own: set by a nurse with a reason, kept as history, asked for by day."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session, joinedload

from outreach import absent
from outreach.audit import trail
from outreach.built_once import built_once
from outreach.concerns.models import OwnLimits
from outreach.concerns.rules import Limits, LimitTrouble, limited_kind, trouble_with
from outreach.errors import RuleBroken, Stale
from outreach.measures.rules import REGISTRY, MeasureKind
from outreach.orm import insert_new
from outreach.patients.models import Patient


class LimitsRefused(RuleBroken):
    """These limits can't be kept; ``trouble`` says why."""

    def __init__(self, trouble: LimitTrouble) -> None:
        super().__init__(f"These limits can't be kept: {trouble.value}.")
        self.trouble = trouble


class LimitsMoved(Stale):
    """Somebody else set the limits of this measure meanwhile."""


@dataclass(frozen=True)
class NewLimits:
    """What a nurse sets; ``low`` and ``high`` are in ``unit``, and both None take them away.

    ``seen``: the number of the setting that stood on the page, 0 where there was none.
    """

    kind: MeasureKind
    low: Decimal | None
    high: Decimal | None
    unit: str
    reason: str
    until_on: date | None
    seen: int

    @property
    def canonical(self) -> Limits:
        """The limits in the canonical unit."""
        low, high = (
            None if each is None else REGISTRY[self.kind].in_canonical_unit(each, self.unit)
            for each in (self.low, self.high)
        )
        return Limits(low, high)


def put(
    session: Session, patient: Patient, new: NewLimits, *, by_staff_id: int, now: datetime
) -> None:
    """Set the limits of one measure. Does not commit.

    Raises:
        LimitsRefused: they say nothing, contradict each other, or would hide a danger.
        LimitsMoved: somebody else set them meanwhile; nothing is changed.
    """
    trouble = trouble_with(new.kind, new.canonical)
    if trouble is not None:
        raise LimitsRefused(trouble)
    _keep(session, patient, new, "set own limits", by_staff_id=by_staff_id, now=now)


def take_away(
    session: Session,
    patient: Patient,
    kind: MeasureKind,
    reason: str,
    *,
    seen: int,
    by_staff_id: int,
    now: datetime,
) -> None:
    """Let what is published hold again for one measure. Does not commit. Raises LimitsMoved."""
    none = NewLimits(kind, None, None, REGISTRY[kind].unit, reason, None, seen)
    _keep(session, patient, none, "took away own limits", by_staff_id=by_staff_id, now=now)


def in_force(
    session: Session, patient_id: int, kind: MeasureKind, *, today: date
) -> OwnLimits | None:
    """Return the limits that hold for readings of ``kind`` on the clinic's ``today``."""
    kept_as = limited_kind(kind)
    if kept_as is None or absent.is_known(session, OwnLimits.patient_id, patient_id):
        return None
    newest = session.scalar(*_newest_of(patient_id, kept_as))
    return newest if newest is not None and newest.holds_on(today) else None


@built_once
def _newest_of(patient_id: Any, kind: Any) -> Select[OwnLimits]:
    return (
        select(OwnLimits)
        .options(joinedload(OwnLimits.by))
        .where(OwnLimits.patient_id == patient_id, OwnLimits.kind == kind)
        .order_by(OwnLimits.number.desc())
        .limit(1)
    )


def of_patient(
    session: Session, patient_id: int, *, today: date
) -> Mapping[MeasureKind, OwnLimits]:
    """Return all limits that hold for a patient on the clinic's ``today``, by measure."""
    newest = _newest(history(session, patient_id))
    return {kind: each for kind, each in newest.items() if each.holds_on(today)}


def numbers(session: Session, patient_id: int) -> Mapping[MeasureKind, int]:
    """Return the number of the newest setting of each measure that has one."""
    rows = session.execute(
        select(OwnLimits.kind, func.max(OwnLimits.number))
        .where(OwnLimits.patient_id == patient_id)
        .group_by(OwnLimits.kind)
        .order_by(OwnLimits.kind)
    )
    return {row[0]: row[1] for row in rows}


def history(session: Session, patient_id: int) -> Sequence[OwnLimits]:
    """Return every setting of a patient's limits, newest first, with who set it."""
    if absent.is_known(session, OwnLimits.patient_id, patient_id):
        return ()
    return session.scalars(*_history(patient_id)).all()


@built_once
def _history(patient_id: Any) -> Select[OwnLimits]:
    return (
        select(OwnLimits)
        .options(joinedload(OwnLimits.by))
        .where(OwnLimits.patient_id == patient_id)
        .order_by(OwnLimits.id.desc())
    )


def _newest(settings: Sequence[OwnLimits]) -> dict[MeasureKind, OwnLimits]:
    found: dict[MeasureKind, OwnLimits] = {}
    for each in settings:
        found.setdefault(each.kind, each)
    return found


def _keep(
    session: Session,
    patient: Patient,
    new: NewLimits,
    action: str,
    *,
    by_staff_id: int,
    now: datetime,
) -> None:
    row = {
        "clinic_id": patient.clinic_id,
        "patient_id": patient.id,
        "kind": new.kind,
        "number": new.seen + 1,
        "low": new.canonical.low,
        "high": new.canonical.high,
        "unit": new.unit,
        "reason": new.reason.strip(),
        "until_on": new.until_on,
        "at": now,
        "by_staff_id": by_staff_id,
    }
    if not insert_new(session, OwnLimits, [row]):
        raise LimitsMoved("Somebody else set these limits meanwhile. Look at them again.")
    trail.record(
        session,
        action,
        actor_id=by_staff_id,
        now=now,
        clinic_id=patient.clinic_id,
        patient_id=patient.id,
        about=("patient", patient.id),
    )
