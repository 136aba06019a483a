"""What stands around the calls, as of a day, says the same whatever comes later."""

from datetime import date, datetime, timedelta

from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from outreach.accounts.models import Clinic
from outreach.concerns.models import Concern
from outreach.concerns.rules import ConcernStatus, StepKind
from outreach.messaging.models import DeliveryEvent, Message
from outreach.messaging.rules import MessageStatus
from outreach.orm import Sessions
from outreach.patients.models import Patient
from outreach.programmes.models import Enrolment
from outreach.programmes.rules import EnrolmentStatus
from outreach.reports import service
from outreach.reports.asked import Here
from outreach.reports.service import Service, ServiceMeasure
from outreach.visits.models import Visit
from outreach.visits.rules import VisitKind
from tests.builders import make_clinic, make_enrolment, make_patient
from tests.conftest import sign_in
from tests.fakes import MONDAY_10_CHICAGO as NOW
from tests.integration.reports.histories import noon
from tests.integration.reports.test_pages import manager_of
from tests.integration.reports.test_service import (
    EVERYTHING,
    IN_IT,
    PERIOD,
    concern,
    enrolled,
    note,
    step,
    text,
    visits_imported,
)

DAY = date(2026, 11, 22)
LATER = NOW + timedelta(days=100)


def as_of(session: Session, clinic: Clinic, *, now: datetime = LATER) -> Service:
    return service.service(session, Here.of(EVERYTHING, clinic, now=now).about(PERIOD).as_of(DAY))


def reported(session: Session, status: str, at: datetime, code: int | None = None) -> None:
    for message in session.scalars(select(Message)):
        session.add(
            DeliveryEvent(message_id=message.id, status=status, error_code=code, received_at=at)
        )
    session.flush()


def a_month(session: Session, clinic: Clinic) -> Enrolment:
    """Fill a clinic with one of everything that the page counts."""
    enrolment = enrolled(session, clinic, days_ago=91)
    note(session, enrolment, EnrolmentStatus.ACTIVE, enrolment.starts_on)
    text(session, session.get_one(Patient, enrolment.patient_id), MessageStatus.SENT)
    for message in session.scalars(select(Message)):
        message.calling_at = message.accepted_at = noon(IN_IT)
    concern(session, clinic, minutes=None, age=timedelta(days=5))
    concern(session, clinic, minutes=3, age=timedelta(days=4))
    visits_imported(session, clinic, DAY)
    out_of_care = enrolled(session, clinic, days_ago=90)
    visit(session, out_of_care, -400, noon(IN_IT))
    return enrolment


def visit(session: Session, enrolment: Enrolment, days_after: int, recorded_at: datetime) -> None:
    day = enrolment.starts_on + timedelta(days=days_after)
    session.add(
        Visit(
            clinic_id=enrolment.clinic_id,
            patient_id=enrolment.patient_id,
            took_place_on=day,
            at=noon(day),
            kind=VisitKind.IN_PERSON,
            external_key=f"csv:{day}",
            recorded_at=recorded_at,
        )
    )
    session.flush()


def test_what_comes_later_does_not_count(session: Session) -> None:
    clinic = make_clinic(session)
    enrolment = a_month(session, clinic)
    before = as_of(session, clinic)
    assert before == as_of(session, clinic, now=NOW + timedelta(days=1))
    told = {each: (of.numerator, of.denominator) for each, of in before.figures.items()}

    reported(session, "delivered", LATER)
    reported(session, "failed", LATER + timedelta(minutes=1), 30007)
    for message in session.scalars(select(Message)):
        message.status, message.failure = MessageStatus.FAILED, "30007"
    waiting, closed = session.scalars(select(Concern).order_by(Concern.id))
    waiting.status, waiting.acknowledged_at = ConcernStatus.ACKNOWLEDGED, LATER
    step(session, waiting, StepKind.ACKNOWLEDGED, LATER)
    closed.status, closed.acknowledged_at = ConcernStatus.OPEN, None
    step(session, closed, StepKind.REOPENED, LATER)
    for each in session.scalars(select(Enrolment)):
        visit(session, each, 30, LATER)
    note(session, enrolment, EnrolmentStatus.DIED, LATER.date())
    enrolment.status, enrolment.status_at = EnrolmentStatus.DIED, LATER
    late = make_patient(session, clinic, phone=None)
    make_enrolment(session, late, starts_on=IN_IT - timedelta(days=91), enrolled_at=LATER)

    assert as_of(session, clinic) == before
    assert told[ServiceMeasure.STAYED_3] == (2, 2)
    assert told[ServiceMeasure.DELIVERED] == (0, 1)
    assert told[ServiceMeasure.IN_TIME] == (1, 2)
    assert told[ServiceMeasure.CLOSED] == (1, 2)
    assert told[ServiceMeasure.RETURNED_90] == (0, 1)


def test_what_the_carrier_had_reported_by_then_counts(session: Session) -> None:
    clinic = make_clinic(session)
    a_month(session, clinic)
    reported(session, "delivered", noon(IN_IT))

    delivered = as_of(session, clinic).figures[ServiceMeasure.DELIVERED]

    assert (delivered.numerator, delivered.denominator) == (1, 1)


def test_a_text_that_had_failed_by_then_is_counted_by_its_reason(session: Session) -> None:
    clinic = make_clinic(session)
    a_month(session, clinic)
    reported(session, "failed", noon(IN_IT), 30007)

    found = as_of(session, clinic)

    refused = {
        code: (found.figures[measure].numerator, found.figures[measure].denominator)
        for measure, code in service.CODES.items()
    }
    assert refused == {"21610": (0, 1), "30007": (1, 1), "30034": (0, 1)}
    assert found.figures[ServiceMeasure.DELIVERED].denominator == 0


def test_the_page_carries_the_day_to_its_lists(sessions: Sessions, client: FlaskClient) -> None:
    with sessions.begin() as session:
        clinic = make_clinic(session)
        a_month(session, clinic)
        manager = manager_of(session, clinic)
    sign_in(client, manager)
    days = f"from_on={PERIOD.from_on}&until_on={PERIOD.until_on - timedelta(days=2)}"

    page = client.get(f"/reports/around?{days}&as_of=2026-11-20").text

    assert "as of the end of" in page
    link = page[page.index("/reports/around/patients") :].partition('"')[0].replace("&amp;", "&")
    assert "as_of=2026-11-20" in link
    assert "as of the end of" in client.get(link).text
