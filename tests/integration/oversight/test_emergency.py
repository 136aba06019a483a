"""Administrators see no patient but those they opened with a reason, and managers see that."""

from dataclasses import replace
from datetime import timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient

from config import Config
from outreach.accounts.models import Membership, StaffMember
from outreach.accounts.rules import Role
from outreach.orm import Sessions
from tests.builders import make_clinic, make_patient, make_staff
from tests.conftest import HASH, sign_in
from tests.fakes import FakeClock

REASON = "Patient complains about calls at night"


@pytest.fixture
def config(config: Config) -> Config:
    return replace(config, administrators_need_reason=True)


class House:
    """Two patients of a clinic, an administrator, its manager and another clinic's."""

    def __init__(self, sessions: Sessions) -> None:
        with sessions.begin() as session:
            here = make_clinic(session, code="HERE")
            there = make_clinic(session, code="THERE")
            self.boss = make_staff(session, None, Role.ADMINISTRATOR, password_hash=HASH)
            self.manager = make_staff(session, here, Role.MANAGER, password_hash=HASH)
            self.stranger = make_staff(session, there, Role.MANAGER, password_hash=HASH)
            self.auditor = make_staff(session, here, Role.AUDITOR, password_hash=HASH)
            self.other_auditor = make_staff(session, there, Role.AUDITOR, password_hash=HASH)
            self.ref = make_patient(session, here, record_number="MRN-77").ref
            self.other_ref = make_patient(session, here, record_number="MRN-78").ref


@pytest.fixture
def house(sessions: Sessions) -> House:
    return House(sessions)


def signed_in(app: Flask, person: StaffMember) -> FlaskClient:
    client = app.test_client()
    sign_in(client, person)
    return client


def open_patient(client: FlaskClient, **deviations: str) -> int:
    data = {"clinic": "HERE", "record_number": "MRN-77", "reason": REASON}
    return client.post("/audit/emergency", data=data | deviations).status_code


def test_a_reason_opens_one_patient_for_an_hour(app: Flask, house: House, clock: FakeClock) -> None:
    boss = signed_in(app, house.boss)
    assert boss.get(f"/patients/{house.ref}").status_code == 404
    assert house.ref not in boss.get("/patients/").text

    assert open_patient(boss, reason="because") == 422
    assert open_patient(boss, record_number="MRN-00") == 422
    assert open_patient(boss) == 303

    assert boss.get(f"/patients/{house.ref}").status_code == 200
    assert boss.get(f"/patients/{house.other_ref}").status_code == 404
    for _quarter in range(4):
        clock.advance(timedelta(minutes=15) - timedelta(seconds=1))
        boss.get("/my-sign-in/")
    assert boss.get(f"/patients/{house.ref}").status_code == 200
    clock.advance(timedelta(seconds=5))
    assert boss.get(f"/patients/{house.ref}").status_code == 404


def test_managers_and_auditors_of_the_clinic_read_who_and_why(app: Flask, house: House) -> None:
    open_patient(signed_in(app, house.boss))

    for reader in (house.manager, house.auditor):
        page = signed_in(app, reader).get("/audit/emergency").text
        assert REASON in page
        assert house.boss.name in page
        assert "MRN-77" in page
    for stranger in (house.stranger, house.other_auditor):
        assert REASON not in signed_in(app, stranger).get("/audit/emergency").text


def test_an_auditor_opens_nobody(app: Flask, house: House) -> None:
    assert open_patient(signed_in(app, house.auditor)) == 403


def test_the_managers_of_the_clinic_are_told_on_their_first_page(
    app: Flask, house: House, clock: FakeClock
) -> None:
    words = "opened a patient with a reason"
    assert words not in signed_in(app, house.manager).get("/reports/today").text

    open_patient(signed_in(app, house.boss))

    assert words in signed_in(app, house.manager).get("/reports/today").text
    assert words not in signed_in(app, house.stranger).get("/reports/today").text
    clock.advance(timedelta(days=7, seconds=1))
    assert words not in signed_in(app, house.manager).get("/reports/today").text


def test_a_manager_opens_nobody_this_way(app: Flask, house: House) -> None:
    manager = signed_in(app, house.manager)

    assert "Open the patient" not in manager.get("/audit/emergency").text
    assert open_patient(manager) == 403


def test_where_an_administrator_is_also_a_nurse_that_role_goes_on(
    app: Flask, sessions: Sessions, house: House
) -> None:
    with sessions.begin() as session:
        clinic = make_clinic(session)
        patient = make_patient(session, clinic)
        both = make_staff(session, clinic, Role.NURSE, password_hash=HASH)
        session.add(
            Membership(
                staff_id=both.id,
                clinic_id=None,
                role=Role.ADMINISTRATOR,
                from_on=both.created_at.date(),
            )
        )
        ref = patient.ref
    client = signed_in(app, both)

    assert client.get(f"/patients/{ref}").status_code == 200
    assert client.get(f"/patients/{house.ref}").status_code == 404
