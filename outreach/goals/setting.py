"""Setting goals, ending them, and noting how they go."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, exists, func, or_, select, update
from sqlalchemy.orm import Session

from outreach import absent
from outreach.built_once import built_once
from outreach.errors import NotFound, RuleBroken
from outreach.goals.models import Goal, GoalNews
from outreach.goals.rules import GoalArea, GoalEnding
from outreach.orm import Model, rows_of
from outreach.patients.models import Patient


class NoSuchGoal(NotFound):
    """It is not a goal of this patient, or has ended."""


class NothingWanted(RuleBroken):
    """A goal needs words."""


@dataclass(frozen=True)
class Pursued:
    """A goal and the last that was told of it; ``ending`` of one that just ended."""

    id: int
    area: GoalArea
    text: str
    set_at: datetime
    news: str | None
    news_at: datetime | None
    ending: GoalEnding | None = None


def set_goal(
    session: Session,
    patient: Patient,
    area: GoalArea,
    text: str,
    *,
    by_staff_id: int,
    now: datetime,
) -> Goal:
    """Add a goal. The same words twice, as by a double click, are one. Does not commit."""
    words = text.strip()
    if not words:
        raise NothingWanted("Write what the patient wants.")
    own = select(Patient.id).where(Patient.id == patient.id)
    session.execute(own.with_for_update(key_share=True))
    pursued = session.scalars(
        select(Goal).where(
            Goal.patient_id == patient.id, Goal.area == area, Goal.ended_at.is_(None)
        )
    )
    known = next((goal for goal in pursued if goal.text == words), None)
    if known is not None:
        return known
    goal = Goal(
        clinic_id=patient.clinic_id,
        patient_id=patient.id,
        area=area,
        text=words,
        set_at=now,
        set_by_id=by_staff_id,
    )
    session.add(goal)
    session.flush()
    return goal


def end_goal(
    session: Session,
    patient: Patient,
    goal_id: int,
    ending: GoalEnding,
    *,
    by_staff_id: int,
    now: datetime,
) -> None:
    """End an open goal; it stays in the history. Does not commit. Raises NoSuchGoal."""
    ended = {"ended_at": now, "ended_by_id": by_staff_id, "ending": ending}
    _change(session, patient, goal_id, Goal.ended_at.is_(None), ended)


def take_up(session: Session, patient: Patient, goal_id: int) -> None:
    """Take up a goal again that had ended. Does not commit. Raises NoSuchGoal."""
    still_open = {"ended_at": None, "ended_by_id": None, "ending": None}
    _change(session, patient, goal_id, Goal.ended_at.is_not(None), still_open)


def _change(
    session: Session,
    patient: Patient,
    goal_id: int,
    is_as_shown: ColumnElement[bool],
    values: Mapping[str, Any],
) -> None:
    """Change a goal of a patient that is as its page showed it; else there is no such goal."""
    changed = session.scalar(
        update(Goal)
        .where(Goal.id == goal_id, Goal.patient_id == patient.id, is_as_shown)
        .values(values)
        .returning(Goal.id)
        .execution_options(synchronize_session=False)
    )
    if changed is None:
        raise NoSuchGoal("There is no such goal.")


def note_news(
    session: Session,
    patient_id: int,
    news: Mapping[int, str],
    *,
    attempt_id: int,
    by_staff_id: int,
    now: datetime,
) -> None:
    """Keep what was told of goals on one call: goal id to words. Does not commit.

    What is no goal of this patient is left out. A goal that ended while the caller typed
    keeps its news.
    """
    owned = session.execute(
        select(Goal.id, Goal.clinic_id).where(Goal.patient_id == patient_id, Goal.id.in_(news))
    ).all()
    session.add_all(
        GoalNews(
            clinic_id=clinic_id,
            patient_id=patient_id,
            goal_id=goal_id,
            attempt_id=attempt_id,
            by_staff_id=by_staff_id,
            text=news[goal_id],
            at=now,
        )
        for goal_id, clinic_id in owned
    )


def open_of(
    session: Session, patient_id: int, *, or_ended_after: datetime | None = None
) -> Sequence[Pursued]:
    """Return the open goals of a patient, oldest first, each with its latest news.

    Not what was told on a call that was taken back: it may have been somebody else's.

    Args:
        or_ended_after: those that ended since then are told too.
    """
    if absent.is_known(session, Goal.patient_id, patient_id):
        return ()
    # Nothing ends after the last moment there is.
    ended_after = or_ended_after or datetime.max.replace(tzinfo=UTC)
    return [Pursued(*row) for row in rows_of(session, *_pursued(patient_id, ended_after))]


@built_once
def _pursued(patient_id: Any, ended_after: Any) -> Select[*tuple[Any, ...]]:
    # The table lies in a package above this one: named, not imported, as a foreign key is.
    correction = Model.metadata.tables["attempt_correction"]
    is_taken_back = exists().where(
        correction.c.attempt_id == GoalNews.attempt_id, correction.c.replaced_by_id.is_(None)
    )
    latest = (
        select(GoalNews.goal_id, func.max(GoalNews.id).label("id"))
        .where(GoalNews.patient_id == patient_id, ~is_taken_back)
        .group_by(GoalNews.goal_id)
        .subquery()
    )
    return (
        select(Goal.id, Goal.area, Goal.text, Goal.set_at, GoalNews.text, GoalNews.at, Goal.ending)
        .outerjoin(latest, latest.c.goal_id == Goal.id)
        .outerjoin(GoalNews, GoalNews.id == latest.c.id)
        .where(
            Goal.patient_id == patient_id,
            or_(Goal.ended_at.is_(None), Goal.ended_at > ended_after),
        )
        .order_by(Goal.id)
    )


def ended_of(session: Session, patient_id: int) -> Sequence[Goal]:
    """Return the goals of a patient that ended, the latest first."""
    return session.scalars(
        select(Goal)
        .where(Goal.patient_id == patient_id, Goal.ended_at.is_not(None))
        .order_by(Goal.ended_at.desc(), Goal.id.desc())
    ).all()
