"""A clinic with somebody who left years ago, of whom everything is kept, and another."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from outreach import tables
from outreach.accounts.models import Clinic, EmergencyAccess, StaffMember
from outreach.accounts.rules import Actor, Role
from outreach.calls.models import CallNote
from outreach.calls.rules import Outcome
from outreach.goals import setting as goals
from outreach.goals.rules import GoalArea
from outreach.measures.rules import MeasureKind
from outreach.messaging.rules import MessageStatus
from outreach.orm import Model, Sessions
from outreach.patients.models import Anonymised, Patient, PhoneNumber
from outreach.patients.rules import Cause
from outreach.planning.rules import CallStatus
from outreach.programmes.rules import EnrolmentStatus
from outreach.retention import setting
from outreach.retention.jobs import anonymise_due
from outreach.retention.models import DeletionRequest, LegalHold
from outreach.retention.rules import AskedBy, Decision, Ground
from tests.builders import (
    actor_of,
    make_attempt,
    make_clinic,
    make_enrolment,
    make_patient,
    make_planned_call,
    make_promise,
    make_reading,
    make_staff,
)
from tests.integration.messaging.conftest import make_message
from tests.telephones import make_inbox_item, make_phone_call, make_returned_call

THEN = datetime(2026, 3, 2, 16, tzinfo=UTC)
LATER = datetime(2033, 10, 1, 3, tzinfo=UTC)
LEFT = datetime(2026, 9, 1, tzinfo=UTC)
SECRET = "Zebedee"
NUMBER = "+15125550147"


@dataclass
class House:
    """A clinic that keeps for 7 years; somebody with everything, who left in 2026, and another."""

    sessions: Sessions
    clinic: Clinic
    caller: StaffMember
    manager: Actor
    other_manager: Actor
    patient: Patient
    neighbour: Patient

    def run(self, at: datetime = LATER) -> int:
        return anonymise_due(self.sessions, lambda: at)

    def done(self) -> dict[int, Cause]:
        with self.sessions() as session:
            rows = session.execute(select(Anonymised.patient_id, Anonymised.cause)).all()
        return {row.patient_id: row.cause for row in rows}


@pytest.fixture
def house(sessions: Sessions) -> House:
    with sessions.begin() as session:
        clinic = make_clinic(session)
        caller = make_staff(session, clinic)
        managers = [make_staff(session, clinic, Role.MANAGER) for _ in range(2)]
        patient = make_patient(
            session, clinic, given_name=SECRET, family_name=SECRET, about=SECRET,
            record_number=f"{SECRET}-1", date_of_birth=date(1970, 6, 15), created_at=THEN,
            sms_consent=True,
        )  # fmt: skip
        neighbour = make_patient(session, clinic, created_at=THEN, sms_consent=True)
        for person in (patient, neighbour):
            _live(session, person, caller)
        actors = [actor_of(each, clinic, Role.MANAGER) for each in managers]
        setting.change(session, actors[0], clinic.id, 7, now=THEN)
    return House(sessions, clinic, caller, actors[0], actors[1], patient, neighbour)


def _live(session: Session, patient: Patient, caller: StaffMember) -> None:
    enrolment = make_enrolment(session, patient, caller=caller)
    call = make_planned_call(session, enrolment, status=CallStatus.COMPLETED)
    attempt = make_attempt(session, call, caller, at=THEN, outcome=Outcome.COMPLETED, minutes=12)
    session.add(
        CallNote(
            clinic_id=patient.clinic_id, patient_id=patient.id, attempt_id=attempt.id,
            by_staff_id=caller.id, text=f"{SECRET} walks", at=THEN,
        )
    )  # fmt: skip
    make_promise(session, patient, caller, text=f"Ask about {SECRET}")
    goals.set_goal(session, patient, GoalArea.OWN, SECRET, by_staff_id=caller.id, now=THEN)
    for month, value in ((2, "9.1"), (8, "7.2")):
        taken = datetime(2026, month, 1, 18, tzinfo=UTC)
        make_reading(
            session, patient, kind=MeasureKind.HBA1C, value=value, taken_at=taken,
            recorded_at=taken, reason=SECRET,
        )  # fmt: skip
    phone = make_phone_call(session, call, caller, asked_at=THEN, ended_at=THEN, heard_at=THEN)
    make_returned_call(session, phone, enrolment_id=enrolment.id, number=NUMBER)
    make_inbox_item(session, patient, at=THEN)
    number = session.scalars(
        select(PhoneNumber.e164).where(PhoneNumber.patient_id == patient.id)
    ).one()
    make_message(
        session, patient, to_number=number, body=f"Hello {SECRET}", created_at=THEN,
        send_after=THEN, status=MessageStatus.DELIVERED, cause=f"call {call.id}",
        calling_at=THEN + timedelta(hours=1),
    )  # fmt: skip
    enrolment.status, enrolment.status_at = EnrolmentStatus.COMPLETED, LEFT
    enrolment.status_reason = f"{SECRET} moved"


def everything(session: Session) -> str:
    """Return every cell of the database as one text, decrypted as the product reads it."""
    assert tables.ALL
    rows: list[str] = []
    for table in Model.metadata.sorted_tables:
        rows += map(repr, session.execute(select(table)))
    return "\n".join(rows)


def write_of(session: Session, house: House, patient: Patient) -> None:
    """Let a request be refused, a hold lifted and an administrator's look explained."""
    owned = {"clinic_id": house.clinic.id, "patient_id": patient.id}
    by = house.manager.staff_id
    session.add_all(
        [
            DeletionRequest(
                **owned, asked_by=AskedBy.PATIENT, asked_on=THEN.date(), note=f"{SECRET} wrote",
                noted_at=THEN, noted_by_id=by, decision=Decision.REFUSED,
                ground=Ground.RECORD_KEEPING, explanation=f"{SECRET} was told",
                decided_at=THEN, decided_by_id=house.other_manager.staff_id,
            ),
            LegalHold(
                **owned, reason=f"{SECRET} against us", placed_at=THEN, placed_by_id=by,
                lifted_at=THEN, lifted_by_id=by, lifting_reason=f"{SECRET} settled",
            ),
            EmergencyAccess(
                **owned, staff_id=by, reason=f"{SECRET} complained", from_at=THEN,
                until_at=THEN + timedelta(hours=1),
            ),
        ]
    )  # fmt: skip
    session.flush()
