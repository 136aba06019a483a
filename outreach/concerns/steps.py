"""What was said and done about concerns: their steps, read."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Select, select
from sqlalchemy.orm import Session, joinedload

from outreach import absent
from outreach.built_once import built_once
from outreach.concerns.models import Concern, ConcernStep
from outreach.concerns.rules import StepKind

# What a caller reads of a nurse's work on a concern.
NURSES_STEPS = (StepKind.NOTED, StepKind.CLOSED, StepKind.REOPENED)


def first_words(session: Session, concerns: Sequence[Concern]) -> dict[int, str]:
    """Return what each concern was raised with: the value, or the caller's own words."""
    rows = session.execute(
        select(ConcernStep.concern_id, ConcernStep.note)
        .where(
            ConcernStep.concern_id.in_([concern.id for concern in concerns]),
            ConcernStep.kind == StepKind.RAISED,
        )
        .order_by(ConcernStep.id)
    ).all()
    return {row.concern_id: row.note for row in rows}


def nurses_words(session: Session, patient_id: int, *, since: datetime) -> Sequence[ConcernStep]:
    """Return what nurses wrote about a patient's concerns since then, newest first.

    Why a second person opened one again is among it: whoever calls next should know.
    """
    if absent.is_known(session, Concern.patient_id, patient_id):
        return ()
    return [step for step in session.scalars(*_nurses_steps(patient_id, since)) if step.note]


@built_once
def _nurses_steps(patient_id: Any, since: Any) -> Select[ConcernStep]:
    return (
        select(ConcernStep)
        .join(Concern, Concern.id == ConcernStep.concern_id)
        .options(joinedload(ConcernStep.by))
        .where(
            Concern.patient_id == patient_id,
            ConcernStep.kind.in_(NURSES_STEPS),
            ConcernStep.at >= since,
        )
        .order_by(ConcernStep.at.desc(), ConcernStep.id.desc())
    )


def of(session: Session, concern_id: int) -> Sequence[ConcernStep]:
    """Return what happened to a concern, in order, with who did it."""
    return session.scalars(
        select(ConcernStep)
        .options(joinedload(ConcernStep.by))
        .where(ConcernStep.concern_id == concern_id)
        .order_by(ConcernStep.id)
    ).all()
