"""Asking one person once a month, and what they alone see."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import delete, exists, select
from sqlalchemy.orm import Session

from outreach.orm import insert_new
from outreach.pulse.models import PulseAnswer
from outreach.pulse.rules import MONTHS_SHOWN


@dataclass(frozen=True)
class Answered:
    """One month of one person; ``answer`` is None where they did not want to."""

    month: date
    answer: int | None


def waits(session: Session, staff_id: int, month: date) -> bool:
    """Say whether this month's question is still to be put to this person."""
    told = exists().where(PulseAnswer.staff_id == staff_id, PulseAnswer.month == month)
    return not session.scalar(select(told))


def keep(
    session: Session, staff_id: int, month: date, answer: int | None, *, now: datetime
) -> None:
    """Keep the answer of a month, instead of an earlier one. Does not commit.

    None, that somebody does not want to answer, takes back nothing that they did.
    """
    told = str(answer) if answer is not None else None
    is_new = insert_new(
        session,
        PulseAnswer,
        [{"staff_id": staff_id, "month": month, "answer": told, "answered_at": now}],
    )
    if is_new or told is None:
        return
    kept = session.scalars(
        select(PulseAnswer)
        .where(PulseAnswer.staff_id == staff_id, PulseAnswer.month == month)
        .with_for_update()
    ).one()
    kept.answer, kept.answered_at = told, now


def own(session: Session, staff_id: int) -> Sequence[Answered]:
    """Return one person's own months, the latest first."""
    rows = session.execute(
        select(PulseAnswer.month, PulseAnswer.answer)
        .where(PulseAnswer.staff_id == staff_id)
        .order_by(PulseAnswer.month.desc())
        .limit(MONTHS_SHOWN)
    )
    return [Answered(month, int(answer) if answer else None) for month, answer in rows]


def forget(session: Session, *, before: date) -> int:
    """Delete what was answered in the months before ``before``; return how many."""
    gone = delete(PulseAnswer).where(PulseAnswer.month < before).returning(PulseAnswer.id)
    return len(session.scalars(gone).all())
