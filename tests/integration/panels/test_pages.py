"""The panels page, and changing one patient's caller."""

from typing import NamedTuple

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from outreach.accounts.models import Clinic, StaffMember
from outreach.accounts.rules import Role
from outreach.db import db
from outreach.orm import Sessions
from outreach.panels import assignment
from outreach.panels.models import CallerProfile, PanelMembership
from outreach.patients.models import Patient
from outreach.programmes.models import Enrolment
from outreach.programmes.rules import EnrolmentStatus
from tests.builders import make_clinic, make_enrolment, make_patient, make_staff
from tests.conftest import HASH, sign_in
from tests.counting import statements
from tests.fakes import FakeClock


class Place(NamedTuple):
    clinic: Clinic
    manager: StaffMember
    caller: StaffMember
    patient: Patient
    enrolment: Enrolment


@pytest.fixture
def place(sessions: Sessions) -> Place:
    with sessions.begin() as session:
        clinic = make_clinic(session)
        manager = make_staff(session, clinic, Role.MANAGER, password_hash=HASH)
        caller = make_staff(session, clinic, password_hash=HASH, name="Ana Lima")
        patient = make_patient(session, clinic, given_name="Rosa", family_name="Silva")
        return Place(clinic, manager, caller, patient, make_enrolment(session, patient))


def _current_caller(sessions: Sessions, enrolment: Enrolment) -> int | None:
    with sessions() as session:
        return session.scalar(
            select(PanelMembership.caller_id).where(
                PanelMembership.enrolment_id == enrolment.id, PanelMembership.until_at.is_(None)
            )
        )


def _answers(place: Place) -> dict[str, str]:
    return {"pick": str(place.enrolment.id), f"caller-{place.enrolment.id}": str(place.caller.id)}


def test_suggests_a_caller_and_assigns_at_one_press(
    client: FlaskClient, sessions: Sessions, place: Place
) -> None:
    sign_in(client, place.manager)

    page = client.get("/panels/").text
    answer = client.post("/panels/", data=_answers(place))

    assert "Rosa Silva" in page
    assert "Assign 1 patient" in page
    assert answer.status_code == 302
    assert _current_caller(sessions, place.enrolment) == place.caller.id
    assert "Everybody has a caller" in client.get("/panels/").text


def test_says_why_nobody_is_suggested(
    client: FlaskClient, sessions: Sessions, place: Place
) -> None:
    with sessions.begin() as session:
        make_enrolment(session, make_patient(session, place.clinic, language="vi"))
        session.get_one(CallerProfile, place.caller.id).panel_cap = 0
    sign_in(client, place.manager)

    page = client.get("/panels/").text

    assert "Nobody here speaks this language." in page
    assert "Everybody who speaks this language has a full panel." in page


def test_a_stale_page_is_refused_and_keeps_the_other_choices(
    client: FlaskClient, sessions: Sessions, place: Place, clock: FakeClock
) -> None:
    with sessions.begin() as session:
        other = make_staff(session, place.clinic)
        free = make_enrolment(session, make_patient(session, place.clinic))
        taken = {place.enrolment.id: other.id}
        assignment.assign(session, taken, by_staff_id=None, now=clock())
    sign_in(client, place.manager)

    answer = client.post(
        "/panels/",
        data={
            "pick": [str(place.enrolment.id), str(free.id)],
            f"caller-{place.enrolment.id}": str(place.caller.id),
            f"caller-{free.id}": str(other.id),
        },
    )

    assert answer.status_code == 409
    assert "Somebody else chose a caller" in answer.text
    assert f'<option value="{other.id}" selected' in answer.text
    assert _current_caller(sessions, place.enrolment) == other.id
    assert _current_caller(sessions, free) is None


def test_going_above_the_cap_needs_its_tick(
    client: FlaskClient, sessions: Sessions, place: Place
) -> None:
    with sessions.begin() as session:
        session.get_one(CallerProfile, place.caller.id).panel_cap = 0
    sign_in(client, place.manager)

    refused = client.post("/panels/", data=_answers(place))
    wanted = client.post("/panels/", data={**_answers(place), "above_cap": "y"})

    assert refused.status_code == 422
    assert "Tick this to go above the cap" in refused.text
    assert wanted.status_code == 302
    assert _current_caller(sessions, place.enrolment) == place.caller.id


@pytest.mark.parametrize(
    ("answers", "words"),
    [
        ({}, "Tick at least one patient"),
        ({"pick": "{id}", "caller-{id}": ""}, "Every ticked patient needs a caller"),
    ],
)
def test_a_tick_without_a_caller_is_pointed_out(
    client: FlaskClient, place: Place, answers: dict[str, str], words: str
) -> None:
    sign_in(client, place.manager)
    data = {
        name.format(id=place.enrolment.id): value.format(id=place.enrolment.id)
        for name, value in answers.items()
    }

    answer = client.post("/panels/", data=data)

    assert answer.status_code == 422
    assert words in answer.text


def test_a_forged_caller_is_refused_beside_the_line(
    client: FlaskClient, sessions: Sessions, place: Place
) -> None:
    with sessions.begin() as session:
        stranger = make_staff(session, make_clinic(session))
    sign_in(client, place.manager)

    answer = client.post(
        "/panels/",
        data={"pick": str(place.enrolment.id), f"caller-{place.enrolment.id}": str(stranger.id)},
    )

    assert answer.status_code == 422
    assert "who works here and speaks the language" in answer.text
    assert _current_caller(sessions, place.enrolment) is None


def test_500_waiting_patients_make_a_page_of_100_in_as_many_statements(
    app: Flask, client: FlaskClient, sessions: Sessions, place: Place
) -> None:
    sign_in(client, place.manager)

    def seen() -> tuple[int, str]:
        with app.app_context(), statements(db.engine) as sent:
            text = client.get("/panels/").text
        return len(sent), text

    few, _page = seen()
    with sessions.begin() as session:
        for _each in range(500):
            make_enrolment(session, make_patient(session, place.clinic, phone=None))
    many, page = seen()

    assert many == few
    assert page.count('name="pick"') == 100
    assert "the 100 who have waited longest" in page
    assert "501" in page


def test_panels_of_another_clinic_do_not_exist(
    client: FlaskClient, sessions: Sessions, place: Place
) -> None:
    with sessions.begin() as session:
        elsewhere = make_clinic(session)
        caller = make_staff(session, elsewhere)
        enrolment = make_enrolment(session, make_patient(session, elsewhere))
    sign_in(client, place.manager)
    data = {"pick": str(enrolment.id), f"caller-{enrolment.id}": str(caller.id)}

    assert client.get(f"/panels/?clinic={elsewhere.code}").status_code == 404
    assert client.post(f"/panels/?clinic={elsewhere.code}", data=data).status_code == 404
    assert client.post("/panels/", data=data).status_code == 404
    assert _current_caller(sessions, enrolment) is None


def test_callers_and_nurses_have_no_panels_page(
    client: FlaskClient, sessions: Sessions, place: Place
) -> None:
    with sessions.begin() as session:
        nurse = make_staff(session, place.clinic, Role.NURSE, password_hash=HASH)

    for person in (place.caller, nurse):
        sign_in(client, person)
        assert client.get("/panels/").status_code == 404
        assert client.get(f"/patients/{place.patient.ref}/caller").status_code == 404


def _assigned(session: Session, place: Place) -> tuple[int, StaffMember]:
    membership = PanelMembership(
        clinic_id=place.clinic.id,
        patient_id=place.patient.id,
        enrolment_id=place.enrolment.id,
        caller_id=place.caller.id,
        from_at=place.enrolment.enrolled_at,
        reason="enrolled",
        note="",
    )
    session.add(membership)
    session.flush()
    return membership.id, make_staff(session, place.clinic, name="Iris Cole")


def test_a_manager_changes_the_caller_with_a_note(
    client: FlaskClient, sessions: Sessions, place: Place
) -> None:
    with sessions.begin() as session:
        membership_id, new = _assigned(session, place)
    sign_in(client, place.manager)
    url = f"/patients/{place.patient.ref}/caller"
    data = {"from_id": str(membership_id), "caller_id": str(new.id), "reason": "patient asked"}

    page = client.get(url).text
    missing = client.post(url, data=data)
    answer = client.post(url, data={**data, "note": "Ask about the garden."})
    stale = client.post(url, data={**data, "note": "Once more."})

    assert "Iris Cole, 0 of 20" in page
    assert missing.status_code == 422
    assert "Write what the new caller should know" in missing.text
    assert answer.status_code == 302
    assert _current_caller(sessions, place.enrolment) == new.id
    assert stale.status_code in (409, 422)


def test_a_first_caller_needs_no_reason(
    client: FlaskClient, sessions: Sessions, place: Place
) -> None:
    sign_in(client, place.manager)

    answer = client.post(
        f"/patients/{place.patient.ref}/caller", data={"caller_id": str(place.caller.id)}
    )

    assert answer.status_code == 302
    assert _current_caller(sessions, place.enrolment) == place.caller.id


def test_who_called_before_a_patient_left_and_came_back_sees_them_no_more(
    app: Flask, client: FlaskClient, sessions: Sessions, place: Place
) -> None:
    with sessions.begin() as session:
        former = make_staff(session, place.clinic, password_hash=HASH)
        ended = make_enrolment(
            session, place.patient, caller=former, status=EnrolmentStatus.WITHDRAWN
        )
    page = f"/patients/{place.patient.ref}"
    former_client = app.test_client()
    sign_in(former_client, former)
    assert former_client.get(page).status_code == 200

    sign_in(client, place.manager)
    client.post("/panels/", data=_answers(place))

    assert former_client.get(page).status_code == 404
    assert _current_caller(sessions, ended) is None
    assert _current_caller(sessions, place.enrolment) == place.caller.id
