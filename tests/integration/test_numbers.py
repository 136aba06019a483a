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
    "9" * 400,
    "sNaN",
    "1e99999",
    "1e-99999",
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


@pytest.mark.parametrize("number", ["9" * 400, "1e99999", "1e-99999", "sNaN", "-1", "1e5"])
def test_an_absurd_number_in_a_field_is_asked_for_again(
    client: FlaskClient, sessions: Sessions, ref: str, number: str
) -> None:
    """One that has to be written out with all its digits would take all memory there is."""
    with sessions.begin() as session:
        clinic = session.scalars(select(Clinic)).one()
        nurse = make_staff(session, clinic, Role.NURSE, password_hash=HASH)
    years = client.post("/retention/years", data={"years": number})
    aim = {"percent": number, "plan": "-"}
    target = client.post("/reports/target?measure=completion", data=aim)
    sign_in(client, nurse)
    reading = {"form_key": "k", "on": "2026-11-20", "unit_weight": "kg", "value_weight": number}
    measured = client.post(f"/patients/{ref}/readings/new", data=reading)
    limits = {"low": number, "high": number, "unit": "mg/dL", "reason": "-", "keep": "y"}
    limited = client.post(f"/concerns/limits/{ref}?measure=glucose", data=limits)

    answers = {"years": years, "percent": target, "weight": measured, "limits": limited}
    assert {name: each.status_code for name, each in answers.items()} == dict.fromkeys(answers, 422)
    assert all(len(each.text) < 60_000 for each in answers.values()), "written out in full"


@pytest.mark.parametrize(
    ("page", "sent"),
    [
        ("wishes", {"add_daypart": "\xa0"}),
        ("texts", {"calls": "\x1f", "source": "call"}),
        ("details", {"voicemail": " ", "welfare_check": "\xa0", "language": "en"}),
    ],
)
def test_a_blank_choice_is_none(
    client: FlaskClient, ref: str, page: str, sent: dict[str, str]
) -> None:
    assert client.post(f"/patients/{ref}/{page}", data=sent).status_code in (302, 422)
