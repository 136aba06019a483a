"""On whose lists a patient stood, for who asks who could read their name."""

from datetime import UTC, datetime

import pytest
from flask import Flask

from outreach.accounts.models import StaffMember
from outreach.accounts.rules import Role
from outreach.orm import Sessions
from tests.builders import (
    make_absence,
    make_clinic,
    make_cover,
    make_enrolment,
    make_membership,
    make_patient,
    make_staff,
)
from tests.conftest import HASH, sign_in


class House:
    """Rosa was Ana's until March 10 and is Ben's since; Cleo stood in on the 20th and 21st."""

    def __init__(self, sessions: Sessions) -> None:
        with sessions.begin() as session:
            here, there = make_clinic(session, name="Here"), make_clinic(session, name="There")
            self.auditor = make_staff(session, here, Role.AUDITOR, password_hash=HASH)
            self.elsewhere = make_staff(session, there, Role.AUDITOR, password_hash=HASH)
            ana, ben, cleo = (
                make_staff(session, here, name=name) for name in ("Ana", "Ben", "Cleo")
            )
            rosa = make_patient(session, here, record_number="MRN-77")
            enrolment = make_enrolment(session, rosa)
            make_membership(session, enrolment, ana, from_at=march(1), until_at=march(10))
            make_membership(session, enrolment, ben, from_at=march(10))
            away = make_absence(session, ben, here.id, from_at=march(20), until_at=march(25))
            make_cover(session, away, enrolment, cleo, ended_at=march(22))
            other = make_enrolment(session, make_patient(session, here, record_number="MRN-78"))
            make_membership(session, other, make_staff(session, here, name="Dora"))


def march(day: int) -> datetime:
    return datetime(2026, 3, day, 18, tzinfo=UTC)  # noon in Chicago


@pytest.fixture
def house(sessions: Sessions) -> House:
    return House(sessions)


def told(app: Flask, reader: StaffMember, first: int, last: int, **asked: str) -> list[str]:
    """Return who is named as having had MRN-77 on their list in these days of March."""
    client = app.test_client()
    sign_in(client, reader)
    days = {"from_on": f"2026-03-{first:02}", "until_on": f"2026-03-{last:02}"}
    page = client.post("/audit/", data={"record_number": "MRN-77"} | days | asked).text
    _before, _heading, shown = page.partition('id="lists-head"')
    return [name for name in ("Ana", "Ben", "Cleo", "Dora") if name in shown]


@pytest.mark.parametrize(
    ("first", "last", "names"),
    [
        (1, 31, ["Ana", "Ben", "Cleo"]),
        (2, 9, ["Ana"]),
        (10, 10, ["Ana", "Ben"]),
        (11, 19, ["Ben"]),
        (20, 20, ["Ben", "Cleo"]),
        (23, 31, ["Ben"]),  # the stand-in was done before the absence was over
    ],
)
def test_whoever_had_a_patient_in_these_days_is_named(
    app: Flask, house: House, first: int, last: int, names: list[str]
) -> None:
    assert told(app, house.auditor, first, last) == names


def test_only_of_clinics_that_somebody_reads(app: Flask, house: House) -> None:
    assert told(app, house.elsewhere, 1, 31) == []


def test_of_one_person_where_one_is_asked_for(app: Flask, house: House) -> None:
    assert told(app, house.auditor, 1, 31, staff="Cleo") == ["Cleo"]
