"""Telephones of the staff from before they were encrypted are sealed, but not in an upgrade."""

import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from alembic.config import Config as AlembicConfig
from sqlalchemy import Engine, select, text

from config import ROOT, Config
from outreach import orm, sealing
from outreach.accounts.models import StaffMember
from outreach.accounts.rules import Role
from outreach.app import create_app
from outreach.db import db
from outreach.deps import Deps
from outreach.encryption import Cipher, DataKey
from outreach.orm import Sessions
from outreach.phoning.models import PhoneCall
from outreach.scheduler import runner as runner_module
from outreach.scheduler.leader import FileLeadership
from outreach.scheduler.runner import Runner
from outreach.scheduler.schedule import Lane, PeriodicJob, periodic_jobs
from outreach.upkeep import compacting, copying, fitting, promises, rotating
from outreach.upkeep.jobs import seal_staff_numbers
from tests.builders import (
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
from tests.telephones import make_phone_call

pytestmark = pytest.mark.usefixtures("with_old_key")
NUMBERS = ["+15125550111", "+15125550122", "+15125550190"]
RAW = """
    SELECT phone FROM staff_member WHERE phone IS NOT NULL
    UNION ALL SELECT work_phone FROM staff_member WHERE work_phone IS NOT NULL
    UNION ALL SELECT staff_number FROM phone_call WHERE staff_number IS NOT NULL
"""

WRITES = (
    "UPDATE staff_member SET phone = :number WHERE phone IS NOT NULL",
    "UPDATE staff_member SET work_phone = :number WHERE work_phone IS NOT NULL",
    "UPDATE phone_call SET staff_number = :number",
)


@pytest.fixture
def people(sessions: Sessions) -> None:
    """A nurse who is told of concerns and a caller on the telephone."""
    with sessions.begin() as session:
        clinic = make_clinic(session)
        make_staff(session, clinic, Role.NURSE, phone=NUMBERS[0])
        caller = make_staff(session, clinic, work_phone=NUMBERS[1])
        planned = make_planned_call(session, make_enrolment(session, make_patient(session, clinic)))
        make_phone_call(session, planned, caller, staff_number=NUMBERS[2])


@pytest.fixture
def in_clear(people: None, sessions: Sessions) -> None:
    """The same, as the release before wrote them."""
    with sessions.begin() as session:
        for statement, number in zip(WRITES, NUMBERS, strict=True):
            session.execute(text(statement), {"number": number})


def kept(sessions: Sessions) -> list[str]:
    with sessions() as session:
        return sorted(session.scalars(text(RAW)))


def read(sessions: Sessions) -> list[str]:
    with sessions() as session:
        found = [
            *session.scalars(select(StaffMember.phone)),
            *session.scalars(select(StaffMember.work_phone)),
            *session.scalars(select(PhoneCall.staff_number)),
        ]
    return sorted(each for each in found if each)


def test_all_are_sealed_while_everything_runs_and_once(in_clear: None, sessions: Sessions) -> None:
    assert kept(sessions) == NUMBERS
    with sessions() as session:
        assert rotating.count_in_clear(session.connection()) == 3

    assert seal_staff_numbers(sessions) == 3

    assert all(each.startswith("s1.old.") for each in kept(sessions))
    assert read(sessions) == NUMBERS
    assert seal_staff_numbers(sessions) == 0
    with sessions() as session:
        assert rotating.count_in_clear(session.connection()) == 0


def test_a_page_at_a_time_seals_all(
    people: None, sessions: Sessions, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rotating, "PAGE", 2)
    with sessions.begin() as session:
        clinic = make_clinic(session)
        for number in range(5):
            make_staff(session, clinic, Role.NURSE, phone=f"+1512555020{number}")
        session.execute(text("UPDATE staff_member SET phone = '+15125550200'"))

    assert seal_staff_numbers(sessions) == 7

    assert all(each.startswith("s1.old.") for each in kept(sessions))


def test_what_somebody_changes_meanwhile_stays(
    in_clear: None, sessions: Sessions, monkeypatch: pytest.MonkeyPatch
) -> None:
    moved = rotating.Moved.moved

    def change_meanwhile(*given: Any) -> Any:
        with sessions.begin() as session:
            session.execute(text(WRITES[0]), {"number": "+15125550133"})
        monkeypatch.setattr(rotating.Moved, "moved", moved)
        return moved(*given)

    monkeypatch.setattr(rotating.Moved, "moved", change_meanwhile)
    seal_staff_numbers(sessions)

    assert "+15125550133" in read(sessions)
    seal_staff_numbers(sessions)
    assert all(each.startswith("s1.old.") for each in kept(sessions))
    assert read(sessions) == sorted(["+15125550133", *NUMBERS[1:]])


def test_promises_hold_before_and_after(in_clear: None, sessions: Sessions) -> None:
    for _each in range(2):
        with sessions() as session:
            found = promises.breaches(session, now=MONDAY_10_CHICAGO, every_value=True)
        assert [each.table for each in found if each.table in ("staff_member", "phone_call")] == []
        seal_staff_numbers(sessions)
    with sessions.begin() as session:
        session.execute(text(WRITES[0]), {"number": "s1.old.AAAA"})
    with sessions() as session:
        found = promises.breaches(session, now=MONDAY_10_CHICAGO)
    assert [each.table for each in found] == ["staff_member"]


def test_rotation_covers_them(in_clear: None, sessions: Sessions) -> None:
    sealing.use([OLD, NEW])
    assert rotating.reseal(sessions, sealing.cipher()).count >= 3
    assert all(each.startswith("s1.old.") for each in kept(sessions))  # the oldest: comparable
    with sessions.begin() as session:
        session.execute(text(WRITES[0]), {"number": NUMBERS[0]})

    with sessions.begin() as session:
        rotating.retire(session, sealing.cipher(), Cipher([DataKey(*NEW)]))
    sealing.use([NEW])

    assert all(each.startswith("s1.new.") for each in kept(sessions))
    assert read(sessions) == NUMBERS
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

    assert "In clear: 3 telephones of the staff, until 'keys reseal'." in said()
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
        make_staff(session, None, phone="+15125550133")
    assert ("+15125550133" in kept(sessions)) is is_upgraded
    sealed = [each for each in kept(sessions) if each.startswith("s1.")]
    assert len(sealed) == (0 if is_upgraded else 4)


def test_no_scheduler_seals_them_in_the_first_hours_of_an_upgrade(
    in_clear: None, sessions: Sessions, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = FakeClock()
    jobs = periodic_jobs(sessions, FakeGateway(clock), clock, tmp_path)
    (job,) = [each for each in jobs if each.name == "seal staff numbers"]
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

    assert kept(sessions) == NUMBERS
    assert job.run() == 3


def test_going_back_opens_them_and_an_upgrade_seals_none_by_itself(
    people: None, sessions: Sessions, engine: Engine, database_url: str
) -> None:
    alembic = AlembicConfig(toml_file=ROOT / "pyproject.toml")
    alembic.attributes["url"] = database_url
    assert all(each.startswith("s1.") for each in kept(sessions))
    with sessions.begin() as session:  # one that nobody can read keeps nobody from going back
        make_staff(session, None, phone="+15125550133", email="unreadable@example.org")
        ruin = "UPDATE staff_member SET phone = 's1.old.AAAA' WHERE email LIKE 'unread%'"
        session.execute(text(ruin))
    engine.dispose()

    command.downgrade(alembic, "0064_typed_forms")
    assert kept(sessions) == NUMBERS
    engine.dispose()
    migrate(database_url)

    assert kept(sessions) == NUMBERS
    assert read(sessions) == NUMBERS
    if engine.dialect.name == "postgresql":  # as long as it takes, and no page is written anew
        with engine.connect() as connection:
            wide = connection.scalar(text(_TYPE))
        assert wide == "text"


_TYPE = """
    SELECT data_type FROM information_schema.columns
    WHERE table_name = 'staff_member' AND column_name = 'phone'
"""


def test_a_copy_carries_them_as_they_lie(
    in_clear: None,
    engine: Engine,
    sessions: Sessions,
    request: pytest.FixtureRequest,
    tmp_path: Path,
) -> None:
    """Half of them sealed: what is in clear goes on to be so until it is sealed there."""
    with sessions.begin() as session:
        session.execute(text(WRITES[0]), {"number": sealing.STAFF_NUMBERS.sealed(NUMBERS[0])})
    server: Server = request.getfixturevalue("postgres")
    with server.database("template_outreach") as url:
        other = orm.make_engine(url)
        with orm.reading(), engine.connect() as source, other.connect() as target:
            copying.copy(source, target, tell=lambda _line: None)
        there = orm.make_sessions(other)
        assert kept(there) == kept(sessions)
        assert read(there) == NUMBERS
        assert seal_staff_numbers(there) == 2
        other.dispose()


def test_nothing_in_clear_is_left_in_the_file_once_it_is_compacted(
    in_clear: None, sessions: Sessions, engine: Engine, database_url: str
) -> None:
    if engine.dialect.name == "postgresql":
        return  # its files are looked through by demo/test_stolen.py
    seal_staff_numbers(sessions)
    compacting.compact(engine)
    engine.dispose()
    file = Path(database_url.removeprefix("sqlite:///"))
    contents = b"".join(each.read_bytes() for each in file.parent.glob(f"{file.name}*"))
    assert b"s1.old." in contents
    assert [each for each in NUMBERS if each.encode() in contents] == []
