"""Changing the caller of one patient."""

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from outreach.accounts.models import StaffMember
from outreach.orm import Sessions
from outreach.panels.models import CallerProfile, PanelMembership
from outreach.programmes.rules import EnrolmentStatus
from tests.builders import make_enrolment, make_staff
from tests.conftest import HASH, sign_in
from tests.integration.panels.conftest import Place, apply_, current_caller, propose


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
    assert current_caller(sessions, place.enrolment) == new.id
    assert stale.status_code in (409, 422)


def test_a_first_caller_needs_no_reason(
    client: FlaskClient, sessions: Sessions, place: Place
) -> None:
    sign_in(client, place.manager)

    answer = client.post(
        f"/patients/{place.patient.ref}/caller", data={"caller_id": str(place.caller.id)}
    )

    assert answer.status_code == 302
    assert current_caller(sessions, place.enrolment) == place.caller.id


def test_who_called_before_a_patient_left_and_came_back_sees_them_no_more(
    app: Flask, client: FlaskClient, sessions: Sessions, place: Place
) -> None:
    with sessions.begin() as session:
        former = make_staff(session, place.clinic, password_hash=HASH)
        ended = make_enrolment(
            session, place.patient, caller=former, status=EnrolmentStatus.WITHDRAWN
        )
        session.get_one(CallerProfile, former.id).trained_on = None  # so it goes to another
    page = f"/patients/{place.patient.ref}"
    former_client = app.test_client()
    sign_in(former_client, former)
    assert former_client.get(page).status_code == 200

    sign_in(client, place.manager)
    apply_(client, propose(client), above_cap="y")

    assert former_client.get(page).status_code == 404
    assert current_caller(sessions, ended) is None
    assert current_caller(sessions, place.enrolment) == place.caller.id
