"""Who was out of care as they enrolled, and who came back to the clinic.

Who has no visit on file at all is in neither: whether they were out of care is not known. How
far visits are known is told by the last import that had any.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from outreach.clock import local_day
from outreach.intake.models import ImportRun
from outreach.programmes.models import Enrolment
from outreach.reports import known
from outreach.reports.asked import Asked
from outreach.reports.facts import Fact
from outreach.visits.models import Visit
from outreach.visits.rules import VisitKind, seen

WITHIN_DAYS = (90, 180)
CARE = tuple(kind for kind in VisitKind if kind.is_care)


@dataclass(frozen=True)
class Returned:
    """Enrolments whose day ``within_days`` fell in the period: one fact for each out of care.

    Not counted are those ``in_care``, those ``unknown`` (no visit on file), and ``uncovered``
    (the day came after the last import of visits).
    """

    within_days: int
    facts: Sequence[Fact]
    in_care: int
    unknown: int
    uncovered: int


def returned(session: Session, asked: Asked) -> Mapping[int, Returned]:
    """Return who came back within each of WITHIN_DAYS: in three statements."""
    longest = timedelta(days=max(WITHIN_DAYS))
    starts_on = known.first_day(asked.past)
    due = select(Enrolment.patient_id).where(
        asked.within(Enrolment.clinic_id),
        Enrolment.enrolled_at <= asked.now,
        starts_on >= asked.period.from_on - longest,
        starts_on <= asked.period.until_on,
    )
    enrolled = session.execute(
        due.add_columns(Enrolment.id, starts_on).order_by(Enrolment.id)
    ).all()
    visited: defaultdict[int, set[date]] = defaultdict(set)
    for patient_id, day in session.execute(
        select(Visit.patient_id, Visit.took_place_on)
        .where(
            asked.within(Visit.clinic_id),
            Visit.kind.in_(CARE),
            Visit.recorded_at <= asked.now,
            Visit.patient_id.in_(due),
        )
        .order_by(Visit.id)
    ):
        visited[patient_id].add(day)
    known_until_on = _known_until(session, asked)
    return {
        within: _counted(asked, enrolled, visited, within, known_until_on) for within in WITHIN_DAYS
    }


def _counted(
    asked: Asked,
    enrolled: Sequence[tuple[int, int, date]],
    visited: Mapping[int, Collection[date]],
    within: int,
    known_until_on: date | None,
) -> Returned:
    facts: list[Fact] = []
    in_care = unknown = uncovered = 0
    for patient_id, enrolment_id, starts_on in enrolled:
        day = starts_on + timedelta(days=within)
        if day not in asked.period or day >= asked.today:
            continue
        found = seen(visited.get(patient_id, ()), enrolled_on=starts_on, within_days=within)
        if known_until_on is None or day >= known_until_on:
            uncovered += 1
        elif found.was_out is None:
            unknown += 1
        elif not found.was_out:
            in_care += 1
        else:
            facts.append(Fact(patient_id, int(found.came_back), 1, day, enrolment_id))
    return Returned(within, facts, in_care, unknown, uncovered)


def _known_until(session: Session, asked: Asked) -> date | None:
    """Return the day, at the clinic, of its last import that told of visits."""
    last = session.scalar(
        select(ImportRun.at)
        .where(
            asked.within(ImportRun.clinic_id),
            ImportRun.at <= asked.now,
            ImportRun.counts["visits_read"].as_integer() > 0,
        )
        .order_by(ImportRun.at.desc())
        .limit(1)
    )
    return local_day(last, asked.zone) if last else None
