"""Texts that come in: once each, whole, for whoever they may be from."""

import pytest
from sqlalchemy import select, update

from outreach.accounts.models import Clinic
from outreach.patients.models import PhoneNumber
from outreach.patients.rules import NumberHealth
from tests.builders import make_clinic, make_patient
from tests.integration.inbox.house import CLINICS_NUMBER, NURSES_PHONE, House


def test_a_text_is_a_row_and_a_repeat_is_the_same_one(house: House) -> None:
    for _ in range(3):
        assert house.text("What time tomorrow?", sid="SM1") == 200

    assert [each.body for each in house.texts()] == ["What time tomorrow?"]
    assert house.understood() == ["not_understood"]
    assert len(house.tick()) == 1


def test_a_wrong_signature_keeps_nothing(house: House) -> None:
    assert house.text("STOP", signature="forged") == 403

    assert not house.texts()
    assert house.consents() == [True]


@pytest.mark.parametrize(
    "body",
    [
        "",
        "x" * 1600,
        "👍🏽 🎉",
        "\u0645\u0631\u062d\u0628\u0627",
        "a\x00b",
        "\x00",
        "\u202eevil",
        "\n\n",
    ],
)
def test_whatever_comes_is_kept_and_answered_calmly(house: House, body: str) -> None:
    assert house.text(body) == 200

    assert [each.body for each in house.texts()] == [body.replace("\x00", "\ufffd")]
    assert house.waiting() == 1


def test_a_text_without_an_id_is_no_text(house: House) -> None:
    assert house.text("Hello", sid="", MessageSid="") == 200
    assert not house.texts()


def test_pictures_are_counted_and_not_fetched(house: House) -> None:
    house.text("", NumMedia="2", MediaUrl0="https://example.org/1")

    assert [each.attachments for each in house.texts()] == [2]
    assert house.waiting() == 1


def test_a_thank_you_with_a_picture_still_waits_for_a_person(house: House) -> None:
    house.text("thanks", NumMedia="1")
    assert house.waiting() == 1


def test_an_unknown_number_is_kept_for_the_clinic_and_answered_once_a_day(house: House) -> None:
    first = house.said("Who are you all?", number="+15125550999")
    second = house.said("Hello again", number="+15125550999")
    house.later(days=1)
    third = house.said("And again", number="+15125550999")

    assert house.understood() == ["unknown_number"] * 3
    assert [each.patient_id for each in house.items()] == [None] * 3
    assert [len(first), len(second), len(third)] == [1, 0, 1]
    assert "Cedar Creek" in first[0]


def test_each_clinic_gets_the_texts_to_its_own_number(house: House) -> None:
    with house.sessions.begin() as session:
        other = make_clinic(session, phone_number="+15125550200", sms_sender="MG" + "1" * 32)
        make_patient(session, other)

    house.text("Hello there friend", to="+15125550200")
    house.text("Hello there friend", to="+19995550000", MessagingServiceSid="MG" + "1" * 32)
    house.text("Hello there friend", to=CLINICS_NUMBER)

    assert [each.clinic_id for each in house.items()] == [other.id, other.id, house.clinic.id]


def test_a_number_that_no_clinic_names_still_finds_the_patient(house: House) -> None:
    house.text("Hello there friend", to="+19995550000")
    assert [each.patient_id for each in house.items()] == [house.rosa.id]


def test_a_shared_number_is_everybodys_and_answered_neutrally(house: House) -> None:
    with house.sessions.begin() as session:
        clinic = session.get_one(Clinic, house.clinic.id)
        other = make_patient(session, clinic, given_name="Luis", language="es")

    answers = house.said("C")

    assert {each.patient_id for each in house.items()} == {house.rosa.id, other.id}
    assert house.understood() == ["shared_number"] * 2
    assert len(answers) == 1
    assert "Rosa" not in answers[0]
    assert "Luis" not in answers[0]


def test_somebody_whose_number_turned_out_anothers_is_not_meant(house: House) -> None:
    with house.sessions.begin() as session:
        session.execute(update(PhoneNumber).values(health=NumberHealth.WRONG))

    house.text("Hello there friend")

    assert house.understood() == ["unknown_number"]


def test_what_is_not_understood_gets_one_thank_you_a_day(house: House) -> None:
    counts = [len(house.said(f"Something else {n}")) for n in range(3)]
    house.later(days=1)

    assert [*counts, len(house.said("And today"))] == [1, 0, 0, 1]
    assert house.waiting() == 4


def test_a_late_answer_is_no_answer(house: House) -> None:
    house.text("Something else")
    house.later(minutes=16)

    assert house.tick() == []


def test_an_answer_goes_out_at_the_hour_at_which_they_wrote(house: House) -> None:
    house.later(hours=14)  # midnight there
    assert len(house.said("Something else")) == 1


def test_danger_from_a_number_that_is_nobodys_tells_who_is_on_call(house: House) -> None:
    answers = house.said("I want to die", number="+15125550999")

    assert "988" in answers[0]
    assert "911" in answers[0]
    assert [sms.to for sms in house.gateway.sent].count(NURSES_PHONE) == 1
    assert house.understood() == ["danger"]
    assert not house.concerns()
    with house.sessions() as session:
        assert session.scalars(select(Clinic)).all()
