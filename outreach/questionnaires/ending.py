"""Ending what was begun and left: kept as it stood, scored, and told. Nothing given is lost."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from outreach.clock import local_day
from outreach.patients.models import Patient
from outreach.questionnaires import asking
from outreach.questionnaires.asking import RESUMED_WITHIN, Answered
from outreach.questionnaires.models import BegunQuestionnaire
from outreach.questionnaires.rules import INSTRUMENTS, InstrumentCode, first_open

# What was asked to its end waits for "Score it", or for its call to be saved. A last answer may
# come after that: nobody presses anything any more.
SCORED_AFTER = timedelta(hours=1)


def left_ids(session: Session, *, now: datetime, limit: int) -> Sequence[int]:
    """Return what was begun and left: whole ones after an hour, any after a day."""
    rows = session.scalars(
        select(BegunQuestionnaire)
        .where(BegunQuestionnaire.at < now - SCORED_AFTER)
        .order_by(BegunQuestionnaire.at, BegunQuestionnaire.id)
    )
    return [row.id for row in rows if _is_left(row, now=now)][:limit]


def end_left(session: Session, row_id: int, *, now: datetime) -> bool:
    """Keep what was begun and left, unless somebody went on with it. Does not commit."""
    row = session.scalar(
        select(BegunQuestionnaire).where(BegunQuestionnaire.id == row_id).with_for_update()
    )
    if row is None or not _is_left(row, now=now):
        return False
    end(session, session.get_one(Patient, row.patient_id), row, now=now)
    return True


def end(
    session: Session,
    patient: Patient,
    row: BegunQuestionnaire,
    *,
    is_asked_anew: bool = False,
    now: datetime,
) -> None:
    """Keep what was begun as it stood, and tell a nurse where it asks for one. No commit.

    Where it ``is_asked_anew``, nobody is told of items without an answer.
    """
    kept = asking.store(session, patient, row, actor_id=None, taken_at=row.at, now=now)
    if not asking.is_told(row) and (kept.score is not None or not is_asked_anew):
        answered = Answered(row.code, row.given, row.form_key, added=_when(row, patient))
        asking.tell_nurse(session, patient, answered, by_staff_id=None, now=now)
    session.delete(row)
    session.flush()


def end_expired(session: Session, patient: Patient, code: InstrumentCode, *, now: datetime) -> None:
    """End what was begun too long ago to go on with: it is about to be asked anew. No commit."""
    row = session.scalar(
        select(BegunQuestionnaire)
        .where(
            BegunQuestionnaire.patient_id == patient.id,
            BegunQuestionnaire.code == code,
            BegunQuestionnaire.at < now - RESUMED_WITHIN,
        )
        .with_for_update()
    )
    if row is not None:
        end(session, patient, row, is_asked_anew=True, now=now)


def _is_left(row: BegunQuestionnaire, *, now: datetime) -> bool:
    is_whole = first_open(INSTRUMENTS[row.code], {*row.given, *row.why_skipped}) is None
    return row.at < now - (SCORED_AFTER if is_whole else RESUMED_WITHIN)


def _when(row: BegunQuestionnaire, patient: Patient) -> str:
    return f"Asked on {local_day(row.at, ZoneInfo(patient.zone)):%Y-%m-%d}, scored later."
