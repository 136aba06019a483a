"""Texts that come in: kept once, whoever sent them, and what counts whoever did."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from outreach.accounts.models import StaffMember
from outreach.concerns import steps
from outreach.concerns.models import Concern
from outreach.concerns.rules import ConcernKind, Urgency
from outreach.inbox.rules import Understood
from outreach.messaging.jobs import send_due_messages
from outreach.messaging.models import InboundText, Message
from outreach.messaging.rules import MessageKind, MessageStatus, SkipReason
from outreach.orm import Sessions
from outreach.patients import consent
from outreach.patients.rules import Channel
from tests.builders import make_clinic, make_patient
from tests.fakes import FakeClock, FakeGateway
from tests.integration.calls.conftest import Day
from tests.integration.inbox.conftest import (
    ROSAS_PHONE,
    STRANGERS_PHONE,
    Texter,
    items,
    replies,
)


def may_text(sessions: Sessions, day: Day) -> bool:
    with sessions() as session:
        return consent.is_given(session, day.rosa.id, Channel.SMS, ROSAS_PHONE)


def concerns(sessions: Sessions) -> list[Concern]:
    with sessions() as session:
        return list(session.scalars(select(Concern).order_by(Concern.id)))


def test_a_text_is_kept_as_it_came(day: Day, texter: Texter, sessions: Sessions) -> None:
    answer = texter.sends("Olá, tudo bem? שלום 🌻", NumMedia="2")

    assert answer.status_code == 200
    assert "<Message" not in answer.text
    with sessions() as session:
        kept = session.scalars(select(InboundText)).one()
    assert (kept.body, kept.attachments) == ("Olá, tudo bem? שלום 🌻", 2)
    (item,) = items(sessions)
    assert (item.patient_id, item.understood) == (day.rosa.id, Understood.NOT_UNDERSTOOD)
    assert item.done_at is None


@pytest.mark.parametrize("body", ["", "   ", "😀", "a" * 30_000, "nul \x00 inside", "\u202eabc"])
def test_no_body_is_too_odd(day: Day, texter: Texter, sessions: Sessions, body: str) -> None:
    assert texter.sends(body).status_code == 200
    (item,) = items(sessions)
    assert item.patient_id == day.rosa.id


def test_a_repeat_changes_nothing(day: Day, texter: Texter, sessions: Sessions) -> None:
    for _time in range(8):
        assert texter.sends("STOP please", sid="SM1").status_code == 200

    assert len(items(sessions)) == 1
    assert len(replies(sessions)) == 1


def test_the_same_text_at_once_is_one(app: Flask, day: Day, sessions: Sessions) -> None:
    def send(_n: int) -> int:
        status: int = Texter(app.test_client()).sends("hello there", sid="SM2").status_code
        return status

    with ThreadPoolExecutor(4) as pool:
        assert set(pool.map(send, range(4))) == {200}
    assert len(items(sessions)) == 1


def test_a_wrong_signature_changes_nothing(day: Day, texter: Texter, sessions: Sessions) -> None:
    assert texter.sends("STOP", signature="forged").status_code == 403
    assert items(sessions) == []


def test_stop_ends_texts_and_the_carrier_answers_it(
    day: Day, texter: Texter, sessions: Sessions
) -> None:
    assert may_text(sessions, day)

    texter.sends("STOP", OptOutType="STOP")

    assert not may_text(sessions, day)
    assert replies(sessions) == []
    (item,) = items(sessions)
    assert (item.understood, item.done_at is not None) == (Understood.STOP, True)


def test_a_phrase_of_stopping_is_confirmed_once(
    day: Day,
    texter: Texter,
    sessions: Sessions,
    gateway: FakeGateway,
    clock: FakeClock,
) -> None:
    texter.sends("please stop texting me")
    texter.sends("I said please stop texting me")
    send_due_messages(sessions, gateway, clock)

    assert [each.kind for each in replies(sessions)] == [MessageKind.STOP_REPLY]
    (sent,) = gateway.sent
    assert (sent.to, "START" in sent.body) == (ROSAS_PHONE, True)


def test_in_doubt_texts_stop_and_a_person_looks(
    day: Day, texter: Texter, sessions: Sessions
) -> None:
    texter.sends("Cancel")

    assert not may_text(sessions, day)
    (item,) = items(sessions)
    assert (item.understood, item.done_at) == (Understood.MAYBE_STOP, None)


def test_stop_inside_another_sentence_stops_nothing(
    day: Day, texter: Texter, sessions: Sessions
) -> None:
    texter.sends("I can't stop thinking about my sister")

    assert may_text(sessions, day)
    (item,) = items(sessions)
    assert (item.understood, item.done_at) == (Understood.NOT_UNDERSTOOD, None)


def test_start_gives_texts_back_to_who_stopped_them(
    day: Day, texter: Texter, sessions: Sessions
) -> None:
    texter.sends("parar")
    assert not may_text(sessions, day)

    texter.sends("start texting me")

    assert may_text(sessions, day)
    assert replies(sessions)[-1].kind is MessageKind.START_REPLY


def test_help_says_who_we_are(day: Day, texter: Texter, sessions: Sessions) -> None:
    texter.sends("Ayuda")
    (reply,) = replies(sessions)
    assert reply.kind is MessageKind.HELP_REPLY
    assert day.clinic.name in reply.body


@pytest.mark.parametrize(
    "text", ["STOP. I want to kill myself", "quiero morir", "I can't breathe 132", "me bate"]
)
def test_danger_opens_an_urgent_concern_whatever_else_is_said(
    day: Day, texter: Texter, sessions: Sessions, text: str
) -> None:
    texter.sends(text)

    (concern,) = concerns(sessions)
    assert (concern.patient_id, concern.urgency) == (day.rosa.id, Urgency.NOW)
    (reply,) = replies(sessions)
    assert reply.kind is MessageKind.DANGER_REPLY
    assert "988" in reply.body
    assert "911" in reply.body
    assert items(sessions)[0].done_at is None


def test_danger_is_answered_at_night_and_after_stop(
    day: Day, texter: Texter, sessions: Sessions, gateway: FakeGateway, clock: FakeClock
) -> None:
    texter.sends("STOP", OptOutType="STOP")
    clock.advance(timedelta(hours=14))
    texter.sends("I want to die")
    send_due_messages(sessions, gateway, clock)

    assert ["988" in each.body for each in gateway.sent if each.to == ROSAS_PHONE] == [True]


def test_after_stop_nothing_else_is_answered(
    day: Day, texter: Texter, sessions: Sessions, gateway: FakeGateway, clock: FakeClock
) -> None:
    texter.sends("parar", OptOutType="STOP")
    texter.sends("hello, are you there?")
    send_due_messages(sessions, gateway, clock)

    assert gateway.sent == []
    assert items(sessions)[-1].done_at is None


def test_danger_on_a_shared_number_is_a_concern_for_each(
    day: Day, texter: Texter, sessions: Sessions
) -> None:
    with sessions.begin() as session:
        other = make_patient(session, day.clinic, given_name="Luis").id

    texter.sends("he is hitting me")

    assert {each.patient_id for each in concerns(sessions)} == {day.rosa.id, other}
    assert {each.kind for each in concerns(sessions)} == {ConcernKind.ABUSE}
    (reply,) = replies(sessions)
    assert reply.patient_id is None


def test_danger_from_nobodys_number_tells_who_is_on_call(
    day: Day, texter: Texter, sessions: Sessions, gateway: FakeGateway, clock: FakeClock
) -> None:
    with sessions.begin() as session:
        session.get_one(StaffMember, day.nurse.id).phone = "+15125550177"

    texter.sends("suicide", number=STRANGERS_PHONE)
    send_due_messages(sessions, gateway, clock)

    assert concerns(sessions) == []
    told = {each.to for each in gateway.sent}
    assert {STRANGERS_PHONE, "+15125550177"} <= told
    (item,) = items(sessions)
    assert (item.patient_id, item.clinic_id, item.done_at) == (None, day.clinic.id, None)


def test_an_unknown_number_is_kept_and_answered_neutrally_once_a_day(
    day: Day, texter: Texter, sessions: Sessions, gateway: FakeGateway, clock: FakeClock
) -> None:
    texter.sends("hi who is this about", number=STRANGERS_PHONE)
    texter.sends("hello??", number=STRANGERS_PHONE)
    send_due_messages(sessions, gateway, clock)

    assert [each.understood for each in items(sessions)] == [Understood.UNKNOWN_NUMBER] * 2
    (sent,) = gateway.sent
    assert sent.to == STRANGERS_PHONE
    assert "Rosa" not in sent.body


def test_several_clinics_are_told_apart_by_the_number_that_was_texted(
    day: Day, texter: Texter, sessions: Sessions
) -> None:
    with sessions.begin() as session:
        there = make_clinic(session, phone_number="+15125550200", sms_sender="MG" + "1" * 32)
        twin = make_patient(session, there).id

    texter.sends("hello", to="+15125550200")
    texter.sends("hello", to="+15125550300", MessagingServiceSid="MG" + "1" * 32)
    texter.sends("hello")

    assert [each.patient_id for each in items(sessions)] == [twin, twin, day.rosa.id]


def test_an_answer_that_comes_too_late_is_not_sent(
    day: Day, texter: Texter, sessions: Sessions, gateway: FakeGateway, clock: FakeClock
) -> None:
    texter.sends("hello there")
    clock.advance(timedelta(minutes=16))
    send_due_messages(sessions, gateway, clock)

    (reply,) = replies(sessions)
    assert (reply.status, reply.skip_reason) == (MessageStatus.SKIPPED, SkipReason.TOO_LATE)


def test_automatic_texts_wait_while_a_patient_is_writing(
    day: Day, texter: Texter, sessions: Sessions, gateway: FakeGateway, clock: FakeClock
) -> None:
    reminder = _reminder(sessions, day, clock)
    texter.sends("My sister died and I don't know what to do")
    send_due_messages(sessions, gateway, clock)
    assert [each.body for each in gateway.sent] == [replies(sessions)[0].body]

    clock.advance(timedelta(minutes=31))
    send_due_messages(sessions, gateway, clock)

    assert gateway.sent[-1].reference == reminder


def _reminder(sessions: Sessions, day: Day, clock: FakeClock) -> int:
    with sessions.begin() as session:
        row: dict[str, Any] = {
            "clinic_id": day.clinic.id, "patient_id": day.rosa.id, "kind": MessageKind.REMINDER,
            "dedupe_key": "reminder", "cause": "planned_call:1", "to_number": ROSAS_PHONE,
            "language": "en", "body": "A reminder", "status": MessageStatus.SCHEDULED,
            "failure": "", "send_after": clock(), "expires_at": None, "tries": 0,
            "created_at": clock(),
        }  # fmt: skip
        message = Message(**row)
        session.add(message)
        session.flush()
        return message.id


@pytest.mark.parametrize("number", ["24587", "CEDAR", "whatsapp:+15125550147123456789", ""])
def test_machines_and_odd_senders_are_kept_and_never_answered(
    day: Day, texter: Texter, sessions: Sessions, number: str
) -> None:
    assert texter.sends("Your parcel has arrived", number=number).status_code == 200
    assert replies(sessions) == []
    assert [each.understood for each in items(sessions)] == [Understood.UNKNOWN_NUMBER]


def test_two_choices_at_once_book_one_time(app: Flask, day: Day, sessions: Sessions) -> None:
    Texter(app.test_client()).sends("another time")

    def choose(number: str) -> int:
        status: int = Texter(app.test_client()).sends(number, sid=f"SMx{number}").status_code
        return status

    with ThreadPoolExecutor(2) as pool:
        assert list(pool.map(choose, ["1", "2"])) == [200, 200]

    understood = sorted(each.understood for each in items(sessions))
    assert understood == [
        Understood.ANOTHER_TIME,
        Understood.BOOKED,
        Understood.NOT_UNDERSTOOD,
    ]


def test_a_concern_names_nobody_of_another_clinic(
    day: Day, texter: Texter, sessions: Sessions
) -> None:
    with sessions.begin() as session:
        make_patient(session, day.clinic, given_name="Luis")
        make_patient(session, make_clinic(session), given_name="Mercedes")

    texter.sends("quiero morir")

    with sessions() as session:
        told = steps.first_words(session, concerns(sessions))
    of_rosa = next(each for each in concerns(sessions) if each.patient_id == day.rosa.id)
    assert "Luis" in told[of_rosa.id]
    assert "Mercedes" not in told[of_rosa.id]
    assert len(told) == 3
