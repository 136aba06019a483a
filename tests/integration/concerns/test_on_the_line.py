"""Telling the nurse while somebody is on the line: at once, exactly once, and seen through."""

from datetime import timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.test import TestResponse

from outreach.accounts.rules import Role
from outreach.calls.models import Attempt
from outreach.concerns import raising
from outreach.concerns.jobs import alert_unanswered
from outreach.concerns.models import Alert, Concern, OnCallWeek
from outreach.concerns.rules import ConcernKind, ConcernStatus, StepKind, Urgency
from outreach.messaging.jobs import send_due_messages
from outreach.planning.models import PlannedCall
from outreach.telephony.gateway import Refused
from tests.builders import make_patient, make_staff
from tests.conftest import HASH, sign_in
from tests.fakes import FakeClock, FakeGateway
from tests.integration.concerns.conftest import NURSES_NUMBER, Line

WORRY = {
    "form_key": "one",
    "kind": "self_harm",
    "words": "Says she cannot go on.",
    "where_now": "12 Oak Street",
    "ring_back": "(512) 555-0147",
}
SAFETY_OUTCOME = {"reached": "yes", "outcome": "reached_safety", "minutes": "9"}
BACKGROUND = {"X-Background": "1"}


def test_the_call_screen_says_what_to_do_and_whom_to_ring(line: Line, client: FlaskClient) -> None:
    sign_in(client, line.caller)

    page = client.get(line.call).text

    assert "Alt+Shift+S" in page
    assert all(number in page for number in ("tel:911", "tel:988", f"tel:{NURSES_NUMBER}"))
    assert "Ask where they are now." in page
    assert "Never advise on doses" in page


def test_words_are_in_the_patients_language_and_of_the_clinic(
    line: Line, client: FlaskClient
) -> None:
    with line.sessions.begin() as session:
        session.merge(line.patient).language = "es"
    sign_in(client, line.manager)
    own = {"emergency": "112", "lifeline": "024", "lifeline_hint": "24 horas", "say": "Aquí estoy."}
    assert client.post("/concerns/on-call/card?language=es", data=own).status_code == 302
    assert client.post("/concerns/on-call/card?language=es", data=own).status_code == 302
    assert "Aquí estoy." in client.get("/concerns/on-call/card?language=es").text
    assert "Aquí estoy." not in client.get("/concerns/on-call/card?language=en").text
    sign_in(client, line.caller)

    page = client.get(line.call).text

    assert "tel:112" in page
    assert "Aquí estoy." in page
    assert "tel:911" not in page


def test_the_nurse_is_told_at_once_with_place_and_number(
    line: Line, client: FlaskClient, gateway: FakeGateway, clock: FakeClock
) -> None:
    sign_in(client, line.caller)

    answer = client.post(line.raising, data=WORRY)

    assert answer.status_code == 302
    (concern,) = line.concerns()
    assert (concern.kind, concern.urgency) == (ConcernKind.SELF_HARM, Urgency.NOW)
    assert line.steps() == [
        (
            StepKind.RAISED,
            "Says she cannot go on.\nIs now: 12 Oak Street\nRing back: (512) 555-0147",
        )
    ]
    send_due_messages(line.sessions, gateway, clock)
    assert [sms.to for sms in gateway.sent] == [NURSES_NUMBER]
    page = client.get(answer.location).text
    assert "Nurse told" in page
    assert "not taken on yet." in page
    assert "For 911, their number:" in page
    assert "(512) 555-0147" in page.split("For 911")[1]


def test_the_nurse_reads_who_is_on_the_line_while_they_are(
    line: Line, client: FlaskClient, app: Flask
) -> None:
    sign_in(client, line.caller)
    client.post(f"{line.call}/start")
    client.post(line.raising, data=WORRY)
    nurse, (concern,) = app.test_client(), line.concerns()
    sign_in(nurse, line.nurse)

    assert f"{line.caller.name} is on the line" in nurse.get(f"/concerns/{concern.id}").text

    client.post(f"{line.call}/stop")
    assert "is on the line" not in nurse.get(f"/concerns/{concern.id}").text


def test_without_a_word_it_is_told_all_the_same(line: Line, client: FlaskClient) -> None:
    sign_in(client, line.caller)

    assert client.post(line.raising, data={"form_key": "one"}).status_code == 302

    assert [concern.kind for concern in line.concerns()] == [ConcernKind.SAFETY]


def test_two_presses_are_one_concern_and_one_text(
    line: Line, client: FlaskClient, gateway: FakeGateway, clock: FakeClock
) -> None:
    sign_in(client, line.caller)

    answers = [client.post(line.raising, data=WORRY, headers=BACKGROUND) for _press in range(3)]
    send_due_messages(line.sessions, gateway, clock)
    alert_unanswered(line.sessions, clock)
    send_due_messages(line.sessions, gateway, clock)

    assert {answer.status_code for answer in answers} == {201}
    assert all("Nurse told" in answer.text for answer in answers)
    assert len(line.concerns()) == 1
    assert len(line.steps()) == 1
    assert len(gateway.sent) == 1


def test_a_key_of_somebody_elses_page_tells_nothing(line: Line, client: FlaskClient) -> None:
    sign_in(client, line.nurse)
    with line.sessions.begin() as session:
        other = make_patient(session, line.clinic, phone=None)
    client.post(line.raising, data=WORRY)

    assert client.post(f"/safety/{other.ref}/raise", data=WORRY).status_code == 404


def test_too_many_words_are_refused_and_kept_on_the_page(line: Line, client: FlaskClient) -> None:
    sign_in(client, line.caller)

    answer = client.post(line.raising, data=WORRY | {"words": "x" * 4001})

    assert answer.status_code == 422
    assert "x" * 4001 in answer.text
    assert line.concerns() == []


def test_the_caller_sees_who_took_it_on_and_that_it_was_closed(
    line: Line, client: FlaskClient, clock: FakeClock
) -> None:
    sign_in(client, line.caller)
    client.post(line.raising, data=WORRY)
    (concern,) = line.concerns()
    watch = f"/safety/{line.patient.ref}"
    clock.advance(timedelta(seconds=40))
    waiting = client.get(watch, headers=BACKGROUND).text
    with line.sessions.begin() as session:
        taken = session.merge(concern)
        raising.acknowledge(session, taken, by_staff_id=line.nurse.id, now=clock())

    on_it = client.get(watch, headers=BACKGROUND).text
    with line.sessions.begin() as session:
        done = session.merge(concern)
        raising.close(session, done, "Safe.", by_staff_id=line.nurse.id, now=clock())
    closed = client.get(watch, headers=BACKGROUND).text

    assert "0:40" in waiting
    assert "data-polled" in waiting
    assert "Nadia Brooks took it on" in on_it
    assert "data-polled" in on_it
    assert "closed just now" in closed
    assert "data-polled" not in closed
    assert len({text.split("data-state=")[1][:20] for text in (waiting, on_it, closed)}) == 3


def test_what_is_learned_later_is_added_and_the_saved_call_adds_too(
    line: Line, client: FlaskClient
) -> None:
    sign_in(client, line.caller)
    client.post(line.raising, data=WORRY)
    (concern,) = line.concerns()
    adding = f"/safety/{line.patient.ref}/{concern.id}"

    assert client.post(adding, data={"words": " "}).status_code == 422
    assert client.post(adding, data={"words": "Her sister is there."}).status_code == 302
    saved = _save(line, client, SAFETY_OUTCOME | {"note": "Stayed until the sister came."})

    assert saved.status_code == 302
    assert len(line.concerns()) == 1
    assert line.steps()[1:] == [
        (StepKind.ADDED, "Her sister is there."),
        (StepKind.ADDED, "Stayed until the sister came."),
    ]


def test_what_a_later_call_brings_is_told_anew_though_a_nurse_sees_to_the_first(
    line: Line, client: FlaskClient, clock: FakeClock
) -> None:
    sign_in(client, line.caller)
    client.post(line.raising, data=WORRY)
    clock.advance(timedelta(minutes=5))
    _save(line, client, {"reached": "no", "outcome": "no_answer", "note": "She hung up."})
    with line.sessions.begin() as session:
        concern = session.scalars(select(Concern)).one()
        raising.acknowledge(session, concern, by_staff_id=line.nurse.id, now=clock())
    clock.advance(timedelta(minutes=50))
    sign_in(client, line.caller)

    later = SAFETY_OUTCOME | {"note": "Now she has pills beside her.", "form_key": "later"}
    assert _save(line, client, later).location == f"/safety/{line.patient.ref}"

    assert [each.status for each in line.concerns()] == [
        ConcernStatus.ACKNOWLEDGED,
        ConcernStatus.OPEN,
    ]
    with line.sessions() as session:
        assert len(session.scalars(select(Alert)).all()) == 2


def test_a_safety_outcome_alone_raises_one_and_shows_the_card(
    line: Line, client: FlaskClient
) -> None:
    sign_in(client, line.caller)

    saved = _save(line, client, SAFETY_OUTCOME | {"note": "She sounded very low."})

    assert saved.location == f"/safety/{line.patient.ref}"
    assert [concern.kind for concern in line.concerns()] == [ConcernKind.SAFETY]
    assert "Ask where they are now." in client.get(saved.location).text


@pytest.mark.parametrize(
    ("given", "goes_to_card"),
    [
        ({"glucose": "48", "low_said": "help"}, True),
        ({"glucose": "310"}, True),
        ({"glucose": "120"}, False),
    ],
)
def test_a_worrying_reading_shows_the_same_card(
    line: Line, client: FlaskClient, given: dict[str, str], *, goes_to_card: bool
) -> None:
    sign_in(client, line.caller)

    saved = _save(line, client, {"reached": "yes", "minutes": "5", "note": "Talked."} | given)

    assert saved.location.startswith("/safety/") is goes_to_card


def test_item_nine_shows_the_same_card_with_the_nurse_to_ring(
    line: Line, client: FlaskClient
) -> None:
    sign_in(client, line.caller)
    answer = {"form_key": "page", "item_9": "1"}

    result = client.post(f"{line.call}/ask/phq9", data=answer, follow_redirects=True)

    assert result.status_code == 200
    shown = result.text[result.text.index("data-asking-danger") :]
    assert "<span data-told>A nurse is told." in shown
    assert f"tel:{NURSES_NUMBER}" in shown
    assert "Ask where they are now." in shown


def test_nobody_to_tell_is_said_loudly(line: Line, client: FlaskClient) -> None:
    with line.sessions.begin() as session:
        for person in (line.nurse, line.second, line.manager):
            session.merge(person).is_active = False
    sign_in(client, line.caller)

    client.post(line.raising, data=WORRY)

    page = client.get(f"/safety/{line.patient.ref}").text
    assert "Nobody could be told by text." in page
    assert "Nobody is on call now." in page


def test_a_text_that_did_not_arrive_counts_as_not_told(
    line: Line, client: FlaskClient, gateway: FakeGateway, clock: FakeClock
) -> None:
    sign_in(client, line.caller)
    client.post(line.raising, data=WORRY)
    gateway.troubles = [Refused("30003")]

    send_due_messages(line.sessions, gateway, clock)

    page = client.get(f"/safety/{line.patient.ref}").text
    assert "Nurse told" not in page
    assert "Ring somebody yourself now." in page
    assert f"tel:{NURSES_NUMBER}" in page


@pytest.mark.parametrize("method", ["get", "post"])
def test_another_callers_patient_does_not_exist(
    line: Line, client: FlaskClient, method: str
) -> None:
    with line.sessions.begin() as session:
        stranger = make_staff(session, line.clinic, Role.CALLER, password_hash=HASH)
    sign_in(client, stranger)

    assert getattr(client, method)(line.raising, data=WORRY).status_code == 404
    assert client.get(f"/safety/{line.patient.ref}").status_code == 404
    assert line.concerns() == []


def test_no_call_starts_while_nobody_is_on_call(line: Line, client: FlaskClient) -> None:
    with line.sessions.begin() as session:
        session.delete(session.scalars(select(OnCallWeek)).one())
    sign_in(client, line.caller)

    refused = client.post(f"{line.call}/start")

    assert refused.status_code == 422
    assert "No call can start" in refused.text
    assert line.manager.name in refused.text
    assert "Nobody is on call now, so no call can start." in client.get(line.call).text
    assert line.manager.name in client.get(f"/safety/{line.patient.ref}/nobody").text
    assert "data-timer" not in client.get(line.call).text
    with line.sessions() as session:
        assert session.scalars(select(Attempt)).all() == []


def test_a_nurse_hears_of_it_on_every_page_and_no_longer_once_it_is_taken_on(
    line: Line, client: FlaskClient
) -> None:
    sign_in(client, line.caller)
    client.post(line.raising, data=WORRY)
    assert "data-alerts" not in client.get("/queue/").text
    sign_in(client, line.second)

    pages = [client.get(path).text for path in ("/concerns/", "/patients/", "/safety/waiting")]
    (concern,) = line.concerns()
    client.post(f"/concerns/{concern.id}/acknowledge")

    assert all("1 concern waits for a nurse" in page for page in pages)
    assert "waits for a nurse" not in client.get("/safety/waiting").text
    assert [each.status for each in line.concerns()] == [ConcernStatus.ACKNOWLEDGED]


def _save(line: Line, client: FlaskClient, answers: dict[str, str]) -> TestResponse:
    with line.sessions() as session:
        call_id = session.scalars(select(PlannedCall.id)).one()
    base = {
        "planned_call_id": str(call_id), "form_key": "call", "glucose_unit": "mg/dL",
        "hba1c_unit": "%", "weight_unit": "kg",
    }  # fmt: skip
    return client.post(line.call, data=base | answers)
