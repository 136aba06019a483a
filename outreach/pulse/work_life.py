"""The ProQOL: thirty questions on one's working life, once a quarter, for oneself alone.

Nobody else sees an answer, a score or a group of them, and nothing counts who answered. It is
there once an administrator has stated that it may be used, in the words of its owner.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import Select, delete, select
from sqlalchemy.orm import Session

from outreach.errors import NotFound
from outreach.orm import insert_new
from outreach.pulse.models import WorkLifeAnswer
from outreach.questionnaires import licences
from outreach.questionnaires.models import by_text
from outreach.questionnaires.rules import (
    INSTRUMENTS,
    Instrument,
    InstrumentCode,
    PartScore,
    part_scores,
)

MOST_SHOWN = 5  # quarters: as long as answers are kept


class NotPermitted(NotFound):
    """Nobody has stated that the questionnaire may be used."""


@dataclass(frozen=True)
class Quarter:
    """One quarter of one person."""

    first_day: date
    parts: Sequence[PartScore]


def instrument(session: Session) -> Instrument:
    """Return the questionnaire in the words of its owner, or raise NotPermitted."""
    found = licences.for_staff(session, InstrumentCode.PROQOL)
    if found is None:
        raise NotPermitted("There is no such questionnaire.")
    return found


def is_permitted(session: Session) -> bool:
    """Say whether it may be answered."""
    return licences.for_staff(session, InstrumentCode.PROQOL) is not None


def keep(
    session: Session, staff_id: int, quarter: date, answers: Mapping[int, int], *, now: datetime
) -> None:
    """Keep the answers of a quarter, instead of earlier ones. Does not commit."""
    told = by_text(answers)
    new = {"staff_id": staff_id, "quarter": quarter, "answers": told, "answered_at": now}
    if insert_new(session, WorkLifeAnswer, [new]):
        return
    kept = session.scalars(_of(staff_id, quarter).with_for_update()).one()
    kept.answers, kept.answered_at = told, now


def answered(session: Session, staff_id: int, quarter: date) -> Mapping[int, int]:
    """Return what somebody answered in a quarter."""
    kept = session.scalar(_of(staff_id, quarter))
    return kept.given if kept is not None else {}


def own(session: Session, staff_id: int) -> Sequence[Quarter]:
    """Return one person's own quarters with their scores, the latest first."""
    rows = session.scalars(
        select(WorkLifeAnswer)
        .where(WorkLifeAnswer.staff_id == staff_id)
        .order_by(WorkLifeAnswer.quarter.desc())
        .limit(MOST_SHOWN)
    )
    scale = INSTRUMENTS[InstrumentCode.PROQOL]
    return [Quarter(row.quarter, part_scores(scale, row.given)) for row in rows]


def forget(session: Session, *, before: date) -> int:
    """Delete what was answered in the quarters before ``before``; return how many."""
    gone = delete(WorkLifeAnswer).where(WorkLifeAnswer.quarter < before)
    return len(session.scalars(gone.returning(WorkLifeAnswer.id)).all())


def _of(staff_id: int, quarter: date) -> Select[WorkLifeAnswer]:
    return select(WorkLifeAnswer).where(
        WorkLifeAnswer.staff_id == staff_id, WorkLifeAnswer.quarter == quarter
    )
