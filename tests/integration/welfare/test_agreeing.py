"""A welfare check is made only of somebody who agreed to it, when they were asked."""

import pytest
from sqlalchemy import select

from outreach.audit.models import AuditEvent
from outreach.patients.models import Patient
from outreach.planning.models import FollowUp
from outreach.planning.rules import FollowUpKind
from tests.conftest import sign_in
from tests.integration.welfare.conftest import Ward

ASKS = "may a nurse make sure that you are well?"


def said(ward: Ward) -> bool | None:
    with ward.sessions() as session:
        return session.get_one(Patient, ward.rosa.id).is_welfare_check_agreed


def say(ward: Ward, *, answer: bool | None) -> None:
    with ward.sessions.begin() as session:
        session.get_one(Patient, ward.rosa.id).is_welfare_check_agreed = answer


def press(ward: Ward, answer: str) -> int:
    path = f"/patients/{ward.rosa.ref}/welfare-check"
    return ward.client.post(path, data={"agreed": answer, "back": "call"}).status_code


@pytest.mark.parametrize("answer", [None, False])
def test_who_did_not_agree_is_checked_for_a_way_to_reach_them_and_no_more(
    ward: Ward, *, answer: bool | None
) -> None:
    say(ward, answer=answer)

    ward.be_silent(50)

    assert ward.checks() == 0
    with ward.sessions() as session:
        assert session.scalars(select(FollowUp.kind)).all() == [FollowUpKind.CONTACT_CHECK]


def test_who_agrees_in_the_middle_of_a_silence_is_checked_from_then_on(ward: Ward) -> None:
    say(ward, answer=None)
    ward.be_silent(50)
    say(ward, answer=True)

    ward.be_silent(1)

    assert ward.checks() == 1


@pytest.mark.parametrize(("word", "answer"), [("yes", True), ("no", False)])
def test_the_call_screen_asks_once_and_one_press_answers(
    ward: Ward, word: str, *, answer: bool
) -> None:
    say(ward, answer=None)
    sign_in(ward.client, ward.caller)
    assert ASKS in ward.client.get(f"/calls/{ward.rosa.ref}").text

    assert press(ward, word) == 302

    assert said(ward) is answer
    page = ward.client.get(f"/calls/{ward.rosa.ref}").text
    assert ASKS not in page
    assert ("a nurse may make sure that they are well" in page) is answer
    with ward.sessions() as session:
        noted = select(AuditEvent.actor_id).where(
            AuditEvent.action == "noted what they said to a welfare check"
        )
        assert session.scalars(noted).all() == [ward.caller.id]


def test_neither_yes_nor_no_changes_nothing(ward: Ward) -> None:
    sign_in(ward.client, ward.caller)

    assert press(ward, "perhaps") == 422

    assert said(ward) is True


def test_nobody_answers_for_a_patient_of_another_clinic(ward: Ward) -> None:
    sign_in(ward.client, ward.elsewhere)

    assert press(ward, "no") == 404

    assert said(ward) is True


def test_it_stands_on_the_patients_page_and_is_changed_with_the_details(ward: Ward) -> None:
    sign_in(ward.client, ward.caller)
    assert "agreed" in ward.client.get(f"/patients/{ward.rosa.ref}").text
    details = {"language": "en", "zone": "America/Chicago", "voicemail": "", "about": ""}

    answer = ward.client.post(
        f"/patients/{ward.rosa.ref}/details",
        data=details | {"first_daypart": "", "second_daypart": "", "welfare_check": "no"},
    )

    assert answer.status_code == 302
    assert said(ward) is False
    assert "not wanted" in ward.client.get(f"/patients/{ward.rosa.ref}").text
