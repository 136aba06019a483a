"""Lists of patients behind figures of the adherence page."""

import html
import random
import re
from datetime import date

import pytest
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from outreach.accounts.rules import Role, Scope
from outreach.calls.rules import Outcome
from outreach.orm import Sessions
from outreach.planning.rules import CallStatus
from outreach.reports import adherence, dial_groups
from outreach.reports.asked import Here
from outreach.reports.breakdown import Dimension, NoSuchGroup
from outreach.reports.rules.period import Period
from tests.builders import (
    make_attempt,
    make_clinic,
    make_enrolment,
    make_patient,
    make_planned_call,
    make_staff,
)
from tests.conftest import HASH, sign_in
from tests.fakes import MONDAY_10_CHICAGO as NOW
from tests.integration.reports.histories import make_history, noon
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


@pytest.mark.parametrize("seed", range(3))
def test_the_list_behind_a_dial_is_its_share(session: Session, seed: int) -> None:
    clinic = make_history(session, random.Random(seed))  # noqa: S311
    here = Here.of(Scope(0, everything=True, clinic_ids=frozenset()), clinic, now=NOW)
    asked = here.about(Period(date(2026, 8, 1), NOW.date()))
    found = adherence.report(session, asked).by_dial
    assert found.calls

    for dial, reached in found.shares:
        rows, _name = dial_groups.behind(session, asked, dial, None)
        assert sum(row.numerator for row in rows) == reached
        assert sum(row.denominator for row in rows) == found.calls
        assert len({row.patient_id for row in rows}) == len(rows)


@pytest.mark.parametrize("dimension", [each for each in Dimension if not each.is_over_clinics])
@pytest.mark.parametrize("as_of", [None, date(2026, 11, 1)])
def test_dials_of_groups_add_up_and_their_lists_agree(
    session: Session, dimension: Dimension, as_of: date | None
) -> None:
    clinic = make_history(session, random.Random(4))  # noqa: S311
    for _ in range(24):  # so many that groups of people are shown
        call_made(session, clinic)
    here = Here.of(Scope(0, everything=True, clinic_ids=frozenset()), clinic, now=NOW)
    asked = here.about(Period(date(2026, 8, 1), as_of or NOW.date()))
    asked = asked.as_of(as_of) if as_of else asked
    whole = adherence.report(session, asked).by_dial
    assert whole.calls

    lines = dial_groups.lines_of(session, [clinic], asked, dimension)

    assert sum(line.table.calls for line in lines) == whole.calls
    for dial in adherence.SHOWN_DIALS:
        assert sum(line.table.reached_by(dial) for line in lines) == whole.reached_by(dial)
        for line in lines:
            if line.is_hidden:
                with pytest.raises(NoSuchGroup):
                    dial_groups.behind(session, asked, dial, (dimension, line.key))
                continue
            rows, name = dial_groups.behind(session, asked, dial, (dimension, line.key))
            assert name == line.name
            assert sum(row.numerator for row in rows) == line.table.reached_by(dial)
            assert sum(row.denominator for row in rows) == line.table.calls
    if dimension in (Dimension.CALLER, Dimension.WEEK):
        assert len(lines) > 2


def test_the_share_of_a_dial_leads_to_its_list(sessions: Sessions, client: FlaskClient) -> None:
    with sessions.begin() as session:
        clinic = make_clinic(session)
        patient = call_made(session, clinic)
        manager = manager_of(session, clinic)
    sign_in(client, manager)

    links = re.findall(r'href="([^"]*dial=1[^"]*)"', client.get("/reports/adherence").text)
    page = client.get(html.unescape(links[0])).text

    assert "Reached by dial 1" in page
    assert patient.full_name in page
    assert client.get("/reports/adherence/patients?dial=0").status_code == 404
