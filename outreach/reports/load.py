"""How the team is: what weighs on each caller, in the days of a report."""

from collections import Counter
from collections.abc import Collection, Mapping
from datetime import date

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from outreach.concerns.models import Concern, ConcernStep
from outreach.concerns.rules import StepKind
from outreach.reports.asked import Asked
from outreach.reports.rules.load import Load, longest_run


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
    begins_at, ends_at = asked.instants
    rows = session.execute(
        select(ConcernStep.by_staff_id, func.count())
        .join(Concern, Concern.id == ConcernStep.concern_id)
        .where(
            asked.within(Concern.clinic_id),
            ConcernStep.kind == StepKind.RAISED,
            ConcernStep.by_staff_id.is_not(None),
            ConcernStep.at >= begins_at,
            ConcernStep.at < ends_at,
            *((ConcernStep.at <= asked.now,) if asked.is_past else ()),
        )
        .group_by(ConcernStep.by_staff_id)
        .order_by(ConcernStep.by_staff_id)
    )
    return Counter({staff_id: raised for staff_id, raised in rows if staff_id is not None})
