"""Lists of patients behind figures of the adherence page."""

import html
import re
from datetime import date

import pytest
from flask.testing import FlaskClient

from outreach.accounts.rules import Role
from outreach.calls.rules import Outcome
from outreach.orm import Sessions
from outreach.planning.rules import CallStatus
from tests.builders import (
    make_attempt,
    make_clinic,
    make_enrolment,
    make_patient,
    make_planned_call,
    make_staff,
)
from tests.conftest import HASH, sign_in
from tests.integration.reports.histories import noon
from tests.integration.reports.test_pages import call_made, manager_of


def test_a_list_names_the_patients_of_its_group(sessions: Sessions, client: FlaskClient) -> None:
    with sessions.begin() as session:
        clinic = make_clinic(session)
        ana, ben = (call_made(session, clinic, name=name) for name in ("Ana Ortiz", "Ben Levi"))
        manager = manager_of(session, clinic)
    sign_in(client, manager)

    page = client.get("/reports/adherence").text
    links = re.findall(r'href="(/reports/adherence/patients[^"]*measure=completion[^"]*)"', page)
    everybody, of_ana, of_ben, beside_target = (
        client.get(link.replace("&amp;", "&")).text for link in links
    )

    assert "50%" in everybody
    for words, names in (
        (everybody, {ana.full_name, ben.full_name}),
        (beside_target, {ana.full_name, ben.full_name}),
        (of_ana, {ana.full_name}),
        (of_ben, {ben.full_name}),
    ):
        assert {each.full_name for each in (ana, ben) if each.full_name in words} == names


@pytest.mark.parametrize(
    "asked",
    [
        "measure=luck",
        "measure=minutes",
        "measure=completion&by=star_sign&group=leo",
        "measure=completion&by=clinic&group=C1",
        "measure=completion&by=language&group=en",  # one patient: hidden
        "measure=completion&by=language&group=fr",
    ],
)
def test_a_list_that_there_is_not_is_not_found(
    sessions: Sessions, client: FlaskClient, asked: str
) -> None:
    with sessions.begin() as session:
        clinic = make_clinic(session)
        call_made(session, clinic)
        manager = manager_of(session, clinic)
    sign_in(client, manager)

    assert client.get(f"/reports/adherence/patients?{asked}").status_code == 404


def test_single_calls_are_named_with_what_counts(sessions: Sessions, client: FlaskClient) -> None:
    with sessions.begin() as session:
        clinic = make_clinic(session)
        manager = make_staff(session, clinic, Role.MANAGER, password_hash=HASH)
        ana = make_staff(session, clinic, name="Ana Ortiz")
        patient = make_patient(session, clinic, given_name="Rosa", family_name="Nguyen")
        enrolment = make_enrolment(session, patient, caller=ana)
        day = date(2026, 11, 18)
        done = make_planned_call(session, enrolment, day, status=CallStatus.COMPLETED)
        make_attempt(session, done, ana, Outcome.COMPLETED, at=noon(day), minutes=17)
        make_planned_call(session, enrolment, day, status=CallStatus.MISSED)
    sign_in(client, manager)

    by_patient = client.get("/reports/adherence/patients?measure=completion").text
    link = re.search(r'href="(/reports/adherence/calls[^"]*)"', by_patient)
    assert link
    page = client.get(html.unescape(link.group(1))).text
    words = " ".join(re.sub(r"<[^>]+>", " ", page).split())
    assert "2 calls, the newest first; 1 counted" in words
    assert "missed – no" in words
    assert "17 yes" in words
    dials = client.get("/reports/adherence/calls?measure=reach_per_dial").text
    assert "1 dial, the newest first" in dials
    for wrong in ("measure=protocol", "measure=completion&by=caller&group=999", "measure=x"):
        assert client.get(f"/reports/adherence/calls?{wrong}").status_code == 404
