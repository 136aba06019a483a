"""Keeping each patient's last reading of a kind that counts, beside their history.

A reading written through the session is followed by itself, whoever writes it, in the same
transaction; those who insert by the thousand call :func:`follow`, those who let a reading count
no more :func:`find_again`.
"""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Select, event, update
from sqlalchemy.orm import Mapper, Session

from outreach.among import among
from outreach.last_of_each import LastOfEach
from outreach.measures.models import LatestReading, Reading
from outreach.measures.readings import is_current
from outreach.measures.rules import MeasureKind

_NEWEST = LastOfEach(
    Reading,
    LatestReading,
    of=("patient_id", "kind"),
    row_id="reading_id",
    instant="taken_at",
    counts=is_current,
    copied=("value",),
)


def follow(session: Session, patient_ids: Sequence[int]) -> None:
    """Take up readings of ``patient_ids`` that were inserted past the session. Does not commit."""
    theirs = among(Reading.patient_id, sorted(patient_ids))
    _NEWEST.keep(session.connection(), _NEWEST.last(theirs))


def find_again(session: Session, patient_id: int, kinds: Collection[MeasureKind]) -> None:
    """Look through a patient's history, where a reading counts no more. Does not commit."""
    _NEWEST.find_again(session.connection(), patient_id=[patient_id], kind=kinds)


def withdraw(session: Session, attempt_id: int, *, now: datetime) -> None:
    """Let the readings of an attempt that was taken back count no more. Does not commit."""
    withdrawn = session.execute(
        update(Reading)
        .where(Reading.attempt_id == attempt_id, Reading.withdrawn_at.is_(None))
        .values(withdrawn_at=now)
        .returning(Reading.patient_id, Reading.kind)
    ).all()
    for patient_id in {row.patient_id for row in withdrawn}:
        find_again(session, patient_id, {row.kind for row in withdrawn})


def rebuild(session: Session) -> int:
    """Make all of it anew from the readings; return how many rows. Does not commit."""
    return _NEWEST.rebuild(session)


def differing() -> Select[int]:
    """Select the ids of readings that are the last but not kept so, or kept and not the last."""
    return _NEWEST.differing()


def _follow_one(_mapper: Mapper[Any], connection: Connection, reading: Reading) -> None:
    if reading.is_void or reading.withdrawn_at or reading.supersedes_id:
        _NEWEST.find_again(connection, patient_id=[reading.patient_id], kind=[reading.kind])
        return
    row = {
        name: getattr(reading, name)
        for name in ("patient_id", "kind", "clinic_id", "value", "taken_at")
    }
    _NEWEST.keep(connection, row | {"reading_id": reading.id})


event.listen(Reading, "after_insert", _follow_one)
