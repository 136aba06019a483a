"""What the head of the call screen says of numbers and consent, before anybody dials."""

from datetime import timedelta

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from outreach.orm import Sessions
from outreach.patients import consent, dead_numbers, registry
from outreach.patients.dead_numbers import Learnt
from outreach.patients.models import NumberNote, Patient, PhoneNumber
from outreach.patients.rules import Channel, ConsentSource, NumberHealth
from tests.builders import actor_of
from tests.conftest import sign_in
from tests.fakes import MONDAY_10_CHICAGO, FakeClock
from tests.integration.calls.conftest import Day

OTHER = "+15125550199"


def _note(sessions: Sessions, day: Day, channel: Channel, number: str, *, is_given: bool) -> None:
    with sessions.begin() as session:
        consent.note(
            session,
            session.get_one(Patient, day.rosa.id),
            channel,
            number,
            is_given=is_given,
            source=ConsentSource.CALL,
            by_staff_id=day.ana.id,
            now=MONDAY_10_CHICAGO,
        )


def _number(sessions: Sessions, day: Day) -> str:
    with sessions() as session:
        return registry.numbers_of(session, day.rosa.id)[0].e164


def test_a_number_that_said_stop_to_calls_is_not_offered_for_dialling(
    sessions: Sessions, client: FlaskClient, day: Day
) -> None:
    first = _number(sessions, day)
    _note(sessions, day, Channel.CALL, first, is_given=False)
    sign_in(client, day.ana)

    page = client.get(f"/calls/{day.rosa.ref}").text

    assert f"tel:{first}" not in page
    assert "they said stop to calls" in page


def test_the_next_number_takes_its_place_and_the_dead_one_says_what_it_is(
    sessions: Sessions, client: FlaskClient, day: Day
) -> None:
    first = _number(sessions, day)
    with sessions.begin() as session:
        rosa = session.get_one(Patient, day.rosa.id)
        dead = registry.numbers_of(session, rosa.id)[0]
        registry.add_number(session, rosa, OTHER, now=MONDAY_10_CHICAGO)
        registry.spoil_number(
            session, rosa.id, dead.id, NumberHealth.DISCONNECTED, now=MONDAY_10_CHICAGO
        )
    sign_in(client, day.ana)

    page = client.get(f"/calls/{day.rosa.ref}").text

    assert f"tel:{OTHER}" in page
    assert f"tel:{first}" not in page
    assert "1 of 2" in page  # which one is dialled
    assert "2 numbers" in page
    assert "disconnected" in page


def test_the_head_says_how_it_stands_with_texts(
    sessions: Sessions, client: FlaskClient, day: Day
) -> None:
    number = _number(sessions, day)
    sign_in(client, day.ana)

    def page() -> str:
        return client.get(f"/calls/{day.rosa.ref}").text

    assert "reminders by text: not asked" in page()
    _note(sessions, day, Channel.SMS, number, is_given=True)
    assert "reminders by text: yes" in page()
    _note(sessions, day, Channel.SMS, number, is_given=False)
    assert "no texts: they said stop" in page()


def test_not_today_stands_on_the_timeline_with_its_reason(client: FlaskClient, day: Day) -> None:
    sign_in(client, day.ana)
    client.post(f"/calls/{day.rosa.ref}/not-today", data={"reason": "At a funeral"})

    page = client.get(f"/patients/{day.rosa.ref}").text

    assert "Call put off: not today" in page
    assert "At a funeral" in page


def test_what_is_learnt_about_a_dead_number_stands_on_the_call_until_it_is_resolved(
    sessions: Sessions, client: FlaskClient, day: Day, clock: FakeClock
) -> None:
    with sessions.begin() as session:
        number = session.scalars(select(PhoneNumber)).one()
        number.health, number.health_at = NumberHealth.WRONG, clock()
        address = f"/patients/{day.rosa.ref}/numbers/{number.id}"
    sign_in(client, day.ana)
    call, banner = f"/calls/{day.rosa.ref}", "A number that must not be dialled"
    assert banner in client.get(call).text

    clock.advance(timedelta(minutes=1))
    learnt = {"words": "A cousin answers; try the clinic's file.", "back": "call"}
    assert client.post(address, data=learnt).location == call
    page = client.get(call).text
    assert banner in page
    assert "A cousin answers" in page

    learnt = {"words": "From the file.", "number": "(512) 555-0199", "back": "call"}
    assert client.post(address, data=learnt).location == call
    page = client.get(call).text
    assert banner not in page
    assert "tel:+15125550199" in page


def test_a_resolved_number_that_goes_dead_once_more_is_a_question_again(
    sessions: Sessions, day: Day, clock: FakeClock
) -> None:
    with sessions.begin() as session:
        rosa = session.merge(day.rosa)
        number = session.scalars(select(PhoneNumber)).one()
        number.health, number.health_at = NumberHealth.WRONG, clock()
        ana = actor_of(day.ana, day.clinic)
        done = Learnt("", is_resolved=True)
        dead_numbers.keep(session, rosa, number, done, actor=ana, now=clock())
        (dead,) = dead_numbers.of(session, rosa.id, [number])
        assert dead.is_resolved

        number.health_at = clock() + timedelta(days=1)
        (dead,) = dead_numbers.of(session, rosa.id, [number])
        assert not dead.is_resolved


@pytest.mark.parametrize("data", [{}, {"words": " "}, {"number": "12"}, {"words": "x" * 1001}])
def test_nothing_is_kept_of_a_dead_number_that_says_nothing(
    sessions: Sessions, client: FlaskClient, day: Day, data: dict[str, str]
) -> None:
    with sessions.begin() as session:
        number = session.scalars(select(PhoneNumber)).one()
        number.health = NumberHealth.DISCONNECTED
        address = f"/patients/{day.rosa.ref}/numbers/{number.id}"
    sign_in(client, day.ana)

    assert client.post(address, data=data).status_code == 422
    with sessions() as session:
        assert session.scalars(select(NumberNote)).all() == []
