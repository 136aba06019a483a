"""A backup comes back as it was, on either kind of database, or says why it does not."""

import json
import os
import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import select, text
from sqlalchemy.engine import make_url

from outreach import commands, orm
from outreach.accounts.models import SignIn
from outreach.audit import keeping, trail
from outreach.audit.jobs import link_events
from outreach.audit.models import AuditEvent
from outreach.commands import Needs
from outreach.deps import Deps
from outreach.messaging import holding
from outreach.orm import Model, Sessions
from outreach.upkeep import backups, promises
from outreach.upkeep.backups import BackupTrouble
from tests import postgres as embedded
from tests.builders import make_clinic
from tests.fakes import FakeClock
from tests.integration.planning import busy
from tests.postgres import Server

NOW = FakeClock()()


@pytest.fixture(autouse=True)
def programs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(backups.PROGRAMS, str(embedded._binaries()))


@pytest.fixture
def empty_url(database_url: str, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """Where nothing is yet, of the same kind."""
    if database_url.startswith("sqlite"):
        yield f"sqlite:///{tmp_path / 'new' / 'outreach.sqlite3'}"
        return
    server: Server = request.getfixturevalue("postgres")
    with server.database() as url:
        yield url


def everything(url: str) -> dict[str, list[tuple[object, ...]]]:
    engine = orm.make_engine(url)
    with engine.connect() as connection:
        rows = {
            table.name: sorted((tuple(row) for row in connection.execute(select(table))), key=repr)
            for table in Model.metadata.sorted_tables
        }
    engine.dispose()
    return rows


def test_what_was_backed_up_comes_back_and_everybody_signs_in_again(
    database_url: str, sessions: Sessions, empty_url: str, tmp_path: Path
) -> None:
    people = busy.fill(sessions, now=NOW)
    with sessions.begin() as session:
        session.add(SignIn(token_hash="x", staff_id=people.manager.id, created_at=NOW, seen_at=NOW))
    before = everything(database_url)

    made = backups.make(database_url, tmp_path / "kept", now=NOW)
    with sessions.begin() as session:  # what comes later is not in it
        make_clinic(session)
    backups.restore(made, empty_url, now=NOW)

    after = everything(empty_url)
    assert after.pop("sign_in") == []
    assert len(before.pop("sign_in")) == 1
    assert (len(before.pop("outbox_hold")), len(after.pop("outbox_hold"))) == (0, 1)
    assert (before.pop("last_backup"), after.pop("last_backup")) == ([], [(1, NOW)])
    restored = after.pop("audit_event")
    assert set(restored) > set(before.pop("audit_event"))
    assert after == before
    engine = orm.make_engine(empty_url)
    with orm.make_sessions(engine)() as session:
        told = session.scalars(select(AuditEvent.action).order_by(AuditEvent.id.desc())).first()
        broken = {each.promise for each in promises.breaches(session, now=NOW)}
    engine.dispose()
    assert told == f"restored a backup of {NOW.isoformat()}"
    with sessions() as session:
        assert broken <= {each.promise for each in promises.breaches(session, now=NOW)}


def test_a_restore_that_ends_half_way_leaves_nothing_that_would_send(
    database_url: str,
    sessions: Sessions,
    empty_url: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A machine that starts again by itself would send what went out since the backup."""
    busy.fill(sessions, now=NOW)
    made = backups.make(database_url, tmp_path / "kept", now=NOW)
    monkeypatch.setattr(holding, "close", _power_cut)

    with pytest.raises(PowerCut):
        backups.restore(made, empty_url, now=NOW)

    engine = orm.make_engine(empty_url)
    assert commands.trouble(engine, Needs.THIS_RELEASE) is not None
    engine.dispose()


class PowerCut(Exception):
    """Nothing goes on after it."""


def _power_cut(*_arguments: object, **_named: object) -> None:
    raise PowerCut


def test_what_is_put_back_is_of_the_version_that_it_was(
    database_url: str, empty_url: str, tmp_path: Path
) -> None:
    made = backups.make(database_url, tmp_path / "kept", now=NOW)

    backups.restore(made, empty_url, now=NOW)

    engine = orm.make_engine(empty_url)
    assert commands.trouble(engine, Needs.THIS_RELEASE) is None
    engine.dispose()


def test_a_backup_is_held_against_no_end_of_the_audit_trail_that_is_newer(
    app: Flask, database_url: str, sessions: Sessions, empty_url: str, tmp_path: Path
) -> None:
    made = backups.make(database_url, tmp_path / "kept", now=NOW)
    outside: Deps = app.extensions["outreach"]
    config = replace(outside.config, database_url=empty_url)
    with sessions.begin() as session:
        trail.record(session, "signed in", actor_id=None, now=NOW)
    path = keeping.kept_in(config.instance_path)
    link_events(sessions, path)
    kept = keeping.read(path)
    assert kept is not None

    app.extensions["outreach"] = replace(outside, config=config)
    run = app.test_cli_runner().invoke(args=["db", "restore", str(made)])

    assert run.exit_code == 0, run.output
    assert keeping.read(path) is None
    assert keeping.read(path.with_name("audit_head.before-restore")) == kept


def test_a_database_of_an_older_release_is_backed_up_too(
    database_url: str, sessions: Sessions, tmp_path: Path
) -> None:
    with sessions.begin() as session:
        session.execute(text("DROP TABLE last_backup"))

    made = backups.make(database_url, tmp_path, now=NOW)

    assert "last_backup" not in backups.read(made).rows


def test_a_backup_that_can_not_be_noted_is_whole_all_the_same(
    database_url: str, sessions: Sessions, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with sessions.begin() as session:
        session.execute(text("ALTER TABLE last_backup RENAME COLUMN at TO another"))

    made = backups.make(database_url, tmp_path, now=NOW)

    assert backups.read(made).rows["last_backup"] == 0
    assert "could not be written down" in caplog.text


def test_a_backup_is_for_its_owner_alone_and_holds_no_keys(
    database_url: str, sessions: Sessions, tmp_path: Path
) -> None:
    busy.fill(sessions, now=NOW)

    made = backups.make(database_url, tmp_path / "kept", now=NOW)

    assert made.stat().st_mode & 0o077 == 0
    assert all(path.stat().st_mode & 0o077 == 0 for path in made.iterdir())
    assert len(list(made.iterdir())) == 2


def test_a_damaged_backup_is_refused(
    database_url: str, sessions: Sessions, empty_url: str, tmp_path: Path
) -> None:
    busy.fill(sessions, now=NOW)
    made = backups.make(database_url, tmp_path / "kept", now=NOW)
    file = made / backups.read(made).file
    held = bytearray(file.read_bytes())
    held[len(held) // 2] ^= 1
    file.write_bytes(held)

    with pytest.raises(BackupTrouble, match="checksum"):
        backups.restore(made, empty_url, now=NOW)


def test_a_backup_that_misses_a_row_is_told_from_its_manifest(
    database_url: str, sessions: Sessions, empty_url: str, tmp_path: Path
) -> None:
    busy.fill(sessions, now=NOW)
    made = backups.make(database_url, tmp_path / "kept", now=NOW)
    manifest = json.loads((made / backups.MANIFEST).read_text())
    manifest["rows"]["patient"] += 1
    (made / backups.MANIFEST).write_text(json.dumps(manifest))

    with pytest.raises(BackupTrouble, match="differs from its manifest in patient"):
        backups.restore(made, empty_url, now=NOW)


def test_nothing_that_is_there_is_ever_written_over(
    database_url: str, sessions: Sessions, tmp_path: Path
) -> None:
    busy.fill(sessions, now=NOW)
    made = backups.make(database_url, tmp_path / "kept", now=NOW)
    before = everything(database_url)

    with pytest.raises(BackupTrouble, match="already"):
        backups.restore(made, database_url, now=NOW)
    with pytest.raises(BackupTrouble, match="already"):
        backups.make(database_url, tmp_path / "kept", now=NOW)

    assert everything(database_url) == before


def test_nothing_is_put_back_before_its_key_is_there(
    database_url: str, sessions: Sessions, empty_url: str, tmp_path: Path
) -> None:
    """Else it would lie there, and be in the way once the key was found."""
    busy.fill(sessions, now=NOW)
    made = backups.make(database_url, tmp_path / "kept", now=NOW)
    key_id = backups.read(made).key
    assert key_id

    with pytest.raises(BackupTrouble, match=f"encrypted with the key {key_id}, which is not here"):
        backups.restore(made, empty_url, now=NOW, key_ids=["another"])
    backups.restore(made, empty_url, now=NOW, key_ids=["another", key_id])


def test_a_folder_without_a_manifest_is_no_backup(tmp_path: Path) -> None:
    (tmp_path / "database.sqlite3").write_bytes(b"")

    with pytest.raises(BackupTrouble, match="no whole backup"):
        backups.restore(tmp_path, f"sqlite:///{tmp_path / 'x.sqlite3'}", now=NOW)


def test_a_backup_that_fails_leaves_nothing_that_looks_like_one(
    database_url: str, sessions: Sessions, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    busy.fill(sessions, now=NOW)

    def fail(_path: Path) -> str:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(backups, "_sha256", fail)

    with pytest.raises(OSError, match="No space left"):
        backups.make(database_url, tmp_path / "kept", now=NOW)
    assert list((tmp_path / "kept").iterdir()) == []


def test_old_backups_go_once_a_newer_one_is_whole(
    database_url: str, sessions: Sessions, app: Flask, tmp_path: Path
) -> None:
    folder = tmp_path / "kept"
    made = {
        days: backups.make(database_url, folder, now=NOW - timedelta(days=days))
        for days in (40, 31, 29)
    }
    (folder / "outreach-20200101T000000Z").mkdir()  # no manifest: nobody's backup
    (folder / "notes").mkdir()
    cut_off = folder / ".outreach-20200101T000000Z.77"
    cut_off.mkdir()
    os.utime(cut_off, (0, 0))

    told = app.test_cli_runner().invoke(args=["db", "backup", str(folder), "--keep-days", "30"])

    assert told.exit_code == 0, told.output
    assert "Deleted 2 backups older than 30 days" in told.output
    left = {each.name for each in folder.iterdir()}
    assert not {made[40].name, made[31].name, cut_off.name} & left
    assert {made[29].name, f"outreach-{NOW:%Y%m%dT%H%M%SZ}", "notes"} < left
    assert "outreach-20200101T000000Z" in left


def test_no_backup_goes_where_none_could_be_made(
    database_url: str,
    sessions: Sessions,
    app: Flask,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    folder = tmp_path / "kept"
    old = backups.make(database_url, folder, now=NOW - timedelta(days=400))

    def fail(_path: Path) -> str:
        raise OSError(28, "No space left on device", "database.dump")

    monkeypatch.setattr(backups, "_sha256", fail)
    told = app.test_cli_runner().invoke(args=["db", "backup", str(folder), "--keep-days", "30"])

    assert told.exit_code == 1
    assert "No space left on device: database.dump" in told.output
    assert [each.name for each in folder.iterdir()] == [old.name]


def test_a_backup_of_one_kind_is_not_restored_as_another(
    database_url: str, sessions: Sessions, tmp_path: Path
) -> None:
    busy.fill(sessions, now=NOW)
    made = backups.make(database_url, tmp_path / "kept", now=NOW)
    is_file = make_url(database_url).get_backend_name() == "sqlite"
    other = "postgresql+psycopg://nobody@127.0.0.1:1/x" if is_file else "sqlite:////nowhere/x"

    with pytest.raises(BackupTrouble, match="db copy"):
        backups.restore(made, other, now=NOW)


def test_missing_programs_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(backups.PROGRAMS, str(tmp_path))

    with pytest.raises(BackupTrouble, match="pg_dump is not there"):
        backups.program("pg_dump")


def test_a_live_file_is_copied_whole_while_others_write(
    tmp_path: Path, sqlite_template: Path
) -> None:
    path = tmp_path / "live.sqlite3"
    path.write_bytes(sqlite_template.read_bytes())
    url = f"sqlite:///{path}"
    engine = orm.make_engine(url)
    orm.use_wal(engine)
    busy.fill(orm.make_sessions(engine), now=NOW)
    writer = sqlite3.connect(path)
    writer.execute("BEGIN IMMEDIATE")
    writer.execute("UPDATE clinic SET name = 'Half written'")

    made = backups.make(url, tmp_path / "kept", now=NOW)
    writer.rollback()
    writer.close()
    engine.dispose()

    copy = sqlite3.connect(made / "database.sqlite3")
    half = copy.execute("SELECT count(*) FROM clinic WHERE name = 'Half written'")
    assert half.fetchone() == (0,)
    assert copy.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    copy.close()
    assert sorted(path.name for path in made.iterdir()) == ["database.sqlite3", "manifest.json"]
