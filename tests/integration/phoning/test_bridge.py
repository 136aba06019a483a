"""Press Call: the caller's telephone rings, then the patient's, and the times write themselves."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from email.utils import format_datetime
from threading import Barrier

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import delete, select, update
from sqlalchemy.orm import joinedload

from outreach.accounts.models import StaffMember
from outreach.calls import dialing
from outreach.calls.models import Attempt
from outreach.calls.rules import Outcome
from outreach.concerns.models import OnCallWeek
from outreach.orm import Sessions
from outreach.panels.models import PanelMembership
from outreach.patients.models import Patient
from outreach.phoning.bridging import OnThePhone
from outreach.phoning.rules import CONNECT_WITHIN, Ending
from outreach.telephony.gateway import OutboundCall
from tests.builders import actor_of, make_attempt
from tests.conftest import sign_in
from tests.fakes import FakeClock, FakeGateway, call_sid
from tests.integration.calls.conftest import Day
from tests.integration.phoning.conftest import (
    ANAS_PHONE,
    CLINICS_NUMBER,
    PATIENT_LEG,
    ROSAS_PHONE,
    Carrier,
    add_phone,
    only_call,
    press,
)


def state(client: FlaskClient, sessions: Sessions) -> dict[str, object]:
    found = client.get(f"/phone/calls/{only_call(sessions).id}").json
    assert isinstance(found, dict)
    return found


def test_nobody_is_rung_while_nobody_is_on_call(
    ana: FlaskClient, day: Day, gateway: FakeGateway, sessions: Sessions
) -> None:
    with sessions.begin() as session:
        session.execute(delete(OnCallWeek))

    answer = ana.post(f"/calls/{day.rosa.ref}/dial", data={"press_key": "one"})

    assert answer.status_code == 422
    assert gateway.placed == []


def test_a_whole_call_by_itself(
    ana: FlaskClient,
    day: Day,
    carrier: Carrier,
    gateway: FakeGateway,
    clock: FakeClock,
    sessions: Sessions,
) -> None:
    press(ana, day)

    call_id = only_call(sessions).id
    assert [call for _at, call in gateway.placed] == [
        OutboundCall(call_id, ANAS_PHONE, CLINICS_NUMBER)
    ]
    sid = call_sid(call_id)
    assert state(ana, sessions)["words"] == "Your phone is ringing"
    carrier.tells(f"{call_id}/staff", CallSid=sid, CallStatus="in-progress")
    assert state(ana, sessions)["words"] == "Press 1 on your phone"
    carrier.is_picked_up(call_id)
    carrier.tells(f"{call_id}/patient", CallSid=PATIENT_LEG, CallStatus="ringing")
    assert state(ana, sessions)["words"] == "Ringing Rosa"
    clock.advance(timedelta(seconds=20))
    carrier.tells(f"{call_id}/patient", CallSid=PATIENT_LEG, CallStatus="in-progress")
    clock.advance(timedelta(seconds=130))
    assert state(ana, sessions)["talk_seconds"] == 130
    assert "Hang up" in ana.get(f"/calls/{day.rosa.ref}").text
    clock.advance(timedelta(minutes=9))
    done = {"DialCallSid": PATIENT_LEG, "DialCallStatus": "completed", "DialCallDuration": "671"}
    assert "<Hangup" in carrier.asks(f"{call_id}/over", CallSid=sid, **done)
    assert state(ana, sessions)["words"] == "Ended, 12 min"

    ana.post(f"/calls/{day.rosa.ref}", data=day.form(reached="yes", note="She slept well."))

    with sessions() as session:
        attempt = session.scalars(select(Attempt)).one()
        assert (attempt.outcome, attempt.minutes) == (Outcome.COMPLETED, 12)
        assert attempt.phone_call_id == call_id


def test_neither_sees_the_others_number(
    ana: FlaskClient, day: Day, carrier: Carrier, gateway: FakeGateway, sessions: Sessions
) -> None:
    press(ana, day)

    ((_at, placed),) = gateway.placed
    assert placed.shown == CLINICS_NUMBER
    call_id = only_call(sessions).id
    carrier.asks(f"{call_id}/answered", CallSid=call_sid(call_id))
    document = carrier.asks(f"{call_id}/key", CallSid=call_sid(call_id), Digits="1")
    assert f'callerId="{CLINICS_NUMBER}"' in document
    assert ANAS_PHONE not in document


def test_a_double_click_makes_one_call(
    ana: FlaskClient, day: Day, gateway: FakeGateway, sessions: Sessions
) -> None:
    press(ana, day)
    press(ana, day)

    assert len(gateway.placed) == 1
    only_call(sessions)


def test_nobody_is_on_two_calls_at_once(
    ana: FlaskClient, day: Day, gateway: FakeGateway, sessions: Sessions
) -> None:
    press(ana, day)
    press(ana, day, "two", status=422)

    assert len(gateway.placed) == 1
    only_call(sessions)


def test_two_presses_at_the_same_moment_make_one_call(
    day: Day, clock: FakeClock, sessions: Sessions
) -> None:
    both = Barrier(2)

    def begin(key: str) -> bool:
        with sessions() as session:
            patient = session.scalars(
                select(Patient).options(joinedload(Patient.clinic)).where(Patient.id == day.rosa.id)
            ).one()
            actor = actor_of(day.ana, day.clinic, as_of=clock())
            session.expunge_all()  # keeps its clinic
            session.rollback()  # so that neither holds the lock while both wait
            both.wait()
            try:
                call = dialing.begin(session, patient, day.call, actor, key, now=clock())
            except OnThePhone:
                return False
            session.commit()
            return call is not None

    with ThreadPoolExecutor(2) as threads:
        made = list(threads.map(begin, ["one", "two"]))

    assert sorted(made) == [False, True]
    only_call(sessions)


def test_after_the_end_one_may_call_again(
    ana: FlaskClient, day: Day, gateway: FakeGateway, carrier: Carrier, sessions: Sessions
) -> None:
    press(ana, day)
    call_id = only_call(sessions).id
    carrier.tells(f"{call_id}/staff", CallSid=call_sid(call_id), CallStatus="no-answer")
    assert "Call again" in ana.get(f"/calls/{day.rosa.ref}").text

    press(ana, day, "two")

    assert len(gateway.placed) == 2


def test_nobody_is_rung_while_somebody_else_talks_with_them(
    ana: FlaskClient, app: Flask, day: Day, gateway: FakeGateway, sessions: Sessions
) -> None:
    press(ana, day)
    with sessions.begin() as session:
        session.execute(update(PanelMembership).values(caller_id=day.ben.id))
        add_phone(session, day.ben, "+15125550191")
    ben = app.test_client()
    sign_in(ben, day.ben)
    ben.post(f"/calls/{day.rosa.ref}/start", data={"take_over": "1"})

    press(ben, day, "two", status=422)

    assert len(gateway.placed) == 1


def test_a_call_that_was_written_down_before_it_ended_can_be_ended_from_the_next_one(
    ana: FlaskClient, day: Day, gateway: FakeGateway, sessions: Sessions
) -> None:
    press(ana, day)
    form = day.form(reached="yes", note="She slept well.", minutes="5", then="stay")
    ana.post(f"/calls/{day.rosa.ref}", data=form)
    page = ana.get(f"/calls/{day.rosa.ref}").text
    assert "You are still on the telephone" in page

    call_id = only_call(sessions).id
    answer = ana.post(f"/phone/calls/{call_id}/hang-up", data={"then_ref": day.rosa.ref})

    assert answer.location == f"/calls/{day.rosa.ref}"
    assert gateway.hung_up == [call_sid(call_id)]


def test_who_is_put_through_need_not_see_the_number(ana: FlaskClient, day: Day) -> None:
    page = ana.get(f"/calls/{day.rosa.ref}").text

    assert f"/calls/{day.rosa.ref}/dial" in page
    for path in ("/calls/{}", "/patients/{}", "/patients/{}/texts"):
        page = ana.get(path.format(day.rosa.ref)).text
        assert ROSAS_PHONE not in page
        assert "(512) 555-0147" not in page
    assert "The number ending in 47" in page


def test_who_dials_by_hand_sees_the_number(ana: FlaskClient, day: Day, sessions: Sessions) -> None:
    with sessions.begin() as session:
        session.get_one(StaffMember, day.ana.id).work_phone = None

    assert "(512) 555-0147" in ana.get(f"/patients/{day.rosa.ref}").text


def test_who_picks_up_much_later_does_not_ring_the_patient(
    ana: FlaskClient, day: Day, carrier: Carrier, clock: FakeClock, sessions: Sessions
) -> None:
    press(ana, day)
    call_id = only_call(sessions).id
    clock.advance(CONNECT_WITHIN + timedelta(seconds=1))

    assert "<Gather" not in carrier.asks(f"{call_id}/answered", CallSid=call_sid(call_id))
    document = carrier.asks(f"{call_id}/key", CallSid=call_sid(call_id), Digits="1")
    assert "<Dial" not in document


def test_without_a_key_nobody_is_rung(
    ana: FlaskClient, day: Day, carrier: Carrier, sessions: Sessions
) -> None:
    press(ana, day)
    call_id = only_call(sessions).id

    assert "<Dial" not in carrier.asks(f"{call_id}/key", CallSid=call_sid(call_id))


@pytest.mark.parametrize(
    ("status", "ending", "words"),
    [
        ("busy", Ending.BUSY, "Busy"),
        ("no-answer", Ending.NO_ANSWER, "Rosa did not answer"),
        ("failed", Ending.UNREACHABLE, "The number could not be reached"),
        ("canceled", Ending.GIVEN_UP, "Ended before Rosa answered"),
    ],
)
def test_how_it_ended_is_said(
    ana: FlaskClient,
    day: Day,
    carrier: Carrier,
    sessions: Sessions,
    status: str,
    ending: Ending,
    words: str,
) -> None:
    press(ana, day)
    call_id = only_call(sessions).id
    carrier.is_picked_up(call_id)
    carrier.tells(f"{call_id}/patient", CallSid=PATIENT_LEG, CallStatus=status)
    carrier.tells(f"{call_id}/staff", CallSid=call_sid(call_id), CallStatus="completed")

    assert only_call(sessions).ending is ending
    assert state(ana, sessions)["words"] == words


def test_a_machine_brings_the_neutral_voicemail_in_their_language_once(
    ana: FlaskClient, day: Day, carrier: Carrier, sessions: Sessions
) -> None:
    with sessions.begin() as session:
        session.execute(update(Patient).values(language="es"))
    press(ana, day)
    call_id = only_call(sessions).id
    carrier.is_picked_up(call_id)
    carrier.tells(f"{call_id}/patient", CallSid=PATIENT_LEG, CallStatus="in-progress")
    assert state(ana, sessions)["card"] is None

    carrier.tells(f"{call_id}/answered-by", CallSid=PATIENT_LEG, AnsweredBy="machine_start")

    card = state(ana, sessions)["card"]
    assert card == (
        "Hola, este es un mensaje para Rosa. Habla Ana. "
        "Por favor, devuélvame la llamada al (512) 555-0100. Gracias."
    )
    assert "Hola, este es un mensaje para Rosa" in ana.get(f"/calls/{day.rosa.ref}").text


@pytest.mark.parametrize(("of_patient", "spoken"), [("es", "es"), ("pt-BR", "pt"), ("vi", "en")])
def test_a_voicemail_says_in_which_language_its_words_are(
    ana: FlaskClient,
    day: Day,
    carrier: Carrier,
    sessions: Sessions,
    of_patient: str,
    spoken: str,
) -> None:
    with sessions.begin() as session:
        session.execute(update(Patient).values(language=of_patient))
    press(ana, day)
    call_id = only_call(sessions).id
    carrier.is_picked_up(call_id)
    carrier.tells(f"{call_id}/patient", CallSid=PATIENT_LEG, CallStatus="in-progress")
    carrier.tells(f"{call_id}/answered-by", CallSid=PATIENT_LEG, AnsweredBy="machine_start")

    shown = state(ana, sessions)
    page = ana.get(f"/calls/{day.rosa.ref}").text

    assert shown["card_language"] == spoken
    assert page.count(f'lang="{spoken}">{shown["card"]}</span>') == 2, "the card, and the form"


@pytest.mark.parametrize("reason", ["left before", "not asked"])
def test_a_second_voicemail_and_one_not_allowed_are_not_offered(
    ana: FlaskClient, day: Day, carrier: Carrier, sessions: Sessions, reason: str
) -> None:
    with sessions.begin() as session:
        if reason == "left before":
            make_attempt(session, day.call, day.ana, Outcome.VOICEMAIL_LEFT)
        else:
            session.execute(update(Patient).values(is_voicemail_allowed=None))
    press(ana, day)
    call_id = only_call(sessions).id
    carrier.is_picked_up(call_id)
    carrier.tells(f"{call_id}/patient", CallSid=PATIENT_LEG, CallStatus="in-progress")
    carrier.tells(f"{call_id}/answered-by", CallSid=PATIENT_LEG, AnsweredBy="machine_start")
    carrier.tells(f"{call_id}/patient", CallSid=PATIENT_LEG, CallStatus="completed")

    shown = state(ana, sessions)
    assert shown["card"] == "A machine answered. Hang up without leaving a message."
    assert (shown["ending"], shown["may_leave_voicemail"]) == ("machine", False)


def test_hanging_up_ends_it_for_both(
    ana: FlaskClient, day: Day, gateway: FakeGateway, sessions: Sessions
) -> None:
    press(ana, day)
    call_id = only_call(sessions).id

    assert ana.post(f"/phone/calls/{call_id}/hang-up").status_code == 302

    assert gateway.hung_up == [call_sid(call_id)]


def test_the_call_of_somebody_else_is_not_there(
    ana: FlaskClient, app: Flask, day: Day, gateway: FakeGateway, sessions: Sessions
) -> None:
    press(ana, day)
    ben = app.test_client()
    sign_in(ben, day.ben)
    call_id = only_call(sessions).id

    assert ben.get(f"/phone/calls/{call_id}").status_code == 404
    assert ben.post(f"/phone/calls/{call_id}/hang-up").status_code == 404
    assert gateway.hung_up == []


def test_without_a_bridge_one_dials_by_hand(
    ana: FlaskClient, day: Day, gateway: FakeGateway
) -> None:
    gateway.can_call = False

    page = ana.get(f"/calls/{day.rosa.ref}").text

    assert f'href="tel:{ROSAS_PHONE}"' in page
    assert "Start call" in page
    assert f"/calls/{day.rosa.ref}/dial" not in page


def test_who_has_no_phone_is_told_where_to_say_which(
    ana: FlaskClient, day: Day, sessions: Sessions
) -> None:
    with sessions.begin() as session:
        session.execute(update(StaffMember).values(work_phone=None))

    page = ana.get(f"/calls/{day.rosa.ref}").text

    assert "Start call" in page
    assert "/phone/me" in page


def test_times_are_the_carriers_own(
    ana: FlaskClient, day: Day, carrier: Carrier, clock: FakeClock, sessions: Sessions
) -> None:
    press(ana, day)
    call_id = only_call(sessions).id
    carrier.is_picked_up(call_id)
    answered_at = clock() + timedelta(seconds=12)
    clock.advance(timedelta(seconds=19))  # this report took seven seconds
    told = {"CallSid": PATIENT_LEG, "Timestamp": format_datetime(answered_at)}

    carrier.tells(f"{call_id}/patient", CallStatus="in-progress", **told)

    assert only_call(sessions).answered_at == answered_at
