"""Every route, with every role and with nobody: what is outside one's scope does not exist."""

import io
from datetime import date, timedelta
from itertools import product
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from config import Config
from outreach.accounts.models import Clinic, Closure, StaffMember
from outreach.accounts.rules import Role
from outreach.concerns import flags, raising
from outreach.concerns.flags import NewFlag
from outreach.concerns.models import OnCall, OnCallWeek
from outreach.concerns.rules import OnCallRank, RiskKind
from outreach.db import db
from outreach.goals import setting
from outreach.goals.rules import GoalArea
from outreach.intake import uploads
from outreach.intake.models import ImportRun
from outreach.intake.rules import FileKind, Report
from outreach.orm import Sessions
from outreach.panels import proposals
from outreach.panels.models import ProposalLine
from outreach.patient_list.models import SavedList
from outreach.patients.models import PhoneNumber
from outreach.planning.models import FollowUp
from outreach.planning.rules import FollowUpKind
from tests.builders import (
    make_absence,
    make_attempt,
    make_clinic,
    make_enrolment,
    make_on_call,
    make_patient,
    make_planned_call,
    make_promise,
    make_reading,
    make_staff,
)
from tests.conftest import HASH, sign_in
from tests.fakes import MONDAY_10_CHICAGO
from tests.integration.messaging.conftest import make_message
from tests.telephones import make_inbox_item, make_phone_call, make_returned_call

# Throwing away an upload that is not there is no trouble, and tells nobody anything.
NO_TROUBLE = "/discard"
# Programmes are no clinic's own, and every clinic has texts of the same names: no record is named.
EVERY_CLINICS = ("protocols.", "wordings.")


class TwoClinics:
    """A patient at one clinic, with concern, call and import; staff of every role at another."""

    def __init__(self, sessions: Sessions, uploaded: Path) -> None:
        with sessions.begin() as session:
            here, there = make_clinic(session, code="HERE"), make_clinic(session, code="THERE")
            own = make_staff(session, here)
            patient = make_patient(session, here)
            enrolment = make_enrolment(session, patient, caller=own)
            promise = make_promise(session, patient, own)
            planned = make_planned_call(session, enrolment)
            attempt = make_attempt(session, planned, own)
            phone_call = make_phone_call(session, planned, own)
            returned = make_returned_call(session, phone_call, enrolment_id=enrolment.id)
            texted = make_inbox_item(session, patient)
            concern = raising.raise_concern(
                session,
                patient,
                raising.safety("worrying"),
                by_staff_id=own.id,
                now=MONDAY_10_CHICAGO,
            )
            goal = setting.set_goal(
                session, patient, GoalArea.OWN, "Walk", by_staff_id=own.id, now=MONDAY_10_CHICAGO
            )
            run = ImportRun(
                clinic_id=here.id,
                kind=FileKind.CSV,
                sha256="0" * 64,
                counts=Report().counts,
                problems=Report().remarks,
                at=MONDAY_10_CHICAGO,
            )
            session.add(run)
            session.flush()
            token, self.files = _uploaded(uploaded, own, here)
            absence = make_absence(session, own, here.id)
            duty = OnCall(
                clinic_id=here.id,
                staff_id=own.id,
                rank=OnCallRank.FIRST,
                from_at=MONDAY_10_CHICAGO,
                until_at=MONDAY_10_CHICAGO + timedelta(days=1),
            )
            closure = Closure(clinic_id=here.id, on=date(2027, 1, 4), name="Closed")
            session.add_all([duty, closure])
            nurse = make_staff(session, here, Role.NURSE)
            make_on_call(session, here, nurse)
            week = session.scalars(select(OnCallWeek)).one()
            flag = flags.add(
                session, patient, NewFlag(RiskKind.OTHER, "worrying", MONDAY_10_CHICAGO.date()),
                by_staff_id=nurse.id, today=MONDAY_10_CHICAGO.date(), now=MONDAY_10_CHICAGO,
            )  # fmt: skip
            proposal = proposals.make(session, here, by_staff_id=own.id, now=MONDAY_10_CHICAGO)
            line = ProposalLine(
                proposal_id=proposal.id, enrolment_id=enrolment.id, position=0,
                unmet=[], is_changed=False,
            )  # fmt: skip
            session.add(line)
            follow_up = FollowUp(
                clinic_id=here.id, patient_id=patient.id, enrolment_id=enrolment.id,
                kind=FollowUpKind.CONTACT_CHECK, reason="missed in a row: 3",
                opened_at=MONDAY_10_CHICAGO,
            )  # fmt: skip
            session.add(follow_up)
            session.flush()
            self.strangers: dict[Role, StaffMember] = {
                role: make_staff(session, there, role, password_hash=HASH)
                for role in (Role.CALLER, Role.NURSE, Role.MANAGER, Role.ASSESSOR)
            }
            self.assessor: StaffMember = make_staff(
                session, here, Role.ASSESSOR, password_hash=HASH
            )
            self.colleague: StaffMember = make_staff(session, here, password_hash=HASH)
            self.arguments = {
                "ref": patient.ref,
                "concern_id": concern.id,
                "run_id": run.id,
                "token": token,
                "staff_id": own.id,
                "absence_id": absence.id,
                "duty_id": duty.id,
                "week_id": week.id,
                "flag_id": flag.id,
                "line_id": line.id,
                "closure_id": closure.id,
                "rule_id": 1,
                "follow_up_id": follow_up.id,
                "attempt_id": attempt.id,
                "promise_id": promise.id,
                "phone_call_id": phone_call.id,
                "task_id": returned.id,
                "item_id": texted.id,
                "code": "phq9",
                "number_id": session.scalars(select(PhoneNumber.id)).first() or 0,
                "goal_id": goal.id,
                "name": "reminder",
                "language": "en",
                "clinic_id": here.id,
                "message_id": make_message(session, patient).id,
                "request_id": 1,
                "reading_id": make_reading(session, patient).id,
                "passkey_id": 1,
                "sign_in_id": 1_000_000,
                "membership_id": 1,
                "list_id": _saved_list(session, own).id,
                "export_ref": "unknown",
                "key_id": 1,
                "region_id": 1,
                "region_role_id": 1,
            }


def _saved_list(session: Session, person: StaffMember) -> SavedList:
    kept = SavedList(staff_id=person.id, name="Own", params={}, saved_at=MONDAY_10_CHICAGO)
    session.add(kept)
    session.flush()
    return kept


def _uploaded(root: Path, person: StaffMember, clinic: Clinic) -> tuple[str, list[uploads.Kept]]:
    """Upload a file as ``person``; return its token, and where it waits."""
    files = [("patients.csv", io.BytesIO(b"mrn"))]
    token, sources = uploads.keep(root, person.id, files, now=MONDAY_10_CHICAGO)
    uploads.describe(sources, clinic.code, FileKind.CSV, Report(), now=MONDAY_10_CHICAGO)
    return token, sources


@pytest.fixture
def clinics(sessions: Sessions, config: Config) -> TwoClinics:
    return TwoClinics(sessions, config.instance_path / "uploads")


def routes_about_people(app: Flask, arguments: dict[str, object]) -> list[tuple[str, str]]:
    """Return (method, path) of every route that names a record."""
    found = []
    with app.test_request_context():
        adapter = app.create_url_adapter(None)
        for rule in app.url_map.iter_rules():
            view = app.view_functions[rule.endpoint]
            is_open = getattr(view, "allowed_roles", ()) is None
            if is_open or not rule.arguments or rule.endpoint.startswith(EVERY_CLINICS):
                continue
            values = {name: arguments[name] for name in rule.arguments}
            path = (adapter or app.url_map.bind("localhost")).build(rule.endpoint, values)
            methods = (rule.methods or set()) - {"HEAD", "OPTIONS"}
            found += [(method, path) for method in sorted(methods)]
    return found


def test_a_record_of_another_clinic_or_panel_does_not_exist(
    app: Flask, clinics: TwoClinics
) -> None:
    outsiders = [*clinics.strangers.values(), clinics.colleague]
    routes = routes_about_people(app, clinics.arguments)
    assert len(routes) > 15, "the walk has lost its routes"
    wrong = []
    for person, (method, path) in product(outsiders, routes):
        client = app.test_client()
        sign_in(client, person)
        status = client.open(path, method=method).status_code
        if status != 404 and not path.endswith(NO_TROUBLE):
            wrong.append(f"{person.name}: {method} {path} answered {status}")

    assert wrong == []
    assert all(source.path.exists() for source in clinics.files)


# What a blinded assessor may open of a patient of their own clinic. Source: security.md.
ASSESSORS = ("/assess/",)


def test_a_blinded_assessor_gets_to_their_own_pages_of_a_patient_alone(
    app: Flask, clinics: TwoClinics
) -> None:
    client = app.test_client()
    sign_in(client, clinics.assessor)
    opened = set()
    for method, path in routes_about_people(app, clinics.arguments):
        status = client.open(path, method=method).status_code
        if status != 404 and not path.endswith(NO_TROUBLE):
            opened.add(path)

    assert opened
    assert [path for path in opened if not path.startswith(ASSESSORS)] == []


def test_what_the_walk_knocks_at_is_there(app: Flask, clinics: TwoClinics) -> None:
    with app.app_context():
        administrator = make_staff(db.session, None, Role.ADMINISTRATOR, password_hash=HASH)
        db.session.commit()
    client = app.test_client()
    sign_in(client, administrator)

    answers = {
        path: client.get(path).status_code
        for path in (
            f"/patients/{clinics.arguments['ref']}",
            f"/import/runs/{clinics.arguments['run_id']}",
        )
    }

    assert set(answers.values()) == {200}


def test_nobody_gets_anywhere_without_signing_in(app: Flask, clinics: TwoClinics) -> None:
    client = app.test_client()
    wrong = []
    for rule in app.url_map.iter_rules():
        view = app.view_functions[rule.endpoint]
        if getattr(view, "allowed_roles", ()) is None:
            continue
        path = app.url_map.bind("localhost").build(
            rule.endpoint, {name: clinics.arguments[name] for name in rule.arguments}
        )
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}:
            answer = client.open(path, method=method)
            if answer.status_code != 302 or "/sign-in" not in answer.location:
                wrong.append(f"{method} {path} answered {answer.status_code}")

    assert wrong == []


@pytest.mark.parametrize("path", ["/", "/sign-in", "/nowhere", "/queue/", "/healthz", "/calls/x"])
def test_every_answer_carries_the_strict_policy_and_is_never_kept(
    client: FlaskClient, path: str
) -> None:
    headers = client.get(path).headers

    assert "default-src 'none'" in headers["Content-Security-Policy"]
    assert "unsafe" not in headers["Content-Security-Policy"]
    assert headers["Cache-Control"] == "no-store"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "same-origin"


def test_a_form_without_its_token_is_refused(
    app: Flask, sessions: Sessions, clinics: TwoClinics
) -> None:
    app.config["WTF_CSRF_ENABLED"] = True

    answer = app.test_client().post("/sign-in", data={"email": "a@b.c", "password": "x"})

    assert answer.status_code == 400
