"""A clinic with a patient whom nobody reaches."""

from datetime import timedelta

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from outreach.accounts.rules import Role
from outreach.calls.rules import Outcome
from outreach.orm import Sessions
from outreach.planning.jobs import follow_silences
from outreach.planning.models import FollowUp
from outreach.planning.rules import CallStatus, FollowUpKind
from outreach.welfare.rules import StepKind
from tests.builders import (
    make_attempt,
    make_clinic,
    make_enrolment,
    make_patient,
    make_planned_call,
    make_staff,
)
from tests.conftest import HASH
from tests.fakes import FakeClock

DAY = timedelta(days=1)


class Ward:
    """A patient last spoken with on the day before, and everybody of the clinic."""

    def __init__(self, sessions: Sessions, client: FlaskClient, clock: FakeClock) -> None:
        self.sessions, self.client, self.clock = sessions, client, clock
        with sessions.begin() as session:
            self.clinic = make_clinic(session)
            self.caller = make_staff(session, self.clinic, password_hash=HASH)
            self.nurse = make_staff(session, self.clinic, Role.NURSE, password_hash=HASH)
            self.manager = make_staff(session, self.clinic, Role.MANAGER, password_hash=HASH)
            self.elsewhere = make_staff(
                session, make_clinic(session), Role.NURSE, password_hash=HASH
            )
            self.rosa = make_patient(session, self.clinic, is_welfare_check_agreed=True)
        self.add(self.rosa.id)

    def add(self, patient_id: int) -> None:
        with self.sessions.begin() as session:
            patient = session.get_one(type(self.rosa), patient_id)
            starts_on = self.clock().date() - timedelta(weeks=10)
            enrolment = make_enrolment(session, patient, caller=self.caller, starts_on=starts_on)
            spoken = make_planned_call(
                session, enrolment, starts_on, status=CallStatus.COMPLETED, closed_at=self.clock()
            )
            make_attempt(session, spoken, self.caller, at=self.clock() - DAY)
            call = make_planned_call(session, enrolment, self.clock().date())
            make_attempt(session, call, self.caller, Outcome.NO_ANSWER, at=self.clock())

    def be_silent(self, days: int = 45) -> None:
        self.clock.advance(days * DAY)
        follow_silences(self.sessions, self.clock)

    def check_of(self) -> FollowUp:
        with self.sessions() as session:
            return session.scalars(
                select(FollowUp).where(FollowUp.kind == FollowUpKind.WELFARE_CHECK)
            ).one()

    def checks(self) -> int:
        with self.sessions() as session:
            found = session.scalars(
                select(FollowUp).where(FollowUp.kind == FollowUpKind.WELFARE_CHECK)
            )
            return len(found.all())

    def step(self, kind: StepKind, note: str = "Nobody there") -> int:
        path = f"/welfare/{self.check_of().id}/steps"
        return self.client.post(path, data={"kind": kind.value, "note": note}).status_code

    def close(self, outcome: str, note: str = "Told by her daughter") -> int:
        path = f"/welfare/{self.check_of().id}/close"
        return self.client.post(path, data={"outcome": outcome, "note": note}).status_code

    def name_contact(self, **answers: str) -> int:
        data = {"name": "Luz", "relation": "daughter", "phone": "512 555 0142", **answers}
        return self.client.post(f"/welfare/contact/{self.rosa.ref}", data=data).status_code


@pytest.fixture
def ward(sessions: Sessions, client: FlaskClient, clock: FakeClock) -> Ward:
    return Ward(sessions, client, clock)
