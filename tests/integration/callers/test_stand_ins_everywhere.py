"""Wherever the product names who calls, it names the stand-in while there is one."""

import re
from datetime import date

import pytest
from flask.testing import FlaskClient

from outreach.orm import Sessions
from outreach.panels.models import Absence
from outreach.planning import reminders
from outreach.programmes.rules import EnrolmentStatus
from tests.builders import (
    make_absence,
    make_cover,
    make_enrolment,
    make_patient,
    make_planned_call,
)
from tests.conftest import sign_in
from tests.fakes import MONDAY_10_CHICAGO as NOW
from tests.integration.callers.conftest import Place


@pytest.fixture
def absence(sessions: Sessions, place: Place) -> Absence:
    """Ana is away this week; Carla calls Rosa, and nobody calls Sam."""
    with sessions.begin() as session:
        absence = make_absence(session, place.ana, place.clinic.id)
        make_cover(session, absence, place.rosas, place.carla)
        return absence


@pytest.mark.parametrize(
    ("day", "name"),
    [
        pytest.param(date(2026, 11, 24), "Carla", id="covered on the day of the call"),
        pytest.param(date(2026, 11, 28), "Ana", id="back by then"),
    ],
)
def test_a_reminder_names_who_will_call(
    sessions: Sessions, place: Place, absence: Absence, day: date, name: str
) -> None:
    with sessions.begin() as session:
        patient = make_patient(session, place.clinic, sms_consent=True, family_name="Texted")
        enrolment = make_enrolment(session, patient, caller=place.ana)
        make_cover(session, absence, enrolment, place.carla)
        call = make_planned_call(session, enrolment, day)
        at = call.dial_from_at.replace(day=call.dial_from_at.day - 1)

        batch = reminders.due(session, now=at)

    (message,) = batch.messages
    assert name in str(message["body"])


def test_calls_of_today_are_counted_for_who_makes_them(
    client: FlaskClient, place: Place, absence: Absence
) -> None:
    sign_in(client, place.manager)

    page = client.get("/reports/today").text

    rows = re.sub(r"</?a\b[^>]*>", "", page[page.index('id="calls"') :])
    assert '<th scope="row">Ana Lima</th><td class="text-nowrap">0 of 1' in rows
    assert '<th scope="row">Carla Diaz</th><td class="text-nowrap">0 of 1' in rows


def test_whoever_has_nobody_to_call_is_counted_and_named_for_the_manager(
    client: FlaskClient, sessions: Sessions, place: Place, absence: Absence
) -> None:
    with sessions.begin() as session:
        patient = make_patient(session, place.clinic, family_name="Paused")
        make_enrolment(session, patient, caller=place.ana, status=EnrolmentStatus.PAUSED)
        joined = make_patient(session, place.clinic, given_name="Joined", family_name="Later")
        make_enrolment(session, joined, caller=place.ana)
    sign_in(client, place.manager)

    page = client.get("/reports/today").text

    task = page[: page.index("nobody to call while their caller is away")]
    assert task.rstrip().endswith("patients have")
    assert '">2</span>' in task[-200:]
    assert "Joined Later" in page
    assert "Sam Brook" in page


def test_nobody_waits_where_everybody_is_covered(
    client: FlaskClient, sessions: Sessions, place: Place, absence: Absence
) -> None:
    with sessions.begin() as session:
        make_cover(session, absence, place.sams, place.ben)
    sign_in(client, place.manager)

    assert "nobody to call" not in client.get("/reports/today").text
    assert absence.until_at > NOW
