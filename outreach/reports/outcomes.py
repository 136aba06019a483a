"""How patients fare: what the outcomes page and the lists behind it are made of.

A few statements read what was known as of a day; ``rules/outcomes.py`` says what it means.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from sqlalchemy import Select, String, case, func, select, type_coerce
from sqlalchemy.orm import Session
from sqlalchemy.types import NullType

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
    MEASURE_OF,
    WINDOWS,
    Followed,
    OutcomeMeasure,
    Point,
    Taken,
    Talk,
)
from outreach.reports.rules.period import DAY, begin_of
from outreach.sql import epoch_seconds

if TYPE_CHECKING:
    from outreach.reports.rules.columns import Places

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
    patients: tuple[Followed, ...]


def cohort(
    session: Session,
    here: Here,
    as_of: date,
    *,
    glucose_unit: str = "mg/dL",
    measures: Collection[OutcomeMeasure] = tuple(OutcomeMeasure),
    with_talks: bool = True,
    is_whole: bool = False,
) -> Cohort:
    """Return the patients of one clinic by their first enrolment, in three statements.

    Args:
        session: the open session.
        here: the clinic.
        as_of: its local day, today or earlier.
        glucose_unit: in which blood sugar is given: "mg/dL" or "mmol/L".
        measures: which to read.
        with_talks: whether to read conversations too.
        is_whole: whether to keep every value; else of each window the one that counts.
    """
    at = here.known_at(as_of)
    then = here.then(at)
    people = session.execute(
        select(Enrolment.patient_id, known.first_day(then), known.zone(then))
        .join(Patient, Patient.id == Enrolment.patient_id)
        .where(Enrolment.id.in_(_first_enrolments(here, at)))
        .order_by(Enrolment.patient_id)
    ).all()
    today = local_day(at, here.zone)
    if not people:
        return Cohort(as_of, today, at, ())
    from outreach.reports.rules import columns  # noqa: PLC0415 - NumPy, which few pages need

    places = columns.Places(
        [row[0] for row in people],
        [starts_on for _id, starts_on, _zone in people],
        [ZoneInfo(zone) for _id, _starts_on, zone in people],
    )
    begins_at = begin_of(min(row[1] for row in people), here.zone) - _MARGIN
    kinds = [kind for measure in measures for kind in KINDS[measure]]
    taken = _taken(session, here, places, (begins_at, at), kinds, glucose_unit, is_whole=is_whole)
    talks = _talks(session, here, places, (begins_at, at)) if with_talks else {}
    return Cohort(
        as_of,
        today,
        at,
        tuple(
            Followed(patient_id, starts_on, taken.get(patient_id, {}), talks.get(patient_id, ()))
            for patient_id, starts_on, _zone in people
        ),
    )


def _first_enrolments(here: Here, at: datetime) -> Select[int]:
    """Select each patient's first enrolment of those made by ``at``."""
    return (
        select(func.min(Enrolment.id))
        .where(here.within(Enrolment.clinic_id), Enrolment.enrolled_at <= at)
        .group_by(Enrolment.patient_id)
    )


def _taken(
    session: Session,
    here: Here,
    places: "Places",
    span: tuple[datetime, datetime],
    kinds: Sequence[MeasureKind],
    glucose_unit: str,
    *,
    is_whole: bool,
) -> Mapping[int, Mapping[OutcomeMeasure, Sequence[Taken]]]:
    """Return what was measured of each patient from the first baseline window on.

    There are hundreds of thousands, of which three a patient count: they stay numbers until
    those are known.
    """
    from outreach.reports.rules import columns  # noqa: PLC0415

    begins_at, at = span
    rows = session.connection().execute(
        select(
            Reading.patient_id,
            epoch_seconds(Reading.taken_at),
            type_coerce(Reading.kind, String),
            type_coerce(Reading.value, NullType),
        )
        .where(
            here.within(Reading.clinic_id),
            Reading.kind.in_(kinds),
            Reading.taken_at >= begins_at + WINDOWS[Point.BASELINE].from_day * DAY,
            known.is_number(at),
        )
        .order_by(Reading.taken_at, Reading.id)
    )
    patients, instants, names, values = columns.columns_of(rows.all(), 4)
    kind_of = {kind.value: kind for kind in kinds}
    number_of = {measure: number for number, measure in enumerate(OutcomeMeasure)}
    numbers = [number_of[MEASURE_OF[kind_of[name]]] for name in names]
    found = places.days(patients, instants)
    kept = range(len(names)) if is_whole else found.nearest(numbers)
    number = Reading.value.type.result_processor(session.connection().dialect, None)
    taken: defaultdict[int, defaultdict[OutcomeMeasure, list[Taken]]] = defaultdict(
        lambda: defaultdict(list)
    )
    for row in kept:
        day = found.day(row)
        if day is not None:
            kind, value = kind_of[names[row]], values[row]
            shown = in_unit(kind, number(value) if number else value, glucose_unit)
            taken[patients[row]][MEASURE_OF[kind]].append(Taken(day, shown))
    return taken


def in_unit(kind: MeasureKind, value: Decimal, glucose_unit: str) -> Decimal:
    """Return a canonical value in ``glucose_unit`` where it is of blood sugar."""
    measure = REGISTRY[kind]
    if glucose_unit == measure.unit or glucose_unit not in measure.units:
        return value
    return measure.units[glucose_unit].from_canonical(value)


def _talks(
    session: Session, here: Here, places: "Places", span: tuple[datetime, datetime]
) -> Mapping[int, Sequence[Talk]]:
    """Return the conversations with each patient."""
    from outreach.reports.rules import columns  # noqa: PLC0415

    begins_at, at = span
    rows = session.connection().execute(
        select(
            Attempt.patient_id,
            epoch_seconds(Attempt.at),
            Attempt.minutes,
            case((Attempt.outcome.in_(known.COMPLETING), 1), else_=0),
        )
        .where(
            here.within(Attempt.clinic_id),
            Attempt.at >= begins_at,
            Attempt.outcome.in_(REACHED),
            known.is_attempt(at),
        )
        .order_by(Attempt.patient_id, Attempt.at, Attempt.id)
    )
    patients, instants, minutes, completed = columns.columns_of(rows.all(), 4)
    days = places.days(patients, instants)
    return {
        patient_id: columns.Talks(days, minutes, completed, range(first, last))
        for patient_id, first, last in columns.runs_of(patients)
    }


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
