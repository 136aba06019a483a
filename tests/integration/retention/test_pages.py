"""Managers place holds and see requests through; each step is noted."""

import csv
import io
import json
import zipfile
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from config import Config
from outreach.accounts.models import Membership, StaffMember
from outreach.accounts.rules import Role
from outreach.audit.models import AuditEvent
from outreach.calls.models import CallNote
from outreach.exports import folder, own_data
from outreach.exports.jobs import write_exports
from outreach.exports.making import Place
from outreach.exports.models import Export
from outreach.orm import Model, Sessions
from outreach.patients.models import Patient
from outreach.retention.models import DeletionRequest, LegalHold, RetentionSetting
from outreach.retention.rules import Decision, Ground
from tests.builders import (
    make_attempt,
    make_clinic,
    make_enrolment,
    make_patient,
    make_planned_call,
    make_staff,
)
from tests.conftest import HASH, sign_in
from tests.fakes import MONDAY_10_CHICAGO, FakeClock

NOW = MONDAY_10_CHICAGO


@dataclass
class Desk:
    """Two managers of one clinic and one patient."""

    client: FlaskClient
    sessions: Sessions
    managers: list[StaffMember]
    patient: Patient

    def post(self, path: str, **data: str) -> int:
        address = f"/retention/patients/{self.patient.ref}{path}"
        return self.client.post(address, data=data).status_code

    def page(self) -> str:
        return self.client.get(f"/retention/patients/{self.patient.ref}").text

    def actions(self) -> list[str]:
        of_patient = AuditEvent.patient_id == self.patient.id
        with self.sessions() as session:
            found = select(AuditEvent.action).where(of_patient).order_by(AuditEvent.id)
            looks = {"looked at", "shown in a list"}
            return [each for each in session.scalars(found) if each not in looks]


@pytest.fixture
def desk(client: FlaskClient, sessions: Sessions) -> Desk:
    with sessions.begin() as session:
        clinic = make_clinic(session)
        managers = [make_staff(session, clinic, Role.MANAGER, password_hash=HASH) for _ in range(2)]
        caller = make_staff(session, clinic)
        patient = make_patient(session, clinic, given_name="=cmd", family_name="Okafor")
        make_patient(session, clinic, given_name="Other", family_name="Person")
        enrolment = make_enrolment(session, patient, caller=caller)
        attempt = make_attempt(session, make_planned_call(session, enrolment), caller)
        session.add(
            CallNote(
                clinic_id=clinic.id, patient_id=patient.id, attempt_id=attempt.id,
                by_staff_id=caller.id, text="Walks every day", at=NOW,
            )
        )  # fmt: skip
    sign_in(client, managers[0])
    return Desk(client, sessions, managers, patient)


def test_a_hold_is_placed_shown_and_lifted_with_a_reason(desk: Desk) -> None:
    assert desk.post("/hold", reason="") == 422
    assert desk.post("/hold", reason="Case 12-345") == 303
    assert "Case 12-345" in desk.page()
    assert "Case 12-345" in desk.client.get("/retention/").text
    assert "legal hold" in desk.client.get(f"/patients/{desk.patient.ref}").text
    assert desk.post("/hold", reason="Another one") == 303, "told, not placed twice"
    assert desk.post("/hold/lift", reason="Settled now") == 303

    with desk.sessions() as session:
        holds = session.scalars(select(LegalHold)).all()
    assert [(each.reason, each.lifting_reason) for each in holds] == [
        ("Case 12-345", "Settled now")
    ]
    assert desk.actions() == ["placed a legal hold", "lifted a legal hold"]


def test_a_request_is_noted_by_one_and_refused_on_a_ground_by_another(desk: Desk) -> None:
    noted = {"asked_by": "patient", "asked_on": "2026-11-20", "note": "By letter"}
    refusal = {"decision": "refused", "explanation": "Six years are not over."}
    assert desk.post("/deletion", **(noted | {"asked_on": "2027-11-20"})) == 422
    assert desk.post("/deletion", **noted) == 303
    ground = Ground.RECORD_KEEPING.value
    assert desk.post("/deletion/decision", **refusal, ground=ground) == 422, "own request"

    sign_in(desk.client, desk.managers[1])
    assert "By letter" in desk.page()
    assert desk.post("/deletion/decision", **refusal, ground="") == 422
    assert desk.post("/deletion/decision", **(refusal | {"decision": "granted"})) == 422
    assert desk.post("/deletion/decision", **refusal, ground=ground) == 303

    with desk.sessions() as session:
        request = session.scalars(select(DeletionRequest)).one()
    assert (request.decision, request.ground) == (Decision.REFUSED, Ground.RECORD_KEEPING)
    assert desk.actions() == ["noted a deletion request", "deletion request refused"]
    assert "Six years are not over." in desk.page()


@pytest.mark.parametrize(("years", "answer", "kept"), [("5", 422, None), ("7", 303, 7)])
def test_no_clinic_keeps_for_less_than_six_years(
    desk: Desk, years: str, answer: int, kept: int | None
) -> None:
    assert desk.client.post("/retention/years", data={"years": years}).status_code == answer

    with desk.sessions() as session:
        assert session.scalar(select(RetentionSetting.years)) == kept


def test_a_patients_copy_holds_everything_and_nobody_else(
    desk: Desk, clock: FakeClock, config: Config
) -> None:
    answer = desk.client.post(f"/exports/patients/{desk.patient.ref}", data={"form_key": "a"})
    assert answer.status_code == 303
    place = Place(config.exports, kept_for=clock() - clock(), key=b"k" * 32)
    assert write_exports(desk.sessions, clock, place) == 1
    with desk.sessions() as session:
        export = session.scalars(select(Export)).one()
    kept = b"".join(folder.read(Path(config.exports) / str(export.file_name)))
    with zipfile.ZipFile(io.BytesIO(kept)) as file:
        everything = json.loads(file.read("everything.json"))
        pdf = file.read("read-me-first.pdf")
        rows = list(
            csv.DictReader(io.StringIO(file.read("tables/patient.csv").decode("utf-8-sig")))
        )

    assert pdf.startswith(b"%PDF")
    assert everything["call_note"][0]["text"] == "Walks every day"
    assert [each["family_name"] for each in everything["patient"]] == ["Okafor"]
    assert rows[0]["given_name"] == "'=cmd", "no formula"
    assert desk.actions() == ["asked for a file of own data"]


def test_a_copy_is_not_taken_by_who_went_to_another_clinic(
    desk: Desk, clock: FakeClock, config: Config
) -> None:
    desk.client.post(f"/exports/patients/{desk.patient.ref}", data={"form_key": "a"})
    write_exports(desk.sessions, clock, Place(config.exports, timedelta(days=7), b"k" * 32))
    with desk.sessions.begin() as session:
        ref = session.scalars(select(Export.ref)).one()
        moved = session.scalars(
            select(Membership).where(Membership.staff_id == desk.managers[0].id)
        ).one()
        moved.clinic_id = make_clinic(session).id

    assert desk.client.get(f"/exports/{ref}/file").status_code == 404


def test_a_copy_is_for_those_who_manage_the_patients_clinic(desk: Desk) -> None:
    with desk.sessions.begin() as session:
        stranger = make_staff(session, make_clinic(session), Role.MANAGER, password_hash=HASH)
        caller = make_staff(session, None, Role.AUDITOR, password_hash=HASH)
    for person in (stranger, caller):
        sign_in(desk.client, person)
        answer = desk.client.post(f"/exports/patients/{desk.patient.ref}", data={"form_key": "b"})
        assert answer.status_code == 404
    data = {"content": "own data", "format": "zip", "query": f"patient={desk.patient.ref}"}
    sign_in(desk.client, desk.managers[0])
    assert desk.client.post("/exports/", data=data | {"form_key": "c"}).status_code == 404


def test_no_table_that_leads_to_a_patient_is_left_out_of_the_copy() -> None:
    told = {table.name for table in own_data.tables()}
    leading = {
        name
        for name, table in Model.metadata.tables.items()
        if "patient_id" in table.c
        or any("patient_id" in key.column.table.c for key in table.foreign_keys)
    }
    assert leading - told == own_data.LEFT_OUT - {"search_backlog"}
