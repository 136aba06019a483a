"""The ledger of consents: one rule for one patient, one statement for many, the same answer."""

from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy.orm import Session

from outreach.accounts.models import Clinic
from outreach.patients import consent
from outreach.patients.models import Patient
from outreach.patients.rules import TOPICS, Channel, ConsentSource, ConsentTopic, topics_held
from tests.builders import make_clinic, make_patient
from tests.fakes import FakeClock

NUMBERS = ("+15125550101", "+15125550102")
NOW = FakeClock()()


@pytest.fixture
def clinic(session: Session) -> Clinic:
    return make_clinic(session)


words = st.lists(
    st.tuples(
        st.integers(0, 1),
        st.sampled_from(NUMBERS),
        st.sampled_from(TOPICS[Channel.SMS]),
        st.booleans(),
    ),
    max_size=12,
)


def say(
    session: Session,
    patient: Patient,
    *topics: ConsentTopic,
    yes: bool,
    number: str = NUMBERS[0],
    source: ConsentSource = ConsentSource.CALL,
) -> None:
    consent.note(
        session,
        patient,
        Channel.SMS,
        number,
        is_given=yes,
        source=source,
        by_staff_id=None,
        now=NOW,
        topics=topics or None,
    )


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(words)
def test_what_holds_for_one_and_for_many_is_the_same(
    session: Session, clinic: Clinic, said: list[tuple[int, str, ConsentTopic, bool]]
) -> None:
    patients = [make_patient(session, clinic), make_patient(session, clinic)]
    for who, number, topic, yes in said:
        say(session, patients[who], topic, yes=yes, number=number)

    found = consent.held_by(session, [each.id for each in patients], Channel.SMS)

    for index, patient in enumerate(patients):
        for number in NUMBERS:
            told = [
                (topic, yes) for who, each, topic, yes in said if (who, each) == (index, number)
            ]
            of_number = {topic for each, topic in found[patient.id] if each == number}
            assert of_number == topics_held(told)
            assert consent.held(session, patient.id, Channel.SMS, number) == of_number


def test_a_plain_no_ends_every_topic_and_a_start_gives_those_back(
    session: Session, clinic: Clinic
) -> None:
    patient = make_patient(session, clinic)
    had = (ConsentTopic.REMINDERS, ConsentTopic.SURVEYS)
    say(session, patient, *had, yes=True)

    say(session, patient, yes=False, source=ConsentSource.SMS)
    stopped = consent.held(session, patient.id, Channel.SMS, NUMBERS[0])
    is_back = consent.give_back(
        session, patient, NUMBERS[0], source=ConsentSource.SMS, now=NOW + timedelta(days=1)
    )

    assert stopped == frozenset()
    assert is_back
    assert consent.held(session, patient.id, Channel.SMS, NUMBERS[0]) == set(had)


def test_a_start_leaves_alone_what_was_refused_on_a_call(session: Session, clinic: Clinic) -> None:
    patient = make_patient(session, clinic)
    say(session, patient, ConsentTopic.REMINDERS, ConsentTopic.SURVEYS, yes=True)
    say(session, patient, ConsentTopic.SURVEYS, yes=False)  # on a call
    say(session, patient, yes=False, source=ConsentSource.CARRIER)

    consent.give_back(session, patient, NUMBERS[0], source=ConsentSource.SMS, now=NOW)

    held = consent.held(session, patient.id, Channel.SMS, NUMBERS[0])
    assert held == {ConsentTopic.REMINDERS}


def test_no_start_undoes_a_plain_no_said_on_a_call(session: Session, clinic: Clinic) -> None:
    patient = make_patient(session, clinic)
    say(session, patient, ConsentTopic.REMINDERS, yes=True)
    say(session, patient, yes=False)

    is_back = consent.give_back(session, patient, NUMBERS[0], source=ConsentSource.SMS, now=NOW)

    assert not is_back
    assert consent.held(session, patient.id, Channel.SMS, NUMBERS[0]) == frozenset()


def test_a_start_gives_nothing_that_was_never_agreed_to(session: Session, clinic: Clinic) -> None:
    patient = make_patient(session, clinic)
    say(session, patient, yes=False)

    assert not consent.give_back(session, patient, NUMBERS[0], source=ConsentSource.SMS, now=NOW)
    assert consent.ledger(session, patient.id)[0].is_given is False


def test_a_no_to_texts_leaves_calls_as_they_are(session: Session, clinic: Clinic) -> None:
    patient = make_patient(session, clinic)
    say(session, patient, ConsentTopic.REMINDERS, yes=True)
    say(session, patient, yes=False)

    assert consent.is_withdrawn(session, patient.id, Channel.SMS, NUMBERS[0])
    assert not consent.is_withdrawn(session, patient.id, Channel.CALL, NUMBERS[0])


def test_every_wording_on_record_can_be_read() -> None:
    for language in ("en", "es", "pt", "pt-BR", "vi"):
        assert consent.wording(consent.WORDING, language)
    assert consent.wording("2019-01", "en") is None


@pytest.mark.parametrize(
    ("language", "words"),
    [("en", "not encrypted"), ("es", "no van cifrados"), ("pt-BR", "não são cripto")],
)
def test_whoever_agrees_hears_that_texts_are_not_encrypted(language: str, words: str) -> None:
    assert words in (consent.wording(consent.WORDING, language) or "")
