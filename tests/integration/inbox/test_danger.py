"""Texts that suggest danger: a concern, the nurse on call, and numbers to ring."""

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from outreach.accounts.models import Clinic
from outreach.accounts.rules import Role, Scope
from outreach.concerns import raising, steps
from outreach.concerns.models import ConcernStep
from outreach.concerns.rules import ConcernKind, ConcernStatus, Urgency
from tests.builders import make_clinic, make_patient, make_staff
from tests.conftest import HASH, sign_in
from tests.integration.inbox.house import NURSES_PHONE, House


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        ("I want to die", ConcernKind.SELF_HARM),
        ("no quiero vivir más", ConcernKind.SELF_HARM),
        ("Não consigo respirar", ConcernKind.MEDICAL),
        ("me pega cuando bebe", ConcernKind.ABUSE),
    ],
)
def test_danger_opens_an_urgent_concern_and_answers_with_numbers(
    house: House, body: str, kind: ConcernKind
) -> None:
    answers = house.said(body)

    (concern,) = house.concerns()
    assert (concern.kind, concern.urgency) == (kind, Urgency.NOW)
    assert concern.patient_id == house.rosa.id
    assert "911" in answers[0]
    assert "988" in answers[0]
    assert NURSES_PHONE in [sms.to for sms in house.gateway.sent]
    with house.sessions() as session:
        assert body in steps.first_words(session, [concern])[concern.id]


def test_the_answer_is_in_the_language_of_the_patient(house: House) -> None:
    with house.sessions.begin() as session:
        make_patient(session, house.clinic, phone="+15125550155", language="pt-BR")
    answers = house.said("quero morrer", number="+15125550155")
    assert "perigo" in answers[0]


def test_danger_goes_before_an_offer_and_a_reading(house: House) -> None:
    house.agree_to_readings()
    house.text("another time")
    house.text("2 I passed out, sugar 45")

    assert house.understood() == ["another_time", "danger"]
    assert not house.call().is_agreed


def test_more_of_the_same_is_added_while_nobody_has_taken_it_on(house: House) -> None:
    house.text("I want to die")
    house.text("suicidal")

    (concern,) = house.concerns()
    with house.sessions() as session:
        kinds = session.scalars(
            select(ConcernStep.kind).where(ConcernStep.concern_id == concern.id)
        ).all()
    assert [kind.value for kind in kinds] == ["raised", "added"]
    assert len(house.tick()) == 1  # one answer in ten minutes


def test_once_a_nurse_has_taken_it_on_another_text_is_another_concern(house: House) -> None:
    house.text("I want to die")
    with house.sessions.begin() as session:
        concern = raising.by_id(session, everything(house), house.concerns()[0].id)
        raising.acknowledge(session, concern, by_staff_id=house.nina.id, now=house.clock())
    house.text("I took an overdose")

    assert [each.status for each in house.concerns()] == [
        ConcernStatus.ACKNOWLEDGED,
        ConcernStatus.OPEN,
    ]


def test_a_number_that_several_have_raises_it_for_each(house: House) -> None:
    with house.sessions.begin() as session:
        clinic = session.get_one(Clinic, house.clinic.id)
        other = make_patient(session, clinic)
    answers = house.said("I want to die")

    assert {each.patient_id for each in house.concerns()} == {house.rosa.id, other.id}
    assert len(answers) == 1


def test_the_nurse_who_is_told_sees_danger_from_a_number_that_is_nobodys(
    house: House, client: FlaskClient
) -> None:
    house.text("I passed out", number="+15125550999")
    house.text("Hello there friend", number="+15125550998")
    house.text("What is this about?")
    sign_in(client, house.nina)
    page = client.get("/texts/").text

    assert "I passed out" in page
    assert "Hello there friend" not in page
    assert "What is this about?" not in page
    first, other, own = house.items()
    assert client.post(f"/texts/items/{own.id}/done").status_code == 404
    assert client.post(f"/texts/items/{other.id}/done").status_code == 404
    assert client.post(f"/texts/items/{first.id}/done").status_code == 302
    assert house.items()[0].done_by_id == house.nina.id


def test_a_nurse_of_another_clinic_does_not_see_it(house: House, client: FlaskClient) -> None:
    with house.sessions.begin() as session:
        other = make_clinic(session, phone_number="+15125550200")
        nurse = make_staff(session, other, Role.NURSE, password_hash=HASH)
    house.text("I passed out", number="+15125550999")
    sign_in(client, nurse)

    assert "I passed out" not in client.get("/texts/").text
    assert client.post(f"/texts/items/{house.items()[0].id}/done").status_code == 404


def everything(house: House) -> Scope:
    return Scope(house.nina.id, everything=True, clinic_ids=frozenset())
