"""A clinic with a patient, their caller and a nurse."""

from collections.abc import Mapping
from datetime import date

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from outreach.accounts.models import Clinic, StaffMember
from outreach.accounts.rules import Role
from outreach.concerns.models import Concern
from outreach.concerns.rules import ConcernKind, Urgency
from outreach.measures.models import Reading
from outreach.orm import Sessions
from outreach.patients.models import Patient
from tests.builders import make_clinic, make_enrolment, make_patient, make_staff
from tests.conftest import HASH


class Ward:
    """What every test here begins with."""

    def __init__(self, sessions: Sessions, client: FlaskClient) -> None:
        self.sessions, self.client = sessions, client
        with sessions.begin() as session:
            self.clinic: Clinic = make_clinic(session)
            self.caller: StaffMember = make_staff(session, self.clinic, password_hash=HASH)
            self.nurse: StaffMember = make_staff(
                session, self.clinic, Role.NURSE, password_hash=HASH
            )
            self.manager: StaffMember = make_staff(
                session, self.clinic, Role.MANAGER, password_hash=HASH
            )
            self.rosa: Patient = make_patient(session, self.clinic)
            make_enrolment(session, self.rosa, caller=self.caller, starts_on=date(2026, 11, 23))

    def enter(self, answers: Mapping[str, object], *, form_key: str = "page") -> int:
        data = {"form_key": form_key, "on": "2026-11-23", "at": "09:30", **answers}
        return self.client.post(f"/patients/{self.rosa.ref}/readings/new", data=data).status_code

    def correct(self, reading: Reading, **answers: str) -> int:
        data = {"on": "2026-11-23", "at": "09:30", "unit": reading.entered_unit, **answers}
        path = f"/patients/{self.rosa.ref}/readings/{reading.id}/correct"
        return self.client.post(path, data=data).status_code

    def readings(self) -> list[Reading]:
        with self.sessions() as session:
            return list(session.scalars(select(Reading).order_by(Reading.id)))

    def concerns(self) -> list[tuple[ConcernKind, Urgency]]:
        with self.sessions() as session:
            rows = session.execute(select(Concern.kind, Concern.urgency).order_by(Concern.id))
            return [(kind, urgency) for kind, urgency in rows]


@pytest.fixture
def ward(sessions: Sessions, client: FlaskClient) -> Ward:
    return Ward(sessions, client)
