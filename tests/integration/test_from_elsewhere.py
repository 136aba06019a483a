"""What another site's page, or a stranger with a large file, sends to ours."""

import io
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select

from outreach.accounts.models import Clinic, SignIn, StaffMember
from outreach.orm import Sessions
from outreach.patients.models import Patient
from outreach.web.bounded import LARGEST_FORM
from tests.builders import make_clinic, make_enrolment, make_patient, make_staff
from tests.conftest import sign_in

EVIL = "https://evil.example"


@pytest.fixture
def patient(sessions: Sessions, clinic: Clinic, manager: StaffMember) -> Patient:
    with sessions.begin() as session:
        patient = make_patient(session, clinic)
        make_enrolment(session, patient, caller=make_staff(session, clinic))
        assert manager
        return patient


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "cross-site", "Origin": "http://localhost"},
        {"Origin": EVIL},
        {"Origin": "null"},
        {"Origin": "http://localhost.evil.example"},
        {"Origin": "https://localhost"},
    ],
    ids=str,
)
@pytest.mark.parametrize("is_json", [False, True])
def test_no_change_begins_at_another_site_even_with_a_good_token(
    app: Flask, sessions: Sessions, manager: StaffMember, headers: dict[str, str], *, is_json: bool
) -> None:
    client = app.test_client()
    sign_in(client, manager)
    body: dict[str, Any] = {"json": {}} if is_json else {"data": {}}

    answer = client.post("/sign-out", headers=headers, **body)  # the token is not asked for here

    assert answer.status_code == 403
    with sessions() as session:
        assert session.scalar(select(func.count()).where(SignIn.ended_at.is_(None))) == 1


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Sec-Fetch-Site": "same-origin"},
        {"Sec-Fetch-Site": "none"},
        {"Origin": "http://localhost"},
    ],
    ids=str,
)
def test_our_own_pages_change_things(
    app: Flask, manager: StaffMember, headers: dict[str, str]
) -> None:
    client = app.test_client()
    sign_in(client, manager)

    assert client.post("/sign-out", headers=headers).status_code == 302


def test_looking_is_allowed_from_everywhere_and_so_is_the_carrier(
    app: Flask, manager: StaffMember
) -> None:
    client = app.test_client()
    sign_in(client, manager)
    elsewhere = {"Sec-Fetch-Site": "cross-site", "Origin": EVIL}

    assert client.get("/reports/today", headers=elsewhere).status_code == 200
    unsigned = client.post("/webhooks/texts/incoming", headers=elsewhere)
    assert unsigned.status_code == 403
    signed = elsewhere | {"X-Twilio-Signature": "valid"}
    report = {"MessageSid": "SM" + "0" * 32, "MessageStatus": "sent"}
    assert client.post("/webhooks/sms-status/1", data=report, headers=signed).status_code == 204


def test_json_without_the_token_changes_nothing(
    app: Flask, client: FlaskClient, manager: StaffMember
) -> None:
    sign_in(client, manager)
    app.config["WTF_CSRF_ENABLED"] = True

    for content_type in ("application/json", "text/plain"):
        answer = client.post("/sign-out", data="{}", content_type=content_type)
        assert answer.status_code == 400
    assert client.get("/reports/today").status_code == 200


@pytest.mark.parametrize("header", ["X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override"])
def test_the_method_is_the_method(client: FlaskClient, manager: StaffMember, header: str) -> None:
    sign_in(client, manager)
    path = f"/staff/{manager.id}/link"

    assert client.get(path, headers={header: "POST"}).status_code == 405
    assert client.get(path, query_string={"_method": "POST"}).status_code == 405


@pytest.mark.parametrize("method", ["TRACE", "TRACK", "PUT", "DELETE", "PATCH", "CONNECT", "X"])
def test_no_other_method_is_there(client: FlaskClient, manager: StaffMember, method: str) -> None:
    sign_in(client, manager)

    answer = client.open("/reports/today", method=method, headers={"X-Secret": "told"})

    assert answer.status_code == 405
    assert "told" not in answer.text


def test_a_doubled_parameter_reaches_no_other_record(
    client: FlaskClient, sessions: Sessions, manager: StaffMember, patient: Patient
) -> None:
    with sessions.begin() as session:
        there = make_clinic(session, code="THERE")
        other = make_patient(session, there)
    sign_in(client, manager)

    for query in ("clinic=HERE&clinic=THERE", "clinic=THERE&clinic=HERE"):
        answer = client.get(f"/reports/today?{query}")
        assert answer.status_code in {200, 404}
        assert other.family_name not in answer.text
        listed = client.get(f"/patients/?{query}")
        assert other.ref not in listed.text
    assert client.get(f"/patients/{patient.ref}?ref={other.ref}").status_code == 200


def test_what_is_too_large_is_refused_before_it_is_read(app: Flask, manager: StaffMember) -> None:
    read: list[int] = []

    class Counted(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            found = super().read(size)
            read.append(len(found))
            return found

        def readinto(self, buffer: Any, /) -> int:
            read.append(super().readinto(buffer))
            return read[-1]

    def sent(path: str, client: FlaskClient) -> int:
        read.clear()
        part = b'Content-Disposition: form-data; name="files"; filename="patients.csv"'
        file = b"--b\r\n" + part + b"\r\n\r\n" + b"x" * LARGEST_FORM + b"\r\n--b--\r\n"
        kind = "multipart/form-data; boundary=b"
        answer = client.open(
            path, method="POST", input_stream=Counted(file), content_length=len(file),
            content_type=kind,
        )  # fmt: skip
        return answer.status_code

    stranger = app.test_client()
    app.config["WTF_CSRF_ENABLED"] = True
    for path in ("/sign-in", "/import/", "/webhooks/texts/incoming", "/fhir/Patient", "/welcome/x"):
        assert sent(path, stranger) in {404, 405, 413}, path
        assert sum(read) == 0, path
    app.config["WTF_CSRF_ENABLED"] = False
    known = app.test_client()
    sign_in(known, manager)
    assert sent("/import/", known) == 422  # read, and found to be no table
    assert sum(read) > LARGEST_FORM
