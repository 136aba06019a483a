"""The queue and the call screen, as a caller's browser sees them."""

import re
from datetime import date, timedelta

import pytest
from flask.testing import FlaskClient
from sqlalchemy import func, select

from outreach.accounts.models import StaffMember
from outreach.accounts.rules import Role
from outreach.calls.models import Attempt, Draft
from outreach.calls.rules import Outcome
from outreach.concerns import raising, steps
from outreach.concerns.models import Concern
from outreach.measures.models import Reading
from outreach.orm import Sessions
from outreach.patients.models import Patient
from outreach.planning.models import PlannedCall
from tests.builders import (
    make_enrolment,
    make_patient,
    make_planned_call,
    make_promise,
    make_staff,
)
from tests.conftest import HASH, sign_in
from tests.fakes import MONDAY_10_CHICAGO, FakeClock
from tests.integration.calls.conftest import Day


def test_the_queue_says_who_to_call_when_it_is_there_and_why(
    sessions: Sessions, client: FlaskClient, day: Day
) -> None:
    with sessions.begin() as session:
        make_promise(session, day.rosa, day.ana, text="Ask about the garden")
    sign_in(client, day.ana)

    page = client.get("/queue/").text

    assert "Rosa Nguyen" in page
    assert re.search(r"10:00.AM in Chicago", page)
    assert "first call" in page
    assert "Ask about the garden" in page


def test_another_callers_patient_does_not_exist(client: FlaskClient, day: Day) -> None:
    sign_in(client, day.ben)

    assert "Rosa" not in client.get("/queue/").text
    for path in (f"/calls/{day.rosa.ref}", f"/patients/{day.rosa.ref}"):
        assert client.get(path).status_code == 404
    for path in ("", "/start", "/stop", "/draft"):
        assert client.post(f"/calls/{day.rosa.ref}{path}", data=day.form()).status_code == 404


def test_the_commonest_log_is_kept_and_leads_to_the_next_patient(
    sessions: Sessions, client: FlaskClient, day: Day
) -> None:
    with sessions.begin() as session:
        other = make_patient(session, day.clinic, phone="+15125550199")
        make_planned_call(session, make_enrolment(session, other, caller=day.ana))
    sign_in(client, day.ana)

    answer = client.post(
        f"/calls/{day.rosa.ref}",
        data=day.form(reached="yes", note="Walked twice.", glucose="132", minutes="9"),
    )

    assert answer.location == f"/calls/{other.ref}"
    with sessions() as session:
        reading = session.scalars(select(Reading)).one()
        attempt = session.scalars(select(Attempt)).one()
    assert (attempt.outcome, attempt.minutes) == (Outcome.COMPLETED, 9)
    assert (str(reading.value), reading.taken_at) == ("132.000", MONDAY_10_CHICAGO)


@pytest.mark.parametrize(
    ("answers", "message"),
    [
        pytest.param({}, "Choose how the call went", id="no outcome"),
        pytest.param({"reached": "no"}, "Choose how the call went", id="not reached, but why"),
        pytest.param({"reached": "yes"}, "how many minutes", id="no minutes"),
        pytest.param(
            {"reached": "yes", "minutes": "5", "glucose": "7.3"},
            "looks like mmol/L",
            id="mmol/L typed as mg/dL",
        ),
        pytest.param(
            {"reached": "yes", "minutes": "5", "glucose": "NaN"}, "Write a number", id="NaN"
        ),
        pytest.param(
            {"reached": "yes", "minutes": "5", "glucose": "1e999999"}, "Write a number", id="huge"
        ),
        pytest.param(
            {"reached": "yes", "minutes": "5", "glucose": "430"}, "unusual", id="unusual value"
        ),
        pytest.param(
            {"reached": "yes", "minutes": "5", "systolic": "120"},
            "lower value",
            id="half a pressure",
        ),
        pytest.param(
            {"reached": "yes", "minutes": "5", "glucose": "120", "glucose_on": "2026-11-25"},
            "still to come",
            id="a reading from the future",
        ),
        pytest.param(
            {"reached": "yes", "outcome": "reached_call_back", "minutes": "1"},
            "day to call back",
            id="call back when",
        ),
        pytest.param({"reached": "yes", "minutes": "900"}, "0 to 240", id="too many minutes"),
        pytest.param(
            {"reached": "no", "outcome": "reached_completed"}, "does not fit", id="contradiction"
        ),
        pytest.param(
            {"reached": "yes", "minutes": "5", "systolic": "sNaN", "diastolic": "80"},
            "Write a number",
            id="sNaN pressure",
        ),
        *(
            pytest.param(
                {"reached": "yes", "minutes": "5", "glucose": "120", "glucose_on": on}
                | {"glucose_at": "23:59"},
                words,
                id=f"reading of {on}",
            )
            for on, words in (
                ("9999-12-31", "still to come"),
                ("0001-01-01", "before the patient was born"),
            )
        ),
        *(
            pytest.param(
                {"reached": "yes", "outcome": "reached_call_back", "minutes": "1"}
                | {"callback_on": on, "callback_at": at},
                words,
                id=f"call back {on} {at}",
            )
            for on, at, words in (
                ("2062-11-24", "10:00", "next 30 days"),
                ("9999-12-31", "23:45", "next 30 days"),
                ("2026-11-25", "03:00", "8 AM to 9 PM"),
                ("2026-11-23", "09:00", "has passed"),
            )
        ),
        pytest.param({"outcome": "made up"}, "valid choice", id="a made-up outcome"),
    ],
)
def test_bad_input_is_explained_keeps_what_was_typed_and_changes_nothing(
    sessions: Sessions, client: FlaskClient, day: Day, answers: dict[str, str], message: str
) -> None:
    sign_in(client, day.ana)

    page = client.post(
        f"/calls/{day.rosa.ref}", data=day.form(note="She <b>laughed</b> a lot.", **answers)
    )

    assert page.status_code == 422
    assert message in page.text.lower() or message in page.text
    assert "She &lt;b&gt;laughed&lt;/b&gt; a lot." in page.text
    with sessions() as session:
        assert session.scalar(select(func.count(Attempt.id))) == 0


def test_a_safety_concern_needs_words_that_a_nurse_can_act_on(
    client: FlaskClient, day: Day
) -> None:
    sign_in(client, day.ana)

    page = client.post(
        f"/calls/{day.rosa.ref}",
        data=day.form(reached="yes", outcome="reached_safety", minutes="1", note=" "),
    )

    assert page.status_code == 422
    assert "what worries you" in page.text


def test_an_unusual_value_goes_in_once_it_was_read_back(
    sessions: Sessions, client: FlaskClient, day: Day
) -> None:
    sign_in(client, day.ana)

    client.post(
        f"/calls/{day.rosa.ref}",
        data=day.form(reached="yes", minutes="5", glucose="430", is_confirmed="y"),
    )

    with sessions() as session:
        assert session.scalar(select(func.count(Reading.id))) == 1


def test_saving_twice_changes_nothing_the_second_time(
    sessions: Sessions, client: FlaskClient, day: Day
) -> None:
    sign_in(client, day.ana)
    form = day.form(reached="yes", minutes="5")

    client.post(f"/calls/{day.rosa.ref}", data=form)
    again = client.post(f"/calls/{day.rosa.ref}", data=form)

    assert again.status_code == 302
    with sessions() as session:
        assert session.scalar(select(func.count(Attempt.id))) == 1


def test_a_forgotten_clock_is_not_taken_for_the_length_of_a_call(
    sessions: Sessions, client: FlaskClient, day: Day, clock: FakeClock
) -> None:
    sign_in(client, day.ana)
    client.post(f"/calls/{day.rosa.ref}/start")
    clock.advance(timedelta(hours=6))
    sign_in(client, day.ana)

    page = client.post(f"/calls/{day.rosa.ref}", data=day.form(reached="yes"))

    assert page.status_code == 422
    assert "how many minutes" in page.text


def test_single_keys_can_be_switched_off(client: FlaskClient, day: Day) -> None:
    sign_in(client, day.ana)
    assert 'data-keys="on"' in client.get(f"/calls/{day.rosa.ref}").text

    client.post("/shortcuts", data={"on": "0"})

    assert 'data-keys="off"' in client.get(f"/calls/{day.rosa.ref}").text


def test_nobody_is_called_at_a_wrong_hour(
    sessions: Sessions, client: FlaskClient, day: Day, clock: FakeClock
) -> None:
    clock.advance(timedelta(hours=11))  # 9 in the evening there
    sign_in(client, day.ana)

    refused = client.post(f"/calls/{day.rosa.ref}/start")

    assert refused.status_code == 422
    assert "outside calling hours" in client.get(f"/calls/{day.rosa.ref}").text
    with sessions() as session:
        assert session.scalar(select(func.count(Draft.id))) == 0


def test_the_minutes_come_from_the_clock_that_was_started(
    sessions: Sessions, client: FlaskClient, day: Day, clock: FakeClock
) -> None:
    sign_in(client, day.ana)
    client.post(f"/calls/{day.rosa.ref}/start")
    clock.advance(timedelta(minutes=7, seconds=20))

    client.post(f"/calls/{day.rosa.ref}", data=day.form(reached="yes"))

    with sessions() as session:
        assert session.scalars(select(Attempt.minutes)).one() == 8


def test_opening_a_call_changes_nothing_but_the_audit_trail(
    sessions: Sessions, client: FlaskClient, day: Day
) -> None:
    sign_in(client, day.ana)

    client.get(f"/calls/{day.rosa.ref}")

    with sessions() as session:
        table = PlannedCall.metadata.tables["audit_event"]
        actions = session.scalars(select(table.c.action).order_by(table.c.id)).all()
    assert actions == ["signed in", "opened the call screen", "looked at"]
    assert day.call.due_on == date(2026, 11, 23)


def test_a_low_sugar_tells_the_caller_that_a_nurse_is_on_it_and_brings_the_answer_back(
    sessions: Sessions, client: FlaskClient, day: Day, clock: FakeClock
) -> None:
    with sessions.begin() as session:
        nurse = make_staff(session, day.clinic, Role.NURSE, name="Nadia", password_hash=HASH)
        session.get_one(StaffMember, day.nurse.id).phone = "+15125550177"
    sign_in(client, day.ana)
    form = day.form(
        reached="yes", minutes="5", glucose="48", note="Shaky this morning.", low_said="treated"
    )

    saved = client.post(f"/calls/{day.rosa.ref}", data=form, follow_redirects=True)

    assert "Nurse told" in saved.text
    assert "Ask where they are now" in saved.text
    with sessions.begin() as session:
        (concern,) = session.scalars(select(Concern)).all()
        assert steps.first_words(session, [concern])[concern.id] == (
            "48 mg/dL (2.7 mmol/L)\nShaky this morning."
        )
        raising.close(session, concern, "Ate; 110 now.", by_staff_id=nurse.id, now=clock())
    page = client.get(f"/calls/{day.rosa.ref}").text
    assert "Ate; 110 now." in page
    assert "nurse Nadia" in page


def test_several_calls_that_were_started_are_told_in_one_notice(
    sessions: Sessions, client: FlaskClient, day: Day
) -> None:
    with sessions.begin() as session:
        for number in range(2):
            patient = make_patient(session, day.clinic, phone=f"+1512555{1000 + number}")
            make_planned_call(session, make_enrolment(session, patient, caller=day.ana))
        refs = session.scalars(select(Patient.ref)).all()
    sign_in(client, day.ana)
    for ref in refs:
        client.post(f"/calls/{ref}/start")

    page = client.get("/queue/").text

    assert page.count("You started") == 1
    assert "You started 3 calls." in page


def test_a_call_that_is_opened_before_its_day_says_so(
    sessions: Sessions, client: FlaskClient, day: Day
) -> None:
    sign_in(client, day.ana)
    assert "Made now, it counts as that one." not in client.get(f"/calls/{day.rosa.ref}").text
    with sessions.begin() as session:
        call = session.get_one(PlannedCall, day.call.id)
        call.due_on += timedelta(days=9)
        call.dial_from_at += timedelta(days=9)
        call.dial_until_at += timedelta(days=9)
        call.complete_by_on += timedelta(days=9)

    page = client.get(f"/calls/{day.rosa.ref}").text

    assert "Made now, it counts as that one." in page
    assert "Start call early" in page
