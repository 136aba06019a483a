"""Pages and downloads of reports: who may open them, and what they say."""

import re
from datetime import date, timedelta

import pytest
from flask.testing import FlaskClient
from sqlalchemy import event
from sqlalchemy.orm import Session

from outreach.accounts.models import Clinic, StaffMember
from outreach.accounts.rules import Role
from outreach.calls.rules import Outcome
from outreach.concerns.models import Concern
from outreach.concerns.rules import ConcernKind, ConcernStatus, Urgency
from outreach.db import db
from outreach.intake.models import ImportRun
from outreach.intake.rules import FileKind
from outreach.messaging.models import Message
from outreach.messaging.rules import MessageKind, MessageStatus
from outreach.orm import Sessions
from outreach.patients.models import Patient
from outreach.planning.rules import CallStatus
from outreach.reports import adherence, jobs
from outreach.reports.adherence import Report
from outreach.reports.asked import Asked
from tests.builders import (
    make_attempt,
    make_clinic,
    make_enrolment,
    make_on_call,
    make_patient,
    make_planned_call,
    make_staff,
)
from tests.conftest import HASH, sign_in
from tests.fakes import MONDAY_10_CHICAGO as NOW

TODAY = date(2026, 11, 23)
START = date(2026, 11, 9)
PAGES = ("/reports/today", "/reports/adherence")


def manager_of(session: Session, clinic: Clinic | None) -> StaffMember:
    role = Role.MANAGER if clinic else Role.ADMINISTRATOR
    return make_staff(session, clinic, role, password_hash=HASH)


def call_made(session: Session, clinic: Clinic, name: str = "Chidi Obi") -> Patient:
    """A patient with one completed call and one missed one."""
    own = make_staff(session, clinic, name=name)
    patient = make_patient(session, clinic)
    enrolment = make_enrolment(session, patient, caller=own, starts_on=START)
    call = make_planned_call(session, enrolment, START, status=CallStatus.COMPLETED)
    make_attempt(session, call, own, Outcome.NO_ANSWER)
    make_attempt(session, call, own)
    missed_on = START + timedelta(days=2)
    make_planned_call(session, enrolment, missed_on, status=CallStatus.MISSED)
    return patient


def row_of(page: str, name: str) -> str:
    """Return the words of one row of a table."""
    found = re.search(
        rf"<tr[^>]*><th[^>]*>(?:<a[^>]*>)?{re.escape(name)}(?:</a>)?</th>.*?</tr>", page, re.DOTALL
    )
    assert found, name
    return " ".join(re.sub(r"<[^>]+>", " ", found.group()).split())


@pytest.mark.parametrize("role", [Role.CALLER, Role.NURSE])
def test_callers_and_nurses_have_no_reports(
    sessions: Sessions, client: FlaskClient, role: Role
) -> None:
    with sessions.begin() as session:
        person = make_staff(session, make_clinic(session), role, password_hash=HASH)
    sign_in(client, person)

    assert [client.get(page).status_code for page in PAGES] == [404, 404]
    assert client.post("/exports/").status_code == 404


def test_a_manager_sees_the_rates_of_their_own_clinic_only(
    sessions: Sessions, client: FlaskClient
) -> None:
    with sessions.begin() as session:
        clinic, other = make_clinic(session), make_clinic(session)
        call_made(session, clinic, name="Ana Ortiz")
        call_made(session, other, name="Ben Levi")
        manager = manager_of(session, clinic)
    sign_in(client, manager)

    page = client.get("/reports/adherence")

    assert page.status_code == 200
    assert "50% 1 of 2" in row_of(page.text, "Ana Ortiz")
    assert "50% 1 of 2" in row_of(page.text, "All callers")
    assert "Ben Levi" not in page.text
    assert other.name not in page.text
    for path in PAGES:
        assert client.get(f"{path}?clinic={other.code}").status_code == 404


def test_an_administrator_chooses_among_all_clinics(
    sessions: Sessions, client: FlaskClient
) -> None:
    with sessions.begin() as session:
        clinics = [make_clinic(session), make_clinic(session)]
        call_made(session, clinics[1], name="Ben Levi")
        administrator = manager_of(session, None)
    sign_in(client, administrator)

    page = client.get(f"/reports/adherence?clinic={clinics[1].code}").text

    assert all(clinic.name in page for clinic in clinics)
    assert "Ben Levi" in page


@pytest.mark.parametrize(
    ("typed", "message"),
    [
        ("from_on=2026-11-31&until_on=2026-11-22", "Enter a day"),
        ("from_on=2026-11-01", "Enter a day"),
        ("from_on=2026-11-20&until_on=2026-11-10", "before the first one"),
        ("from_on=2026-11-20&until_on=2027-01-01", "today or an earlier day"),
        ("from_on=0001-01-01&until_on=2026-11-10", "after the year 1999"),
        ("from_on=2020-01-01&until_on=2026-11-10", "at most two years"),
    ],
)
def test_days_that_make_no_sense_are_named_and_the_default_is_shown(
    sessions: Sessions, client: FlaskClient, typed: str, message: str
) -> None:
    with sessions.begin() as session:
        manager = manager_of(session, make_clinic(session))
    sign_in(client, manager)

    page = client.get(f"/reports/adherence?{typed}").text

    assert re.search(rf'<p class="field__error"[^>]*>.*{message}', page)
    assert "Oct 26, 2026 \u2013 Nov 22, 2026" in page
    for value in re.findall(r"=([0-9-]+)", typed):
        assert f'value="{value}"' in page


def test_presets_and_days_of_ones_own_choose_the_period(
    sessions: Sessions, client: FlaskClient
) -> None:
    with sessions.begin() as session:
        manager = manager_of(session, make_clinic(session))
    sign_in(client, manager)

    week = client.get("/reports/adherence?days=7").text
    own = client.get("/reports/adherence?from_on=2026-02-01&until_on=2026-02-28").text

    assert "Nov 16, 2026 \u2013 Nov 22, 2026" in week
    assert "Feb 1, 2026 \u2013 Feb 28, 2026" in own


def test_each_heading_leads_to_its_definition(sessions: Sessions, client: FlaskClient) -> None:
    with sessions.begin() as session:
        clinic = make_clinic(session)
        call_made(session, clinic)
        manager = manager_of(session, clinic)
    sign_in(client, manager)

    page = client.get("/reports/adherence").text

    linked = re.findall(r'href="#(def-[\w-]+)">', page)
    defined = re.findall(r'<dt id="([\w-]+)" tabindex="-1">', page)
    assert len(set(linked)) == 18
    assert set(linked) == set(defined)
    assert len(defined) == len(set(defined))


def test_a_clinic_without_calls_says_so(sessions: Sessions, client: FlaskClient) -> None:
    with sessions.begin() as session:
        clinic = make_clinic(session)
        manager = manager_of(session, clinic)
        make_on_call(session, clinic, manager)
    sign_in(client, manager)

    assert "Nothing needs you right now" in client.get("/reports/today").text
    assert "No calls in these days" in client.get("/reports/adherence").text


def test_today_says_when_no_call_can_start(sessions: Sessions, client: FlaskClient) -> None:
    with sessions.begin() as session:
        clinic = make_clinic(session, keeps_holidays=False)
        manager = manager_of(session, clinic)
    sign_in(client, manager)

    nobody = client.get("/reports/today").text
    with sessions.begin() as session:  # but not on Friday
        make_on_call(session, clinic, manager, weekdays=0b1101111)
    but_friday = client.get("/reports/today").text

    assert "Nobody is on call now: no call can start" in nobody
    assert "no call can start" not in but_friday
    assert "Fri, Nov 27, 9:00" in but_friday.split("coming 7 days")[1]


def test_today_tells_the_age_of_a_concern_that_is_being_worked(
    sessions: Sessions, client: FlaskClient
) -> None:
    with sessions.begin() as session:
        clinic = make_clinic(session)
        manager = manager_of(session, clinic)
        for hours in (30, 5):
            session.add(
                Concern(
                    clinic_id=clinic.id,
                    patient_id=make_patient(session, clinic).id,
                    kind=ConcernKind.SAFETY,
                    urgency=Urgency.NOW,
                    status=ConcernStatus.ACKNOWLEDGED,
                    raised_at=NOW - timedelta(hours=hours),
                    acknowledged_at=NOW,
                )
            )
    sign_in(client, manager)

    words = " ".join(re.sub(r"<[^>]+>", " ", client.get("/reports/today").text).split())

    assert "concerns were taken on and are not closed yet" in words
    assert words.count("The oldest was raised yesterday") == 1


def test_today_shows_what_needs_a_manager(sessions: Sessions, client: FlaskClient) -> None:
    with sessions.begin() as session:
        clinic = make_clinic(session)
        ana = make_staff(session, clinic, name="Ana Ortiz")
        manager = manager_of(session, clinic)
        due = make_patient(session, clinic, given_name="Due", family_name="Today")
        enrolment = make_enrolment(session, due, caller=ana)
        make_planned_call(session, enrolment, TODAY, status=CallStatus.COMPLETED, closed_at=NOW)
        make_planned_call(session, enrolment, TODAY, complete_by_on=TODAY, dials=1)
        silent = make_patient(session, clinic, phone=None, given_name="Sil", family_name="Ent")
        make_enrolment(session, silent)
        _make_trouble(session, due)
    sign_in(client, manager)

    page = client.get("/reports/today").text
    words = " ".join(re.sub(r"<[^>]+>", " ", page).split())

    assert "1 concern waits for a nurse" in words
    assert "The oldest was raised 2 h ago" in words
    assert "1 call has its last day today Due Today Ana Ortiz, 1 dial" in words
    assert "1 patient waits for a caller" in words
    assert "1 patient has no working number Sil Ent no caller" in words
    assert "2 texts in the last 7 days did not arrive" in words
    assert "1 of 2" in row_of(page, "Ana Ortiz")


@pytest.mark.parametrize(
    ("refused", "later", "said"),
    [(3, None, "3 records of the last import were not taken in"), (0, None, ""), (3, 0, "")],
)
def test_today_tells_of_an_import_until_a_whole_one_follows(
    sessions: Sessions, client: FlaskClient, refused: int, later: int | None, said: str
) -> None:
    with sessions.begin() as session:
        clinic, other = make_clinic(session), make_clinic(session)
        manager = manager_of(session, clinic)
        ages = {NOW - timedelta(days=8): 9, NOW - timedelta(days=2): refused}
        if later is not None:
            ages[NOW - timedelta(days=1)] = later
        for where, counts in ((clinic, ages), (other, {NOW: 5})):
            for at, count in counts.items():
                session.add(
                    ImportRun(
                        clinic_id=where.id,
                        kind=FileKind.CSV,
                        sha256="0" * 64,
                        counts={"refused": count},
                        problems={},
                        at=at,
                    )
                )
                session.flush()
    sign_in(client, manager)

    words = " ".join(re.sub(r"<[^>]+>", " ", client.get("/reports/today").text).split())

    assert said in words
    assert ("of the last import" in words) is bool(said)


def _make_trouble(session: Session, patient: Patient) -> None:
    here = {"clinic_id": patient.clinic_id, "patient_id": patient.id}
    session.add(
        Concern(
            **here,
            kind=ConcernKind.SAFETY,
            urgency=Urgency.NOW,
            status=ConcernStatus.OPEN,
            raised_at=NOW - timedelta(hours=2),
        )
    )
    ages = {
        MessageStatus.FAILED: 1,
        MessageStatus.UNKNOWN: 6,
        MessageStatus.UNDELIVERED: 8,
        MessageStatus.DELIVERED: 1,
    }
    for status, days in ages.items():
        session.add(
            Message(
                **here,
                kind=MessageKind.REMINDER,
                dedupe_key=f"reminder:{status}",
                cause="planned_call:1",
                to_number="+15125550147",
                language="en",
                body="Your call is tomorrow.",
                status=status,
                failure="",
                send_after=NOW,
                tries=1,
                created_at=NOW - timedelta(days=days),
            )
        )


@pytest.mark.parametrize("path", PAGES)
def test_pages_take_as_many_statements_for_thirty_callers_as_for_three(
    sessions: Sessions, client: FlaskClient, path: str
) -> None:
    with sessions.begin() as session:
        clinic = make_clinic(session)
        for _ in range(3):
            call_made(session, clinic)
        manager = manager_of(session, clinic)
    sign_in(client, manager)
    jobs.roll_up(sessions, lambda: NOW)
    few = _statements(client, path)
    with sessions.begin() as session:
        for _ in range(27):
            call_made(session, clinic)
    jobs.roll_up(sessions, lambda: NOW)

    assert _statements(client, path) == few
    assert few <= 28


def _statements(client: FlaskClient, path: str) -> int:
    seen: list[str] = []

    def note(*args: str) -> None:
        seen.append(args[2])

    with client.application.app_context():
        engine = db.engine
    event.listen(engine, "before_cursor_execute", note)
    try:
        assert client.get(path).status_code == 200
    finally:
        event.remove(engine, "before_cursor_execute", note)
    asked = [each for each in seen if each.startswith(("SELECT", "WITH"))]
    return len([each for each in asked if "outreach.reach" not in each])


def test_every_statement_of_a_page_sees_the_same_moment(
    sessions: Sessions, client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    with sessions.begin() as session:
        manager = manager_of(session, make_clinic(session))
    sign_in(client, manager)
    report = adherence.report
    levels: list[str] = []

    def told(session: Session, asked: Asked) -> Report:
        levels.append(session.connection().get_isolation_level())
        return report(session, asked)

    monkeypatch.setattr(adherence, "report", told)

    assert client.get("/reports/adherence").status_code == 200
    assert levels in (["SERIALIZABLE"], ["REPEATABLE READ"])  # of SQLite, of PostgreSQL
    with sessions() as session:  # and nobody else is held to it
        assert session.connection().get_isolation_level() in {"SERIALIZABLE", "READ COMMITTED"}
