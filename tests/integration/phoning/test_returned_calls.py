"""Patients who ring the clinic's number back."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select, update

from outreach.accounts.models import Membership, StaffMember
from outreach.accounts.rules import Role
from outreach.orm import Sessions
from outreach.patients.models import Patient, PhoneNumber
from outreach.patients.rules import NumberHealth
from outreach.phoning import returning
from outreach.phoning.jobs import settle_lost_calls
from outreach.phoning.models import PhoneCall, ReturnedCall
from outreach.phoning.rules import LOOK_AFTER, Ending
from outreach.programmes.models import Enrolment
from outreach.telephony.gateway import CallPicture, LegNews, LegStatus
from tests.builders import (
    make_absence,
    make_clinic,
    make_cover,
    make_enrolment,
    make_patient,
    make_staff,
)
from tests.conftest import HASH, sign_in
from tests.fakes import FakeClock, FakeGateway
from tests.integration.calls.conftest import Day
from tests.integration.phoning.conftest import (
    ANAS_PHONE,
    CLINICS_NUMBER,
    PATIENT_LEG,
    ROSAS_PHONE,
    STAFF_LEG,
    Carrier,
    add_phone,
    only_call,
    press,
)

BENS_PHONE = "+15125550191"


def ring(
    carrier: Carrier, number: str = ROSAS_PHONE, sid: str = PATIENT_LEG, to: str = CLINICS_NUMBER
) -> str:
    return carrier.asks("incoming", CallSid=sid, From=number, To=to, CallStatus="ringing")


def tasks(sessions: Sessions) -> list[ReturnedCall]:
    with sessions() as session:
        return list(session.scalars(select(ReturnedCall).order_by(ReturnedCall.id)))


def test_a_patient_who_rings_back_reaches_their_own_caller(
    day: Day, ana: FlaskClient, carrier: Carrier, clock: FakeClock, sessions: Sessions
) -> None:
    document = ring(carrier)

    assert ANAS_PHONE in document
    assert f'callerId="{CLINICS_NUMBER}"' in document
    assert ROSAS_PHONE not in document
    call_id = only_call(sessions).id
    assert "is ringing you back" in ana.get("/queue/").text
    assert "is ringing you back" in ana.get(f"/calls/{day.rosa.ref}").text
    assert "<Gather" in carrier.asks(f"{call_id}/answered", CallSid=STAFF_LEG)
    assert "<Hangup" not in carrier.asks(f"{call_id}/key", CallSid=STAFF_LEG, Digits="1")
    clock.advance(timedelta(minutes=5))
    done = {"DialCallSid": STAFF_LEG, "DialCallStatus": "completed", "DialCallDuration": "300"}
    assert "<Say" not in carrier.asks(f"{call_id}/over", CallSid=PATIENT_LEG, **done)

    call = only_call(sessions)
    assert (call.ending, call.seconds) == (Ending.TALKED, 300)
    assert tasks(sessions) == []
    answer = ana.post(f"/calls/{day.rosa.ref}", data=day.form(reached="yes", note="Rang back."))
    assert answer.status_code == 302


def no_shift(sessions: Sessions, day: Day, clock: FakeClock) -> None:
    clock.advance(timedelta(hours=7))


def away(sessions: Sessions, day: Day, clock: FakeClock) -> None:
    with sessions.begin() as session:
        make_absence(session, day.ana, day.clinic.id)


def no_phone(sessions: Sessions, day: Day, clock: FakeClock) -> None:
    with sessions.begin() as session:
        session.execute(update(StaffMember).values(work_phone=None))


def left(sessions: Sessions, day: Day, clock: FakeClock) -> None:
    with sessions.begin() as session:
        session.execute(update(Membership).values(until_on=clock().date()))


@pytest.mark.parametrize("hindrance", [no_shift, away, no_phone, left])
def test_else_they_hear_that_we_ring_back_and_their_caller_has_a_task(
    app: Flask,
    day: Day,
    carrier: Carrier,
    clock: FakeClock,
    sessions: Sessions,
    hindrance: Callable[[Sessions, Day, FakeClock], None],
) -> None:
    hindrance(sessions, day, clock)

    document = ring(carrier)

    assert "<Dial" not in document
    assert "We will ring you back" in document
    (task,) = tasks(sessions)
    assert (task.patient_id, task.number) == (day.rosa.id, ROSAS_PHONE)
    assert only_call(sessions).ending is Ending.NOBODY_THERE


@pytest.mark.parametrize(
    ("language", "words"),
    [("es", "Le devolveremos"), ("pt-BR", "Vamos ligar de volta"), ("vi", "We will ring you back")],
)
def test_they_hear_it_in_their_language(
    day: Day, carrier: Carrier, clock: FakeClock, sessions: Sessions, language: str, words: str
) -> None:
    with sessions.begin() as session:
        session.execute(update(Patient).values(language=language))
    clock.advance(timedelta(hours=7))

    assert words in ring(carrier)


def test_who_covers_is_rung(day: Day, carrier: Carrier, sessions: Sessions) -> None:
    with sessions.begin() as session:
        absence = make_absence(session, day.ana, day.clinic.id)
        enrolment = session.scalars(select(Enrolment)).one()
        make_cover(session, absence, enrolment, day.ben)
        add_phone(session, day.ben, BENS_PHONE)

    assert BENS_PHONE in ring(carrier)


def test_a_caller_on_the_telephone_is_not_rung(
    day: Day, ana: FlaskClient, carrier: Carrier, sessions: Sessions
) -> None:
    press(ana, day)

    assert "<Dial" not in ring(carrier)

    assert len(tasks(sessions)) == 1


def test_nobody_who_takes_it_makes_a_task_once(
    day: Day, carrier: Carrier, sessions: Sessions
) -> None:
    ring(carrier)
    call_id = only_call(sessions).id
    carrier.asks(f"{call_id}/answered", CallSid=STAFF_LEG)  # a voicemail picks up: no key
    carrier.tells(f"{call_id}/staff", CallSid=STAFF_LEG, CallStatus="completed")
    missed = {"DialCallSid": STAFF_LEG, "DialCallStatus": "completed"}

    for _twice in range(2):
        document = carrier.asks(f"{call_id}/over", CallSid=PATIENT_LEG, **missed)
        assert "We will ring you back" in document

    assert len(tasks(sessions)) == 1


def test_a_patient_who_hangs_up_while_it_rings_makes_a_task(
    day: Day, carrier: Carrier, clock: FakeClock, gateway: FakeGateway, sessions: Sessions
) -> None:
    ring(carrier)
    gateway.pictures[PATIENT_LEG] = CallPicture(
        LegNews(PATIENT_LEG, LegStatus.COMPLETED), LegNews(STAFF_LEG, LegStatus.CANCELLED)
    )

    clock.advance(LOOK_AFTER)
    settle_lost_calls(sessions, gateway, clock)

    assert only_call(sessions).ending is Ending.NOBODY_THERE
    assert len(tasks(sessions)) == 1


def test_a_repeated_question_gets_the_same_answer_and_makes_nothing_more(
    day: Day, carrier: Carrier, clock: FakeClock, sessions: Sessions
) -> None:
    assert ring(carrier) == ring(carrier)
    only_call(sessions)
    with sessions.begin() as session:
        session.execute(update(PhoneCall).values(ended_at=clock()))
    clock.advance(timedelta(hours=7))

    assert ring(carrier, sid="CA2") == ring(carrier, sid="CA2")
    assert len(tasks(sessions)) == 1


def shared_with(sessions: Sessions, day: Day, caller: StaffMember) -> int:
    with sessions.begin() as session:
        luis = make_patient(session, day.clinic, given_name="Luis", phone=ROSAS_PHONE)
        make_enrolment(session, luis, caller=caller)
        return luis.id


def test_a_number_of_two_patients_of_one_caller_reaches_that_caller(
    day: Day, carrier: Carrier, sessions: Sessions
) -> None:
    shared_with(sessions, day, day.ana)

    assert ANAS_PHONE in ring(carrier)
    assert only_call(sessions).patient_id is None, "nobody knows who of them it is"


def test_a_number_of_patients_of_two_callers_makes_a_task_for_each(
    day: Day, carrier: Carrier, sessions: Sessions
) -> None:
    luis = shared_with(sessions, day, day.ben)
    with sessions.begin() as session:
        add_phone(session, day.ben, BENS_PHONE)

    assert "<Dial" not in ring(carrier)

    assert {task.patient_id for task in tasks(sessions)} == {day.rosa.id, luis}


def test_a_number_that_was_anothers_is_unknown(
    day: Day, carrier: Carrier, sessions: Sessions
) -> None:
    with sessions.begin() as session:
        session.execute(update(PhoneNumber).values(health=NumberHealth.WRONG))

    assert "<Dial" not in ring(carrier)

    assert [task.patient_id for task in tasks(sessions)] == [None]


def test_a_number_of_another_clinics_patient_is_unknown_here(
    day: Day, carrier: Carrier, sessions: Sessions
) -> None:
    with sessions.begin() as session:
        there = make_clinic(session, phone_number="+15125550109")
        make_enrolment(session, make_patient(session, there, phone="+15125550148"))

    ring(carrier, "+15125550148")

    assert [task.patient_id for task in tasks(sessions)] == [None]


def test_a_number_that_is_not_ours_is_answered_and_kept_nowhere(
    carrier: Carrier, sessions: Sessions
) -> None:
    assert "<Hangup" in ring(carrier, to="+15125550999")

    assert tasks(sessions) == []


@pytest.fixture
def manager(app: Flask, day: Day, sessions: Sessions) -> FlaskClient:
    with sessions.begin() as session:
        person = make_staff(session, day.clinic, Role.MANAGER, password_hash=HASH)
    client = app.test_client()
    sign_in(client, person)
    return client


def test_an_unknown_number_is_the_managers_to_see_to(
    manager: FlaskClient, ana: FlaskClient, carrier: Carrier, sessions: Sessions
) -> None:
    ring(carrier, "+12025550123")
    ring(carrier, "anonymous", sid="CA2")

    page = manager.get("/phone/returned").text
    assert "(202) 555-0123" in page
    assert "anonymous" in page
    assert "number not known" in page
    assert "(202) 555-0123" not in ana.get("/queue/").text
    for task in tasks(sessions):
        assert ana.post(f"/phone/returned/{task.id}/done").status_code == 404
        manager.post(f"/phone/returned/{task.id}/done", data={"from": "returned"})
    assert "Nobody waits" in manager.get("/phone/returned").text


def test_a_task_is_in_the_queue_until_they_have_talked(
    app: Flask, day: Day, carrier: Carrier, clock: FakeClock, sessions: Sessions
) -> None:
    clock.advance(timedelta(hours=7))
    ring(carrier)
    ring(carrier, sid="CA2")
    client = app.test_client()
    sign_in(client, day.ana)
    queue = client.get("/queue/").text
    assert "Rang back" in queue
    assert "2 times" in queue

    client.post(f"/calls/{day.rosa.ref}", data=day.form(outcome="no_answer", reached="no"))
    assert "Rang back" in client.get("/queue/").text
    form = day.form(reached="yes", note="There she was.", minutes="3") | {"form_key": "two"}
    client.post(f"/calls/{day.rosa.ref}", data=form)

    assert "Rang back" not in client.get("/queue/").text


def test_a_task_can_be_seen_to_by_hand(
    app: Flask, day: Day, carrier: Carrier, clock: FakeClock, sessions: Sessions
) -> None:
    clock.advance(timedelta(hours=7))
    ring(carrier)
    ring(carrier, sid="CA2")
    client = app.test_client()
    sign_in(client, day.ana)

    client.post(f"/phone/returned/{tasks(sessions)[0].id}/done")

    with sessions() as session:
        assert returning.board_of(session, day.ana.id, now=clock()).waiting == []
    assert all(task.done_by_id == day.ana.id for task in tasks(sessions))


@pytest.mark.parametrize("written", ["(512) 555-0147", "0147", "+1 512 555 0147", "512.555.0147"])
def test_who_is_calling_back_is_found_by_number_among_ones_own(
    app: Flask, day: Day, ana: FlaskClient, written: str
) -> None:
    ben = app.test_client()
    sign_in(ben, day.ben)
    question = {"number": written}

    assert day.rosa.full_name in ana.post("/phone/find", data=question).text
    assert day.rosa.full_name not in ben.post("/phone/find", data=question).text


def test_no_number_is_asked_for_in_an_address(day: Day, ana: FlaskClient) -> None:
    """Addresses are kept by browsers and proxies: security.md, 14.2.1."""
    assert 'method="post"' in ana.get("/phone/find").text
    assert day.rosa.full_name not in ana.get("/phone/find?number=5125550147").text


@pytest.mark.parametrize("written", ["147", "", "%%%%", "____", "abcd", "\u0661\u0662\u0663\u0664"])
def test_too_little_of_a_number_finds_nobody(day: Day, ana: FlaskClient, written: str) -> None:
    page = ana.post("/phone/find", data={"number": written})

    assert day.rosa.full_name not in page.text
    assert page.status_code == 200
