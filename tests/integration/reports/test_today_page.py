"""Today: what needs a manager, and where it is put right."""

import re
from datetime import date, timedelta

import pytest
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from outreach.accounts.models import Clinic, StaffMember
from outreach.accounts.rules import Role
from outreach.concerns.models import Concern
from outreach.concerns.rules import ConcernKind, ConcernStatus, Urgency
from outreach.intake.models import ImportRun
from outreach.intake.rules import FileKind
from outreach.messaging.models import Message
from outreach.messaging.rules import MessageKind, MessageStatus
from outreach.orm import Sessions
from outreach.patients.models import Patient
from outreach.planning.rules import CallStatus
from tests.builders import (
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


def row_of(page: str, name: str) -> str:
    """Return the words of one row of a table."""
    found = re.search(rf"<tr[^>]*><th[^>]*>{re.escape(name)}</th>.*?</tr>", page, re.DOTALL)
    assert found, name
    return " ".join(re.sub(r"<[^>]+>", " ", found.group()).split())


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
