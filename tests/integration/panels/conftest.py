"""A clinic with one of each, and the presses that panels pages are tested by."""

import re
from typing import NamedTuple

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.test import TestResponse

from outreach.accounts.models import Clinic, StaffMember
from outreach.accounts.rules import Role
from outreach.orm import Sessions
from outreach.panels.models import PanelMembership
from outreach.patients.models import Patient
from outreach.programmes.models import Enrolment
from tests.builders import make_clinic, make_enrolment, make_patient, make_staff
from tests.conftest import HASH


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


def current_caller(sessions: Sessions, enrolment: Enrolment) -> int | None:
    with sessions() as session:
        return session.scalar(
            select(PanelMembership.caller_id).where(
                PanelMembership.enrolment_id == enrolment.id, PanelMembership.until_at.is_(None)
            )
        )


def propose(client: FlaskClient, **page: str) -> str:
    """Press 'Propose callers' and return the page that follows."""
    answer = client.post("/panels/propose", data=page, follow_redirects=True)
    assert answer.status_code == 200
    return answer.text


def apply_(client: FlaskClient, page: str, **more: str) -> TestResponse:
    found = re.search(r'name="proposal_id"[^>]*value="(\d+)"', page)
    assert found
    seen = re.search(r'name="seen"[^>]*value="(\d+)"', page)
    assert seen
    data = {"proposal_id": found.group(1), "seen": seen.group(1), **more}
    return client.post("/panels/proposal/apply", data=data)


def keep_line(
    client: FlaskClient, line: str, *, caller_id: int, starts_on: str, seen: str | None = None
) -> TestResponse:
    """Choose for one line as its page is now, or as it was ``seen``."""
    data = {"caller_id": str(caller_id), "starts_on": starts_on}
    return client.post(
        line, data=data | {"seen": line_seen(client, line) if seen is None else seen}
    )


def line_seen(client: FlaskClient, line: str) -> str:
    found = re.search(r'name="seen"[^>]*value="([^"]*)"', client.get(line).text)
    assert found
    return found.group(1)
