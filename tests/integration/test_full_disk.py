"""A disk that is really full: people are told, nothing half looks whole, and all goes on after.

Each test runs in a process of its own, once on a small disk and once where no file may grow.
"""

import logging
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import func, select
from sqlalchemy.exc import DBAPIError

from config import ROOT, Config
from outreach import orm
from outreach.accounts.rules import Role
from outreach.app import create_app
from outreach.audit.models import AuditEvent
from outreach.calls.models import Attempt, CallNote
from outreach.deps import Deps
from outreach.exports import folder as export_folder
from outreach.exports import requesting
from outreach.exports.jobs import write_exports
from outreach.exports.making import Place
from outreach.exports.models import Export
from outreach.exports.requesting import Wish
from outreach.exports.rules import LEASE, MOST_TRIES, Content, Format, Progress
from outreach.orm import Sessions
from outreach.upkeep import backups, promises
from tests.builders import actor_of
from tests.conftest import FAST_HASHER, KEYS_WRITTEN, sign_in
from tests.disks import PAGE, Disk, disk_of
from tests.fakes import MONDAY_10_CHICAGO, FakeClock, FakeGateway
from tests.integration.calls.day import Day
from tests.integration.kills.schedule import job_names, schedule_on
from tests.integration.planning import busy
from tests.integration.test_out_of_order import fields_of
from tests.killing import apart
from tests.log_watch import watch

NOTE = "Walked twice, and slept well." + " And so on." * 700


@dataclass(frozen=True)
class Machine:
    """A folder that will be a disk, with an empty database in it; a folder beside it."""

    folder: Path
    beside: Path
    of_its_own: bool

    @property
    def url(self) -> str:
        """The address of the database."""
        return f"sqlite:///{self.folder / 'outreach.sqlite3'}"

    def run(self, work: Callable[[Disk, Sessions], None]) -> None:
        """Let a process of its own work on this disk, which is gone with it."""

        def alone() -> None:
            logging.getLogger().removeHandler(watch)  # its file may not grow either
            disk = disk_of(self.folder, of_its_own=self.of_its_own)
            engine = orm.make_engine(self.url)
            work(disk, orm.make_sessions(engine))

        assert apart(alone) == 0, "see what it wrote"


@pytest.fixture(params=["a small disk", "no file grows"])
def machine(request: pytest.FixtureRequest, sqlite_template: Path, tmp_path: Path) -> Machine:
    folder, beside = tmp_path / "disk", tmp_path / "beside"
    folder.mkdir()
    beside.mkdir()
    shutil.copy(sqlite_template, folder / "outreach.sqlite3")
    return Machine(folder, beside, of_its_own=request.param == "a small disk")


def test_a_call_that_cant_be_saved_is_kept_on_the_page(machine: Machine) -> None:
    def save(disk: Disk, sessions: Sessions) -> None:
        day, client = Day(sessions), _app(machine).test_client()
        sign_in(client, day.ana)
        address, form = f"/calls/{day.rosa.ref}", day.form(reached="yes", minutes="9", note=NOTE)
        disk.fill()
        looked, refused = client.get(address), client.post(address, data=form | {"minutes": "no"})
        assert (looked.status_code, refused.status_code) == (503, 503)
        assert fields_of(refused.text)["note"] == NOTE
        answer = client.post(address, data=form)
        assert answer.status_code == 503
        assert disk.full_says in answer.text
        assert fields_of(answer.text)["note"] == NOTE
        assert _saved(sessions) == (0, [])
        disk.free()
        assert client.post(address, data=fields_of(answer.text)).status_code == 302
        assert _saved(sessions) == (1, [NOTE])
        _assert_every_promise_holds(sessions, MONDAY_10_CHICAGO)

    machine.run(save)


def _app(machine: Machine) -> Flask:
    clock = FakeClock()
    config = Config(database_url=machine.url, instance_path=machine.beside, secret_key="test " * 8)
    app = create_app(Deps(config, clock, FakeGateway(clock)))
    app.config["WTF_CSRF_ENABLED"] = False
    app.extensions["password_hasher"] = FAST_HASHER
    return app


def _saved(sessions: Sessions) -> tuple[int, list[str]]:
    with orm.reading(), sessions() as session:
        count = session.scalars(select(func.count()).select_from(Attempt)).one()
        return count, list(session.scalars(select(CallNote.text)))


def _assert_every_promise_holds(sessions: Sessions, now: datetime) -> None:
    with orm.reading(), sessions() as session:
        assert promises.breaches(session, now=now) == []


@pytest.mark.parametrize(
    ("machine", "room"),
    [("a small disk", 100 * PAGE), ("no file grows", 0)],  # half of a copy, and nothing
    indirect=["machine"],
)
def test_a_backup_that_has_no_room_fails_loudly_and_leaves_nothing_whole(
    machine: Machine, room: int
) -> None:
    kept = machine.folder / "backups"

    def back_up(disk: Disk, sessions: Sessions) -> None:
        busy.fill(sessions, now=MONDAY_10_CHICAGO)
        kept.mkdir()
        disk.fill(but=room)
        failed = _backed_up(machine, kept)
        assert failed.returncode == 1, failed.stdout
        assert "Error: " in failed.stderr, failed.stderr
        assert "Traceback" not in failed.stderr
        assert list(kept.iterdir()) == []
        disk.free()
        whole = backups.make(machine.url, kept, now=MONDAY_10_CHICAGO)
        assert list(kept.iterdir()) == [whole]
        assert backups.read(whole).rows["patient"] > 20

    machine.run(back_up)


def _backed_up(machine: Machine, kept: Path) -> subprocess.CompletedProcess[str]:
    """Back up as an operator does."""
    environ = {
        **os.environ,
        "ENVIRONMENT": sys.prefix,
        "INSTANCE_PATH": str(machine.beside),
        "DATABASE_URL": machine.url,
        "DATA_KEYS": KEYS_WRITTEN,
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    words = [str(ROOT / "scripts" / "backup"), str(kept)]
    return subprocess.run(words, env=environ, check=False, capture_output=True, text=True)


@pytest.mark.parametrize("room", [0, PAGE], ids=["nothing", "what is not encrypted yet"])
def test_a_file_that_has_no_room_is_never_offered_by_half(machine: Machine, room: int) -> None:
    def write(disk: Disk, sessions: Sessions) -> None:
        clock, place = FakeClock(), Place(machine.folder / "exports", timedelta(days=7), b"key")
        _ask_for_a_file(sessions)
        other = orm.make_sessions(orm.make_engine(_moved_beside(machine)))
        place.folder.mkdir()
        for _try in range(MOST_TRIES - 1):
            disk.fill(but=room)
            with suppress(DBAPIError):  # where not even a row can be written
                write_exports(other, clock, place)
            disk.free()
            assert _made(other) == (0, 0)
            assert list(place.folder.iterdir()) == [], "what is left takes the room that lacks"
            clock.advance(LEASE)
        assert write_exports(other, clock, place) == 1
        assert _made(other) == (1, 1)
        (file,) = place.folder.iterdir()
        assert b"".join(export_folder.read(file)).count(b"\n") > 20
        assert write_exports(other, clock, place) == 0

    machine.run(write)


def _moved_beside(machine: Machine) -> str:
    """Return the address of a copy of the database that lies where there is room."""
    for each in machine.folder.glob("outreach.sqlite3*"):
        shutil.copy(each, machine.beside)
    return f"sqlite:///{machine.beside / 'outreach.sqlite3'}"


def _ask_for_a_file(sessions: Sessions) -> None:
    people = busy.fill(sessions, now=MONDAY_10_CHICAGO)
    with sessions.begin() as session:
        actor = actor_of(people.manager, people.clinic, Role.MANAGER)
        wish = Wish(Content.PATIENTS, Format.CSV, {}, people.clinic.id)
        requesting.ask(session, actor, wish, form_key="one", now=MONDAY_10_CHICAGO)


def _made(sessions: Sessions) -> tuple[int, int]:
    """Return how many files are offered, and how many the trail says were made."""
    offered = select(func.count()).where(
        (Export.progress == Progress.READY) | Export.file_name.is_not(None)
    )
    told = select(func.count()).where(AuditEvent.action == "made a file of patients")
    with orm.reading(), sessions() as session:
        return session.scalars(offered).one(), session.scalars(told).one()


def test_jobs_go_on_once_there_is_room_and_do_nothing_twice(machine: Machine) -> None:
    def work(disk: Disk, sessions: Sessions) -> None:
        engine = sessions.kw["bind"]
        with schedule_on(engine, machine.beside) as schedule:
            with orm.reading(), engine.connect() as connection:  # so a job gets as far as it can
                connection.execute(select(1))
                disk.fill()
                failed = {name for name in job_names() if not _ran(partial(schedule.run, name))}
            assert {"plan missing calls", "send due messages", "mail digests"} <= failed
            disk.free()
            for minutes in (0, 6, 60):
                schedule.clock.advance(timedelta(minutes=minutes))
                for name in job_names():
                    schedule.run(name)
                _assert_every_promise_holds(sessions, schedule.clock())
            texts, letters, _files = schedule.told()
            assert len(texts) == len({*texts})
            assert sorted({*letters}) == letters

    machine.run(work)


def _ran(job: Callable[[], None]) -> bool:
    """Say whether a job did its work: the runner goes on with the next one where it did not."""
    with orm.failing_rows() as failed, suppress(Exception):
        job()
        return not failed
    return False
