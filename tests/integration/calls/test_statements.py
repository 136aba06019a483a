"""How much the pages of a caller's day ask of the database, whatever there is to show."""

from datetime import date, timedelta

from flask import Flask
from flask.testing import FlaskClient

from outreach.calls.rules import Outcome
from outreach.db import db
from outreach.orm import Sessions
from outreach.planning.rules import CallStatus
from tests.builders import (
    make_attempt,
    make_enrolment,
    make_goal,
    make_patient,
    make_planned_call,
    make_promise,
    make_reading,
)
from tests.conftest import sign_in
from tests.counting import statements
from tests.fakes import MONDAY_10_CHICAGO
from tests.integration.calls.conftest import Day

# What a call screen shows of a few patients only: it finds out in one statement that there is none.
SELDOM_THERE = (
    "begun_questionnaire", "call_draft", "call_draft_aside", "concern", "follow_up", "goal",
    "own_limits", "questionnaire", "risk_flag",
)  # fmt: skip


def test_the_queue_takes_as_many_statements_for_three_patients_as_for_thirty(
    app: Flask, sessions: Sessions, client: FlaskClient, day: Day
) -> None:
    sign_in(client, day.ana)

    def asked_for(patients: int) -> int:
        with sessions.begin() as session:
            for number in range(patients):
                patient = make_patient(session, day.clinic, phone=f"+1512555{1000 + number}")
                enrolment = make_enrolment(session, patient, caller=day.ana)
                call = make_planned_call(session, enrolment, dials=1)
                make_attempt(session, call, day.ana, Outcome.NO_ANSWER, note="Rang out.")
        with app.app_context(), statements(db.engine) as seen:
            assert client.get("/queue/").status_code == 200
        return len(seen)

    assert asked_for(3) == asked_for(27) <= 8


def with_history(sessions: Sessions, day: Day, length: int) -> tuple[str, int]:
    """Return a patient with as many calls, promises and readings, and their open call."""
    with sessions.begin() as session:
        patient = make_patient(session, day.clinic)
        enrolment = make_enrolment(session, patient, caller=day.ana)
        for number in range(length):
            ago = timedelta(days=7 * (number + 1))
            past = make_planned_call(
                session, enrolment, date(2026, 11, 23) - ago, status=CallStatus.COMPLETED
            )
            at = MONDAY_10_CHICAGO - ago
            make_attempt(session, past, day.ana, Outcome.COMPLETED, at=at, note="We talked.")
            make_promise(session, patient, day.ana, text=f"Ask about {number}")
            make_reading(session, patient, taken_at=at)
        return patient.ref, make_planned_call(session, enrolment).id


def test_a_call_takes_as_many_statements_after_one_talk_as_after_twelve(
    app: Flask, sessions: Sessions, client: FlaskClient, day: Day
) -> None:
    sign_in(client, day.ana)

    def asked_for(length: int) -> tuple[int, int]:
        ref, call_id = with_history(sessions, day, length)
        with app.app_context(), statements(db.engine) as opening:
            assert client.get(f"/calls/{ref}").status_code == 200
        answers = day.form(reached="yes", minutes="12", note="We talked again.")
        answers |= {"planned_call_id": str(call_id), "form_key": ref}
        with app.app_context(), statements(db.engine) as saving:
            assert client.post(f"/calls/{ref}", data=answers).status_code == 302
        return len(opening), len(saving)

    asked_for(1)  # what is read once a process
    short, long = asked_for(1), asked_for(12)

    assert short == long
    assert short[0] <= 32
    assert short[1] <= 39


def test_a_call_screen_reads_no_table_that_holds_nothing_of_its_patient(
    app: Flask, client: FlaskClient, day: Day
) -> None:
    sign_in(client, day.ana)
    client.get(f"/calls/{day.rosa.ref}")  # what is read once a process; from now on it is hers

    with app.app_context(), statements(db.engine) as seen:
        assert client.get(f"/calls/{day.rosa.ref}").status_code == 200

    for table in SELDOM_THERE:
        assert sum(f"FROM {table}" in each for each in seen) == 1, table


def test_a_call_screen_reads_what_is_there(
    app: Flask, sessions: Sessions, client: FlaskClient, day: Day
) -> None:
    sign_in(client, day.ana)
    with sessions.begin() as session:
        make_goal(session, day.rosa, day.ana, text="Walk to the church")

    with app.app_context(), statements(db.engine) as seen:
        page = client.get(f"/calls/{day.rosa.ref}").text

    assert "Walk to the church" in page
    assert sum("FROM goal" in each for each in seen) == 2
