"""What is answered to the one patient who wrote: confirmations, other times, blood sugar."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from sqlalchemy import select, update

from outreach.concerns.models import Concern
from outreach.concerns.rules import ConcernKind, Urgency
from outreach.inbox import permission
from outreach.inbox.models import TextQuestion
from outreach.inbox.rules import Understood
from outreach.measures.models import Reading
from outreach.measures.rules import ReadingSource
from outreach.messaging.models import InboundText
from outreach.messaging.rules import MessageKind
from outreach.orm import Sessions
from outreach.panels.models import Shift
from outreach.patients.models import Patient
from outreach.planning.models import PlannedCall
from tests.builders import make_absence
from tests.fakes import FakeClock
from tests.integration.calls.conftest import Day
from tests.integration.inbox.conftest import Texter, allow_readings, items, replies

MONDAY_7_CHICAGO = datetime(2026, 11, 23, 13, tzinfo=UTC)


@pytest.fixture
def day(day: Day, sessions: Sessions) -> Day:
    with sessions.begin() as session:
        session.execute(update(Patient).values(zone="America/Chicago"))
    return day


def call(sessions: Sessions, day: Day) -> PlannedCall:
    with sessions() as session:
        return session.get_one(PlannedCall, day.call.id)


def readings(sessions: Sessions) -> list[Reading]:
    with sessions() as session:
        return list(session.scalars(select(Reading).order_by(Reading.id)))


def concerns(sessions: Sessions) -> list[Concern]:
    with sessions() as session:
        return list(session.scalars(select(Concern).order_by(Concern.id)))


@pytest.mark.parametrize("text", ["C", "c.", "Confirmo", "confirm"])
def test_c_confirms_the_planned_call(
    day: Day, texter: Texter, sessions: Sessions, text: str
) -> None:
    texter.sends(text)

    (item,) = items(sessions)
    assert item.understood is Understood.CONFIRMED
    assert item.planned_call_id == day.call.id
    assert item.done_at is not None
    (reply,) = replies(sessions)
    assert reply.kind is MessageKind.CONFIRMED_REPLY
    assert "Ana" in reply.body
    assert "Nov 23" in reply.body


def test_a_bare_number_that_answers_nothing_goes_to_a_person(
    day: Day, texter: Texter, sessions: Sessions
) -> None:
    texter.sends("1")

    (item,) = items(sessions)
    assert (item.understood, item.done_at) == (Understood.NOT_UNDERSTOOD, None)


def test_another_time_is_offered_and_booked(
    day: Day, texter: Texter, sessions: Sessions, clock: FakeClock
) -> None:
    texter.sends("another time please")

    offer = replies(sessions)[0]
    assert offer.kind is MessageKind.OFFERED_SLOTS
    assert all(f"{number}) " in offer.body for number in (1, 2, 3))
    with sessions() as session:
        slots = session.scalars(select(TextQuestion)).one().details["slots"]
    clock.advance(timedelta(minutes=10))
    texter.sends("2")

    booked = call(sessions, day)
    assert booked.is_agreed
    assert booked.dial_from_at == datetime.fromisoformat(slots[1][0])
    assert [each.understood for each in items(sessions)] == [
        Understood.ANOTHER_TIME,
        Understood.BOOKED,
    ]
    assert replies(sessions)[-1].kind is MessageKind.CONFIRMED_REPLY


def test_every_offered_time_is_lawful_and_in_the_callers_shift(
    day: Day, texter: Texter, sessions: Sessions
) -> None:
    texter.sends("otro día")

    with sessions() as session:
        slots = session.scalars(select(TextQuestion)).one().details["slots"]
    assert len(slots) == 3
    for begins, ends in slots:
        # 9 to 17 in Chicago is 15:00 to 23:00 UTC in winter.
        from_at, until_at = datetime.fromisoformat(begins), datetime.fromisoformat(ends)
        assert from_at.astimezone(UTC).hour >= 15
        assert until_at.astimezone(UTC).hour <= 23
        assert from_at.weekday() < 6


def test_a_time_that_has_passed_is_offered_anew(
    day: Day, texter: Texter, sessions: Sessions, clock: FakeClock
) -> None:
    texter.sends("another time")
    clock.advance(timedelta(hours=30))
    texter.sends("1")

    assert not call(sessions, day).is_agreed
    assert items(sessions)[-1].understood is Understood.SLOT_GONE
    texter.sends("1")
    assert call(sessions, day).is_agreed


def test_an_offer_expires(day: Day, texter: Texter, sessions: Sessions, clock: FakeClock) -> None:
    texter.sends("another time")
    clock.advance(timedelta(hours=37))
    texter.sends("1")

    assert items(sessions)[-1].understood is Understood.NOT_UNDERSTOOD


@pytest.mark.parametrize("reason", ["no shifts", "away"])
def test_without_a_time_to_offer_a_person_finds_one(
    day: Day, texter: Texter, sessions: Sessions, reason: str
) -> None:
    with sessions.begin() as session:
        if reason == "away":
            until = datetime(2026, 12, 20, tzinfo=UTC)
            make_absence(session, day.ana, day.clinic.id, until_at=until)
        else:
            session.execute(update(Shift).values(staff_id=day.ben.id))

    texter.sends("another time")

    (item,) = items(sessions)
    assert (item.understood, item.done_at) == (Understood.NO_TIME_FOUND, None)


def test_the_week_of_the_clock_change_offers_what_the_walls_show(
    day: Day, texter: Texter, sessions: Sessions, clock: FakeClock
) -> None:
    # Clocks go forward on Sunday, March 14, 2027.
    clock.now = datetime(2027, 3, 12, 22, 30, tzinfo=UTC)  # Friday, 16:30 in Chicago
    with sessions.begin() as session:
        session.execute(
            update(PlannedCall).values(
                due_on=clock.now.date(),
                complete_by_on=clock.now.date() + timedelta(days=4),
                dial_from_at=clock.now,
                dial_until_at=clock.now + timedelta(hours=1),
            )
        )
    texter.sends("another time")

    with sessions() as session:
        slots = session.scalars(select(TextQuestion)).one().details["slots"]
    # Monday at 9 in Chicago is 14:00 UTC now, no longer 15:00.
    assert datetime.fromisoformat(slots[0][0]) == datetime(2027, 3, 15, 14, tzinfo=UTC)
    assert "9 AM" in replies(sessions)[0].body


def test_a_reading_of_somebody_who_agreed_is_kept_and_read_back_without_it(
    day: Day, texter: Texter, sessions: Sessions
) -> None:
    with sessions.begin() as session:
        allow_readings(session, day.rosa)

    texter.sends("sugar 132", sid="SMr")
    texter.sends("sugar 132", sid="SMr")

    (reading,) = readings(sessions)
    assert (reading.value, reading.source) == (Decimal(132), ReadingSource.SMS)
    (reply,) = replies(sessions)
    assert reply.kind is MessageKind.READING_RECEIVED
    assert "132" not in reply.body
    assert concerns(sessions) == []


@pytest.mark.parametrize(
    ("text", "kind"),
    [("45", ConcernKind.GLUCOSE_LOW), ("sugar 420", ConcernKind.GLUCOSE_HIGH)],
)
def test_a_dangerous_reading_raises_a_concern_and_is_answered_with_911(
    day: Day, texter: Texter, sessions: Sessions, text: str, kind: ConcernKind
) -> None:
    with sessions.begin() as session:
        allow_readings(session, day.rosa)

    texter.sends(text)

    (concern,) = concerns(sessions)
    assert (concern.kind, concern.urgency) == (kind, Urgency.NOW)
    assert concern.reading_id == readings(sessions)[0].id
    (reply,) = replies(sessions)
    assert "911" in reply.body
    assert text.rsplit(maxsplit=1)[-1] not in reply.body.replace("911", "")
    assert items(sessions)[0].done_at is None


@pytest.mark.parametrize("text", ["sugar 30", "sugar 132 and 150", "sugar 140 yesterday"])
def test_what_is_not_clear_is_never_kept(
    day: Day, texter: Texter, sessions: Sessions, text: str
) -> None:
    with sessions.begin() as session:
        allow_readings(session, day.rosa)

    texter.sends(text)

    assert readings(sessions) == []
    (item,) = items(sessions)
    assert (item.understood, item.done_at) == (Understood.READING_UNCLEAR, None)


def test_what_is_not_clear_and_may_be_dangerous_is_a_concern(
    day: Day, texter: Texter, sessions: Sessions
) -> None:
    texter.sends("sugar 30")

    (concern,) = concerns(sessions)
    assert concern.urgency is Urgency.NOW
    assert readings(sessions) == []


def test_who_has_not_agreed_is_asked_and_a_yes_keeps_the_first_one(
    day: Day, texter: Texter, sessions: Sessions, clock: FakeClock
) -> None:
    texter.sends("sugar 150")
    assert readings(sessions) == []
    assert replies(sessions)[0].kind is MessageKind.READING_QUESTION
    taken = clock()
    clock.advance(timedelta(hours=3))

    texter.sends("1")

    (reading,) = readings(sessions)
    assert (reading.value, reading.taken_at) == (Decimal(150), taken)
    with sessions() as session:
        assert permission.is_given(session, day.rosa.id)


def test_who_refuses_is_not_asked_to_send_more(
    day: Day, texter: Texter, sessions: Sessions
) -> None:
    texter.sends("sugar 150")
    texter.sends("2")

    assert readings(sessions) == []
    with sessions() as session:
        assert not permission.is_given(session, day.rosa.id)


def test_a_bare_number_is_the_slot_while_a_slot_is_asked_for(
    day: Day, texter: Texter, sessions: Sessions
) -> None:
    with sessions.begin() as session:
        allow_readings(session, day.rosa)
    texter.sends("another time")
    texter.sends("3")

    assert call(sessions, day).is_agreed
    assert readings(sessions) == []


def test_thanks_are_left_alone(day: Day, texter: Texter, sessions: Sessions) -> None:
    texter.sends("Gracias!")

    assert replies(sessions) == []
    assert items(sessions)[0].done_at is not None


def test_a_picture_is_noted_and_seen_to_by_a_person(
    day: Day, texter: Texter, sessions: Sessions
) -> None:
    texter.sends("ok", NumMedia="1")

    assert items(sessions)[0].done_at is None
    with sessions() as session:
        assert session.scalars(select(InboundText.answered_at)).one() is None


def test_not_understood_is_thanked_once_a_day(
    day: Day, texter: Texter, sessions: Sessions, clock: FakeClock
) -> None:
    texter.sends("my neighbour moved away")
    texter.sends("and the cat too")
    clock.advance(timedelta(days=1))
    texter.sends("still sad")

    kinds = [each.kind for each in replies(sessions)]
    assert kinds == [MessageKind.NOT_UNDERSTOOD_REPLY] * 2
    assert len([each for each in items(sessions) if each.done_at is None]) == 3
