"""What a clinic aims for: setting a target, and reading those that hold."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from sqlalchemy import func, select
from sqlalchemy.orm import Session, joinedload

from outreach.accounts.models import Clinic
from outreach.errors import RuleBroken
from outreach.orm import insert_new
from outreach.reports.models import Target
from outreach.reports.rules.tally import Measure

# Rates of which more is better, so that "at least" is what a target means.
AIMED_AT = (
    Measure.COMPLETION,
    Measure.PROTOCOL,
    Measure.REACH_PER_PATIENT,
    Measure.REACH_PER_DIAL,
    Measure.FIRST_CALL,
    Measure.CONTINUITY,
)


class SetMeanwhile(RuleBroken):
    """Somebody else set this target after it was looked at."""


@dataclass(frozen=True)
class Aim:
    """What is aimed for: ``share`` as a proportion, None to aim for nothing."""

    share: Decimal | None
    plan: str
    due_on: date | None


def newest(
    session: Session, clinic_id: int, *, at: datetime | None = None
) -> Mapping[Measure, Target]:
    """Return the newest target of each measure, given up ones too. One statement.

    ``at``: those that had been set by then.
    """
    last = select(func.max(Target.id)).where(Target.clinic_id == clinic_id).group_by(Target.measure)
    if at is not None:
        last = last.where(Target.at <= at)
    rows = session.scalars(select(Target).where(Target.id.in_(last)).options(joinedload(Target.by)))
    return {Measure[each.measure.upper()]: each for each in rows}


def holding(
    session: Session, clinic_id: int, *, at: datetime | None = None
) -> Mapping[Measure, Target]:
    """Return the targets that a clinic aims for, or aimed for at an instant, by measure."""
    found = newest(session, clinic_id, at=at)
    return {
        measure: found[measure]
        for measure in AIMED_AT
        if measure in found and found[measure].share is not None
    }


def set_target(
    session: Session,
    clinic: Clinic,
    measure: Measure,
    aim: Aim,
    *,
    seen_number: int,
    by_staff_id: int,
    now: datetime,
) -> bool:
    """Aim for something else from now on. Does not commit.

    Args:
        session: the open session.
        clinic: whose target it is.
        measure: one of AIMED_AT.
        aim: what is aimed for.
        seen_number: the number of the target that the writer saw, 0 where there was none.
        by_staff_id: who sets it.
        now: aware instant.

    Returns:
        Whether anything changed: the same target set twice is one.

    Raises:
        SetMeanwhile: somebody else set it after ``seen_number``.
    """
    current = newest(session, clinic.id).get(measure)
    if current is not None and Aim(current.share, current.plan, current.due_on) == aim:
        return False
    row = {
        "clinic_id": clinic.id,
        "measure": measure.name.lower(),
        "number": seen_number + 1,
        "share": aim.share,
        "plan": aim.plan,
        "due_on": aim.due_on,
        "by_staff_id": by_staff_id,
        "at": now,
    }
    is_newest = (current.number if current else 0) == seen_number
    if not is_newest or not insert_new(session, Target, [row]):
        raise SetMeanwhile("Somebody else set this target meanwhile.")
    return True
