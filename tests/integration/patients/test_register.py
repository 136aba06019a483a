"""The register: whose patients, found how, in how many statements."""

from datetime import UTC, datetime, timedelta
from typing import NamedTuple

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from outreach.accounts.models import Clinic, StaffMember
from outreach.accounts.rules import Role, Scope
from outreach.calls.rules import Outcome
from outreach.chart import register
from outreach.chart.register import Search
from outreach.chart.rules import Show
from outreach.db import db
from outreach.orm import Sessions
from outreach.planning.rules import CallStatus
from outreach.programmes.rules import EnrolmentStatus
from tests.builders import (
    make_attempt,
    make_clinic,
    make_enrolment,
    make_patient,
    make_planned_call,
    make_reading,
    make_staff,
)
from tests.conftest import HASH, sign_in
from tests.counting import statements
from tests.fakes import MONDAY_10_CHICAGO

NOW = MONDAY_10_CHICAGO


class Place(NamedTuple):
    clinic: Clinic
    elsewhere: Clinic
    manager: StaffMember
    caller: StaffMember


@pytest.fixture
def place(sessions: Sessions) -> Place:
    with sessions.begin() as session:
        clinic, elsewhere = make_clinic(session), make_clinic(session)
        manager = make_staff(session, clinic, Role.MANAGER, password_hash=HASH)
        caller = make_staff(session, clinic, password_hash=HASH, name="Ana Lima")
        mine = make_patient(session, clinic, given_name="Mia", family_name="Mine")
        make_enrolment(session, mine, caller=caller)
        theirs = make_patient(session, clinic, given_name="Theo", family_name="Theirs")
        make_enrolment(session, theirs)
        make_patient(session, elsewhere, given_name="Fay", family_name="Faraway")
        return Place(clinic, elsewhere, manager, caller)


def _names(session: Session, place: Place, search: Search) -> list[str]:
    scope = Scope(place.manager.id, everything=False, clinic_ids=frozenset({place.clinic.id}))
    found = register.page(session, scope, search, now=NOW)
    return [line.patient.full_name for line in found.lines]


def test_managers_see_their_clinic_and_callers_their_own_panel(
    client: FlaskClient, place: Place
) -> None:
    sign_in(client, place.manager)
    managed = client.get("/patients/").text
    sign_in(client, place.caller)
    own = client.get("/patients/").text

    assert "Mia Mine" in managed
    assert "Theo Theirs" in managed
    assert "Faraway" not in managed
    assert "Mia Mine" in own
    assert "Theirs" not in own


def test_a_search_never_leaves_the_scope_and_stays_in_its_box(
    client: FlaskClient, place: Place
) -> None:
    sign_in(client, place.caller)

    found = client.post("/patients/", data={"text": "MI", "show": "all"})
    outside = client.post("/patients/", data={"text": "Theo", "show": "all"})

    assert found.status_code == 200
    assert "Mia Mine" in found.text
    assert 'value="MI"' in found.text
    assert "Nobody found" in outside.text
    assert "Theirs" not in outside.text


def test_names_in_an_address_are_not_searched_for(client: FlaskClient, place: Place) -> None:
    sign_in(client, place.manager)

    page = client.get("/patients/?text=Mia").text

    assert "Theo Theirs" in page


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("mia", ["Mia Mine"]),
        ("MINE", ["Mia Mine"]),
        ("mine mi", ["Mia Mine"]),
        ("mia theirs", []),
        ("ia", []),
        ("%", []),
        ("lup", ["Guadalupe Ávila"]),
        ("ávi", ["Guadalupe Ávila"]),
        ("zz-", ["Guadalupe Ávila"]),
    ],
)
def test_finds_by_the_beginning_of_any_name_or_of_the_record_number(
    sessions: Sessions, place: Place, text: str, names: list[str]
) -> None:
    with sessions.begin() as session:
        make_patient(
            session,
            place.clinic,
            given_name="Guadalupe",
            family_name="Ávila",
            preferred_name="Lupe",
            record_number="ZZ-77",
        )

    with sessions() as session:
        assert _names(session, place, Search(text)) == names


def test_shows_those_who_wait_are_active_or_finished(sessions: Sessions, place: Place) -> None:
    with sessions.begin() as session:
        done = make_patient(session, place.clinic, given_name="Dan", family_name="Done")
        make_enrolment(session, done, status=EnrolmentStatus.COMPLETED)
        back = make_patient(session, place.clinic, given_name="Bea", family_name="Back")
        make_enrolment(session, back, status=EnrolmentStatus.WITHDRAWN)
        make_enrolment(session, back, caller=place.caller)

    with sessions() as session:
        waiting = _names(session, place, Search(show=Show.WAITING))
        active = _names(session, place, Search(show=Show.ACTIVE))
        finished = _names(session, place, Search(show=Show.FINISHED))

    assert waiting == ["Theo Theirs"]
    assert active == ["Bea Back", "Mia Mine", "Theo Theirs"]
    assert finished == ["Dan Done"]


def test_a_line_says_where_a_patient_stands(sessions: Sessions, place: Place) -> None:
    with sessions.begin() as session:
        patient = make_patient(session, place.clinic, given_name="Ada", family_name="Aaron")
        make_enrolment(session, patient, status=EnrolmentStatus.WITHDRAWN)
        enrolment = make_enrolment(
            session, patient, caller=place.caller, starts_on=NOW.date() - timedelta(days=8)
        )
        past = make_planned_call(session, enrolment, status=CallStatus.COMPLETED)
        reached_at = NOW - timedelta(days=2)
        make_attempt(session, past, place.caller, at=reached_at)
        make_attempt(session, past, place.caller, Outcome.NO_ANSWER, at=NOW - timedelta(days=1))
        open_call = make_planned_call(session, enrolment)
        old = make_reading(session, patient, value="9.9")
        make_reading(session, patient, value="8.1", taken_at=NOW - timedelta(days=9))
        wrong = make_reading(session, patient, value="18.0", taken_at=NOW - timedelta(days=1))
        make_reading(session, patient, value="7.9", taken_at=wrong.taken_at, supersedes_id=wrong.id)
        assert old.taken_at < wrong.taken_at

    with sessions() as session:
        here = frozenset({place.clinic.id})
        scope = Scope(place.caller.id, False, frozenset(), panel_clinic_ids=here)
        line = register.page(session, scope, Search("ada"), now=NOW).lines[0]

    assert line.enrolment is not None
    assert line.enrolment.id == enrolment.id
    assert (line.week, line.caller_name, line.age) == (2, "Ana Lima", 56)
    assert line.next_call is not None
    assert line.next_call.id == open_call.id
    assert line.last_reached_at == reached_at
    assert line.hba1c is not None
    assert str(line.hba1c[0].normalize()) == "7.9"


def test_50_a_page_in_as_many_statements_as_for_two(
    app: Flask, client: FlaskClient, sessions: Sessions, place: Place
) -> None:
    sign_in(client, place.manager)

    def seen(url: str) -> tuple[int, str]:
        with app.app_context(), statements(db.engine) as sent:
            text = client.get(url).text
        return len(sent), text

    few, _page = seen("/patients/")
    with sessions.begin() as session:
        for _each in range(60):
            patient = make_patient(session, place.clinic, family_name="Zed")
            enrolment = make_enrolment(session, patient, caller=place.caller)
            make_planned_call(session, enrolment)
            make_reading(session, patient, taken_at=datetime(2026, 11, 1, tzinfo=UTC))
    many, first = seen("/patients/")
    _count, second = seen("/patients/?page=2")

    assert many == few
    assert first.count("register__who") == 50
    assert second.count("register__who") == 12
    assert "page=2" in first
    assert "page=3" not in second


def test_pages_of_a_search_are_posted_too(
    client: FlaskClient, sessions: Sessions, place: Place
) -> None:
    with sessions.begin() as session:
        for _each in range(51):
            make_patient(session, place.clinic, family_name="Zed")
    sign_in(client, place.manager)

    first = client.post("/patients/", data={"text": "zed", "show": "all"}).text
    second = client.post("/patients/", data={"text": "zed", "show": "all", "page": "2"}).text

    assert 'form="search" name="page" value="2"' in first
    assert second.count("register__who") == 1


def test_an_administrator_sees_which_clinic(
    client: FlaskClient, sessions: Sessions, place: Place
) -> None:
    with sessions.begin() as session:
        admin = make_staff(session, None, Role.ADMINISTRATOR, password_hash=HASH)
    sign_in(client, admin)

    page = client.get("/patients/").text

    assert "Fay Faraway" in page
    assert place.elsewhere.name in page
