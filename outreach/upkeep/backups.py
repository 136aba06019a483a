"""Whole backups of a running installation, and putting one back where nothing is.

A backup is a folder: the database in one file, and a manifest written last, without which it
is no backup. SQLite is copied page by page while others write; PostgreSQL is dumped from one
snapshot. The keys in the instance folder are not in it: a stolen backup must not open itself.
"""

import hashlib
import json
import logging
import os
import re
import shutil
import sqlite3
import subprocess
from collections.abc import Callable, Container, Mapping, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from tempfile import NamedTemporaryFile

from sqlalchemy import Connection, Engine, delete, func, inspect, select, text, update
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from outreach import orm, versions
from outreach.accounts.models import SignIn
from outreach.audit import trail
from outreach.disk import to_disk
from outreach.messaging import holding
from outreach.messaging.models import OutboxHold
from outreach.orm import Model
from outreach.upkeep import fitting
from outreach.upkeep.models import LastBackup

log = logging.getLogger(__name__)

MANIFEST = "manifest.json"
PROGRAMS = "PG_BIN"  # where pg_dump and pg_restore are, if not on the PATH
_ONLY = 1
_CUT_OFF = timedelta(days=2)  # no backup takes so long
_FILES = {"sqlite": "database.sqlite3", "postgresql": "database.dump"}
# What SQLite keeps beside a file, and reads into whichever file of that name it finds there.
_BESIDE = ("-wal", "-shm", "-journal")


Contents = tuple[str, dict[str, int], str | None]  # version, rows of tables, key


class BackupTrouble(RuntimeError):
    """It can't be backed up or restored as asked; the message says why."""


@dataclass(frozen=True)
class Manifest:
    """What a backup is: when it was made, of what, and what is in it.

    ``key`` is the id of the key that a value in it names, None where none is encrypted, and in
    backups of older releases.
    """

    made_at: str
    kind: str
    version: str
    sha256: str
    rows: dict[str, int]
    key: str | None = None

    @property
    def file(self) -> str:
        """The name of the file that holds the database."""
        return _FILES[self.kind]


def make(url: str, folder: Path, *, now: datetime) -> Path:
    """Back the database at ``url`` up into a new folder inside ``folder``; return that folder.

    Raises:
        BackupTrouble: there is no database, or a program is missing or failed.
    """
    name = f"outreach-{now:%Y%m%dT%H%M%SZ}"
    draft, done = folder / f".{name}.{os.getpid()}", folder / name
    if done.exists():
        raise BackupTrouble(f"{done} is there already.")
    draft.mkdir(mode=0o700, parents=True)
    try:
        manifest = _make(url, draft, now=now)
        written = draft / MANIFEST
        written.write_text(json.dumps(asdict(manifest), indent=1) + "\n")
        for path in (draft / manifest.file, written):
            path.chmod(0o600)
            to_disk(path)
        draft.rename(done)
        to_disk(folder)
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    _tell_monitors(url, at=now)
    return done


def delete_older(folder: Path, *, than: timedelta, now: datetime) -> int:
    """Delete backups in ``folder`` that are older, but never the newest; return how many.

    What a backup that was cut off left behind goes too. Nothing else is touched: only a folder
    with a manifest is a backup.
    """
    _sweep_drafts(folder, before=now - _CUT_OFF)
    ages = {each.parent: _made_at(each) for each in folder.glob(f"outreach-*/{MANIFEST}")}
    newest = max(ages.values(), default=None)
    old = [path for path, at in ages.items() if at < now - than and at != newest]
    for path in old:
        (path / MANIFEST).unlink()  # first: half a backup is none
        shutil.rmtree(path)
    return len(old)


def _made_at(manifest: Path) -> datetime:
    return datetime.fromisoformat(Manifest(**json.loads(manifest.read_text())).made_at)


def _sweep_drafts(folder: Path, *, before: datetime) -> None:
    for draft in folder.glob(".outreach-*"):
        if draft.is_dir() and draft.stat().st_mtime < before.timestamp():
            shutil.rmtree(draft, ignore_errors=True)


def restore(
    backup: Path, url: str, *, now: datetime, key_ids: Container[str] | None = None
) -> Manifest:
    """Put ``backup`` back as the database at ``url``, which must not exist or be empty.

    Everybody is signed out, texts wait until it is known what went out since the backup
    (see messaging/holding.py), and the audit trail says what happened. ``key_ids``: the keys that
    are here; None asks for none.

    Raises:
        BackupTrouble: the backup is not whole, its key is not here, or something is there already.
    """
    manifest = read(backup)
    if key_ids is not None and manifest.key is not None and manifest.key not in key_ids:
        raise BackupTrouble(
            f"The backup is encrypted with the key {manifest.key}, which is not here. First put"
            " the copy of data_keys into the instance folder, or set DATA_KEYS."
        )
    target = make_url(url)
    if target.get_backend_name() != manifest.kind:
        raise BackupTrouble(
            f"The backup is of {manifest.kind}. Restore it there; 'flask db copy' carries it over."
        )
    settle = partial(_settle, manifest=manifest, now=now)
    put_back = _restore_sqlite if manifest.kind == "sqlite" else _restore_postgresql
    put_back(backup / manifest.file, target, settle)
    return manifest


def _settle(url: str, manifest: Manifest, *, now: datetime) -> None:
    """Prove what was put back, sign everybody out, let texts wait and write that down."""
    engine = orm.make_engine(url)
    try:
        _check(engine, manifest)
        orm.use_wal(engine)
        with orm.make_sessions(engine).begin() as session:
            versions.put_back(session, manifest.version)
            session.execute(delete(SignIn))
            _hold_texts(session, manifest, now=now)
            _note(session, at=datetime.fromisoformat(manifest.made_at))
            trail.record(
                session, f"restored a backup of {manifest.made_at}", actor_id=None, now=now
            )
    finally:
        engine.dispose()


def hold_texts(session: Session, backup: Path, *, now: datetime) -> None:
    """Close the outbox of a database restored from ``backup``, where it is not. Does not commit.

    For a backup of a release that could not close it by itself.

    Raises:
        BackupTrouble: there is no such backup.
    """
    _hold_texts(session, read(backup), now=now)


def _tell_monitors(url: str, *, at: datetime) -> None:
    """Note when the backup was made, where its age is read; it is whole without that too."""
    engine = orm.make_engine(url)
    try:
        with orm.make_sessions(engine).begin() as session:
            _note(session, at=at)
    except DBAPIError:
        log.exception("the backup is whole; that it was made could not be written down")
    finally:
        engine.dispose()


def _note(session: Session, *, at: datetime) -> None:
    if not inspect(session.connection()).has_table(LastBackup.__tablename__):
        return  # a database of an older release
    orm.insert_new(session, LastBackup, [{"id": _ONLY, "at": at}])
    session.execute(update(LastBackup).where(LastBackup.at < at).values(at=at))


def _hold_texts(session: Session, manifest: Manifest, *, now: datetime) -> None:
    since = datetime.fromisoformat(manifest.made_at)
    if not inspect(session.connection()).has_table(OutboxHold.__tablename__):
        return
    ours = select(OutboxHold.id).where(OutboxHold.since == since).limit(1)
    if session.scalar(ours) is None:
        holding.close(session, since=since, now=now)


def read(backup: Path) -> Manifest:
    """Return the manifest of a backup that is whole; raise BackupTrouble where it is not."""
    try:
        manifest = Manifest(**json.loads((backup / MANIFEST).read_text()))
        file = backup / manifest.file
        found = _sha256(file)
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise BackupTrouble(f"{backup} is no whole backup: {error}") from error
    if found != manifest.sha256:
        raise BackupTrouble(f"{file} was damaged or changed: its checksum is another.")
    return manifest


def _make(url: str, draft: Path, *, now: datetime) -> Manifest:
    source = make_url(url)
    kind = source.get_backend_name()
    file = draft / _FILES[kind]
    copied = _copy_sqlite if kind == "sqlite" else _dump_postgresql
    version, rows, key = copied(source, file)
    return Manifest(now.isoformat(), kind, version, _sha256(file), rows, key)


def _contents(connection: Connection) -> Contents:
    return versions.of(connection), _counts(connection), fitting.key_in_use(connection)


def _copy_sqlite(source: URL, file: Path) -> Contents:
    if not source.database or not Path(source.database).is_file():
        raise BackupTrouble(f"There is no database at {source.database}.")
    with (
        closing(sqlite3.connect(f"file:{source.database}?mode=ro", uri=True)) as live,
        closing(sqlite3.connect(file)) as copy,
    ):
        live.backup(copy)
        copy.execute("PRAGMA journal_mode=DELETE")  # one file, nothing beside it
    engine = orm.make_engine(f"sqlite:///{file}")
    try:
        with orm.reading(), engine.connect() as connection:
            return _contents(connection)
    finally:
        engine.dispose()


def _dump_postgresql(source: URL, file: Path) -> Contents:
    engine = orm.make_engine(source.render_as_string(hide_password=False))
    try:
        with engine.connect() as connection:
            connection.execute(text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ"))
            snapshot = connection.scalar(text("SELECT pg_export_snapshot()"))
            told = _contents(connection)
            _run(source, ["pg_dump", "--format=custom", f"--snapshot={snapshot}", f"--file={file}"])
            return told
    finally:
        engine.dispose()


def _restore_sqlite(file: Path, target: URL, settle: Callable[[str], None]) -> None:
    """Put a file in its place once it is settled.

    A process that dies before leaves none there: a machine that starts again by itself would send
    a second time what went out since the backup.
    """
    path = Path(target.database or "")
    _check_nothing_is_there(path)
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        shutil.copyfile(file, draft)
        draft.chmod(0o600)
        settle(f"sqlite:///{draft}")
        to_disk(draft)
        os.link(draft, path)  # fails where somebody made one meanwhile
    except FileExistsError as error:
        raise BackupTrouble(f"{path} is there already. Move it away first.") from error
    finally:
        for left in path.parent.glob(f"{draft.name}*"):
            left.unlink()
    to_disk(path.parent)


def _check_nothing_is_there(path: Path) -> None:
    if path.exists():
        raise BackupTrouble(f"{path} is there already. Move {path.name}* away together first.")
    for ending in _BESIDE:
        left = path.with_name(f"{path.name}{ending}")
        if left.exists():
            raise BackupTrouble(
                f"{left} is left of the database that was there, and would be read into this one."
                f" Move it to where {path.name} was moved: its last changes may lie in it."
            )


def _restore_postgresql(file: Path, target: URL, settle: Callable[[str], None]) -> None:
    """Put a dump back without its version, which comes with what is settled.

    A process that dies before leaves a database that is at no version: no scheduler leads on it,
    no worker sends from it, no command begins.
    """
    url = target.render_as_string(hide_password=False)
    engine = orm.make_engine(url)
    try:
        if inspect(engine).get_table_names():
            raise BackupTrouble("There are tables in that database already. Name an empty one.")
    finally:
        engine.dispose()
    command = ["pg_restore", "--single-transaction", "--exit-on-error", "--no-owner", "--no-acl"]
    with NamedTemporaryFile("w", suffix=".list") as contents:
        contents.write(_without_version(_said(["pg_restore", "--list", str(file)])))
        contents.flush()
        _run(target, [*command, f"--use-list={contents.name}"], str(file))
    settle(url)


def _without_version(contents: str) -> str:
    """Return a dump's table of contents without the rows that say which version it is."""
    rows_of_version = re.compile(rf"\d.* TABLE DATA \S+ {versions.TABLE} ")
    lines = contents.splitlines(keepends=True)
    return "".join(each for each in lines if not rows_of_version.match(each))


def _run(url: URL, command: Sequence[str], *arguments: str) -> None:
    """Run one of PostgreSQL's programs on ``url``; the password never stands on its line."""
    address = url.set(drivername="postgresql", password=None).render_as_string()
    secret: Mapping[str, str] = {"PGPASSWORD": url.password} if url.password else {}
    _said([*command, f"--dbname={address}", *arguments], secret)


def _said(command: Sequence[str], secret: Mapping[str, str] | None = None) -> str:
    """Return what one of PostgreSQL's programs writes."""
    done = subprocess.run(  # noqa: S603 - by whoever runs the command, on their own machine
        [program(command[0]), *command[1:]],
        env={**os.environ, **(secret or {})},
        check=False,
        capture_output=True,
        text=True,
    )
    if done.returncode:
        raise BackupTrouble(f"{command[0]} failed: {done.stderr.strip()[:500]}")
    return done.stdout


def program(name: str) -> str:
    """Return the path of one of PostgreSQL's programs; raise BackupTrouble where it is not."""
    folder = os.environ.get(PROGRAMS)
    found = shutil.which(name, path=folder) if folder else shutil.which(name)
    if not found:
        raise BackupTrouble(f"{name} is not there: install PostgreSQL's client, or set {PROGRAMS}.")
    return found


def _check(engine: Engine, manifest: Manifest) -> None:
    with orm.reading(), engine.connect() as connection:
        rows = _counts(connection)
    wrong = sorted(name for name in manifest.rows if rows.get(name) != manifest.rows[name])
    if wrong:
        raise BackupTrouble(f"What was restored differs from its manifest in {', '.join(wrong)}.")


def _counts(connection: Connection) -> dict[str, int]:
    """Return the number of rows of each of our tables that are there."""
    there = set(inspect(connection).get_table_names())
    return {
        table.name: connection.scalar(select(func.count()).select_from(table)) or 0
        for table in Model.metadata.sorted_tables
        if table.name in there
    }


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
