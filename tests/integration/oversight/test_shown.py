"""Who saw this patient without opening a page of theirs: in a list, by a search, in a file."""

from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import select

from config import Config
from outreach.accounts.models import StaffMember
from outreach.accounts.rules import Role
from outreach.audit.models import AuditEvent
from outreach.concerns import flags
from outreach.concerns.flags import NewFlag
from outreach.concerns.rules import RiskKind
from outreach.exports.jobs import write_exports
from outreach.exports.making import Place
from outreach.exports.models import Export
from outreach.orm import Sessions
from tests.builders import make_clinic, make_patient, make_staff
from tests.conftest import HASH, sign_in
from tests.fakes import MONDAY_10_CHICAGO, FakeClock
from tests.integration.oversight.test_audit_page import House, ask, signed_in

SIGNED_IN = 'data-label="What">signed in'
OF_ROSA = {"record_number": "MRN-77", "only_looks": "y"}


@pytest.fixture
def house(sessions: Sessions) -> House:
    return House(sessions)


def shown(sessions: Sessions) -> list[tuple[int | None, str]]:
    with sessions() as session:
        rows = session.execute(
            select(AuditEvent.actor_id, AuditEvent.object_kind)
            .where(AuditEvent.action == "shown in a list", AuditEvent.patient_id.is_not(None))
            .order_by(AuditEvent.id)
        ).all()
    return [(row[0], row[1]) for row in rows]


def test_whom_a_list_names_is_noted_once_in_ten_minutes_and_found(
    app: Flask, sessions: Sessions, house: House, clock: FakeClock
) -> None:
    manager = signed_in(app, house.manager)
    for _time in range(2):
        assert house.ref in manager.get("/patients/").text
    assert shown(sessions) == [(house.manager.id, "patient_list.show")]
    clock.advance(timedelta(minutes=11))
    manager.get("/patients/")

    assert len(shown(sessions)) == 2
    found = ask(signed_in(app, house.auditor), **OF_ROSA)
    assert found.count("list of patients") == 2
    assert "list of patients" not in ask(signed_in(app, house.other_manager), **OF_ROSA)


def test_whom_a_search_found_is_noted_and_whom_it_did_not_find_is_not(
    app: Flask, sessions: Sessions, house: House
) -> None:
    manager = signed_in(app, house.manager)
    for typed in ("Nobody", "MRN-77"):
        manager.post("/patients/search", data={"text": typed}, follow_redirects=True)

    assert shown(sessions) == [(house.manager.id, "patient_list.show")]


def test_who_asks_about_nobody_reads_that_a_list_was_opened_not_each_line_of_it(
    app: Flask, house: House
) -> None:
    signed_in(app, house.manager).get("/patients/")
    auditor = signed_in(app, house.auditor_of_all)

    everything = ask(auditor)
    assert "listed patients" in everything
    assert "shown in a list" not in everything
    assert "shown in a list" in ask(auditor, record_number="MRN-77")
    with_name = {"staff": house.manager.name}
    assert "shown in a list" in ask(auditor, **with_name)


def test_boards_of_work_count_and_a_callers_own_queue_does_not(
    app: Flask, sessions: Sessions, house: House
) -> None:
    signed_in(app, house.nurse).get("/concerns/")
    signed_in(app, house.caller).get("/queue/")

    assert {who for who, _page in shown(sessions)} <= {house.nurse.id}
    assert (house.nurse.id, "concerns.open_concerns") in shown(sessions)


@pytest.mark.parametrize("role", [Role.NURSE, Role.MANAGER])
def test_whose_flag_is_due_is_noted_of_whoever_reads_it(
    app: Flask, sessions: Sessions, role: Role
) -> None:
    today = MONDAY_10_CHICAGO.date()
    with sessions.begin() as session:
        clinic = make_clinic(session)
        reader = make_staff(session, clinic, role, password_hash=HASH)
        patient = make_patient(session, clinic)
        worry = NewFlag(RiskKind.OTHER, "worrying", today)
        flags.add(
            session, patient, worry, by_staff_id=reader.id, today=today, now=MONDAY_10_CHICAGO
        )

    board = signed_in(app, reader).get("/concerns/")

    assert f">{patient.full_name}</a>" in board.text
    assert shown(sessions) == [(reader.id, "concerns.open_concerns")]


def test_files_that_may_name_them_are_told_with_who_took_them(
    app: Flask, sessions: Sessions, house: House, clock: FakeClock, config: Config
) -> None:
    manager = signed_in(app, house.manager)
    wish = {"content": "patients", "format": "csv", "form_key": "key", "query": ""}
    assert manager.post("/exports/", data=wish).status_code == 302
    write_exports(sessions, clock, Place(config.exports, timedelta(days=7), b"a key"))
    with sessions() as session:
        ref = session.scalars(select(Export.ref)).one()
    manager.get(f"/exports/{ref}/file").close()

    for reader in (house.auditor, house.auditor_of_all):
        told = ask(signed_in(app, reader), **OF_ROSA)
        assert "Files that may name them" in told
        assert "downloaded a file of patients" in told
    other = ask(signed_in(app, house.other_manager), **OF_ROSA)
    assert "downloaded a file of patients" not in other


def test_who_answers_for_a_clinic_reads_what_its_people_did_at_no_clinic(
    app: Flask, house: House
) -> None:
    """Signing in, searches and lists name no clinic; they are done by somebody of one."""

    def reads(reader: StaffMember) -> str:
        return ask(signed_in(app, reader), staff="Ana Morales")

    sign_in(app.test_client(), house.caller)

    assert SIGNED_IN in reads(house.manager)
    assert SIGNED_IN in reads(house.auditor)
    assert SIGNED_IN not in reads(house.other_manager)
