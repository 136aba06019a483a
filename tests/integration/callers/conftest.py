"""One clinic with a manager and three callers, the first of whom has two patients."""

from typing import NamedTuple

import pytest

from outreach.accounts.models import Clinic, StaffMember
from outreach.accounts.rules import Role
from outreach.orm import Sessions
from outreach.patients.models import Patient
from outreach.programmes.models import Enrolment
from tests.builders import (
    make_clinic,
    make_enrolment,
    make_patient,
    make_planned_call,
    make_staff,
)
from tests.conftest import HASH


class Place(NamedTuple):
    clinic: Clinic
    manager: StaffMember
    ana: StaffMember
    ben: StaffMember
    carla: StaffMember
    rosa: Patient
    rosas: Enrolment
    sam: Patient
    sams: Enrolment


@pytest.fixture
def place(sessions: Sessions) -> Place:
    """Ana (en, es) calls Rosa (es) and Sam (en); Ben speaks en, Carla en and es."""
    with sessions.begin() as session:
        clinic = make_clinic(session)
        manager = make_staff(session, clinic, Role.MANAGER, password_hash=HASH, name="Mark Ellis")
        both = ("en", "es")
        ana = make_staff(session, clinic, name="Ana Lima", languages=both, password_hash=HASH)
        ben = make_staff(session, clinic, name="Ben Ode", password_hash=HASH)
        carla = make_staff(session, clinic, name="Carla Diaz", languages=both, password_hash=HASH)
        rosa = make_patient(session, clinic, given_name="Rosa", family_name="Avila", language="es")
        sam = make_patient(session, clinic, given_name="Sam", family_name="Brook")
        rosas = make_enrolment(session, rosa, caller=ana)
        sams = make_enrolment(session, sam, caller=ana)
        make_planned_call(session, rosas)
        make_planned_call(session, sams)
        return Place(clinic, manager, ana, ben, carla, rosa, rosas, sam, sams)
