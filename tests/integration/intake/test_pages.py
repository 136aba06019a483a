"""Choosing a file, seeing its check, importing it; and the command that does the same."""

import io
import re
import stat
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select
from werkzeug.test import TestResponse

from config import Config
from outreach.accounts.models import Clinic, Membership, StaffMember
from outreach.accounts.rules import Role
from outreach.db import db
from outreach.intake.models import ImportRun
from outreach.orm import Sessions
from outreach.patients.models import Patient
from tests.builders import LONG_AGO, make_clinic, make_staff
from tests.conftest import HASH, sign_in
from tests.fakes import FakeClock
from tests.unit.intake.builders import a_person, a_row, a_table, an_observation, as_ndjson

TABLE = a_table(
    a_row(hba1c_percent="9.4", hba1c_date="2026-10-04"),
    a_row(mrn="LS2", language="Klingon"),
    a_row(mrn="LS3", given_name="<script>alert(1)</script>"),
)


@pytest.fixture
def clinic(sessions: Sessions) -> Clinic:
    with sessions.begin() as session:
        return make_clinic(session)


@pytest.fixture
def manager(sessions: Sessions, clinic: Clinic, client: FlaskClient) -> StaffMember:
    """A manager of the clinic, signed in."""
    with sessions.begin() as session:
        person = make_staff(session, clinic, Role.MANAGER, password_hash=HASH)
    sign_in(client, person)
    return person


def choose(client: FlaskClient, *contents: str | bytes, **fields: str) -> TestResponse:
    files = [
        (io.BytesIO(each if isinstance(each, bytes) else each.encode()), f"file-{n}.txt")
        for n, each in enumerate(contents)
    ]
    data: dict[str, Any] = {"files": files, **fields}
    return client.post("/import/", data=data, content_type="multipart/form-data")


def patients(sessions: Sessions) -> int:
    with sessions() as session:
        return session.scalar(select(func.count()).select_from(Patient)) or 0


def test_a_file_is_checked_shown_and_only_then_imported(
    sessions: Sessions, client: FlaskClient, manager: StaffMember, config: Config
) -> None:
    chosen = choose(client, TABLE)
    checked = client.get(chosen.location)

    assert "Import 1 patient<" in checked.text
    assert "&#39;Klingon&#39; is not a language code" in checked.text
    assert "<script>alert" not in checked.text
    assert patients(sessions) == 0

    done = client.post(chosen.location)
    result = client.get(done.location)

    assert patients(sessions) == 1
    assert "Klingon" in result.text
    assert "Details" in client.get("/import/").text
    assert list((config.instance_path / "uploads").iterdir()) == []
    with sessions() as session:
        assert session.scalars(select(ImportRun.by_staff_id)).all() == [manager.id]


def test_importing_the_same_upload_again_finds_it_gone(
    sessions: Sessions, client: FlaskClient, manager: StaffMember
) -> None:
    chosen = choose(client, TABLE)
    client.post(chosen.location)

    assert client.post(chosen.location).status_code == 404
    assert patients(sessions) == 1


def test_health_data_files_may_come_together(
    sessions: Sessions, client: FlaskClient, manager: StaffMember
) -> None:
    chosen = choose(client, as_ndjson(an_observation()), as_ndjson(a_person()))

    assert "Import 1 patient<" in client.get(chosen.location).text


@pytest.mark.parametrize(
    ("contents", "reason"),
    [
        pytest.param([], "Choose a file.", id="nothing chosen"),
        pytest.param([""], "is empty", id="empty"),
        pytest.param(["a,b\n1,2\n"], "missing: mrn", id="other columns"),
        pytest.param([b"\xff\xfea\0"], "UTF-16", id="UTF-16"),
        pytest.param([b"mrn\0"], "not UTF-8 text", id="NUL"),
        pytest.param(["{}"], "not FHIR", id="JSON"),
    ],
)
def test_a_file_that_cannot_be_read_is_refused_beside_its_field(
    client: FlaskClient,
    manager: StaffMember,
    config: Config,
    contents: list[str | bytes],
    reason: str,
) -> None:
    answer = choose(client, *contents)

    assert answer.status_code == 422
    assert answer.text.count(reason) == 2  # in the summary, and beside the field
    assert "<title>Error:" in answer.text
    assert list(config.instance_path.glob("uploads/*")) == []


def test_a_file_with_nothing_new_offers_no_import(
    client: FlaskClient, manager: StaffMember
) -> None:
    client.post(choose(client, TABLE).location)

    again = client.get(choose(client, TABLE).location)

    assert "There is nothing new in this file." in again.text
    assert "Import 0" not in again.text


def test_a_file_that_only_takes_consent_back_can_be_imported(
    client: FlaskClient, manager: StaffMember
) -> None:
    client.post(choose(client, a_table(a_row(sms_consent="yes"))).location)
    chosen = choose(client, a_table(a_row(sms_consent="no")))

    assert "Stop texts to 1 patient<" in client.get(chosen.location).text
    assert "Want no texts any more" in client.get(client.post(chosen.location).location).text


def test_a_file_can_be_thrown_away(
    sessions: Sessions, client: FlaskClient, manager: StaffMember, config: Config
) -> None:
    chosen = choose(client, TABLE)

    client.post(f"{chosen.location}/discard")

    assert client.get(chosen.location).status_code == 404
    assert list((config.instance_path / "uploads").iterdir()) == []
    assert patients(sessions) == 0


def test_waiting_files_are_for_their_owner_and_for_an_hour(
    client: FlaskClient, manager: StaffMember, config: Config, clock: FakeClock
) -> None:
    chosen = choose(client, TABLE)
    uploads = config.instance_path / "uploads"
    (folder,) = uploads.iterdir()

    assert [stat.S_IMODE(path.stat().st_mode) for path in (uploads, folder)] == [0o700] * 2
    assert {stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()} == {0o600}

    for _step in range(7):
        clock.advance(timedelta(minutes=10))
        client.get("/import/")

    assert client.get(chosen.location).status_code == 404
    assert folder not in list(uploads.iterdir())


def test_problems_download_as_a_table_without_formulas(
    client: FlaskClient, manager: StaffMember
) -> None:
    header = a_table(a_row()).replace("sex", "=shoe", 1).splitlines()[0]
    chosen = choose(client, header + "\n" + TABLE.split("\n", 1)[1] + "x,=1+1\n")

    before = client.get(f"{chosen.location}/problems.csv")
    done = client.post(chosen.location)
    after = client.get(f"{done.location}/problems.csv")

    assert before.mimetype == "text/csv"
    assert before.text == after.text
    assert before.text.splitlines()[0] == "file,line,field,reason"
    assert not re.search(r"(^|,)\"?[=+\-@]", before.text, re.MULTILINE)


@pytest.mark.parametrize("role", [Role.CALLER, Role.NURSE])
def test_for_callers_and_nurses_there_is_no_import(
    sessions: Sessions, client: FlaskClient, clinic: Clinic, role: Role
) -> None:
    with sessions.begin() as session:
        person = make_staff(session, clinic, role, password_hash=HASH)
    sign_in(client, person)
    token = "0" * 32

    for path in ("", "runs/1", "runs/1/problems.csv", f"check/{token}"):
        assert client.get(f"/import/{path}").status_code == 404
    for path in ("", f"check/{token}", f"check/{token}/discard"):
        assert client.post(f"/import/{path}").status_code == 404


def test_an_upload_exists_for_the_one_who_made_it_only(
    sessions: Sessions, app: Flask, client: FlaskClient, clinic: Clinic, manager: StaffMember
) -> None:
    chosen = choose(client, TABLE)
    with sessions.begin() as session:
        colleague = make_staff(session, clinic, Role.MANAGER, password_hash=HASH)
    other = app.test_client()
    sign_in(other, colleague)

    other.post(f"{chosen.location}/discard")

    assert other.get(chosen.location).status_code == 404
    assert other.get(f"{chosen.location}/problems.csv").status_code == 404
    assert other.post(chosen.location).status_code == 404
    assert client.get(chosen.location).status_code == 200
    assert client.get("/import/check/..%2f..%2fsecret_key").status_code == 404


def test_a_manager_sees_imports_of_own_clinics_only(
    sessions: Sessions, app: Flask, client: FlaskClient, manager: StaffMember
) -> None:
    done = client.post(choose(client, TABLE).location)
    with sessions.begin() as session:
        stranger = make_staff(session, make_clinic(session), Role.MANAGER, password_hash=HASH)
    other = app.test_client()
    sign_in(other, stranger)

    assert other.get(done.location).status_code == 404
    assert other.get(f"{done.location}/problems.csv").status_code == 404
    assert "Nothing was imported yet" in other.get("/import/").text


def test_a_manager_who_nurses_elsewhere_imports_at_home_only(
    sessions: Sessions, client: FlaskClient, manager: StaffMember
) -> None:
    with sessions.begin() as session:
        elsewhere = make_clinic(session)
        session.add(
            Membership(
                staff_id=manager.id,
                clinic_id=elsewhere.id,
                role=Role.NURSE,
                from_on=LONG_AGO.date(),
            )
        )

    assert elsewhere.name not in client.get("/import/").text
    client.post(choose(client, TABLE, clinic=elsewhere.code).location)

    with sessions() as session:
        assert elsewhere.id not in session.scalars(select(Patient.clinic_id)).all()


def test_an_administrator_chooses_the_clinic(
    sessions: Sessions, client: FlaskClient, clinic: Clinic
) -> None:
    with sessions.begin() as session:
        second = make_clinic(session)
        person = make_staff(session, None, Role.ADMINISTRATOR, password_hash=HASH)
    sign_in(client, person)

    unknown = choose(client, TABLE, clinic="NOWHERE")
    client.post(choose(client, TABLE, clinic=second.code).location)

    assert unknown.status_code == 422
    with sessions() as session:
        assert session.scalars(select(Patient.clinic_id)).all() == [second.id]


def test_without_a_clinic_the_page_says_what_to_do(sessions: Sessions, client: FlaskClient) -> None:
    with sessions.begin() as session:
        person = make_staff(session, None, Role.ADMINISTRATOR, password_hash=HASH)
    sign_in(client, person)

    assert "There is no clinic yet" in client.get("/import/").text
    assert "There is no clinic yet" in choose(client, TABLE).text


def test_the_command_imports_and_its_dry_run_does_not(
    sessions: Sessions, app: Flask, clinic: Clinic, tmp_path: Path
) -> None:
    path = tmp_path / "patients.csv"
    path.write_text(TABLE)
    command = ["patients", "import", str(path), "--clinic", clinic.code]

    foretold = app.test_cli_runner().invoke(args=[*command, "--dry-run"])
    assert patients(sessions) == 0
    done = app.test_cli_runner().invoke(args=command)
    again = app.test_cli_runner().invoke(args=command)

    assert (foretold.exit_code, done.exit_code, again.exit_code) == (0, 0, 0)
    assert "Nothing was changed" in foretold.output
    assert "Not taken: line 3, language: 'Klingon' is not a language code" in done.output
    assert "1 new patients" in done.output
    assert "0 new patients" in again.output
    assert patients(sessions) == 1


@pytest.mark.parametrize(
    ("content", "code", "message"),
    [("", "HERE", "is empty"), (TABLE, "NOWHERE", "No clinic has the code 'NOWHERE'")],
)
def test_the_command_says_in_one_line_why_not(
    app: Flask, tmp_path: Path, content: str, code: str, message: str
) -> None:
    with app.app_context():
        make_clinic(db.session, code="HERE")
        db.session.commit()
    path = tmp_path / "file"
    path.write_text(content)

    result = app.test_cli_runner().invoke(args=["patients", "import", str(path), "--clinic", code])

    assert result.exit_code == 1
    assert message in result.output.splitlines()[-1]
