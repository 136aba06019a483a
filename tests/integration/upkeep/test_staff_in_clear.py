"""What is of staff and clinics, from before it was encrypted, is sealed; not in an upgrade."""

import logging
import threading
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from alembic.config import Config as AlembicConfig
from sqlalchemy import Engine, inspect, literal, select, text, update
from sqlalchemy.orm import Session

from config import ROOT, Config
from outreach import orm, sealing
from outreach.accounts.models import StaffMember
from outreach.accounts.rules import Role
from outreach.app import create_app
from outreach.db import db
from outreach.deps import Deps
from outreach.encryption import Cipher, DataKey
from outreach.messaging import pacing
from outreach.messaging.models import SenderPace
from outreach.orm import Sessions
from outreach.reports.models import Target
from outreach.scheduler import runner as runner_module
from outreach.scheduler.leader import FileLeadership
from outreach.scheduler.runner import Runner
from outreach.scheduler.schedule import Lane, PeriodicJob, periodic_jobs
from outreach.sealed_sql import AlreadyEncrypted
from outreach.upkeep import compacting, copying, fitting, promises, rotating
from outreach.upkeep.jobs import seal_what_is_in_clear
from tests.builders import (
    make_absence,
    make_clinic,
    make_enrolment,
    make_patient,
    make_planned_call,
    make_staff,
)
from tests.conftest import migrate
from tests.fakes import MONDAY_10_CHICAGO, FakeClock, FakeGateway
from tests.integration.upkeep.conftest import NEW, OLD
from tests.postgres import Server
from tests.telephones import make_inbox_item, make_phone_call

pytestmark = pytest.mark.usefixtures("with_old_key")
PHONE, SENDER = "+15125550111", "CedarCare"
VALUES = 17  # of the people here: see the fixture


@pytest.fixture
def people(sessions: Sessions) -> None:
    """A nurse who is told of concerns, a caller on the telephone, and their clinic's numbers."""
    with sessions.begin() as session:
        clinic = make_clinic(session, sms_sender=SENDER)
        nurse = make_staff(session, clinic, Role.NURSE, phone=PHONE)
        caller = make_staff(session, clinic, name="Zoë Ångström", work_phone="+15125550122")
        patient = make_patient(session, clinic, pronouns="they/them")
        make_absence(session, caller, clinic.id, reason="Her knee")
        plan = {"share": Decimal("0.8"), "plan": "Ring Mrs. Ek later", "at": MONDAY_10_CHICAGO}
        about = {"clinic_id": clinic.id, "measure": "reached", "number": 1}
        session.add(Target(**about, **plan, by_staff_id=nurse.id))
        planned = make_planned_call(session, make_enrolment(session, patient, caller=caller))
        make_phone_call(session, planned, caller, staff_number="+15125550190")
        make_inbox_item(session, patient)
        for place, sender in ((clinic, SENDER), (make_clinic(session), None)):
            pacing.choose(session, place, sender, 3, by_staff_id=nurse.id, now=MONDAY_10_CHICAGO)


@pytest.fixture
def in_clear(people: None, sessions: Sessions) -> None:
    """The same, as the release before wrote them."""
    with sessions.begin() as session:
        for place in rotating.places():
            if place.may_be_in_clear:
                open_all(session, place)


def open_all(session: Session, place: rotating.Place) -> None:
    for key, value in session.execute(select(place.key, place.raw)).all():
        if value is not None:
            plain = place.opened(sealing.cipher(), value).decode()
            write_raw(session, place.column, key, plain)


def write_raw(session: Session, column: Any, key: int, value: str) -> None:
    written = {column.name: literal(value, AlreadyEncrypted())}
    session.execute(update(column.table).where(column.table.c.id == key).values(written))


def phone_of_nurse(session: Session, value: str) -> None:
    """Let the nurse's number lie in the database as ``value``."""
    session.execute(text("UPDATE staff_member SET phone = :value WHERE id = 1"), {"value": value})


def kept(sessions: Sessions) -> list[str]:
    """Return every such value as it lies in the database."""
    with sessions() as session:
        found = [
            session.scalars(select(each.raw)) for each in rotating.places() if each.may_be_in_clear
        ]
        return sorted(value for values in found for value in values if value is not None)


def read(sessions: Sessions) -> list[str]:
    """Return every such value as the product reads it."""
    with sessions() as session:
        found = [
            session.scalars(select(each.column))
            for each in rotating.places()
            if each.may_be_in_clear
        ]
        return sorted(value for values in found for value in values if value is not None)


def all_sealed(values: list[str], key: str = "old") -> bool:
    return len(values) == VALUES and all(each.startswith(f"s1.{key}.") for each in values)


def test_all_are_sealed_while_everything_runs_and_once(in_clear: None, sessions: Sessions) -> None:
    plain = read(sessions)
    assert kept(sessions) == plain
    assert {PHONE, SENDER, "", "Zoë Ångström", "they/them", "Her knee"} < set(plain)
    with sessions() as session:
        assert rotating.count_in_clear(session.connection()) == VALUES

    assert seal_what_is_in_clear(sessions) == VALUES

    assert all_sealed(kept(sessions))
    assert read(sessions) == plain
    assert seal_what_is_in_clear(sessions) == 0
    with sessions() as session:
        assert rotating.count_in_clear(session.connection()) == 0


def test_a_page_at_a_time_seals_all(
    in_clear: None, sessions: Sessions, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rotating, "PAGE", 1)

    assert seal_what_is_in_clear(sessions) == VALUES

    assert all_sealed(kept(sessions))


def test_what_somebody_changes_meanwhile_stays(
    in_clear: None, sessions: Sessions, monkeypatch: pytest.MonkeyPatch
) -> None:
    moved = rotating.Moved.moved

    def change_meanwhile(done: Any, place: rotating.Place, *given: Any) -> Any:
        if place.column.name == "phone":
            with sessions.begin() as session:
                phone_of_nurse(session, "+15125550133")
            monkeypatch.setattr(rotating.Moved, "moved", moved)
        return moved(done, place, *given)

    monkeypatch.setattr(rotating.Moved, "moved", change_meanwhile)
    seal_what_is_in_clear(sessions)

    assert "+15125550133" in kept(sessions)
    seal_what_is_in_clear(sessions)
    assert all_sealed(kept(sessions))
    assert "+15125550133" in read(sessions)


def test_an_address_that_is_there_twice_keeps_no_other_from_being_sealed(
    people: None, sessions: Sessions, caplog: pytest.LogCaptureFixture
) -> None:
    """Two processes may have written it at one moment, one of them in clear."""
    with sessions.begin() as session:
        person = session.scalars(select(StaffMember).order_by(StaffMember.id)).first()
        assert person
        other = make_staff(session, None, email="another@example.org")
        write_raw(session, StaffMember.__table__.c.email, other.id, person.email)
        further = make_staff(session, None, email="third@example.org")
        write_raw(session, StaffMember.__table__.c.email, further.id, "fourth@example.org")
        address = person.email

    with caplog.at_level(logging.ERROR):
        assert seal_what_is_in_clear(sessions) == 1

    assert [each for each in kept(sessions) if not each.startswith("s1.")] == [address]
    assert f"staff_member {other.id}" in caplog.text
    assert address not in caplog.text


def test_promises_hold_before_and_after(in_clear: None, sessions: Sessions) -> None:
    theirs = {each.column.table.name for each in rotating.places() if each.may_be_in_clear}
    for _each in range(2):
        with sessions() as session:
            found = promises.breaches(session, now=MONDAY_10_CHICAGO, every_value=True)
        assert [each.table for each in found if each.table in theirs - {"inbound_text"}] == []
        seal_what_is_in_clear(sessions)
    with sessions.begin() as session:
        phone_of_nurse(session, "s1.old.AAAA")
    with sessions() as session:
        found = promises.breaches(session, now=MONDAY_10_CHICAGO)
    assert "staff_member" in [each.table for each in found]


def test_rotation_covers_them(in_clear: None, sessions: Sessions) -> None:
    plain = read(sessions)
    sealing.use([OLD, NEW])
    assert rotating.reseal(sessions, sealing.cipher()).count >= VALUES
    assert all_sealed(kept(sessions))  # by the oldest: comparable
    with sessions.begin() as session:
        phone_of_nurse(session, PHONE)

    with sessions.begin() as session:
        rotating.retire(session, sealing.cipher(), Cipher([DataKey(*NEW)]))
    sealing.use([NEW])

    assert all_sealed(kept(sessions), "new")
    assert read(sessions) == plain
    with sessions() as session:
        assert set(rotating.count_by_key(session.connection())) == {"new"}


def test_the_list_of_keys_says_how_many_are_in_clear(
    in_clear: None, sessions: Sessions, config: Config
) -> None:
    app = create_app(Deps(replace(config, data_keys=(OLD,)), FakeClock(), FakeGateway(FakeClock())))

    def said() -> str:
        result = app.test_cli_runner().invoke(args=["keys", "list"])
        assert result.exit_code == 0, result.output
        return result.output

    assert f"In clear: {VALUES} values, until 'keys reseal'." in said()
    assert "+1" not in said()
    assert app.test_cli_runner().invoke(args=["keys", "reseal"]).exit_code == 0
    assert "In clear" not in said()
    with app.app_context():
        db.engine.dispose()


@pytest.mark.parametrize("is_upgraded", [True, False])
def test_a_process_that_finds_some_in_clear_lets_the_release_before_read_what_it_writes(
    is_upgraded: bool,  # noqa: FBT001
    people: None,
    sessions: Sessions,
    config: Config,
    request: pytest.FixtureRequest,
) -> None:
    if is_upgraded:
        request.getfixturevalue("in_clear")

    fitting.tell(replace(config, data_keys=(OLD,)))

    with sessions.begin() as session:
        make_staff(session, None, name="Ida Rask", email="ida@example.org", phone="+15125550133")
        make_clinic(session, phone_number="+15125550144", sms_sender="Rask")
    fresh = {"Ida Rask", "ida@example.org", "+15125550133", "+15125550144", "Rask"}
    assert len(fresh & set(kept(sessions))) == (5 if is_upgraded else 0)
    sealed = [each for each in kept(sessions) if each.startswith("s1.")]
    assert len(sealed) == (0 if is_upgraded else VALUES + 5)


def test_no_scheduler_seals_them_in_the_first_hours_of_an_upgrade(
    in_clear: None, sessions: Sessions, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = FakeClock()
    jobs = periodic_jobs(sessions, FakeGateway(clock), clock, tmp_path)
    (job,) = [each for each in jobs if each.name == "seal what is in clear"]
    assert job.every_seconds >= sealing.RENEWED_WITHIN_SECONDS >= 3600
    monkeypatch.setattr(runner_module, "POLL_SECONDS", 0.02)
    ticked = threading.Event()

    def tick() -> int:
        ticked.set()
        return 1

    last = PeriodicJob("last", 0.2, tick, lane=Lane.LONG)
    runner = Runner([job, last], FileLeadership(tmp_path / "lock"))
    thread = threading.Thread(target=runner.run, daemon=True)
    thread.start()

    assert ticked.wait(10)
    runner.stop()
    thread.join(10)

    assert kept(sessions) == read(sessions)
    assert job.run() == VALUES


def test_going_back_opens_them_and_an_upgrade_seals_none_by_itself(
    people: None, sessions: Sessions, engine: Engine, database_url: str
) -> None:
    alembic = AlembicConfig(toml_file=ROOT / "pyproject.toml")
    alembic.attributes["url"] = database_url
    plain = read(sessions)
    assert all_sealed(kept(sessions))
    with sessions.begin() as session:  # one that nobody can read keeps nobody from going back
        lost = make_staff(session, None, phone="+15125550133").id
        for column in ("name", "email", "phone"):
            write_raw(session, StaffMember.__table__.c[column], lost, "s1.old.AAAA")
    engine.dispose()

    command.downgrade(alembic, "0064_typed_forms")
    opened = sorted([*plain, f"?{lost}", f"?{lost}"])
    assert kept(sessions) == opened
    assert "id" not in {each["name"] for each in inspect(engine).get_columns("sender_pace")}
    engine.dispose()
    migrate(database_url)

    assert kept(sessions) == opened
    assert read(sessions) == opened
    with sessions() as session:
        paces = session.execute(select(SenderPace.id, SenderPace.sender)).all()
        assert {each.id for each in paces} == {1, 2}
        assert {each.sender for each in paces} == {"", SENDER}
    if engine.dialect.name == "postgresql":  # as long as it takes, and no page is written anew
        with engine.connect() as connection:
            assert set(connection.scalars(text(_TYPES))) == {"text"}
    engine.dispose()
    assert seal_what_is_in_clear(sessions) == VALUES + 2 + 1  # and the rank of a patient


_TYPES = """
    SELECT data_type FROM information_schema.columns WHERE table_schema = current_schema() AND (
      table_name = 'staff_member' AND column_name IN ('phone', 'name', 'email')
      OR table_name = 'clinic' AND column_name IN ('phone_number', 'sms_sender')
      OR table_name = 'inbound_text' AND column_name = 'to_number'
      OR table_name = 'phone_call' AND column_name = 'shown_number'
      OR table_name = 'caller_absence' AND column_name = 'reason'
      OR table_name = 'patient' AND column_name = 'pronouns'
      OR table_name = 'sender_pace' AND column_name = 'sender')
"""


def test_a_copy_carries_them_as_they_lie(
    in_clear: None,
    engine: Engine,
    sessions: Sessions,
    request: pytest.FixtureRequest,
    tmp_path: Path,
) -> None:
    """One of them sealed: what is in clear goes on to be so until it is sealed there."""
    plain = read(sessions)
    with sessions.begin() as session:
        phone_of_nurse(session, sealing.STAFF_NUMBERS.sealed(PHONE))
    server: Server = request.getfixturevalue("postgres")
    with server.database("template_outreach") as url:
        other = orm.make_engine(url)
        with orm.reading(), engine.connect() as source, other.connect() as target:
            copying.copy(source, target, tell=lambda _line: None)
        there = orm.make_sessions(other)
        assert kept(there) == kept(sessions)
        assert read(there) == plain
        assert seal_what_is_in_clear(there) == VALUES - 1
        other.dispose()


def test_nothing_in_clear_is_left_in_the_file_once_it_is_compacted(
    in_clear: None, sessions: Sessions, engine: Engine, database_url: str
) -> None:
    if engine.dialect.name == "postgresql":
        return  # its files are looked through by demo/test_stolen.py
    plain = [each for each in read(sessions) if len(each) > 5]
    seal_what_is_in_clear(sessions)
    compacting.compact(engine)
    engine.dispose()
    file = Path(database_url.removeprefix("sqlite:///"))
    contents = b"".join(each.read_bytes() for each in file.parent.glob(f"{file.name}*"))
    assert b"s1.old." in contents
    assert [each for each in plain if each.encode() in contents] == []
