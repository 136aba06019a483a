"""Every list of a page is a file: of the same rows, for those whom the page is for."""

import csv
import html
import io
import re
from datetime import date, timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from config import Config
from outreach.accounts.models import Clinic, Closure, EmergencyAccess, StaffMember
from outreach.accounts.rules import Role
from outreach.concerns.models import Concern, RiskFlag
from outreach.concerns.rules import ConcernKind, ConcernStatus, RiskKind, Urgency
from outreach.exports.contents import LISTS
from outreach.exports.jobs import expire_exports, write_exports
from outreach.exports.making import Place
from outreach.exports.models import Export
from outreach.exports.rules import TAKERS, Content, Progress
from outreach.exports.views import OF_A_LIST
from outreach.intake.models import ImportRun
from outreach.intake.rules import FileKind, Report
from outreach.messaging.rules import MessageStatus
from outreach.orm import Sessions
from outreach.panels import proposals
from outreach.panels.models import ProposalLine
from outreach.patients.models import Patient
from outreach.planning.models import FollowUp
from outreach.planning.rules import CallStatus, FollowUpKind
from outreach.retention.models import LegalHold
from tests.builders import (
    make_clinic,
    make_enrolment,
    make_on_call,
    make_patient,
    make_planned_call,
    make_staff,
)
from tests.conftest import HASH, sign_in
from tests.fakes import MONDAY_10_CHICAGO, FakeClock
from tests.integration.exports.test_report_tables import OFFERED
from tests.integration.messaging.conftest import make_message
from tests.telephones import make_inbox_item, make_phone_call, make_returned_call

NOW = MONDAY_10_CHICAGO
# Content, its page, who reads it, and what stands in the one row (of Aya, at one's own clinic).
PAGES: dict[Content, tuple[str, Role, dict[str, str]]] = {
    Content.QUEUE: ("/queue/", Role.CALLER, {"patient": "Aya =SUM(1)", "part": "now"}),
    Content.TO_MEASURE: ("/due/", Role.NURSE, {"given_name": "Aya", "point": "month_3"}),
    Content.FOLLOW_UPS: (
        "/patients/follow-ups/",
        Role.MANAGER,
        {"given_name": "Aya", "working_numbers": "1", "numbers": "1", "caller": "Ana"},
    ),
    Content.WELFARE: (
        "/welfare/",
        Role.NURSE,
        {"given_name": "Aya", "tried": "", "to_try": "other number, clinic visit, letter"},
    ),
    Content.CONCERNS: ("/concerns/", Role.NURSE, {"given_name": "Aya", "status": "open"}),
    Content.SECOND_LOOKS: ("/concerns/", Role.MANAGER, {"given_name": "Aya", "closed_by": "Nia"}),
    Content.FLAGS: ("/concerns/", Role.NURSE, {"given_name": "Aya", "kind": "other"}),
    Content.KEPT: (
        "/retention/",
        Role.MANAGER,
        {"given_name": "Aya", "kind": "hold", "noted_by": "Mo", "noted_at": "2026-11-23 10:00:00"},
    ),
    Content.CLOSED_DAYS: ("/hours/", Role.MANAGER, {"why": "Staff day", "is_holiday": "no"}),
    Content.MEASURES: ("/measures/", Role.NURSE, {"code": "hba1c", "loinc": "4548-4"}),
    Content.RETURNED: ("/phone/returned", Role.MANAGER, {"given_name": "Aya", "caller": "Ana"}),
    Content.CALLERS: ("/callers/", Role.MANAGER, {"caller": "Ana", "panel": "1"}),
    Content.PANELS: (
        "/panels/",
        Role.MANAGER,
        {"given_name": "Aya", "family_name": "'=SUM(1)", "caller": "Ana", "programme": "active"},
    ),
    Content.PROPOSAL: (
        "/panels/proposal?show=left",
        Role.MANAGER,
        {"given_name": "Aya", "caller": "", "is_changed": "no"},
    ),
    Content.ON_CALL: ("/concerns/on-call", Role.MANAGER, {"nurse": "Nia", "from_time": "00:00"}),
    Content.EMERGENCIES: ("/audit/emergency", Role.MANAGER, {"staff": "Ada", "reason": "A fire"}),
    Content.STAFF: ("/staff/?search=Nia", Role.MANAGER, {"name": "Nia", "roles": "nurse: Here"}),
    Content.SENT_TEXTS: (
        "/messages/?show=waiting",
        Role.MANAGER,
        {"given_name": "Aya", "kind": "reminder", "status": "scheduled"},
    ),
    Content.DELIVERY: ("/messages/delivery?days=7", Role.MANAGER, {"due": "1", "waiting": "1"}),
    Content.TEXTS_WAITING: ("/texts/", Role.CALLER, {"given_name": "Aya", "caller": "Ana"}),
    Content.IMPORTS: ("/import/", Role.MANAGER, {"clinic": "Here", "new": "0"}),
}


# Beside what a clinic enters, these hold what holds for everybody.
RULES = {Content.CLOSED_DAYS, Content.MEASURES}


class Lists:
    """A clinic with a row in every list, and another with just the same."""

    def __init__(self, sessions: Sessions) -> None:
        self.staff: dict[Role, StaffMember] = {}
        for name, patient in (("There", "Bea"), ("Here", "Aya")):
            self._fill(sessions, name, patient)

    def _fill(self, sessions: Sessions, name: str, given_name: str) -> None:
        with sessions.begin() as session:
            clinic = make_clinic(session, name=name, code=name.upper())
            people = {
                role: make_staff(session, clinic, role, name=called, password_hash=HASH)
                for role, called in (
                    (Role.CALLER, "Ana"), (Role.NURSE, "Nia"), (Role.MANAGER, "Mo"),
                    (Role.AUDITOR, "Au"), (Role.ASSESSOR, "As"),
                )
            }  # fmt: skip
            admin = make_staff(session, None, Role.ADMINISTRATOR, name="Ada")
            make_on_call(session, clinic, people[Role.NURSE])
            patient = make_patient(session, clinic, given_name=given_name, family_name="=SUM(1)")
            caller = people[Role.CALLER]
            enrolment = make_enrolment(
                session, patient, caller=caller, starts_on=NOW.date() - timedelta(days=91)
            )
            call = make_planned_call(session, enrolment, NOW.date(), status=CallStatus.PLANNED)
            owned = {"clinic_id": clinic.id, "patient_id": patient.id}
            for kind in (FollowUpKind.CONTACT_CHECK, FollowUpKind.WELFARE_CHECK):
                session.add(
                    FollowUp(
                        **owned, enrolment_id=enrolment.id, kind=kind, opened_at=NOW,
                        reason="missed in a row: 3", note="",
                    )
                )  # fmt: skip
            urgent = {"kind": ConcernKind.SAFETY, "urgency": Urgency.NOW, "raised_at": NOW}
            session.add(Concern(**owned, **urgent, status=ConcernStatus.OPEN))
            closed = {"closed_at": NOW, "closed_by_id": people[Role.NURSE].id}
            session.add(Concern(**owned, **urgent, **closed, status=ConcernStatus.CLOSED))
            told = {"by_staff_id": people[Role.NURSE].id, "review_on": NOW.date()}
            session.add(RiskFlag(**owned, **told, kind=RiskKind.OTHER, words="x", raised_at=NOW))
            held = {"placed_at": NOW, "placed_by_id": people[Role.MANAGER].id}
            session.add(LegalHold(**owned, **held, reason="a lawsuit"))
            session.add(Closure(clinic_id=clinic.id, on=date(2027, 2, 2), name="Staff day"))
            opened = {"staff_id": admin.id, "from_at": NOW, "until_at": NOW}
            session.add(EmergencyAccess(**owned, **opened, reason="A fire"))
            made = proposals.make(session, clinic, by_staff_id=caller.id, now=NOW)
            session.add(
                ProposalLine(
                    proposal_id=made.id, enrolment_id=enrolment.id, position=0,
                    unmet=[], is_changed=False,
                )
            )  # fmt: skip
            make_message(session, patient, status=MessageStatus.SCHEDULED)
            make_inbox_item(session, patient)
            make_returned_call(
                session, make_phone_call(session, call, caller), enrolment_id=enrolment.id
            )
            run = ImportRun(
                clinic_id=clinic.id, kind=FileKind.CSV, sha256="0" * 64,
                counts=Report().counts, problems=None, at=NOW,
            )  # fmt: skip
            session.add(run)
        self.staff = people


@pytest.fixture
def lists(sessions: Sessions) -> Lists:
    return Lists(sessions)


@pytest.fixture
def place(config: Config) -> Place:
    return Place(config.exports, timedelta(days=7), b"a key")


def ask(client: FlaskClient, content: Content, query: str, key: str = "key") -> int:
    data = {"content": content, "format": "csv", "query": query, "form_key": key}
    return client.post("/exports/", data=data).status_code


def rows_of(client: FlaskClient, sessions: Sessions) -> list[dict[str, str]]:
    with sessions() as session:
        export = session.scalars(select(Export)).one()
    assert export.progress is Progress.READY, export.trouble
    with client.get(f"/exports/{export.ref}/file") as answer:
        assert answer.status_code == 200
        return list(csv.DictReader(io.StringIO(answer.data.decode("utf-8-sig"))))


def test_every_list_has_its_page_here() -> None:
    assert PAGES.keys() | {Content.AUDIT} == LISTS.keys()  # the audit page: test_audit_page.py
    assert PAGES.keys() == OF_A_LIST.keys()


@pytest.mark.parametrize("content", PAGES)
def test_a_list_is_a_file_of_ones_own_rows(
    client: FlaskClient,
    sessions: Sessions,
    clock: FakeClock,
    lists: Lists,
    place: Place,
    content: Content,
) -> None:
    path, role, expected = PAGES[content]
    sign_in(client, lists.staff[role])
    page = client.get(path).text
    form = page[page.index('<form class="take') :]
    form = form[: form.index("</form>")]
    query = re.search(r'name="query" value="([^"]*)"', form)
    assert query
    assert content in [a or b for a, b in OFFERED.findall(form)]

    assert ask(client, content, html.unescape(query.group(1))) == 302
    write_exports(sessions, clock, place)

    rows = rows_of(client, sessions)
    if content in RULES:
        rows = [row for row in rows if row.items() >= expected.items()]
    assert [{name: row[name] for name in expected} for row in rows] == [expected]


@pytest.mark.parametrize("content", [*PAGES, Content.AUDIT])
def test_a_file_is_for_whom_its_page_is(
    app: Flask, sessions: Sessions, lists: Lists, content: Content
) -> None:
    path = PAGES[content][0] if content in PAGES else "/audit/"
    page = app.view_functions[app.url_map.bind("localhost").match(path.partition("?")[0])[0]]
    assert set(getattr(page, "allowed_roles")) == TAKERS[content]  # noqa: B009 - set on views
    query = "from_on=2026-01-01&until_on=2026-12-31"
    asked = {}
    for role, person in lists.staff.items():
        client = app.test_client()
        sign_in(client, person)
        asked[role] = ask(client, content, query, key=f"{role}")

    assert {role for role, status in asked.items() if status == 302} == TAKERS[content] - {
        Role.ADMINISTRATOR
    }
    assert {status for status in asked.values() if status != 302} <= {404}


@pytest.mark.parametrize(
    "content", [Content.CALLERS, Content.PANELS, Content.KEPT, Content.PROPOSAL]
)
def test_a_list_of_another_clinic_is_not_there(
    client: FlaskClient, sessions: Sessions, lists: Lists, content: Content
) -> None:
    sign_in(client, lists.staff[Role.MANAGER])

    assert ask(client, content, "clinic=THERE") == 404
    with sessions() as session:
        assert session.scalars(select(Export)).all() == []


def test_a_text_to_a_number_that_is_nobodys_says_to_which(
    client: FlaskClient, sessions: Sessions, clock: FakeClock, lists: Lists, place: Place
) -> None:
    manager = lists.staff[Role.MANAGER]
    with sessions.begin() as session:
        aya = session.scalars(select(Patient).join(Clinic).where(Clinic.code == "HERE")).one()
        inbound = make_inbox_item(session, aya).inbound_id
        make_message(session, aya, patient_id=None, inbound_id=inbound, to_number="+15125550199")
        make_message(session, aya, patient_id=None, staff_id=manager.id, to_number="+15125550188")
    sign_in(client, manager)

    ask(client, Content.SENT_TEXTS, "")
    write_exports(sessions, clock, place)

    whom = [(row["given_name"], row["staff"], row["number"]) for row in rows_of(client, sessions)]
    assert whom == [("", "Mo", ""), ("", "", "'+15125550199"), ("Aya", "", "")]


def test_a_queue_is_kept_for_its_day_alone(
    client: FlaskClient, sessions: Sessions, clock: FakeClock, lists: Lists, place: Place
) -> None:
    sign_in(client, lists.staff[Role.CALLER])
    ask(client, Content.QUEUE, "")
    write_exports(sessions, clock, place)
    assert [row["language"] for row in rows_of(client, sessions)] == ["en"]

    clock.advance(timedelta(hours=12))

    expire_exports(sessions, clock, place)
    with sessions() as session:
        assert session.scalars(select(Export.progress)).all() == [Progress.EXPIRED]
