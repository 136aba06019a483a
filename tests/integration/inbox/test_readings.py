"""Blood sugar by text: taken where it is clear and agreed to, judged in any case."""

import pytest
from sqlalchemy import select

from outreach.accounts.models import Clinic
from outreach.concerns.rules import ConcernKind, Urgency
from outreach.measures.models import Reading
from outreach.measures.rules import ReadingSource
from tests.builders import make_patient
from tests.integration.inbox.house import NURSES_PHONE, House


def readings(house: House) -> list[Reading]:
    with house.sessions() as session:
        return list(session.scalars(select(Reading).order_by(Reading.id)))


@pytest.mark.parametrize(
    ("body", "value", "unit"),
    [
        ("sugar 132", "132", "mg/dL"),
        ("132 this morning", "132", "mg/dL"),
        ("7,3", "7.3", "mmol/L"),
        ("glucosa 140", "140", "mg/dL"),
        ("açúcar 98", "98", "mg/dL"),
    ],
)
def test_a_clear_value_is_kept_and_read_back_without_it(
    house: House, body: str, value: str, unit: str
) -> None:
    house.agree_to_readings()
    answers = house.said(body)

    (reading,) = readings(house)
    assert (reading.entered_value, reading.entered_unit) == (value, unit)
    assert reading.source is ReadingSource.SMS
    assert reading.taken_at == house.clock()
    assert "noted" in answers[0]
    assert value not in answers[0]
    assert house.waiting() == 0
    assert not house.concerns()


def test_a_repeat_is_one_reading(house: House) -> None:
    house.agree_to_readings()
    for _ in range(2):
        house.text("sugar 132", sid="SM1")
    assert len(readings(house)) == 1


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        ("sugar 45", ConcernKind.GLUCOSE_LOW),
        ("45", ConcernKind.GLUCOSE_LOW),
        ("sugar 420", ConcernKind.GLUCOSE_HIGH),
        ("sugar HI", ConcernKind.GLUCOSE_HIGH),
        ("sugar lo", ConcernKind.GLUCOSE_LOW),
    ],
)
def test_an_alarming_value_tells_the_nurse_and_says_so(
    house: House, body: str, kind: ConcernKind
) -> None:
    house.agree_to_readings()
    answers = house.said(body)

    (concern,) = house.concerns()
    assert (concern.kind, concern.urgency) == (kind, Urgency.NOW)
    assert concern.reading_id == readings(house)[0].id
    assert "911" in answers[0]
    assert NURSES_PHONE in [sms.to for sms in house.gateway.sent]
    assert house.waiting() == 1


def test_who_has_not_agreed_is_asked_and_a_yes_keeps_the_value(house: House) -> None:
    answers = house.said("sugar 132")
    assert not readings(house)
    assert "Reply 1 for yes" in answers[0]

    house.later(hours=2)
    house.text("1")

    (reading,) = readings(house)
    assert reading.entered_value == "132"
    assert reading.recorded_at == house.clock()
    assert reading.taken_at < house.clock()
    house.text("sugar 140")
    assert len(readings(house)) == 2


def test_a_yes_that_the_carrier_takes_as_a_start_keeps_the_value(house: House) -> None:
    house.said("sugar 132")

    house.text("YES", OptOutType="START")

    assert [each.entered_value for each in readings(house)] == ["132"]
    assert house.understood()[-1] == "readings_allowed"


def test_a_no_keeps_nothing(house: House) -> None:
    house.text("sugar 132")
    house.text("no")

    assert not readings(house)
    assert house.understood()[-1] == "readings_refused"


def test_an_alarming_value_counts_whether_or_not_they_agreed(house: House) -> None:
    answers = house.said("sugar 45")

    assert not readings(house)
    assert [each.kind for each in house.concerns()] == [ConcernKind.GLUCOSE_LOW]
    assert "911" in answers[0]


def test_a_value_that_can_mean_two_things_is_not_kept_but_judged(house: House) -> None:
    house.agree_to_readings()
    answers = house.said("sugar 30")

    assert not readings(house)
    assert [each.kind for each in house.concerns()] == [ConcernKind.SAFETY]
    assert "911" in answers[0]
    assert house.waiting() == 1


def test_an_unclear_harmless_value_goes_to_the_caller(house: House) -> None:
    house.agree_to_readings()
    house.text("sugar 132 and then 145")

    assert not readings(house)
    assert not house.concerns()
    assert house.understood() == ["reading_unclear"]
    assert house.waiting() == 1


def test_a_bare_number_of_somebody_who_never_agreed_is_no_reading(house: House) -> None:
    house.text("132")
    assert house.understood() == ["not_understood"]


def test_while_times_are_offered_a_number_is_a_time(house: House) -> None:
    house.agree_to_readings()
    house.text("another time")
    house.text("2")

    assert not readings(house)
    assert house.understood() == ["another_time", "booked"]


def test_this_morning_is_a_day_and_no_time(house: House) -> None:
    house.agree_to_readings()
    house.later(hours=8)
    house.text("132 this morning")

    (reading,) = readings(house)
    assert not reading.is_time_known
    assert reading.taken_at.hour == 18  # noon in Chicago


def test_an_alarming_value_on_a_shared_number_is_a_concern_for_each(house: House) -> None:
    with house.sessions.begin() as session:
        other = make_patient(session, session.get_one(Clinic, house.clinic.id), given_name="Luis")

    answers = house.said("my sugar is 45")

    assert {each.patient_id for each in house.concerns()} == {house.rosa.id, other.id}
    assert {each.kind for each in house.concerns()} == {ConcernKind.GLUCOSE_LOW}
    assert not readings(house)
    assert len(answers) == 1
    assert "911" in answers[0]
    assert house.waiting() == 2


def test_an_alarming_value_after_a_stop_tells_the_nurse_and_answers_nothing(house: House) -> None:
    house.text("STOP")

    assert house.said("my sugar is 45") == []

    assert [each.urgency for each in house.concerns()] == [Urgency.NOW]
    assert NURSES_PHONE in [sms.to for sms in house.gateway.sent]


def test_a_harmless_value_on_a_shared_number_waits_for_a_person(house: House) -> None:
    with house.sessions.begin() as session:
        make_patient(session, session.get_one(Clinic, house.clinic.id))

    house.text("sugar 132")

    assert not house.concerns()
    assert house.understood() == ["shared_number"] * 2
