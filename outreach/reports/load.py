"""How the team is: what weighs on each caller, in the days of a report."""

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from outreach.concerns.models import Concern, ConcernStep
from outreach.reports import rolled
from outreach.reports.asked import Asked
from outreach.reports.concerns_met import is_raised
from outreach.reports.rules.load import Load, longest_run, longest_stretch


@dataclass(frozen=True)
class DayOnPhone:
    """A day on which somebody dialled; ``is_in``: of their longest stretch of such days."""

    day: date
    dials: int
    reached: int
    is_in: bool


def days_of(session: Session, asked: Asked, caller_id: int) -> list[DayOnPhone]:
    """Return the days of the period on which a caller dialled, the newest first."""
    found = rolled.days_dialled_by(session, asked, caller_id)
    stretch = longest_stretch(found)
    return [
        DayOnPhone(day, dials, reached, stretch is not None and day in stretch)
        for day, (dials, reached) in sorted(found.items(), reverse=True)
    ]


def of_team(
    session: Session, asked: Asked, dialled: Mapping[int, Collection[date]]
) -> Mapping[int, Load]:
    """Return what weighed on each caller who dialled or raised a concern, by id.

    ``dialled``: on which days of the report each did.
    """
    raised = _raised(session, asked)
    return {
        caller_id: Load(longest_run(dialled.get(caller_id, ())), raised[caller_id])
        for caller_id in {*dialled, *raised}
    }


def _raised(session: Session, asked: Asked) -> Counter[int]:
    rows = session.execute(
        select(ConcernStep.by_staff_id, func.count())
        .join(Concern, Concern.id == ConcernStep.concern_id)
        .where(*is_raised(asked), ConcernStep.by_staff_id.is_not(None))
        .group_by(ConcernStep.by_staff_id)
        .order_by(ConcernStep.by_staff_id)
    )
    return Counter({staff_id: raised for staff_id, raised in rows if staff_id is not None})
