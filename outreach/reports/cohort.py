"""The cohort board of a clinic: everybody ever enrolled, month by month."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import dropwhile
from typing import TYPE_CHECKING, TypeVar

from sqlalchemy import ColumnElement, SQLColumnExpression, case, literal, select, union_all
from sqlalchemy.orm import Session

from outreach.accounts.models import Clinic
from outreach.clock import local_day
from outreach.programmes.models import Enrolment, EnrolmentEvent
from outreach.programmes.rules import EnrolmentStatus
from outreach.reports import outcomes
from outreach.reports import places as places_told
from outreach.reports.asked import Here
from outreach.reports.breakdown import Dimension
from outreach.reports.places import Place
from outreach.reports.rules.board import (
    GONE,
    BoardCohort,
    BoardFigure,
    BoardMonth,
    CohortStanding,
    CohortTotal,
    Month,
    by_cohort,
    by_month,
    months_until,
    together,
)
from outreach.reports.rules.outcomes import OutcomeMeasure
from outreach.sql import epoch_microseconds, packed

if TYPE_CHECKING:
    from outreach.reports.outcomes import Readings
    from outreach.reports.rules.columns import Numbers, Places
    from outreach.reports.rules.watched import Watched

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
    at = here.known_at(as_of)
    today, places = local_day(at, here.zone), outcomes.places_of(session, here, at)
    if not len(places.ids):
        return Board((), (), ())
    values = outcomes.readings(session, here, places, at, [OutcomeMeasure.HBA1C])
    months = months_until(today)
    by_end = by_month(_watched(session, here, places, at, values), months)
    people = outcomes.people_of(places, values)
    return Board(
        _since_anybody(by_end, lambda each: each.registered),
        _since_anybody(by_cohort(people, months, today=today), lambda each: each.size),
        places.ids.tolist(),
    )


def _watched(
    session: Session, here: Here, places: "Places", at: datetime, values: "Readings"
) -> "Watched":
    from outreach.reports.rules.watched import Dated, Watched  # noqa: PLC0415 - NumPy

    said = outcomes.talks(session, here, places, at)
    return Watched(
        places.ids,
        places.starts,
        Dated(*values.in_order()),
        Dated(said.places, said.ordinals, said.minutes),
        Dated(*_statuses(session, here, places, at)),
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
    for place in places_told.of(session, clinics, by_region=dimension is Dimension.REGION):
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
    session: Session, here: Here, places: "Places", at: datetime
) -> "tuple[Numbers, Numbers, Numbers]":
    """Return every status that was noted by ``at``: of whom, on which day, and whether gone.

    Enrolments from before histories were kept have only their last one.
    """
    from outreach.reports.rules import columns  # noqa: PLC0415 - NumPy

    noted = select(
        literal(0).label("place"), EnrolmentEvent.id, EnrolmentEvent.patient_id,
        epoch_microseconds(EnrolmentEvent.at).label("at"), _is_gone(EnrolmentEvent.status),
    ).where(here.within(EnrolmentEvent.clinic_id), EnrolmentEvent.at <= at)  # fmt: skip
    latest = select(
        literal(1).label("place"), Enrolment.id, Enrolment.patient_id,
        epoch_microseconds(Enrolment.status_at).label("at"), _is_gone(Enrolment.status),
    ).where(here.within(Enrolment.clinic_id), Enrolment.status_at <= at)  # fmt: skip
    both = union_all(noted, latest).subquery()
    found = session.scalar(select(packed(*both.c)))
    which, ids, patients, instants, is_gone = columns.columns_of(found, len(both.c))
    days = places.days(patients, instants)
    rows = days.in_order((ids, which, instants))
    return days.places[rows], days.ordinals[rows], is_gone[rows]


def _is_gone(status: SQLColumnExpression[EnrolmentStatus]) -> ColumnElement[int]:
    return case((status.in_(GONE), 1), else_=0).label("is_gone")
