"""The cohort board of a clinic: everybody ever enrolled, month by month."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import dropwhile
from typing import TypeVar
from zoneinfo import ZoneInfo

from sqlalchemy import select, union_all
from sqlalchemy.orm import Session

from outreach.accounts.models import Clinic
from outreach.clock import local_day
from outreach.patients.models import Patient
from outreach.programmes.models import Enrolment, EnrolmentEvent
from outreach.programmes.rules import EnrolmentStatus
from outreach.reports import known, outcomes, places
from outreach.reports.asked import Here
from outreach.reports.breakdown import Dimension
from outreach.reports.places import Place
from outreach.reports.rules.board import (
    BoardCohort,
    BoardFigure,
    BoardMonth,
    Cared,
    CohortStanding,
    CohortTotal,
    Month,
    by_cohort,
    by_month,
    months_until,
    together,
)
from outreach.reports.rules.outcomes import OutcomeMeasure

Row = TypeVar("Row")


@dataclass(frozen=True)
class Board:
    """Months that are over, and the cohorts that began in them; oldest first."""

    months: Sequence[BoardMonth]
    cohorts: Sequence[BoardCohort]
    everybody: Sequence[int]

    def who(self, figure: BoardFigure) -> Sequence[int]:
        """Return the patients behind a figure; nobody of a month that is not shown."""
        part = figure.part
        if part is None:
            return self.everybody
        if isinstance(part, CohortStanding | CohortTotal):
            began = (each for each in self.cohorts if each.month == figure.month)
            return next((each.who(part) for each in began), ())
        ended = (each for each in self.months if each.month == figure.month)
        return next((each.who(part) for each in ended), ())


def board(session: Session, here: Here, as_of: date) -> Board:
    """Return the board as of the end of a local day, in four statements."""
    cohort = outcomes.cohort(session, here, as_of, measures=[OutcomeMeasure.HBA1C], is_whole=True)
    statuses = _statuses(session, here, cohort.known_at)
    people = [Cared(each, statuses.get(each.patient_id, ())) for each in cohort.patients]
    months = months_until(cohort.today)
    return Board(
        _since_anybody(by_month(people, months), lambda each: each.registered),
        _since_anybody(by_cohort(people, months, today=cohort.today), lambda each: each.size),
        [each.patient_id for each in people],
    )


@dataclass(frozen=True)
class ByPlace:
    """The months of several clinics, each by itself or by region; oldest first."""

    dimension: Dimension
    boards: Sequence[tuple[Place, Sequence[BoardMonth]]]

    @property
    def newest(self) -> Month | None:
        """The last month of which anything is told."""
        return max((each.month for _place, months in self.boards for each in months), default=None)

    def at(self, month: Month) -> list[tuple[Place, BoardMonth | None]]:
        """Return where everybody stood at the end of a month, place by place."""
        return [
            (place, next((each for each in months if each.month == month), None))
            for place, months in self.boards
        ]


def by_place(
    session: Session, here: Here, as_of: date, clinics: Sequence[Clinic], dimension: Dimension
) -> ByPlace:
    """Return the months of clinics, or of regions: the sum of their clinics.

    A board for each clinic, as of the end of the day there; where that has not come yet, as far
    as it went.
    """
    found = []
    for place in places.of(session, clinics, by_region=dimension is Dimension.REGION):
        boards = [
            board(session, Here.of(here.scope, clinic, now=here.now), as_of)
            for clinic in place.clinics
        ]
        found.append((place, together(each.months for each in boards)))
    return ByPlace(dimension, found)


def _since_anybody(rows: Iterable[Row], count: Callable[[Row], int]) -> list[Row]:
    """Leave out the months before anybody was there."""
    return list(dropwhile(lambda each: not count(each), rows))


def _statuses(
    session: Session, here: Here, at: datetime
) -> dict[int, list[tuple[date, EnrolmentStatus]]]:
    """Return every status that was noted by ``at``, by patient and in order.

    Enrolments from before histories were kept have only their last one.
    """
    noted = select(
        EnrolmentEvent.patient_id, EnrolmentEvent.at.label("at"), EnrolmentEvent.status
    ).where(here.within(EnrolmentEvent.clinic_id), EnrolmentEvent.at <= at)
    latest = select(Enrolment.patient_id, Enrolment.status_at.label("at"), Enrolment.status).where(
        here.within(Enrolment.clinic_id), Enrolment.status_at <= at
    )
    both = union_all(noted, latest).subquery()
    rows = session.execute(
        select(both.c.patient_id, both.c.at, both.c.status, known.zone(here.then(at)))
        .join(Patient, Patient.id == both.c.patient_id)
        .order_by(both.c.at)
    )
    found: defaultdict[int, list[tuple[date, EnrolmentStatus]]] = defaultdict(list)
    for patient_id, noted_at, status, zone in rows:
        found[patient_id].append((local_day(noted_at, ZoneInfo(zone)), status))
    return found
