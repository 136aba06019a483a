"""What stands around the calls: who stays, who is measured, texts and concerns."""

from datetime import date, datetime, timedelta

import pytest
from flask.testing import FlaskClient
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from outreach.accounts.models import Clinic
from outreach.accounts.rules import Role, Scope
from outreach.concerns.models import Concern, ConcernStep
from outreach.concerns.rules import ConcernKind, ConcernStatus, StepKind, Urgency
from outreach.inbox.models import InboxItem
from outreach.inbox.rules import Understood
from outreach.intake.models import ImportRun
from outreach.intake.rules import FileKind
from outreach.measures.rules import MeasureKind
from outreach.messaging.models import InboundText, Message
from outreach.messaging.rules import MessageKind, MessageStatus
from outreach.orm import Sessions
from outreach.patients.models import Patient
from outreach.programmes.models import Enrolment, EnrolmentEvent
from outreach.programmes.rules import EnrolmentStatus
from outreach.reports import service
from outreach.reports.asked import Asked, Here
from outreach.reports.rules.period import Period
from outreach.reports.service import LeftOut, ServiceMeasure
from outreach.visits.models import Visit
from outreach.visits.rules import VisitKind
from tests.builders import make_clinic, make_enrolment, make_patient, make_reading, make_staff
from tests.conftest import HASH, sign_in
from tests.counting import statements
from tests.fakes import MONDAY_10_CHICAGO as NOW
from tests.integration.reports.histories import noon

EVERYTHING = Scope(0, everything=True, clinic_ids=frozenset())
PERIOD = Period(date(2026, 10, 26), date(2026, 11, 22))
IN_IT = date(2026, 11, 3)
BEFORE = date(2026, 10, 20)


def ask(clinic: Clinic, period: Period = PERIOD) -> Asked:
    return Here.of(EVERYTHING, clinic, now=NOW).about(period)


def figure(session: Session, clinic: Clinic, measure: ServiceMeasure) -> tuple[int, int]:
    found = service.service(session, ask(clinic)).figures[measure]
    return found.numerator, found.denominator


def enrolled(
    session: Session, clinic: Clinic, *, days_ago: int, from_day: date = IN_IT
) -> Enrolment:
    """Somebody who began so many days before a day of the period."""
    patient = make_patient(session, clinic)
    return make_enrolment(session, patient, starts_on=from_day - timedelta(days=days_ago))


def note(session: Session, enrolment: Enrolment, status: EnrolmentStatus, day: date) -> None:
    session.add(
        EnrolmentEvent(
            clinic_id=enrolment.clinic_id,
            patient_id=enrolment.patient_id,
            enrolment_id=enrolment.id,
            status=status,
            version_id=enrolment.version_id,
            reason="",
            at=noon(day),
        )
    )
    session.flush()


@pytest.mark.parametrize(
    ("status", "stays"),
    [
        (EnrolmentStatus.ACTIVE, 1), (EnrolmentStatus.PAUSED, 1), (EnrolmentStatus.COMPLETED, 1),
        (EnrolmentStatus.WITHDRAWN, 0), (EnrolmentStatus.DIED, 0), (EnrolmentStatus.UNREACHABLE, 0),
    ],
)  # fmt: skip
def test_who_left_died_or_is_not_reached_does_not_stay(
    session: Session, status: EnrolmentStatus, stays: int
) -> None:
    clinic = make_clinic(session)
    enrolment = enrolled(session, clinic, days_ago=91)
    note(session, enrolment, EnrolmentStatus.ACTIVE, enrolment.starts_on)
    note(session, enrolment, status, IN_IT - timedelta(days=1))

    assert figure(session, clinic, ServiceMeasure.STAYED_3) == (stays, 1)
    assert figure(session, clinic, ServiceMeasure.STAYED_6) == (0, 0)


def test_what_happens_after_the_day_does_not_count(session: Session) -> None:
    clinic = make_clinic(session)
    enrolment = enrolled(session, clinic, days_ago=182)
    note(session, enrolment, EnrolmentStatus.WITHDRAWN, IN_IT + timedelta(days=1))
    enrolled(session, clinic, days_ago=182, from_day=BEFORE)  # day 182 was before the period

    assert figure(session, clinic, ServiceMeasure.STAYED_6) == (1, 1)


def test_windows_that_closed_in_the_period_are_measured_or_not(session: Session) -> None:
    clinic = make_clinic(session)
    measured = enrolled(session, clinic, days_ago=120)
    enrolled(session, clinic, days_ago=120)
    enrolled(session, clinic, days_ago=120, from_day=BEFORE)
    at = noon(measured.starts_on + timedelta(days=60))
    patient = session.get_one(Patient, measured.patient_id)
    make_reading(session, patient, MeasureKind.HBA1C, "8.0", taken_at=at, recorded_at=at)

    assert figure(session, clinic, ServiceMeasure.HBA1C_3) == (1, 2)
    assert figure(session, clinic, ServiceMeasure.PHQ9_3) == (0, 2)
    assert figure(session, clinic, ServiceMeasure.HBA1C_6) == (0, 0)


def text(
    session: Session, patient: Patient, status: MessageStatus, day: date = IN_IT, failure: str = ""
) -> None:
    key = f"text-{patient.id}-{status}-{day}-{failure}"
    session.add(
        Message(
            clinic_id=patient.clinic_id, patient_id=patient.id, kind=MessageKind.REMINDER,
            dedupe_key=key, cause="", to_number="+15125550147",
            language="en", body="", status=status, failure=failure, send_after=noon(day), tries=1,
            created_at=noon(day),
        )
    )  # fmt: skip
    session.flush()


def answer(session: Session, patient: Patient, understood: Understood, day: date = IN_IT) -> None:
    inbound = InboundText(
        clinic_id=patient.clinic_id, provider_id=f"in-{patient.id}-{understood}-{day}",
        from_number="+15125550147", to_number="+15125550100", body="", attachments=0,
        received_at=noon(day), open_until=noon(day),
    )  # fmt: skip
    session.add(inbound)
    session.flush()
    session.add(
        InboxItem(
            clinic_id=patient.clinic_id, patient_id=patient.id, inbound_id=inbound.id,
            understood=understood, at=noon(day),
        )
    )  # fmt: skip
    session.flush()


def test_texts_are_delivered_of_those_that_the_carrier_took(session: Session) -> None:
    clinic, other = make_clinic(session), make_clinic(session)
    for each in (clinic, other):
        patient = make_patient(session, each)
        text(session, patient, MessageStatus.DELIVERED)
        text(session, patient, MessageStatus.UNDELIVERED, failure="30007")
        text(session, patient, MessageStatus.SENT)
        text(session, patient, MessageStatus.FAILED, failure="21610")
        text(session, patient, MessageStatus.SKIPPED)
        text(session, patient, MessageStatus.DELIVERED, BEFORE)

    found = service.service(session, ask(clinic))

    delivered = found.figures[ServiceMeasure.DELIVERED]
    assert (delivered.numerator, delivered.denominator) == (1, 3)
    refused = {
        code: (found.figures[measure].numerator, found.figures[measure].denominator)
        for measure, code in service.CODES.items()
    }
    assert refused == {"21610": (1, 4), "30007": (1, 4), "30034": (0, 4)}
    assert found.left_out[ServiceMeasure.DELIVERED] == {LeftOut.NOT_TAKEN: 2}


def test_who_texted_back_is_counted_among_those_who_were_texted(session: Session) -> None:
    clinic = make_clinic(session)
    silent, kind, stopping, untexted = (make_patient(session, clinic) for _ in range(4))
    for patient in (silent, kind, stopping):
        text(session, patient, MessageStatus.DELIVERED)
    answer(session, silent, Understood.COURTESY, BEFORE)
    answer(session, kind, Understood.COURTESY)
    answer(session, stopping, Understood.STOP)
    answer(session, untexted, Understood.STOP)

    text(session, untexted, MessageStatus.SKIPPED)

    assert figure(session, clinic, ServiceMeasure.ANSWERED) == (2, 3)
    assert figure(session, clinic, ServiceMeasure.STOPPED) == (1, 3)
    found = service.service(session, ask(clinic))
    assert found.left_out[ServiceMeasure.STOPPED] == {LeftOut.UNTEXTED: 1}


def concern(session: Session, clinic: Clinic, *, minutes: int | None, age: timedelta) -> Concern:
    raised_at = NOW - age
    taken_on = None if minutes is None else raised_at + timedelta(minutes=minutes)
    raised = Concern(
        clinic_id=clinic.id, patient_id=make_patient(session, clinic).id,
        kind=ConcernKind.SAFETY, urgency=Urgency.NOW, raised_at=raised_at,
        status=ConcernStatus.CLOSED if taken_on else ConcernStatus.OPEN,
        acknowledged_at=taken_on,
    )  # fmt: skip
    session.add(raised)
    session.flush()
    if taken_on:
        step(session, raised, StepKind.ACKNOWLEDGED, taken_on)
        step(session, raised, StepKind.CLOSED, taken_on)
    return raised


def step(session: Session, raised: Concern, kind: StepKind, at: datetime) -> None:
    session.add(ConcernStep(concern_id=raised.id, kind=kind, note="", at=at))
    session.flush()


def test_concerns_are_taken_on_within_their_target_or_not(session: Session) -> None:
    clinic = make_clinic(session)
    target = Urgency.NOW.target // timedelta(minutes=1)
    today = Period(PERIOD.from_on, NOW.date())
    for minutes in (2, target, target + 1, None):
        concern(session, clinic, minutes=minutes, age=timedelta(hours=3))
    concern(session, clinic, minutes=None, age=timedelta(minutes=target - 1))  # still has time

    found = service.service(session, ask(clinic, today))

    in_time, closed = (
        found.figures[each] for each in (ServiceMeasure.IN_TIME, ServiceMeasure.CLOSED)
    )
    assert (in_time.numerator, in_time.denominator) == (2, 4)
    assert (closed.numerator, closed.denominator) == (3, 5)
    assert found.minutes == target
    assert found.left_out[ServiceMeasure.IN_TIME] == {LeftOut.HAS_TIME: 1}


def test_one_that_is_opened_again_was_taken_on_when_it_first_was(session: Session) -> None:
    clinic = make_clinic(session)
    again = concern(session, clinic, minutes=2, age=timedelta(days=5))
    step(session, again, StepKind.REOPENED, NOW - timedelta(days=1))
    again.status, again.acknowledged_at = ConcernStatus.OPEN, None
    session.flush()

    found = service.service(session, ask(clinic))

    assert found.minutes == 2
    assert figure(session, clinic, ServiceMeasure.IN_TIME) == (1, 1)
    assert figure(session, clinic, ServiceMeasure.CLOSED) == (0, 1)


@pytest.mark.parametrize("role", [Role.CALLER, Role.NURSE])
def test_callers_and_nurses_have_no_such_page(
    sessions: Sessions, client: FlaskClient, role: Role
) -> None:
    with sessions.begin() as session:
        person = make_staff(session, make_clinic(session), role, password_hash=HASH)
    sign_in(client, person)

    assert client.get("/reports/around").status_code == 404
    assert client.get("/reports/around/patients?measure=stayed_3").status_code == 404


def test_a_list_names_those_of_the_figure_and_nobody_of_another_clinic(
    sessions: Sessions, client: FlaskClient
) -> None:
    with sessions.begin() as session:
        clinic, other = make_clinic(session), make_clinic(session)
        mine, theirs = (
            session.get_one(Patient, enrolled(session, each, days_ago=91).patient_id)
            for each in (clinic, other)
        )
        manager = make_staff(session, clinic, Role.MANAGER, password_hash=HASH)
    sign_in(client, manager)
    days = "from_on=2026-10-26&until_on=2026-11-22"

    page = client.get(f"/reports/around?{days}").text
    people = client.get(f"/reports/around/patients?{days}&measure=stayed_3").text

    assert "1 of 1" in page
    assert mine.full_name in people
    assert theirs.full_name not in people
    for path in ("around", "around/patients"):
        assert (
            client.get(f"/reports/{path}?clinic={other.code}&measure=stayed_3").status_code == 404
        )
    assert client.get(f"/reports/around/patients?{days}&measure=luck").status_code == 404


def test_takes_as_many_statements_for_any_number_of_patients(
    sessions: Sessions, engine: Engine
) -> None:
    asked = []
    for patients in (2, 15):
        with sessions.begin() as session:
            clinic = make_clinic(session)
            for _ in range(patients):
                enrolment = enrolled(session, clinic, days_ago=91)
                text(session, session.get_one(Patient, enrolment.patient_id), MessageStatus.SENT)
        with sessions() as session, statements(engine) as seen:
            service.service(session, ask(clinic))
        asked.append(len(seen))

    assert asked == [10, 10]


def visit(
    session: Session, enrolment: Enrolment, days_after: int, kind: VisitKind = VisitKind.IN_PERSON
) -> None:
    day = enrolment.starts_on + timedelta(days=days_after)
    session.add(
        Visit(
            clinic_id=enrolment.clinic_id,
            patient_id=enrolment.patient_id,
            took_place_on=day,
            at=noon(day),
            kind=kind,
            external_key=f"csv:{day}:{kind}",
            recorded_at=NOW,
        )
    )
    session.flush()


def visits_imported(session: Session, clinic: Clinic, day: date, read: int = 1) -> None:
    session.add(
        ImportRun(
            clinic_id=clinic.id,
            kind=FileKind.CSV_VISITS,
            sha256="",
            counts={"visits_read": read},
            problems={},
            at=noon(day),
        )
    )
    session.flush()


def test_who_was_out_of_care_and_came_back(session: Session) -> None:
    clinic = make_clinic(session)
    visits_imported(session, clinic, date(2026, 11, 20))
    visits_imported(session, clinic, date(2026, 11, 22), read=0)
    histories: list[list[tuple[int, VisitKind]]] = [
        [(-400, VisitKind.IN_PERSON), (60, VisitKind.TELEHEALTH)],
        [(-400, VisitKind.IN_PERSON), (60, VisitKind.EMERGENCY)],
        [(-400, VisitKind.IN_PERSON), (91, VisitKind.IN_PERSON)],
        [(-30, VisitKind.IN_PERSON), (60, VisitKind.IN_PERSON)],
        [(-30, VisitKind.INPATIENT)],
    ]
    for history in histories:
        enrolment = enrolled(session, clinic, days_ago=90)
        for days_after, kind in history:
            visit(session, enrolment, days_after, kind)
    visit(session, enrolled(session, clinic, days_ago=90, from_day=date(2026, 11, 21)), -400)
    visit(session, enrolled(session, clinic, days_ago=90, from_day=BEFORE), -400)

    assert figure(session, clinic, ServiceMeasure.RETURNED_90) == (1, 3)
    found = service.service(session, ask(clinic)).left_out[ServiceMeasure.RETURNED_90]
    assert found == {LeftOut.IN_CARE: 1, LeftOut.NO_VISIT: 1, LeftOut.AFTER_IMPORT: 1}


def test_without_an_import_of_visits_nobody_is_called_lost(session: Session) -> None:
    clinic = make_clinic(session)
    visit(session, enrolled(session, clinic, days_ago=180), -400)

    found = service.service(session, ask(clinic))
    assert found.figures[ServiceMeasure.RETURNED_180].denominator == 0
    assert found.left_out[ServiceMeasure.RETURNED_180][LeftOut.AFTER_IMPORT] == 1
