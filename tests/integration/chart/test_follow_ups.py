"""Where people see whom calls don't get through to, and what they do about it."""

from datetime import date, timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select

from outreach.accounts.rules import Role
from outreach.audit.models import AuditEvent
from outreach.calls.rules import Outcome
from outreach.db import db
from outreach.orm import Sessions
from outreach.patients.models import PhoneNumber
from outreach.patients.rules import NumberHealth
from outreach.planning.models import FollowUp, Interruption, PlannedCall
from outreach.planning.rules import CallStatus, FollowUpKind
from outreach.programmes.models import Enrolment
from outreach.programmes.rules import EnrolmentStatus
from tests.builders import (
    make_attempt,
    make_clinic,
    make_enrolment,
    make_patient,
    make_planned_call,
    make_staff,
)
from tests.conftest import HASH, sign_in
from tests.counting import statements
from tests.fakes import MONDAY_10_CHICAGO as NOW
from tests.fakes import FakeClock

REVIEW, CHECK = FollowUpKind.REVIEW_TIMES, FollowUpKind.CONTACT_CHECK
LIST = "/patients/follow-ups/"


class Place:
    """A clinic with a patient whose calls don't get through, and people of two clinics."""

    def __init__(self, sessions: Sessions) -> None:
        self.sessions = sessions
        with sessions.begin() as session:
            self.here, there = make_clinic(session), make_clinic(session)
            self.caller = make_staff(session, self.here, name="Ana Morales", password_hash=HASH)
            self.manager = make_staff(session, self.here, Role.MANAGER, password_hash=HASH)
            self.nurse = make_staff(session, self.here, Role.NURSE, password_hash=HASH)
            self.stranger = make_staff(session, there, Role.MANAGER, password_hash=HASH)
        self.ids = [self.stuck() for _each in range(1)]

    def stuck(self) -> dict[FollowUpKind, int]:
        """Add a patient who was tried in vain; return both follow-ups."""
        with self.sessions.begin() as session:
            self.patient = make_patient(session, self.here)
            enrolment = make_enrolment(
                session, self.patient, caller=self.caller, starts_on=date(2026, 10, 1)
            )
            self.enrolment_id = enrolment.id
            spoken = make_planned_call(
                session, enrolment, date(2026, 10, 5), status=CallStatus.COMPLETED
            )
            make_attempt(session, spoken, self.caller)
            call = make_planned_call(session, enrolment)
            tried_at = NOW - timedelta(days=2)
            make_attempt(session, call, self.caller, Outcome.DISCONNECTED, at=tried_at)
            session.execute(
                PhoneNumber.__table__.update().values(health=NumberHealth.DISCONNECTED)  # type: ignore[attr-defined]
            )
            rows = [
                FollowUp(
                    clinic_id=self.here.id,
                    patient_id=self.patient.id,
                    enrolment_id=enrolment.id,
                    kind=kind,
                    reason=reason,
                    opened_at=NOW - timedelta(days=1),
                )
                for kind, reason in ((REVIEW, "missed in a row: 2"), (CHECK, "missed in a row: 3"))
            ]
            session.add_all(rows)
            session.flush()
            return {row.kind: row.id for row in rows}

    def of(self, kind: FollowUpKind) -> FollowUp:
        with self.sessions() as session:
            return session.get_one(FollowUp, self.ids[0][kind])

    def path(self, kind: FollowUpKind, more: str = "") -> str:
        return f"{LIST}{self.ids[0][kind]}{more}"


@pytest.fixture
def place(sessions: Sessions) -> Place:
    return Place(sessions)


def test_a_manager_sees_what_was_tried(place: Place, client: FlaskClient) -> None:
    sign_in(client, place.manager)

    page = client.get(LIST).text

    for words in (
        place.patient.full_name,
        "3 calls in a row were missed",
        "Ana Morales",
        "Mon, Oct 5",
        "disconnected",
        "(512) 555-0147",
    ):
        assert words in page


def test_the_list_takes_as_many_statements_for_ten_as_for_one(
    place: Place, client: FlaskClient, app: Flask
) -> None:
    sign_in(client, place.manager)

    def sent() -> int:
        with app.app_context(), statements(db.engine) as seen:
            assert client.get(LIST).status_code == 200
        return len(seen)

    few = sent()
    for _each in range(9):
        place.stuck()

    assert sent() == few


def test_a_contact_check_is_a_managers_and_a_review_the_callers(
    place: Place, client: FlaskClient
) -> None:
    sign_in(client, place.caller)

    assert client.get(LIST).status_code == 404
    assert client.post(place.path(CHECK, "/letter")).status_code == 404
    assert client.post(place.path(CHECK), data={"note": "mine"}).status_code == 403
    assert client.get(place.path(REVIEW)).status_code == 200
    assert client.post(place.path(REVIEW), data={"note": "evenings"}).status_code == 302

    assert place.of(CHECK).done_at is None
    review = place.of(REVIEW)
    assert (review.note, review.by_staff_id, review.done_at) == ("evenings", place.caller.id, NOW)


@pytest.mark.parametrize("more", ["", "/letter", "/unreachable"])
def test_outside_ones_clinics_nothing_is_there(
    place: Place, client: FlaskClient, more: str
) -> None:
    sign_in(client, place.stranger)

    assert client.post(place.path(CHECK, more), data={"note": "x"}).status_code == 404
    assert place.patient.full_name not in client.get(LIST).text
    assert place.of(CHECK).done_at is None


def test_a_letter_is_noted_once(place: Place, client: FlaskClient, clock: FakeClock) -> None:
    sign_in(client, place.manager)

    client.post(place.path(CHECK, "/letter"))
    clock.advance(timedelta(minutes=5))
    client.post(place.path(CHECK, "/letter"))

    assert place.of(CHECK).letter_at == NOW
    page = client.get(LIST).text
    assert "letter sent on" in page
    assert "Letter sent<" not in page


def test_done_needs_a_note_and_leaves_the_list(place: Place, client: FlaskClient) -> None:
    sign_in(client, place.manager)

    empty = client.post(place.path(CHECK), data={"note": "  "})
    assert empty.status_code == 422
    assert "Write what was done or learned." in empty.text
    done = client.post(place.path(CHECK), data={"note": "The daughter gave a new number"})

    assert done.location == LIST
    assert place.of(CHECK).note == "The daughter gave a new number"
    assert place.patient.full_name not in client.get(LIST).text
    assert client.post(place.path(CHECK), data={"note": "again"}).status_code == 409
    assert place.of(CHECK).note == "The daughter gave a new number"
    with place.sessions() as session:
        noted = select(func.count()).where(AuditEvent.action == "saw to follow-up")
        assert session.scalar(noted) == 1


def test_unreachable_stops_the_calls_and_bringing_back_plans_them(
    place: Place, client: FlaskClient
) -> None:
    sign_in(client, place.manager)

    client.post(place.path(CHECK, "/unreachable"))

    with place.sessions() as session:
        assert session.get_one(Enrolment, place.enrolment_id).status is (
            EnrolmentStatus.UNREACHABLE
        )
        open_calls = select(func.count()).where(PlannedCall.status == CallStatus.PLANNED)
        assert session.scalar(open_calls) == 0
    assert place.patient.full_name in client.get(LIST).text
    assert client.post(place.path(CHECK, "/unreachable")).status_code == 422

    back = {"seen": "unreachable", "status": "active", "reason": "rang back"}
    assert client.post(f"/patients/{place.patient.ref}/status", data=back).status_code == 302
    with place.sessions() as session:
        assert session.get_one(Enrolment, place.enrolment_id).status is EnrolmentStatus.ACTIVE
        assert session.scalar(open_calls) == 1


def test_the_call_screen_says_that_times_are_to_be_asked_for(
    place: Place, client: FlaskClient
) -> None:
    sign_in(client, place.caller)

    page = client.get(f"/calls/{place.patient.ref}").text

    assert "Missed twice: ask which times suit." in page
    assert place.path(REVIEW) in page
    assert "A manager checks how to reach" in page


def test_the_patients_page_shows_what_is_open(place: Place, client: FlaskClient) -> None:
    sign_in(client, place.manager)
    assert "Calls don't get through" in client.get(f"/patients/{place.patient.ref}").text

    client.post(place.path(CHECK), data={"note": "done"})
    client.post(place.path(REVIEW), data={"note": "done"})

    assert "Calls don't get through" not in client.get(f"/patients/{place.patient.ref}").text


def test_today_leads_to_them_and_tells_of_the_planners_absence_for_a_few_days(
    place: Place, client: FlaskClient, clock: FakeClock
) -> None:
    with place.sessions.begin() as session:
        away = Interruption(
            from_at=NOW - timedelta(days=3), until_at=NOW, moved=12, missed=3, planned=20
        )
        session.add(away)
    sign_in(client, place.manager)

    page = " ".join(client.get("/reports/today").text.split())
    assert LIST in page
    for words in (
        "The planner did not run from Fri, Nov 20, 10:00",
        "12 calls were moved, 3 count as missed, 20 were planned",
        "None was placed in the past.",
    ):
        assert words in page

    clock.advance(timedelta(days=4))
    sign_in(client, place.manager)
    assert "did not run" not in client.get("/reports/today").text
