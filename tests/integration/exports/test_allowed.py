"""Who may take which patients along, and that they prove who they are first."""

import io
import zipfile
from datetime import date, datetime, timedelta

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from config import Config
from outreach.accounts.models import Clinic, EmergencyAccess, Membership, StaffMember
from outreach.accounts.rules import Role
from outreach.concerns import raising
from outreach.exports.jobs import write_exports
from outreach.exports.making import Place
from outreach.exports.models import Export
from outreach.exports.rules import FORMATS, Content, Format, Progress
from outreach.orm import Sessions
from outreach.panels import proposals
from outreach.panels.models import PanelMembership, ProposalLine
from outreach.patients.models import Patient
from outreach.planning.models import FollowUp
from outreach.planning.rules import CallStatus, FollowUpKind
from outreach.retention.models import LegalHold
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
from tests.fakes import MONDAY_10_CHICAGO, FakeClock
from tests.integration.messaging.conftest import make_message
from tests.telephones import make_inbox_item, make_phone_call, make_returned_call

DAYS = "clinic=HERE&from_on=2026-04-01&until_on=2026-11-22"
TO_TODAY = "clinic=HERE&from_on=2026-04-01&until_on=2026-11-23"
AS_OF = "clinic=HERE&as_of=2026-11-22"
# Every file that names people or their records, by what its page sends. The others hold figures.
NAMING = {
    Content.PATIENTS: "",
    Content.CALLS: DAYS,
    Content.TO_MEASURE: "",
    Content.FOLLOW_UPS: "",
    Content.FHIR: "",
    Content.PANELS: "clinic=HERE",
    Content.SENT_TEXTS: "",
    Content.TEXTS_WAITING: "show=all",
    Content.RETURNED: "",
    Content.KEPT: "clinic=HERE",
    Content.PROPOSAL: "clinic=HERE",
    Content.BEHIND: f"{DAYS}&measure=completion",
    Content.SINGLE_CALLS: f"{DAYS}&measure=completion",
    Content.AROUND_BEHIND: f"{DAYS}&measure=stayed_3",
    Content.FOLLOWED: f"{AS_OF}&measure=hba1c&point=month_3&group=eligible",
    Content.GLYCAEMIC_BEHIND: f"{AS_OF}&group=panel",
    Content.BOARD_BEHIND: f"{AS_OF}&month=2026-10&standing=no reading",
    Content.TODAY_CALLS: "clinic=HERE&caller=CALLER",
    Content.SINGLE_CONCERNS: f"{TO_TODAY}&measure=closed",
}
FIGURES = {
    Content.ON_CALL, Content.EMERGENCIES,
    Content.ADHERENCE, Content.GROUPS, Content.WEEKS, Content.DIALS, Content.TEAM,
    Content.CLOSED_DAYS, Content.MEASURES, Content.TARGETS, Content.AROUND, Content.TODAY,
    Content.OUTCOMES, Content.OUTCOME_GROUPS, Content.GLYCAEMIC, Content.BOARD, Content.COHORTS,
    Content.DELIVERY, Content.IMPORTS, Content.CALLERS, Content.STAFF, Content.AUDIT,
    Content.PULSE, Content.AROUND_GROUPS, Content.BOARD_GROUPS, Content.DIAL_GROUPS,
    Content.DAYS_ON_PHONE, Content.TEAM_GROUPS,
}  # fmt: skip
# The research file names nobody, one's own data are asked for on the patient's own page, and
# the rest is not for administrators: test_lists.py.
OTHERS = {
    Content.RESEARCH, Content.OWN_DATA, Content.QUEUE, Content.WELFARE, Content.SECOND_LOOKS,
    Content.FLAGS, Content.CONCERNS,
}  # fmt: skip


def test_of_every_file_it_is_known_whether_it_names_people() -> None:
    assert NAMING.keys() | FIGURES | OTHERS == set(Content)


def _live(session: Session, clinic: Clinic) -> Patient:
    """Return Aya; beside her is Bea, with the same calls, follow-up and concern."""
    nurse = make_staff(session, clinic, Role.NURSE)
    caller = make_staff(session, clinic)
    make_on_call(session, clinic, nurse)
    people: list[Patient] = []
    proposal = proposals.make(session, clinic, by_staff_id=caller.id, now=MONDAY_10_CHICAGO)
    for name in ("Aya", "Bea"):
        patient = make_patient(session, clinic, given_name=name, record_number=f"MRN-{name}")
        enrolment = make_enrolment(session, patient, caller=caller, starts_on=date(2026, 5, 25))
        call = make_planned_call(
            session, enrolment, date(2026, 11, 9), status=CallStatus.COMPLETED,
            closed_at=MONDAY_10_CHICAGO,
        )  # fmt: skip
        make_attempt(session, call, caller)
        make_message(session, patient)
        make_inbox_item(session, patient)
        session.add(
            ProposalLine(
                proposal_id=proposal.id, enrolment_id=enrolment.id, position=len(people),
                unmet=[], is_changed=False,
            )
        )  # fmt: skip
        session.add(
            LegalHold(
                clinic_id=clinic.id, patient_id=patient.id, reason="a lawsuit",
                placed_at=MONDAY_10_CHICAGO, placed_by_id=caller.id,
            )
        )  # fmt: skip
        rung = make_phone_call(session, call, caller, ended_at=MONDAY_10_CHICAGO)
        make_returned_call(session, rung, enrolment_id=enrolment.id)
        owned = {"clinic_id": clinic.id, "patient_id": patient.id, "enrolment_id": enrolment.id}
        session.add(
            FollowUp(
                **owned, kind=FollowUpKind.CONTACT_CHECK, reason="missed in a row: 3",
                opened_at=MONDAY_10_CHICAGO,
            )
        )  # fmt: skip
        raising.raise_concern(
            session, patient, raising.safety("worrying"), by_staff_id=caller.id,
            now=MONDAY_10_CHICAGO,
        )  # fmt: skip
        people.append(patient)
    return people[0]


@pytest.mark.parametrize("content", NAMING)
@pytest.mark.parametrize(
    ("needs_reason", "is_opened", "names"),
    [(False, False, {"Aya", "Bea"}), (True, False, set()), (True, True, {"Aya"})],
)
def test_administrators_take_along_only_whom_they_opened_with_a_reason(
    client: FlaskClient,
    sessions: Sessions,
    clock: FakeClock,
    config: Config,
    content: Content,
    *,
    needs_reason: bool,
    is_opened: bool,
    names: set[str],
) -> None:
    with sessions.begin() as session:
        clinic = make_clinic(session, code="HERE")
        aya = _live(session, clinic)
        admin = make_staff(session, None, Role.ADMINISTRATOR, password_hash=HASH)
        if is_opened:
            session.add(_opened(admin, aya, at=clock()))
    sign_in(client, admin)
    ending = FORMATS[content][0]
    query = NAMING[content].replace("CALLER", str(_caller_id(sessions)))
    asked = {"content": content, "format": ending, "query": query, "form_key": "key"}
    assert client.post("/exports/", data=asked).status_code == 302
    place = Place(config.exports, timedelta(days=7), b"a key", needs_reason=needs_reason)

    write_exports(sessions, clock, place)

    with sessions() as session:
        export = session.scalars(select(Export)).one()
    assert export.progress is Progress.READY, export.trouble
    with client.get(f"/exports/{export.ref}/file") as answer:
        text, count = _held(answer.data, export)
    assert {name for name in ("Aya", "Bea") if name in text} == names
    assert count == len(names)


def _caller_id(sessions: Sessions) -> int:
    with sessions() as session:
        return session.scalars(select(PanelMembership.caller_id).distinct()).one()


def _held(data: bytes, export: Export) -> tuple[str, int | None]:
    """Return who is in a file, and how many."""
    if export.format is not Format.ZIP:
        return data.decode(), export.rows_total
    with zipfile.ZipFile(io.BytesIO(data)) as file:
        there = [name for name in file.namelist() if name == "Patient.ndjson"]
        text = "".join(file.read(name).decode() for name in there)
        told = {line for name in file.namelist() for line in file.read(name).splitlines()}
    assert there or not any(b"resourceType" in line for line in told)
    return text, len(text.splitlines())


def _opened(admin: StaffMember, patient: Patient, *, at: datetime) -> EmergencyAccess:
    return EmergencyAccess(
        staff_id=admin.id, clinic_id=patient.clinic_id, patient_id=patient.id,
        reason="A complaint", from_at=at, until_at=at + timedelta(hours=1),
    )  # fmt: skip


@pytest.mark.parametrize("content", [Content.PATIENTS, Content.TO_MEASURE, Content.CONCERNS])
def test_who_moved_to_another_clinic_takes_nothing_of_the_one_before(
    client: FlaskClient, sessions: Sessions, clock: FakeClock, config: Config, content: Content
) -> None:
    with sessions.begin() as session:
        clinic, other = make_clinic(session), make_clinic(session)
        _live(session, clinic)
        manager = make_staff(session, clinic, Role.MANAGER, password_hash=HASH)
    sign_in(client, manager)
    asked = {"content": content, "format": "csv", "query": "", "form_key": "key"}
    assert client.post("/exports/", data=asked).status_code == 302
    write_exports(sessions, clock, Place(config.exports, timedelta(days=7), b"a key"))
    with sessions.begin() as session:
        ref = session.scalars(select(Export.ref)).one()
        session.add(
            Membership(
                staff_id=manager.id, clinic_id=other.id, role=Role.MANAGER, from_on=clock().date()
            )
        )
    with client.get(f"/exports/{ref}/file") as answer:
        assert answer.status_code == 200, "one clinic more takes nothing away"

    with sessions.begin() as session:
        held = session.scalars(select(Membership).where(Membership.clinic_id == clinic.id)).all()
        for each in held:
            each.until_on = clock().date()

    assert client.get(f"/exports/{ref}/file").status_code == 404


def test_a_file_by_clinic_is_gone_with_one_of_the_clinics_in_it(
    client: FlaskClient, sessions: Sessions, clock: FakeClock, config: Config
) -> None:
    with sessions.begin() as session:
        here, there = make_clinic(session, code="HERE"), make_clinic(session)
        manager = make_staff(session, here, Role.MANAGER, password_hash=HASH)
        session.add(
            Membership(
                staff_id=manager.id, clinic_id=there.id, role=Role.MANAGER, from_on=clock().date()
            )
        )
    sign_in(client, manager)
    for by in ("clinic", "language"):
        asked = {"content": Content.GROUPS, "format": "csv", "form_key": by}
        answer = client.post("/exports/", data=asked | {"query": f"{DAYS}&by={by}"})
        assert answer.status_code == 302
        write_exports(sessions, clock, Place(config.exports, timedelta(days=7), b"a key"))
    with sessions.begin() as session:
        refs = session.scalars(select(Export.ref).order_by(Export.id)).all()
        gone = session.scalars(select(Membership).where(Membership.clinic_id == there.id)).one()
        gone.until_on = clock().date()

    answers = [client.get(f"/exports/{ref}/file") for ref in refs]

    assert [each.status_code for each in answers] == [404, 200]
    for each in answers:
        each.close()


def test_whoever_signed_in_long_ago_proves_who_they_are_first(
    client: FlaskClient, sessions: Sessions, clock: FakeClock
) -> None:
    with sessions.begin() as session:
        manager = make_staff(session, make_clinic(session), Role.MANAGER, password_hash=HASH)
    sign_in(client, manager)
    clock.advance(timedelta(minutes=11))

    asked = client.post(
        "/exports/",
        data={"content": "patients", "format": "csv", "query": "", "form_key": "key"},
    )

    with sessions() as session:
        assert session.scalars(select(Export)).all() == []
    assert "password" in asked.text.lower()
