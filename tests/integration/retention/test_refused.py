"""Nothing is typed about somebody who was anonymised: every page for it says so."""

import pytest
from flask.testing import FlaskClient

from outreach.accounts.rules import Role
from outreach.orm import Sessions
from outreach.patients.models import Anonymised
from outreach.patients.rules import Cause
from tests.builders import (
    make_clinic,
    make_enrolment,
    make_patient,
    make_planned_call,
    make_staff,
)
from tests.conftest import HASH, sign_in
from tests.fakes import MONDAY_10_CHICAGO

PAGES = [
    (Role.MANAGER, "GET", "/patients/{ref}/details"),
    (Role.MANAGER, "POST", "/patients/{ref}/details"),
    (Role.MANAGER, "POST", "/patients/{ref}/numbers"),
    (Role.MANAGER, "POST", "/patients/{ref}/texts"),
    (Role.MANAGER, "POST", "/patients/{ref}/goals/"),
    (Role.MANAGER, "POST", "/texts/{ref}"),
    (Role.CALLER, "GET", "/calls/{ref}"),
    (Role.CALLER, "POST", "/calls/{ref}/not-today"),
    (Role.NURSE, "POST", "/patients/{ref}/readings/new"),
    (Role.CALLER, "POST", "/calls/{ref}/ask/phq9"),
    (Role.NURSE, "POST", "/concerns/flags/{ref}"),
    (Role.NURSE, "POST", "/concerns/limits/{ref}"),
    (Role.NURSE, "POST", "/welfare/contact/{ref}"),
    (Role.ASSESSOR, "POST", "/assess/{ref}"),
    (Role.CALLER, "POST", "/safety/{ref}/raise"),
]


@pytest.mark.parametrize(("role", "method", "path"), PAGES)
@pytest.mark.parametrize("is_gone", [True, False])
def test_who_was_anonymised_is_not_opened_to_be_written_to(
    client: FlaskClient, sessions: Sessions, role: Role, method: str, path: str, *, is_gone: bool
) -> None:
    with sessions.begin() as session:
        clinic = make_clinic(session)
        person = make_staff(session, clinic, role, password_hash=HASH)
        patient = make_patient(session, clinic)
        caller = person if role is Role.CALLER else make_staff(session, clinic)
        make_planned_call(session, make_enrolment(session, patient, caller=caller))
        if is_gone:
            session.add(
                Anonymised(
                    patient_id=patient.id, clinic_id=clinic.id, cause=Cause.SCHEDULE,
                    at=MONDAY_10_CHICAGO,
                )
            )  # fmt: skip
    sign_in(client, person)

    status = client.open(path.format(ref=patient.ref), method=method).status_code

    assert (status == 403) is is_gone
    assert status != 404
