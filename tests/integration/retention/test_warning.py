"""Managers are told whom the schedule anonymises soon, by name, in time to take a copy or hold."""

from datetime import timedelta

import pytest
from flask.testing import FlaskClient

from outreach.accounts.rules import Role
from outreach.orm import Sessions
from tests.builders import make_patient, make_staff
from tests.conftest import HASH, sign_in
from tests.fakes import FakeClock
from tests.integration.retention.conftest import LATER, SECRET, THEN, House

DUE = LATER - timedelta(days=30)  # the seven years are over by then
WORDS = "whose data are anonymised within 90 days"


@pytest.fixture
def manager(house: House, client: FlaskClient, sessions: Sessions, clock: FakeClock) -> FlaskClient:
    with sessions.begin() as session:
        person = make_staff(session, house.clinic, Role.MANAGER, password_hash=HASH)
        make_patient(session, house.clinic, family_name="Newcomer", created_at=DUE)
    clock.now = DUE - timedelta(days=100)
    sign_in(client, person)
    return client


def test_whoever_is_due_soon_is_named_on_the_page_and_counted_on_today(
    house: House, manager: FlaskClient, clock: FakeClock
) -> None:
    assert SECRET not in manager.get("/retention/").text
    assert WORDS not in manager.get("/reports/today").text

    clock.now = DUE - timedelta(days=45)
    page_of = manager.application.test_client()
    with house.sessions.begin() as session:
        again = make_staff(session, house.clinic, Role.MANAGER, password_hash=HASH)
    sign_in(page_of, again)
    page = page_of.get("/retention/").text

    assert f"/retention/patients/{house.patient.ref}" in page
    assert f"/retention/patients/{house.neighbour.ref}" in page
    assert "Newcomer" not in page
    assert WORDS in page_of.get("/reports/today").text


def test_a_clinic_that_never_anonymises_warns_of_nobody(
    house: House, client: FlaskClient, sessions: Sessions, clock: FakeClock
) -> None:
    clock.now = DUE - timedelta(days=45)
    with sessions.begin() as session:
        person = make_staff(session, house.clinic, Role.MANAGER, password_hash=HASH)
    sign_in(client, person)
    client.post("/retention/years", data={"years": ""})

    assert SECRET not in client.get("/retention/").text
    assert WORDS not in client.get("/reports/today").text
    assert clock.now > THEN
