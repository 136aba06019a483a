"""A patient whom nobody reaches for long: a nurse makes sure they are well, step by step."""

import pytest
from sqlalchemy import Engine, select

from outreach.audit.models import AuditEvent
from outreach.planning import follow_ups
from outreach.planning.models import PlannedCall
from outreach.planning.rules import CallStatus
from outreach.programmes.models import Enrolment
from outreach.programmes.rules import EnrolmentStatus
from outreach.welfare.models import EmergencyContact, WelfareStep
from outreach.welfare.rules import StepKind
from tests.builders import (
    make_patient,
)
from tests.conftest import sign_in
from tests.counting import statements
from tests.integration.welfare.conftest import Ward


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
        ids = [
            make_patient(session, ward.clinic, is_welfare_check_agreed=True).id
            for _each in range(4)
        ]
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
