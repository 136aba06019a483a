"""Numbers that no database holds, wherever an address or a form takes one."""

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from outreach.accounts.models import Clinic, StaffMember
from outreach.accounts.rules import Role
from outreach.orm import Sessions
from tests.builders import make_clinic, make_enrolment, make_patient, make_staff
from tests.conftest import HASH, sign_in

ABSURD = [
    str(10**20),
    str(2**63),
    str(2**63 - 1),
    str(2**31),
    str(2**31 - 1),
    "9" * 5000,
    "-1",
    "0",
    "x",
    "²",
    "",
]
PAGES = [
    "/messages/?before={}",
    "/import/runs/{}",
    "/import/runs/{}/problems.csv",
    "/concerns/{}",
    "/patients/?caller={}",
    "/patients/?silent_days={}",
    "/patients/?hba1c_over={}",
    "/patients/?after={}",
    "/patients/{ref}?show={}",
    "/patients/{ref}/texts?number={}",
    "/panels/proposal/lines/{}",
    "/callers/{}",
    "/callers/absences/{}",
]


@pytest.fixture
def ref(sessions: Sessions, client: FlaskClient) -> str:
    """A patient with a caller; their manager is signed in."""
    with sessions.begin() as session:
        clinic = make_clinic(session)
        person: StaffMember = make_staff(session, clinic, Role.MANAGER, password_hash=HASH)
        patient = make_patient(session, clinic)
        make_enrolment(session, patient, caller=make_staff(session, clinic))
    sign_in(client, person)
    return patient.ref


@pytest.mark.parametrize("page", PAGES)
def test_an_absurd_number_in_an_address_is_nobodys_fault(
    client: FlaskClient, ref: str, page: str
) -> None:
    answers = {
        number: client.get(page.replace("{ref}", ref).format(number)).status_code
        for number in ABSURD
    }

    wrong = {number[:25]: status for number, status in answers.items() if status not in (200, 404)}
    assert wrong == {}


@pytest.mark.parametrize("number", ABSURD)
def test_an_absurd_number_in_a_form_is_nobody_chosen(
    client: FlaskClient, sessions: Sessions, ref: str, number: str
) -> None:
    with sessions.begin() as session:
        clinic = session.scalars(select(Clinic)).one()
        other = make_staff(session, clinic)
    change = {"caller_id": str(other.id), "reason": "balance", "note": "-", "from_id": number}

    client.post("/panels/propose")
    applied = client.post("/panels/proposal/apply", data={"proposal_id": number})
    stale = client.post(f"/patients/{ref}/caller", data=change)
    unknown = client.post(f"/patients/{ref}/caller", data=change | {"caller_id": number})
    searched = client.post("/patients/search", data={"text": number}, follow_redirects=True)

    assert applied.status_code in (404, 409)
    assert (stale.status_code, unknown.status_code, searched.status_code) == (409, 422, 200)
