"""What waits, one conversation, answers in one's own words."""

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from outreach.accounts.models import StaffMember
from outreach.accounts.rules import Role
from outreach.inbox import permission
from outreach.inbox.models import AnswerDraft, InboxItem
from outreach.messaging.jobs import send_due_messages
from outreach.messaging.models import InboundText, Message
from outreach.messaging.rules import MessageKind, MessageStatus, SkipReason
from outreach.orm import Sessions
from outreach.patients import consent
from outreach.patients.models import PhoneNumber
from outreach.patients.rules import Channel, NumberHealth
from outreach.planning.models import PlannedCall
from outreach.programmes.enrolment import change_status
from outreach.programmes.models import Enrolment
from outreach.programmes.rules import EnrolmentStatus
from tests.builders import make_patient, make_staff
from tests.conftest import HASH, sign_in
from tests.fakes import FakeClock, FakeGateway
from tests.integration.calls.conftest import Day
from tests.integration.inbox.conftest import (
    ROSAS_PHONE,
    STRANGERS_PHONE,
    Texter,
    items,
    replies,
)


@pytest.fixture
def ana(client: FlaskClient, day: Day) -> FlaskClient:
    sign_in(client, day.ana)
    return client


@pytest.fixture
def boss(day: Day, sessions: Sessions) -> StaffMember:
    with sessions.begin() as session:
        return make_staff(session, day.clinic, Role.MANAGER, password_hash=HASH)


@pytest.fixture
def manager(app: Flask, boss: StaffMember) -> FlaskClient:
    client = app.test_client()
    sign_in(client, boss)
    return client


def answer(client: FlaskClient, day: Day, words: str, key: str = "one", up_to: int = 1) -> int:
    data = {"words": words, "form_key": key, "read_up_to": str(up_to)}
    return client.post(f"/texts/{day.rosa.ref}", data=data).status_code


def answers(sessions: Sessions) -> list[Message]:
    return [each for each in replies(sessions) if each.kind is MessageKind.ANSWER]


def test_a_callers_texts_wait_with_a_count(ana: FlaskClient, day: Day, texter: Texter) -> None:
    texter.sends("My <b>cat</b> is ill")

    page = ana.get("/texts/").text
    assert "My &lt;b&gt;cat&lt;/b&gt; is ill" in page
    assert "Rosa Nguyen" in page
    assert 'class="side__count">1<' in page


def test_another_callers_texts_do_not_exist(app: Flask, day: Day, texter: Texter) -> None:
    texter.sends("My cat is ill")
    ben = app.test_client()
    sign_in(ben, day.ben)

    assert "My cat" not in ben.get("/texts/").text
    assert ben.get(f"/texts/{day.rosa.ref}").status_code == 404
    assert ben.post("/texts/items/1/done").status_code == 404


def test_a_manager_sees_what_waits_for_more_than_a_day_and_unknown_numbers(
    manager: FlaskClient, boss: StaffMember, day: Day, texter: Texter, clock: FakeClock
) -> None:
    texter.sends("My cat is ill")
    texter.sends("wrong person?", number=STRANGERS_PHONE)

    page = manager.get("/texts/").text
    assert "My cat" not in page
    assert "wrong person?" in page
    assert "My cat" in manager.get("/texts/?show=all").text
    clock.advance(timedelta(days=1))
    sign_in(manager, boss)
    assert "My cat" in manager.get("/texts/").text


def test_an_answer_goes_out_once_and_ends_the_waiting(
    ana: FlaskClient,
    day: Day,
    texter: Texter,
    sessions: Sessions,
    gateway: FakeGateway,
    clock: FakeClock,
) -> None:
    texter.sends("My cat is ill")
    item = items(sessions)[0].id

    assert answer(ana, day, "I am sorry to hear that, Rosa.", up_to=item) == 302
    assert answer(ana, day, "I am sorry to hear that, Rosa.", up_to=item) == 302
    send_due_messages(sessions, gateway, clock)

    (sent,) = answers(sessions)
    assert (sent.status, sent.by_staff_id) == (MessageStatus.ACCEPTED, day.ana.id)
    (done,) = items(sessions)
    assert done.done_by_id == day.ana.id
    with sessions() as session:
        assert session.scalars(select(InboundText.answered_at)).one() is not None
    page = ana.get(f"/texts/{day.rosa.ref}").text
    assert "I am sorry to hear that, Rosa." in page
    assert "seen to by Ana Morales" in page


def test_what_came_in_meanwhile_still_waits(
    ana: FlaskClient, day: Day, texter: Texter, sessions: Sessions
) -> None:
    texter.sends("My cat is ill")
    read = items(sessions)[0].id
    texter.sends("and I feel alone")

    answer(ana, day, "Sorry about the cat.", up_to=read)

    assert [each.done_at is None for each in items(sessions)] == [False, True]


def test_an_answer_at_night_waits_for_the_morning_and_says_so(
    ana: FlaskClient,
    day: Day,
    texter: Texter,
    sessions: Sessions,
    gateway: FakeGateway,
    clock: FakeClock,
) -> None:
    texter.sends("My cat is ill")
    send_due_messages(sessions, gateway, clock)
    clock.advance(timedelta(hours=11))  # 21:00 in Chicago
    sign_in(ana, day.ana)
    assert "outside contact hours there" in ana.get(f"/texts/{day.rosa.ref}").text

    answer(ana, day, "Sorry to hear that.")
    send_due_messages(sessions, gateway, clock)
    assert answers(sessions)[0].status is MessageStatus.SCHEDULED

    clock.advance(timedelta(hours=12))
    send_due_messages(sessions, gateway, clock)
    assert gateway.sent[-1].body == "Sorry to hear that."


def died(session: Session, now: datetime) -> None:
    enrolment = session.scalars(select(Enrolment)).one()
    change_status(enrolment, EnrolmentStatus.DIED, reason="told by her son", now=now)


def is_anothers(session: Session, now: datetime) -> None:
    session.execute(update(PhoneNumber).values(health=NumberHealth.WRONG))


@pytest.mark.parametrize("what_came", [died, is_anothers])
def test_an_answer_that_waited_goes_to_nobody_whom_it_is_not_for(
    ana: FlaskClient,
    day: Day,
    texter: Texter,
    sessions: Sessions,
    gateway: FakeGateway,
    clock: FakeClock,
    what_came: Callable[[Session, datetime], None],
) -> None:
    texter.sends("My cat is ill")
    clock.advance(timedelta(hours=11))  # 21:00 in Chicago
    sign_in(ana, day.ana)
    answer(ana, day, "Sorry to hear that, Rosa.")
    clock.advance(timedelta(hours=12))
    with sessions.begin() as session:
        what_came(session, clock())

    send_due_messages(sessions, gateway, clock)

    assert gateway.sent == []
    assert answers(sessions)[0].status is MessageStatus.SKIPPED


def test_the_family_of_somebody_who_died_is_answered(
    ana: FlaskClient,
    day: Day,
    texter: Texter,
    sessions: Sessions,
    gateway: FakeGateway,
    clock: FakeClock,
) -> None:
    with sessions.begin() as session:
        died(session, clock() - timedelta(days=1))
    texter.sends("This is her son, thank you for ringing her")
    answer(ana, day, "I am so sorry.")

    send_due_messages(sessions, gateway, clock)

    assert "I am so sorry." in [each.body for each in gateway.sent]


def test_who_said_stop_is_not_answered_by_text(
    ana: FlaskClient, day: Day, texter: Texter, sessions: Sessions
) -> None:
    texter.sends("parar")
    texter.sends("but my cat is ill")

    assert "Ring them instead" in ana.get(f"/texts/{day.rosa.ref}").text
    assert answer(ana, day, "Sorry.") == 422
    assert answers(sessions) == []


def test_a_stop_after_the_answer_was_written_holds_it_back(
    ana: FlaskClient,
    day: Day,
    texter: Texter,
    sessions: Sessions,
    gateway: FakeGateway,
    clock: FakeClock,
) -> None:
    texter.sends("My cat is ill")
    answer(ana, day, "Sorry.")
    texter.sends("STOP", OptOutType="STOP")
    send_due_messages(sessions, gateway, clock)

    (held,) = answers(sessions)
    assert held.skip_reason is SkipReason.NO_CONSENT
    assert "Sorry." not in [each.body for each in gateway.sent]


@pytest.mark.parametrize(("words", "status"), [("", 422), ("   ", 422), ("a" * 1601, 422)])
def test_nothing_and_too_much_are_refused(
    ana: FlaskClient, day: Day, texter: Texter, sessions: Sessions, words: str, status: int
) -> None:
    texter.sends("My cat is ill")
    assert answer(ana, day, words) == status
    assert answers(sessions) == []


def test_an_answer_to_nothing_is_refused(ana: FlaskClient, day: Day) -> None:
    assert answer(ana, day, "Hello") == 422


def test_what_is_typed_is_kept_on_the_server(
    ana: FlaskClient, day: Day, texter: Texter, sessions: Sessions
) -> None:
    texter.sends("My cat is ill")
    draft = {"words": "I am so", "form_key": "one", "version": "0"}
    assert ana.post(f"/texts/{day.rosa.ref}/draft", data=draft).json == {"version": 1}
    assert "I am so</textarea>" in ana.get(f"/texts/{day.rosa.ref}").text

    other_tab = draft | {"words": "Something else"}
    assert ana.post(f"/texts/{day.rosa.ref}/draft", data=other_tab).status_code == 409
    more = draft | {"words": "I am so sorry", "version": "1"}
    assert ana.post(f"/texts/{day.rosa.ref}/draft", data=more).json == {"version": 2}
    assert answer(ana, day, "I am so sorry") == 302
    with sessions() as session:
        assert session.scalar(select(func.count()).select_from(AnswerDraft)) == 0


def test_seen_to_without_an_answer(
    ana: FlaskClient, day: Day, texter: Texter, sessions: Sessions
) -> None:
    texter.sends("Just so you know")
    item = items(sessions)[0].id

    ana.post(f"/texts/{day.rosa.ref}/done", data={"read_up_to": str(item)})

    assert items(sessions)[0].done_by_id == day.ana.id
    assert "Nobody waits for an answer" in ana.get("/texts/").text


def test_a_manager_sees_to_an_unknown_number(
    manager: FlaskClient, day: Day, texter: Texter, sessions: Sessions
) -> None:
    texter.sends("hello?", number=STRANGERS_PHONE)
    texter.sends("anybody?", number=STRANGERS_PHONE)

    manager.post(f"/texts/items/{items(sessions)[-1].id}/done")

    assert all(each.done_at for each in items(sessions))


def test_a_shared_number_waits_until_seen_to_for_everybody(
    ana: FlaskClient, day: Day, texter: Texter, sessions: Sessions
) -> None:
    with sessions.begin() as session:
        make_patient(session, day.clinic, given_name="Luis")
    texter.sends("hello")
    own = next(each for each in items(sessions) if each.patient_id == day.rosa.id)

    ana.post(f"/texts/items/{own.id}/done")

    with sessions() as session:
        assert session.scalars(select(InboundText.answered_at)).one() is None
        left = session.scalars(select(InboxItem).where(InboxItem.done_at.is_(None))).all()
    assert len(left) == 1


def test_a_stop_is_recorded_by_hand(
    ana: FlaskClient, day: Day, texter: Texter, sessions: Sessions
) -> None:
    texter.sends("I get too many of these")

    ana.post(f"/texts/{day.rosa.ref}/stop")

    with sessions() as session:
        assert consent.is_withdrawn(session, day.rosa.id, Channel.SMS, ROSAS_PHONE)


def test_a_permission_to_send_readings_is_noted(
    ana: FlaskClient, day: Day, sessions: Sessions
) -> None:
    ana.post(f"/texts/{day.rosa.ref}/readings", data={"agreed": "yes"})
    with sessions() as session:
        assert permission.is_given(session, day.rosa.id)
    ana.post(f"/texts/{day.rosa.ref}/readings", data={"agreed": "no"})
    with sessions() as session:
        assert not permission.is_given(session, day.rosa.id)


def test_the_lines_alone_are_what_a_page_asks_for_again(
    ana: FlaskClient, day: Day, texter: Texter
) -> None:
    texter.sends("שלום")
    part = ana.get(f"/texts/{day.rosa.ref}/lines").text
    assert "שלום" in part
    assert "<html" not in part


def test_the_call_screen_and_the_patient_page_show_what_came_in(
    ana: FlaskClient, day: Day, texter: Texter
) -> None:
    texter.sends("My cat is ill")
    texter.sends("C")

    screen = ana.get(f"/calls/{day.rosa.ref}").text
    assert "A text waits" in screen
    assert "My cat is ill" in screen
    assert "Rosa confirmed this time by text." in screen
    chart = ana.get(f"/patients/{day.rosa.ref}").text
    assert "Wrote a text" in chart
    assert "confirmed the call" in chart


def test_a_confirmation_of_a_time_that_was_moved_since_does_not_count(
    ana: FlaskClient, day: Day, texter: Texter, sessions: Sessions
) -> None:
    texter.sends("C")
    with sessions.begin() as session:
        call = session.get_one(PlannedCall, day.call.id)
        call.dial_from_at += timedelta(minutes=30)

    assert "confirmed this time by text" not in ana.get(f"/calls/{day.rosa.ref}").text


def test_texts_of_one_instant_stand_in_their_order(
    ana: FlaskClient, day: Day, texter: Texter, sessions: Sessions
) -> None:
    texter.sends("first of all")
    texter.sends("and second")

    page = ana.get(f"/texts/{day.rosa.ref}").text
    assert page.index("first of all") < page.index("and second")
    assert f'name="read_up_to" type="hidden" value="{items(sessions)[-1].id}"' in page
