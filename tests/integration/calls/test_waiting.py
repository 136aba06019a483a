"""What a caller puts off: a promise to tomorrow, a call for today; nothing is lost by it."""

from datetime import date, timedelta

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from outreach.calls import queue
from outreach.calls.models import Hiding, Lease, Promise, PromiseMove
from outreach.calls.rules import Outcome, QueueGroup, Rest
from outreach.orm import Sessions
from outreach.patients.models import PhoneNumber
from outreach.patients.rules import NumberHealth
from outreach.planning.models import PlannedCall
from outreach.planning.rules import CallStatus
from outreach.programmes.models import Enrolment
from outreach.programmes.rules import EnrolmentStatus
from tests.builders import (
    actor_of,
    make_attempt,
    make_enrolment,
    make_patient,
    make_planned_call,
    make_promise,
)
from tests.conftest import sign_in
from tests.fakes import MONDAY_10_CHICAGO, FakeClock
from tests.integration.calls.conftest import Day

NOW = MONDAY_10_CHICAGO
TODAY, TOMORROW = date(2026, 11, 23), date(2026, 11, 24)


def queue_at(sessions: Sessions, day: Day, clock: FakeClock) -> queue.Queue:
    with sessions() as session:
        actor = actor_of(day.ana, day.clinic, as_of=clock())
        return queue.queue_of(session, actor, now=clock())


@pytest.fixture
def promise(sessions: Sessions, day: Day) -> Promise:
    """Something promised for today, while the next call is three days off."""
    with sessions.begin() as session:
        call = session.get_one(PlannedCall, day.call.id)
        call.due_on = call.complete_by_on = TODAY + timedelta(days=3)
        call.dial_from_at, call.dial_until_at = NOW + timedelta(days=3), NOW + timedelta(days=4)
        return make_promise(session, day.rosa, day.ana, due_on=TODAY)


def test_a_promise_that_is_due_while_no_call_is_has_its_own_part_of_the_queue(
    sessions: Sessions, client: FlaskClient, day: Day, clock: FakeClock, promise: Promise
) -> None:
    sign_in(client, day.ana)

    page = client.get("/queue/").text

    (entry,) = queue_at(sessions, day, clock).of(QueueGroup.PROMISED)
    assert entry.promise_id == promise.id
    assert "Promised for today" in page
    assert "You are done for today" not in page
    assert "Ask how the dentist went" in page


def test_a_promise_is_kept_by_one_press(
    sessions: Sessions, client: FlaskClient, day: Day, clock: FakeClock, promise: Promise
) -> None:
    sign_in(client, day.ana)

    client.post(f"/promises/{promise.id}")

    assert queue_at(sessions, day, clock).of(QueueGroup.PROMISED) == []
    with sessions() as session:
        kept = session.get_one(Promise, promise.id)
    assert (kept.kept_at, kept.kept_by_id) == (NOW, day.ana.id)


def test_a_promise_put_off_twice_comes_back_tomorrow_and_keeps_its_history(
    sessions: Sessions, client: FlaskClient, day: Day, clock: FakeClock, promise: Promise
) -> None:
    sign_in(client, day.ana)

    for _twice in range(2):
        client.post(f"/promises/{promise.id}", data={"put_off": "1"})

    assert queue_at(sessions, day, clock).of(QueueGroup.PROMISED) == []
    clock.advance(timedelta(days=1))
    assert len(queue_at(sessions, day, clock).of(QueueGroup.PROMISED)) == 1
    with sessions() as session:
        moves = session.execute(select(PromiseMove.from_on, PromiseMove.to_on)).all()
    assert moves == [(TODAY, TOMORROW)]


def test_not_today_hides_a_call_until_tomorrow_and_says_why(
    sessions: Sessions, client: FlaskClient, day: Day, clock: FakeClock
) -> None:
    sign_in(client, day.ana)

    client.post(f"/calls/{day.rosa.ref}/not-today", data={"reason": "At a funeral today"})

    found = queue_at(sessions, day, clock)
    page = client.get("/queue/").text
    assert found.of(QueueGroup.NOW) == []
    assert [entry.hidden_because for entry in found.hidden] == ["At a funeral today"]
    assert "At a funeral today" in page
    assert "not now" in page
    clock.now = NOW + timedelta(hours=14) - timedelta(seconds=1)  # midnight in Chicago
    assert len(queue_at(sessions, day, clock).hidden) == 1
    clock.now = NOW + timedelta(hours=14)
    assert [each.rest for each in queue_at(sessions, day, clock).hidden] == [Rest.HOURS]


def test_a_hidden_call_is_shown_again_by_one_press_and_its_history_stays(
    sessions: Sessions, client: FlaskClient, day: Day, clock: FakeClock
) -> None:
    sign_in(client, day.ana)
    address = f"/calls/{day.rosa.ref}/not-today"
    client.post(address, data={"reason": "Asked in the street"})

    client.post(address, data={"show_again": "1"})

    assert len(queue_at(sessions, day, clock).of(QueueGroup.NOW)) == 1
    with sessions() as session:
        hiding = session.scalars(select(Hiding)).one()
    assert (hiding.reason, hiding.by_staff_id) == ("Asked in the street", day.ana.id)
    assert hiding.shown_again_at == NOW


def test_without_a_reason_nothing_is_hidden(
    sessions: Sessions, client: FlaskClient, day: Day, clock: FakeClock
) -> None:
    sign_in(client, day.ana)

    answer = client.post(f"/calls/{day.rosa.ref}/not-today", data={"reason": " "})

    assert answer.status_code == 422
    assert queue_at(sessions, day, clock).hidden == []


def test_a_time_the_patient_asked_for_is_shown_all_the_same(
    sessions: Sessions, client: FlaskClient, day: Day, clock: FakeClock
) -> None:
    sign_in(client, day.ana)
    client.post(f"/calls/{day.rosa.ref}/not-today", data={"reason": "Busy"})

    with sessions.begin() as session:
        session.get_one(PlannedCall, day.call.id).is_agreed = True

    assert len(queue_at(sessions, day, clock).of(QueueGroup.NOW)) == 1


@pytest.fixture
def loose(sessions: Sessions, day: Day) -> Promise:
    """Something promised for today to somebody whose calls rest, so that none is planned."""
    with sessions.begin() as session:
        call = session.get_one(PlannedCall, day.call.id)
        call.status, call.closed_at = CallStatus.CANCELLED, NOW
        enrolment = session.get_one(Enrolment, call.enrolment_id)
        enrolment.status = EnrolmentStatus.PAUSED
        return make_promise(session, day.rosa, day.ana, due_on=TODAY)


def test_a_promise_comes_back_on_its_day_even_where_no_call_is_planned(
    sessions: Sessions, client: FlaskClient, day: Day, clock: FakeClock, loose: Promise
) -> None:
    sign_in(client, day.ana)

    assert [each.promise_id for each in queue_at(sessions, day, clock).loose] == [loose.id]

    page = client.get("/queue/").text
    assert "Promised, and no call is planned" in page
    assert "Ask how the dentist went" in page
    client.post(f"/promises/{loose.id}")
    assert queue_at(sessions, day, clock).loose == []


def test_a_promise_for_tomorrow_where_the_patient_is_waits_until_then(
    sessions: Sessions, day: Day, clock: FakeClock, loose: Promise
) -> None:
    with sessions.begin() as session:
        session.get_one(Promise, loose.id).due_on = TOMORROW
    assert queue_at(sessions, day, clock).loose == []

    clock.advance(timedelta(hours=14))  # past midnight in Chicago

    assert len(queue_at(sessions, day, clock).loose) == 1


def test_a_promise_that_never_had_a_day_comes_back_once_no_call_will_bring_it(
    sessions: Sessions, client: FlaskClient, day: Day, clock: FakeClock, loose: Promise
) -> None:
    with sessions.begin() as session:
        session.get_one(Promise, loose.id).due_on = None
    sign_in(client, day.ana)

    assert [each.promise_id for each in queue_at(sessions, day, clock).loose] == [loose.id]
    assert "Ask how the dentist went" in client.get("/queue/").text


@pytest.mark.parametrize("status", [EnrolmentStatus.WITHDRAWN, EnrolmentStatus.DIED])
def test_nobody_is_reminded_to_ring_who_left_or_died(
    sessions: Sessions, day: Day, clock: FakeClock, loose: Promise, status: EnrolmentStatus
) -> None:
    with sessions.begin() as session:
        enrolment = session.get_one(
            Enrolment, session.get_one(PlannedCall, day.call.id).enrolment_id
        )
        enrolment.status = status

    assert queue_at(sessions, day, clock).loose == []


def test_done_for_the_day_lets_wait_what_may_and_keeps_what_may_not(
    sessions: Sessions, client: FlaskClient, day: Day, clock: FakeClock
) -> None:
    with sessions.begin() as session:
        session.get_one(PlannedCall, day.call.id).complete_by_on = TOMORROW
        pressing = make_planned_call(
            session, make_enrolment(session, make_patient(session, day.clinic), caller=day.ana)
        )
        pressing.complete_by_on = TODAY
        pressing_id = pressing.id
    sign_in(client, day.ana)
    client.get(f"/calls/{day.rosa.ref}")

    answer = client.post("/queue/done-for-today", follow_redirects=True).text

    found = queue_at(sessions, day, clock)
    assert [each.planned_call_id for each in found.of(QueueGroup.NOW)] == [pressing_id]
    assert [each.hidden_because for each in found.hidden] == ["done for the day"]
    assert "1 call waits until tomorrow." in answer
    assert "1 call can&#39;t wait" in answer
    with sessions() as session:
        assert session.scalars(select(Lease)).all() == []
    clock.advance(timedelta(days=1))
    assert queue_at(sessions, day, clock).hidden == []


def test_a_row_says_how_often_today_and_which_numbers_there_are(
    sessions: Sessions, client: FlaskClient, day: Day
) -> None:
    with sessions.begin() as session:
        call = session.get_one(PlannedCall, day.call.id)
        call.dials = 2
        make_attempt(session, call, day.ana, Outcome.NO_ANSWER, at=NOW - timedelta(hours=1))
        make_attempt(session, call, day.ana, Outcome.BUSY, at=NOW - timedelta(days=1))
        session.add(
            PhoneNumber(
                clinic_id=day.clinic.id, patient_id=day.rosa.id, e164="+15125550199",
                position=2, health=NumberHealth.DISCONNECTED, health_at=NOW,
            )
        )  # fmt: skip
    sign_in(client, day.ana)

    page = client.get("/queue/").text

    assert "Tried 1 of 2 times today." in page
    assert "2 of 2, ends in 99:" in page
    assert "5550199" not in page
