"""How patients fare: what the outcomes page and the lists behind it are made of.

A few statements read what was known as of a day; ``rules/outcomes.py`` says what it means.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from sqlalchemy import Select, case, func, select
from sqlalchemy.orm import Session

from outreach.calls.models import Attempt
from outreach.calls.rules import REACHED
from outreach.clock import local_day
from outreach.measures.models import Reading
from outreach.measures.rules import REGISTRY, MeasureKind
from outreach.patients.models import Patient
from outreach.programmes.models import Enrolment
from outreach.programmes.rules import OPEN_STATUSES
from outreach.reports import known
from outreach.reports.asked import Here
from outreach.reports.rules.glycaemic import LOOKED_BACK, Glycaemic, GlycaemicStatus, counts
from outreach.reports.rules.outcomes import (
    KINDS,
    WINDOWS,
    OutcomeMeasure,
    Point,
    from_thousandths,
)
from outreach.reports.rules.outcomes import thousandths as to_thousandths
from outreach.reports.rules.period import DAY, begin_of
from outreach.sql import epoch_microseconds, packed, thousandths

if TYPE_CHECKING:
    from outreach.reports.rules.columns import Days, Numbers, Places
    from outreach.reports.rules.people import People, Said

# Days are the patient's, instants everybody's: clocks on earth differ by 26 hours.
_MARGIN = timedelta(days=2)


@dataclass(frozen=True)
class Cohort:
    """Everybody who was enrolled by a day, and what was known of them as it ended.

    ``today`` is the day after that day, so that "the window is over" needs no second look; that
    day itself where it has not ended.
    """

    as_of: date
    today: date
    known_at: datetime
    patients: "People"


def cohort(
    session: Session,
    here: Here,
    as_of: date,
    *,
    glucose_unit: str = "mg/dL",
    measures: Collection[OutcomeMeasure] = tuple(OutcomeMeasure),
    with_talks: bool = True,
) -> Cohort:
    """Return the patients of one clinic by their first enrolment, in three statements.

    Args:
        session: the open session.
        here: the clinic.
        as_of: its local day, today or earlier.
        glucose_unit: in which blood sugar is given: "mg/dL" or "mmol/L".
        measures: which to read.
        with_talks: whether to read conversations too.
    """
    from outreach.reports.rules.people import People  # noqa: PLC0415 - NumPy, which few pages need

    at = here.known_at(as_of)
    today = local_day(at, here.zone)
    places = places_of(session, here, at)
    if not len(places.ids):
        return Cohort(as_of, today, at, People.of(()))
    found = readings(session, here, places, at, measures)
    said = talks(session, here, places, at) if with_talks else None
    return Cohort(as_of, today, at, people_of(places, found, said, glucose_unit))


def places_of(session: Session, here: Here, at: datetime) -> "Places":
    """Return everybody who was enrolled by ``at``, by their first enrolment."""
    from outreach.reports.rules.columns import Places  # noqa: PLC0415 - NumPy

    then = here.then(at)
    people = session.connection().execute(
        select(Enrolment.patient_id, known.first_day(then), known.zone(then))
        .join(Patient, Patient.id == Enrolment.patient_id)
        .where(Enrolment.id.in_(_first_enrolments(here, at)))
        .order_by(Enrolment.patient_id)
    )
    return Places(*(list(zip(*people, strict=True)) or [(), (), ()]))


def _first_enrolments(here: Here, at: datetime) -> Select[int]:
    """Select each patient's first enrolment of those made by ``at``."""
    return (
        select(func.min(Enrolment.id))
        .where(here.within(Enrolment.clinic_id), Enrolment.enrolled_at <= at)
        .group_by(Enrolment.patient_id)
    )


@dataclass(frozen=True)
class Readings:
    """What was measured: on which day of whom, the value, which measure, and what comes later."""

    days: "Days"
    values: "Numbers"
    measures: "Numbers"
    order: "tuple[Numbers, ...]"

    def in_order(self) -> "tuple[Numbers, Numbers, Numbers]":
        """Return of known patients, by patient and in order: whose, on which day, the value."""
        rows = self.days.in_order(self.order)
        return self.days.places[rows], self.days.ordinals[rows], self.values[rows]


def people_of(
    places: "Places", found: Readings, said: "Said | None" = None, glucose_unit: str = "mg/dL"
) -> "People":
    """Return the patients with what counted of each at each point.

    Of hundreds of thousands of readings three a patient and measure count; nothing is made of
    the others.
    """
    from outreach.reports.rules import columns, people  # noqa: PLC0415 - NumPy

    rows, where = found.days.nearest(found.measures, found.order)
    count = len(places.ids)
    values = columns.placed(count, where, found.values[rows])
    for number, measure in enumerate(columns.MEASURES):
        _tell_in(glucose_unit, measure, values[number])
    measured = columns.placed(count, where, found.days.ordinals[rows]), values
    return people.People(places.ids, places.starts, measured, said or people.Said.nothing())


def readings(
    session: Session,
    here: Here,
    places: "Places",
    at: datetime,
    measures: Collection[OutcomeMeasure],
) -> Readings:
    """Return what was measured of them from the first baseline window on."""
    from outreach.reports.rules import columns  # noqa: PLC0415 - NumPy

    number_of = {
        kind: columns.MEASURES.index(measure) for measure in measures for kind in KINDS[measure]
    }
    begins_at = _begins_at(here, places) + WINDOWS[Point.BASELINE].from_day * DAY
    numbers = (
        Reading.id,
        Reading.patient_id,
        case(number_of, value=Reading.kind),
        epoch_microseconds(Reading.taken_at),
        thousandths(Reading.value),
    )
    found = session.scalar(
        select(packed(*numbers)).where(
            here.within(Reading.clinic_id),
            Reading.kind.in_(number_of),
            Reading.taken_at >= begins_at,
            known.is_number(at),
        )
    )
    ids, patients, kinds, instants, values = columns.columns_of(found, len(numbers))
    return Readings(places.days(patients, instants), values, kinds, (ids, instants))


def talks(session: Session, here: Here, places: "Places", at: datetime) -> "Said":
    """Return the conversations with each patient, in order."""
    from outreach.reports.rules import columns, people  # noqa: PLC0415 - NumPy

    numbers = (
        Attempt.id,
        Attempt.patient_id,
        epoch_microseconds(Attempt.at),
        Attempt.minutes,
        case((Attempt.outcome.in_(known.COMPLETING), 1), else_=0),
    )
    found = session.scalar(
        select(packed(*numbers)).where(
            here.within(Attempt.clinic_id),
            Attempt.at >= _begins_at(here, places),
            Attempt.outcome.in_(REACHED),
            known.is_attempt(at),
        )
    )
    ids, patients, instants, minutes, completed = columns.columns_of(found, len(numbers))
    return people.Said.of_rows(places.days(patients, instants), minutes, completed, (ids, instants))


def _begins_at(here: Here, places: "Places") -> datetime:
    """Return when the first of them began, or somewhat before."""
    return begin_of(date.fromordinal(int(places.starts.min())), here.zone) - _MARGIN


def _tell_in(glucose_unit: str, measure: OutcomeMeasure, values: "Numbers") -> None:
    """Tell canonical values in a unit where they are of blood sugar."""
    row = REGISTRY[KINDS[measure][0]]
    if glucose_unit != row.unit and glucose_unit in row.units:
        tell = row.units[glucose_unit].from_canonical
        found = values.reshape(-1).tolist()
        told = {each: to_thousandths(tell(from_thousandths(each))) for each in set(found)}
        values.reshape(-1)[:] = [told[each] for each in found]


def glycaemic_status(session: Session, here: Here, as_of: date) -> GlycaemicStatus:
    """Return the newest HbA1c or GMI of the year of everybody on the panel as of a day."""
    at = here.known_at(as_of)
    newest = _newest(session, here, at)
    then = here.then(at)
    rows = session.execute(
        select(Enrolment.patient_id, known.date_of_birth(then), known.zone(then))
        .join(Patient, Patient.id == Enrolment.patient_id)
        .where(
            here.within(Enrolment.clinic_id),
            Enrolment.enrolled_at <= at,
            known.status(at).in_(OPEN_STATUSES),
        )
        .order_by(Enrolment.patient_id)
    )
    patients, others = [], 0
    for patient_id, born_on, zone in rows:
        if not counts(born_on, as_of):
            others += 1
        else:
            value, taken_at = newest.get(patient_id, (None, None))
            on = local_day(taken_at, ZoneInfo(zone)) if taken_at else None
            patients.append(Glycaemic(patient_id, value, on))
    return GlycaemicStatus(patients, others)


def _newest(session: Session, here: Here, at: datetime) -> Mapping[int, tuple[Decimal, datetime]]:
    """Return each patient's newest HbA1c or GMI of the year before ``at``."""
    placed = (
        select(
            Reading.patient_id,
            Reading.value,
            Reading.taken_at,
            func.row_number()
            .over(
                partition_by=Reading.patient_id,
                order_by=(Reading.taken_at.desc(), Reading.id.desc()),
            )
            .label("place"),
        )
        .where(
            here.within(Reading.clinic_id),
            Reading.kind.in_((MeasureKind.HBA1C, MeasureKind.GMI)),
            Reading.taken_at > at - LOOKED_BACK,
            Reading.taken_at <= at,
            known.is_number(at),
        )
        .subquery()
    )
    # Joined to the panel in Python: SQLite would read all of these again for each patient.
    rows = session.execute(
        select(placed.c.patient_id, placed.c.value, placed.c.taken_at)
        .where(placed.c.place == 1)
        .order_by(placed.c.patient_id)
    )
    return {patient_id: (value, taken_at) for patient_id, value, taken_at in rows}
