"""No more texts, and texts again."""

import pytest

from outreach.accounts.models import Clinic
from outreach.messaging.rules import MessageKind, MessageStatus, SkipReason
from tests.builders import make_patient
from tests.integration.inbox.house import House


@pytest.mark.parametrize("body", ["STOP", "Unsubscribe", " stop ", "Revoke"])
def test_a_word_that_the_carrier_answers_is_not_answered_twice(house: House, body: str) -> None:
    assert house.said(body) == []

    assert house.consents() == [True, False]
    assert house.understood() == ["stop"]
    assert house.waiting() == 0


@pytest.mark.parametrize("body", ["please stop texting me", "no me escriban", "Parar", "opt out"])
def test_a_phrase_is_confirmed_once(house: House, body: str) -> None:
    answers = house.said(body)

    assert len(answers) == 1
    assert "START" in answers[0]
    assert house.said(body) == []
    assert house.consents() == [True, False]


def test_what_the_carrier_says_it_answered_is_not_answered(house: House) -> None:
    assert house.said("please stop texting me", OptOutType="STOP") == []
    assert house.consents() == [True, False]


def test_in_doubt_the_texts_stop_and_a_person_looks(house: House) -> None:
    house.text("I said stop ok")

    assert house.understood() == ["maybe_stop"]
    assert house.consents() == [True, False]
    assert house.waiting() == 1


def test_a_sentence_about_other_things_goes_to_a_person(house: House) -> None:
    house.text("I can't stop thinking about my sister")

    assert house.understood() == ["not_understood"]
    assert house.consents() == [True]


def test_stop_on_a_shared_number_is_for_everybody(house: House) -> None:
    with house.sessions.begin() as session:
        clinic = session.get_one(Clinic, house.clinic.id)
        other = make_patient(session, clinic, sms_consent=True)

    house.text("STOP")

    assert house.consents(other.id) == house.consents() == [True, False]


def test_start_gives_back_what_was_taken_and_no_more(house: House) -> None:
    house.text("STOP")
    assert house.said("START") == []  # the carrier's own word
    assert house.consents() == [True, False, True]
    assert house.understood()[-1] == "start"

    house.text("START")
    assert house.consents() == [True, False, True]
    assert house.understood()[-1] == "start"
    assert house.waiting() == 0  # they get texts already: nobody has anything to do


def test_a_start_where_nobody_said_yes_goes_to_a_person(house: House) -> None:
    with house.sessions.begin() as session:
        clinic = session.get_one(Clinic, house.clinic.id)
        other = make_patient(session, clinic)

    house.text("START")

    assert house.consents(other.id) == []
    assert house.waiting() > 0


@pytest.mark.parametrize("body", ["no molestar mas", "lose this", "🛑"])
def test_what_the_carrier_took_as_a_stop_is_one_whatever_it_says(house: House, body: str) -> None:
    assert house.said(body, OptOutType="STOP") == []

    assert house.consents() == [True, False]
    assert house.understood() == ["stop"]
    assert house.said("volver a empezar", OptOutType="START") == []
    assert house.consents() == [True, False, True]
    assert house.understood()[-1] == "start"


@pytest.mark.parametrize("body", ["YES", "UNSTOP", "START"])
def test_what_the_carrier_took_as_a_start_gives_back_what_was_taken(
    house: House, body: str
) -> None:
    house.text("STOP")

    assert house.said(body, OptOutType="START") == []

    assert house.consents() == [True, False, True]
    assert house.understood()[-1] == "start"
    assert house.waiting() == 0


def test_a_yes_to_nothing_that_was_asked_goes_to_a_person(house: House) -> None:
    house.text("YES", OptOutType="START")

    assert house.understood() == ["not_understood"]
    assert house.waiting() == 1
    assert house.consents() == [True]


def test_danger_counts_in_what_the_carrier_took_as_a_stop(house: House) -> None:
    house.text("I want to die, leave it", OptOutType="STOP")

    assert house.consents() == [True, False]
    assert len(house.concerns()) == 1


def test_a_start_of_ours_is_answered(house: House) -> None:
    house.text("no more messages")
    house.tick()

    assert ["again" in each for each in house.said("reanudar")] == [True]


def test_after_stop_nothing_is_answered_but_danger(house: House) -> None:
    house.text("STOP")

    assert house.said("Can you call me at another time") == []
    assert house.said("HELP") == []
    answers = house.said("no puedo respirar")

    assert len(answers) == 1
    assert "911" in answers[0]
    assert len(house.concerns()) == 1


def test_stop_and_danger_in_one_text_are_both_done(house: House) -> None:
    answers = house.said("Stop texting me, I want to kill myself")

    assert house.consents() == [True, False]
    assert len(house.concerns()) == 1
    assert len(answers) == 1
    assert "988" in answers[0]


def test_a_reply_that_waits_is_not_sent_once_they_say_stop(house: House) -> None:
    house.text("Something else")
    house.text("please stop texting me")
    house.tick()

    kinds = {each.kind: (each.status, each.skip_reason) for each in house.messages()}
    assert kinds[MessageKind.NOT_UNDERSTOOD_REPLY] == (
        MessageStatus.SKIPPED,
        SkipReason.NO_CONSENT,
    )
    assert kinds[MessageKind.STOP_REPLY][0] is MessageStatus.ACCEPTED


def test_help_in_their_language_is_answered(house: House) -> None:
    assert house.said("HELP") == []  # the carrier does
    assert "STOP" in house.said("ayuda")[0]
