"""Who looked at this patient: a system that read them is named, in a list too."""

from datetime import date, timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select, update

from outreach.access_keys.models import AccessKey
from outreach.accounts.models import StaffMember
from outreach.accounts.rules import Role
from outreach.audit import chain
from outreach.audit.jobs import link_events
from outreach.audit.models import AuditEvent
from tests.builders import make_patient, make_staff
from tests.conftest import HASH, sign_in
from tests.integration.fhir.conftest import House
from tests.integration.fhir.test_api import noted

DAYS = {"from_on": "2026-11-01", "until_on": "2026-12-31", "only_looks": "y"}


@pytest.fixture
def auditor(app: Flask, house: House) -> FlaskClient:
    with house.sessions.begin() as session:
        person: StaffMember = make_staff(session, None, Role.AUDITOR, password_hash=HASH)
    client = app.test_client()
    sign_in(client, person)
    return client


def looks_at(auditor: FlaskClient, **question: str) -> str:
    return auditor.post("/audit/", data=DAYS | question).text


def test_a_list_is_a_line_and_a_look_at_each_patient_whose_data_went_out(house: House) -> None:
    ids = [each.id for each in house.patients]

    house.ask("/Patient?_count=2")

    assert noted(house) == [
        ("listed patients", "fhir.Patient", None),
        ("looked at", "fhir.Patient", ids[0]),
        ("looked at", "fhir.Patient", ids[1]),
    ]


def test_who_looked_at_this_patient_names_the_system(house: House, auditor: FlaskClient) -> None:
    house.ask("/Patient?_count=2")
    house.ask(f"/Observation?patient={house.ref}")

    for number, events in (
        ("MRN-1", "2 events"),
        ("MRN-2", "1 event"),
        ("MRN-3", "Nobody did what"),
    ):
        page = looks_at(auditor, record_number=number)
        assert events in page
        assert ("Epic interface" in page) is (number != "MRN-3")
        assert ("record, through the API" in page) is (number != "MRN-3")
    assert "3 events" in looks_at(auditor, staff="epic")


def test_the_system_is_named_after_its_key_was_ended(house: House, auditor: FlaskClient) -> None:
    house.ask("/Patient")
    with house.sessions.begin() as session:
        session.execute(update(AccessKey).values(revoked_at=house.clock()))

    assert house.ask("/Patient").status_code == 401

    assert "Epic interface" in looks_at(auditor, record_number="MRN-3")
    assert len(noted(house)) == 4


def test_an_empty_page_notes_nobody_and_a_known_patient_without_records_a_look(
    house: House,
) -> None:
    last = house.patients[-1]

    assert house.found(f"/Patient?_after={last.ref}") == []
    assert house.found(f"/Observation?patient={last.ref}") == []

    assert noted(house) == [("looked at", "fhir.Observation", last.id)]


def test_a_whole_page_is_noted_in_one_statement_and_can_be_proved(house: House) -> None:
    with house.sessions.begin() as session:
        for number in range(120):
            make_patient(session, house.here, record_number=f"MANY-{number}")

    with house.statements() as asked:
        house.ask("/Patient?_count=100")

    assert len([each for each in asked if each.startswith("INSERT INTO audit_event")]) == 1
    with house.sessions() as session:
        looked = session.scalars(
            select(AuditEvent.patient_id).where(AuditEvent.action == "looked at")
        ).all()
        assert len(set(looked)) == len(looked) == 100
    link_events(house.sessions)
    with house.sessions() as session:
        proof = chain.prove(session)
        assert (proof.broken, proof.unlinked) == (None, 0)


def test_a_key_that_ended_between_two_pages_reads_no_more(house: House) -> None:
    first = house.ask("/Patient?_count=1").json
    house.clock.now += timedelta(days=366)

    following = first["link"][1]["url"].removeprefix("http://localhost/fhir")

    assert house.clock().date() > date(2027, 11, 23)
    assert house.ask(following).status_code == 401
    assert len(noted(house)) == 2
