"""Numbers, and consent to texts: appended to, per number."""

from typing import NamedTuple

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from outreach.accounts.models import Clinic, StaffMember
from outreach.accounts.rules import Role
from outreach.audit.models import AuditEvent
from outreach.orm import Sessions
from outreach.patients import consent, registry
from outreach.patients.models import Patient
from outreach.patients.rules import Channel, ConsentSource, ConsentTopic
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


def _held(sessions: Sessions, patient_id: int, number: str) -> frozenset[ConsentTopic]:
    with sessions() as session:
        return consent.held(session, patient_id, Channel.SMS, number)


def test_consent_is_appended_never_overwritten(
    client: FlaskClient, sessions: Sessions, place: Place
) -> None:
    sign_in(client, place.caller)
    url = f"/patients/{place.patient.ref}/texts"

    for topics in ([], ["reminders"]):
        assert client.post(url, data={"topics": topics, "source": "call"}).status_code == 302

    with sessions() as session:
        ledger = consent.ledger(session, place.patient.id)
    assert [event.is_given for event in ledger] == [True, False, True]
    assert ledger[0].source is ConsentSource.CALL
    assert ledger[0].by_staff_id == place.caller.id


def test_a_stop_to_calls_of_one_number_and_its_end_are_each_a_line_of_the_ledger(
    client: FlaskClient, sessions: Sessions, place: Place
) -> None:
    sign_in(client, place.caller)
    url = f"/patients/{place.patient.ref}/texts"
    said = {"topics": ["reminders"], "source": "web"}

    for calls in ("no", "no", "", "yes"):
        assert client.post(url, data=said | {"calls": calls}).status_code == 302
        page = client.get(f"/patients/{place.patient.ref}").text
        assert ("no calls: they said stop" in page) is (calls != "yes")

    with sessions() as session:
        ledger = consent.ledger(session, place.patient.id)
        of_calls = [each for each in ledger if each.channel is Channel.CALL]
        assert consent.is_given(session, place.patient.id, Channel.SMS, of_calls[0].number)
    assert [each.is_given for each in of_calls] == [True, False]
    assert {each.source for each in of_calls} == {ConsentSource.WEB}
    assert {each.by_staff_id for each in of_calls} == {place.caller.id}


def test_each_topic_is_agreed_to_by_itself(
    client: FlaskClient, sessions: Sessions, place: Place
) -> None:
    sign_in(client, place.caller)
    url = f"/patients/{place.patient.ref}/texts"
    with sessions() as session:
        number = registry.numbers_of(session, place.patient.id)[0].e164

    client.post(url, data={"topics": ["missed-call notes", "surveys"], "source": "form"})
    some = _held(sessions, place.patient.id, number)
    client.post(url, data={"topics": ["surveys"], "source": "form"})
    page = client.get(url).text

    assert some == {ConsentTopic.MISSED_NOTES, ConsentTopic.SURVEYS}
    assert _held(sessions, place.patient.id, number) == {ConsentTopic.SURVEYS}
    assert "What to read out" in page
    assert place.caller.name in page
    assert page.count("checked") == 1


def test_what_can_not_be_chosen_is_refused(client: FlaskClient, place: Place) -> None:
    sign_in(client, place.caller)
    url = f"/patients/{place.patient.ref}/texts"

    unsaid = client.post(url, data={"topics": ["surveys"]})
    strange = client.post(url, data={"topics": ["calls"], "source": "form"})

    assert (unsaid.status_code, strange.status_code) == (422, 422)
    assert "Choose how they said so." in unsaid.text


def test_a_number_of_somebody_else_can_not_be_named(
    client: FlaskClient, sessions: Sessions, place: Place
) -> None:
    with sessions.begin() as session:
        other = make_patient(session, make_clinic(session), phone="+15125550199")
        number_id = registry.numbers_of(session, other.id)[0].id
    sign_in(client, place.caller)

    url = f"/patients/{place.patient.ref}/texts?number={number_id}"
    answer = client.post(url, data={"topics": ["reminders"], "source": "call"})

    assert answer.status_code == 404
    with sessions() as session:
        assert consent.ledger(session, other.id) == []


def test_a_number_that_two_patients_have_is_said(
    client: FlaskClient, sessions: Sessions, place: Place
) -> None:
    with sessions.begin() as session:
        number = registry.numbers_of(session, place.patient.id)[0].e164
        clinic = session.get_one(Clinic, place.patient.clinic_id)
        make_patient(session, clinic, phone=number)
        make_patient(session, make_clinic(session), phone=number)
    sign_in(client, place.caller)

    page = client.get(f"/patients/{place.patient.ref}/texts").text

    assert "1 other patient has this number too." in page


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
