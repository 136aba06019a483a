"""A nurse asks a questionnaire outside a call: the same items, scores and telling as on one."""

from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from outreach.accounts.models import Clinic, Membership, StaffMember
from outreach.accounts.rules import Role
from outreach.concerns.models import Concern
from outreach.concerns.rules import ConcernKind, Urgency
from outreach.measures.models import Reading
from outreach.measures.rules import MeasureKind, ReadingSource
from outreach.orm import Sessions
from outreach.patients.models import Patient
from outreach.questionnaires import ending, item_by_item
from outreach.questionnaires.models import BegunQuestionnaire, Questionnaire
from tests.builders import actor_of, make_clinic, make_enrolment, make_patient, make_staff
from tests.conftest import HASH, sign_in
from tests.fakes import MONDAY_10_CHICAGO, FakeClock

TODAY = MONDAY_10_CHICAGO.date()
SCRIPT = {"X-Background": "1"}


@dataclass
class Ward:
    """A nurse, a caller, and one patient of theirs."""

    ref: str
    nurse: StaffMember
    caller: StaffMember

    @property
    def path(self) -> str:
        return f"/patients/{self.ref}/ask/phq9"

    def said(self, answers: dict[int, int]) -> dict[str, str]:
        return {f"item_{n}": str(answer) for n, answer in answers.items()} | {"form_key": "page"}


@pytest.fixture
def ward(sessions: Sessions) -> Ward:
    with sessions.begin() as session:
        clinic = make_clinic(session)
        caller = make_staff(session, clinic, password_hash=HASH)
        nurse = make_staff(session, clinic, Role.NURSE, password_hash=HASH)
        patient = make_patient(session, clinic)
        make_enrolment(session, patient, caller=caller)
    return Ward(patient.ref, nurse, caller)


def test_the_patient_page_leads_a_nurse_to_every_questionnaire(
    client: FlaskClient, ward: Ward
) -> None:
    sign_in(client, ward.nurse)

    page = client.get(f"/patients/{ward.ref}").text

    assert f'href="{ward.path}"' in page
    assert "1 of 9" in client.get(ward.path).text


def test_a_nurse_scores_without_a_script_and_the_total_was_entered_by_staff(
    client: FlaskClient, sessions: Sessions, ward: Ward
) -> None:
    sign_in(client, ward.nurse)
    for number in range(1, 10):
        kept = client.post(ward.path, data=ward.said({number: 1 if number < 9 else 0}))
        assert kept.headers["Location"].startswith(ward.path)

    scored = client.post(f"{ward.path}/finish", data={"form_key": "page"}, follow_redirects=True)

    assert "mild" in scored.text
    assert f'href="/patients/{ward.ref}"' in scored.text
    with sessions() as session:
        total = session.scalars(select(Reading)).one()
        assert (total.kind, total.value) == (MeasureKind.PHQ9_TOTAL, Decimal(8))
        assert total.source is ReadingSource.STAFF
        assert session.scalars(select(Questionnaire.by_staff_id)).one() == ward.nurse.id


def test_a_thought_of_self_harm_tells_the_nurse_on_call_with_the_answer(
    client: FlaskClient, sessions: Sessions, ward: Ward
) -> None:
    sign_in(client, ward.nurse)

    kept = client.post(ward.path, data=ward.said({9: 1}), headers=SCRIPT)

    assert kept.get_json()["is_urgent"] is True
    assert "Stay on the line" in client.get(ward.path).text
    with sessions() as session:
        rows = session.execute(select(Concern.kind, Concern.urgency)).all()
        assert [tuple(row) for row in rows] == [(ConcernKind.SELF_HARM, Urgency.NOW)]


def test_a_nurse_goes_on_where_a_caller_stopped(
    client: FlaskClient, sessions: Sessions, ward: Ward
) -> None:
    sign_in(client, ward.caller)
    client.post(f"/calls/{ward.ref}/ask/phq9", data=ward.said({1: 2, 2: 1}), headers=SCRIPT)
    sign_in(client, ward.nurse)

    assert "2 of 9 asked" in client.get(f"/patients/{ward.ref}").text
    client.post(ward.path, data=ward.said({3: 0}) | {"form_key": "another"}, headers=SCRIPT)

    with sessions() as session:
        assert session.scalars(select(BegunQuestionnaire)).one().given == {1: 2, 2: 1, 3: 0}


def test_a_caller_asks_on_the_call_and_has_no_page_beside_it(
    client: FlaskClient, ward: Ward
) -> None:
    sign_in(client, ward.caller)

    assert client.get(ward.path).status_code == 404
    assert ward.path not in client.get(f"/patients/{ward.ref}").text


def test_what_a_nurse_began_and_left_is_scored_as_entered_by_staff(
    client: FlaskClient, sessions: Sessions, ward: Ward, clock: FakeClock
) -> None:
    sign_in(client, ward.nurse)
    client.post(ward.path, data=ward.said(dict.fromkeys(range(1, 10), 0)), headers=SCRIPT)

    with sessions.begin() as session:
        later = clock() + timedelta(hours=2)
        row_id = session.scalars(select(BegunQuestionnaire.id)).one()
        assert ending.end_left(session, row_id, now=later)

    with sessions() as session:
        assert session.scalars(select(Reading.source)).one() is ReadingSource.STAFF


def test_a_call_that_is_saved_leaves_to_the_nurse_what_she_asks(
    client: FlaskClient, sessions: Sessions, ward: Ward, clock: FakeClock
) -> None:
    sign_in(client, ward.nurse)
    client.post(ward.path, data=ward.said(dict.fromkeys(range(1, 10), 0)), headers=SCRIPT)

    with sessions.begin() as session:
        patient = session.scalars(select(Patient)).one()
        caller = actor_of(ward.caller, session.scalars(select(Clinic)).one())
        assert item_by_item.finish_whole(session, patient, actor=caller, now=clock()) == []

    with sessions() as session:
        assert session.scalars(select(BegunQuestionnaire)).one().by_staff_id == ward.nurse.id


def test_who_is_caller_and_nurse_asks_as_the_page_does(
    client: FlaskClient, sessions: Sessions, ward: Ward
) -> None:
    with sessions.begin() as session:
        clinic = session.scalars(select(Clinic)).one()
        both = Membership(staff_id=ward.caller.id, clinic_id=clinic.id, role=Role.NURSE)
        both.from_on = TODAY
        session.add(both)
    sign_in(client, ward.caller)
    sources = []
    for path in (ward.path, f"/calls/{ward.ref}/ask/phq9"):
        client.post(path, data=ward.said({1: 1}), headers=SCRIPT)
        with sessions() as session:
            sources.append(session.scalars(select(BegunQuestionnaire.source)).one())

    assert sources == [ReadingSource.STAFF, ReadingSource.CALL]
