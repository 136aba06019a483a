"""Who looked at this patient: each look is noted, and the question is answered."""

import html
import re
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import Engine, event, select

from config import Config
from outreach import turns
from outreach.accounts.models import Clinic, Membership, StaffMember
from outreach.accounts.rules import Role
from outreach.audit.models import AuditEvent
from outreach.concerns import raising
from outreach.db import db
from outreach.exports.jobs import write_exports
from outreach.exports.making import Place
from outreach.exports.models import Export
from outreach.orm import Sessions
from outreach.oversight import looks as looks_at_patients
from outreach.oversight.views import PAGE_WORDS
from outreach.programmes.models import Enrolment
from tests.builders import (
    make_clinic,
    make_enrolment,
    make_patient,
    make_planned_call,
    make_staff,
)
from tests.conftest import HASH, sign_in
from tests.fakes import MONDAY_10_CHICAGO, FakeClock


class House:
    """Two clinics; at the first a caller with a patient, a nurse and a concern."""

    def __init__(self, sessions: Sessions) -> None:
        with sessions.begin() as session:
            here, there = make_clinic(session, name="Here"), make_clinic(session, name="There")
            self.caller = make_staff(session, here, name="Ana Morales", password_hash=HASH)
            self.nurse = make_staff(session, here, Role.NURSE, password_hash=HASH)
            self.manager = make_staff(session, here, Role.MANAGER, password_hash=HASH)
            self.other_manager = make_staff(session, there, Role.MANAGER, password_hash=HASH)
            self.auditor = make_staff(session, here, Role.AUDITOR, password_hash=HASH)
            self.auditor_of_all = make_staff(session, None, Role.AUDITOR, password_hash=HASH)
            patient = make_patient(session, here, record_number="MRN-77")
            make_enrolment(session, patient, caller=self.caller)
            concern = raising.raise_concern(
                session, patient, raising.safety("worrying"), by_staff_id=self.caller.id,
                now=MONDAY_10_CHICAGO,
            )  # fmt: skip
            self.ref, self.concern_id = patient.ref, concern.id


@pytest.fixture
def house(sessions: Sessions) -> House:
    return House(sessions)


def signed_in(app: Flask, person: StaffMember) -> FlaskClient:
    client = app.test_client()
    sign_in(client, person)
    return client


def looks(sessions: Sessions) -> list[tuple[int | None, str]]:
    with sessions() as session:
        rows = session.execute(
            select(AuditEvent.actor_id, AuditEvent.object_kind)
            .where(AuditEvent.action == "looked at")
            .order_by(AuditEvent.id)
        ).all()
    return [(row[0], row[1]) for row in rows]


def test_a_look_is_noted_by_a_transaction_that_waits_its_turn(
    app: Flask, house: House, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that reads first and writes later fails on SQLite where somebody wrote meanwhile."""
    caller = signed_in(app, house.caller)
    statements: list[str] = []
    with app.app_context():
        served = db.engine

    def listen(*arguments: Any) -> None:
        statements.append(arguments[2])

    tried = turns._tried

    def begin(driver: turns.Writer) -> bool:
        statements.append("BEGIN IMMEDIATE")  # past SQLAlchemy, to the driver
        return tried(driver)

    monkeypatch.setattr(turns, "_tried", begin)
    event.listen(served, "before_cursor_execute", listen)
    assert caller.get(f"/patients/{house.ref}").status_code == 200
    event.remove(served, "before_cursor_execute", listen)

    noted = next(n for n, each in enumerate(statements) if "INSERT INTO audit_event" in each)
    begun = [each for each in statements[:noted] if each.startswith("BEGIN")]
    expected = ["BEGIN IMMEDIATE"] if engine.dialect.name == "sqlite" else []
    assert begun[-1:] == expected


def test_every_look_is_noted_once_in_ten_minutes_whatever_the_browser_says(
    app: Flask, sessions: Sessions, house: House, clock: FakeClock
) -> None:
    caller = signed_in(app, house.caller)
    page = f"/patients/{house.ref}"
    assert caller.get(page, headers={"X-Background": "1", "HX-Request": "true"}).status_code == 200
    caller.get(page)
    assert looks(sessions) == [(house.caller.id, "chart.patient")]

    clock.advance(timedelta(minutes=10))
    caller.get(page)

    assert len(looks(sessions)) == 2


def test_a_look_by_way_of_a_concern_is_one_and_a_refused_one_is_none(
    app: Flask, sessions: Sessions, house: House
) -> None:
    signed_in(app, house.other_manager).get(f"/patients/{house.ref}")
    assert looks(sessions) == []

    signed_in(app, house.nurse).get(f"/concerns/{house.concern_id}")

    assert looks(sessions) == [(house.nurse.id, "concerns.concern")]


def test_a_form_that_is_refused_shows_the_patient_and_is_a_look(
    app: Flask, sessions: Sessions, house: House
) -> None:
    """An empty form would else be a way to read a patient's page unnoted."""
    caller, nurse = signed_in(app, house.caller), signed_in(app, house.nurse)
    with sessions.begin() as session:
        call_id = make_planned_call(session, session.scalars(select(Enrolment)).one()).id

    data = {"planned_call_id": str(call_id), "form_key": "k"}
    answer = caller.post(f"/calls/{house.ref}", data=data)
    assert (answer.status_code, "Rosa" in answer.text) == (422, True)
    assert nurse.post(f"/concerns/{house.concern_id}", data={}).status_code == 422

    assert looks(sessions) == [
        (house.caller.id, "calls.record"),
        (house.nurse.id, "concerns.work"),
    ]


def test_a_list_that_is_shown_around_a_refused_name_is_noted(
    app: Flask, sessions: Sessions, house: House
) -> None:
    answer = signed_in(app, house.manager).post("/patients/lists", data={"name": ""})

    assert (answer.status_code, house.ref in answer.text) == (422, True)
    with sessions() as session:
        listed = select(AuditEvent.object_kind).where(AuditEvent.action == "listed patients")
        assert session.scalars(listed).all() == ["patient_list.save"]


def test_a_change_that_shows_nobody_is_no_look(
    app: Flask, sessions: Sessions, house: House
) -> None:
    caller = signed_in(app, house.caller)
    data = {"planned_call_id": "1", "version": "0", "note": "Hello"}
    assert caller.post(f"/calls/{house.ref}/draft", data=data).status_code == 409
    assert caller.post(f"/calls/{house.ref}/start").status_code == 404

    assert looks(sessions) == []


def ask(client: FlaskClient, **question: str) -> str:
    days = {"from_on": "2026-01-01", "until_on": "2027-12-31"}
    return client.post("/audit/", data=days | question).text


def test_who_looked_at_this_patient_is_answered(app: Flask, house: House) -> None:
    signed_in(app, house.caller).get(f"/patients/{house.ref}")
    auditor = signed_in(app, house.auditor)

    found = ask(auditor, record_number="MRN-77", only_looks="y")
    assert "Ana Morales" in found
    assert "1 event ·" in found
    assert "Nothing in these days" in ask(auditor, record_number="MRN-78")
    assert "Nothing in these days" in ask(auditor, record_number="MRN-77", staff="Zoe")
    assert "1 event ·" in ask(auditor, record_number="MRN-77", staff="morales", only_looks="y")
    wrong = ask(auditor, from_on="2026-03-02", until_on="2026-03-01")
    assert "before the first" in wrong


def test_days_are_those_of_the_reader(app: Flask, house: House, clock: FakeClock) -> None:
    clock.now = clock.now.replace(hour=4)  # still the evening before in Chicago
    signed_in(app, house.caller).get(f"/patients/{house.ref}")
    before = (clock.now - timedelta(days=1)).date().isoformat()
    after = clock.now.date().isoformat()
    auditor = signed_in(app, house.auditor)

    evening = ask(auditor, from_on=before, until_on=before, only_looks="y")
    morning = ask(auditor, from_on=after, until_on=after, only_looks="y")

    assert "1 event ·" in evening
    assert "Nothing in these days" in morning


def test_each_reads_what_their_role_says(app: Flask, house: House) -> None:
    signed_in(app, house.caller).get(f"/patients/{house.ref}")

    for reader in (house.manager, house.auditor, house.auditor_of_all):
        assert "MRN-77" in ask(signed_in(app, reader), only_looks="y")
    assert "MRN-77" not in ask(signed_in(app, house.other_manager), only_looks="y")
    for person in (house.caller, house.nurse):
        assert signed_in(app, person).get("/audit/").status_code == 404


def test_an_auditor_reads_the_trail_and_no_patient(app: Flask, house: House) -> None:
    for reader in (house.auditor, house.auditor_of_all):
        auditor = signed_in(app, reader)
        assert auditor.get("/").location == "/audit/"
        assert auditor.get(f"/patients/{house.ref}").status_code == 404
        assert house.ref not in auditor.get("/patients/").text
        for path in ("/concerns/", "/staff/", "/reports/today", "/import/"):
            assert auditor.get(path).status_code == 404


def test_the_file_is_harmless_noted_and_asks_again(
    app: Flask, sessions: Sessions, house: House, clock: FakeClock, config: Config
) -> None:
    signed_in(app, house.caller).get(f"/patients/{house.ref}")
    auditor = signed_in(app, house.auditor)
    days = {"from_on": "2026-01-01", "until_on": "2027-12-31"}
    page = auditor.post("/audit/", data=days | {"record_number": "MRN-77"}).text
    query = re.search(r'name="query" value="([^"]*)"', page)
    assert query
    asked = {"content": "audit trail", "format": "csv", "query": html.unescape(query.group(1))}
    assert auditor.post("/exports/", data=asked | {"form_key": "key"}).status_code == 302
    place = Place(config.exports, timedelta(days=7), b"a key")
    write_exports(sessions, clock, place)
    with sessions() as session:
        export = session.scalars(select(Export)).one()
        assert "MRN" not in str(export.asked)  # kept with the file for days
    with auditor.get(f"/exports/{export.ref}/file") as answer:
        taken = answer.get_data(as_text=True)
    assert "Ana Morales,looked at,chart.patient,Here,MRN-77" in taken
    assert (len(taken.splitlines()), export.rows_total) == (2, 1)
    with sessions() as session:
        noted = session.scalars(select(AuditEvent.action)).all()
        assert "downloaded a file of audit trail" in noted

    clock.advance(timedelta(minutes=11))

    assert auditor.post("/exports/", data=asked | {"form_key": "again"}).status_code == 403


def test_an_auditor_moved_to_another_clinic_takes_nothing_of_the_one_before(
    app: Flask, sessions: Sessions, house: House, clock: FakeClock, config: Config
) -> None:
    auditor = signed_in(app, house.auditor)
    query = "from_on=2026-01-01&until_on=2027-12-31"
    asked = {"content": "audit trail", "format": "csv", "query": query, "form_key": "key"}
    assert auditor.post("/exports/", data=asked).status_code == 302
    write_exports(sessions, clock, Place(config.exports, timedelta(days=7), b"a key"))
    with sessions.begin() as session:
        ref = session.scalars(select(Export.ref)).one()
        there = session.scalars(select(Clinic.id).where(Clinic.name == "There")).one()
        held = session.scalars(
            select(Membership).where(Membership.staff_id == house.auditor.id)
        ).one()
        held.clinic_id = there

    assert auditor.get(f"/exports/{ref}/file").status_code == 404


def test_each_page_whose_look_is_noted_has_a_name_in_the_trail(app: Flask) -> None:
    noted = {
        rule.endpoint.split(".")[0]
        for rule in app.url_map.iter_rules()
        if "GET" in (rule.methods or set())
        and looks_at_patients.names_a_patient(dict.fromkeys(rule.arguments))
    }
    assert "nurse_asking" in noted
    assert noted - PAGE_WORDS.keys() == set()
