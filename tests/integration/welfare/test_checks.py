"""A patient whom nobody reaches for long: a nurse makes sure they are well, step by step."""

from datetime import timedelta

import pytest
from flask.testing import FlaskClient
from sqlalchemy import Engine, select

from outreach.accounts.rules import Role
from outreach.audit.models import AuditEvent
from outreach.calls.rules import Outcome
from outreach.orm import Sessions
from outreach.planning import follow_ups
from outreach.planning.jobs import follow_silences
from outreach.planning.models import FollowUp, PlannedCall
from outreach.planning.rules import CallStatus, FollowUpKind
from outreach.programmes.models import Enrolment
from outreach.programmes.rules import EnrolmentStatus
from outreach.welfare.models import EmergencyContact, WelfareStep
from outreach.welfare.rules import StepKind
from tests.builders import (
    make_attempt,
    make_clinic,
    make_enrolment,
    make_patient,
    make_planned_call,
    make_staff,
)
from tests.conftest import HASH, sign_in
from tests.counting import statements
from tests.fakes import FakeClock

DAY = timedelta(days=1)


class Ward:
    """A patient last spoken with on the day before, and everybody of the clinic."""

    def __init__(self, sessions: Sessions, client: FlaskClient, clock: FakeClock) -> None:
        self.sessions, self.client, self.clock = sessions, client, clock
        with sessions.begin() as session:
            self.clinic = make_clinic(session)
            self.caller = make_staff(session, self.clinic, password_hash=HASH)
            self.nurse = make_staff(session, self.clinic, Role.NURSE, password_hash=HASH)
            self.manager = make_staff(session, self.clinic, Role.MANAGER, password_hash=HASH)
            self.elsewhere = make_staff(
                session, make_clinic(session), Role.NURSE, password_hash=HASH
            )
            self.rosa = make_patient(session, self.clinic)
        self.add(self.rosa.id)

    def add(self, patient_id: int) -> None:
        with self.sessions.begin() as session:
            patient = session.get_one(type(self.rosa), patient_id)
            starts_on = self.clock().date() - timedelta(weeks=10)
            enrolment = make_enrolment(session, patient, caller=self.caller, starts_on=starts_on)
            spoken = make_planned_call(
                session, enrolment, starts_on, status=CallStatus.COMPLETED, closed_at=self.clock()
            )
            make_attempt(session, spoken, self.caller, at=self.clock() - DAY)
            call = make_planned_call(session, enrolment, self.clock().date())
            make_attempt(session, call, self.caller, Outcome.NO_ANSWER, at=self.clock())

    def be_silent(self, days: int = 45) -> None:
        self.clock.advance(days * DAY)
        follow_silences(self.sessions, self.clock)

    def check_of(self) -> FollowUp:
        with self.sessions() as session:
            return session.scalars(
                select(FollowUp).where(FollowUp.kind == FollowUpKind.WELFARE_CHECK)
            ).one()

    def checks(self) -> int:
        with self.sessions() as session:
            found = session.scalars(
                select(FollowUp).where(FollowUp.kind == FollowUpKind.WELFARE_CHECK)
            )
            return len(found.all())

    def step(self, kind: StepKind, note: str = "Nobody there") -> int:
        path = f"/welfare/{self.check_of().id}/steps"
        return self.client.post(path, data={"kind": kind.value, "note": note}).status_code

    def close(self, outcome: str, note: str = "Told by her daughter") -> int:
        path = f"/welfare/{self.check_of().id}/close"
        return self.client.post(path, data={"outcome": outcome, "note": note}).status_code

    def name_contact(self, **answers: str) -> int:
        data = {"name": "Luz", "relation": "daughter", "phone": "512 555 0142", **answers}
        return self.client.post(f"/welfare/contact/{self.rosa.ref}", data=data).status_code


@pytest.fixture
def ward(sessions: Sessions, client: FlaskClient, clock: FakeClock) -> Ward:
    return Ward(sessions, client, clock)


def test_the_programmes_days_ask_once_and_nurse_and_manager_see_it(ward: Ward) -> None:
    ward.be_silent(43)
    assert ward.checks() == 0

    ward.be_silent(2)
    ward.be_silent(1)

    assert ward.checks() == 1
    sign_in(ward.client, ward.nurse)
    board = ward.client.get("/welfare/").text
    assert ward.rosa.full_name in board
    assert "1 patient whom nobody has reached for long" in board
    assert "<strong>1</strong> welfare checks" in ward.client.get("/concerns/").text
    sign_in(ward.client, ward.manager)
    assert "somebody makes sure that they are well" in ward.client.get("/reports/today").text


def test_without_news_a_check_ends_only_after_everything_was_tried(ward: Ward) -> None:
    ward.be_silent()
    sign_in(ward.client, ward.nurse)
    ward.name_contact(is_agreed="y")

    for step in (StepKind.OTHER_NUMBER, StepKind.CLINIC_VISIT, StepKind.LETTER):
        assert ward.close("no news") == 422
        assert ward.step(step) == 302
    answer = ward.client.post(
        f"/welfare/{ward.check_of().id}/close", data={"outcome": "no news", "note": "Nothing"}
    )
    assert "first note: Rang the emergency contact" in answer.text
    ward.step(StepKind.EMERGENCY_CONTACT)

    assert ward.close("no news") == 302
    assert ward.check_of().done_at == ward.clock()
    with ward.sessions() as session:
        kinds = session.scalars(select(WelfareStep.kind).order_by(WelfareStep.id)).all()
        actions = session.scalars(select(AuditEvent.action)).all()
    assert kinds[-1] is StepKind.CLOSED
    assert len(kinds) == 5
    assert "ended a welfare check" in actions


def test_with_news_it_ends_at_once_and_is_not_asked_for_again(ward: Ward) -> None:
    ward.be_silent()
    sign_in(ward.client, ward.nurse)

    assert ward.close("heard of") == 302

    ward.be_silent(5)
    assert ward.checks() == 1
    sign_in(ward.client, ward.nurse)  # the clock went on: the sitting is over
    page = ward.client.get(f"/welfare/{ward.check_of().id}").text
    assert "Heard of through somebody else: they are well" in page
    assert "Told by her daughter" in page
    assert [ward.close("heard of"), ward.step(StepKind.LETTER)] == [409, 409]


def test_a_contact_is_shown_only_where_the_patient_agreed(ward: Ward) -> None:
    ward.be_silent()
    sign_in(ward.client, ward.caller)
    assert ward.name_contact() == 302
    sign_in(ward.client, ward.nurse)
    path = f"/welfare/{ward.check_of().id}"
    before = ward.client.get(path).text

    assert ward.name_contact(is_agreed="y") == 302

    after = ward.client.get(path).text
    assert "not agreed: don't ring" in before.replace("&#39;", "'")
    assert "+15125550142" not in before
    assert "tel:+15125550142" in after
    with ward.sessions() as session:
        assert len(session.scalars(select(EmergencyContact)).all()) == 2


@pytest.mark.parametrize("answers", [{"phone": ""}, {"name": ""}, {"phone": "12"}])
def test_a_contact_without_name_or_number_is_refused(ward: Ward, answers: dict[str, str]) -> None:
    sign_in(ward.client, ward.caller)

    assert ward.name_contact(**answers) == 422


def test_a_conversation_ends_it(ward: Ward) -> None:
    ward.be_silent()
    with ward.sessions.begin() as session:
        follow_ups.end_by_conversation(
            session,
            ward.check_of().enrolment_id,
            by_staff_id=ward.caller.id,
            now=ward.clock(),
        )
    sign_in(ward.client, ward.nurse)

    page = ward.client.get(f"/welfare/{ward.check_of().id}").text

    assert "A conversation closed this." in page
    assert ward.rosa.full_name not in ward.client.get("/welfare/").text


def test_callers_and_other_clinics_have_no_part_in_it(ward: Ward) -> None:
    ward.be_silent()
    path = f"/welfare/{ward.check_of().id}"
    for person in (ward.caller, ward.elsewhere):
        sign_in(ward.client, person)
        assert ward.client.get(path).status_code == 404
        assert ward.close("heard of") == 404
    sign_in(ward.client, ward.manager)
    generic = f"/patients/follow-ups/{ward.check_of().id}"
    assert ward.client.post(generic, data={"note": "Done"}).status_code == 404
    assert ward.check_of().done_at is None


def test_the_board_costs_no_more_statements_for_many(ward: Ward, engine: Engine) -> None:
    ward.be_silent()
    sign_in(ward.client, ward.nurse)
    ward.client.get("/welfare/")
    with statements(engine) as few:
        ward.client.get("/welfare/")
    with ward.sessions.begin() as session:
        ids = [make_patient(session, ward.clinic).id for _each in range(4)]
    for patient_id in ids:
        ward.add(patient_id)
    ward.be_silent()
    with statements(engine) as many:
        ward.client.get("/welfare/")

    assert ward.checks() == 5
    assert len(many) <= len(few) + 1


def test_where_the_patient_has_died_calls_and_texts_end_with_the_check(ward: Ward) -> None:
    ward.be_silent()
    sign_in(ward.client, ward.nurse)

    assert ward.close("died") == 302

    assert ward.check_of().done_at == ward.clock()
    with ward.sessions() as session:
        assert session.scalars(select(Enrolment.status)).all() == [EnrolmentStatus.DIED]
        open_calls = select(PlannedCall).where(PlannedCall.status == CallStatus.PLANNED)
        assert session.scalars(open_calls).all() == []
