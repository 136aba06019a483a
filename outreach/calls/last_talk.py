"""Keeping when somebody last talked with each patient, beside all attempts.

An attempt written through the session is followed by itself, whoever writes it, in the same
transaction; those who let one count no more call :func:`find_again`.
"""

from typing import Any

from sqlalchemy import Connection, Select, and_, event
from sqlalchemy.orm import Mapper, Session

from outreach.calls.models import Attempt, LastTalk
from outreach.calls.rules import REACHED
from outreach.last_of_each import LastOfEach

_LAST = LastOfEach(
    Attempt,
    LastTalk,
    of=("patient_id",),
    row_id="attempt_id",
    instant="at",
    counts=lambda: and_(Attempt.outcome.in_(REACHED), Attempt.superseded_at.is_(None)),
)


def find_again(session: Session, patient_id: int) -> None:
    """Look through a patient's attempts, where one counts no more. Does not commit."""
    _LAST.find_again(session.connection(), patient_id=[patient_id])


def rebuild(session: Session) -> int:
    """Make all of it anew from the attempts; return how many rows. Does not commit."""
    return _LAST.rebuild(session)


def differing() -> Select[int]:
    """Select the ids of attempts that are the last talk but not kept so, or the other way."""
    return _LAST.differing()


def _follow_one(_mapper: Mapper[Any], connection: Connection, attempt: Attempt) -> None:
    if attempt.outcome.is_reached and attempt.superseded_at is None:
        row = {name: getattr(attempt, name) for name in ("patient_id", "clinic_id", "at")}
        _LAST.keep(connection, row | {"attempt_id": attempt.id})


event.listen(Attempt, "after_insert", _follow_one)
