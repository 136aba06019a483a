"""Commands for operators: ``flask check ...`` and ``flask db ...``."""

import sqlite3
from collections.abc import Mapping, Sequence
from datetime import timedelta
from pathlib import Path

import click
from sqlalchemy.exc import OperationalError, ProgrammingError, SQLAlchemyError

from config import READ_ONLY, Config, make_data_key, new_data_key, replace_secret, to_disk
from outreach import sealing
from outreach.audit import keeping
from outreach.commands import Commands, Needs
from outreach.db import db
from outreach.deps import deps
from outreach.encryption import Cipher, DataKey
from outreach.orm import make_engine, one_picture, reading
from outreach.upkeep import (
    backups,
    compacting,
    copying,
    fitting,
    forgetting,
    promises,
    rotating,
    second_wall,
)
from outreach.upkeep.backups import BackupTrouble
from outreach.upkeep.compacting import CannotCompact
from outreach.upkeep.copying import CannotCopy

SHOWN = 20

check = Commands("check", help="Hold the promises of the product against the database.")
keys = Commands("keys", help="Look after the keys that values are encrypted with.")
database = Commands("db", help="Look after the database.")


@check.command("invariants")
@click.option("--every-value", is_flag=True, help="Decrypt all values, not only the newest.")
def invariants(*, every_value: bool) -> None:
    """Say which promises the rows break, and which rows; exit 1 where there are any."""
    with reading(), db.sessionmaker() as session:
        one_picture(session)
        kept = keeping.read(keeping.kept_in(deps().config.instance_path))
        found = promises.breaches(session, now=deps().clock(), every_value=every_value, kept=kept)
    for breach in found:
        ids = ", ".join(map(str, breach.ids[:SHOWN]))
        click.echo(f"Broken: {breach.promise}. {len(breach.ids)} of {breach.table}: {ids}")
    if found:
        raise SystemExit(1)
    click.echo("Every promise holds.")


@database.command("backup", needs=Needs.ANY_RELEASE)
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False))
@click.option(
    "--keep-days",
    type=click.IntRange(min=1),
    help="Then delete backups in FOLDER that are older than so many days.",
)
def backup(folder: Path, keep_days: int | None) -> None:
    """Back the running database up into a new folder inside FOLDER."""
    outside = deps()
    now = outside.clock()
    try:
        made = backups.make(outside.config.database_url, folder, now=now)
        click.echo(f"Backed up into {made}. Keep the instance folder's keys elsewhere.")
        if keep_days is not None:
            count = backups.delete_older(folder, than=timedelta(days=keep_days), now=now)
            click.echo(f"Deleted {count} backups older than {keep_days} days.")
    except BackupTrouble as error:
        raise click.ClickException(str(error)) from error
    except OSError as error:
        raise click.ClickException(f"{error.strerror}: {error.filename or folder}.") from error
    except sqlite3.Error as error:  # a full disk, as SQLite says it
        raise click.ClickException(f"{error}: {folder}.") from error


@database.command("restore", needs=Needs.NOTHING)
@click.argument("backup", type=click.Path(path_type=Path, exists=True, file_okay=False))
def restore(backup: Path) -> None:
    """Put BACKUP back where there is no database yet, and hold every promise against it.

    The address is that of DATABASE_URL, or the instance folder's. A backup of an older release
    is migrated afterwards: alembic upgrade head.
    """
    outside = deps()
    try:
        found = backups.restore(
            backup,
            outside.config.database_url,
            now=outside.clock(),
            key_ids=[key_id for key_id, _secret in outside.config.data_keys],
        )
    except BackupTrouble as error:
        raise click.ClickException(str(error)) from error
    keeping.set_aside(keeping.kept_in(outside.config.instance_path))
    rows = sum(found.rows.values())
    click.echo(f"Restored {rows:,} rows as of {found.made_at}, version {found.version}.")


@database.command("hold-texts")
@click.argument("backup", type=click.Path(path_type=Path, exists=True, file_okay=False))
def hold_texts(backup: Path) -> None:
    """Let texts wait after BACKUP was put back and migrated; scripts/restore does this."""
    try:
        with db.sessionmaker.begin() as session:
            backups.hold_texts(session, backup, now=deps().clock())
    except BackupTrouble as error:
        raise click.ClickException(str(error)) from error
    click.echo("Texts wait until 'flask messages reconcile' has asked the carrier what went out.")


@database.command("copy")
@click.argument("target")
def copy(target: str) -> None:
    """Copy every row into the empty, migrated database at TARGET, and prove the copy.

    TARGET is an address such as postgresql+psycopg://user@host/name. Stop the web processes
    and schedulers first: what is written meanwhile is not in the copy.
    """
    engine = make_engine(target)
    try:
        with reading(), db.engine.connect() as source, engine.connect() as other:
            copied = copying.copy(source, other, tell=click.echo)
    except CannotCopy as error:
        raise click.ClickException(str(error)) from error
    except SQLAlchemyError as error:
        raise click.ClickException(f"Nothing was copied: {type(error).__name__}.") from error
    finally:
        engine.dispose()
    click.echo(f"Copied {copied:,} rows; every value is the same there.")


@database.command("web-role")
@click.argument("role", required=False)
@click.option("--remove", is_flag=True, help="Switch row-level security off; the role stays.")
def web_role(role: str | None, *, remove: bool) -> None:
    """Make ROLE, to which row-level security binds the web; can be run again, while all runs.

    Then set WEB_DATABASE_ROLE and restart the web. Take that setting out before --remove.
    Without ROLE it is the one that WEB_DATABASE_ROLE names, and nothing is done if that is none.
    """
    role = role or deps().config.web_database_role
    if role is None and not remove:
        click.echo("WEB_DATABASE_ROLE names no role: row-level security stays as it is.")
        return
    if db.engine.dialect.name != "postgresql":
        raise click.ClickException("Row-level security is PostgreSQL's.")
    each_by_itself = db.engine.execution_options(isolation_level="AUTOCOMMIT")
    try:
        with each_by_itself.connect() as connection:
            if role is None or remove:
                second_wall.take_down(connection)
            else:
                second_wall.build(connection, role)
    except second_wall.NoWall as error:
        raise click.ClickException(str(error)) from error
    except ProgrammingError as error:
        raise click.ClickException(_MAKE_IT.format(role=role)) from error
    except OperationalError as error:
        raise click.ClickException("A table was in use for too long. Run it again.") from error
    if remove:
        click.echo("Row-level security is off.")
    else:
        click.echo(f"Row-level security is on. Set WEB_DATABASE_ROLE={role}, restart the web.")


_MAKE_IT = (
    "The account of DATABASE_URL may not make roles, or does not own the tables. Let a superuser"
    " run: CREATE ROLE {role} NOLOGIN; GRANT {role} TO the account of DATABASE_URL. Run it again."
)


@database.command("compact")
def compact() -> None:
    """Write the database anew, so that no deleted or replaced value is left in its file.

    Nothing else may run meanwhile. Needs room for a second copy.
    """
    _compact()
    click.echo("Wrote the database anew.")


@keys.command("list", needs=Needs.ANY_RELEASE)
def list_keys() -> None:
    """Say how many values each key holds; exit 1 where one names a key that is not here."""
    config = deps().config
    known = [key_id for key_id, _secret in config.data_keys]
    with reading(), db.engine.connect() as connection:
        counts = rotating.count_by_key(connection)
        in_clear = rotating.count_in_clear(connection)
    for key_id in known:
        does = " Encrypts new values." if key_id == config.encrypting_key else ""
        does += " Encrypts what is looked up." if key_id == known[0] else ""
        click.echo(f"{key_id}: {counts.pop(key_id, 0):,} values.{does}")
    if in_clear:
        click.echo(f"In clear: {in_clear:,} values, until 'keys reseal'.")
    for key_id, count in counts.items():
        click.echo(f"{key_id}: {count:,} values. THIS KEY IS NOT HERE.")
    if counts:
        raise SystemExit(1)


@keys.command("add", needs=Needs.ANY_RELEASE)
def add_key() -> None:
    """Add a new key. It only reads until 'keys use', so that every process can learn it first."""
    config = deps().config
    if not config.data_keys:
        return _make_first(config)
    written = f"{new_data_key()}:{READ_ONLY}"
    if config.data_key_file is None:
        click.echo(f"Add this at the end of DATA_KEYS, after a comma: {written}")
        click.echo(_THEN_USE)
        return None
    file = config.data_key_file
    _write_keys(file, [*_lines(file), written])
    key_id = written.partition(":")[0]
    click.echo(f"Added {key_id} to {file}. Keep a copy of the file.")
    return click.echo(_THEN_USE)


_THEN_USE = "Restart every process, on every machine, so that all can read by it. Then: keys use"


@keys.command("use", needs=Needs.ANY_RELEASE)
def use_key() -> None:
    """Let the newest key encrypt new values, once every process knows it."""
    config = deps().config
    newest = config.data_keys[-1][0] if config.data_keys else None
    if newest == config.encrypting_key:
        raise click.ClickException("The newest key encrypts already. Add another first.")
    if config.data_key_file is None:
        click.echo(f"Take :{READ_ONLY} off {newest} in DATA_KEYS, then restart every process.")
        return
    lines = [line.removesuffix(f":{READ_ONLY}") for line in _lines(config.data_key_file)]
    _write_keys(config.data_key_file, lines)
    click.echo(f"{newest} encrypts from now on. Restart every process, one after the other.")


@keys.command("reseal")
def reseal() -> None:
    """Encrypt with the newest key what is only read; while everything runs, again and again.

    Names, addresses and numbers of staff and clinics from before they were encrypted too, and
    what told patients' names is forgotten: once no process of the release before is left.
    """
    done = rotating.reseal(db.sessionmaker, sealing.cipher())
    forgetting.forget(db.sessionmaker)
    click.echo(f"Encrypted {done.count:,} values with the newest key.")
    _tell_unreadable(done.unreadable)
    if done.unreadable:
        raise SystemExit(1)


@keys.command("retire")
@click.option("--everything-is-stopped", is_flag=True, required=True, help="Nothing else runs.")
def retire(*, everything_is_stopped: bool) -> None:
    """Move everything from the oldest key to the next ones, so that it can be taken out.

    Stop every process before, and start none before the oldest key is out. Cut off, run it
    again: no process starts before.
    """
    del everything_is_stopped
    config = deps().config
    if _is_out_already(config):
        return _end_retiring(config, fitting.marker(config).read_text().strip())
    if len(config.data_keys) == 1 or config.encrypting_key == config.data_keys[0][0]:
        raise click.ClickException("No other key encrypts. Add one, and use it, first.")
    oldest = config.data_keys[0][0]
    begun = fitting.marker(config)
    begun.write_text(f"{oldest}\n")
    to_disk(begun)
    try:
        with db.sessionmaker.begin() as session:
            moved = rotating.retire(session, _cipher(config), _cipher(config, without_oldest=True))
    except rotating.CannotMove as error:
        begun.unlink()
        _tell_unreadable(error.unreadable)
        raise click.ClickException(f"Nothing was moved; {oldest} stays.") from error
    click.echo(f"Moved {moved:,} values.")
    if config.data_key_file is not None:
        lines = [line for line in _lines(config.data_key_file) if not line.startswith(f"{oldest}:")]
        _write_keys(config.data_key_file, lines)
    return _end_retiring(config, oldest)


def _is_out_already(config: Config) -> bool:
    """Say whether it was cut off when the key was out of the file, and no value named it."""
    begun = fitting.marker(config)
    key_id = begun.read_text().strip() if begun.exists() else ""
    if not key_id or key_id in dict(config.data_keys):
        return False
    with reading(), db.engine.connect() as connection:
        return key_id not in rotating.count_by_key(connection)


def _end_retiring(config: Config, oldest: str) -> None:
    fitting.marker(config).unlink()
    click.echo(f"Nothing uses {oldest} any more.")
    if config.data_key_file is None:
        click.echo(f"Now take {oldest} out of DATA_KEYS. Keep it for old backups. Then start.")
    else:
        click.echo(f"It is out of {config.data_key_file}. Keep it for old backups. Start again.")
    _compact()


def _cipher(config: Config, *, without_oldest: bool = False) -> Cipher:
    """Return what encrypts by the configuration, which need not fit the database."""
    known = config.data_keys[1:] if without_oldest else config.data_keys
    return Cipher([DataKey(*each) for each in known], config.encrypting_key)


def _make_first(config: Config) -> None:
    """Make the key of an installation that never had one, though it has patients."""
    if config.data_key_file is None:
        raise click.ClickException("There is no key.")
    with reading(), db.engine.connect() as connection:
        used = fitting.key_in_use(connection)
    if used:
        raise click.ClickException(
            f"The database is encrypted with the key {used}: put the copy of the data keys back."
        )
    make_data_key(config.data_key_file)
    click.echo(f"Made {config.data_key_file}. Keep a copy of the file.")


def _compact() -> None:
    try:
        compacting.compact(db.engine)
    except CannotCompact as error:
        raise click.ClickException(str(error)) from error


def _tell_unreadable(unreadable: Mapping[str, Sequence[int]]) -> None:
    for table, ids in unreadable.items():
        shown = ", ".join(map(str, sorted(set(ids))[:SHOWN]))
        click.echo(f"Can't be decrypted: {len(set(ids)):,} of {table}: {shown}", err=True)


def _lines(file: Path) -> list[str]:
    return file.read_text().replace(",", "\n").split()


def _write_keys(file: Path, lines: Sequence[str]) -> None:
    replace_secret(file, "\n".join(lines) + "\n")
