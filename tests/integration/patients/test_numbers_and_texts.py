"""Numbers, and consent to texts: appended to, per number."""

from typing import NamedTuple

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from outreach.accounts.models import StaffMember
from outreach.accounts.rules import Role
from outreach.audit.models import AuditEvent
from outreach.orm import Sessions
from outreach.patients import consent, registry
from outreach.patients.models import Patient
from outreach.patients.rules import Channel, ConsentSource
from tests.builders import make_clinic, make_enrolment, make_patient, make_staff
from tests.conftest import HASH, sign_in


class Place(NamedTuple):
    caller: StaffMember
    patient: Patient


@pytest.fixture
def place(sessions: Sessions) -> Place:
    with sessions.begin() as session:
        clinic = make_clinic(session)
        caller = make_staff(session, clinic, password_hash=HASH)
        patient = make_patient(session, clinic, sms_consent=True)
        make_enrolment(session, patient, caller=caller)
        return Place(caller, patient)


def test_a_new_number_comes_first_and_without_consent(
    client: FlaskClient, sessions: Sessions, place: Place
) -> None:
    sign_in(client, place.caller)

    answer = client.post(f"/patients/{place.patient.ref}/numbers", data={"number": "303 555-0188"})

    assert answer.status_code == 302
    with sessions() as session:
        numbers = registry.numbers_of(session, place.patient.id)
        assert [number.e164 for number in numbers] == ["+13035550188", "+15125550147"]
        patient_id = place.patient.id
        assert not consent.is_given(session, patient_id, Channel.SMS, "+13035550188")
        assert consent.is_given(session, patient_id, Channel.SMS, "+15125550147")
        assert session.scalar(select(AuditEvent.action).order_by(AuditEvent.id.desc()).limit(1))


@pytest.mark.parametrize("typed", ["", "no idea", "555 01", "+1 000 000 0000"])
def test_what_is_no_number_stays_in_the_box(
    client: FlaskClient, sessions: Sessions, place: Place, typed: str
) -> None:
    sign_in(client, place.caller)

    answer = client.post(f"/patients/{place.patient.ref}/numbers", data={"number": typed})

    assert answer.status_code == 422
    assert f'value="{typed}"' in answer.text
    assert "Nothing was saved yet" in answer.text
    with sessions() as session:
        assert len(registry.numbers_of(session, place.patient.id)) == 1


def test_consent_is_appended_never_overwritten(
    client: FlaskClient, sessions: Sessions, place: Place
) -> None:
    with sessions() as session:
        number_id = registry.numbers_of(session, place.patient.id)[0].id
    sign_in(client, place.caller)
    url = f"/patients/{place.patient.ref}/texts"

    for is_given in ("no", "yes"):
        data = {"number_id": str(number_id), "is_given": is_given, "source": "call"}
        assert client.post(url, data=data).status_code == 302

    with sessions() as session:
        ledger = consent.ledger(session, place.patient.id)
    assert [event.is_given for event in ledger] == [True, False, True]
    assert ledger[0].source is ConsentSource.CALL
    assert ledger[0].by_staff_id == place.caller.id


def test_consent_needs_all_three_answers(client: FlaskClient, place: Place) -> None:
    sign_in(client, place.caller)

    answer = client.post(f"/patients/{place.patient.ref}/texts", data={"source": "form"})

    assert answer.status_code == 422
    assert "Choose yes or no." in answer.text
    assert 'value="form"' in answer.text
    assert "checked" in answer.text


def test_a_number_of_somebody_else_can_not_be_named(
    client: FlaskClient, sessions: Sessions, place: Place
) -> None:
    with sessions.begin() as session:
        other = make_patient(session, make_clinic(session), phone="+15125550199")
        number_id = registry.numbers_of(session, other.id)[0].id
    sign_in(client, place.caller)

    data = {"number_id": str(number_id), "is_given": "yes", "source": "call"}
    answer = client.post(f"/patients/{place.patient.ref}/texts", data=data)

    assert answer.status_code == 422
    with sessions() as session:
        assert consent.ledger(session, other.id) == []


def test_nurses_read_only(client: FlaskClient, sessions: Sessions, place: Place) -> None:
    with sessions.begin() as session:
        patient = session.get_one(Patient, place.patient.id)
        clinic = make_clinic(session)
        patient.clinic_id = clinic.id
        nurse = make_staff(session, clinic, Role.NURSE, password_hash=HASH)
    sign_in(client, nurse)

    assert client.get(f"/patients/{place.patient.ref}").status_code == 200
    for page in ("numbers", "texts", "details", "rhythm", "status", "caller"):
        assert client.get(f"/patients/{place.patient.ref}/{page}").status_code == 404
