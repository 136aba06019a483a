"""Pages about many patients show administrators without a reason figures, and no names."""

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from config import Config
from outreach.accounts.models import Clinic, StaffMember
from outreach.accounts.rules import Role
from outreach.app import create_app
from outreach.calls.rules import Outcome
from outreach.concerns.models import Concern
from outreach.concerns.rules import ConcernKind, ConcernStatus, Urgency
from outreach.db import db
from outreach.deps import Deps
from outreach.intake.models import ImportRun
from outreach.intake.rules import Note, Problem, Report
from outreach.measures.rules import MeasureKind
from outreach.orm import Sessions
from outreach.patients.models import Patient
from outreach.planning.rules import CallStatus
from outreach.retention.models import LegalHold
from tests.builders import (
    make_attempt,
    make_enrolment,
    make_patient,
    make_planned_call,
    make_reading,
    make_staff,
)
from tests.conftest import FAST_HASHER, HASH, sign_in
from tests.fakes import FakeClock, FakeGateway
from tests.integration.access.house import TwoClinics

DAYS = "from_on=2026-11-01&until_on=2026-11-22"
STAND_IN = re.compile(r"Patient [\w-]{6}")
SECRETS = ("Zebedee", "Quill", "ZQ-77")

# Pages that list patients, with what each is asked for here: every one shows one, without a name.
LISTS = {
    "calling_hours.clinic_hours": "",
    "cohort.board_patients": "month=2026-10&standing=no reading",
    "outcomes.patients": "measure=hba1c&point=month_3&group=eligible",
    "panels.assign": "",
    "reports.adherence_calls": f"measure=completion&{DAYS}",
    "reports.adherence_patients": f"measure=completion&{DAYS}",
    "report_lists.calls_of_today": "",
    "report_lists.concerns_met": f"measure=closed&{DAYS}",
    "reports.around_patients": "measure=stayed_3&from_on=2026-04-01&until_on=2026-11-22",
    "retention.clinic": "",
}
# Pages that name people in words, in whose place nothing stands.
IN_WORDS = {"intake.run": ""}
# Pages that list nobody here, yet must not have turned the walk away.
FIGURES = {
    "callers.caller": "",
    "cohort.board": "",
    "due.list_due": "",
    "exports.mine": "",
    "inbox.review": "",
    "messaging.delivery": "",
    "messaging.outbox": "",
    "outcomes.glycaemic": "group=panel",
    "outcomes.page": "",
    "patient_list.show": "",
    "reports.adherence": DAYS,
    "reports.around": DAYS,
    "reports.target": "measure=completion",
    "reports.today": "",
}


@pytest.fixture
def clinics(sessions: Sessions, config: Config) -> TwoClinics:
    found = TwoClinics(sessions, config.instance_path / "uploads")
    with sessions.begin() as session:
        patient = session.scalars(
            select(Patient).where(Patient.ref == found.arguments["ref"])
        ).one()
        clinic = session.get_one(Clinic, patient.clinic_id)
        patient.given_name, patient.family_name, patient.record_number = SECRETS
        run = session.get_one(ImportRun, found.arguments["run_id"])
        run.problems = _refused().remarks
        _live(session, clinic, patient)
    return found


def _refused() -> Report:
    """Return what an import says of rows that name somebody, refused and taken."""
    report = Report()
    report.add(Problem(2, "phone", "'Zebedee 555-01' is not a phone number"))
    report.add(Note(3, "preferred_name", "'Quill' is not a name in use; it was taken, check it"))
    return report


def _live(session: Session, clinic: Clinic, patient: Patient) -> None:
    """Let there be somebody for every list: waiting, promised, called, measured, held."""
    caller = make_staff(session, clinic)
    waits = make_patient(
        session, clinic, given_name="Zebedee", family_name="Quill", record_number="ZQ-778"
    )
    enrolment = make_enrolment(session, waits, starts_on=date(2026, 4, 6))
    past = make_planned_call(
        session, enrolment, due_on=date(2026, 11, 9), status=CallStatus.COMPLETED
    )
    make_attempt(session, past, caller, Outcome.COMPLETED)
    make_planned_call(session, enrolment, due_on=date(2027, 1, 4), is_agreed=True)
    make_reading(session, waits, kind=MeasureKind.HBA1C, value="9.1")
    worries = make_patient(
        session, clinic, given_name="Zebedee", family_name="Quill", record_number="ZQ-779"
    )
    make_planned_call(session, make_enrolment(session, worries), date(2026, 11, 23))
    session.add(
        Concern(
            clinic_id=clinic.id, patient_id=worries.id, kind=ConcernKind.SAFETY,
            urgency=Urgency.NOW, status=ConcernStatus.OPEN,
            raised_at=datetime(2026, 11, 12, 15, tzinfo=UTC),
        )
    )  # fmt: skip
    session.add(
        LegalHold(
            clinic_id=clinic.id, patient_id=patient.id, reason="Quill against the clinic",
            placed_at=patient.created_at, placed_by_id=caller.id,
        )
    )  # fmt: skip


@pytest.fixture
def administrator(
    config: Config, clock: FakeClock, gateway: FakeGateway, clinics: TwoClinics
) -> Iterator[FlaskClient]:
    """A browser of an administrator who opened no patient, where a reason is needed."""
    app = create_app(Deps(replace(config, administrators_need_reason=True), clock, gateway))
    app.testing = True
    app.config["WTF_CSRF_ENABLED"] = False
    app.extensions["password_hasher"] = FAST_HASHER
    with app.app_context():
        person: StaffMember = make_staff(db.session, None, Role.ADMINISTRATOR, password_hash=HASH)
        db.session.commit()
    client = app.test_client()
    sign_in(client, person)
    yield client
    with app.app_context():
        db.engine.dispose()


def _path(client: FlaskClient, clinics: TwoClinics, endpoint: str, query: str) -> str:
    rules = client.application.url_map
    names = next(rules.iter_rules(endpoint)).arguments
    values = {name: clinics.arguments.get(name, "unknown") for name in names}
    return f"{rules.bind('localhost').build(endpoint, values)}?clinic=HERE&{query}"


def test_no_page_names_a_patient_to_an_administrator_without_a_reason(
    administrator: FlaskClient, clinics: TwoClinics
) -> None:
    """Lists, boards and reports too: security.md lets administrators see figures without names."""
    asked = LISTS | IN_WORDS | FIGURES
    naming, turned_away, empty = [], [], []
    for rule in administrator.application.url_map.iter_rules():
        if "GET" not in (rule.methods or set()) or rule.endpoint in {"static", "accounts.sign_out"}:
            continue
        path = _path(administrator, clinics, rule.endpoint, asked.get(rule.endpoint, ""))
        answer = administrator.get(path, follow_redirects=True)
        if any(secret in answer.text for secret in SECRETS):
            naming.append(path)
        if rule.endpoint in asked and answer.status_code != 200:
            turned_away.append(f"{path} answered {answer.status_code}")
        if rule.endpoint in LISTS and not STAND_IN.search(answer.text):
            empty.append(path)

    assert not naming, "\n".join(naming)
    assert not turned_away, "\n".join(turned_away)
    assert not empty, "the walk saw nobody on\n" + "\n".join(empty)


def test_a_manager_reads_the_names_of_the_same_lists(
    client: FlaskClient, sessions: Sessions, clinics: TwoClinics
) -> None:
    """So the walk above is not blind: each list has somebody to name."""
    with sessions.begin() as session:
        here = session.scalars(select(Clinic).where(Clinic.code == "HERE")).one()
        manager = make_staff(session, here, Role.MANAGER, password_hash=HASH)
    sign_in(client, manager)
    unnamed = [
        path
        for path in (_path(client, clinics, *each) for each in (LISTS | IN_WORDS).items())
        if "Zebedee" not in client.get(path).text
    ]
    assert unnamed == []
