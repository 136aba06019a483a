"""A trial's assessor measures, and learns neither arm nor caller nor what was said."""

import re
from dataclasses import dataclass
from datetime import timedelta

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from outreach.accounts.models import StaffMember
from outreach.accounts.rules import Role
from outreach.audit.models import AuditEvent
from outreach.calls.models import CallNote
from outreach.concerns.models import Concern
from outreach.concerns.rules import ConcernKind
from outreach.measures.models import Reading
from outreach.measures.rules import MeasureKind, ReadingSource
from outreach.orm import Sessions
from outreach.patients.models import Patient
from tests.builders import (
    make_attempt,
    make_clinic,
    make_enrolment,
    make_on_call,
    make_patient,
    make_planned_call,
    make_reading,
    make_staff,
)
from tests.conftest import HASH, sign_in
from tests.fakes import MONDAY_10_CHICAGO

NOW = MONDAY_10_CHICAGO


@dataclass
class Trial:
    """One patient who is called and one who is not, measured by the same assessor."""

    client: FlaskClient
    sessions: Sessions
    assessor: StaffMember
    called: Patient
    control: Patient

    def page(self, patient: Patient) -> str:
        answer = self.client.get(f"/assess/{patient.ref}")
        assert answer.status_code == 200
        return answer.text

    def measure(self, patient: Patient) -> int:
        data = {"on": "2026-11-23", "value_hba1c": "8.1", "unit_hba1c": "%", "form_key": "once"}
        return self.client.post(f"/assess/{patient.ref}", data=data).status_code


@pytest.fixture
def trial(client: FlaskClient, sessions: Sessions) -> Trial:
    with sessions.begin() as session:
        clinic = make_clinic(session)
        make_on_call(session, clinic)
        caller = make_staff(session, clinic, name="Quincy Caller")
        assessor = make_staff(session, clinic, Role.ASSESSOR, password_hash=HASH)
        called, control = (
            make_patient(session, clinic, given_name="Ada", family_name="Okafor", about=about)
            for about in ("Likes birds", "")
        )
        planned = make_planned_call(session, make_enrolment(session, called, caller=caller))
        attempt = make_attempt(session, planned, caller)
        for kind, value in ((MeasureKind.HBA1C, "9.9"), (MeasureKind.WEIGHT, "91.5")):
            make_reading(session, called, value=value, kind=kind, recorded_by_id=caller.id)
        session.add(
            CallNote(
                clinic_id=clinic.id, patient_id=called.id, attempt_id=attempt.id,
                by_staff_id=caller.id, text="Walks every day", at=NOW,
            )
        )  # fmt: skip
    sign_in(client, assessor)
    return Trial(client, sessions, assessor, called, control)


def test_a_patient_who_is_called_looks_like_one_who_is_not(trial: Trial) -> None:
    pages = []
    for patient in (trial.called, trial.control):
        page = trial.page(patient).replace(patient.ref, "REF")
        page = page.replace(patient.record_number, "NUMBER")
        pages.append(re.sub(r'name="(form_key|tell_key|csrf_token)"[^>]*>', "KEY", page))

    assert pages[0] == pages[1]
    page = trial.page(trial.called)
    for secret in ("Quincy", "Likes birds", "Walks", "9.9"):
        assert secret not in page


def test_what_was_weighed_on_a_call_is_asked_of_nobody_who_is_blinded(trial: Trial) -> None:
    """A question about a weight that changed much would tell that there was a call before."""
    with trial.sessions.begin() as session:
        make_reading(
            session, trial.called, MeasureKind.WEIGHT, "91.5",
            source=ReadingSource.CALL, taken_at=NOW - timedelta(days=9),
        )  # fmt: skip
    answers = []
    for patient in (trial.called, trial.control):
        data = {"form_key": "k", "on": "2026-11-23", "value_weight": "160", "unit_weight": "kg"}
        answers.append(trial.client.post(f"/assess/{patient.ref}", data=data).status_code)

    assert answers == [303, 303]

    again = {"form_key": "again", "on": "2026-11-23", "value_weight": "80", "unit_weight": "kg"}
    answer = trial.client.post(f"/assess/{trial.called.ref}", data=again)
    assert answer.status_code == 422, "what they weighed themselves is held against it"


def test_an_assessor_finds_measures_and_sees_their_own_value(trial: Trial) -> None:
    found = trial.client.post("/assess/", data={"record_number": trial.control.record_number})
    assert found.location.endswith(f"/assess/{trial.control.ref}")
    assert trial.client.post("/assess/", data={"record_number": "none"}).status_code == 422

    assert trial.measure(trial.control) == 303
    assert trial.measure(trial.control) == 303, "sent twice"

    with trial.sessions() as session:
        of_control = select(Reading).where(Reading.patient_id == trial.control.id)
        kept = session.scalars(of_control).all()
    assert [(each.kind, each.recorded_by_id) for each in kept] == [
        (MeasureKind.HBA1C, trial.assessor.id)
    ]
    assert "8.1" in trial.page(trial.control)


def test_whom_an_assessor_looks_for_is_noted_found_or_not(trial: Trial) -> None:
    for number in (trial.control.record_number, "none"):
        trial.client.post("/assess/", data={"record_number": number})

    with trial.sessions() as session:
        noted = session.execute(
            select(AuditEvent.actor_id, AuditEvent.object_kind, AuditEvent.object_id)
            .where(AuditEvent.action == "searched patients")
            .order_by(AuditEvent.id)
        ).all()
    by = trial.assessor.id
    assert [tuple(row) for row in noted] == [(by, "patients found", 1), (by, "patients found", 0)]


def test_an_assessors_worry_reaches_the_nurse_once(trial: Trial) -> None:
    path = f"/assess/{trial.called.ref}/concern"
    for _twice in range(2):
        data = {"words": "Fell twice", "tell_key": "k"}
        assert trial.client.post(path, data=data).status_code == 303
    assert trial.client.post(path, data={"words": "", "tell_key": "k"}).status_code == 422

    with trial.sessions() as session:
        assert len(session.scalars(select(Concern)).all()) == 1


@pytest.mark.parametrize("path", ["", "/readings/new", "/details", "/handover"])
def test_the_patients_own_pages_do_not_exist_for_an_assessor(trial: Trial, path: str) -> None:
    assert trial.client.get(f"/patients/{trial.called.ref}{path}").status_code == 404


@pytest.mark.parametrize("path", ["/queue/", "/cohort/", "/due/", "/staff/", "/list/", "/audit/"])
def test_lists_do_not_exist_for_an_assessor(trial: Trial, path: str) -> None:
    assert trial.client.get(path).status_code == 404


def test_what_an_assessor_measures_is_told_though_the_page_is_refused(trial: Trial) -> None:
    data = {"form_key": "k", "on": "2026-11-23", "value_glucose": "450", "unit_glucose": "mg/dL"}
    answer = trial.client.post(f"/assess/{trial.called.ref}", data=data)

    assert answer.status_code == 422
    assert "is told already" not in answer.text
    with trial.sessions() as session:
        assert [each.kind for each in session.scalars(select(Concern))] == [
            ConcernKind.GLUCOSE_HIGH
        ]
