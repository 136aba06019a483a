"""What attackers try first, on the running product. Source: security.md, what others paid for."""

import re

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from config import Config
from outreach.accounts.models import Clinic, StaffMember
from outreach.accounts.rules import Role
from outreach.orm import Model, Sessions
from outreach.patients.models import Patient
from outreach.retention.models import LegalHold
from tests.builders import PASSWORD, make_clinic, make_enrolment, make_patient, make_staff
from tests.conftest import HASH, sign_in
from tests.integration.access.house import TwoClinics

STOLEN = "<script>alert(1)</script>"


@pytest.mark.parametrize(
    "target",
    [
        "https://evil.example/",
        "//evil.example/",
        "/\\evil.example/",
        "/\t/evil.example/",
        "/\n/evil.example/",
        "\\/evil.example",
        "/%09/evil.example@",
        "javascript:alert(1)",
        "/./\\evil.example",
    ],
)
def test_signing_in_leads_to_no_other_host(
    client: FlaskClient, manager: StaffMember, target: str
) -> None:
    data = {"email": manager.email, "password": PASSWORD}
    answer = client.post("/sign-in", query_string={"next": target}, data=data)

    assert answer.status_code == 302
    place = answer.location
    assert place.startswith("/")
    assert "\t" not in place
    assert "\n" not in place
    assert "\\" not in place
    assert not place.startswith("//")


def test_a_session_id_from_before_signing_in_is_worth_nothing(
    app: Flask, manager: StaffMember
) -> None:
    app.config["WTF_CSRF_ENABLED"] = True  # whose token is what an anonymous session holds
    browser, thief = app.test_client(), app.test_client()
    data = {"email": manager.email, "password": PASSWORD, "csrf_token": _form_token(browser)}
    before = browser.get_cookie("outreach")
    assert before is not None, "there was no session to steal"
    assert browser.post("/sign-in", data=data).status_code == 302
    after = browser.get_cookie("outreach")
    assert after is not None
    assert browser.get("/reports/today").status_code == 200

    thief.set_cookie("outreach", before.value)
    assert thief.get("/reports/today").status_code == 302
    token = _form_token(browser, "/my-sign-in/")
    assert browser.post("/sign-out", data={"csrf_token": token}).status_code == 302
    thief.set_cookie("outreach", after.value)
    assert thief.get("/reports/today").status_code == 302, "ended on the server too"


def _form_token(browser: FlaskClient, path: str = "/sign-in") -> str:
    found = re.search(r'name="csrf_token"[^>]* value="([^"]+)"', browser.get(path).text)
    assert found
    return found[1]


CHANGING = {
    "remove", "discard", "delete", "lift", "end", "leave-out", "sign-out", "resend", "close",
    "open", "apply", "drop", "done", "stop", "start", "dial", "hang-up", "take-back", "withdraw",
}  # fmt: skip


def test_addresses_that_name_a_change_are_no_links(app: Flask) -> None:
    rules = list(app.url_map.iter_rules())
    changing = [each for each in rules if CHANGING & set(each.rule.split("/"))]

    assert len(changing) > 25, "the words are not those of our addresses any more"
    assert [each.rule for each in changing if "GET" in (each.methods or set())] == []


# What is noted of a look itself: that it was taken, and that somebody is here.
NOTED = {"audit_event", "audit_link", "brake_count", "sign_in", "passkey_challenge"}


@pytest.mark.parametrize("role", [Role.MANAGER, Role.NURSE, Role.ADMINISTRATOR])
def test_looking_at_pages_changes_nothing(
    app: Flask, sessions: Sessions, config: Config, role: Role
) -> None:
    """A link in a mail, or a picture on another page, can ask for every one of them."""
    clinics = TwoClinics(sessions, config.instance_path / "uploads")
    with sessions.begin() as session:
        here = session.scalars(select(Clinic).where(Clinic.code == "HERE")).one()
        home = None if role is Role.ADMINISTRATOR else here
        person = make_staff(session, home, role, password_hash=HASH)
    client = app.test_client()
    sign_in(client, person)
    before, seen = _rows(sessions), 0
    for rule in app.url_map.iter_rules():
        if "GET" not in (rule.methods or set()) or rule.endpoint == "static":
            continue
        values = {name: clinics.arguments.get(name, "unknown") for name in rule.arguments}
        path = app.url_map.bind("localhost").build(rule.endpoint, values)
        seen += client.get(f"{path}?clinic=HERE").status_code == 200

    after = _rows(sessions)
    assert seen > 15, "the walk has lost its pages"
    assert [name for name, rows in after.items() if rows != before[name]] == []


def _rows(sessions: Sessions) -> dict[str, list[str]]:
    with sessions() as session:
        return {
            name: sorted(map(repr, session.execute(select(table)).all()))
            for name, table in Model.metadata.tables.items()
            if name not in NOTED
        }


def test_a_script_in_a_name_stays_text(
    client: FlaskClient, sessions: Sessions, clinic: Clinic, manager: StaffMember
) -> None:
    with sessions.begin() as session:
        patient = make_patient(session, clinic, given_name=STOLEN, family_name=STOLEN, about=STOLEN)
        make_enrolment(session, patient)
    sign_in(client, manager)
    for path in ("/patients/", f"/patients/{patient.ref}", f"/retention/patients/{patient.ref}"):
        answer = client.get(path, follow_redirects=True)
        assert "&lt;script&gt;" in answer.text, path
        assert STOLEN not in answer.text, path


PAGES = (
    "/patients/", "/reports/adherence", "/reports/around", "/messages/", "/reports/outcomes",
    "/reports/cohort", "/reports/today",
)  # fmt: skip
# Of these an unknown word is nothing that there is; any other leaves the page as it was.
NAMING = {"clinic", "by", "measure", "point"}


@pytest.mark.parametrize("typed", ["id; DROP TABLE patient", "name' OR 1=1 --", "../../etc/passwd"])
@pytest.mark.parametrize("path", PAGES)
def test_sorts_and_filters_are_words_of_ours(
    client: FlaskClient, sessions: Sessions, manager: StaffMember, path: str, typed: str
) -> None:
    sign_in(client, manager)
    assert client.get(path).status_code == 200
    for name in ("sort", "status", "caller", "from_on", "page", "show", "before", *NAMING):
        status = client.get(path, query_string={name: typed}).status_code
        assert status in ({200, 404, 422} if name in NAMING else {200, 422}), (name, status)


@pytest.mark.parametrize(
    "path", ["/exports/../../secret/file", "/static/../config.py", "/static/%2e%2e/config.py"]
)
def test_no_path_leads_out_of_its_folder(
    client: FlaskClient, manager: StaffMember, path: str
) -> None:
    sign_in(client, manager)
    assert client.get(path).status_code == 404


@pytest.mark.parametrize("role", [Role.CALLER, Role.NURSE, Role.AUDITOR, Role.ASSESSOR])
def test_nobody_makes_themselves_more(
    client: FlaskClient, sessions: Sessions, clinic: Clinic, role: Role
) -> None:
    with sessions.begin() as session:
        person = make_staff(session, clinic, role, password_hash=HASH)
    sign_in(client, person)
    data = {"role": "administrator", "clinic_id": str(clinic.id), "roles": "manager"}
    for path in (f"/staff/{person.id}/roles", "/staff/new", "/staff/", "/my-sign-in/password"):
        client.post(path, data=data)

    assert client.get("/staff/").status_code == 404


def test_an_error_says_nothing_of_the_inside(app: Flask, manager: StaffMember) -> None:
    app.testing = False
    app.config["PROPAGATE_EXCEPTIONS"] = False

    def fail() -> str:
        raise RuntimeError("secret inside")

    app.view_functions["reports.today"] = fail
    client = app.test_client()
    sign_in(client, manager)
    answer = client.get("/reports/today")

    assert answer.status_code == 500
    for word in ("secret inside", "RuntimeError", "Traceback", "outreach/"):
        assert word not in answer.text


def test_fields_that_a_form_does_not_list_are_passed_over(
    client: FlaskClient, sessions: Sessions, clinic: Clinic, manager: StaffMember
) -> None:
    with sessions.begin() as session:
        there = make_clinic(session)
        stranger, victim = make_staff(session, there, Role.MANAGER), make_patient(session, there)
        patient = make_patient(session, clinic)
    sign_in(client, manager)
    owned = {"clinic_id": str(there.id), "patient_id": str(victim.id), "id": str(victim.id)}
    owned |= {"placed_by_id": str(stranger.id), "ref": victim.ref, "about": "Likes tea"}
    hold = client.post(
        f"/retention/patients/{patient.ref}/hold", data=owned | {"reason": "Case 12"}
    )
    assert hold.status_code == 303
    details = owned | {"language": "en", "zone": patient.zone, "voicemail": "no"}
    details |= {"sex": patient.sex.value, "date_of_birth": patient.date_of_birth.isoformat()}
    assert client.post(f"/patients/{patient.ref}/details", data=details).status_code == 302

    with sessions() as session:
        kept = session.scalars(select(LegalHold)).one()
        assert (kept.clinic_id, kept.patient_id) == (clinic.id, patient.id)
        assert kept.placed_by_id == manager.id
        changed, other = session.get_one(Patient, patient.id), session.get_one(Patient, victim.id)
        assert (changed.clinic_id, changed.ref) == (clinic.id, patient.ref)
        assert (changed.about, other.about) == ("Likes tea", ""), "the form was taken"
