"""Texts that need no turn go out past a long line of those that do."""

from datetime import timedelta

import pytest
from sqlalchemy import Engine, select

from outreach.accounts.models import Clinic
from outreach.messaging import claiming, outbox
from outreach.messaging.jobs import send_due_messages
from outreach.messaging.models import Message
from outreach.messaging.rules import MessageStatus
from tests.builders import make_clinic
from tests.integration.messaging.test_pace import House


@pytest.fixture
def house(engine: Engine) -> House:
    return House(engine, per_second=1)


def another(house: House) -> Clinic:
    """Return a clinic that sends by a sender without a pace."""
    with house.sessions.begin() as session:
        return make_clinic(session)


def claimed_of(house: House, limit: int) -> list[tuple[int, int]]:
    """Claim so many; return the clinic of each, and for how many minutes it waited."""
    with house.sessions.begin() as session:
        claim = claiming.claim(session, now=house.clock(), limit=limit)
    with house.sessions() as session:
        rows = session.execute(select(Message.id, Message.clinic_id, Message.send_after))
        known = {
            row.id: (row.clinic_id, (house.clock() - row.send_after).seconds // 60) for row in rows
        }
    return [known[text.asked.message_id] for text in claim.texts]


def test_a_line_stays_where_it_is_and_everything_else_goes_out(house: House) -> None:
    house.write(30, house.here, ago=60)
    first, second = another(house), another(house)
    house.write(4, first)
    house.write(3, second, ago=10)

    assert send_due_messages(house.sessions, house.gateway, house.clock) == 7

    assert sorted(house.clinics_of_sent()) == [first.id] * 4 + [second.id] * 3
    assert house.states() == {MessageStatus.SCHEDULED: 30, MessageStatus.ACCEPTED: 7}
    with house.sessions() as session:
        assert not claiming.is_any_due(session, now=house.clock())


def test_the_clinic_whose_next_text_is_the_oldest_comes_first(house: House) -> None:
    first, second = another(house), another(house)
    house.write(2, first, ago=5)
    house.write(1, second, ago=30)
    house.write(1, second, ago=1)

    assert claimed_of(house, 3) == [(second.id, 30), (second.id, 1), (first.id, 5)]
    assert claimed_of(house, 3) == [(first.id, 5)]


def test_what_is_urgent_comes_before_every_clinic(house: House) -> None:
    first, second = another(house), another(house)
    house.write(2, first, ago=60)
    alert = outbox.new_alert(
        house.caller,
        second.id,
        "Somebody needs help.",
        dedupe_key="alert:1",
        cause="concern:1",
        window=(house.clock(), house.clock() + timedelta(hours=1)),
        now=house.clock(),
    )
    with house.sessions.begin() as session:
        outbox.write(session, [alert])

    assert claimed_of(house, 2) == [(second.id, 0), (first.id, 60)]


def test_what_is_not_due_yet_is_not_asked_for(house: House) -> None:
    house.write(1, another(house), ago=-10)

    with house.sessions() as session:
        assert not claiming.is_any_due(session, now=house.clock())
    assert claimed_of(house, 5) == []


# On SQLite the second one waits for the first.
@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_two_workers_at_once_take_what_the_other_does_not(house: House) -> None:
    house.write(6, another(house))

    with house.sessions.begin() as one, house.sessions.begin() as other:
        theirs = [
            {
                text.asked.message_id
                for text in claiming.claim(each, now=house.clock(), limit=3).texts
            }
            for each in (one, other)
        ]

    assert [len(each) for each in theirs] == [3, 3]
    assert not theirs[0] & theirs[1]
