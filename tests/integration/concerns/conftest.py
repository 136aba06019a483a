"""A clinic with a caller on the line, and the people around who may be told."""

from dataclasses import dataclass

import pytest
from sqlalchemy import select

from outreach.accounts.models import Clinic, StaffMember
from outreach.accounts.rules import Role
from outreach.concerns.models import Concern, ConcernStep
from outreach.concerns.rules import StepKind
from outreach.orm import Sessions
from outreach.patients.models import Patient
from tests.builders import (
    make_clinic,
    make_enrolment,
    make_on_call,
    make_patient,
    make_planned_call,
    make_staff,
)
from tests.conftest import HASH

NURSES_NUMBER = "+15125550111"


@dataclass
class Line:
    """A caller with a call due now, a nurse on call, and a second nurse."""

    sessions: Sessions
    clinic: Clinic
    caller: StaffMember
    nurse: StaffMember
    second: StaffMember
    manager: StaffMember
    patient: Patient

    @property
    def call(self) -> str:
        return f"/calls/{self.patient.ref}"

    @property
    def raising(self) -> str:
        return f"/safety/{self.patient.ref}/raise"

    def concerns(self) -> list[Concern]:
        with self.sessions() as session:
            return list(session.scalars(select(Concern).order_by(Concern.id)))

    def steps(self) -> list[tuple[StepKind, str]]:
        with self.sessions() as session:
            found = session.scalars(select(ConcernStep).order_by(ConcernStep.id))
            return [(step.kind, step.note) for step in found]


@pytest.fixture
def line(sessions: Sessions) -> Line:
    with sessions.begin() as session:
        clinic = make_clinic(session)
        caller = make_staff(session, clinic, password_hash=HASH)
        nurse, second = (
            make_staff(session, clinic, Role.NURSE, name=name, phone=phone, password_hash=HASH)
            for name, phone in (("Nadia Brooks", NURSES_NUMBER), ("Sue Ortega", None))
        )
        manager = make_staff(session, clinic, Role.MANAGER, name="Mark Ellison", password_hash=HASH)
        make_on_call(session, clinic, nurse)
        patient = make_patient(session, clinic, given_name="Lena", family_name="Ortiz")
        make_planned_call(session, make_enrolment(session, patient, caller=caller))
        return Line(sessions, clinic, caller, nurse, second, manager, patient)
