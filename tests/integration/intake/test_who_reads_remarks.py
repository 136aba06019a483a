"""What an import says of single rows names people: who reads it, and takes it away, is noted."""

from dataclasses import dataclass, replace

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from config import Config
from outreach.accounts.models import StaffMember
from outreach.accounts.rules import Role
from outreach.audit.models import AuditEvent
from outreach.orm import Sessions
from tests.builders import make_clinic, make_patient, make_staff
from tests.conftest import HASH, sign_in
from tests.integration.intake.test_pages import choose
from tests.unit.intake.builders import a_row, a_table

TABLE = a_table(a_row(), a_row(mrn="LS2", phone="Zebedee 555-0199"))
TOOK = "downloaded a file of import problems"
FILES = 3


@pytest.fixture
def config(config: Config) -> Config:
    """Administrators need a reason, and three files an hour are too many already."""
    return replace(config, administrators_need_reason=True, rate_limits=f"files={FILES}")


@dataclass
class Imported:
    """A clinic with an import of which a row was refused, its manager, an administrator."""

    app: Flask
    sessions: Sessions
    clinic_id: int
    manager: StaffMember
    administrator: StaffMember
    checked: str = ""
    run: str = ""

    def browser_of(self, person: StaffMember) -> FlaskClient:
        client = self.app.test_client()
        sign_in(client, person)
        return client

    def noted(self, action: str) -> list[tuple[int | None, int | None, str]]:
        """Return by whom, at which clinic and of what something was noted."""
        with self.sessions() as session:
            rows = session.execute(
                select(AuditEvent.actor_id, AuditEvent.clinic_id, AuditEvent.object_kind)
                .where(AuditEvent.action == action)
                .order_by(AuditEvent.id)
            ).all()
        return [(row[0], row[1], row[2]) for row in rows]


@pytest.fixture
def imported(app: Flask, sessions: Sessions) -> Imported:
    with sessions.begin() as session:
        clinic = make_clinic(session, code="HERE")
        made = Imported(
            app,
            sessions,
            clinic.id,
            make_staff(session, clinic, Role.MANAGER, password_hash=HASH),
            make_staff(session, None, Role.ADMINISTRATOR, password_hash=HASH),
        )
        make_patient(session, clinic, record_number="MRN-77")
    manager = made.browser_of(made.manager)
    made.checked = choose(manager, TABLE).location
    made.run = manager.post(made.checked).location
    made.checked = choose(manager, TABLE).location
    return made


def test_who_manages_the_clinic_reads_them_and_that_is_noted(imported: Imported) -> None:
    shown = imported.browser_of(imported.manager).get(imported.run)

    assert "Zebedee" in shown.text
    assert (imported.manager.id, None, "intake.run") in imported.noted("listed patients")


def test_an_administrator_without_a_reason_reads_how_many_and_nobody(imported: Imported) -> None:
    administrator = imported.browser_of(imported.administrator)
    shown = administrator.get(imported.run)

    assert "Not taken</dt><dd>1<" in shown.text
    assert "Zebedee" not in shown.text
    assert "problems.csv" not in shown.text
    assert "Who manages the clinic reads it" in shown.text
    assert administrator.get(f"{imported.run}/problems.csv").status_code == 404
    assert imported.noted(TOOK) == []


def test_a_patient_who_is_open_opens_nobody_elses_rows(imported: Imported) -> None:
    administrator = imported.browser_of(imported.administrator)
    reason = {"clinic": "HERE", "record_number": "MRN-77", "reason": "They fell at the clinic."}
    assert administrator.post("/audit/emergency", data=reason).status_code == 303

    assert "Zebedee" not in administrator.get(imported.run).text
    assert administrator.get(f"{imported.run}/problems.csv").status_code == 404


def test_who_takes_them_away_is_noted_with_the_clinic(imported: Imported) -> None:
    manager = imported.browser_of(imported.manager)
    for page in (imported.checked, imported.run):
        assert "Zebedee" in manager.get(f"{page}/problems.csv").text

    by, at = imported.manager.id, imported.clinic_id
    assert imported.noted(TOOK) == [(by, at, "import check"), (by, at, "import run")]
    of_somebody = {"record_number": "MRN-77", "from_on": "2026-01-01", "until_on": "2027-12-31"}
    assert TOOK in manager.post("/audit/", data=of_somebody).text, "it may name them"


def test_they_count_as_files_that_are_taken(imported: Imported) -> None:
    manager = imported.browser_of(imported.manager)
    answers = [manager.get(f"{imported.run}/problems.csv") for _each in range(FILES + 1)]

    assert [each.status_code for each in answers[:FILES]] == [200] * FILES
    assert answers[FILES].status_code == 429
    assert "Zebedee" not in answers[FILES].text
    assert len(imported.noted(TOOK)) == FILES
