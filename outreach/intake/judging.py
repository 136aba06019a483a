"""What came by a file is judged as what is said on a call: by its own time.

A value of today asks for a nurse now, one of the last days is a task, and one from before
that is history: bringing in a patient's past alerts nobody.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from outreach.among import among
from outreach.concerns.models import OwnLimits
from outreach.concerns.rules import limited_kind, trigger_of
from outreach.measures.models import Reading
from outreach.patients.models import Patient
from outreach.results import entering

# What is older tells a nurse nothing to act on: the time that lows are counted over.
JUDGED_FOR = timedelta(days=14)
NOTE = "From an imported file."


def judge(
    session: Session,
    rows: Sequence[Mapping[str, Any]],
    *,
    by_staff_id: int | None,
    now: datetime,
) -> int:
    """Raise what readings ask for that were just stored; return how many concerns.

    ``rows`` are their columns. A reading is stored once, however often its file is brought
    in, so it is told once. Does not commit.
    """
    recent = [
        row for row in rows if now - row["taken_at"] <= JUDGED_FOR and limited_kind(row["kind"])
    ]
    limited = _with_own_limits(session, [row["patient_id"] for row in recent])
    worth = [row for row in recent if row["patient_id"] in limited or _asks(row, now)]
    found: dict[int, list[entering.Judged]] = defaultdict(list)
    for reading in _stored(session, worth):
        judged = entering.judge(session, reading, now=now)
        if judged is not None:
            found[reading.patient_id].append(judged)
    return sum(
        entering.raise_worst(
            session,
            session.get_one(Patient, patient_id),
            judged,
            note=NOTE,
            by_staff_id=by_staff_id,
            now=now,
        )
        for patient_id, judged in found.items()
    )


def _asks(row: Mapping[str, Any], now: datetime) -> bool:
    """Say whether a value asks for anything by itself: earlier ones only make it press more."""
    return trigger_of(row["kind"], row["value"], taken_at=row["taken_at"], now=now) is not None


def _with_own_limits(session: Session, patient_ids: Sequence[int]) -> set[int]:
    if not patient_ids:
        return set()
    kept = select(OwnLimits.patient_id).where(among(OwnLimits.patient_id, patient_ids)).distinct()
    return set(session.scalars(kept.order_by(OwnLimits.patient_id)))


def _stored(session: Session, rows: Sequence[Mapping[str, Any]]) -> Sequence[Reading]:
    """Return the readings of ``rows`` as stored, in the order in which they were taken."""
    if not rows:
        return ()
    wanted = {(row["patient_id"], row["external_key"]) for row in rows}
    stored = session.scalars(
        select(Reading)
        .where(
            among(Reading.patient_id, [row["patient_id"] for row in rows]),
            Reading.external_key.in_([row["external_key"] for row in rows]),
        )
        .order_by(Reading.taken_at, Reading.id)
    )
    return [each for each in stored if (each.patient_id, each.external_key) in wanted]
