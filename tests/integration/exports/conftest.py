"""A clinic whose manager asks for files, and the scheduler that writes them."""

import csv
import io
from dataclasses import dataclass
from datetime import date, timedelta

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from config import Config
from outreach.accounts.models import Clinic, StaffMember
from outreach.accounts.rules import Role
from outreach.calls.rules import Outcome
from outreach.concerns.models import Concern, ConcernStep
from outreach.concerns.rules import ConcernKind, ConcernStatus, StepKind, Urgency
from outreach.exports.jobs import write_exports
from outreach.exports.making import Place
from outreach.exports.models import Export
from outreach.measures.rules import MeasureKind
from outreach.orm import Sessions
from outreach.panels.models import PanelMembership
from outreach.patients.rules import Sex
from outreach.planning.rules import CallStatus
from outreach.programmes.models import Enrolment
from tests.builders import (
    make_attempt,
    make_clinic,
    make_enrolment,
    make_patient,
    make_planned_call,
    make_reading,
    make_staff,
)
from tests.conftest import HASH, sign_in
from tests.fakes import MONDAY_10_CHICAGO, FakeClock
from tests.integration.reports.histories import noon

NOW = MONDAY_10_CHICAGO
START = date(2026, 3, 2)


@dataclass
class House:
    """A clinic with 13 patients, its manager, and the scheduler that writes files."""

    client: FlaskClient
    sessions: Sessions
    clock: FakeClock
    place: Place
    clinic: Clinic
    manager: StaffMember

    def ask(self, content: str, ending: str, query: str = "", key: str = "key") -> int:
        data = {"content": content, "format": ending, "query": query, "form_key": key}
        return self.client.post("/exports/", data=data).status_code

    def ana(self, session: Session) -> StaffMember:
        """Return the caller of its patients."""
        return session.scalars(select(StaffMember).where(StaffMember.name == "Ana Lima")).one()

    def write(self) -> int:
        return write_exports(self.sessions, self.clock, self.place)

    def one(self) -> Export:
        with self.sessions() as session:
            return session.scalars(select(Export)).one()

    def taken(self) -> bytes:
        self.write()
        with self.client.get(f"/exports/{self.one().ref}/file") as answer:
            assert answer.status_code == 200, self.one().trouble
            return answer.data

    def rows(self) -> list[dict[str, str]]:
        return list(csv.DictReader(io.StringIO(self.taken().decode("utf-8-sig"))))


@pytest.fixture
def house(client: FlaskClient, sessions: Sessions, clock: FakeClock, config: Config) -> House:
    with sessions.begin() as session:
        clinic = make_clinic(session, code="NORTH", name="North")
        manager = make_staff(session, clinic, Role.MANAGER, password_hash=HASH)
        caller = make_staff(session, clinic, name="Ana Lima")
        for number in range(13):
            patient = make_patient(
                session, clinic, given_name=f"P{number:02d}", family_name="=HYPERLINK(1)",
                sex=Sex.FEMALE, date_of_birth=date(1900 if number == 0 else 1970, 2, 3),
            )  # fmt: skip
            enrolment = make_enrolment(
                session, patient, caller=caller, starts_on=NOW.date() - timedelta(days=60)
            )
            done = make_planned_call(
                session, enrolment, NOW.date() - timedelta(days=9), status=CallStatus.COMPLETED
            )
            make_attempt(session, done, caller, Outcome.NO_ANSWER)
            make_attempt(session, done, caller, note="secret words")
            make_reading(session, patient, value="9.5")
            make_reading(session, patient, MeasureKind.PHQ9_TOTAL, "12")
    sign_in(client, manager)
    place = Place(config.exports, timedelta(days=7), b"a key")
    return House(client, sessions, clock, place, clinic, manager)


@pytest.fixture
def full_house(house: House) -> House:
    """The house with patients measured at baseline, month 3 and month 6, and a call due today."""
    with house.sessions.begin() as session:
        clinic = session.merge(house.clinic)
        caller = make_staff(session, clinic)
        for _ in range(13):
            patient = make_patient(session, clinic, phone=None)
            enrolment = make_enrolment(session, patient, caller=caller, starts_on=START)
            for day, hba1c, phq9 in ((0, "9.8", "15"), (91, "8.2", "9"), (182, "7.4", "4")):
                at = noon(START + timedelta(days=day))
                for kind, value in (
                    (MeasureKind.HBA1C, hba1c),
                    (MeasureKind.PHQ9_TOTAL, phq9),
                ):
                    make_reading(session, patient, kind, value, taken_at=at, recorded_at=at)
        make_planned_call(session, enrolment, house.clock().date())
        _weigh_on(session, clinic, house.ana(session))
    return house


def _weigh_on(session: Session, clinic: Clinic, caller: StaffMember) -> None:
    """Give a caller a call that is due today, and a concern that they raised."""
    enrolment = session.scalars(
        select(Enrolment)
        .join(PanelMembership, PanelMembership.enrolment_id == Enrolment.id)
        .where(PanelMembership.caller_id == caller.id)
        .order_by(Enrolment.id)
    ).first()
    assert enrolment is not None
    make_planned_call(session, enrolment, NOW.date())
    concern = Concern(
        clinic_id=clinic.id, patient_id=enrolment.patient_id, kind=ConcernKind.SAFETY,
        urgency=Urgency.NOW, status=ConcernStatus.OPEN, raised_at=NOW - timedelta(days=9),
    )  # fmt: skip
    session.add(concern)
    session.flush()
    session.add(
        ConcernStep(
            concern_id=concern.id, kind=StepKind.RAISED, note="", by_staff_id=caller.id,
            at=concern.raised_at,
        )
    )  # fmt: skip
