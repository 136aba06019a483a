"""What Rosa gets when she answers: confirmations, other times, and the next one of both."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select, update

from outreach.inbox.models import TextQuestion
from outreach.panels.models import Shift
from outreach.patients.models import Patient
from outreach.planning.jobs import write_reminders
from outreach.planning.models import PlannedCall
from outreach.programmes.models import Enrolment
from outreach.programmes.rules import EnrolmentStatus
from tests.builders import make_absence, make_enrolment, make_patient, make_planned_call
from tests.integration.inbox.house import House

TOMORROW_9 = datetime(2026, 11, 24, 15, tzinfo=UTC)


def offered(house: House) -> list[datetime]:
    """Return the times of the newest offer."""
    with house.sessions() as session:
        newest = session.scalars(select(TextQuestion).order_by(TextQuestion.id.desc())).first()
    assert newest is not None
    return [datetime.fromisoformat(begins) for begins, _ends in newest.details["slots"]]


def remind(house: House) -> None:
    """Send the reminder of the call: it asks whether that time is all right."""
    assert write_reminders(house.sessions, house.clock) == 1
    assert len(house.tick()) == 1
    house.later(minutes=5)


@pytest.mark.parametrize("body", ["C", "c.", "Confirm", "confirmo", "Confirmado!"])
def test_c_confirms_the_planned_call(house: House, body: str) -> None:
    answers = house.said(body)

    assert answers == ["Cedar Creek Clinic: Thank you. Ana will call you Tue Nov 24 9 AM - 12 PM."]
    (item,) = house.items()
    assert (item.planned_call_id, item.slot_at) == (house.call_id, TOMORROW_9)
    assert house.waiting() == 0


@pytest.mark.parametrize("body", ["1", "yes", "Sí", "Sim"])
def test_after_a_reminder_one_and_yes_confirm(house: House, body: str) -> None:
    house.text(body)
    assert house.understood() == ["not_understood"]  # nothing was asked yet
    house.tick()
    remind_after = house.clock()
    with house.sessions.begin() as session:  # nobody writes any more
        session.execute(update(PlannedCall).values(planned_at=remind_after))
    house.later(hours=1)
    remind(house)

    house.text(body)

    assert house.understood()[-1] == "confirmed"


@pytest.mark.parametrize("body", ["YES", "yes please", "Sí"])
def test_a_yes_that_the_carrier_takes_as_a_start_answers_the_reminder(
    house: House, body: str
) -> None:
    remind(house)

    answers = house.said(body, OptOutType="START")

    assert house.understood() == ["confirmed"]
    assert ["Ana will call you" in each for each in answers] == [True]
    assert house.consents() == [True]


def test_a_number_that_the_carrier_takes_as_help_answers_the_reminder(house: House) -> None:
    remind(house)

    answers = house.said("2", OptOutType="HELP")

    assert house.understood() == ["another_time"]
    assert "Reply with the number" in answers[0]


@pytest.mark.parametrize("body", ["no", "2", "C"])
def test_an_answer_that_the_carrier_takes_as_a_stop_is_a_stop(house: House, body: str) -> None:
    remind(house)

    assert house.said(body, OptOutType="STOP") == []

    assert house.understood() == ["stop"]
    assert house.consents() == [True, False]


@pytest.mark.parametrize(
    ("body", "taken_as"), [("INFO", "HELP"), ("quién manda esto", "HELP"), ("UNSTOP", "START")]
)
def test_what_answers_nothing_is_what_the_carrier_took_it_as(
    house: House, body: str, taken_as: str
) -> None:
    remind(house)

    assert house.said(body, OptOutType=taken_as) == []

    assert house.understood() == [taken_as.casefold()]
    assert house.waiting() == 0


def test_after_a_reminder_two_asks_for_another_time(house: House) -> None:
    remind(house)
    answers = house.said("2")

    assert house.understood() == ["another_time"]
    assert "1) " in answers[0]
    assert "3) " in answers[0]
    assert "Reply with the number" in answers[0]


@pytest.mark.parametrize(
    "body", ["another time please", "otra hora por favor", "outro horário", "cancel my call"]
)
def test_words_ask_for_another_time(house: House, body: str) -> None:
    house.text(body)
    assert house.understood() == ["another_time"]
    assert house.consents() == [True]


def test_offered_times_are_in_the_hours_of_both(house: House) -> None:
    with house.sessions.begin() as session:
        session.execute(update(Patient).values(zone="America/Denver"))
    house.text("another time")

    for at in offered(house):
        local = at - timedelta(hours=7)  # Denver in winter
        anas = at - timedelta(hours=6)
        assert 9 <= local.hour < 20
        assert 9 <= anas.hour < 17
        assert at.weekday() < 5


def test_the_answer_books_the_time(house: House) -> None:
    house.text("another time")
    second = offered(house)[1]
    house.tick()

    answers = house.said("2")

    call = house.call()
    assert (call.dial_from_at, call.is_agreed) == (second, True)
    assert house.understood() == ["another_time", "booked"]
    assert "Ana will call you" in answers[0]
    assert house.waiting() == 0


def test_a_number_answers_one_question_once(house: House) -> None:
    house.text("another time")
    house.text("2")
    house.text("3")

    assert house.understood() == ["another_time", "booked", "not_understood"]


def test_a_number_that_was_not_offered_goes_to_a_person(house: House) -> None:
    house.text("another time")
    house.text("7")

    assert house.understood()[-1] == "not_understood"
    assert house.waiting() == 1


def test_an_offer_that_is_too_old_says_nothing(house: House) -> None:
    house.text("another time")
    house.later(hours=37)
    house.text("3")

    assert house.understood()[-1] == "not_understood"


def test_a_time_that_passed_meanwhile_is_answered_with_others(house: House) -> None:
    house.text("another time")
    first = offered(house)[0]
    house.tick()
    house.clock.now = first + timedelta(minutes=1)

    answers = house.said("1")

    assert house.understood()[-1] == "slot_gone"
    assert "no longer free" in answers[0]
    assert min(offered(house)) > house.clock()
    assert not house.call().is_agreed


def test_a_time_that_was_given_to_somebody_else_is_gone(house: House) -> None:
    house.text("another time")
    first = offered(house)[0]
    with house.sessions.begin() as session:
        other = make_patient(session, house.clinic, phone="+15125550148")
        enrolment = make_enrolment(session, other, caller=house.ana)
        make_planned_call(
            session,
            enrolment,
            dial_from_at=first,
            dial_until_at=first + timedelta(minutes=30),
            is_agreed=True,
        )

    house.text("1")

    assert house.understood()[-1] == "slot_gone"
    assert first not in offered(house)


def test_no_time_is_offered_while_the_caller_is_away_or_has_no_shifts(house: House) -> None:
    with house.sessions.begin() as session:
        make_absence(
            session,
            house.ana,
            house.clinic.id,
            from_at=house.clock(),
            until_at=house.clock() + timedelta(days=3),
        )
    house.text("another time")
    assert min(offered(house)) >= house.clock() + timedelta(days=3)

    with house.sessions.begin() as session:
        for shift in session.scalars(select(Shift)):
            session.delete(shift)
    house.text("another time please")

    assert house.understood()[-1] == "no_time_found"
    assert house.waiting() == 1


def test_two_answers_at_once_book_one_time(house: House) -> None:
    house.text("another time")
    first, second, _third = offered(house)
    house.text("1", sid="SMa")
    house.text("2", sid="SMb")

    assert house.call().dial_from_at == first
    assert second != first
    assert house.understood()[1:] == ["booked", "not_understood"]


def test_times_across_the_change_of_clocks_are_the_hours_they_say(house: House) -> None:
    house.clock.now = datetime(2027, 3, 12, 23, tzinfo=UTC)  # Friday evening before it
    with house.sessions.begin() as session:
        session.execute(update(Enrolment).values(starts_on=house.clock.now.date()))
        session.execute(
            update(PlannedCall).values(
                due_on=house.clock.now.date() + timedelta(days=3),
                complete_by_on=house.clock.now.date() + timedelta(days=4),
                dial_from_at=datetime(2027, 3, 15, 14, tzinfo=UTC),
                dial_until_at=datetime(2027, 3, 15, 17, tzinfo=UTC),
            )
        )
    house.text("another time")

    monday = offered(house)[0]
    assert monday == datetime(2027, 3, 15, 14, tzinfo=UTC)  # 9 am, summer time
    house.text("1")
    assert house.call().dial_from_at == monday


def test_who_is_not_in_the_programme_is_read_by_a_person(house: House) -> None:
    with house.sessions.begin() as session:
        session.execute(update(Enrolment).values(status=EnrolmentStatus.WITHDRAWN))
    house.text("C")
    house.text("another time")

    assert house.understood() == ["not_understood", "no_time_found"]


def test_thanks_waits_for_nobody(house: House) -> None:
    assert house.said("Thank you!") == []
    assert house.said("👍") == []
    assert house.understood() == ["courtesy"] * 2
    assert house.waiting() == 0


def test_automatic_texts_wait_while_somebody_is_writing(house: House) -> None:
    assert write_reminders(house.sessions, house.clock) == 1
    house.text("I have a question about tomorrow")
    house.tick()
    assert [each.kind.value for each in house.messages() if each.accepted_at] == [
        "not_understood_reply"
    ]

    house.later(minutes=31)

    assert len(house.tick()) == 1


def test_an_answer_of_ours_ends_the_waiting(house: House) -> None:
    assert write_reminders(house.sessions, house.clock) == 1
    house.text("C")

    assert len(house.tick()) == 2  # the confirmation, and the reminder


def test_an_answer_counts_against_no_limit(house: House) -> None:
    house.said("C")
    assert write_reminders(house.sessions, house.clock) == 1
    assert len(house.tick()) == 1
