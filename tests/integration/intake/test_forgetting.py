"""What an import said of single rows goes after its days; its counts stay."""

from datetime import timedelta
from pathlib import Path

from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from outreach.accounts.models import Clinic
from outreach.accounts.rules import Actor, Role
from outreach.intake import runs
from outreach.intake.jobs import forget_remarks
from outreach.intake.models import ImportRun
from outreach.orm import Sessions
from outreach.patients.models import Patient
from outreach.programmes.models import Enrolment
from outreach.programmes.rules import EnrolmentStatus
from outreach.retention import erasing, setting
from tests.builders import actor_of, make_clinic, make_staff
from tests.conftest import HASH, sign_in
from tests.fakes import FakeClock
from tests.integration.intake.conftest import bring_in, put
from tests.unit.intake.builders import NOW, a_row, a_table


def test_remarks_of_old_imports_are_emptied(
    sessions: Sessions, client: FlaskClient, clinic: Clinic, clock: FakeClock, folder: Path
) -> None:
    table = a_table(a_row(), a_row(mrn="LS2", language="Klingon"))
    bring_in(sessions, clinic, put(folder, table), now=clock())
    with sessions.begin() as session:
        manager = make_staff(session, clinic, Role.MANAGER, password_hash=HASH)
    sign_in(client, manager)
    with sessions() as session:
        address = f"/import/runs/{session.scalars(select(ImportRun.id)).one()}"
    assert "Klingon" in client.get(address).text

    clock.advance(runs.REMARKS_KEPT_FOR - timedelta(seconds=1))
    assert forget_remarks(sessions, clock) == 0
    clock.advance(timedelta(seconds=1))
    assert forget_remarks(sessions, clock) == 1
    assert forget_remarks(sessions, clock) == 0, "once for each"

    with sessions() as session:
        run = session.scalars(select(ImportRun)).one()
    assert run.problems is None
    assert run.counts["refused"] == 1
    sign_in(client, manager)
    page = client.get(address)
    assert page.status_code == 200
    assert "Klingon" not in page.text
    assert "removed after 35 days" in page.text


def test_who_was_anonymised_does_not_come_back_with_the_next_file(
    sessions: Sessions, clinic: Clinic, clock: FakeClock, folder: Path
) -> None:
    table = a_table(a_row(), a_row(mrn="LS2"))
    assert bring_in(sessions, clinic, put(folder, table)).new == 2
    with sessions.begin() as session:
        for enrolment in session.scalars(select(Enrolment)):
            enrolment.status, enrolment.status_at = EnrolmentStatus.COMPLETED, NOW
        setting.change(session, _manager_of(session, clinic), clinic.id, 7, now=NOW)
        gone = session.scalars(select(Patient).where(Patient.record_number == "LS2")).one()
        assert erasing.anonymise(session, gone.id, now=NOW.replace(year=NOW.year + 8))

    again = bring_in(sessions, clinic, put(folder, table))

    assert (again.new, again.known, again.refused) == (0, 1, 1)
    assert [(each.line, each.field) for each in again.problems] == [(3, "mrn")]
    assert "was anonymised here" in again.problems[0].reason
    with sessions.begin() as session:
        elsewhere = make_clinic(session)
    assert bring_in(sessions, elsewhere, put(folder, table)).new == 2, "another clinic's patient"


def _manager_of(session: Session, clinic: Clinic) -> Actor:
    return actor_of(make_staff(session, clinic, Role.MANAGER), clinic, Role.MANAGER)
