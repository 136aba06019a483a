"""Outcomes are read as they were known on a day, of one clinic, in a few statements."""

import random
from dataclasses import replace
from datetime import date, datetime, timedelta
from decimal import Decimal

import pytest
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from outreach.accounts.models import Clinic, StaffMember
from outreach.accounts.rules import Role, Scope
from outreach.calls.models import Attempt, AttemptCorrection
from outreach.calls.rules import Outcome
from outreach.measures.models import Reading
from outreach.measures.rules import Bound, MeasureKind
from outreach.orm import Sessions
from outreach.patients.models import Patient
from outreach.planning.models import PlannedCall
from outreach.programmes.models import Enrolment, EnrolmentEvent
from outreach.programmes.rules import EnrolmentStatus
from outreach.reports import outcomes
from outreach.reports.asked import Here
from outreach.reports.outcomes import Cohort
from outreach.reports.rules.glycaemic import GlycaemicGroup, GlycaemicStatus
from outreach.reports.rules.outcomes import (
    FOLLOW_UPS,
    Group,
    OutcomeMeasure,
    Point,
    outcome_of,
)
from tests.builders import (
    actor_of,
    make_attempt,
    make_clinic,
    make_enrolment,
    make_patient,
    make_planned_call,
    make_reading,
    make_staff,
)
from tests.counting import statements
from tests.fakes import MONDAY_10_CHICAGO as NOW
from tests.integration.reports.histories import noon

EVERYTHING = Scope(0, everything=True, clinic_ids=frozenset())
START = date(2026, 3, 2)
AS_OF = date(2026, 10, 30)  # day 242 of START
LATER = AS_OF + timedelta(days=10)
HBA1C = OutcomeMeasure.HBA1C


def here_of(clinic: Clinic, scope: Scope = EVERYTHING, *, now: datetime = NOW) -> Here:
    return Here.of(scope, clinic, now=now)


def read(session: Session, clinic: Clinic, as_of: date = AS_OF) -> Cohort:
    return outcomes.cohort(session, here_of(clinic), as_of, glucose_unit=clinic.glucose_unit)


def status_of(session: Session, clinic: Clinic, as_of: date = AS_OF) -> GlycaemicStatus:
    return outcomes.glycaemic_status(session, here_of(clinic), as_of)


def hba1c(
    session: Session, patient: Patient, day: int, value: str, **deviations: object
) -> Reading:
    """Measured at noon on a day after START, and recorded at once."""
    taken_at = noon(START + timedelta(days=day))
    return make_reading(
        session,
        patient,
        MeasureKind.HBA1C,
        value,
        **{"taken_at": taken_at, "recorded_at": taken_at} | deviations,
    )


def enrolled(session: Session, clinic: Clinic, starts_on: date = START) -> Patient:
    patient = make_patient(session, clinic, phone=None)
    make_enrolment(session, patient, starts_on=starts_on)
    return patient


def changes(cohort: Cohort, point: Point = Point.MONTH_6) -> list[Decimal]:
    return outcome_of(cohort.patients, HBA1C, point, today=cohort.today).changes


def test_reads_who_was_measured_and_who_is_missing(session: Session) -> None:
    clinic = make_clinic(session)
    measured, missing, unbased = (enrolled(session, clinic) for _ in range(3))
    hba1c(session, measured, 0, "10.0")
    hba1c(session, measured, 182, "9.2")
    hba1c(session, missing, 0, "11.0")
    hba1c(session, unbased, 182, "8.0")

    cohort = read(session, clinic)
    outcome = outcome_of(cohort.patients, HBA1C, Point.MONTH_6, today=cohort.today)

    assert outcome.changes == [Decimal("-0.8")]
    lists = {group: [each.patient.patient_id for each in outcome.of(group)] for group in Group}
    assert lists[Group.MEASURED] == lists[Group.RESPONDED] == [measured.id]
    assert lists[Group.MISSING] == [missing.id]
    assert lists[Group.WITHOUT_BASELINE] == [unbased.id]


def test_days_are_the_patients_own(session: Session) -> None:
    """In the evening of day 210 in Honolulu, Greenwich has day 211."""
    clinic = make_clinic(session)
    patient = make_patient(session, clinic, phone=None, zone="Pacific/Honolulu")
    make_enrolment(session, patient, starts_on=START)
    hba1c(session, patient, 0, "10.0")
    evening = noon(START + timedelta(days=210)) + timedelta(hours=19)
    hba1c(session, patient, 210, "9.0", taken_at=evening, recorded_at=evening)

    assert changes(read(session, clinic)) == [Decimal("-1.0")]


@pytest.mark.parametrize(
    "flaw", [{"bound": Bound.HIGH}, {"is_unreliable": True}, {"is_void": True}], ids=str
)
def test_what_is_no_sure_number_does_not_count(session: Session, flaw: dict[str, object]) -> None:
    clinic = make_clinic(session)
    patient = enrolled(session, clinic)
    hba1c(session, patient, 0, "10.0")
    hba1c(session, patient, 182, "9.0", **flaw)

    assert changes(read(session, clinic)) == []


def test_a_patient_counts_once_by_their_first_enrolment(session: Session) -> None:
    clinic = make_clinic(session)
    patient = make_patient(session, clinic, phone=None)
    make_enrolment(session, patient, starts_on=START, status=EnrolmentStatus.WITHDRAWN)
    make_enrolment(session, patient, starts_on=START + timedelta(days=100))

    (followed,) = read(session, clinic).patients

    assert followed.starts_on == START


def test_blood_sugar_is_told_in_the_unit_of_the_clinic(session: Session) -> None:
    clinic = make_clinic(session, glucose_unit="mmol/L")
    patient = enrolled(session, clinic)
    at = noon(START)
    make_reading(session, patient, MeasureKind.GLUCOSE, "180", taken_at=at, recorded_at=at)

    (followed,) = read(session, clinic).patients

    taken = followed.at(OutcomeMeasure.GLUCOSE, Point.BASELINE)
    assert taken is not None
    assert taken.value == Decimal("10.0")


def happen_until(
    session: Session, patient: Patient, caller: StaffMember, chance: random.Random
) -> None:
    """Readings and calls until AS_OF, some corrected or taken back by then."""
    enrolment = session.scalars(select(Enrolment).filter_by(patient_id=patient.id)).one()
    for _ in range(chance.randint(1, 8)):
        reading = hba1c(
            session, patient, chance.randint(-90, 230), f"{chance.randint(60, 130) / 10}"
        )
        if chance.random() < 0.3:
            hba1c(
                session, patient, chance.randint(-90, 230), "8.8",
                supersedes_id=reading.id, recorded_at=noon(AS_OF - timedelta(days=1)),
                is_void=chance.random() < 0.4,
            )  # fmt: skip
        elif chance.random() < 0.2:
            reading.withdrawn_at = noon(AS_OF - timedelta(days=2))
    for _ in range(chance.randint(0, 5)):
        day = START + timedelta(days=chance.randint(0, 230))
        call = make_planned_call(session, enrolment, day, status="completed")
        make_attempt(session, call, caller, minutes=chance.randint(1, 40))
    note_status(session, enrolment, chance.choice(list(EnrolmentStatus)), AS_OF - timedelta(days=3))


def happen_after(
    session: Session, patient: Patient, caller: StaffMember, chance: random.Random
) -> None:
    """Whatever can happen to what was known, and more of it, on LATER."""
    at = noon(LATER)
    for reading in session.scalars(select(Reading).filter_by(patient_id=patient.id)).all():
        fate = chance.randrange(4)
        corrected = session.scalars(select(Reading.id).filter_by(supersedes_id=reading.id)).first()
        if fate == 0 and not corrected:
            hba1c(session, patient, 182, "5.5", supersedes_id=reading.id, recorded_at=at)
        elif fate == 1:
            reading.withdrawn_at = reading.withdrawn_at or at
    hba1c(session, patient, chance.choice([0, 91, 182]), "6.0", recorded_at=at)
    enrolment = session.scalars(select(Enrolment).filter_by(patient_id=patient.id)).one()
    for attempt in session.scalars(select(Attempt).filter_by(patient_id=patient.id)).all():
        if chance.random() < 0.5:
            instead = make_attempt(
                session,
                session.get_one(PlannedCall, attempt.planned_call_id),
                caller,
                Outcome.COMPLETED,
                at=attempt.at,
                minutes=3,
            )
            attempt.superseded_at = at
            session.add(
                AttemptCorrection(
                    clinic_id=patient.clinic_id, patient_id=patient.id, attempt_id=attempt.id,
                    replaced_by_id=instead.id, reason="", by_staff_id=caller.id, at=at,
                )
            )  # fmt: skip
    note_status(session, enrolment, chance.choice(list(EnrolmentStatus)), LATER)
    session.flush()


def note_status(session: Session, enrolment: Enrolment, status: EnrolmentStatus, day: date) -> None:
    enrolment.status, enrolment.status_at = status, noon(day)
    session.add(
        EnrolmentEvent(
            clinic_id=enrolment.clinic_id, patient_id=enrolment.patient_id,
            enrolment_id=enrolment.id, status=status, version_id=enrolment.version_id,
            reason="", at=noon(day),
        )
    )  # fmt: skip
    session.flush()


@pytest.mark.parametrize("seed", range(6))
def test_a_day_gives_the_same_answer_whatever_happens_later(session: Session, seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311 - a history that can be had again
    clinic = make_clinic(session)
    caller = make_staff(session, clinic)
    people = [
        enrolled(session, clinic, START + timedelta(days=chance.randint(0, 60))) for _ in range(6)
    ]
    for patient in people:
        happen_until(session, patient, caller, chance)
    cohort, status = read(session, clinic), status_of(session, clinic)

    for patient in people:
        happen_after(session, patient, caller, chance)
    hba1c(session, enrolled(session, clinic, LATER), 240, "9.9", recorded_at=noon(LATER))
    session.expire_all()

    assert read(session, clinic) == cohort
    assert status_of(session, clinic) == status
    assert read(session, clinic, LATER) != replace(
        cohort, as_of=LATER, today=LATER + timedelta(days=1)
    )


def test_the_panel_of_a_day_is_who_was_enrolled_then(session: Session) -> None:
    clinic = make_clinic(session)
    stays, leaves, old, fresh = (enrolled(session, clinic) for _ in range(4))
    old.date_of_birth = date(1940, 1, 1)
    for patient, status in (
        (leaves, EnrolmentStatus.COMPLETED),
        (fresh, EnrolmentStatus.UNREACHABLE),
    ):
        enrolment = session.scalars(select(Enrolment).filter_by(patient_id=patient.id)).one()
        note_status(session, enrolment, status, START + timedelta(days=100))
    hba1c(session, stays, -10, "9.5")
    hba1c(session, stays, 200, "9.0")
    hba1c(session, fresh, -300, "7.0")  # longer ago than a year
    session.flush()

    now = status_of(session, clinic)
    assert now.of_other_age == 1  # the card says how many it leaves out

    panel = {each.patient_id: each.value for each in now.of(GlycaemicGroup.PANEL)}
    assert panel == {stays.id: Decimal("9.0"), fresh.id: None}
    before = status_of(session, clinic, START + timedelta(days=50))
    assert {each.patient_id for each in before.patients} == {stays.id, leaves.id, fresh.id}


def test_another_clinic_and_a_foreign_scope_stay_out(session: Session) -> None:
    clinic, other = make_clinic(session), make_clinic(session)
    for each in (clinic, other):
        patient = enrolled(session, each)
        hba1c(session, patient, 0, "10.0")
        hba1c(session, patient, 182, "9.0")
    manager = make_staff(session, other, Role.MANAGER)
    foreign = here_of(clinic, actor_of(manager, other, Role.MANAGER).scope)

    assert len(changes(read(session, clinic))) == 1
    assert outcomes.cohort(session, foreign, AS_OF, glucose_unit="mg/dL").patients == ()
    assert list(outcomes.glycaemic_status(session, foreign, AS_OF).patients) == []


@pytest.mark.parametrize("patients", [2, 20])
def test_takes_three_statements_for_any_number_of_patients(
    sessions: Sessions, engine: Engine, patients: int
) -> None:
    with sessions.begin() as session:
        clinic = make_clinic(session)
        for _ in range(patients):
            hba1c(session, enrolled(session, clinic), 0, "10.0")

    with sessions() as session, statements(engine) as seen:
        cohort = read(session, clinic)

    assert len(cohort.patients) == patients
    assert len(seen) == 3


def test_a_clinic_without_anybody_has_nothing_to_say(session: Session) -> None:
    cohort = read(session, make_clinic(session))

    found = [
        outcome_of(cohort.patients, measure, point, today=cohort.today)
        for measure in OutcomeMeasure
        for point in FOLLOW_UPS
    ]

    assert all(each.change is None and each.of(Group.ELIGIBLE) == () for each in found)
