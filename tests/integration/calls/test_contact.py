"""What the head of the call screen says of numbers and consent, before anybody dials."""

from flask.testing import FlaskClient

from outreach.orm import Sessions
from outreach.patients import consent, registry
from outreach.patients.models import Patient
from outreach.patients.rules import Channel, ConsentSource, NumberHealth
from tests.conftest import sign_in
from tests.fakes import MONDAY_10_CHICAGO
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
    assert "2 numbers" in page
    assert "disconnected" in page


def test_the_head_says_how_it_stands_with_texts(
    sessions: Sessions, client: FlaskClient, day: Day
) -> None:
    number = _number(sessions, day)
    sign_in(client, day.ana)

    def page() -> str:
        return client.get(f"/calls/{day.rosa.ref}").text

    assert "texts not agreed yet" in page()
    _note(sessions, day, Channel.SMS, number, is_given=True)
    assert "texts agreed" in page()
    _note(sessions, day, Channel.SMS, number, is_given=False)
    assert "no texts: they said stop" in page()


def test_not_today_stands_on_the_timeline_with_its_reason(client: FlaskClient, day: Day) -> None:
    sign_in(client, day.ana)
    client.post(f"/calls/{day.rosa.ref}/not-today", data={"reason": "At a funeral"})

    page = client.get(f"/patients/{day.rosa.ref}").text

    assert "Call put off: not today" in page
    assert "At a funeral" in page
